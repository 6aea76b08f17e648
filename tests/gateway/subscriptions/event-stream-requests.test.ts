// Requests for event streams: which are accepted, which are refused, and in which form.
// needs: processes
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../../support/machine/temporary-folder.ts';
import { EventClient, stream } from '../support/event-client.ts';
import { Collector, TestGateway, testIdentity } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await new TestGateway('in-process').start({
    corsOrigins: ['https://app.example'],
    socketLimits: { maxSocketsPerUser: 2, maxSubscriptionsPerUser: 2 },
  });
});
afterAll(() => gateway.stop());

const finished = async (opening: Parameters<typeof EventClient.open>[1], at = gateway) => {
  const client = await EventClient.open(at.gateway.url, opening);
  await until(() => client.done);
  return client;
};

const nothingLeft = async () => {
  await until(() => gateway.world.log.open === 0);
  for (const name of ['upstreams', 'subscriptions', 'event_streams', 'sockets'])
    await until(async () => (await gateway.metric(`tidegate_gateway_${name}`)) === 0);
};

test('queries and mutations get one result, and a mutation by GET is refused', async () => {
  const query = await finished({ method: 'GET', query: '{ caller }' });
  expect([query.response.status, query.response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  expect(query.events).toMatchObject([
    { event: 'next', data: { data: { caller: 'ann' }, extensions: { requestId: expect.any(String) } } },
    { event: 'complete', data: '' },
  ]);
  const mutation = 'mutation { thingCreate(name: "x") { id } }';
  const created = await finished({ query: mutation });
  expect(created.results).toMatchObject([{ data: { thingCreate: { id: 'x' } } }]);
  const refused = await finished({ method: 'GET', query: mutation });
  expect([refused.response.status, refused.response.headers.get('allow')]).toEqual([405, 'POST']);
  expect(gateway.world.calls.get('thingCreate')).toBe(1);
});

test('without a valid login the answer is 401 with the code', async () => {
  for (const token of ['', 'no-such-token']) {
    const refused = await finished({ token });
    expect([refused.response.status, refused.response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(JSON.parse(refused.text)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  }
  gateway.authenticator.away = true;
  expect((await finished({ token: 'token-never-seen' })).response.status).toBe(503);
  gateway.authenticator.away = false;
  expect(gateway.world.log.open).toBe(0);
});

test('an invalid or too large document is refused in the stream', async () => {
  const cases = [
    ['subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription {', 'GRAPHQL_PARSE_FAILED'],
    ['subscription ($p: String!) { thingChanges(prefix: $p) { cursor } }', 'GRAPHQL_VALIDATION_FAILED'],
    [`{ thing(id: "1") { ${'parent { '.repeat(13)}id${' }'.repeat(13)} } }`, 'LIMIT_EXCEEDED'],
    ['subscription { thingChanges @include(if: true) { cursor } }', 'INVALID_INPUT'],
  ] as const;
  for (const [query, code] of cases) {
    const refused = await finished({ query });
    expect(refused.response.status).toBe(200);
    expect(refused.events).toMatchObject([
      { event: 'next', data: { errors: [{ extensions: { code } }] } },
      { event: 'complete' },
    ]);
  }
  expect(gateway.world.log.open).toBe(0);
});

test.each([
  ['an operation name', { query: stream, operationName: 7 }],
  ['variables', { query: stream, variables: 'x' }],
  ['a document', { query: 7 }],
])('%s of the wrong type is refused in the stream', async (_, body) => {
  const refused = await gateway.post(body, 'token-ann', { accept: 'text/event-stream' });
  expect([refused.status, refused.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  expect(refused.body).toMatch(/^event: next\ndata: \{"errors":.*BAD_REQUEST.*\n\nevent: complete\ndata:\n\n$/);
});

test.each(['application/json', '*/*', 'application/graphql-response+json', 'text/event-stream;q=0, */*'])(
  'a subscription with Accept: %s is refused, and the message names both ways',
  async (accept) => {
    const { body } = await gateway.post({ query: stream }, 'token-ann', { accept });
    expect(body.errors[0].message).toContain('graphql-ws');
    expect(body.errors[0].message).toContain('text/event-stream');
    expect(gateway.world.log.open).toBe(0);
  },
);

test('a client that accepts both gets JSON for a query and a stream for a subscription', async () => {
  const headers = {
    accept: 'application/graphql-response+json, application/json, Text/Event-Stream, multipart/mixed',
  };
  const query = await finished({ query: '{ caller }', headers });
  expect(JSON.parse(query.text)).toMatchObject({ data: { caller: 'ann' } });
  const subscription = await EventClient.begun(gateway.gateway.url, { headers });
  subscription.cancel();
  await nothingLeft();
});

test('the media type of event streams can have a charset', async () => {
  const headers = { accept: 'text/event-stream; charset=utf-8' };
  const query = await finished({ query: '{ caller }', headers });
  expect(query.results).toMatchObject([{ data: { caller: 'ann' } }]);
  (await EventClient.begun(gateway.gateway.url, { headers })).cancel();
  await nothingLeft();
});

test('other media types are refused with 406', async () => {
  const { status, body } = await gateway.post({ query: stream }, 'token-ann', { accept: 'text/html' });
  expect([status, body.errors[0].message]).toEqual([406, expect.stringContaining('text/event-stream')]);
});

test('streams count as sockets of their user, and as subscriptions', async () => {
  const first = await EventClient.begun(gateway.gateway.url);
  const socket = new Collector(gateway.client(), stream);
  await until(() => socket.items.length > 0);
  const refused = await finished({});
  expect(refused.results).toMatchObject([
    { errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'sockets of one user', most: 2 } }] },
  ]);
  socket.cancel();
  await until(async () => (await gateway.metric('tidegate_gateway_sockets')) === 0);
  const others = await EventClient.begun(gateway.gateway.url, { token: 'token-bob' });
  first.cancel();
  await until(async () => (await gateway.metric('tidegate_gateway_event_streams')) === 1);
  const next = await EventClient.begun(gateway.gateway.url);
  for (const client of [others, next]) client.cancel();
  await nothingLeft();
});

test('the subscriptions of a user and all sockets of the gateway are limited', async () => {
  await using small = await new TestGateway('in-process').start({
    socketLimits: { maxSockets: 2, maxSubscriptionsPerUser: 1 },
  });
  const ann = await EventClient.begun(small.gateway.url);
  const second = await finished({}, small);
  expect(second.results).toMatchObject([
    { errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'subscriptions of one user', most: 1 } }] },
  ]);
  const bob = await EventClient.begun(small.gateway.url, { token: 'token-bob' });
  const third = await finished({ token: 'token-eve' }, small);
  expect(third.results).toMatchObject([
    { errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'sockets', most: 2 } }] },
  ]);
  for (const client of [ann, bob]) client.cancel();
});

