// A new graph is adopted in one step while requests and subscriptions continue. An invalid graph changes nothing and gives the reason.
// needs: load
import { setTimeout as delay } from 'node:timers/promises';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { request } from 'undici';
import type { ReadGraph } from '../../../gateway/versions/graph-reload.ts';
import type { Subgraph } from '../../../platform/graph/subgraph.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { EventClient } from '../support/event-client.ts';
import { Collector, type Mode, modes, TestGateway, testIdentity } from '../support/gateway.ts';
import { PublishedWorld } from '../support/published-subgraph.ts';
import { betaSdl } from '../support/subgraphs.ts';

const gammaSdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Thing @key(fields: "id") { id: ID! rack: String }
  type Query { racks: [String!] }`;
const betaWithoutDiscount = betaSdl.replace(' discount(percent: Int!): Float', '');

function gammaOf(): Subgraph {
  const schema = buildSubgraphSchema([
    {
      typeDefs: parse(gammaSdl),
      resolvers: {
        Query: { racks: () => ['r1', 'r2'] },
        Thing: {
          __resolveReference: ({ id }: { id: string }) => ({ id }),
          rack: ({ id }: { id: string }) => `rack of ${id}`,
        },
      },
    },
  ]);
  return { name: 'gamma', schema };
}

let gateway: TestGateway;
let next: () => Partial<ReadGraph>;

async function start(mode: Mode, published = new PublishedWorld()): Promise<void> {
  gateway = new TestGateway(mode, published);
  gateway.authenticator.identities.set('token-root', { ...testIdentity('root', {}), admin: true });
  const readGraph = async () => ({ needRestart: [], ...gateway.graph(), ...next() });
  await gateway.start({ readGraph });
}

async function withGamma(): Promise<void> {
  const gamma = gammaOf();
  const location =
    gateway.mode === 'HTTP'
      ? { name: 'gamma', urls: [(await gateway.serve(gamma)).url] as const }
      : { subgraph: gamma };
  next = () => gateway.graph({ gamma: gammaSdl }, [location]);
}

async function reload(token = 'token-root', method: 'POST' | 'GET' = 'POST', body?: string) {
  const response = await request(`${gateway.gateway.url}/graphql/reload`, {
    method,
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
  return { status: response.statusCode, body: (await response.body.json()) as any };
}

beforeEach(() => {
  next = () => ({});
});
afterEach(() => gateway.stop());

describe.each(modes)('subgraphs %s', (mode) => {
  test('fields of a new subgraph exist after a reload, and not before', async () => {
    await start(mode);
    await withGamma();
    const query = '{ racks thing(id: "7") { name rack } }';
    expect((await gateway.query(query)).body.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    const { status, body } = await reload();
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { data: { changed: true, subgraphs: { added: ['gamma'], removed: [], moved: [] }, needRestart: [] } },
    });
    expect((await gateway.query(query)).body.data).toEqual({
      racks: ['r1', 'r2'],
      thing: { name: 'thing 7', rack: 'rack of 7' },
    });
    next = () => ({});
    expect((await reload()).body.data).toMatchObject({ subgraphs: { removed: ['gamma'] } });
    expect((await gateway.query(query)).body.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('a request ends on the graph on which it began', async () => {
    await start(mode);
    let release: () => void = () => {};
    gateway.world.beforePrice = () => new Promise((resolve) => (release = resolve));
    gateway.world.prices.set('7', 70);
    const before = gateway.query('{ thing(id: "7") { discount(percent: 10) price } }');
    await until(() => gateway.world.waiting === 1);
    next = () => gateway.graph({ beta: betaWithoutDiscount });
    expect((await reload()).body.data.changed).toBe(true);
    release();
    expect((await before).body.data).toEqual({ thing: { discount: 63, price: 70 } });
    const after = await gateway.query('{ thing(id: "7") { discount(percent: 10) } }');
    expect(after.body.errors[0].message).toContain('discount');
  });

  test('no request fails while the graph is replaced again and again', async () => {
    await start(mode);
    await withGamma();
    const withGammaThere = next;
    let isOver = false;
    const answers: unknown[] = [];
    const send = async (query: (count: number) => string) => {
      for (let count = 0; !isOver; count += 1) {
        const { status, body } = await gateway.query(query(count));
        if (status !== 200 || body.errors !== undefined) answers.push(body);
        await delay(2);
      }
    };
    const senders = [
      send(() => '{ thing(id: "1") { name price } }'),
      send((count) => `{ thing(id: "1") { name${count}: name } }`),
      send(() => 'mutation { thingCreate(name: "n") { id } }'),
    ];
    for (let round = 0; round < 3; round += 1) {
      next = round % 2 === 0 ? withGammaThere : () => ({});
      await until(async () => (await reload()).status === 200);
    }
    isOver = true;
    await Promise.all(senders);
    expect(answers).toEqual([]);
  });

  test('subscriptions continue without a gap, and one that does not fit ends with SCHEMA_CHANGED', async () => {
    await start(mode);
    gateway.world.prices.set('a', 1);
    const kept = new Collector(gateway.client(), 'subscription { thingChanges { cursor thing { id price } } }');
    const events = await EventClient.begun(gateway.gateway.url);
    const lost = new Collector(
      gateway.client(),
      'subscription { thingChanges { cursor thing { id discount(percent: 1) } } }',
    );
    await until(() => kept.items.length > 0 && lost.items.length > 0);
    let isOver = false;
    const made: string[] = [];
    const making = (async () => {
      for (let count = 0; !isOver; count += 1) {
        made.push(`t${count}`);
        gateway.world.log.append(`t${count}`);
        await delay(1);
      }
    })();
    next = () => gateway.graph({ beta: betaWithoutDiscount });
    expect((await reload()).body.data).toMatchObject({ changed: true, endedStreams: 1 });
    await until(() => lost.done);
    const at = made.length;
    await until(() => made.length > at + 20);
    isOver = true;
    await making;
    await until(() => kept.ids.length >= made.length && events.ids.length >= made.length);
    expect(kept.ids).toEqual(made);
    expect(events.ids).toEqual(made);
    expect(lost.error).toMatchObject([{ extensions: { code: 'SCHEMA_CHANGED' } }]);
    expect(lost.ids).toEqual(made.slice(0, lost.ids.length));
  });

  test('a new place is tested before anything changes', async () => {
    await start(mode);
    next = () => gateway.graph({ gamma: gammaSdl }, [{ name: 'gamma', urls: ['http://127.0.0.1:9'] }]);
    const { status, body } = await reload();
    expect(status).toBe(400);
    expect(body.errors[0]).toMatchObject({ extensions: { code: 'GRAPH_REFUSED' } });
    expect(body.errors[0].message).toContain("gamma can't be reached");
    expect((await gateway.query('{ thing(id: "1") { name } }')).body.data).toEqual({ thing: { name: 'thing 1' } });
  });
});

test('a graph that breaks a published operation is refused, and the error names the operation', async () => {
  const published = new PublishedWorld();
  const hash = published.add('query Old($id: ID!) { thing(id: $id) { discount(percent: 10) } }');
  const kept = published.add('query Kept($id: ID!) { thing(id: $id) { name } }');
  // An operation that was already broken does not count.
  published.add('query Broken { nothing }');
  await start('in-process', published);
  next = () => gateway.graph({ beta: betaWithoutDiscount });
  const { body } = await reload();
  expect(body.errors[0].extensions.code).toBe('GRAPH_REFUSED');
  expect(body.errors[0].message).toContain(`1 published operations: ${hash} (`);
  published.remove(hash);
  await until(async () => (await reload()).status === 200);
  const byHash = await gateway.post({ documentId: kept, variables: { id: '3' } });
  expect(byHash.body.data).toEqual({ thing: { name: 'thing 3' } });
});

test('invalid settings change nothing, and are reported', async () => {
  await start('in-process');
  next = () => {
    throw new Error('the configuration has a fault');
  };
  const { body } = await reload();
  expect(body.errors[0].message).toBe(
    'The new graph was not taken over, and the present one stays: the configuration has a fault',
  );
  next = () => ({ supergraphSdl: 'type Query { a: Int }' });
  expect((await reload()).body.errors[0].extensions.code).toBe('GRAPH_REFUSED');
  next = () => ({ needRestart: ['listen.port'] });
  expect((await reload()).body.data).toMatchObject({ changed: false, needRestart: ['listen.port'] });
});

test('only administrators can reload', async () => {
  await start('in-process');
  expect((await reload('')).status).toBe(401);
  expect((await reload('token-ann')).body.errors[0].extensions.code).toBe('FORBIDDEN');
  expect((await reload('token-root', 'GET')).status).toBe(405);
  expect((await reload('token-root', 'POST', '{}')).status).toBe(400);
});

test('there is one reload at a time, and none while the gateway drains', async () => {
  await start('in-process');
  const { reload: run } = gateway.gateway;
  if (run === undefined) throw new Error('the gateway has a graph to read');
  const [one, other] = await Promise.allSettled([run(), run()]);
  expect(one.status).toBe('fulfilled');
  expect(other).toMatchObject({ status: 'rejected', reason: { code: 'BUSY' } });
  await gateway.gateway.drain(1_000);
  await expect(run()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
