// From the graph to a real Open vSwitch and back. Bridges and ports are created, mapped, checked, adopted and deleted,
// and a probe settles a missing answer.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithOpenVswitch } from '../../../../support/servers/openvswitch.ts';
import { GraphCalls, mappedLife, refusedCall } from '../../support/mapped-life.ts';
import { type CallShape, RelaySystem, registerBackend, verify } from '../../support/relay-system.ts';

describeWithOpenVswitch('openvswitch in the graph', (ovs) => {
  let system: RelaySystem;
  let calls: GraphCalls;

  beforeAll(async () => {
    system = await RelaySystem.start();
    const node = await system.node();
    calls = new GraphCalls(node, 'sw');
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

  const internal = (port: string) => ({ bridge: 'br-g', port, interfaceType: 'internal' });

  test('a port of a bridge through its life, by its UUID', async () => {
    const bridge = await calls.make('bridge.create', { bridge: 'br-g' });
    expect(bridge).toMatchObject({
      ...{ userErrors: [], operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'ACTIVE', objectKey: 'br-g' } },
    });
    const get = async (column: string) => (await ovs().vsctl('get', 'Port', 'g1', column)).stdout.trim();
    await mappedLife(calls, {
      make: ['port.add', internal('g1')],
      mapping: { objectKey: 'g1' },
      async made({ mapping }) {
        expect(mapping?.uuid).toBe(await get('_uuid'));
        const set = await calls.make('switchPortVlanSet', { port: 'g1', mode: 'TRUNK', allowedVlans: [43, 42] });
        expect([set.userErrors, set.operation?.state]).toEqual([[], 'SUCCEEDED']);
        expect(await get('trunks')).toBe('[42, 43]');
        expect(await verify(calls.node, mapping?.id)).toEqual(['MATCHES']);
      },
      drift: [
        () => ovs().vsctl('set', 'Port', 'g1', 'tag=7', 'vlan_mode=access', '--', 'clear', 'Port', 'g1', 'trunks'),
        ['allowedVlans', 'mode', 'vlan'],
      ],
      gone: async () => expect((await ovs().vsctl('list-ports', 'br-g')).stdout).toBe(''),
    });
  });

  test('a port that someone deleted and recreated is not changed by its name', async () => {
    await calls.make('port.add', internal('g5'));
    const again = 'del-port g5 -- add-port br-g g5 tag=9 -- set Interface g5 type=internal';
    await ovs().vsctl(...again.split(' '));
    const set = await calls.make('switchPortVlanSet', { port: 'g5', mode: 'ACCESS', vlan: 7 });
    expect(set).toMatchObject({ operation: { state: 'FAILED', deviceError: { code: 'CHANGED' } } });
    const labels = { object: 'port', name: 'g5', externalIds: { 'cmp-id': '42' } };
    const labelled = await calls.make('externalIds.set', labels);
    expect(labelled).toMatchObject({ operation: { state: 'FAILED', deviceError: { code: 'CHANGED' } } });
    expect((await ovs().vsctl('get', 'Port', 'g5', 'tag', 'external_ids')).stdout).toBe('9\n{}\n');
    await ovs().vsctl('del-port', 'g5');
  });

  test('an existing object is adopted with its UUID, and deleted by it', async () => {
    await ovs().vsctl('add-port', 'br-g', 'g2', 'tag=9', '--', 'set', 'Interface', 'g2', 'type=internal');
    const on = { backend: { name: 'sw' }, cmpObject: { type: 'tenant', externalId: '42' } };
    const input = { ...on, idempotencyKey: 'adopt', resource: 'port', scope: '', objectKey: 'g2' };
    const adopted = await calls.node.mutate<{ mapping: { id: string; uuid: string; object: unknown } }>(
      ...(['mappingAdopt', input] as const),
      'mapping { id uuid object { ... on SwitchPortVlans { mode vlan scope } } } userErrors { message }',
    );
    expect(adopted.mapping).toMatchObject({
      uuid: (await ovs().vsctl('get', 'Port', 'g2', '_uuid')).stdout.trim(),
      object: { mode: 'ACCESS', vlan: 9, scope: 'br-g' },
    });
    const gone = await calls.remove(adopted as unknown as CallShape);
    expect(gone.operation?.state).toBe('SUCCEEDED');
  });

  test('a missing answer leaves the call UNKNOWN, which a probe for the mark settles', async () => {
    process.kill(ovs().databasePid, 'SIGSTOP');
    const made = await calls.make('port.add', internal('g3'), { deadlineMs: 300 });
    process.kill(ovs().databasePid, 'SIGCONT');
    expect(made.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
    // The database either never got the transaction, or carries it out within this time. The test covers both outcomes.
    await sleep(300);
    const isThere = (await ovs().vsctl('list-ports', 'br-g')).stdout.includes('g3');
    expect(await calls.settled(made)).toMatchObject(
      isThere
        ? { state: 'SUCCEEDED', stateSource: 'PROBE', changedMappings: [{ mappingState: 'ACTIVE' }] }
        : { state: 'UNKNOWN', evidence: [{ finding: 'ABSENT_SO_FAR' }] },
    );
  });

  test('a refusal quotes the switch, and nothing is mapped', async () => {
    const refusal = { code: 'NOT_FOUND', message: 'There is no bridge br-none.' };
    await refusedCall(calls, ['port.add', { bridge: 'br-none', port: 'g4' }], refusal);
  });
});
