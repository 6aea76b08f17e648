// What a typed mutation creates is shown in the mutation's own terms again.
import { expect, test } from '@jest/globals';
import { validateArguments } from '../../../../subgraphs/relay/drivers/arguments.ts';
import type { JsonObject } from '../../../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { typedMutations } from '../../../../subgraphs/relay/spec/families.ts';
import { typedInputs } from '../support/typed-inputs.ts';

const inputs: Readonly<Record<string, readonly JsonObject[]>> = {
  ...Object.fromEntries(Object.entries(typedInputs).map(([name, input]) => [name, [input]])),
  firewallAddressCreate: [
    { name: 'web', content: { address: '192.0.2.0/24' } },
    { name: 'web', content: { fqdn: 'www.example.com' } },
    { name: 'web', content: { range: { firstAddress: '192.0.2.1', lastAddress: '192.0.2.9' } } },
  ],
  firewallServiceCreate: [
    { name: 'https', protocol: 'TCP', firstPort: 443 },
    { name: 'dns', protocol: 'UDP', firstPort: 53, lastPort: 54 },
  ],
  firewallRuleCreate: [
    { name: 'rule', action: 'DROP' },
    { name: 'rule', action: 'REJECT', source: { address: '192.0.2.0/24' }, protocol: 'TCP', destinationPort: 443 },
    { name: 'rule', action: 'ACCEPT', source: { set: 'blocked', setIpVersion: 6 }, protocol: 'ICMP' },
    {
      ...{ name: 'rule', action: 'REJECT', chain: 'INPUT', source: { address: '2001:db8::/32' } },
      ...{ ingressInterface: 'eth0', egressInterface: 'eth1', protocol: 'ICMP' },
    },
    { name: 'rule', action: 'ACCEPT', source: { set: 'web' }, service: 'HTTPS', ingressInterface: 'port1' },
  ],
};

/** Each switch has its own names of ports. */
const ports: Readonly<Record<string, string>> = { onyx: 'Eth1/4', openvswitch: 'eth1' };

const cases = [...drivers.values()].flatMap((driver) =>
  typedMutations.flatMap(({ name, makes }) => {
    if (makes === undefined || driver.objects === undefined) return [];
    return (inputs[name] ?? []).flatMap((given) => {
      const port = name === 'switchPortVlanSet' ? ports[driver.name] : undefined;
      const input = port === undefined ? given : { ...given, port };
      const call = driver.typed[name]?.(input);
      return call === undefined ? [] : [[driver.name, name, makes.type, input, call] as const];
    });
  }),
);

test.each(cases)('%s shows what %s creates as a %s: %j', (driverName, _name, type, input, call) => {
  const driver = drivers.get(driverName);
  const operation = driver?.operations.get(call.operation);
  if (driver === undefined || operation === undefined) throw new Error(`${driverName} lacks ${call.operation}`);
  const checked = validateArguments(operation, call.arguments);
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  const object = operation.object?.(checked.args);
  if (object === undefined) throw new Error(`${call.operation} has no object`);
  const shown = driver.objects?.[object.resource]?.(operation.desired?.(checked.args) ?? checked.args, object);
  expect(shown?.type).toBe(type);
  expect(JSON.parse(JSON.stringify(shown?.fields))).toMatchObject(input);
});

test('every driver with typed mutations of such objects is tried', () => {
  const tried = new Set(cases.map(([driver]) => driver));
  expect([...tried].sort()).toEqual(
    [...drivers.values()]
      .filter(({ objects }) => objects)
      .map(({ name }) => name)
      .sort(),
  );
});
