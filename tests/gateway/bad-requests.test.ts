// Mistakes that a newcomer makes. Each answer has its own status and code, and says what was wrong, where, and what to do. Values from the
// request are not repeated, except names and ids.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { request } from 'undici';
import { WebSocket } from 'ws';
import type { Commits } from '../../platform/database/commits.ts';
import { unknownId } from '../../platform/errors/errors.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import { joinSdl } from '../../platform/graph/sdl.ts';
import { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import { Keyring } from '../../platform/secrets/keyring.ts';
import { encodeId, newUuid } from '../../platform/values/ids.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { keyFile } from '../support/product/test-context.ts';
import { TestGateway } from './support/gateway.ts';

const sdls = joinSdl(
  new Map([
    [
      'shop',
      `type Lamp implements Node @key(fields: "id") { id: ID! colour: Colour }
       enum Colour { RED GREEN BLUE }
       input LampInput { colour: Colour! watts: Int! secret: String }
       type Query { lamp(id: ID!): Lamp lamps(colour: Colour): [Lamp!] bright(lamp: LampInput!): String }`,
    ],
  ]),
);

/** A subgraph built like the product's own. */
function shop() {
  const resolvers = {
    Query: { lamp: () => null, lamps: () => [], bright: () => 'yes' },
    Lamp: { __resolveReference: () => null },
  };
  const commits = {} as unknown as Commits;
  const cursors = new CursorSealer(new Keyring(keyFile));
  return createSubgraph({ name: 'shop', sdl: sdls.get('shop') ?? '', commits, cursors, resolvers: [resolvers] });
}

let folder: TemporaryFolder;
let gateway: TestGateway;
beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(folder.path, { recursive: true });
  await writeFile(join(folder.path, 'index.html'), '<!doctype html><title>Tidegate</title>');
  await writeFile(join(folder.path, 'graphiql.html'), '<!doctype html><title>GraphiQL</title>');
  gateway = await new TestGateway('in-process').start({
    supergraphSdl: composeSupergraph(sdls),
    subgraphs: [{ subgraph: shop() }],
    staticFolder: folder.path,
  });
});
afterAll(async () => {
  await gateway?.stop();
  await folder?.remove();
});

interface Sent {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: unknown;
}

