// `tidegate alert-rules`.
import { actionOf, actionVerb } from '../../kinds/action-verb.ts';
import { kindOf } from '../../kinds/find-object.ts';
import { kindNoun } from '../../kinds/kind-noun.ts';
import type { Noun } from '../../verb.ts';

const rule = kindOf('AlertRule');

export const alertRules: Noun = {
  ...kindNoun('AlertRule'),
  'check-in': actionVerb(rule, actionOf(rule, 'checkIn'), {
    ...{ summary: 'Check in the job of a rule with the condition CHECK_IN_LATE.', key: 'id', done: 'is told' },
  }),
};
