// A subgraph over HTTP that is down, hangs, or drops a connection. Its fields are null with a path, the rest is answered, and no mutation is
// sent twice.
// needs: processes
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { HttpLink } from '../../gateway/supergraph/http-link.ts';
import type { GatewayContext } from '../../gateway/supergraph/subgraph-link.ts';
import { until } from '../support/machine/temporary-folder.ts';
import { testPair } from '../support/product/signing-keys.ts';
import { modes, TestGateway } from './support/gateway.ts';

describe('a lost subgraph', () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await new TestGateway('HTTP').start();
  });
  afterEach(() => gateway.stop());

  test('its fields are null with their paths, and the other fields are present', async () => {
    await gateway.served('beta').stop();
    const { status, body } = await gateway.query(
      '{ thing(id: "1") { id price } things(first: 2) { nodes { name cost: price } } prices }',
    );
    expect(status).toBe(200);
    expect(body.data).toEqual({
      thing: { id: '1', price: null },
      things: {
        nodes: [
          { name: 'thing 0', cost: null },
          { name: 'thing 1', cost: null },
        ],
      },
      prices: null,
    });
    const paths = body.errors.map((error: { path: unknown[] }) => error.path.join('.')).sort();
    expect(paths).toEqual(['prices', 'thing.price', 'things.nodes.0.cost', 'things.nodes.1.cost']);
    for (const error of body.errors)
      expect(error.extensions).toEqual({ code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'beta' });
  });

  test('readiness names it', async () => {
    await gateway.served('beta').stop();
    const response = await fetch(`${gateway.gateway.url}/health/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ notReady: [{ name: 'subgraph beta' }] });
  });

  test('a query is abandoned at its deadline, and a mutation is reported as uncertain', async () => {
    await gateway.stop();
    gateway = new TestGateway('HTTP');
    gateway.deadlinesMs.set('alpha', 150);
    await gateway.start({ mutationDeadlineMs: 1_500 });
    const query = await gateway.query('{ slow caller }');
    expect(query.body.errors[0].extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
    gateway.world.release();
    const mutation = await gateway.query('mutation { slowSet }');
    expect(mutation.body.errors[0].message).toContain('same idempotencyKey');
    expect(gateway.world.calls.get('slowSet')).toBe(1);
    gateway.world.release();
  });
});

describe.each(modes)('a subgraph that is too slow, %s', (mode) => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = new TestGateway(mode);
    gateway.deadlinesMs.set('beta', 1_000);
    await gateway.start();
  });
  afterEach(() => gateway.stop());

  test('its fields are null with their paths at the deadline, and the rest is answered', async () => {
    const late = Promise.withResolvers<void>();
    gateway.world.beforePrice = () => late.promise;
    gateway.world.prices.set('2', 5);
    const { body } = await gateway.query(
      '{ thing(id: "2") { name cost: price } things(first: 1) { nodes { id price } } }',
    );
    expect(body.data).toEqual({
      thing: { name: 'thing 2', cost: null },
      things: { nodes: [{ id: '0', price: null }] },
    });
    const paths = body.errors.map((error: { path: unknown[] }) => error.path.join('.')).sort();
    expect(paths).toEqual(['thing.cost', 'things.nodes.0.price']);
    for (const error of body.errors)
      expect(error.extensions).toEqual({ code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'beta' });
    // A late answer has no effect.
    late.resolve();
    await until(() => gateway.world.waiting === 0);
    const again = await gateway.query('{ thing(id: "2") { price } }');
    expect(again.body.data).toEqual({ thing: { price: 5 } });
  });

  test('a mutation continues', async () => {
    const asked = gateway.query('mutation { slowSet }');
    await until(() => gateway.world.calls.get('slowSet') === 1);
    gateway.world.beforePrice = () => new Promise(() => undefined);
    // The deadline of this query is later than that of the mutation would have been.
    const query = await gateway.query('{ thing(id: "2") { price } }');
    expect(query.body.errors).toMatchObject([{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }]);
    gateway.world.release();
    expect((await asked).body.data).toEqual({ slowSet: 1 });
  });
});

describe('a connection dropped during a request', () => {
  let server: Server;
  let requests: string[];
  let link: HttpLink;
  const sockets = new Set<Socket>();
  beforeEach(async () => {
    requests = [];
    server = createServer((socket) => {
      sockets.add(socket);
      socket.once('data', (data) => {
        requests.push(String(data));
        socket.destroy();
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    link = new HttpLink({
      name: 'beta',
      urls: [`http://127.0.0.1:${port}`],
      signingKeys: testPair('gateway').signingKeys,
      log: pino({ level: 'silent' }),
      queryDeadlineMs: 5000,
      mutationDeadlineMs: 5000,
    });
  });
  afterEach(async () => {
    await link.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const ask = (text: string, more: Partial<GatewayContext> = {}) =>
    link.execute({
      text,
      document: parse(text),
      variables: {},
      operationName: undefined,
      context: { identity: null, requestId: 'r', loaders: new Map(), ...more },
    });

  test("the caller's trace and the request id are passed on", async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await ask('{ prices }', { trace: { traceparent, tracestate: 'a=1' } });
    for (const header of [`traceparent: ${traceparent}`, 'tracestate: a=1', 'x-request-id: r'])
      expect(requests[0]).toContain(`\r\n${header}\r\n`);
  });

  test('a mutation is sent once', async () => {
    const result = await ask('mutation { priceSet(id: "1", price: 1) }');
    expect(result.errors).toMatchObject([{ path: ['priceSet'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }]);
    expect(requests).toHaveLength(1);
  });

  test('a query is sent at most twice', async () => {
    const result = await ask('{ prices }');
    expect(result.errors).toHaveLength(1);
    expect(requests).toHaveLength(2);
  });
});

test('a client that disconnects cancels its query at the subgraph', async () => {
  await using gateway = await new TestGateway('HTTP').start();
  const controller = new AbortController();
  const asked = fetch(`${gateway.gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer token-ann' },
    body: JSON.stringify({ query: '{ slow }' }),
    signal: controller.signal,
  }).catch(() => 'hung up');
  await until(() => gateway.world.calls.get('slow') === 1);
  controller.abort();
  expect(await asked).toBe('hung up');
  gateway.world.release();
});