async function send({ method = 'POST', path = '/graphql', headers = {}, body }: Sent) {
  const own = {
    authorization: 'Bearer token-ann',
    ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    ...headers,
  };
  const sent = Object.entries(own).filter((entry): entry is [string, string] => entry[1] !== null);
  const response = await request(`${gateway.gateway.url}${path}`, {
    method,
    headers: Object.fromEntries(sent),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
}

const secret = 'hunter2-s3cret';
const me = { query: '{ __typename }' };
const named = { query: 'query First { __typename } query Second { __typename }' };
const bright = 'query ($lamp: LampInput!) { bright(lamp: $lamp) }';
const otherId = encodeId('Backend', newUuid());

const cases: readonly (readonly [string, Sent, number, string, string])[] = [
  // The credential
  [
    'a token without Bearer',
    { headers: { authorization: secret }, body: me },
    401,
    'UNAUTHENTICATED',
    'The Authorization header lacks the word Bearer: send it as "Authorization: Bearer TOKEN".',
  ],
  [
    'Bearer without a token',
    { headers: { authorization: 'Bearer ' }, body: me },
    401,
    'UNAUTHENTICATED',
    'The Authorization header has no token after Bearer: send the header "Authorization: Bearer TOKEN" with a token from the mutation login, or an API token.',
  ],
  [
    'a name and a password',
    { headers: { authorization: `Basic ${secret}` }, body: me },
    401,
    'UNAUTHENTICATED',
    'The Authorization header has the scheme Basic, and only Bearer is accepted: send the header "Authorization: Bearer TOKEN" with a token from the mutation login, or an API token.',
  ],
  [
    'a token in quotes',
    { headers: { authorization: `Bearer "${secret}"` }, body: me },
    401,
    'UNAUTHENTICATED',
    'The Authorization header has characters after Bearer that no token has: send "Bearer ", the token as it was given, and nothing else.',
  ],
  [
    'an old token',
    { headers: { authorization: `Bearer ${secret}` }, body: me },
    401,
    'UNAUTHENTICATED',
    'The credential is not valid or has expired: log in again.',
  ],
  [
    'no login',
    { headers: { authorization: null }, body: { query: '{ lamps { id } }' } },
    401,
    'UNAUTHENTICATED',
    'lamps requires a login: send the header "Authorization: Bearer …" with a token from the mutation login.',
  ],
  [
    'the schema with a bare token',
    { method: 'GET', path: '/graphql/schema.graphql', headers: { authorization: secret } },
    401,
    'UNAUTHENTICATED',
    'The Authorization header lacks the word Bearer: send it as "Authorization: Bearer TOKEN".',
  ],
  [
    'the schema without a login',
    { method: 'GET', path: '/graphql/schema.graphql', headers: { authorization: null } },
    401,
    'UNAUTHENTICATED',
    'The schema is shown to those who are logged in: send the header "Authorization: Bearer TOKEN" with a token from the mutation login, or an API token.',
  ],
  // The address and the method
  [
    'POST /',
    { path: '/', body: me },
    405,
    'BAD_REQUEST',
    'POST is not allowed at /, only GET. GraphQL is at /graphql.',
  ],
  [
    'a path under /graphql',
    { path: '/graphql/v1', body: me },
    404,
    'BAD_REQUEST',
    'There is nothing at "/graphql/v1". GraphQL is at /graphql, its schema at /graphql/schema.graphql, GraphiQL at /graphiql.',
  ],
  [
    'a slash too many',
    { path: '/graphql/', body: me },
    404,
    'BAD_REQUEST',
    'There is nothing at "/graphql/". GraphQL is at /graphql, its schema at /graphql/schema.graphql, GraphiQL at /graphiql.',
  ],
  [
    'the former path of the schema',
    { method: 'GET', path: '/schema.graphql' },
    404,
    'BAD_REQUEST',
    'There is nothing at "/schema.graphql". GraphQL is at /graphql, its schema at /graphql/schema.graphql, GraphiQL at /graphiql.',
  ],
  [
    'DELETE',
    { method: 'DELETE' },
    405,
    'BAD_REQUEST',
    'DELETE is not allowed at /graphql: POST a JSON body such as {"query": "{ me { name } }", "variables": {}}.',
  ],
  [
    'GET of a reload',
    { method: 'GET', path: '/graphql/reload' },
    405,
    'BAD_REQUEST',
    'GET is not allowed here, only POST.',
  ],
  [
    'GET without a query, of a program',
    { method: 'GET', headers: { accept: 'application/json' } },
    400,
    'BAD_REQUEST',
    'The request has no query: GET /graphql?query=…, or POST a JSON body. GraphiQL, for a browser, is at /graphiql.',
  ],
  [
    'GET with broken variables',
    { method: 'GET', path: `/graphql?query=%7B__typename%7D&variables=%7B${secret}` },
    400,
    'BAD_REQUEST',
    'variables in the query string is not a JSON object, such as {}.',
  ],
  [
    'GET with two queries',
    { method: 'GET', path: '/graphql?query=%7Ba%7D&query=%7Bb%7D' },
    400,
    'BAD_REQUEST',
    'query is in the query string more than once: give it once.',
  ],
  [
    'GET with two names of operations',
    { method: 'GET', path: `/graphql?documentId=${'a'.repeat(64)}&documentId=${'b'.repeat(64)}` },
    400,
    'BAD_REQUEST',
    'documentId is in the query string more than once: give it once.',
  ],
  // The body
  [
    'a form',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `query=${secret}` },
    415,
    'BAD_REQUEST',
    'The request has Content-Type "application/x-www-form-urlencoded": send it as Content-Type: application/json.',
  ],
  [
    'no content type',
    { headers: { 'content-type': null }, body: me },
    415,
    'BAD_REQUEST',
    'The request has no Content-Type: send it as Content-Type: application/json.',
  ],
  [
    'broken JSON',
    { body: `{"query": "{ __typename }",\n "variables": {"password": "${secret}"},}` },
    400,
    'BAD_REQUEST',
    'The request body is not JSON at line 2, column 46: send JSON, such as {"query": "{ me { name } }", "variables": {}}.',
  ],
  [
    'a document without JSON',
    { body: `query { login(name: "${secret}") }` },
    400,
    'BAD_REQUEST',
    'The request body is not JSON: put the GraphQL document into the field query, such as {"query": "{ me { name } }", "variables": {}}.',
  ],
  [
    'an empty body',
    { body: '' },
    400,
    'BAD_REQUEST',
    'The request body is empty: send JSON such as {"query": "{ me { name } }", "variables": {}}.',
  ],
  [
    'several operations in a list',
    { body: [me, me] },
    400,
    'BAD_REQUEST',
    'The body is a list: send each operation in a request of its own, such as {"query": "{ me { name } }", "variables": {}}.',
  ],
  [
    'a string',
    { body: JSON.stringify(secret) },
    400,
    'BAD_REQUEST',
    'The body is not a JSON object: send one such as {"query": "{ me { name } }", "variables": {}}.',
  ],
  [
    'a misspelled field',
    { body: { qeury: secret, variables: {} } },
    400,
    'BAD_REQUEST',
    'The body has no query (it has "qeury", "variables"): send one such as {"query": "{ me { name } }", "variables": {}}.',
  ],
  [
    'a query that is an object',
    { body: { query: { secret } } },
    400,
    'BAD_REQUEST',
    'query is an object: send the GraphQL document as a string.',
  ],
  [
    'variables as text',
    { body: { ...me, variables: `{"a": "${secret}"}` } },
    400,
    'BAD_REQUEST',
    'variables is a string: send the object itself, not its JSON text.',
  ],
  [
    'variables in a list',
    { body: { ...me, variables: [] } },
    400,
    'BAD_REQUEST',
    'variables is a list: send an object such as {}.',
  ],
  [
    'an operation name that is a number',
    { body: { ...me, operationName: 7 } },
    400,
    'BAD_REQUEST',
    'operationName is a number: send the name of an operation of the document, or leave it out.',
  ],
  // The document
  [
    'an unknown operation name',
    { body: { ...named, operationName: 'Third' } },
    200,
    'OPERATION_RESOLUTION_FAILURE',
    'The document has no operation named "Third"; it has First, Second.',
  ],
  [
    'the name of an operation without one',
    { body: { ...me, operationName: 'Third' } },
    200,
    'OPERATION_RESOLUTION_FAILURE',
    'The document has no operation named "Third", and its own has no name: leave operationName out.',
  ],
  [
    'no operation name where it is needed',
    { body: named },
    200,
    'OPERATION_RESOLUTION_FAILURE',
    'The document has 2 operations (First, Second): send the name of one as operationName.',
  ],
  [
    'fragments alone',
    { body: { query: 'fragment F on Lamp { id }' } },
    200,
    'OPERATION_RESOLUTION_FAILURE',
    'The document has no operation, only fragments: add the query or mutation to execute.',
  ],
  [
    'a field that is nearly right',
    { body: { query: '{ lamsp { id } }' } },
    200,
    'GRAPHQL_VALIDATION_FAILED',
    'Cannot query field "lamsp" on type "Query". Did you mean "lamp" or "lamps"?',
  ],
  [
    'an enum value that is nearly right',
    { body: { query: '{ lamps(colour: GREAN) { id } }' } },
    200,
    'GRAPHQL_VALIDATION_FAILED',
    'Value "GREAN" does not exist in "Colour" enum. Did you mean the enum value "GREEN" or "RED"?',
  ],
  [
    'an enum value like no other',
    { body: { query: '{ lamps(colour: MAUVEISH) { id } }' } },
    200,
    'GRAPHQL_VALIDATION_FAILED',
    'Value "MAUVEISH" does not exist in "Colour" enum. Its values are RED, GREEN, BLUE.',
  ],
  // The variables
  [
    'a missing variable',
    { body: { query: bright } },
    200,
    'INVALID_INPUT',
    'Variable "$lamp" of required type "LampInput!" was not provided. Send it in the field variables, beside query.',
  ],
  [
    'a missing field',
    { body: { query: bright, variables: { lamp: { colour: 'RED', secret } } } },
    200,
    'INVALID_INPUT',
    'Variable "$lamp" got an invalid value; Field "watts" of required type "Int!" was not provided.',
  ],
  [
    'an enum value in a variable that is nearly right',
    { body: { query: bright, variables: { lamp: { colour: 'red', watts: 1, secret } } } },
    200,
    'INVALID_INPUT',
    'Variable "$lamp" got an invalid value at "lamp.colour"; Value "red" does not exist in "Colour" enum. Did you mean the enum value "RED"?',
  ],
  [
    'an enum value in a variable like no other',
    { body: { query: bright, variables: { lamp: { colour: 'MAUVEISH', watts: 1 } } } },
    200,
    'INVALID_INPUT',
    'Variable "$lamp" got an invalid value at "lamp.colour"; Value "MAUVEISH" does not exist in "Colour" enum. Its values are RED, GREEN, BLUE.',
  ],
  [
    'a number in place of an enum value',
    { body: { query: bright, variables: { lamp: { colour: 7, watts: 1 } } } },
    200,
    'INVALID_INPUT',
    'Variable "$lamp" got an invalid value at "lamp.colour"; Enum "Colour" cannot represent non-string value.',
  ],
  // The id
  [
    'the id of something else',
    { body: { query: `{ lamp(id: "${otherId}") { id } }` } },
    200,
    'INVALID_INPUT',
    `id: no Lamp has the id "${otherId}", which is the id of a Backend.`,
  ],
];

test.each(cases)('%s', async (_what, sent, status, code, words) => {
  const answer = await send(sent);
  const { errors } = JSON.parse(answer.text) as { errors: { message: string; extensions: { code: string } }[] };
  expect([answer.status, errors.map(({ message, extensions }) => [extensions.code, message])]).toEqual([
    status,
    [[code, words]],
  ]);
  expect(answer.text).not.toContain(secret);
  if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
  if (status === 405) expect(answer.headers.allow).toBeDefined();
});

describe('a browser that opens /graphql', () => {
  // The header that Chromium and Firefox send.
  const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

  test.each(['GET', 'HEAD'] as const)('is redirected to GraphiQL (%s)', async (method) => {
    const { status, headers, text } = await send({ method, headers: { accept, authorization: null } });
    expect([status, headers.location, text]).toEqual([303, 'graphiql', '']);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', vary: expect.stringContaining('accept') });
    expect((await send({ method: 'GET', path: '/graphiql' })).text).toContain('GraphiQL');
  });

  test('with a query gets its answer', async () => {
    const { status, text } = await send({
      method: 'GET',
      path: '/graphql?query=%7B__typename%7D',
      headers: { accept },
    });
    expect([status, JSON.parse(text).data]).toEqual([200, { __typename: 'Query' }]);
  });

  test('gets the address of GraphQL if there are no pages', async () => {
    const bare = await new TestGateway('in-process').start();
    const response = await request(`${bare.gateway.url}/graphql`, { headers: { accept } });
    await bare.stop();
    expect([response.statusCode, await response.body.text()]).toEqual([
      400,
      expect.stringContaining('The request has no query'),
    ]);
  });
});

test('a socket with a bare token gets a message that says what connection_init needs', async () => {
  const client = createClient({
    url: `${gateway.gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: secret },
    retryAttempts: 0,
  });
  const closed = await new Promise<{ code: number; reason: string }>((resolve) => {
    client.subscribe(
      { query: '{ __typename }' },
      { next() {}, complete() {}, error: (error) => resolve(error as never) },
    );
  });
  await client.dispose();
  expect([closed.code, closed.reason]).toEqual([
    4403,
    'No bearer token: connection_init needs {"authorization": "Bearer …"}, or the upgrade that header.',
  ]);
});

test('a query for an id or a name finds nothing for an unknown name', async () => {
  const { text } = await send({ body: { query: '{ lamp(id: "12") { id } }' } });
  expect(JSON.parse(text)).toMatchObject({ data: { lamp: null } });
});

test('the error of a mutation explains the form of an id, and the type of the given one', () => {
  const known = encodeId('Backend', newUuid());
  expect(unknownId('Backend', known)).toBe(`no Backend has the id "${known}"`);
  expect(unknownId('Lamp', known)).toBe(`no Lamp has the id "${known}", which is the id of a Backend`);
  for (const text of ['12', 'lab-firewall'])
    expect(unknownId('Backend', text)).toBe(
      `no Backend has the id "${text}": an id is a text from an earlier answer of the graph, such as "QmFja2VuZD…"`,
    );
});
