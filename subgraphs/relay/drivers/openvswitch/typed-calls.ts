// The typed mutations of switches as operations of this driver. VLANs are not objects here: a VLAN exists as soon as a port
// carries it.

import type { Driver } from '../driver.ts';
import { given } from '../json.ts';

export const typedCalls: Driver['typed'] = {
  switchPortVlanSet: ({ scope, mode, ...rest }) => ({
    operation: 'port.vlan.set',
    arguments: given({ ...rest, bridge: scope, mode: String(mode).toLowerCase() }),
  }),
};
