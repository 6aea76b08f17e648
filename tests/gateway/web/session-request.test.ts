// Browser logins: the requests that are accepted, the cookie, and two requests with one refresh token.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EndpointRequest } from '../../../gateway/http/endpoint-request.ts';
import { answerSession, Renewals, sessionFieldOf } from '../../../gateway/web/session-request.ts';
import { HttpError } from '../../../platform/graph/http-body.ts';

const expiresAt = '2030-01-31T12:00:00.000Z';
const expires = 'Expires=Thu, 31 Jan 2030 12:00:00 GMT';

/** The error of a field that is null. */
const busy = { message: 'The database is changing its primary.', extensions: { code: 'BUSY' } };

let server: Server;
let url: string;
/** The requests that reached the graph, in order. */
let valid: (accessToken: string) => boolean;
let asked: { readonly field: string; readonly input: unknown; readonly authorization: string | undefined }[];
/** The payload of the answer, by field. */
let payloads: Record<string, (input: Readonly<Record<string, unknown>>) => object | null>;

beforeEach(async () => {
  asked = [];
  valid = () => true;
  payloads = {
    login: () => ({
      accessToken: 'a1',
      accessTokenExpiresAt: 'x',
      refreshToken: 'r1',
      refreshTokenExpiresAt: expiresAt,
      userErrors: [],
    }),
    sessionRefresh: () => ({
      accessToken: 'a2',
      accessTokenExpiresAt: 'x',
      refreshToken: 'r2',
      refreshTokenExpiresAt: expiresAt,
      userErrors: [],
    }),
    logout: () => ({ userErrors: [] }),
  };
  const execute = async ({ body, headers }: EndpointRequest) => {
    const { query, variables } = body as { query: string; variables?: { input: Readonly<Record<string, unknown>> } };
    const field = /{\s*(\w+)/.exec(query)?.[1] ?? '';
    asked.push({ field, input: variables?.input, authorization: headers.get('authorization') });
    const payload = payloads[field]?.(variables?.input ?? {});
    const text = JSON.stringify({ ...(payload === null ? { errors: [busy] } : {}), data: { [field]: payload } });
    return { status: 200, headers: new Map<string, string>(), text, kind: 'mutation' };
  };
  const parts = { execute, renewals: new Renewals(), isValid: async (accessToken: string) => valid(accessToken) };
  server = createServer((request, response) => {
    const field = sessionFieldOf(request.url ?? '');
    if (field === undefined) return void response.writeHead(404).end();
    const { signal } = new AbortController();
    const taken = { requestId: 'r', clientAddress: undefined, callerRequestId: undefined, signal };
    answerSession(parts, field, taken, request, response).then(
      ({ status, answer }) => response.writeHead(status).end(JSON.stringify(answer)),
      (error: unknown) => response.writeHead(error instanceof HttpError ? error.status : 500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send(field: string, { method = 'POST', headers = {}, body = '{}' }: Sent = {}) {
  const response = await fetch(`${url}/session/${field}`, {
    method,
    headers: { origin: url, 'content-type': 'application/json', ...headers },
    ...(method === 'POST' ? { body } : {}),
  });
  return { status: response.status, text: await response.text(), cookies: response.headers.getSetCookie() };
}

const name = () => `tidegate-session-${new URL(url).port}`;

describe('the cookie', () => {
  test('has the refresh token of a login, and the answer does not', async () => {
    const { text, cookies } = await send('login', { body: '{"name":"admin","password":"p"}' });
    expect(cookies).toEqual([`${name()}=r1; HttpOnly; SameSite=Strict; ${expires}`]);
    expect(JSON.parse(text)).toEqual({
      data: { login: { accessToken: 'a1', accessTokenExpiresAt: 'x', userErrors: [] } },
    });
    expect(asked).toEqual([{ field: 'login', input: { name: 'admin', password: 'p' }, authorization: undefined }]);
  });

  test('is for TLS only if the page came over TLS, wherever TLS ended', async () => {
    const headers = { origin: `https://${new URL(url).host}` };
    const { cookies } = await send('login', { headers, body: '{"name":"admin","password":"p"}' });
    expect(cookies[0]).toMatch(/; Secure$/);
  });

  test('is replaced by a renewal, and removed once it is refused', async () => {
    const headers = { cookie: `other=1; ${name()}=r1` };
    expect((await send('sessionRefresh', { headers })).cookies[0]).toMatch(/=r2; /);
    expect(asked.at(-1)?.input).toEqual({ refreshToken: 'r1' });
    payloads.sessionRefresh = () => ({ userErrors: [{ code: 'BAD_CREDENTIALS' }] });
    const refused = await send('sessionRefresh', { headers: { cookie: `${name()}=r9` } });
    expect(refused.cookies[0]).toMatch(/=; HttpOnly; .*Expires=Thu, 01 Jan 1970/);
    payloads.sessionRefresh = () => ({ userErrors: [{ code: 'RATE_LIMITED' }] });
    expect((await send('sessionRefresh', { headers: { cookie: `${name()}=r9` } })).cookies).toEqual([]);
  });

  test('is missing: the answer says so, and the graph gets no request', async () => {
    expect((await send('sessionRefresh')).status).toBe(401);
    const elsewhere = { cookie: 'tidegate-session-1=r1' };
    expect((await send('sessionRefresh', { headers: elsewhere })).status).toBe(401);
    expect(asked).toEqual([]);
  });

  test('a logout ends the session of the cookie and removes the cookie, even if the session has already ended', async () => {
    const { status, cookies } = await send('logout', { headers: { cookie: `${name()}=r1` } });
    expect([status, cookies[0]]).toEqual([200, expect.stringMatching(/=; HttpOnly/)]);
    expect(asked.map(({ field, authorization }) => [field, authorization])).toEqual([
      ['sessionRefresh', undefined],
      ['logout', 'Bearer a2'],
    ]);
    payloads.sessionRefresh = () => ({ userErrors: [{ code: 'BAD_CREDENTIALS' }] });
    const over = await send('logout', { headers: { cookie: `${name()}=r7` } });
    expect([over.status, over.cookies[0]]).toEqual([200, expect.stringMatching(/=; HttpOnly/)]);
    expect(asked).toHaveLength(3);
    expect((await send('logout')).text).toBe('{"data":{"logout":{"userErrors":[]}}}');
  });

  test.each([
    ['login', '{"name":"a","password":"p"}'],
    ['sessionStart', '{"code":"c"}'],
  ])("a %s ends the browser's previous session once it has succeeded", async (field, body) => {
    payloads.sessionStart = payloads.login ?? (() => null);
    const headers = { cookie: `${name()}=r0` };
    const { cookies } = await send(field, { headers, body });
    expect(cookies).toEqual([expect.stringContaining('=r1;')]);
    expect(asked.map((each) => [each.field, each.authorization])).toEqual([
      [field, undefined],
      ['sessionRefresh', undefined],
      ['logout', 'Bearer a2'],
    ]);
    asked.length = 0;
    payloads[field] = () => ({ userErrors: [{ code: 'BAD_CREDENTIALS' }] });
    await send(field, { headers, body });
    expect(asked.map((each) => each.field)).toEqual([field]);
  });

  test.each([
    ['a limit', 'sessionRefresh', () => ({ userErrors: [{ code: 'RATE_LIMITED' }] }), /"logout":.*RATE_LIMITED/],
    ['a lost part at the renewal', 'sessionRefresh', () => null, /"sessionRefresh":null/],
    ['a lost part at the logout', 'logout', () => null, /"logout":null/],
  ])(
    '%s does not end the session: the answer says so, and the cookie stays for another attempt',
    async (_, field, payload, says) => {
      payloads[field] = payload;
      const { text, cookies } = await send('logout', { headers: { cookie: `${name()}=r1` } });
      expect(text).toMatch(says);
      expect(cookies).toEqual([]);
    },
  );
});

describe('while the graph cannot answer', () => {
  test.each([
    ['login', '{"name":"a","password":"p"}'],
    ['sessionStart', '{"code":"c"}'],
    ['sessionRefresh', '{}'],
    ['logout', '{}'],
  ])('%s says so, and the cookie stays', async (field, body) => {
    for (const each of ['login', 'sessionStart', 'sessionRefresh', 'logout']) payloads[each] = () => null;
    const { status, text, cookies } = await send(field, { body, headers: { cookie: `${name()}=r1` } });
    expect([status, JSON.parse(text).errors]).toEqual([200, [busy]]);
    expect(cookies).toEqual([]);
  });

  test('a logout does not claim to have ended a session that it could not renew', async () => {
    const userErrors = [{ code: 'RATE_LIMITED' }];
    payloads.sessionRefresh = () => ({ accessToken: null, refreshToken: null, userErrors });
    const { text } = await send('logout', { headers: { cookie: `${name()}=r1` } });
    expect(JSON.parse(text)).toEqual({ data: { logout: { userErrors } } });
    expect(asked).toHaveLength(1);
  });
});

describe('another page', () => {
  test.each([
    ['of another origin', { origin: 'https://evil.example' }],
    ['of another port of the host', { origin: 'http://127.0.0.1:1' }],
    ['without an origin', { origin: 'null' }],
  ])('%s is refused, and the graph gets no request', async (_, headers) => {
    const { status, cookies } = await send('login', { headers, body: '{"name":"a","password":"p"}' });
    expect([status, cookies, asked]).toEqual([403, [], []]);
  });

  test('cannot send a form: it is refused, as are all other types and methods', async () => {
    const form = { 'content-type': 'text/plain' };
    expect((await send('login', { headers: form })).status).toBe(415);
    expect((await send('login', { method: 'GET' })).status).toBe(405);
    expect(asked).toEqual([]);
  });
});

test.each([
  ['login', '{"name":"a"}'],
  ['login', '{"name":"a","password":"p","more":1}'],
  ['sessionRefresh', '{"refreshToken":"r1"}'],
  ['logout', '[]'],
  ['login', 'x'],
])('%s refuses the body %s', async (field, body) => {
  expect([(await send(field, { body, headers: { cookie: `${name()}=r1` } })).status, asked]).toEqual([400, []]);
});

test.each(['/session/', '/session/login/', '/session/toString', '/session', '/session/backendCreate'])(
  '%s is not a path',
  (path) => {
    expect(sessionFieldOf(path)).toBeUndefined();
  },
);

describe('renewals', () => {
  test('two at the same moment get one answer, and so does another one within ten seconds', async () => {
    const headers = { cookie: `${name()}=r1` };
    const both = await Promise.all([send('sessionRefresh', { headers }), send('sessionRefresh', { headers })]);
    const later = await send('sessionRefresh', { headers });
    expect([...both, later].map(({ cookies }) => cookies[0]?.includes('=r2;'))).toEqual([true, true, true]);
    expect(asked).toHaveLength(1);
  });

  test('after the session has ended, a renewal goes to the graph again, so that no answer has dead tokens', async () => {
    const headers = { cookie: `${name()}=r1` };
    await send('sessionRefresh', { headers });
    valid = (accessToken) => accessToken !== 'a2';
    payloads.sessionRefresh = () => ({ userErrors: [{ code: 'BAD_CREDENTIALS' }] });
    const { text, cookies } = await send('sessionRefresh', { headers });
    expect([text, cookies[0]]).toEqual([expect.not.stringContaining('a2'), expect.stringMatching(/=; HttpOnly/)]);
    expect(asked).toHaveLength(2);
  });

  test('later renewals go to the graph again, refusals are not stored, and the store is bounded', async () => {
    let nowMs = 0;
    let renewed = 0;
    const renewals = new Renewals(() => nowMs);
    const renew = (refreshToken: string | null) => async () => {
      renewed += 1;
      return { status: 200, answer: { data: { sessionRefresh: { refreshToken, userErrors: [] } } } };
    };
    await renewals.join('a', renew('b'), async () => true);
    nowMs = 9_999;
    await renewals.join('a', renew('b'), async () => true);
    expect(renewed).toBe(1);
    nowMs = 10_000;
    await renewals.join('a', renew('b'), async () => true);
    expect(renewed).toBe(2);
    await renewals.join('refused', renew(null), async () => true);
    await renewals.join('refused', renew(null), async () => true);
    expect(renewed).toBe(4);
    for (let index = 0; index < 1_002; index += 1) await renewals.join(`t${index}`, renew('b'), async () => true);
    await renewals.join('t0', renew('b'), async () => true);
    expect(renewed).toBe(4 + 1_002 + 1);
  });
});
