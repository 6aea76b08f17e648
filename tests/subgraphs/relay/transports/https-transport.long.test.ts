import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import type { SendOptions } from '../../../../platform/net/send.ts';
import { TcpLine } from '../../../../simulators/tcp-line.ts';
import type { HttpCall, HttpReply } from '../../../../subgraphs/relay/drivers/driver.ts';
import { createHttpsTransport } from '../../../../subgraphs/relay/transports/https-transport.ts';
import type {
  Endpoint,
  SendResult,
  Transport,
  TransportOptions,
} from '../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { until } from '../../../support/machine/temporary-folder.ts';
import { endAfterEach, failureOf, own, slotOf } from './support/owned.ts';
import { RawServer } from './support/raw-server.ts';
import { WebDevice, type WebDeviceOptions, withSessions } from './support/web-device.ts';

endAfterEach();

async function device(options: WebDeviceOptions = {}): Promise<WebDevice> {
  const started = await WebDevice.start(options);
  own(started.server);
  return started;
}

function transportTo(endpoint: Endpoint, options: Partial<TransportOptions> = {}): Transport {
  return own(createHttpsTransport(endpoint, { egress: testEgress, concurrency: 4, ...options }));
}

const call = (path: string, more: Partial<HttpCall> = {}): HttpCall => ({ kind: 'http', method: 'GET', path, ...more });
const post = (path: string): HttpCall => call(path, { method: 'POST', body: { name: 'Grüße' } });
const run = (transport: Transport, path: string, options: Partial<SendOptions> = {}) =>
  transport.send(call(path), { deadlineMs: 10_000, ...options });

const replyOf = (result: SendResult): HttpReply => {
  if (!result.ok || result.reply.kind !== 'http') throw new Error(JSON.stringify(result));
  return result.reply;
};
/** Answers at once, but never to paths that start with `/hang`. */
const _hangs: WebDeviceOptions = {
  onCall: (request) => (request.path.startsWith('/hang') ? undefined : { status: 200, body: 'done' }),
};

describe('a call', () => {
  test('arrives as the driver rendered it, and its complete answer is returned', async () => {
    const headers = { 'X-Thing': ['a', 'b'], 'Set-Cookie': ['one=1, 2', 'two=2'] };
    const target = await device({ onCall: ({ body }) => ({ status: 201, headers, body }) });
    const path = '/api/v2/x%2Fy?vdom=root&global=1';
    const sent = await transportTo(target.endpoint()).send(
      { ...post(path), headers: { 'If-Match': '7' } },
      { deadlineMs: 10_000 },
    );
    const reply = replyOf(sent);
    expect(reply).toMatchObject({ status: 201, body: '{"name":"Grüße"}', truncated: false });
    expect(reply.headers).toMatchObject({ 'x-thing': 'a, b', 'set-cookie': 'one=1, 2\ntwo=2' });
    const [request] = target.calls;
    expect(request).toMatchObject({ method: 'POST', path: '/api/v2/x%2Fy' });
    expect(request?.query.get('vdom')).toBe('root');
    expect(request?.headers).toMatchObject({
      host: `127.0.0.1:${target.server.port}`,
      'content-type': 'application/json',
      ...{ accept: 'application/json', 'accept-encoding': 'identity' },
      'if-match': '7',
    });
  });

  test('can be sent as a form', async () => {
    const target = await device({
      onCall: ({ body, headers }) => ({ status: 200, body: `${headers['content-type']} ${body}` }),
    });
    const sent = await transportTo(target.endpoint()).send(
      call('/logincheck', { method: 'POST', form: { username: 'ops', secretkey: 'a&b=c ü' } }),
      { deadlineMs: 10_000 },
    );
    expect(replyOf(sent).body).toBe('application/x-www-form-urlencoded username=ops&secretkey=a%26b%3Dc+%C3%BC');
  });

  test.each([
    ['a space', '/a b'],
    ['a line break', '/a\r\nX: y'],
    ['no slash', 'a'],
    ['a fragment', '/a#b'],
    ['non-ASCII letters', '/ü'],
  ])('with a path that has %s is not sent', async (_what, path) => {
    const target = await device();
    expect(failureOf(await run(transportTo(target.endpoint()), path))).toMatchObject({
      kind: 'NOT_SENT',
      code: 'PROTOCOL_FAILED',
    });
    expect(target.calls).toEqual([]);
  });

  test('with a line break in a header is not sent', async () => {
    const target = await device();
    const sent = await transportTo(target.endpoint()).send(call('/', { headers: { 'x-a': 'b\r\nx-c: d' } }), {
      deadlineMs: 10_000,
    });
    expect(failureOf(sent)).toMatchObject({ kind: 'NOT_SENT', code: 'PROTOCOL_FAILED' });
    expect(target.calls).toEqual([]);
  });

  test('that is redirected has the redirect as its answer', async () => {
    const target = await device({ onCall: () => ({ status: 302, headers: { location: '/elsewhere' } }) });
    expect(replyOf(await run(transportTo(target.endpoint()), '/here'))).toMatchObject({ status: 302 });
    expect(target.paths).toEqual(['/here']);
  });
});

