// Published operations at the gateway. They are executed by hash over GET, POST and sockets. The setting `operations.accept` decides whether
// other documents are refused or counted.
// needs: load
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { GatewayOptions } from '../../../gateway/gateway.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { gatewayIdentity, serviceIdentity } from '../../../platform/graph/service-identity.ts';
import { temporaryFolder, until } from '../../support/machine/temporary-folder.ts';
import { Collector, type Mode, modes, TestGateway, testIdentity } from '../support/gateway.ts';
import { PublishedWorld, sha256 } from '../support/published-subgraph.ts';

const text = 'query Thing($id: ID!) { thing(id: $id) { name } }';
const changeText = 'mutation Make { thingCreate(name: "x") { id } }';
const streamText = 'subscription Changes { thingChanges { cursor thing { id } } }';
const hash = sha256(text);
const unknown = sha256('unknown');
const named = { data: { thing: { name: 'thing 7' } } };
const variables = { id: '7' };

let gateway: TestGateway;
let published: PublishedWorld;

async function start(options: Partial<GatewayOptions> = {}, mode: Mode = 'in-process'): Promise<void> {
  published = new PublishedWorld();
  for (const each of [text, changeText, streamText]) published.add(each);
  gateway = new TestGateway(mode, published);
  const root: Identity = { ...testIdentity('root', {}), admin: true };
  gateway.authenticator.identities.set('token-root', root);
  await gateway.start(options);
}

afterEach(() => gateway.stop());

const byApollo = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });
const code = ({ body }: { readonly body: { errors?: { extensions: { code: string } }[] } }) =>
  body.errors?.[0]?.extensions.code;
const asGraphql = { accept: 'application/graphql-response+json' };

