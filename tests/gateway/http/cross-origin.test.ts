// Pages of other origins. Only pages of listed origins can read answers, send preflights, and open sockets.
// needs: processes
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { schemaPath } from '../../../gateway/http/schema-files.ts';
import { TestGateway } from '../support/gateway.ts';

const listed = 'https://app.example';
let gateway: TestGateway;
let closed: TestGateway;

beforeAll(async () => {
  gateway = await new TestGateway('in-process').start({ corsOrigins: [listed, 'http://localhost:5173'] });
  closed = await new TestGateway('in-process').start();
});
afterAll(async () => {
  await gateway.stop();
  await closed.stop();
});

const preflight = async (at: TestGateway, path: string, headers: Record<string, string>) => {
  const response = await request(`${at.gateway.url}${path}`, {
    method: 'OPTIONS',
    headers: { 'access-control-request-method': 'POST', ...headers },
  });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
};

/** Resolves to 'open', or to the status of the refusal. */
async function upgrade(at: TestGateway, headers: Record<string, string>): Promise<string> {
  const url = `${at.gateway.url.replace('http', 'ws')}/graphql`;
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
  const refused = once(socket, 'unexpected-response').then(([, response]) => String(response.statusCode));
  refused.catch(() => undefined);
  socket.on('error', () => undefined);
  const outcome = await Promise.race([once(socket, 'open').then(() => 'open'), refused]);
  socket.terminate();
  return outcome;
}

test('a page of a listed origin can read answers, including refusals, and sends no cookies', async () => {
  for (const token of ['token-ann', 'no-such-token']) {
    const { headers } = await gateway.post({ query: '{ caller }' }, token, { origin: listed });
    expect(headers['access-control-allow-origin']).toBe(listed);
    expect(headers['access-control-expose-headers']).toContain('x-request-id');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(headers.vary).toContain('origin');
  }
  const broken = await gateway.post('{', 'token-ann', { origin: listed });
  expect([broken.status, broken.headers['access-control-allow-origin']]).toEqual([400, listed]);
});

test.each([
  'https://other.example',
  'null',
  '*',
  'https://app.example.evil.example',
  'https://app.example:8443',
  'http://app.example',
  'HTTPS://APP.EXAMPLE',
  `${listed}, https://other.example`,
])('a page of %s gets no CORS headers and no socket', async (origin) => {
  const answer = await gateway.post({ query: '{ caller }' }, 'token-ann', { origin });
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  // Caches must not reuse this answer for a listed page.
  expect(answer.headers.vary).toContain('origin');
  const refused = await preflight(gateway, '/graphql', { origin });
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('listen.corsOrigins');
  expect(Object.keys(refused.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  expect(await upgrade(gateway, { origin })).toBe('403');
});

test('a preflight is answered with what the endpoint accepts, not with what was requested', async () => {
  const asked = { origin: listed, 'access-control-request-headers': 'authorization,x-evil' };
  const answer = await preflight(gateway, '/graphql', asked);
  expect([answer.status, answer.text]).toEqual([204, '']);
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': listed,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-max-age': '7200',
  });
  expect(answer.headers['access-control-allow-headers']).toContain('authorization, content-type');
  expect(answer.headers['access-control-allow-headers']).not.toContain('x-evil');
  const read = ['x-request-id', 'last-event-id', 'traceparent', 'tracestate', 'tidegate-dry-run', 'tidegate-source'];
  for (const name of read) expect(answer.headers['access-control-allow-headers']).toContain(name);
  expect((await preflight(gateway, schemaPath, asked)).headers['access-control-allow-methods']).toBe('GET, HEAD');
  expect((await preflight(gateway, '/', asked)).status).toBe(405);
  expect((await preflight(gateway, '/metrics', asked)).headers['access-control-allow-origin']).toBeUndefined();
});

test('a preflight with too many headers is refused, and the next request is answered', async () => {
  const names = Array.from({ length: 8000 }, (_, index) => `x-${index}`).join(',');
  const huge = await preflight(gateway, '/graphql', { origin: listed, 'access-control-request-headers': names });
  expect(huge.status).toBe(431);
  expect((await preflight(gateway, '/graphql', { origin: listed })).status).toBe(204);
});

test("sockets open for listed origins, for the endpoint's own origin, and for clients that are no browsers", async () => {
  const { port } = gateway.gateway;
  expect(await upgrade(gateway, {})).toBe('open');
  expect(await upgrade(gateway, { origin: listed })).toBe('open');
  expect(await upgrade(gateway, { origin: `http://127.0.0.1:${port}` })).toBe('open');
  // Behind a proxy that terminates TLS.
  expect(await upgrade(gateway, { origin: 'https://graph.example', host: 'graph.example' })).toBe('open');
  expect(await upgrade(gateway, { origin: 'https://graph.example', host: 'Graph.example:443' })).toBe('open');
  // Behind a proxy that changes Host.
  expect(await upgrade(gateway, { origin: 'https://graph.example', 'sec-fetch-site': 'same-origin' })).toBe('open');
  expect(await upgrade(gateway, { origin: 'https://graph.example', 'sec-fetch-site': 'cross-site' })).toBe('403');
});

describe('without the setting', () => {
  test('no page of another origin has access', async () => {
    const { headers } = await closed.post({ query: '{ caller }' }, 'token-ann', { origin: listed });
    expect([headers['access-control-allow-origin'], headers.vary]).toEqual([undefined, 'accept-encoding']);
    expect((await preflight(closed, '/graphql', { origin: listed })).status).toBe(403);
    expect(await upgrade(closed, { origin: listed })).toBe('403');
    expect(await upgrade(closed, { origin: `http://127.0.0.1:${closed.gateway.port}` })).toBe('open');
  });

  test('OPTIONS lists the methods', async () => {
    const response = await request(`${closed.gateway.url}/graphql`, { method: 'OPTIONS' });
    await response.body.text();
    expect([response.statusCode, response.headers.allow]).toEqual([204, 'GET, HEAD, POST, OPTIONS']);
  });
});
