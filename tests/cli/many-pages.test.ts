// Connections of many objects are read in few requests, each within the gateway's limits.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { readExisting } from '../../cli/apply/existing.ts';
import { GraphClient } from '../../cli/graph-client.ts';
import { kindOf, listChildrenOfMany } from '../../cli/kinds/find-object.ts';
import { readManyPages } from '../../cli/many-pages.ts';
import { DocumentChecks } from '../../gateway/access/document-checks.ts';
import { defaultLimits } from '../../gateway/access/limits.ts';
import { Supergraph } from '../../gateway/supergraph/supergraph.ts';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import { GraphServer, goodToken, pageOf } from './commands/graph-server.ts';

let server: GraphServer;
let client: GraphClient;
beforeAll(async () => {
  server = await GraphServer.start();
  client = new GraphClient({
    ...{ url: new URL(server.url), signal: new AbortController().signal },
    credential: { token: async () => goodToken, inPlaceOf: async () => undefined, close: async () => undefined },
  });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

type Page = { first: number; after: string | null };

const member = (pool: string, at: number) => ({
  ...{
    __typename: 'PoolMember',
    id: `${pool}-${at}`,
    version: 1,
    name: '',
    host: `192.0.2.${at % 250}`,
    port: 80 + at,
  },
  ...{ weight: 1, backup: false, monitorHost: null, monitorPort: null, enabled: true, tags: [] },
});
const membersOf = (pool: string, count: number) => Array.from({ length: count }, (_, at) => member(pool, at));

beforeEach(() => {
  server.requests.length = 0;
});

/** Pools whose id gives the number of their members: P3-250 has 250. */
const node = ({ id }: { readonly id: string }) =>
  id === 'gone'
    ? null
    : { __typename: 'Pool', id, members: (args: Page) => pageOf(membersOf(id, Number(id.split('-')[1])), args) };

test('members of 60 pools are read in 3 requests instead of 60', async () => {
  const pools = Array.from({ length: 60 }, (_, at) => ({ id: `P${at}-2`, version: 1, name: `p${at}`, tags: [] }));
  const plain = {
    ...{
      version: 1,
      description: '',
      memberProtocol: 'HTTP',
      algorithm: 'ROUND_ROBIN',
      proxyProtocol: 'NONE',
      failOpenBelowPercent: 0,
    },
    ...{ tls: false, tlsVersions: [], authorities: null, persistence: null, clientCertificate: null, tags: [] },
    ...{ ejectAfterErrors: 0, slowStartMs: 0, drainMs: 0, enabled: true, healthMonitor: null },
  };
  const balancer = {
    ...{
      id: 'LB',
      version: 1,
      generation: 1,
      name: 'web',
      description: '',
      tags: [],
      enabled: true,
      deletionProtected: false,
      minNodes: 1,
    },
    ...{ topology: 'SPREAD', maxNodes: 1, provisioningStatus: 'ACTIVE', nodeSize: { connections: 1, threads: 1 } },
    ...{
      cmpObject: null,
      subnet: null,
      autoscaling: null,
      listeners: [],
      pools: pools.map((each) => ({ ...plain, ...each })),
    },
  };
  server.answers = { node, loadBalancers: (args: Page) => pageOf([balancer], { ...args, names: null }) };
  const { balancers } = await readExisting(client, undefined, {
    balancers: ['web'],
    certificates: false,
    subnets: false,
  });
  expect(balancers[0]?.pools.map(({ id, members }) => [id, members.map((each) => each.id)])).toEqual(
    pools.map(({ id }) => [id, [`${id}-0`, `${id}-1`]]),
  );
  expect(
    server.requests.map((variables) => Object.keys(variables).filter((name) => name.startsWith('id')).length),
  ).toEqual([0, 20, 20, 20]);
});

test('pages continue for connections that have more items, up to the last', async () => {
  server.answers = { node };
  const ids = ['A-1', 'B-250', 'gone', 'C-0', 'D-120'];
  const many = { of: 'Pool', field: 'members', selection: 'id version name host port weight enabled tags' };
  const found = await readManyPages<{ readonly id: string }>(client, ids, many);
  expect([...found].map(([id, nodes]) => [id, nodes.length])).toEqual([
    ...[
      ['A-1', 1],
      ['B-250', 250],
      ['gone', 0],
      ['C-0', 0],
      ['D-120', 120],
    ],
  ]);
  expect(new Set(found.get('B-250')?.map(({ id }) => id)).size).toBe(250);
  expect(server.requests).toHaveLength(3);
  expect(server.requests.at(-1)).toMatchObject({ id0: 'B-250', after0: '200' });
});

test('each request stays within the limits of the gateway', async () => {
  const checks = new DocumentChecks(new Supergraph(readSupergraph()), defaultLimits);
  const costs: number[] = [];
  const judging = {
    async query(document: { toString(): string }, variables: Record<string, unknown>) {
      const query = String(document);
      checks.size(query, 'user');
      checks.validate(query);
      costs.push(checks.check(parse(query), { variables }, 'user').cost);
      return Object.fromEntries(Object.keys(variables).map((name) => [name, null]));
    },
  } as unknown as GraphClient;
  const ids = Array.from({ length: 100 }, (_, at) => `i${at}`);
  for (const kind of ['PoolMember', 'GslbPoolMember', 'Membership']) {
    costs.length = 0;
    await listChildrenOfMany(judging, kindOf(kind), ids);
    expect(costs.length).toBeGreaterThan(4);
    expect(costs.length).toBeLessThan(10);
  }
  const aliased = Array.from({ length: 9 }, (_, at) => `a${at}: name`).join(' ');
  await readManyPages(judging, ids, { of: 'Pool', field: 'members', selection: aliased });
});
