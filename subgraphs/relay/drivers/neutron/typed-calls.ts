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
  // It has no name of its own: what it leads to, or its address, is what it can be called by.
  networkFloatingIpCreate: (input) => ({
    operation: 'floatingIp.create',
    arguments: given({ ...input, name: nameOf(input.port ?? input.address ?? input.network) }),
  }),
};

function lower(word: JsonValue | undefined): string | undefined {
  return word === undefined ? undefined : String(word).toLowerCase();
}

/** Only characters that a name may have. */
function nameOf(text: JsonValue | undefined): string {
  return String(text).replaceAll(/[^A-Za-z0-9._-]/g, '-');
}
