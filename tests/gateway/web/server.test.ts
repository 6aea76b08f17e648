// The public endpoint apart from GraphQL: pages with their policies, health, metrics, and restrictions for browsers.
// needs: processes

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { request } from 'undici';
import { proxyHeaders } from '../../../platform/net/this-host.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { TestGateway } from '../support/gateway.ts';
import { alphaSdl, betaSdl } from '../support/subgraphs.ts';

/** One page of things. */
const things = '{ things(first: 2) { nodes { id } after: __typename upToDate: __typename } }';

let folder: string;
let gateway: TestGateway;
let databaseReady = true;
let checksLate = false;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-static-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Tidegate</title><script>let a;</script>');
  await writeFile(join(folder, 'graphiql.html'), '<!doctype html><title>GraphiQL</title>');
  await writeFile(join(folder, 'assets', 'app-1a2b.js'), `// ${'x'.repeat(2000)}`);
  gateway = await new TestGateway('in-process').start({
    staticFolder: folder,
    exports: [{ name: 'things', query: things, field: 'things', items: 'nodes' }],
    readiness: async () => [
      { name: 'database', ready: databaseReady, detail: databaseReady ? undefined : 'socket gone' },
      ...(checksLate ? [{ name: 'checks', ready: false, required: false, detail: '24 s late' }] : []),
    ],
  });
});
afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true });
});

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await request(`${gateway.gateway.url}${path}`, { headers });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
}

