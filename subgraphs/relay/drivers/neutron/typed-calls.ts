// The typed mutations of network services as operations of this driver.

import type { Driver, JsonValue } from '../driver.ts';
import { given } from '../json.ts';

export const typedCalls: Driver['typed'] = {
  networkCreate: (input) => ({ operation: 'network.create', arguments: input }),
  networkSubnetCreate: (input) => ({ operation: 'subnet.create', arguments: input }),
  networkPortCreate: (input) => ({ operation: 'port.create', arguments: input }),
  networkSecurityGroupCreate: (input) => ({ operation: 'securityGroup.create', arguments: input }),
  networkSecurityGroupRuleCreate: ({ direction, protocol, ...others }) => ({
    operation: 'securityGroupRule.create',
    arguments: given({ ...others, direction: lower(direction), protocol: lower(protocol) }),
  }),
  networkRouterCreate: (input) => ({ operation: 'router.create', arguments: input }),
  networkRouterInterfaceAdd: (input) => ({ operation: 'routerInterface.add', arguments: input }),
  networkFloatingIpCreate: (input) => ({ operation: 'floatingIp.create', arguments: input }),
};

function lower(word: JsonValue | undefined): string | undefined {
  return word === undefined ? undefined : String(word).toLowerCase();
}
