// `tidegate gslb-monitors`: a monitor checks the pools and members that it is attached to.
import { actionOf, actionVerb } from '../../kinds/action-verb.ts';
import { kindOf } from '../../kinds/find-object.ts';
import { kindNoun } from '../../kinds/kind-noun.ts';
import type { Noun } from '../../verb.ts';

const [pool, monitor] = [kindOf('GslbPool'), kindOf('GslbMonitor')];

export const gslbMonitors: Noun = {
  ...kindNoun('GslbMonitor'),
  attach: actionVerb(pool, actionOf(pool, 'monitorAttach'), {
    ...{ summary: 'Have a monitor check a pool or a member.', key: 'monitorId', named: monitor, done: 'is attached' },
  }),
  detach: actionVerb(pool, actionOf(pool, 'monitorDetach'), {
    ...{ summary: 'Have a monitor no longer check a pool or a member.', key: 'monitorId', named: monitor },
    done: 'is detached',
  }),
};