/** The first message for an operation without a query in its payload. Clients of graphql-ws send an empty query. */
async function withoutQuery(payload: object): Promise<unknown> {
  const socket = new WebSocket(`${gateway.gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const next = async () => JSON.parse(String((await once(socket, 'message'))[0])) as unknown;
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'Bearer token-ann' } }));
  await next();
  socket.send(JSON.stringify({ type: 'subscribe', id: 'a', payload }));
  const message = await next();
  socket.close();
  return message;
}

/** The result of one operation over a socket. */
function overSocket(client: Client, payload: object): Promise<unknown> {
  return new Promise((resolve) => {
    let result: unknown;
    client.subscribe(
      { query: '', ...payload },
      {
        next: (value) => {
          result = value;
        },
        error: resolve,
        complete: () => resolve(result),
      },
    );
  });
}

describe.each(modes)('by hash, subgraphs %s', (mode) => {
  test('a published operation runs over POST, in each form', async () => {
    await start({}, mode);
    for (const form of [
      byApollo(hash),
      { documentId: hash },
      { documentId: `sha256:${hash}` },
      { query: text, ...byApollo(hash) },
    ]) {
      const answer = await gateway.post({ ...form, variables });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject(named);
    }
    expect((await gateway.post({ ...byApollo(hash), query: '', variables })).body).toMatchObject(named);
    expect((await gateway.post({ documentId: sha256(changeText), operationName: 'Make' })).body.data).toEqual({
      thingCreate: { id: 'x' },
    });
  });
});

describe('by hash', () => {
  test('over GET, in each form; a mutation gets 405 and is not executed', async () => {
    await start();
    const given = { variables: JSON.stringify(variables) };
    const extensions = JSON.stringify(byApollo(hash).extensions);
    for (const form of [{ id: hash }, { documentId: `sha256:${hash}` }, { extensions }]) {
      const answer = await gateway.get({ ...form, ...given });
      expect([answer.status, answer.body]).toMatchObject([200, named]);
    }
    expect((await gateway.get({ id: sha256(changeText) })).status).toBe(405);
    expect(gateway.world.calls.get('thingCreate')).toBeUndefined();
  });

  test('over a socket, with the query empty or absent', async () => {
    await start();
    const client = gateway.client();
    for (const extensions of [byApollo(hash).extensions, { documentId: `sha256:${hash}` }]) {
      expect(await overSocket(client, { extensions, variables })).toMatchObject(named);
      expect(await withoutQuery({ extensions, variables })).toMatchObject({ type: 'next', payload: named });
    }
    expect(await overSocket(client, byApollo(unknown))).toMatchObject([
      { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } },
    ]);
    expect(await overSocket(client, { query: '{ caller }', ...byApollo(hash) })).toMatchObject([
      { extensions: { code: 'INVALID_INPUT' } },
    ]);
    const changes = new Collector(client, '', undefined, byApollo(sha256(streamText)).extensions);
    await until(() => {
      gateway.world.log.append('made');
      return changes.ids.length > 0 || changes.done;
    });
    expect(changes.error).toBeUndefined();
    expect(changes.ids[0]).toBe('made');
    changes.cancel();
  });

  test('an unknown hash is PERSISTED_QUERY_NOT_FOUND: 200 as application/json, otherwise 404', async () => {
    await start();
    const plain = await gateway.post(byApollo(unknown));
    expect([plain.status, code(plain), plain.body.errors[0].message]).toEqual([
      ...[200, 'PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound'],
    ]);
    const typed = await gateway.post({ documentId: unknown }, undefined, asGraphql);
    expect([typed.status, code(typed)]).toEqual([404, 'PERSISTED_QUERY_NOT_FOUND']);
    expect(typed.body.errors[0].message).toContain(unknown);
    const read = await gateway.get({ id: unknown }, undefined, asGraphql);
    expect([read.status, code(read)]).toEqual([404, 'PERSISTED_QUERY_NOT_FOUND']);
    expect(read.headers['cache-control']).toBe('no-store');
  });

  test('an unknown hash with its text is an ordinary document, and is not stored', async () => {
    await start();
    const query = '{ caller }';
    expect((await gateway.post({ query, ...byApollo(sha256(query)) })).body.data).toEqual({ caller: 'ann' });
    expect(code(await gateway.post(byApollo(sha256(query))))).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  test('a malformed hash, or one that contradicts the rest of the request, is INVALID_INPUT', async () => {
    await start();
    for (const body of [
      { query: '{ caller }', ...byApollo(hash) },
      { documentId: unknown, ...byApollo(hash) },
      { extensions: { persistedQuery: { version: 2, sha256Hash: hash } } },
      { extensions: { persistedQuery: { version: 1 } } },
      { documentId: hash.toUpperCase() },
      { documentId: `md5:${hash.slice(32)}` },
      { documentId: 7 },
    ]) {
      const answer = await gateway.post(body);
      expect([answer.status, code(answer)]).toEqual([400, 'INVALID_INPUT']);
    }
  });
});

describe('operations.accept', () => {
  test('published: other documents are refused unparsed, except those of administrators and subgraphs', async () => {
    await start({ accept: 'published' });
    expect((await gateway.query(text, variables)).body).toMatchObject(named);
    for (const other of ['{ caller }', 'not GraphQL {{{']) {
      const refused = await gateway.query(other);
      expect([refused.status, code(refused), refused.body.errors[0].extensions.hash]).toEqual([
        ...[400, 'NOT_PUBLISHED', sha256(other)],
      ]);
    }
    const client = gateway.client();
    expect(await overSocket(client, { query: '{ caller }' })).toMatchObject([
      { extensions: { code: 'NOT_PUBLISHED' } },
    ]);
    expect((await gateway.query('{ caller }', undefined, 'token-root')).body.data).toEqual({ caller: 'root' });
    const identity = serviceIdentity({ subgraph: 'relay', projectId: '00000000-0000-0000-0000-000000000001' });
    const signal = AbortSignal.timeout(5_000);
    const asked = await gateway.gateway.questions.ask({ identity, query: '{ caller }', variables: {}, signal });
    expect(asked.data).toEqual({ caller: 'relay' });
    expect((await gateway.post({ query: 'mutation { login(name: "a") }' }, '')).body.data).toEqual({
      login: 'token of a',
    });
    expect(await gateway.metric('tidegate_gateway_unpublished_operations_total')).toBe(3);
  });

  test("published: the dashboard's own operations, as listed by its build, are executed", async () => {
    const folder = await temporaryFolder();
    const own = 'query Own { caller }';
    await writeFile(join(folder.path, 'operations.json'), JSON.stringify([sha256(own)]));
    await start({ accept: 'published', staticFolder: folder.path });
    expect((await gateway.query(own)).body.data).toEqual({ caller: 'ann' });
    expect(code(await gateway.query('query Other { caller }'))).toBe('NOT_PUBLISHED');
    await folder.remove();
  });

  test('a token that is bound to operations can send only these, whatever is accepted', async () => {
    for (const accept of ['any', 'log', 'published'] as const) {
      await start({ accept });
      const own = 'query Own { caller }';
      const bound: Identity = { ...testIdentity('bound', {}), kind: 'token', operations: [sha256(own), hash] };
      gateway.authenticator.identities.set('token-bound', bound);
      expect((await gateway.query(own, undefined, 'token-bound')).body.data).toEqual({ caller: 'bound' });
      expect((await gateway.query(text, variables, 'token-bound')).body).toMatchObject(named);
      for (const other of ['{ caller }', changeText, 'not GraphQL {{{']) {
        const refused = await gateway.query(other, undefined, 'token-bound');
        expect([other, code(refused)]).toEqual([other, 'NOT_PUBLISHED']);
      }
      if (accept !== 'published') await gateway.stop();
    }
  });

  test('log: all operations are executed, and counted by client', async () => {
    await start({ accept: 'log' });
    expect((await gateway.query('{ caller }')).body.data).toEqual({ caller: 'ann' });
    expect((await gateway.query('{ caller }', undefined, 'token-bob')).body.data).toEqual({ caller: 'bob' });
    await gateway.query('{ caller requestId }', undefined, 'token-bob');
    await gateway.query(text, variables, 'token-bob');
    const counted = await gateway.registry.getSingleMetric('tidegate_gateway_unpublished_operations_total')?.get();
    expect(counted?.values).toMatchObject([
      { labels: { client: 'ann' }, value: 1 },
      { labels: { client: 'bob' }, value: 2 },
    ]);
  });

  test('log: all operations are executed even before the published ones were read', async () => {
    published = new PublishedWorld();
    published.isLost = true;
    gateway = await new TestGateway('in-process', published).start({ accept: 'log' });
    expect((await gateway.query('{ caller }')).body.data).toEqual({ caller: 'ann' });
  });

  test('any: nothing is counted', async () => {
    await start();
    await gateway.query('{ caller }');
    expect(await gateway.metric('tidegate_gateway_unpublished_operations_total')).toBe(0);
  });
});

test('clients cannot request the set', async () => {
  await start();
  gateway.authenticator.identities.set('token-gateway', gatewayIdentity);
  expect(code(await gateway.query('{ publishedOperationSet { hashes } }', undefined, 'token-root'))).toBe(
    'GRAPHQL_VALIDATION_FAILED',
  );
  expect((await gateway.query('{ caller }', undefined, 'token-gateway')).status).toBe(401);
});
