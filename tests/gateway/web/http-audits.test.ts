// GraphQL over HTTP: the server audits of graphql-http, with and without a credential, and requests that the audits do not cover.
// needs: processes
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { request } from 'undici';
import { TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await new TestGateway('in-process').start();
});
afterAll(() => gateway.stop());

const credentials: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'with a credential': { authorization: 'Bearer token-ann' },
  'without a credential': {},
};

describe.each(Object.entries(credentials))('audits %s', (_name, own) => {
  const fetchFn = (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), ...own } });
  const audits = serverAudits({ url: () => `${gateway.gateway.url}/graphql`, fetchFn });

  test('audits are found', () => {
    expect(audits.length).toBeGreaterThanOrEqual(61);
  });

  test.each(audits.map((audit) => [`${audit.id} ${audit.name}`, audit] as const))('%s', async (_title, audit) => {
    const result = await audit.fn();
    expect(result).toMatchObject({ status: 'ok' });
  });
});

test.each(['utf-16', 'iso-8859-1', '"us-ascii"', 'utf-8x'])('a body in %s is refused', async (charset) => {
  const type = `application/json; charset=${charset}`;
  const { status, body } = await gateway.post({ query: '{ caller }' }, 'token-ann', { 'content-type': type });
  expect([status, body.errors[0].message]).toEqual([415, expect.stringContaining('UTF-8')]);
});

test.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8'])('a body in %s is accepted', async (charset) => {
  const type = `application/json;charset=${charset}`;
  expect((await gateway.post({ query: '{ caller }' }, 'token-ann', { 'content-type': type })).status).toBe(200);
});

test('a body with invalid UTF-8 is refused, because the bytes would be replaced and stored so', async () => {
  const calls = gateway.world.calls.get('thingCreate');
  const body = Buffer.from(JSON.stringify({ query: 'mutation { thingCreate(name: "Müller") { id } }' }), 'latin1');
  const headers = { 'content-type': 'application/json', authorization: 'Bearer token-ann' };
  const answer = await request(`${gateway.gateway.url}/graphql`, { method: 'POST', headers, body });
  expect([answer.statusCode, gateway.world.calls.get('thingCreate')]).toEqual([400, calls]);
  expect(await answer.body.text()).toContain('not UTF-8');
});

test.each(['variables', 'extensions'])('%s with null in a query string count as absent', async (name) => {
  const { status, body } = await gateway.get({ query: '{ caller }', [name]: 'null' });
  expect([status, body.data]).toEqual([200, { caller: 'ann' }]);
});

test('a compressed body is refused, and nothing is unpacked', async () => {
  const response = await request(`${gateway.gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(JSON.stringify({ query: '{ __typename }' })),
  });
  expect([response.statusCode, response.headers['accept-encoding']]).toEqual([415, 'identity']);
  expect(await response.body.text()).toContain('without Content-Encoding');
});

test.each(['text/html', 'image/*', 'application/json;q=0', 'application/json;charset=utf-16', 'nonsense', ',,,;;;='])(
  'a mutation is not executed for a client that accepts only %s',
  async (accept) => {
    const calls = gateway.world.calls.get('thingCreate');
    const { status } = await gateway.post({ query: 'mutation { thingCreate(name: "x") { id } }' }, 'token-ann', {
      accept,
    });
    expect([status, gateway.world.calls.get('thingCreate')]).toEqual([406, calls]);
  },
);

const coercion = {
  query: 'query Q($first: Int!) { things(first: $first) { nodes { id } } }',
  variables: { first: 'x' },
};
test.each([
  ['application/json', { query: '{' }, 200],
  ['application/json', { query: '{ nothing }' }, 200],
  ['application/json', coercion, 200],
  ['application/json', { query: 'query A { caller } query B { caller }' }, 200],
  ['application/graphql-response+json', { query: '{' }, 400],
  ['application/graphql-response+json', { query: '{ nothing }' }, 400],
  ['application/graphql-response+json', coercion, 400],
  ['application/graphql-response+json', { query: 'query A { caller } query B { caller }' }, 400],
])('for %s, the status of %j is %i', async (accept, body, expected) => {
  const { status, body: answer } = await gateway.post(body, 'token-ann', { accept });
  expect([status, answer.data, answer.errors.length]).toEqual([expected, undefined, 1]);
});

test('without a login, __type shows a name and nothing else', async () => {
  const asked = (selection: string) => gateway.query(`{ __type(name: "Thing") { ${selection} } }`, undefined, '');
  expect((await asked('name')).body.data).toEqual({ __type: { name: 'Thing' } });
  for (const more of ['name fields { name }', 'description', '... on __Type { kind }', 'name: description'])
    expect([more, (await asked(more)).status]).toEqual([more, 401]);
  expect((await gateway.query('{ __schema { queryType { name } } }', undefined, '')).status).toBe(401);
});

test('HEAD has the headers of GET, and no body', async () => {
  const url = `${gateway.gateway.url}/graphql?query=${encodeURIComponent('{ caller }')}`;
  const headers = { authorization: 'Bearer token-ann' };
  const got = await request(url, { headers });
  expect(await got.body.json()).toMatchObject({ data: { caller: 'ann' } });
  const head = await request(url, { method: 'HEAD', headers });
  expect(await head.body.text()).toBe('');
  for (const name of ['content-type', 'content-length'])
    expect([name, head.headers[name]]).toEqual([name, got.headers[name]]);
});
