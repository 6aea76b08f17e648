// The gateway follows the published operations of the system subgraph: before it is ready, during changes, and while the subgraph is lost.
// needs: load
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { PublishedOperations } from '../../../gateway/access/published-operations.ts';
import { PublishedReader } from '../../../gateway/access/published-reader.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { TestGateway } from '../support/gateway.ts';
import { PublishedWorld, sha256 } from '../support/published-subgraph.ts';

const text = 'query Thing($id: ID!) { thing(id: $id) { name } }';
const changeText = 'mutation Make { thingCreate(name: "x") { id } }';
const hash = sha256(text);
const named = { data: { thing: { name: 'thing 7' } } };
const variables = { id: '7' };

let gateway: TestGateway;
let published: PublishedWorld;

beforeEach(() => {
  published = new PublishedWorld();
  for (const each of [text, changeText]) published.add(each);
  gateway = new TestGateway('in-process', published);
});
afterEach(() => gateway.stop());

const byApollo = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });
const code = ({ body }: { readonly body: { errors?: { extensions: { code: string } }[] } }) =>
  body.errors?.[0]?.extensions.code;

describe('while they change', () => {
  test('added and removed operations reach a running gateway', async () => {
    await gateway.start();
    const added = published.add('query Late { caller }');
    expect(code(await gateway.post(byApollo(added)))).toBe('PERSISTED_QUERY_NOT_FOUND');
    await until(async () => code(await gateway.post(byApollo(added))) === undefined);
    published.remove(added);
    published.remove(hash);
    await until(async () => code(await gateway.post(byApollo(added))) !== undefined);
    expect(code(await gateway.post(byApollo(hash)))).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect((await gateway.post({ documentId: sha256(changeText) })).body.data).toEqual({ thingCreate: { id: 'x' } });
  });

  test('an operation that does not fit the graph is refused when a client sends it, and the others work', async () => {
    await gateway.start();
    const broken = published.add('query Broken { noSuchField }');
    await until(async () => code(await gateway.post(byApollo(broken))) !== 'PERSISTED_QUERY_NOT_FOUND');
    expect(code(await gateway.post(byApollo(broken)))).toBe('GRAPHQL_VALIDATION_FAILED');
    expect((await gateway.post({ ...byApollo(hash), variables })).body).toMatchObject(named);
  });

  test('until the operations are read, the gateway is not ready and a hash is UNAVAILABLE; after the subgraph is lost, they stay', async () => {
    published.isLost = true;
    await gateway.start();
    const ready = () => fetch(`${gateway.gateway.url}/health/ready`);
    expect((await ready()).status).toBe(503);
    const early = await gateway.post(byApollo(hash));
    expect([early.status, code(early)]).toEqual([503, 'UNAVAILABLE']);
    published.isLost = false;
    await until(async () => (await ready()).status === 200);
    expect((await gateway.post({ ...byApollo(hash), variables })).body).toMatchObject(named);
    published.isLost = true;
    // The gateway polls every second. In this time the lost subgraph has answered no poll.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await gateway.post({ ...byApollo(hash), variables })).body).toMatchObject(named);
  });
});

test('a system subgraph of an earlier version has no published operations, and the gateway becomes ready', async () => {
  const known = new PublishedOperations(false);
  const link = { execute: async () => ({ data: {} }) };
  const log = pino({ level: 'silent' });
  const reader = new PublishedReader({ link, published: known, prepare: async () => {}, log });
  await reader.start();
  expect([known.isKnown, known.text(hash)]).toEqual([true, undefined]);
  await reader.stop();
});
