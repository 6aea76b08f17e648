// The explanation of an answer in the graph, with real name servers. It matches their answers.
import { beforeAll, expect, test } from '@jest/globals';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { identity, type World } from '../../support/gslb-graph.ts';
import { ServedGraph } from '../../support/served-graph.ts';

interface Answer {
  readonly outcome: string;
  readonly records: readonly { readonly type: string; readonly data: string; readonly ttlSeconds: number }[];
  readonly scopeBits: number | null;
}

interface Explanation {
  readonly gslb: { readonly fqdn: string };
  readonly askedAt: string | null;
  readonly generation: number;
  readonly clientRegion: string | null;
  readonly answer: Answer;
  readonly steps: readonly {
    readonly step: string;
    readonly kept: readonly { readonly member: { readonly name: string } | null }[];
    readonly left: readonly { readonly member: { readonly name: string } | null; readonly reason: string }[];
  }[];
  readonly servers: readonly {
    readonly name: string;
    readonly address: string | null;
    readonly behind: number;
    readonly planned: Answer | null;
    readonly answered: Answer | null;
    readonly message: string | null;
  }[];
}

const who = identity('VIEWER');
const selection = `gslb { fqdn } askedAt generation clientRegion answer { ...answer } steps { step kept { member { name } } left { member { name } reason } }
  servers { name address behind planned { ...answer } answered { ...answer } message }`;
const fragment = 'fragment answer on GslbAnswer { outcome records { type data ttlSeconds } scopeBits }';

const served = forFile(() => ServedGraph.open());
let world: World;

beforeAll(async () => {
  const { graph } = served;
  world = served.world;
  const far = { name: 'two', poolId: world.pool, addresses: ['203.0.113.8', '2001:db8::8'], memberRegion: 'us' };
  await graph.make('gslbPoolMemberCreate', far);
  await graph.make('gslbPoolMemberUpdate', { id: world.member, memberRegion: 'eu' });
  const policy = {
    policy: 'GEO',
    policyOptions: { geoBy: ['CIDR'] },
    clientBlocks: [
      { cidr: '198.51.100.0/24', region: 'eu' },
      { cidr: '192.0.2.0/25', region: 'us' },
    ],
  };
  await graph.make('gslbUpdate', { id: world.gslb, ...policy });
  await graph.make('gslbCreate', { fqdn: '*.b.gslb.test', flavorId: world.flavor, poolIds: [world.pool] });
  await graph.make('gslbCreate', { fqdn: 'a.c.b.gslb.test', flavorId: world.flavor, poolIds: [world.pool] });
  await served.plan();
});

async function explain(args: Record<string, string>): Promise<Explanation | null> {
  const text = Object.entries(args).map(
    ([name, value]) => `${name}: ${name === 'type' ? value : JSON.stringify(value)}`,
  );
  const query = `query { one: gslbExplain(${text.join(', ')}) { ${selection} } } ${fragment}`;
  return (await served.graph.ask<{ one: Explanation | null }>(who, query)).one;
}

const data = (answer: Answer | null | undefined) => answer?.records.map((record) => record.data).sort();

test('a client by its region: the excluded members are listed, and every server answers the same', async () => {
  const [one, two] = [await served.serve('ns1'), await served.serve('ns2')];
  const everyOne = (found: Explanation | null) =>
    found?.servers.length === 2 &&
    found.servers.every(({ planned, answered }) => planned !== null && answered?.outcome === 'RECORDS');
  for (const [client, region, left, address] of [
    ['198.51.100.7', 'eu', 'two', '203.0.113.7'],
    ['192.0.2.0/25', 'us', 'one', '203.0.113.8'],
  ] as const) {
    const found = await waitFor(`the answers for ${client}`, async () => {
      const read = await explain({ name: 'Shop.gslb.test.', client });
      return everyOne(read) && read;
    });
    expect(found).toMatchObject({ gslb: { fqdn: 'shop.gslb.test' }, askedAt: null, clientRegion: region });
    expect(data(found?.answer)).toEqual([address]);
    const geo = found?.steps.find(({ step }) => step === 'GEO');
    expect(geo?.left.map(({ member }) => member?.name)).toEqual([left]);
    expect(geo?.left[0]?.reason).toBeTruthy();
    for (const { behind, planned, answered, message } of found?.servers ?? []) {
      expect([behind, message]).toEqual([0, null]);
      expect(planned).toEqual(found?.answer);
      expect(answered).toEqual(found?.answer);
    }
  }
  // A server that stopped answering is reported, and does not delay the others.
  await two.stop();
  const found = await explain({ name: 'shop.gslb.test', client: '198.51.100.7', type: 'AAAA' });
  const [first, second] = found?.servers ?? [];
  expect(found?.answer.outcome).toBe('RECORDS');
  expect(data(first?.answered)).toEqual(['2001:db8::8']);
  expect(first).toMatchObject({ name: one.name, message: null });
  expect(second).toMatchObject({ name: two.name, answered: null, message: expect.stringContaining('ECONNREFUSED') });
});

