// Members that are Tidegate load balancers, with the load balancer subgraph in the graph. Their status is the verdict,
// their addresses are followed, and objects of another project look nonexistent.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '../../../../platform/database/database.ts';
import { decodeUuid, newUuid } from '../../../../platform/values/ids.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { ask as askAt } from '../../../support/product/mounted-graph.ts';
import { type RunningSystem, runningSystem } from '../../../support/product/running-system.ts';

let system: RunningSystem;
let db: Database;
let poolId: string;

beforeAll(async () => {
  system = await runningSystem({ settings: { roles: 'gateway,system,loadbalancer,gslb' } });
  db = new Database({ connection: system.database.connection, connectionLimit: 2 });
  poolId = await make('gslbPoolCreate', 'gslbPool', { name: 'balancers', failback: { mode: 'IMMEDIATE' } });
  const monitor = { name: 'status', checkType: 'LOADBALANCER', intervalMs: 500, timeoutMs: 500, fall: 1, rise: 1 };
  const monitorId = await make('gslbMonitorCreate', 'gslbMonitor', monitor);
  await make('gslbPoolMonitorAttach', 'gslbMonitor', { monitorId, target: { poolId } });
});
afterAll(async () => {
  await db?.close();
  await system?.stop();
});

function ask<Data>(query: string, variables: object = {}): Promise<Data> {
  return askAt<Data>({ url: system.url.replace(/\/graphql$/, ''), token: system.token }, query, variables);
}

async function make(mutation: string, field: string, input: object): Promise<string> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { made: ${mutation}(input: $input) { ${field} { id } userErrors { code message field } } }`;
  const { made } = await ask<{ made: Record<string, { id: string } | null> & { userErrors: unknown } }>(query, {
    input,
  });
  expect(made.userErrors).toEqual([]);
  return made[field]?.id ?? '';
}

/** Creates a load balancer with a node that serves at the address. */
async function balancer(name: string, address: string): Promise<{ readonly id: string; readonly nodeId: string }> {
  const id = await make('loadBalancerCreate', 'loadBalancer', {
    name,
    // No health monitor, because nothing here would run it.
    pools: [{ name: 'web', memberProtocol: 'HTTP', members: [{ host: '192.0.2.100', port: 80 }] }],
    listeners: [{ protocol: 'HTTP', port: 80, defaultPool: 'web' }],
  });
  const uuid = decodeUuid('LoadBalancer', id) ?? '';
  const nodeId = newUuid();
  await db.execute(
    `INSERT INTO lb_node (id, project_id, load_balancer_id, name, state, operating_status, address, connections, threads, in_dns_at)
    SELECT ?, project_id, id, ?, 'SERVING', 'ONLINE', ?, 1000, 1, NOW(3) FROM lb_load_balancer WHERE id = ?`,
    [nodeId, `node-${name}`, address, uuid],
  );
  return { id, nodeId };
}

interface Shown {
  readonly addresses: readonly string[];
  readonly verdict: string | null;
  readonly undecidedAt: string | null;
  readonly operatingStatus: string | null;
}

async function shown(id: string): Promise<Shown> {
  const query = 'query ($id: ID!) { gslbPoolMember(id: $id) { addresses verdict undecidedAt operatingStatus } }';
  return (await ask<{ gslbPoolMember: Shown }>(query, { id })).gslbPoolMember;
}

function becomes(id: string, wanted: Partial<Shown>): Promise<unknown> {
  return waitFor(JSON.stringify(wanted), async () => {
    const now = await shown(id);
    return Object.entries(wanted).every(
      ([name, value]) => JSON.stringify(now[name as keyof Shown]) === JSON.stringify(value),
    );
  });
}

test('its status is the verdict, and its addresses are followed', async () => {
  const { id, nodeId } = await balancer('one', '192.0.2.10');
  const input = { poolId, name: 'one', memberType: 'LOADBALANCER', loadBalancerId: id };
  const member = await make('gslbPoolMemberCreate', 'gslbPoolMember', input);
  await becomes(member, { verdict: 'UP', addresses: ['192.0.2.10'], operatingStatus: 'ONLINE' });

  await db.execute("UPDATE lb_node SET address = '192.0.2.11' WHERE id = ?", [nodeId]);
  await becomes(member, { addresses: ['192.0.2.11'] });
  // A user's change keeps the followed addresses.
  await make('gslbPoolMemberUpdate', 'gslbPoolMember', { id: member, weight: 7 });
  expect(await shown(member)).toMatchObject({ addresses: ['192.0.2.11'], verdict: 'UP' });

  await db.execute("UPDATE lb_node SET operating_status = 'ERROR' WHERE id = ?", [nodeId]);
  await becomes(member, { verdict: 'DOWN', operatingStatus: 'OFFLINE' });
  await db.execute("UPDATE lb_node SET operating_status = 'ONLINE' WHERE id = ?", [nodeId]);
  await becomes(member, { verdict: 'UP', operatingStatus: 'ONLINE' });
  const { gslbHistory } = await ask<{
    gslbHistory: { nodes: { reason: string; ballots: { vantagePointName: string }[] }[] };
  }>('query ($memberId: ID!) { gslbHistory(memberId: $memberId) { nodes { reason ballots { vantagePointName } } } }', {
    memberId: member,
  });
  expect(
    gslbHistory.nodes.map(({ ballots }) => ballots.map(({ vantagePointName }) => vantagePointName)),
  ).toContainEqual(['the graph']);
});

test('objects of another project look nonexistent', async () => {
  const { id } = await balancer('theirs', '192.0.2.20');
  const input = { poolId, name: 'theirs', memberType: 'LOADBALANCER', loadBalancerId: id };
  const member = await make('gslbPoolMemberCreate', 'gslbPoolMember', input);
  await becomes(member, { verdict: 'UP', addresses: ['192.0.2.20'] });
  await db.execute('UPDATE lb_load_balancer SET project_id = ? WHERE id = ?', [
    newUuid(),
    decodeUuid('LoadBalancer', id) ?? '',
  ]);
  await becomes(member, { verdict: 'DOWN', addresses: [] });
});