describe('the first byte', () => {
  test('a connection that the device closed, but whose end is not yet noticed, is replaced too', async () => {
    const target = await device();
    const transport = transportTo(target.endpoint(), { concurrency: 1 });
    await run(transport, '/before');
    const slot = await slotOf(transport);
    target.server.cutAll();
    // The end has reached this machine while this process was busy.
    const busyUntilMs = performance.now() + 50;
    await new Promise(setImmediate);
    while (performance.now() < busyUntilMs);
    expect(await slot.send(post('/once'), { deadlineMs: 10_000 })).toMatchObject({ ok: true });
    expect(target.paths).toEqual(['/before', '/once']);
  });
});

describe('no verdict', () => {
  test('when the connection is cut before the answer, nothing is sent again', async () => {
    const target = await device({ onCall: (request) => void request.cut() });
    for (const method of ['GET', 'PUT', 'POST', 'DELETE'] as const) {
      const sent = await transportTo(target.endpoint()).send(call('/x', { method }), { deadlineMs: 10_000 });
      expect(failureOf(sent)).toMatchObject({ kind: 'NO_VERDICT', code: 'CONNECTION_LOST' });
    }
    expect(target.calls).toHaveLength(4);
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['shorter than announced', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab'],
  ])('an unreadable answer: %s', async (_what, answer) => {
    const raw = await RawServer.start((socket) => socket.end(answer));
    own(raw);
    expect(failureOf(await run(transportTo(raw.endpoint()), '/'))).toMatchObject({
      kind: 'NO_VERDICT',
      code: 'CONNECTION_LOST',
    });
    expect(raw.requests).toBe(1);
  });

  test.each([
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'],
    ['until the end of the connection', 'HTTP/1.0 200 OK\r\n\r\nabcde'],
    ['after an interim one', 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde'],
  ])('an answer %s is complete', async (_what, answer) => {
    const raw = await RawServer.start((socket) => socket.end(answer));
    own(raw);
    expect(replyOf(await run(transportTo(raw.endpoint()), '/'))).toMatchObject({ status: 200, body: 'abcde' });
  });

  test('an unrequested second answer is not taken as the answer to the next call', async () => {
    const one = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const raw = await RawServer.start((socket) => socket.write(one('mine') + one('forged')));
    own(raw);
    const transport = transportTo(raw.endpoint(), { concurrency: 1 });
    expect(replyOf(await run(transport, '/1')).body).toBe('mine');
    expect(replyOf(await run(transport, '/2')).body).toBe('mine');
    expect(raw.connections).toBe(2);
  });
});

describe('the login session', () => {
  test('is opened by one login for all calls, one at a time, and its headers are sent with every call', async () => {
    const target = await device({ wantsLogin: true, onLogin: () => sleep(20) });
    const transport = transportTo(target.endpoint(), withSessions());
    const results = await Promise.all([
      ...Array.from({ length: 8 }, (_, index) => run(transport, `/${index}`)),
      transport.send(post('/write'), { deadlineMs: 10_000 }),
    ]);
    for (const result of results) expect(replyOf(result).status).toBe(200);
    expect(target.logins).toEqual(['secret']);
    expect(target.calls.map((request) => request.headers['x-token'])).toEqual(Array(9).fill('token-1'));
    for (const request of target.calls) {
      expect(request.headers['x-csrf']).toBe(request.method === 'GET' ? undefined : 'csrf');
    }
  });

  test('is opened with the reservation, before anything can be journaled as sent', async () => {
    const target = await device({ wantsLogin: true });
    const slot = await slotOf(transportTo(target.endpoint(), withSessions()));
    expect(target.logins).toEqual(['secret']);
    expect(await slot.send(call('/'), { deadlineMs: 10_000 })).toMatchObject({ ok: true });
    expect(target.server.connections).toBe(1);
  });

  test('is refused with a wrong password after one try, whatever the number of waiting calls', async () => {
    const target = await device({ wantsLogin: true });
    const endpoint = target.endpoint({ credentials: { username: 'ops', password: 'wrong' } });
    const transport = transportTo(endpoint, withSessions());
    const results = await Promise.all(Array.from({ length: 6 }, () => run(transport, '/')));
    for (const result of results) expect(failureOf(result)).toMatchObject({ kind: 'NOT_SENT', code: 'AUTH_FAILED' });
    expect(target.logins).toEqual(['wrong']);
    expect(target.calls).toEqual([]);
    expect(JSON.stringify(results)).not.toContain('wrong');
  });

  test('is replaced once for all calls when the device ended it, and each call is executed once', async () => {
    const target = await device({ wantsLogin: true, onLogin: () => sleep(20) });
    const transport = transportTo(target.endpoint(), withSessions());
    await run(transport, '/before');
    target.tokens.clear();
    const beforeFirstByte = jest.fn(() => true);
    const results = await Promise.all(
      Array.from({ length: 4 }, (_, index) => run(transport, `/${index}`, { beforeFirstByte })),
    );
    for (const result of results) expect(replyOf(result).status).toBe(200);
    expect(target.logins).toHaveLength(2);
    expect(target.paths.slice(1).sort()).toEqual(['/0', '/1', '/2', '/3']);
    // It is also called before each retry.
    expect(beforeFirstByte.mock.calls.length).toBeGreaterThan(4);
  });

  test('a call that the device refused unprocessed is not sent again after its send window', async () => {
    const target = await device({ wantsLogin: true });
    const transport = transportTo(target.endpoint(), withSessions());
    await run(transport, '/before');
    target.tokens.clear();
    const beforeFirstByte = jest
      .fn(() => true)
      .mockReturnValueOnce(true)
      .mockReturnValueOnce(false);
    const sent = await run(transport, '/late', { beforeFirstByte });
    expect(failureOf(sent)).toMatchObject({ kind: 'NOT_SENT', code: 'WINDOW_PASSED' });
    expect(target.logins).toHaveLength(2);
    expect(target.paths).toEqual(['/before']);
    expect(replyOf(await run(transport, '/after')).status).toBe(200);
  });

  test('tries a changed password once for all calls, and nothing was executed', async () => {
    let changed = false;
    const target = await device({
      wantsLogin: true,
      onLogin: async () => {
        await sleep(20);
        if (changed) target.tokens.clear();
      },
    });
    const sessions = withSessions();
    const transport = transportTo(target.endpoint(), {
      https: {
        refusedSession: (reply) => sessions.https?.refusedSession(reply) === true,
        open: (exchange, credentials, backend) => {
          const password = changed ? 'old' : 'secret';
          return sessions.https?.open(exchange, { ...credentials, password }, backend) as never;
        },
      },
    });
    await run(transport, '/before');
    changed = true;
    target.tokens.clear();
    const results = await Promise.all(Array.from({ length: 4 }, () => run(transport, '/write')));
    for (const result of results) expect(failureOf(result)).toMatchObject({ kind: 'NOT_SENT', code: 'AUTH_FAILED' });
    expect(target.logins).toEqual(['secret', 'old']);
    expect(target.paths).toEqual(['/before']);
  });

  test('a device that refuses every session is tried twice, and its second answer counts', async () => {
    const target = await device({
      wantsLogin: true,
      onLogin: async () => setImmediate(() => target.tokens.clear()) && undefined,
    });
    const sent = await run(transportTo(target.endpoint(), withSessions()), '/');
    expect(replyOf(sent).status).toBe(401);
    expect(target.logins).toHaveLength(2);
  });

  test('an expired session is replaced before the next call', async () => {
    const target = await device({ wantsLogin: true });
    const transport = transportTo(target.endpoint(), withSessions({ lifetimeMs: 1_000 }));
    await run(transport, '/1');
    const slot = await slotOf(transport);
    // Longer than a session lasts: the transport reads the clock.
    await sleep(1_050);
    expect(transport.tryReserve()).toBeUndefined();
    await slot.send(call('/2'), { deadlineMs: 10_000 });
    expect(target.calls.map((request) => request.headers['x-token'])).toEqual(['token-1', 'token-2']);
  });

  test('a session that expires at once does not cause endless logins', async () => {
    const target = await device({ wantsLogin: true });
    const transport = transportTo(target.endpoint(), withSessions({ lifetimeMs: -5 }));
    expect(replyOf(await run(transport, '/1')).status).toBe(200);
    expect(target.logins).toHaveLength(1);
  });

  test.each([false, true])('is logged out when the transport is closed (connections gone: %s)', async (gone) => {
    const target = await device({ wantsLogin: true });
    const transport = transportTo(target.endpoint(), withSessions());
    await run(transport, '/');
    expect(target.tokens.size).toBe(1);
    if (gone) {
      target.server.cutAll();
      await until(() => transport.state().sessions === 0);
    }
    await transport.close();
    expect(target.tokens.size).toBe(0);
    await until(() => target.server.openConnections === 0);
  });

  test('closing does not wait for a silent device', async () => {
    const target = await device({ wantsLogin: true });
    const line = await TcpLine.lay({ host: target.server.host, port: target.server.port });
    own(line);
    const transport = transportTo(target.endpoint({ port: line.port }), withSessions());
    await run(transport, '/');
    line.freeze();
    // It would never end.
    await transport.close();
  });

  test('an interrupted login fails its waiters, but no later ones', async () => {
    let breaks = true;
    const target = await device({
      wantsLogin: true,
      onLogin: async () => {
        if (breaks) target.server.cutAll();
      },
    });
    const transport = transportTo(target.endpoint(), withSessions());
    expect(failureOf(await run(transport, '/'))).toMatchObject({ kind: 'NOT_SENT', code: 'CONNECT_FAILED' });
    breaks = false;
    expect(await run(transport, '/')).toMatchObject({ ok: true });
  });
});

describe('another origin', () => {
  const backendWith = (options: Record<string, string>) => ({
    backend: { transport: 'https' as const, options, softwareVersion: null },
  });

  test('named by the options gets a login, and the token is valid for the backend', async () => {
    const identity = await device();
    const target = await device();
    const origin = `https://127.0.0.1:${identity.server.port}`;
    const options = { authUrl: `${origin}/v3`, authCertificateSha256: identity.certificateSha256 };
    const transport = transportTo(target.endpoint(), { ...withSessions({ origin }), ...backendWith(options) });
    expect(await run(transport, '/')).toMatchObject({ ok: true });
    expect(target.calls[0]?.headers['x-token']).toBe('token-1');
    expect([identity.logins.length, target.logins.length]).toEqual([1, 0]);
    await transport.close();
    expect(identity.tokens.size).toBe(0);
  });

  test('has to present its own certificate', async () => {
    const identity = await device();
    const target = await device();
    const origin = `https://127.0.0.1:${identity.server.port}`;
    const transport = transportTo(target.endpoint(), {
      ...withSessions({ origin }),
      ...backendWith({ authUrl: origin }),
    });
    const failure = failureOf(await run(transport, '/'));
    expect(failure).toMatchObject({ kind: 'NOT_SENT', code: 'CERTIFICATE_MISMATCH' });
    expect(failure?.message).toContain(identity.certificateSha256);
    // If the transport accepted this certificate for the backend, the other server could impersonate it.
    expect(failure).not.toHaveProperty('presented');
    expect(identity.logins).toEqual([]);
  });

  test.each([
    {},
    { note: 'https://127.0.0.1:PORT' },
    { authUrl: 'http://127.0.0.1:PORT' },
    { authUrl: 'https://127.0.0.2:PORT' },
  ])('not named by the options is not called: %j', async (given: Record<string, string>) => {
    const identity = await device();
    const target = await device();
    const { port } = identity.server;
    const options = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value.replace('PORT', String(port))]),
    );
    const transport = transportTo(target.endpoint(), {
      ...withSessions({ origin: `https://127.0.0.1:${port}` }),
      ...backendWith(options),
    });
    expect(failureOf(await run(transport, '/'))).toMatchObject({ kind: 'NOT_SENT', code: 'PROTOCOL_FAILED' });
    expect(identity.server.connections).toBe(0);
  });
});

test('when a reply makes the guard fail, nothing is sent, and the relay keeps running', async () => {
  const target = await device();
  const transport = transportTo(target.endpoint());
  const allows = () => {
    throw new RangeError('Maximum call stack size exceeded');
  };
  const result = await transport.send({ ...post('/change'), guard: { path: '/look', allows } }, { deadlineMs: 5_000 });
  expect(result).toMatchObject({ ok: true, reply: { unsent: true } });
  expect(target.paths).toEqual(['/look']);
  expect(await run(transport, '/next')).toMatchObject({ ok: true });
});
