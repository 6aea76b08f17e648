// Input for every typed mutation, and the possible faults of its fields. Both are derived from each field's own schema,
// so a new mutation or field has its cases automatically.

import type { Field, Fields } from '../../../../platform/graph/fields.ts';
import type { JsonObject } from '../../../../subgraphs/relay/drivers/driver.ts';
import { typedMutations } from '../../../../subgraphs/relay/spec/families.ts';

const id = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';

/** Valid values of the mutations' own fields. */
export const typedInputs: Readonly<Record<string, JsonObject>> = {
  firewallAddressCreate: { name: 'web', content: { address: '192.0.2.80' } },
  firewallAddressUpdate: { name: 'web', content: { address: '192.0.2.81' } },
  firewallAddressGroupCreate: { name: 'group', members: ['web'] },
  firewallAddressGroupUpdate: { name: 'group', members: ['web', 'db'] },
  firewallServiceCreate: { name: 'https', protocol: 'TCP', firstPort: 443 },
  firewallVipCreate: { name: 'vip', externalAddress: '203.0.113.1', mappedAddress: '10.0.0.1' },
  firewallAddressSetElementAdd: { set: 'blocked', address: '192.0.2.7' },
  firewallAddressSetElementRemove: { set: 'blocked', address: '192.0.2.7' },
  firewallRuleCreate: { name: 'rule', action: 'DROP' },
  wafModeSet: { policy: 'shop', mode: 'DETECTION' },
  wafPoolCreate: { name: 'pool' },
  wafPoolMemberAdd: { pool: 'pool', address: '10.0.0.1', port: 80 },
  switchVlanCreate: { vlan: 42 },
  switchPortVlanSet: { port: '1/4', mode: 'ACCESS', vlan: 42 },
  switchControllerVlanCreate: { vlan: 42, devices: ['10.0.0.1'] },
  switchControllerPortVlanSet: { device: '10.0.0.1', port: '1/4', mode: 'TRUNK', allowedVlans: [42] },
  networkCreate: { name: 'net' },
  networkSubnetCreate: { name: 'sub', network: id, cidr: '10.0.0.0/24' },
  networkPortCreate: { name: 'port', network: id },
  networkSecurityGroupCreate: { name: 'sg' },
  networkSecurityGroupRuleCreate: { securityGroup: id, direction: 'INGRESS' },
  networkRouterCreate: { name: 'router' },
  networkRouterInterfaceAdd: { router: id, subnet: id },
  networkFloatingIpCreate: { name: 'ip', network: id },
  routerStaticRouteCreate: { destination: '192.0.2.0/24', nextHop: '10.0.0.1' },
  routerBgpNeighborCreate: { localAs: 4_200_000_001, address: '192.0.2.2', remoteAs: 65_002 },
  routerPrefixListEntryCreate: { list: 'customers', sequence: 5, action: 'PERMIT', prefix: '192.0.2.0/24' },
};

export function inputTypeOf(mutation: string): string {
  return `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
}

interface FieldFault {
  readonly what: string;
  readonly change: JsonObject;
  readonly code: 'INVALID_INPUT' | 'TOO_LONG';
  readonly field: string;
}

/** One fault for each way in which each field of a mutation can be wrong and still pass GraphQL's own validation. */
export function fieldFaults(mutation: string): FieldFault[] {
  const fields: Fields = typedMutations.find(({ name }) => name === mutation)?.fields ?? {};
  return Object.entries(fields).flatMap(([name, field]) => faultsOf(name, field));
}

function faultsOf(name: string, { schema, type }: Field): FieldFault[] {
  const fault = (what: string, value: JsonObject[string], code: FieldFault['code'], path = name): FieldFault => ({
    ...{ what: `${name}: ${what}`, change: { [name]: value }, code, field: `input.${path}` },
  });
  if (schema.enum !== undefined) return [];
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema as { minimum: number; maximum: number };
    return [fault('too small', minimum - 1, 'INVALID_INPUT'), fault('too large', maximum + 1, 'INVALID_INPUT')];
  }
  if (schema.format !== undefined)
    return [
      fault('no address', '1.2.3', 'INVALID_INPUT'),
      fault('host bits or prefix', '10.0.0.1/8', 'INVALID_INPUT'),
      fault('too long', 'x'.repeat(2_000), 'TOO_LONG'),
    ];
  if (schema.type === 'string')
    return [
      fault('a control character', 'a\u0007b', 'INVALID_INPUT'),
      fault('too long', 'x'.repeat(2_000), 'TOO_LONG'),
    ];
  if (schema.type === 'array') {
    const element = faultsOf('element', { type, schema: schema.items as JsonObject } as Field);
    return element.map(({ what, change, code }) => fault(what, [change.element ?? null], code, `${name}.0`));
  }
  return [];
}
