// The SDL over HTTP: which clients can read it, that it is sent only once, and that it is the SDL of the current graph.
// needs: processes
import { afterEach, expect, test } from '@jest/globals';
import { buildSchema } from 'graphql';
import { request } from 'undici';
import type { GatewayOptions } from '../../../gateway/gateway.ts';
import { schemaPath } from '../../../gateway/http/schema-files.ts';
import { TestGateway, testIdentity } from '../support/gateway.ts';
import { betaSdl } from '../support/subgraphs.ts';

const adminPath = '/graphql/schema/admin.graphql';
const authorization = 'Bearer token-ann';

let gateway: TestGateway;
afterEach(() => gateway.stop());

async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  gateway = new TestGateway('in-process');
  gateway.authenticator.identities.set('token-root', { ...testIdentity('root', {}), admin: true });
  await gateway.start(options);
}

async function ask(path: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' | 'POST' = 'GET') {
  const response = await request(`${gateway.gateway.url}${path}`, { method, headers });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
}

test('clients that may introspect can read it', async () => {
  await start();
  for (const path of [schemaPath, adminPath]) {
    const nobody = await ask(path);
    expect([nobody.status, nobody.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(nobody.text).toContain('UNAUTHENTICATED');
    expect((await ask(path, { authorization: 'Bearer no-such-token' })).status).toBe(401);
    const shown = await ask(path, { authorization });
    expect(shown.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'private, no-cache',
    });
    expect(buildSchema(shown.text).getQueryType()?.getFields()).toHaveProperty('thing');
  }
  gateway.authenticator.away = true;
  expect((await ask(schemaPath, { authorization: 'Bearer token-away' })).status).toBe(503);
});

test('an unchanged SDL is not sent again, and HEAD has no body', async () => {
  await start();
  const { headers, text } = await ask(schemaPath, { authorization });
  const etag = String(headers.etag);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await ask(schemaPath, { authorization, 'if-none-match': known });
    expect([known, again.status, again.text, again.headers.etag]).toEqual([known, 304, '', etag]);
  }
  const changed = await ask(schemaPath, { authorization, 'if-none-match': '"other"' });
  expect([changed.status, changed.text]).toEqual([200, text]);
  const head = await ask(schemaPath, { authorization }, 'HEAD');
  expect([head.status, head.text, head.headers.etag]).toEqual([200, '', etag]);
  expect(head.headers['content-length']).toBe(headers['content-length']);
});

test('another method is refused, even with a login', async () => {
  await start();
  const refused = await ask(schemaPath, { authorization }, 'POST');
  expect([refused.status, refused.headers.allow]).toEqual([405, 'GET, HEAD']);
});

test('graph.publicSchema shows the public part, and nothing else, to everybody', async () => {
  await start({ limits: { publicSchema: true } });
  const shown = await ask(schemaPath);
  expect([shown.status, shown.headers['cache-control']]).toEqual([200, 'public, no-cache']);
  expect(shown.text).toContain('type Thing');
  expect((await ask(adminPath)).status).toBe(401);
  expect((await gateway.query('{ __schema { queryType { name } } }', undefined, '')).status).toBe(401);
});

test('graph.publicSchema also works without introspection, which by itself shows nothing', async () => {
  await start({ limits: { publicSchema: true, introspection: false } });
  expect([(await ask(schemaPath)).status, (await ask(adminPath, { authorization })).status]).toEqual([200, 403]);
});

test('after a reload the SDL is that of the new graph, with another ETag', async () => {
  const newer = () => gateway.graph({ beta: betaSdl.replace('discount(', 'rebate(') });
  await start({ readGraph: async () => ({ needRestart: [], ...newer() }) });
  const before = await ask(schemaPath, { authorization });
  const reloaded = await ask('/graphql/reload', { authorization: 'Bearer token-root' }, 'POST');
  expect([reloaded.status, reloaded.text]).toEqual([200, expect.stringContaining('data')]);
  const after = await ask(schemaPath, { authorization, 'if-none-match': String(before.headers.etag) });
  expect([before.text.includes('rebate('), after.status, after.text.includes('rebate(')]).toEqual([false, 200, true]);
});
