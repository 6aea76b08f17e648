// From the graph to a switch and back, over both wires: VLANs and ports are set, mapped, checked and deleted; a lost answer is
// settled by looking.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OnyxSwitch } from '../../../../../simulators/onyx/switch.ts';
import { call, type RelayNode, RelaySystem, registerDevice, settle, verify } from '../../support/relay-system.ts';

describe.each(['ssh', 'https'] as const)('onyx in the graph, over %s', (transport) => {
  let device: OnyxSwitch;
  let system: RelaySystem;
  let node: RelayNode;

  beforeAll(async () => {
    device = await OnyxSwitch.start();
    device.knobs.maxShells = 2;
    system = await RelaySystem.start();
    node = await system.node();
    await registerDevice(node, device[transport], {
      ...{ name: 'sw', driver: 'onyx', options: { transport }, credentials: { username: 'admin', password: 'secret' } },
      hostKeySha256: device.ssh.hostKeySha256,
    });
  });
  afterAll(async () => {
    await system.stop();
    await device.stop();
  });

  const on = { backend: { name: 'sw' }, cmpObject: { type: 'tenant', externalId: '42' } };

  test('a VLAN and a port in it: set, found, drifted, deleted', async () => {
    const vlan = await node.mutate('switchVlanCreate', { ...on, idempotencyKey: 'v1', vlan: 42, name: 'tenant-42' });
    expect(vlan).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED' }, mapping: { objectKey: '42' } });
    const port = { ...on, idempotencyKey: 'p1', port: '1/4', mode: 'HYBRID', vlan: 1, allowedVlans: [42] };
    const set = await node.mutate('switchPortVlanSet', port);
    expect(set).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED' } });
    expect(device.config.ethernet.get('1/4')).toMatchObject({ mode: 'hybrid', allowed: new Set([42]) });
    const id = vlan.mapping?.id;
    expect(await verify(node, id)).toEqual(['MATCHES']);
    device.config.vlans.set(42, { name: 'renamed' });
    expect(await verify(node, id)).toEqual(['DRIFTED', 'name']);
    // A VLAN with another name may be somebody else's.
    const refused = await call(node, 'delete', { idempotencyKey: 'd0', mappingId: id });
    expect(refused.userErrors).toMatchObject([{ code: 'VERIFY_FIRST' }]);
    const forced = await call(node, 'delete', { idempotencyKey: 'd1', mappingId: id, force: true });
    expect(forced.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'CHANGED' } });
    device.config.vlans.set(42, { name: 'tenant-42' });
    const gone = await call(node, 'delete', { idempotencyKey: 'd2', mappingId: id, force: true });
    expect(gone.operation).toMatchObject({ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'DELETED' }] });
    expect(device.config.vlans.has(42)).toBe(false);
  });

  test('a lost answer is UNKNOWN, never sent again, and settled by looking', async () => {
    device.faults.plan('DROP_AFTER_APPLYING');
    const made = await node.mutate('switchVlanCreate', { ...on, idempotencyKey: 'v2', vlan: 43 });
    expect(made.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
    // Without a mark it could have been there before.
    const early = await settle(node, { id: made.operation?.id });
    expect(early.operation).toMatchObject({ state: 'UNKNOWN', evidence: [{ finding: 'AS_WANTED_SO_FAR' }] });
    await node.db.execute("UPDATE operation SET quiet_over = 1 WHERE state = 'UNKNOWN'");
    const settled = await settle(node, { idempotencyKey: 's1', id: made.operation?.id });
    expect(settled.operation).toMatchObject({ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'ACTIVE' }] });
    expect(device.log.entries.filter(({ action }) => action === 'vlan 43')).toHaveLength(1);
  });

  test('14 calls at once on a switch that allows two sessions: all succeed', async () => {
    const vlans = Array.from({ length: 14 }, (_, index) => 100 + index);
    const made = await Promise.all(
      vlans.map((vlan) =>
        node.mutate('switchVlanCreate', { ...on, idempotencyKey: `v${vlan}`, vlan, name: `v${vlan}` }),
      ),
    );
    expect(made.map(({ operation }) => operation?.state)).toEqual(vlans.map(() => 'SUCCEEDED'));
    for (const vlan of vlans) expect(device.config.vlans.get(vlan)).toEqual({ name: `v${vlan}` });
  });

  test('a refusal quotes the switch', async () => {
    const port = { ...on, idempotencyKey: 'p2', port: '1/99', mode: 'ACCESS', vlan: 1 };
    expect((await node.mutate('switchPortVlanSet', port)).operation).toMatchObject({
      state: 'FAILED',
      deviceError: { code: 'DEVICE_REFUSED', message: expect.stringContaining('does not exist') },
    });
    const input = { ...on, idempotencyKey: 'p3', port: '1/4', mode: 'ACCESS', vlan: 1, scope: 'br0' };
    expect((await node.mutate('switchPortVlanSet', input)).userErrors).toMatchObject([{ code: 'NOT_SUPPORTED' }]);
  });
});