test('a name shows its answer for a client without a query', async () => {
  const query = `query ($id: ID!) { gslb(id: $id) { eu: answer(client: "198.51.100.7") { ...answer } us: answer(client: "192.0.2.0/25") { ...answer }
    ipv6: answer(type: AAAA) { ...answer } } } ${fragment}`;
  const { gslb } = await served.graph.ask<{ gslb: Record<string, Answer> }>(who, query, { id: world.gslb });
  expect([data(gslb.eu), data(gslb.us), data(gslb.ipv6)]).toEqual([['203.0.113.7'], ['203.0.113.8'], ['2001:db8::8']]);
  expect([gslb.eu?.scopeBits, gslb.us?.scopeBits]).toEqual([24, 25]);
});

test('a wildcard answers names below it, but not below an existing name', async () => {
  expect((await explain({ name: 'x.b.gslb.test' }))?.gslb.fqdn).toBe('*.b.gslb.test');
  expect((await explain({ name: 'y.x.b.gslb.test' }))?.gslb.fqdn).toBe('*.b.gslb.test');
  for (const name of ['c.b.gslb.test', 'x.c.b.gslb.test', 'b.gslb.test', 'gslb.test'])
    expect(await explain({ name })).toBeNull();
});

test('a past moment is explained by the plan of that time', async () => {
  const { graph } = served;
  const [{ now } = { now: new Date() }] = await graph.db.query<{ now: Date }>('SELECT NOW(3) AS now');
  const question = { name: 'shop.gslb.test', client: '198.51.100.7' };
  const before = await explain(question);
  await waitFor('another moment', async () => {
    const sql = 'SELECT NOW(3) > ? AS later';
    return (await graph.db.query<{ later: number }>(sql, [now]))[0]?.later === 1;
  });
  await graph.make('gslbPoolMemberUpdate', { id: world.member, addresses: ['203.0.113.9'] });
  await served.plan();
  expect(data((await explain(question))?.answer)).toEqual(['203.0.113.9']);
  const then = await explain({ ...question, at: now.toISOString() });
  expect(then).toMatchObject({ askedAt: now.toISOString(), generation: before?.generation, servers: [] });
  expect(data(then?.answer)).toEqual(['203.0.113.7']);
  expect(await explain({ ...question, at: '2001-01-01T00:00:00Z' })).toBeNull();
});

test.each([
  ['a name that is none', { name: 'a..gslb.test' }],
  ['a name that is too long', { name: `${'a.'.repeat(130)}test` }],
  ['another script', { name: 'é.gslb.test' }],
  ['a moment to come', { name: 'shop.gslb.test', at: '2999-01-01T00:00:00Z' }],
])('%s is refused', async (_, args) => {
  await expect(explain(args)).rejects.toThrow('INVALID_INPUT');
});

test('a member of another pool is listed with the name of the answered pool', async () => {
  const { graph } = served;
  const poolId = await graph.make('gslbPoolCreate', { name: 'spare' });
  await graph.make('gslbPoolMemberCreate', { poolId, name: 'far', addresses: ['203.0.113.77'] });
  const fqdn = 'pools.gslb.test';
  await graph.make('gslbCreate', { fqdn, flavorId: world.flavor, poolIds: [world.pool, poolId] });
  for (const id of [world.member, ...(await membersOf(poolId))])
    await graph.make('gslbPoolMemberAdminStateSet', { id, state: 'FORCED_UP' });
  await served.plan();
  const found = await explain({ name: fqdn });
  const left = found?.steps.find(({ step }) => step === 'POOLS')?.left;
  expect(left).toEqual([{ member: { name: 'far' }, reason: 'the pool web is answered, and it is in another' }]);
});

async function membersOf(id: string): Promise<readonly string[]> {
  const query = 'query ($id: ID!) { gslbPool(id: $id) { members { nodes { id } } } }';
  const { gslbPool } = await served.graph.ask<{ gslbPool: { members: { nodes: { id: string }[] } } }>(who, query, {
    id,
  });
  return gslbPool.members.nodes.map((member) => member.id);
}

test('a deleted name is explained for a moment when it existed, and so is the wildcard that it hid', async () => {
  const { graph } = served;
  const moment = async () => {
    const [{ now } = { now: new Date() }] = await graph.db.query<{ now: Date }>('SELECT NOW(3) AS now');
    await waitFor('a later moment', async () => {
      const rows = await graph.db.query<{ later: number }>('SELECT NOW(3) > ? AS later', [now]);
      return rows[0]?.later === 1;
    });
    return now.toISOString();
  };
  const name = 'gone.b.gslb.test';
  const id = await graph.make('gslbCreate', { fqdn: name, flavorId: world.flavor, poolIds: [world.pool] });
  await served.plan();
  const there = await moment();
  await graph.make('gslbDelete', { id });
  await graph.db.execute(
    "UPDATE gslb SET live_fqdn = NULL, plan = NULL, deleted_at = NOW(3), provisioning_status = 'DELETED' WHERE fqdn = ?",
    [name],
  );
  await moment();
  expect((await explain({ name }))?.gslb.fqdn).toBe('*.b.gslb.test');
  const then = await explain({ name, at: there });
  expect(then).toMatchObject({ gslb: { fqdn: name }, askedAt: there });
  expect(data(then?.answer)?.length).toBeGreaterThan(0);
});