test('a page of a listed origin can read a stream', async () => {
  const client = await EventClient.begun(gateway.gateway.url, { headers: { origin: 'https://app.example' } });
  expect(client.response.headers.get('access-control-allow-origin')).toBe('https://app.example');
  client.cancel();
  await nothingLeft();
});

test('a client that disconnects while its credential is checked leaves nothing behind', async () => {
  const { authenticator } = gateway;
  const authenticate = authenticator.authenticate.bind(authenticator);
  let [asked, release] = [false, () => {}];
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  authenticator.identities.set('token-slow', testIdentity('slow'));
  authenticator.authenticate = async (bearer) => {
    if (bearer === 'token-slow') {
      asked = true;
      await released;
    }
    return authenticate(bearer);
  };
  const before = await gateway.metric('tidegate_gateway_requests_total');
  const socket = connect(gateway.gateway.port, '127.0.0.1');
  socket.write(
    `GET /graphql?query=${encodeURIComponent(stream)} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer token-slow\r\n\r\n`,
  );
  await until(() => asked);
  socket.destroy();
  // In the meantime the gateway notices the end of the connection.
  for (let n = 0; n < 3; n += 1) await gateway.query('{ caller }');
  release();
  await until(async () => (await gateway.metric('tidegate_gateway_requests_total')) === before + 4);
  await nothingLeft();
  authenticator.authenticate = authenticate;
});

test('a stream after another answer on the same connection is refused', async () => {
  const head = `GET /graphql?query=${encodeURIComponent(stream)} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer token-ann\r\n\r\n`;
  const before = await gateway.metric('tidegate_gateway_requests_total');
  const socket = connect(gateway.gateway.port, '127.0.0.1');
  socket.write(head + head);
  await until(async () => (await gateway.metric('tidegate_gateway_requests_total')) === before + 2);
  expect(await gateway.metric('tidegate_gateway_event_streams')).toBe(1);
  socket.destroy();
  await nothingLeft();
});
