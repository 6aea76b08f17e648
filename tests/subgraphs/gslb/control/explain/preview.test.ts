// The DNS answers that a change would cause. They match the answers after the real change, and the preview leaves
// nothing behind.
import { beforeAll, expect, test } from '@jest/globals';
import { planNames } from '../../../../../subgraphs/gslb/control/plans/planning.ts';
import { lockMembers } from '../../../../../subgraphs/gslb/control/stores/standing-store.ts';
import { evaluateMembers } from '../../../../../subgraphs/gslb/control/verdicts/evaluate-members.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, type Input, identity, makeWorld, projectB, type World } from '../../support/gslb-graph.ts';

interface Shown {
  readonly outcome: string;
  readonly records: readonly { readonly data: string; readonly ttlSeconds: number }[];
}
interface Preview {
  readonly total: number;
  readonly names: readonly { readonly fqdn: string; readonly before: Shown | null; readonly after: Shown | null }[];
  readonly userErrors: readonly { readonly code: string; readonly field: readonly string[] }[];
}

const owner = identity('MEMBER');
const graph = forFile(() => GslbGraph.open());
let world: World;

beforeAll(async () => {
  world = await makeWorld(graph);
  // Without a monitor a member is up at once.
  await graph.make('gslbPoolMonitorDetach', { monitorId: world.monitor, target: { poolId: world.pool } });
  await settle();
});

const answer = '{ outcome records { data ttlSeconds } }';

async function preview(change: Input, who: Parameters<typeof graph.ask>[0] = owner): Promise<Preview> {
  const query = `query ($change: GslbChangeInput!) { seen: gslbPreview(change: $change) {
    total names { fqdn before ${answer} after ${answer} } userErrors { code field } } }`;
  return (await graph.ask<{ seen: Preview }>(who, query, { change })).seen;
}

/** Does the owed work, as workers do after a commit. */
async function settle(): Promise<void> {
  const { db, wake, egress } = graph;
  const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
  const members = ids(await db.query<{ id: string }>('SELECT id FROM gslb_pool_member ORDER BY id'));
  const names = ids(await db.query<{ id: string }>('SELECT id FROM gslb ORDER BY id'));
  const dependencies = { wake, egress, silenceMs: 600_000, heartbeatMs: 500, freshMs: 600_000 };
  await db.transaction(async (tx) => evaluateMembers(tx, dependencies, await lockMembers(tx, members)));
  await db.transaction((tx) => planNames(tx, { wake }, names));
}

async function answerNow(fqdn: string): Promise<Shown | null> {
  const query = `query ($fqdn: String) { one: gslb(fqdn: $fqdn) { answer ${answer} } }`;
  return (await graph.ask<{ one: { answer: Shown | null } | null }>(owner, query, { fqdn })).one?.answer ?? null;
}

const data = (shown: Shown | null | undefined) => shown?.records.map((record) => record.data).sort();

test('adding, re-addressing and deleting a member each preview the later answer', async () => {
  const before = await answerNow('shop.gslb.test');
  const input = { poolId: world.pool, name: 'spare', addresses: ['203.0.113.9'] };
  const everything = await graph.everything();
  const added = await preview({ gslbPoolMemberCreate: input });
  expect(await graph.everything()).toEqual(everything);
  expect(added).toMatchObject({ total: 1, userErrors: [], names: [{ fqdn: 'shop.gslb.test', before }] });
  expect(data(added.names[0]?.after)).toContain('203.0.113.9');
  const id = await graph.make('gslbPoolMemberCreate', input);
  await settle();
  expect(await answerNow('shop.gslb.test')).toEqual(added.names[0]?.after);

  const moved = await preview({ gslbPoolMemberUpdate: { id, addresses: ['203.0.113.10'] } });
  expect(data(moved.names[0]?.before)).toContain('203.0.113.9');
  expect(data(moved.names[0]?.after)).toContain('203.0.113.10');
  await graph.make('gslbPoolMemberUpdate', { id, addresses: ['203.0.113.10'] });
  await settle();
  expect(await answerNow('shop.gslb.test')).toEqual(moved.names[0]?.after);

  const gone = await preview({ gslbPoolMemberDelete: { id } });
  expect(data(gone.names[0]?.after)).not.toContain('203.0.113.10');
  await graph.make('gslbPoolMemberDelete', { id });
  await settle();
  expect(await answerNow('shop.gslb.test')).toEqual(gone.names[0]?.after);
});

