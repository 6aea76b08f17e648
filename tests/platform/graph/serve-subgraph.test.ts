// A served subgraph answers only gateways: it requires signed identities, and mutual TLS except on loopback. It also has the authentication
// port.
import { randomUUID, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { HttpLink } from '../../../gateway/supergraph/http-link.ts';
import type { LinkRequest } from '../../../gateway/supergraph/subgraph-link.ts';
import type { RequestContext } from '../../../platform/caller/identity.ts';
import { CodedError } from '../../../platform/errors/errors.ts';
import { RemoteAuthenticator } from '../../../platform/graph/remote-authenticator.ts';
import {
  newAgreementKey,
  otherKeyCode,
  RequestSession,
  sessionKeyHeader,
  sessionPath,
  unknownSessionCode,
} from '../../../platform/graph/request-session.ts';
import {
  type ServedSubgraph,
  type ServeSubgraphOptions,
  serveSubgraph,
} from '../../../platform/graph/serve-subgraph.ts';
import {
  connectionBody,
  identityHeader,
  proveIdentity,
  signIdentity,
  subscriptionBody,
  triedIdentityHeader,
} from '../../../platform/graph/signed-identity.ts';
import { pemOf, TlsFiles } from '../../../platform/machines/tls.ts';
import { FakeAuthenticator, testIdentity } from '../../gateway/support/gateway.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { makeCertificates } from '../../support/product/certificates.ts';
import { testPair } from '../../support/product/signing-keys.ts';

const log = pino({ level: 'silent' });
const { signingKeys, publicKeys } = testPair('gateway');
const sdl = 'type Query { caller: String } type Mutation { note: Int } type Subscription { ticks: Int }';
let noted = 0;
let beforeNote: () => Promise<void> = async () => undefined;
let resolved = 0;
let manner: RequestContext['manner'];
const schema = buildSubgraphSchema([
  {
    typeDefs: parse(sdl),
    resolvers: {
      Query: {
        caller: (_: unknown, _args: unknown, context: RequestContext) => {
          resolved += 1;
          return context.identity?.name ?? 'nobody';
        },
      },
      Mutation: {
        note: async (_: unknown, _args: unknown, context: RequestContext) => {
          noted += 1;
          manner = context.manner;
          const own = noted;
          await beforeNote();
          return own;
        },
      },
      Subscription: {
        ticks: {
          subscribe: async function* () {
            resolved += 1;
            yield { ticks: 1 };
          },
        },
      },
    },
  },
]);

const served: ServedSubgraph[] = [];
async function serve(options: Partial<ServeSubgraphOptions> = {}): Promise<ServedSubgraph> {
  const one = await serveSubgraph({
    subgraph: { name: 'test', schema },
    host: '127.0.0.1',
    port: 0,
    publicKeys,
    log,
    ...options,
  });
  served.push(one);
  return one;
}
afterEach(async () => {
  await Promise.all(served.splice(0).map((one) => one.stop()));
});

const claims = { identity: testIdentity('ann'), requestId: 'r' };
const callerBody = JSON.stringify({ query: '{ caller }' });
const sign = (body = callerBody, audience = 'test', keys = signingKeys) => ({
  [identityHeader]: signIdentity(keys, claims, { audience, body }),
});

async function ask(
  one: ServedSubgraph,
  headers: Record<string, string>,
  path = '/graphql',
  body: unknown = { query: '{ caller }' },
) {
  const response = await request(`${one.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.statusCode, body: (await response.body.json()) as Record<string, unknown> };
}

function linkWith(tls: ConstructorParameters<typeof HttpLink>[0]['tls'], ...urls: [string, ...string[]]): HttpLink {
  const deadlines = { queryDeadlineMs: 5000, mutationDeadlineMs: 5000 };
  return new HttpLink({ ...{ name: 'test', urls, signingKeys, log }, ...deadlines, ...(tls && { tls }) });
}

test('a request with a signed identity is executed with it', async () => {
  const answer = await ask(await serve(), sign());
  expect(answer).toEqual({ status: 200, body: { data: { caller: 'ann' } } });
});

test('a captured identity is useless: for a second request, another body, or a socket', async () => {
  const one = await serve({ authenticator: new FakeAuthenticator() });
  const captured = sign();
  expect((await ask(one, captured)).status).toBe(200);
  resolved = 0;
  expect(await ask(one, captured)).toMatchObject({ status: 401, body: { error: expect.stringContaining('before') } });
  const other = sign();
  expect((await ask(one, other, '/graphql', { query: '{ again: caller }' })).status).toBe(401);
  expect((await ask(one, other, '/internal/authenticate', { bearer: 'x' })).status).toBe(401);
  expect(await subscribe(one, sign(), {})).toMatchObject({ code: 4403 });
  expect(resolved).toBe(0);
  expect((await ask(one, other)).status).toBe(200);
});

test('a request without an identity, for another subgraph, or with another key is refused before anything is resolved', async () => {
  const one = await serve({ authenticator: new FakeAuthenticator() });
  resolved = 0;
  const tries: Record<string, string>[] = [
    {},
    { authorization: 'Bearer something' },
    { [identityHeader]: 'nonsense' },
    sign(callerBody, 'other'),
    sign(callerBody, 'test', testPair('gateway').signingKeys),
  ];
  for (const headers of tries)
    for (const path of ['/graphql', '/internal/authenticate', '/internal/recheck'])
      expect((await ask(one, headers, path)).status).toBe(401);
  expect(resolved).toBe(0);
});

test('the mode of a mutation is signed with the identity, and a trial has a header of its own', async () => {
  const one = await serve();
  const body = { query: 'mutation { note }' };
  for (const [header, given] of [
    [identityHeader, undefined],
    [identityHeader, { source: 'site' }],
    [triedIdentityHeader, { dryRun: true, source: 'site' }],
  ] as const) {
    const signed = { ...claims, ...(given === undefined ? {} : { manner: given }) };
    const identity = signIdentity(signingKeys, signed, { audience: 'test', body: JSON.stringify(body) });
    expect((await ask(one, { [header]: identity }, '/graphql', body)).status).toBe(200);
    expect(manner).toEqual(given);
  }
});

test('a socket without a signed identity is closed with 4403, and a subscription without one is refused', async () => {
  const one = await serve();
  resolved = 0;
  const refused = [{ extensions: { code: 'UNAUTHENTICATED' } }];
  const query = 'subscription { ticks }';
  const connection = () => sign(connectionBody);
  const subscription = sign(subscriptionBody({ query }));
  expect(await subscribe(one, {}, subscription)).toMatchObject({ code: 4403 });
  expect(await subscribe(one, connection(), {})).toMatchObject(refused);
  expect(await subscribe(one, connection(), sign(subscriptionBody({ query: 'subscription { all }' })))).toMatchObject(
    refused,
  );
  expect(resolved).toBe(0);
  const used = connection();
  expect(await subscribe(one, used, subscription)).toEqual({ data: { ticks: 1 } });
  expect(await subscribe(one, connection(), subscription)).toMatchObject(refused);
  expect(await subscribe(one, used, sign(subscriptionBody({ query })))).toMatchObject({ code: 4403 });
});

function subscribe(
  one: ServedSubgraph,
  parameters: Record<string, unknown>,
  extensions: Record<string, unknown>,
): Promise<unknown> {
  return new Promise<unknown>((resolve) => {
    const client = createClient({
      url: `${one.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: parameters,
      retryAttempts: 0,
    });
    const end = (result: unknown): void => {
      resolve(result);
      void client.dispose();
    };
    client.subscribe(
      { query: 'subscription { ticks }', extensions },
      { next: end, error: end, complete: () => end('complete') },
    );
  });
}

