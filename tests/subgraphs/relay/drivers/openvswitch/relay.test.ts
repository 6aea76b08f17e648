// From the graph to a real Open vSwitch and back: bridges and ports are created, mapped, checked, adopted and deleted; a missing
// answer is settled by looking.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithOpenVswitch } from '../../../../support/servers/openvswitch.ts';
import { call, type RelayNode, RelaySystem, registerBackend, settle, verify } from '../../support/relay-system.ts';

describeWithOpenVswitch('openvswitch in the graph', (ovs) => {
  let system: RelaySystem;
  let node: RelayNode;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
    const { host, port, certificates } = ovs().ovsdb;
    await registerBackend(node, {
      ...{ name: 'sw', driver: 'openvswitch', host, port, allowInit: true, caCertificates: certificates.ca },
      credentials: {
        ...{ username: 'relay', privateKey: certificates.client.key },
        clientCertificate: certificates.client.cert,
      },
      options: { datapathType: 'netdev' },
    });
  });
  afterAll(() => system.stop());

  const on = { backend: { name: 'sw' }, cmpObject: { type: 'tenant', externalId: '42' } };
  const relay = (operation: string, args: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    call(node, 'relayCall', {
      ...on,
      operation,
      arguments: args,
      idempotencyKey: `${operation} ${args.port}`,
      ...more,
    });

  test('a bridge and a port: created, put into VLANs, found, drifted, deleted by their uuid', async () => {
    const bridge = await relay('bridge.create', { bridge: 'br-g' });
    expect(bridge.userErrors).toEqual([]);
    expect(bridge).toMatchObject({
      operation: { state: 'SUCCEEDED' },
      mapping: { mappingState: 'ACTIVE', objectKey: 'br-g' },
    });
    const made = await relay('port.add', { bridge: 'br-g', port: 'g1', interfaceType: 'internal' });
    const uuid = (await ovs().vsctl('get', 'Port', 'g1', '_uuid')).stdout.trim();
    expect(made.mapping).toMatchObject({ mappingState: 'ACTIVE', objectKey: 'g1', uuid });
    const input = { ...on, idempotencyKey: 'vlans', port: 'g1', mode: 'TRUNK', allowedVlans: [43, 42] };
    const set = await node.mutate('switchPortVlanSet', input);
    expect([set.userErrors, set.operation?.state]).toEqual([[], 'SUCCEEDED']);
    expect((await ovs().vsctl('get', 'Port', 'g1', 'trunks')).stdout.trim()).toBe('[42, 43]');
    const id = made.mapping?.id;
    expect(await verify(node, id)).toEqual(['MATCHES']);
    await ovs().vsctl('set', 'Port', 'g1', 'tag=7', 'vlan_mode=access', '--', 'clear', 'Port', 'g1', 'trunks');
    expect(await verify(node, id)).toEqual(expect.arrayContaining(['DRIFTED', 'allowedVlans', 'mode', 'vlan']));
    const gone = await call(node, 'delete', { idempotencyKey: 'd1', mappingId: id });
    expect(gone.operation).toMatchObject({ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'DELETED' }] });
    expect((await ovs().vsctl('list-ports', 'br-g')).stdout).toBe('');
  });

  test('a port that somebody deleted and made again is not changed by its name', async () => {
    await relay('port.add', { bridge: 'br-g', port: 'g5', interfaceType: 'internal' });
    const again = 'del-port g5 -- add-port br-g g5 tag=9 -- set Interface g5 type=internal';
    await ovs().vsctl(...again.split(' '));
    const input = { ...on, idempotencyKey: 'vlan of g5', port: 'g5', mode: 'ACCESS', vlan: 7 };
    const set = await node.mutate('switchPortVlanSet', input);
    expect(set).toMatchObject({ operation: { state: 'FAILED', deviceError: { code: 'CHANGED' } } });
    const labels = { object: 'port', name: 'g5', externalIds: { 'cmp-id': '42' } };
    const labelled = await relay('externalIds.set', labels, { idempotencyKey: 'ids of g5' });
    expect(labelled).toMatchObject({ operation: { state: 'FAILED', deviceError: { code: 'CHANGED' } } });
    expect((await ovs().vsctl('get', 'Port', 'g5', 'tag', 'external_ids')).stdout).toBe('9\n{}\n');
    await ovs().vsctl('del-port', 'g5');
  });

  test('an existing object is adopted with its uuid, and deleted by it', async () => {
    await ovs().vsctl('add-port', 'br-g', 'g2', 'tag=9', '--', 'set', 'Interface', 'g2', 'type=internal');
    const input = { ...on, idempotencyKey: 'adopt', resource: 'port', scope: '', objectKey: 'g2' };
    const adopted = await node.mutate<{ mapping: { id: string; uuid: string; object: unknown } }>(
      ...(['mappingAdopt', input] as const),
      'mapping { id uuid object { ... on SwitchPortVlans { mode vlan scope } } } userErrors { message }',
    );
    expect(adopted.mapping).toMatchObject({
      uuid: (await ovs().vsctl('get', 'Port', 'g2', '_uuid')).stdout.trim(),
      object: { mode: 'ACCESS', vlan: 9, scope: 'br-g' },
    });
    const gone = await call(node, 'delete', { idempotencyKey: 'd2', mappingId: adopted.mapping.id });
    expect(gone.operation?.state).toBe('SUCCEEDED');
  });

  test('a missing answer leaves an UNKNOWN, which a look for the mark settles', async () => {
    process.kill(ovs().databasePid, 'SIGSTOP');
    const made = await relay(
      'port.add',
      { bridge: 'br-g', port: 'g3', interfaceType: 'internal' },
      { deadlineMs: 300 },
    );
    process.kill(ovs().databasePid, 'SIGCONT');
    expect(made.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
    // The database either never got the transaction, or carries it out within this time: both ends are checked.
    await sleep(300);
    const isThere = (await ovs().vsctl('list-ports', 'br-g')).stdout.includes('g3');
    const settled = await settle(node, { idempotencyKey: 's1', id: made.operation?.id });
    expect(settled.operation).toMatchObject(
      isThere
        ? { state: 'SUCCEEDED', stateSource: 'PROBE', changedMappings: [{ mappingState: 'ACTIVE' }] }
        : { state: 'UNKNOWN', evidence: [{ finding: 'ABSENT_SO_FAR' }] },
    );
  });

  test('a refusal quotes the switch, and nothing is mapped', async () => {
    const refused = await relay('port.add', { bridge: 'br-none', port: 'g4' });
    expect(refused).toMatchObject({
      operation: { state: 'FAILED', deviceError: { code: 'NOT_FOUND', message: 'There is no bridge br-none.' } },
      mapping: null,
    });
  });
});
