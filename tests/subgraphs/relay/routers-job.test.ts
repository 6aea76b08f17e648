// The README's job with two routers, through the graph on real FRR. A static route on both lets the hosts reach each
// other, a BGP neighbour with a password on both establishes the session, lost answers are settled, and the password
// appears nowhere.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readDeviceLog } from '../../../lab/device-log.ts';
import { inNamespace } from '../../../lab/exec.ts';
import { describeWithRouters } from '../../support/machine/routers.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { identity, type RelayNode, RelaySystem, registerDevice } from './support/relay-system.ts';
import { dumpDatabase, hunt } from './support/secret-hunt.ts';

const password = `bgp/${randomBytes(9).toString('base64url')}`;

interface Payload {
  readonly operation: { readonly id: string; readonly state: string; readonly wireCall: string } | null;
  readonly userErrors: readonly { readonly code: string; readonly field: readonly string[] }[];
}

describeWithRouters('two routers', (routers) => {
  let system: RelaySystem;
  let node: RelayNode;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node({ settings: { deviceGraceMs: 1_000 } });
    for (const router of routers().routers)
      await registerDevice(node, router, { driver: 'frr', name: router.plan.name });
  });
  afterAll(() => system?.stop());

  let keys = 0;
  const fields =
    'operation { id state arguments wireCall deviceError { code message } } userErrors { code message field }';
  function mutate(name: string, backend: string, more: object): Promise<Payload> {
    keys += 1;
    return node.mutate(name, { idempotencyKey: `key-${keys}`, backend: { name: backend }, ...more }, fields);
  }

  async function read(backend: string, operation: string, args: object): Promise<Record<string, unknown>> {
    const text = 'query ($input: RelayReadInput!) { relayRead(input: $input) { result userErrors { code message } } }';
    const input = { backend: { name: backend }, operation, arguments: args };
    const { data } = await node.run<{ relayRead: { result: Record<string, unknown> } }>(identity('MEMBER'), text, {
      input,
    });
    return data.relayRead.result;
  }

  const ping = async () => {
    const args = ['-c', '1', '-W', '1', '203.0.113.10'];
    return (await inNamespace(routers().namespaceOf('left'), 'ping', args)).exitCode === 0;
  };
  const done = { operation: { state: 'SUCCEEDED' }, userErrors: [] };

  test('a static route on both lets the hosts reach each other', async () => {
    expect(await ping()).toBe(false);
    const there = { destination: '203.0.113.0/24', nextHop: '198.51.100.2' };
    const back = { destination: '192.0.2.0/24', nextHop: '198.51.100.1' };
    expect(await mutate('routerStaticRouteCreate', 'router1', there)).toMatchObject(done);
    expect(await mutate('routerStaticRouteCreate', 'router2', back)).toMatchObject(done);
    await waitFor('the hosts to reach each other', ping);
  });

  test('a neighbour on both, and a read shows the established session', async () => {
    const one = { localAs: 65_001, address: '198.51.100.2', remoteAs: 65_002, password };
    const other = { localAs: 65_002, address: '198.51.100.1', remoteAs: 65_001, password };
    const first = await mutate('routerBgpNeighborCreate', 'router1', one);
    expect(first).toMatchObject({ ...done, operation: { state: 'SUCCEEDED', arguments: { password: '***' } } });
    expect(first.operation?.wireCall).toContain('neighbor 198.51.100.2 password ***');
    expect(await mutate('routerBgpNeighborCreate', 'router2', other)).toMatchObject(done);
    await waitFor('the session', async () => {
      const found = await read('router1', 'bgpSession.get', { address: '198.51.100.2' });
      return (found['198.51.100.2'] as { bgpState?: string } | undefined)?.bgpState === 'Established';
    });
  });

  test('an entry of a prefix list; faults name the fields of the mutation', async () => {
    const entry = { list: 'customers', sequence: 5, action: 'PERMIT', prefix: '192.0.2.0/24', maxLength: 32 };
    expect(await mutate('routerPrefixListEntryCreate', 'router1', entry)).toMatchObject(done);
    const missing = await mutate('routerBgpNeighborCreate', 'router1', {
      localAs: 64_999,
      address: '10.0.0.1',
      remoteAs: 1,
    });
    expect(missing).toMatchObject({ operation: { state: 'FAILED', deviceError: { code: 'NOT_FOUND' } } });
    const wrong = { localAs: 4_294_967_296, address: '10.0.0.1', remoteAs: 0 };
    expect((await mutate('routerBgpNeighborCreate', 'router1', wrong)).userErrors.map(({ field }) => field[1])).toEqual(
      ['localAs', 'remoteAs'],
    );
    const pipe = { localAs: 65_001, address: '10.0.0.1', remoteAs: 1, description: 'a | include x' };
    expect((await mutate('routerBgpNeighborCreate', 'router1', pipe)).userErrors).toMatchObject([
      { code: 'INVALID_INPUT', field: ['input', 'description'] },
    ]);
  });

  test('a lost answer is unknown, then settled by the mark at once, or without one after the quiet time', async () => {
    const [router] = routers().routers;
    await router.faults.set({ drop: 'after' });
    const marked = await mutate('routerBgpNeighborCreate', 'router1', {
      localAs: 65_001,
      address: '10.0.0.7',
      remoteAs: 65_007,
    });
    const plain = await mutate('routerStaticRouteCreate', 'router1', { destination: '10.7.0.0/16', discard: true });
    await router.faults.clear();
    expect([marked.operation?.state, plain.operation?.state]).toEqual(['UNKNOWN', 'UNKNOWN']);
    const settle = async (id: string | undefined) => {
      const text =
        'mutation ($input: RelayOperationSettleInput!) { root: relayOperationSettle(input: $input) { operation { state } } }';
      const { data } = await node.run<{ root: Payload }>(identity('OPERATOR'), text, { input: { id } });
      return data.root.operation?.state;
    };
    expect(await settle(marked.operation?.id)).toBe('SUCCEEDED');
    expect(await settle(plain.operation?.id)).toBe('UNKNOWN');
    await node.db.execute("UPDATE operation SET quiet_over = 1 WHERE state = 'UNKNOWN'");
    expect(await settle(plain.operation?.id)).toBe('SUCCEEDED');
    const applied = (await readDeviceLog(router.deviceLogPath)).filter(
      (entry) => entry.phase === 'received' && entry.kind === 'apply' && entry.stdin.includes('10.7.0.0/16'),
    );
    expect(applied).toHaveLength(1);
  });

  test('no table contains the password', async () => {
    expect(hunt({ password }, await dumpDatabase(system.database.connection))).toEqual([]);
  });
});