test('only a signed handshake opens a session, and only at its path', async () => {
  const one = await serve({ authenticator: new FakeAuthenticator() });
  const signed = await request(`${one.url}/graphql`, { method: 'POST', headers: sign(), body: callerBody });
  await signed.body.dump();
  const subgraphKey = String(signed.headers[sessionKeyHeader]);
  expect(subgraphKey).toMatch(/^[\w-]{43}$/);
  const own = newAgreementKey();
  const content = { purpose: 'session', subgraphKey, gatewayKey: own.publicText, seconds: 60 };
  const text = JSON.stringify(content);
  const handshake = { ...{ audience: 'test', signerId: 'k1', body: text }, id: randomUUID() };
  const session = new RequestSession(own.privateKey, subgraphKey, handshake);
  const prove = (body: string) => ({ [identityHeader]: proveIdentity(session, claims, { audience: 'test', body }) });
  resolved = 0;
  const unknown = await ask(one, prove(callerBody));
  expect(unknown).toMatchObject({ status: 401, body: { code: unknownSessionCode, executed: false, subgraphKey } });
  expect((await ask(one, sign(text), '/graphql', content)).status).toBe(400);
  expect((await ask(one, sign(callerBody), sessionPath)).status).toBe(400);
  expect((await ask(one, sign(text, 'other'), sessionPath, content)).status).toBe(401);
  expect((await ask(one, {}, sessionPath, content)).status).toBe(401);
  const another = { ...content, subgraphKey: newAgreementKey().publicText };
  expect(await ask(one, sign(JSON.stringify(another)), sessionPath, another)).toMatchObject({
    ...{ status: 409, body: { code: otherKeyCode, subgraphKey } },
  });
  expect((await ask(one, prove(callerBody))).status).toBe(401);
  expect(resolved).toBe(0);
  const signedRequest = { audience: 'test', body: text, id: handshake.id };
  const opened = { [identityHeader]: signIdentity(signingKeys, claims, signedRequest) };
  expect(await ask(one, opened, sessionPath, content)).toEqual({ status: 200, body: { session: session.id } });
  const proven = prove(callerBody);
  expect(await ask(one, proven)).toEqual({ status: 200, body: { data: { caller: 'ann' } } });
  expect((await ask(one, proven)).status).toBe(401);
  // A session cannot open another one.
  expect((await ask(one, prove(text), sessionPath, content)).status).toBe(401);
  expect(resolved).toBe(1);
});

