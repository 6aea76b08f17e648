// The typed mutations of switches as operations of this driver. A switch has no containers that a scope could name.

import type { Driver } from '../driver.ts';
import { given } from '../json.ts';

export const typedCalls: Driver['typed'] = {
  switchVlanCreate: (input) => ({ operation: 'vlan.create', arguments: given(input) }),
  switchPortVlanSet: ({ scope, mode, ...rest }) =>
    scope === undefined
      ? { operation: 'port.vlan.set', arguments: given({ ...rest, mode: String(mode).toLowerCase() }) }
      : undefined,
};
