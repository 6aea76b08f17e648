// From the graph to a switch and back, over both wires. VLANs and ports are set, mapped, checked and deleted, and a
// probe settles a lost answer.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OnyxSwitch } from '../../../../../simulators/onyx/switch.ts';
import { GraphCalls, mappedLife, refusedCall } from '../../support/mapped-life.ts';
import { RelaySystem, registerDevice } from '../../support/relay-system.ts';

describe.each(['ssh', 'https'] as const)('onyx in the graph, over %s', (transport) => {
  let device: OnyxSwitch;
  let system: RelaySystem;
  let calls: GraphCalls;

  beforeAll(async () => {
    device = await OnyxSwitch.start();
    device.knobs.maxShells = 2;
    system = await RelaySystem.start();
    const node = await system.node();
    calls = new GraphCalls(node, 'sw');
    await registerDevice(node, device[transport], {
      ...{ name: 'sw', driver: 'onyx', options: { transport }, credentials: { username: 'admin', password: 'secret' } },
      hostKeySha256: device.ssh.hostKeySha256,
    });
  });
  afterAll(async () => {
    await system.stop();
    await device.stop();
  });

  test('a VLAN and a port in it through their lives', async () => {
    const rename = (name: string) => device.config.vlans.set(42, { name });
    await mappedLife(calls, {
      make: ['switchVlanCreate', { vlan: 42, name: 'tenant-42' }],
      mapping: { objectKey: '42' },
      async made() {
        const set = await calls.make('switchPortVlanSet', { port: '1/4', mode: 'HYBRID', vlan: 1, allowedVlans: [42] });
        expect(set).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED' } });
        expect(device.config.ethernet.get('1/4')).toMatchObject({ mode: 'hybrid', allowed: new Set([42]) });
      },
      drift: [
        () => rename('renamed'),
        ['name'],
        async (made) => {
          // A VLAN with another name may belong to someone else.
          expect((await calls.remove(made)).userErrors).toMatchObject([{ code: 'VERIFY_FIRST' }]);
          const { operation } = await calls.remove(made, { force: true });
          expect(operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'CHANGED' } });
          rename('tenant-42');
        },
      ],
      removal: { force: true },
      gone: () => expect(device.config.vlans.has(42)).toBe(false),
    });
  });

  test('a lost answer is UNKNOWN, never sent again, and settled by a probe', async () => {
    device.faults.plan('DROP_AFTER_APPLYING');
    const made = await calls.make('switchVlanCreate', { vlan: 43 });
    expect(made.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
    // Without a mark the object could have been there before.
    expect(await calls.settled(made)).toMatchObject({ state: 'UNKNOWN', evidence: [{ finding: 'AS_WANTED_SO_FAR' }] });
    await calls.node.db.execute("UPDATE operation SET quiet_over = 1 WHERE state = 'UNKNOWN'");
    expect(await calls.settled(made)).toMatchObject({
      ...{ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'ACTIVE' }] },
    });
    expect(device.log.entries.filter(({ action }) => action === 'vlan 43')).toHaveLength(1);
  });

  test('14 calls at once on a switch that allows two sessions: all succeed', async () => {
    const vlans = Array.from({ length: 14 }, (_, index) => 100 + index);
    const made = await Promise.all(vlans.map((vlan) => calls.make('switchVlanCreate', { vlan, name: `v${vlan}` })));
    expect(made.map(({ operation }) => operation?.state)).toEqual(vlans.map(() => 'SUCCEEDED'));
    for (const vlan of vlans) expect(device.config.vlans.get(vlan)).toEqual({ name: `v${vlan}` });
  });

  test('a refusal quotes the switch', async () => {
    const port = { port: '1/99', mode: 'ACCESS', vlan: 1 };
    const refusal = { code: 'DEVICE_REFUSED', message: expect.stringContaining('does not exist') };
    await refusedCall(calls, ['switchPortVlanSet', port], refusal);
    const elsewhere = await calls.make('switchPortVlanSet', { ...port, port: '1/4', scope: 'br0' });
    expect(elsewhere.userErrors).toMatchObject([{ code: 'NOT_SUPPORTED' }]);
  });
});