test('without TLS it does not listen on addresses that other hosts can reach', async () => {
  await expect(serve({ host: '0.0.0.0' })).rejects.toThrow('mutual TLS');
});

test('the authentication port works from another process', async () => {
  const authenticator = new FakeAuthenticator();
  authenticator.identities.set('good', testIdentity('ann'));
  const one = await serve({ authenticator });
  const remote = new RemoteAuthenticator({ urls: [one.url], subgraph: 'test', signingKeys });
  expect(await remote.authenticate('good')).toEqual(testIdentity('ann'));
  expect(await remote.authenticate('bad')).toBeUndefined();
  expect(await remote.recheck(testIdentity('ann'))).toEqual(testIdentity('ann'));
  expect(await remote.recheck(testIdentity('bob'))).toBeUndefined();
  authenticator.away = true;
  await expect(remote.recheck(testIdentity('ann'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  authenticator.away = new CodedError('BUSY', 'the primary changes', { retryAfterMs: 1_000 });
  await expect(remote.recheck(testIdentity('ann'))).rejects.toMatchObject({
    ...{ code: 'BUSY', details: { retryAfterMs: 1_000 } },
  });
  await one.stop();
  await expect(remote.authenticate('good')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await remote.close();
});

describe('a subgraph that several processes serve', () => {
  const authenticator = new FakeAuthenticator();
  authenticator.identities.set('good', testIdentity('ann'));
  const linkTo = (...urls: [string, ...string[]]) => linkWith(undefined, ...urls);
  const requestOf = (text: string): LinkRequest => ({
    ...{ text, document: parse(text), variables: {}, operationName: undefined },
    context: { ...claims, loaders: new Map() },
  });
  const nextTick = async (link: HttpLink) => {
    const stream = await link.subscribe(requestOf('subscription { ticks }'));
    if (!(Symbol.asyncIterator in stream)) return stream;
    const { value } = await stream.next();
    await stream.return();
    return value;
  };

  test('a failed process is avoided, and used again when it returns', async () => {
    const [first, second] = [await serve({ authenticator }), await serve({ authenticator })];
    const link = linkTo(first.url, second.url);
    const remote = new RemoteAuthenticator({ urls: [first.url, second.url], subgraph: 'test', signingKeys });
    expect(await link.execute(requestOf('{ caller }'))).toEqual({ data: { caller: 'ann' } });
    expect(await nextTick(link)).toEqual({ data: { ticks: 1 } });
    expect(await remote.authenticate('good')).toEqual(testIdentity('ann'));
    const { port } = first;
    await first.stop();
    expect(await remote.authenticate('good')).toEqual(testIdentity('ann'));
    expect(await link.execute(requestOf('{ caller }'))).toEqual({ data: { caller: 'ann' } });
    expect(await link.ready()).toBe(true);
    expect(await nextTick(link)).toEqual({ data: { ticks: 1 } });
    // The same in the other direction.
    await serve({ authenticator, port });
    await second.stop();
    expect(await remote.recheck(testIdentity('ann'))).toEqual(testIdentity('ann'));
    expect(await link.execute(requestOf('{ caller }'))).toEqual({ data: { caller: 'ann' } });
    await Promise.all([link.close(), remote.close()]);
  });

  test('a mutation goes to the next process only if it was not sent', async () => {
    const [gone, here] = [await serve(), await serve()];
    await gone.stop();
    const link = linkTo(gone.url, here.url);
    noted = 0;
    expect(await link.execute(requestOf('mutation { note }'))).toEqual({ data: { note: 1 } });
    await link.close();
    const nowhere = linkTo(gone.url, `http://127.0.0.1:${await freePort()}`);
    expect(await nowhere.execute(requestOf('mutation { note }'))).toMatchObject({ errors: [{ path: ['note'] }] });
    expect(await nowhere.ready()).toBe(false);
    expect(noted).toBe(1);
    await nowhere.close();
  });

  test('a draining process answers what it has and closes each connection, so that the next request goes elsewhere', async () => {
    const slowly = Promise.withResolvers<void>();
    beforeNote = () => slowly.promise;
    const draining = await serve();
    const dispatcher = new Agent();
    noted = 0;
    const send = () => {
      const body = JSON.stringify({ query: 'mutation { note }' });
      const headers = { 'content-type': 'application/json', ...sign(body) };
      return request(`${draining.url}/graphql`, { method: 'POST', headers, body, dispatcher });
    };
    const asked = [send(), send()];
    await until(() => noted === 2);
    const over = draining.drain();
    slowly.resolve();
    for (const response of await Promise.all(asked)) {
      expect(response.headers.connection).toBe('close');
      expect(await response.body.json()).toEqual({ data: { note: expect.any(Number) } });
    }
    await over;
    await dispatcher.close();
  });

  test('a draining process closes no connection in use between two requests', async () => {
    beforeNote = () => Promise.resolve();
    for (let round = 1; round <= 10; round += 1) {
      const draining = await serve();
      const dispatcher = new Agent({ connections: 1 });
      const send = async () => {
        const body = JSON.stringify({ query: 'mutation { note }' });
        const headers = { 'content-type': 'application/json', ...sign(body) };
        const options = { method: 'POST', headers, body, dispatcher } as const;
        const response = await request(`${draining.url}/graphql`, options);
        await response.body.dump();
        return response.headers.connection;
      };
      await send();
      const over = draining.drain();
      // The connection has no request while this process is busy.
      await sleep(round);
      expect(await send()).toBe('close');
      await expect(send()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await over;
      await dispatcher.close();
    }
  });

  test('the socket for subscriptions goes to the next process', async () => {
    const [gone, here] = [await serve(), await serve()];
    await gone.stop();
    const link = linkTo(gone.url, here.url);
    expect(await nextTick(link)).toEqual({ data: { ticks: 1 } });
    await link.close();
    const nowhere = linkTo(gone.url, `http://127.0.0.1:${await freePort()}`);
    expect(await nextTick(nowhere)).toMatchObject({ errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
    await nowhere.close();
  });
});

const folder = mkdtempSync(join(tmpdir(), 'tidegate-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('with TLS, a stop succeeds while a connected client never begins its handshake', async () => {
  const one = await serve({ tls: await makeCertificates(folder, 'silent') });
  const silent = connectTcp(one.port, '127.0.0.1');
  await once(silent, 'connect');
  // By then the server has also accepted the silent client.
  await expect(
    request(one.url, { dispatcher: new Agent({ connect: { rejectUnauthorized: false } }) }),
  ).rejects.toThrow();
  await one.stop();
  if (!silent.closed) await once(silent, 'close');
}, 30_000);

test('with TLS both sides need a certificate of the same authority', async () => {
  const ours = await makeCertificates(folder, 'ours');
  const theirs = await makeCertificates(folder, 'theirs');
  const one = await serve({ tls: ours });
  const call = async (connect: object): Promise<number> => {
    const dispatcher = new Agent({ connect });
    try {
      const response = await request(`${one.url}/graphql`, {
        method: 'POST',
        headers: sign(),
        body: callerBody,
        dispatcher,
      });
      await response.body.dump();
      return response.statusCode;
    } finally {
      await dispatcher.destroy();
    }
  };
  expect(await call(ours)).toBe(200);
  await expect(call({ ca: ours.ca })).rejects.toThrow();
  await expect(call({ ...theirs, ca: ours.ca })).rejects.toThrow();
  await expect(call({ cert: ours.cert, key: ours.key, ca: theirs.ca })).rejects.toThrow();

  const link = linkWith(ours, one.url);
  const context = { ...claims, loaders: new Map<symbol, unknown>() };
  const ask = { variables: {}, operationName: undefined, context };
  const query = await link.execute({ ...ask, text: '{ caller }', document: parse('{ caller }') });
  expect(query).toEqual({ data: { caller: 'ann' } });
  const text = 'subscription { ticks }';
  const stream = await link.subscribe({ ...ask, text, document: parse(text) });
  if (!(Symbol.asyncIterator in stream)) throw new Error('refused');
  expect(await stream.next()).toEqual({ done: false, value: { data: { ticks: 1 } } });
  await stream.return();
  await link.close();
});

test('both sides use replaced certificates at once, even with requests under way', async () => {
  const [old, fresh] = [await makeCertificates(folder, 'old'), await makeCertificates(folder, 'fresh')];
  const paths = { cert: join(folder, 'c.pem'), key: join(folder, 'k.pem'), ca: join(folder, 'a.pem') };
  const put = async (given: Partial<typeof paths>) => {
    for (const name of ['cert', 'key', 'ca'] as const)
      if (given[name] !== undefined) await writeFile(paths[name], given[name]);
  };
  await put(old);
  const sides = [await TlsFiles.open(paths, log), await TlsFiles.open(paths, log)] as const;
  const one = await serve({ tls: sides[0] });
  const link = linkWith(sides[1], one.url);
  const ask = async () => {
    const context = { ...claims, loaders: new Map<symbol, unknown>() };
    const text = '{ caller }';
    return link.execute({ text, document: parse(text), variables: {}, operationName: undefined, context });
  };
  const stopped = new AbortController();
  const failures: unknown[] = [];
  const traffic = (async () => {
    while (!stopped.signal.aborted) {
      const answer = await ask();
      if (answer.errors !== undefined) failures.push(answer.errors);
    }
  })();
  /** The certificate that a new connection gets. */
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ port: one.port, host: '127.0.0.1', rejectUnauthorized: false, ...pemOf(sides[1]) });
      socket.once('secureConnect', () => {
        resolve(new X509Certificate(socket.getPeerCertificate().raw).toString());
        socket.destroy();
      });
      socket.once('error', reject);
    });
  expect(await shown()).toBe(new X509Certificate(old.cert).toString());
  // The key does not match the certificate, as halfway through a copy, so nothing changes.
  await put({ key: fresh.key });
  for (const side of sides) await expect(side.readAgain()).rejects.toThrow(/are not a certificate, its key/);
  expect((await ask()).errors).toBeUndefined();
  // First both authorities, and then the certificate.
  await put({ key: old.key, ca: `${old.ca}${fresh.ca}` });
  for (const side of sides) await side.readAgain();
  await put({ cert: fresh.cert, key: fresh.key });
  for (const side of sides) await side.readAgain();
  expect(await shown()).toBe(new X509Certificate(fresh.cert).toString());
  const later = linkWith(sides[1], one.url);
  expect(await later.ready()).toBe(true);
  await later.close();
  stopped.abort();
  await traffic;
  expect(failures).toEqual([]);
  await link.close();
});
