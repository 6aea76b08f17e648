// The typed mutations of web application firewalls as operations of this driver.

import type { Driver } from '../driver.ts';
import { given } from '../json.ts';

export const typedCalls: Driver['typed'] = {
  // ASM identifies a policy only by its id, which is therefore the name to give. A policy can't be switched off: it is removed
  // from its virtual servers (asmPolicy.setVirtualServers).
  wafModeSet: ({ policy, scope, mode }) =>
    mode === 'OFF'
      ? undefined
      : {
          operation: 'asmPolicy.setMode',
          arguments: given({ policy, partition: scope, mode: mode === 'BLOCKING' ? 'blocking' : 'transparent' }),
        },
  wafPoolCreate: ({ name, scope, monitor }) => ({
    operation: 'pool.create',
    arguments: given({ name, partition: scope, monitor }),
  }),
  wafPoolMemberAdd: ({ pool, scope, address, port, ratio }) => ({
    operation: 'poolMember.create',
    arguments: given({ pool, partition: scope, address, port, ratio }),
  }),
};
