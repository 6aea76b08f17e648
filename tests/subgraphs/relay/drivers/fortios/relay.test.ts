// The whole relay with a simulated FortiGate. A tenant's policy is created by its typed mutation, found to have
// drifted, moved, and deleted by its mapping. The device's state settles a call without a verdict, and a save uses the
// other wire.

import { expect, test } from '@jest/globals';
import { FortiGate } from '../../../../../simulators/fortios/fortigate.ts';
import { tableOf } from '../../../../../simulators/fortios/tables.ts';
import { GraphCalls, lostCall, mappedLife } from '../../support/mapped-life.ts';
import { type CallShape, registerDevice } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const { node, device: gate } = await startRelay({
  device: () => FortiGate.start({ version: '7.4.5', interfaces: { port1: 'root', port2: 'root' } }),
});
await registerDevice(node, gate.https, {
  ...{ name: 'edge', driver: 'fortios', allowInit: true, hostKeySha256: gate.ssh.hostKeySha256 },
  ...{ options: { ports: { ssh: gate.ssh.port } }, credentials: { username: 'admin', password: 'secret' } },
  // Short, because of the call without an answer.
  limits: { deadlineMs: 1_000 },
});

const policies = tableOf('firewall/policy');
const calls = new GraphCalls(node, 'edge');

test('a policy through its life, by its typed mutation', async () => {
  await calls.make('firewallAddressCreate', { name: 'web', content: { address: '192.0.2.80' } });
  await calls.make('policy.create', {
    ...{ name: 'first', sourceInterfaces: ['any'], destinationInterfaces: ['any'], sourceAddresses: ['all'] },
    ...{ destinationAddresses: ['all'], services: ['ALL'], schedule: 'always', action: 'DENY' },
  });
  await mappedLife(calls, {
    make: [
      'firewallRuleCreate',
      {
        ...{ name: 'web-in', action: 'ACCEPT', service: 'HTTPS', ingressInterface: 'port1' },
        destination: { set: 'web' },
      },
    ],
    mapping: { uuid: '2', objectKey: 'web-in' },
    async made() {
      const moved = await calls.make('policy.move', { name: 'web-in', policyId: 2, before: 1 });
      expect(moved.operation?.state).toBe('SUCCEEDED');
      const table = gate.device.cmdb.list('root', policies);
      expect(table.map(([id]) => id)).toEqual(['2', '1']);
      const used = await calls.make('address.delete', { name: 'web' });
      expect(used.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'IN_USE' } });
    },
    drift: [
      () => gate.device.cmdb.update('root', policies, '2', { nat: 'enable', service: ['HTTP'] }, 'GUI'),
      ['services'],
    ],
    gone: () => expect(gate.device.cmdb.get('root', policies, '2')).toBeUndefined(),
  });
});

test.each([
  ['lost-before', 'DROP_BEFORE_APPLYING', 'ABSENT'],
  ['lost-after', 'DROP_AFTER_APPLYING', 'PRESENT'],
  ['silent', 'SILENT_AFTER_APPLYING', 'PRESENT'],
] as const)(
  '%s: a call without a verdict is not repeated, and is settled by its mark',
  async (name, fault, finding) => {
    gate.device.faults.plan(fault);
    await lostCall(calls, ['firewallAddressCreate', { name, content: { address: '192.0.2.81' } }], finding);
    const attempts = gate.log.entries.filter((entry) => entry.action === `root: create firewall/address ${name}`);
    expect(attempts).toHaveLength(finding === 'ABSENT' ? 0 : 1);
  },
);

test('a change applies to the adopted object as recorded, and not to a later one with its name', async () => {
  const addresses = tableOf('firewall/address');
  const byHand = (subnet: string) => {
    if (gate.device.cmdb.get('root', addresses, 'old')) gate.device.cmdb.remove('root', addresses, 'old', 'GUI');
    gate.device.cmdb.create('root', addresses, 'old', { name: 'old', type: 'ipmask', subnet }, 'GUI');
  };
  byHand('192.0.2.0 255.255.255.0');
  const change = (address: string) => calls.make('firewallAddressUpdate', { name: 'old', content: { address } });
  // Nothing shows that it belongs to the relay.
  expect((await change('192.0.2.1')).operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'CHANGED' } });
  const object = { resource: 'address', scope: 'root', objectKey: 'old' };
  const adopted = await node.mutate<{ mapping: { id: string } }>(
    'mappingAdopt',
    { backend: { name: 'edge' }, cmpObject: { type: 'tenant', externalId: '42' }, idempotencyKey: 'adopt', ...object },
    'mapping { id } userErrors { message }',
  );
  expect(adopted).toMatchObject({ userErrors: [] });
  for (const address of ['192.0.2.2', '192.0.2.3']) expect((await change(address)).operation?.state).toBe('SUCCEEDED');

  byHand('198.51.100.0 255.255.255.0');
  const before = gate.device.cmdb.get('root', addresses, 'old');
  const refused = { operation: { state: 'FAILED', deviceError: { code: 'CHANGED' } } };
  expect(await change('192.0.2.4')).toMatchObject(refused);
  expect(await calls.make('address.delete', { name: 'old' })).toMatchObject(refused);
  expect(await calls.remove(adopted as CallShape)).toMatchObject(refused);
  expect(gate.device.cmdb.get('root', addresses, 'old')).toEqual(before);
});

test('an INIT operation, and a save over the other wire', async () => {
  expect((await calls.make('vdom.create', { name: 'tenant42' })).operation?.state).toBe('SUCCEEDED');
  expect((await calls.make('config.save', {})).operation?.state).toBe('SUCCEEDED');
  expect(gate.device.saves).toHaveLength(1);
});
