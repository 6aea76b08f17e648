// The number of SQL statements for a list with all its links does not depend on its number of rows.
import { beforeAll, expect, test } from '@jest/globals';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { planNames } from '../../../../../subgraphs/gslb/control/plans/planning.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { statementsOf } from '../../../../support/stores/count-statements.ts';
import { GslbGraph, identity, openRight, projectA } from '../../support/gslb-graph.ts';

const most = 12;
/** Links to one type are read together if they are ready in the same turn, which varies on a busy machine. */
const tries = 8;
const graph = forFile(() => GslbGraph.open());

beforeAll(async () => {
  const member = identity('MEMBER');
  const latitude = { latitude: 50, longitude: 8 };
  for (const name of ['eu', 'us']) await graph.make('gslbVantagePointCreate', { name, region: name, ...latitude });
  const flavorId = await graph.make('gslbFlavorCreate', { name: 'usual', vantagePointNames: ['eu', 'us'] });
  for (let number = 0; number < most; number += 1) {
    const zone = `z${number}.test`;
    const server = { servers: [`203.0.113.${number + 1}:53`], keyName: 'tidegate' };
    const keySecret = Buffer.alloc(32, 7).toString('base64');
    await graph.make('dnsBackendCreate', {
      ...{ name: `b${number}`, backendType: 'RFC2136', rfc2136: server, credentials: { keySecret } },
    });
    await graph.make('dnsZoneCreate', { name: zone, rights: [openRight(zone)] });
    const monitorId = await graph.make('gslbMonitorCreate', { name: `m${number}`, checkType: 'TCP' }, member);
    const pool = await graph.make('gslbPoolCreate', { name: `p${number}` }, member);
    const spare = await graph.make('gslbPoolCreate', { name: `s${number}` }, member);
    for (const name of ['one', 'two']) {
      const input = { poolId: pool, name, addresses: ['192.0.2.1'], servicePort: 80 };
      const id = await graph.make('gslbPoolMemberCreate', input, member);
      if (name === 'two') await graph.make('gslbPoolMonitorAttach', { monitorId, target: { memberId: id } }, member);
    }
    await graph.make('gslbPoolMonitorAttach', { monitorId, target: { poolId: pool } }, member);
    const shared = {
      flavorId,
      noneUp: 'POOL',
      fallbackPoolId: spare,
      policy: 'GEO',
      clientBlocks: [{ cidr: '192.0.2.0/24', region: 'eu' }],
    };
    await graph.make('gslbCreate', { fqdn: `www.${zone}`, poolIds: [pool], ...shared }, member);
  }
  // Plans that depend on client blocks.
  const names = await graph.db.query<{ id: string }>('SELECT id FROM gslb');
  await graph.db.transaction((tx) =>
    planNames(
      tx,
      { wake: graph.wake },
      names.map(({ id }) => id),
    ),
  );
});

const gslb = 'gslbs(first: 20) { nodes { fqdn } }';
const lists = {
  gslbPools: `members(first: 5) { nodes { name monitors { name } votes { vantagePoint { name } } } } monitors { name } ${gslb} project { id }`,
  gslbs: `pools { members { nodes { name } } monitors { name } } fallbackPool { name } flavor { name vantagePoints { name } backend { name } }
    dnsZone { name } history { nodes { id } } sharedWithProjects { id } project { id } answer { outcome }`,
  gslbMonitors: `attachedPools { nodes { name } } poolMembers { nodes { name pool { name } } }`,
  dnsZones: `${gslb} ds keys { keyTag } backend { name } rights { project { id } }`,
  dnsBackends: 'servers { place serverState } zones { nodes { name } }',
};

test.each(Object.entries(lists))('%s: many rows take as many statements as few', async (list, links) => {
  const admin = identity('ADMIN');
  const cost = async (first: number) => {
    const text = `{ ${list}(first: ${first}) { nodes { id ${links} } } }`;
    const [statements, data] = await statementsOf(() => graph.ask<Record<string, { nodes: unknown[] }>>(admin, text));
    expect(data[list]?.nodes).toHaveLength(first);
    expect(statements).not.toEqual([]);
    return statements.length;
  };
  const leastOf = async (first: number) => {
    const costs: number[] = [];
    for (let left = tries; left > 0; left -= 1) costs.push(await cost(first));
    return Math.min(...costs);
  };
  const few = await leastOf(3);
  expect(Math.abs((await leastOf(most)) - few)).toBeLessThanOrEqual(2);
  expect(few).toBeLessThanOrEqual(25);
});

test('the quotas of many projects take as many statements as those of one', async () => {
  const text = `query ($projects: [_Any!]!) { _entities(representations: $projects) { ... on Project {
    gslbQuotas { kind limit used } } } }`;
  const others = Array.from({ length: 100 }, () => newUuid());
  const cost = async (ids: readonly string[], who = identity('ADMIN')) => {
    const projects = ids.map((id) => ({ __typename: 'Project', id: encodeId('Project', id) }));
    const [statements, data] = await statementsOf(() =>
      graph.ask<{ _entities: { gslbQuotas: { kind: string; used: number }[] | null }[] }>(who, text, { projects }),
    );
    return [statements.length, data._entities.map(({ gslbQuotas }) => gslbQuotas)] as const;
  };
  const [ofTen, [quotas]] = await cost([projectA, ...others.slice(0, 9)]);
  const [ofAll, found] = await cost([projectA, ...others]);
  expect(ofTen).toBeGreaterThan(0);
  expect(ofAll).toBe(ofTen);
  expect(quotas?.map(({ kind, used }) => [kind, used])).toEqual([
    ...[
      ['NAMES', most],
      ['POOLS', 2 * most],
    ],
    ...[
      ['MEMBERS', 2 * most],
      ['MONITORS', most],
    ],
  ]);
  expect(found).toHaveLength(101);
  // Another tenant's project shows nothing.
  const [, [hidden]] = await cost([others[0] ?? ''], identity('MEMBER'));
  expect(hidden).toBeNull();
});

test('the pages of many parents equal those of each parent alone', async () => {
  const admin = identity('ADMIN');
  interface Pool {
    readonly id: string;
    readonly members: { readonly nodes: readonly object[]; readonly pageInfo: { readonly endCursor: string } };
  }
  const members = 'members(first: 1) { nodes { name } pageInfo { hasNextPage endCursor } }';
  const { gslbPools } = await graph.ask<{ gslbPools: { nodes: Pool[] } }>(
    admin,
    `{ gslbPools(first: ${2 * most}) { nodes { id ${members} } } }`,
  );
  for (const pool of gslbPools.nodes.slice(0, 4)) {
    const query = `query ($id: ID!) { gslbPool(id: $id) { id ${members} } }`;
    expect((await graph.ask<{ gslbPool: Pool }>(admin, query, { id: pool.id })).gslbPool).toMatchObject({
      members: { nodes: pool.members.nodes },
    });
    const next = `query ($id: ID!, $after: String) { gslbPool(id: $id) { members(first: 1, after: $after) { nodes { name } } } }`;
    const after = pool.members.pageInfo.endCursor;
    const { gslbPool } = await graph.ask<{ gslbPool: Pool }>(admin, next, { id: pool.id, after });
    if (pool.members.nodes.length > 0) expect(gslbPool.members.nodes).toEqual([{ name: 'two' }]);
  }
});