test('the dashboard and GraphiQL have separate policies', async () => {
  const dashboard = await get('/');
  expect(dashboard.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(dashboard.headers['content-security-policy']).toContain("style-src 'self';");
  expect(dashboard.headers['content-security-policy']).not.toContain('unsafe-inline');
  const graphiql = await get('/graphiql');
  expect(graphiql.text).toContain('GraphiQL');
  expect(graphiql.headers['content-security-policy']).toContain("style-src 'self' 'unsafe-inline'");
  // The hash of the document's inline script.
  const hash = createHash('sha256').update('let a;').digest('base64');
  const scripts = [`'self' 'sha256-${hash}'`, "'self'"];
  for (const [index, page] of [dashboard, graphiql].entries()) {
    expect(page.headers['content-security-policy']).toContain(`default-src 'none'; script-src ${scripts[index]};`);
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    expect(page.headers['cache-control']).toBe('no-cache');
  }
});

test('hashed assets are cached without limit, compressed on request, and not sent twice', async () => {
  const asset = await get('/assets/app-1a2b.js');
  expect(asset.headers['cache-control']).toContain('immutable');
  expect(asset.headers['content-type']).toContain('text/javascript');
  const packed = await get('/assets/app-1a2b.js', { 'accept-encoding': 'gzip' });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(Number(packed.headers['content-length'])).toBeLessThan(asset.text.length);
  const again = await get('/assets/app-1a2b.js', { 'if-none-match': String(asset.headers.etag) });
  expect([again.status, again.text]).toEqual([304, '']);
});

test.each(['/nothing', '/../package.json', '/assets/../../package.json', '/assets/', '/%2e%2e/package.json'])(
  'there is nothing at %s',
  async (path) => {
    const response = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(response).toMatch(/^HTTP\/1.1 404 /);
  },
);

test('a page, its files and health share one connection, and only an unread body ends it', async () => {
  const { port } = gateway.gateway;
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;
  const paths = ['/', '/assets/app-1a2b.js', '/health/live', '/health/ready', '/nothing', '/graphql?query=%7Bme%7D'];
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const answers = () => text.match(/HTTP\/1\.1 \d+/g)?.length ?? 0;
  for (const [index, path] of paths.entries()) {
    socket.write(ask(path));
    await new Promise<void>((resolve, reject) => {
      const take = (part: string) => {
        text += part;
        if (answers() <= index || !/\r\n\r\n/.test(text.slice(text.lastIndexOf('HTTP/1.1')))) return;
        socket.off('data', take).off('close', fail);
        resolve();
      };
      const fail = () => reject(new Error(`the connection was closed after ${answers()} of ${paths.length} answers`));
      socket.on('data', take).once('close', fail);
    });
  }
  expect(text.toLowerCase()).not.toContain('connection: close');
  socket.on('data', (part) => {
    text += part;
  });
  socket.write('POST /nothing HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n');
  await closed;
  expect(text.toLowerCase()).toContain('connection: close');
});

test('the answer for an unknown path names the path of GraphQL, for every method; the answer for a known path names its method', async () => {
  const post = async (path: string) => {
    const response = await request(`${gateway.gateway.url}${path}`, { method: 'POST', body: '{}' });
    return [response.statusCode, await response.body.text(), response.headers.allow];
  };
  for (const path of ['/api', '/graphql/', '/query'])
    expect(await post(path)).toEqual([404, expect.stringContaining('GraphQL is at /graphql'), undefined]);
  for (const path of ['/', '/health/live', '/metrics'])
    expect(await post(path)).toEqual([405, expect.stringContaining('GraphQL is at /graphql'), 'GET, HEAD']);
});

test('health names the parts that are not ready', async () => {
  expect((await get('/health/live')).status).toBe(200);
  const ready = await get('/health/ready');
  expect([ready.status, JSON.parse(ready.text)]).toEqual([
    200,
    expect.objectContaining({ ready: true, version: '1.2.3', commit: 'c0ffee' }),
  ]);
  databaseReady = false;
  const response = await get('/health/ready');
  databaseReady = true;
  expect(response.status).toBe(503);
  expect(JSON.parse(response.text).notReady).toEqual([{ name: 'database', ready: false, detail: 'socket gone' }]);
  databaseReady = false;
  const others = await get('/health/ready', { 'x-forwarded-for': '192.0.2.1' });
  const rebound = await raw('GET /health/ready HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  databaseReady = true;
  expect(JSON.parse(others.text).notReady).toEqual([{ name: 'database', ready: false }]);
  expect(rebound).toMatch(/^HTTP\/1.1 503 /);
  expect(rebound).not.toContain('socket gone');
});

test('a part that is not required is named, and the status stays 200', async () => {
  checksLate = true;
  const response = await get('/health/ready');
  checksLate = false;
  expect(response.status).toBe(200);
  const late = { name: 'checks', ready: false, required: false, detail: '24 s late' };
  expect(JSON.parse(response.text)).toMatchObject({ ready: true, notReady: [late] });
});

test('metrics are for this host, and not for clients of a proxy on it', async () => {
  await gateway.query('{ caller }');
  const metrics = await get('/metrics');
  expect(metrics.text).toMatch(/tidegate_gateway_requests_total\{kind="query",status="200"\} \d+/);
  for (const name of proxyHeaders) {
    const through = await get('/metrics', { [name]: 'for=192.0.2.1' });
    expect([name, through.status]).toEqual([name, 403]);
  }
  for (const host of ['evil.example', 'evil.example:4000', '127.0.0.1.evil.example', '192.0.2.1', ''])
    expect([host, await raw(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)]).toEqual([
      host,
      expect.stringMatching(/^HTTP\/1.1 403 /),
    ]);
  for (const host of ['localhost:4000', '[::1]:4000', '127.0.0.2'])
    expect(await raw(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /);
});

test('a request with two Host headers is refused, including socket upgrades', async () => {
  const [own, upgrade] = ['Host: localhost\r\n', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'];
  for (const [path, more] of [
    ['/metrics', 'Connection: close\r\n'],
    ['/health/live', 'Connection: close\r\n'],
    ['/graphql', `${upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`],
  ])
    for (const second of [own, 'hOST: evil.example\r\n'])
      expect([path, await raw(`GET ${path} HTTP/1.1\r\n${own}${second}${more}\r\n`)]).toEqual([
        path,
        expect.stringMatching(/^HTTP\/1.1 400 [\s\S]*several Host headers/),
      ]);
});

test('a POST that a page of another origin could send without a preflight is refused', async () => {
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data', 'application/jsonp']) {
    const refused = await gateway.post({ query: '{ caller }' }, 'token-ann', { 'content-type': type });
    expect([type, refused.status, refused.body.errors[0].message]).toEqual([
      type,
      415,
      expect.stringContaining('application/json'),
    ]);
  }
  expect((await get('/')).headers['access-control-allow-origin']).toBeUndefined();
});

test('GET never executes a mutation', async () => {
  const query = encodeURIComponent('mutation { thingCreate(name: "x") { id } }');
  const response = await get(`/graphql?query=${query}`, { authorization: 'Bearer token-ann' });
  expect(response.status).toBe(405);
  expect(gateway.world.calls.get('thingCreate')).toBeUndefined();
});

test('a question mark inside a query string is part of it', async () => {
  const query = encodeURIComponent('query ($id: ID!) { thing(id: $id) { name } }');
  const variables = encodeURIComponent('{"id":"who?"}').replaceAll('%3F', '?');
  const path = `/graphql?query=${query}&variables=${variables}`;
  const { status, text } = await get(path, { authorization: 'Bearer token-ann' });
  expect([status, JSON.parse(text).data]).toEqual([200, { thing: { name: 'thing who?' } }]);
});

test('a request that offers a protocol upgrade is answered like any other', async () => {
  const body = JSON.stringify({ query: '{ caller }' });
  // Java's client sends this with its first request without TLS.
  const head = [
    'POST /graphql HTTP/1.1',
    'host: 127.0.0.1',
    'connection: Upgrade, HTTP2-Settings, close',
    'upgrade: h2c',
    'http2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    'content-type: application/json',
    'authorization: Bearer token-ann',
    `content-length: ${body.length}`,
  ];
  const answer = await raw(`${head.join('\r\n')}\r\n\r\n${body}`);
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  expect(answer).toContain('"caller":"ann"');
});

test('an export is for clients that accept JSON lines, not JSON', async () => {
  const headers = { authorization: 'Bearer token-ann', accept: 'application/x-ndjson' };
  const { status, text } = await get('/export/things.ndjson', headers);
  expect([status, text]).toEqual([200, '{"id":"0"}\n{"id":"1"}\n{"after":"ThingConnection"}\n']);
});

test('an export that fails partway is cut off, and the gateway keeps running', async () => {
  const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    scalar JSON
    type Pages { list: [JSON!]! after: String! upToDate: Boolean! }
    type Query { pages(after: String): Pages! }`;
  // JSON cannot represent this number, but a resolver may get it from a database.
  const pages = (_: unknown, { after }: { after: string | null }) => ({
    list: [{ n: after === null ? 1 : 1n }],
    ...{ after: 'next', upToDate: false },
  });
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: { Query: { pages } } }]);
  const query = 'query ($after: String) { pages(after: $after) { list after upToDate } }';
  await using failing = await new TestGateway('in-process').start({
    supergraphSdl: composeSupergraph(new Map([['other', sdl]])),
    subgraphs: [{ subgraph: { name: 'other', schema } }],
    exports: [{ name: 'pages', query, field: 'pages', items: 'list' }],
  });
  const headers = { authorization: 'Bearer token-ann' };
  const { statusCode, body } = await request(`${failing.gateway.url}/export/pages.ndjson`, { headers });
  expect(statusCode).toBe(200);
  await expect(body.text()).rejects.toThrow();
  expect((await failing.query('{ __typename }')).status).toBe(200);
});

test('a subscription over HTTP is refused, and the message has the right address', async () => {
  const { status, body } = await gateway.query('subscription { thingChanges { cursor } }');
  expect([status, body.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST']);
  expect(body.errors[0].message).toContain('graphql-ws');
});

test('broken JSON and other methods are refused', async () => {
  expect((await gateway.post('{')).status).toBe(400);
  expect(await raw('DELETE /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 (400|405) /,
  );
  expect(await raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 405 /,
  );
});

test('a gateway that cannot start says why', async () => {
  // Introspection can't show an object as the default of a scalar.
  const bad = `${alphaSdl} scalar JSON input Bad { value: JSON = {} } extend type Query { bad(input: Bad): Int }`;
  const supergraphSdl = composeSupergraph(
    new Map([
      ['alpha', bad],
      ['beta', betaSdl],
    ]),
  );
  await expect(new TestGateway('in-process').start({ supergraphSdl })).rejects.toThrow('Cannot convert value to AST');
});

test("a request that does not accept JSON is refused, without a vendor's page", async () => {
  const response = await get('/graphql?query=%7B__typename%7D', { accept: 'text/html' });
  expect([response.status, response.headers['content-type']]).toEqual([406, 'application/json; charset=utf-8']);
});

test('an absolute URL as the target means its path', async () => {
  const ask = (target: string) =>
    raw(`GET ${target} HTTP/1.1\r\nHost: ${new URL(gateway.gateway.url).host}\r\nConnection: close\r\n\r\n`);
  const url = gateway.gateway.url;
  expect(await ask(`${url}/health/live`)).toMatch(/^HTTP\/1.1 200 /);
  expect(await ask(`${url}/graphql?query=%7B__typename%7D`)).toContain('{"data":{"__typename":"Query"}');
  expect(await ask(url)).toMatch(/^HTTP\/1.1 200 .*<title>Tidegate/s);
  expect(await ask(`${url}?a=b`)).toMatch(/^HTTP\/1.1 200 .*<title>Tidegate/s);
});

/** Sends the text as it is. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.gateway.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data) => {
      answer += String(data);
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
