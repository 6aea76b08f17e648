// `tidegate alert-channels`.
import { actionOf, actionVerb } from '../../kinds/action-verb.ts';
import { kindOf } from '../../kinds/find-object.ts';
import { kindNoun } from '../../kinds/kind-noun.ts';
import type { Noun } from '../../verb.ts';

const channel = kindOf('AlertChannel');

export const alertChannels: Noun = {
  ...kindNoun('AlertChannel'),
  test: actionVerb(channel, actionOf(channel, 'test'), {
    ...{ summary: 'Send a message to an alert channel, also in quiet times.', key: 'id', done: 'is sent a message' },
  }),
};