test('a name that is created, changed and deleted', async () => {
  const input = { fqdn: 'new.gslb.test', flavorId: world.flavor, poolIds: [world.pool], ttlSeconds: 60 };
  const made = await preview({ gslbCreate: input });
  expect(made).toMatchObject({ total: 1, names: [{ fqdn: 'new.gslb.test', before: null }] });
  const id = await graph.make('gslbCreate', input);
  await settle();
  expect(await answerNow('new.gslb.test')).toEqual(made.names[0]?.after);
  const changed = await preview({ gslbUpdate: { id, ttlSeconds: 90 } });
  expect(changed.names[0]?.before?.records[0]?.ttlSeconds).toBe(60);
  expect(changed.names[0]?.after?.records[0]?.ttlSeconds).toBe(90);
  const deleted = await preview({ gslbDelete: { id } });
  expect(deleted.names).toMatchObject([{ fqdn: 'new.gslb.test', after: null }]);
  expect(data(deleted.names[0]?.before)).toEqual(data(made.names[0]?.after));
});

test('a client of a block that only the change has', async () => {
  const far = { poolId: world.pool, name: 'far', addresses: ['203.0.113.20'], memberRegion: 'us' };
  const id = await graph.make('gslbPoolMemberCreate', far);
  await graph.make('gslbPoolMemberUpdate', { id: world.member, memberRegion: 'eu' });
  await settle();
  const change = {
    gslbCreate: {
      ...{ fqdn: 'near.gslb.test', flavorId: world.flavor, poolIds: [world.pool], policy: 'GEO' },
      ...{ policyOptions: { geoBy: ['CIDR'] }, clientBlocks: [{ cidr: '198.51.100.0/24', region: 'us' }] },
    },
  };
  const query = `query ($change: GslbChangeInput!) { seen: gslbPreview(change: $change) {
    names { after(client: "198.51.100.7") ${answer} } userErrors { code field } } }`;
  const { seen } = await graph.ask<{ seen: Preview }>(owner, query, { change });
  expect(seen.userErrors).toEqual([]);
  expect(data(seen.names[0]?.after)).toEqual(['203.0.113.20']);
  await graph.make('gslbPoolMemberDelete', { id });
  await settle();
});

test('the client blocks of other names in the zone are not read', async () => {
  const far = { poolId: world.pool, name: 'far', addresses: ['203.0.113.20'], memberRegion: 'us' };
  const id = await graph.make('gslbPoolMemberCreate', far);
  const geo = (fqdn: string) => ({
    ...{ fqdn, flavorId: world.flavor, poolIds: [world.pool], policy: 'GEO', policyOptions: { geoBy: ['CIDR'] } },
    clientBlocks: [{ cidr: '198.51.100.0/24', region: 'us' }],
  });
  const [near, other] = [
    await graph.make('gslbCreate', geo('near.gslb.test')),
    await graph.make('gslbCreate', geo('other.gslb.test')),
  ];
  await settle();
  // Reading this row fails.
  await graph.db.execute(
    "UPDATE gslb SET spec = JSON_SET(spec, '$.clientBlocks[0].cidr', 'unreadable') WHERE fqdn = 'other.gslb.test'",
  );
  const query = `query ($fqdn: String!) {
    one: gslb(fqdn: $fqdn) { answer(client: "198.51.100.7") ${answer} }
    explained: gslbExplain(name: $fqdn, client: "198.51.100.7") { answer ${answer} } }`;
  const { one, explained } = await graph.ask<Record<'one' | 'explained', { answer: Shown | null } | null>>(
    owner,
    query,
    {
      fqdn: 'near.gslb.test',
    },
  );
  expect(data(one?.answer)).toEqual(['203.0.113.20']);
  expect(data(explained?.answer)).toEqual(['203.0.113.20']);
  await graph.db.execute(
    "UPDATE gslb SET spec = JSON_SET(spec, '$.clientBlocks', JSON_ARRAY()) WHERE fqdn = 'other.gslb.test'",
  );
  for (const name of [near, other]) await graph.make('gslbDelete', { id: name });
  await graph.make('gslbPoolMemberDelete', { id });
  await settle();
});

test('a change that would be refused says why, at its fields', async () => {
  const taken = await preview({
    gslbCreate: { fqdn: 'shop.gslb.test', flavorId: world.flavor, poolIds: [world.pool] },
  });
  expect(taken).toMatchObject({
    names: [],
    userErrors: [{ code: 'NAME_TAKEN', field: ['change', 'gslbCreate', 'fqdn'] }],
  });
  const wrong = await preview({ gslbPoolMemberUpdate: { id: world.member, addresses: ['300.1.1.1'] } });
  expect(wrong.userErrors[0]?.field.slice(0, 3)).toEqual(['change', 'gslbPoolMemberUpdate', 'addresses']);
  const viewer = await preview({ gslbPoolMemberDelete: { id: world.member } }, identity('VIEWER'));
  expect(viewer).toMatchObject({ names: [], total: 0, userErrors: [{ code: 'FORBIDDEN' }] });
  const stranger = await preview({ gslbPoolMemberDelete: { id: world.member } }, identity('OPERATOR', projectB));
  expect(stranger).toMatchObject({ names: [], total: 0, userErrors: [{ code: 'NOT_FOUND' }] });
});
