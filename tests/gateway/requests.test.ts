// Queries and mutations over two subgraphs, in-process and over HTTP.
// needs: load
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { until } from '../support/machine/temporary-folder.ts';
import { answered } from './support/answered.ts';
import { Collector, modes, TestGateway } from './support/gateway.ts';

describe.each(modes)('requests, subgraphs %s', (mode) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await new TestGateway(mode).start();
  });
  beforeEach(() => {
    const { calls, batches, prices } = gateway.world;
    for (const each of [calls, prices]) each.clear();
    batches.length = 0;
  });
  afterAll(() => gateway.stop());

  test('a query joins fields of both subgraphs, with aliases, variables and fragments', async () => {
    gateway.world.prices.set('7', 70);
    const { status, body } = await gateway.query(
      `query Q($id: ID!, $percent: Int!) { one: thing(id: $id) { ...F cheap: discount(percent: $percent) } }
       fragment F on Thing { id title: name price }`,
      { id: '7', percent: 10 },
    );
    expect(status).toBe(200);
    expect(body).toEqual({ ...answered, data: { one: { id: '7', title: 'thing 7', price: 70, cheap: 63 } } });
  });

  test('an interface is resolved to its type, and the entities of a list are loaded in one batch', async () => {
    gateway.world.prices.set('1', 10);
    const { body } = await gateway.query(
      '{ node(id: "1") { __typename id ... on Thing { price } } things(first: 3) { nodes { id price } } }',
    );
    expect(body.data.node).toEqual({ __typename: 'Thing', id: '1', price: 10 });
    expect(body.data.things.nodes.map((node: { price: number | null }) => node.price)).toEqual([null, 10, null]);
    // In this process two fetches may share a batch. There is never one batch for each entity.
    expect(gateway.world.batches.length).toBeLessThanOrEqual(2);
  });

  test('a mutation is executed once, and its entity is then completed', async () => {
    const { body } = await gateway.query('mutation { thingCreate(name: "x") { id name price } }');
    expect(body).toEqual({ ...answered, data: { thingCreate: { id: 'x', name: 'thing x', price: null } } });
    expect(gateway.world.calls.get('thingCreate')).toBe(1);
  });

  test("the subgraph gets the caller's identity, the gateway's request id and the caller's request id", async () => {
    const asked = { query: '{ caller requestId callerRequestId }' };
    const { body, headers } = await gateway.post(asked, 'token-bob', { 'x-request-id': 'trace-1' });
    const ours = headers['x-request-id'];
    expect(ours).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toEqual({ ...answered, data: { caller: 'bob', requestId: ours, callerRequestId: 'trace-1' } });
    const again = await gateway.post(asked, 'token-bob', { 'x-request-id': 'trace-1' });
    expect(again.headers['x-request-id']).not.toBe(ours);
  });

  test.each(['a b"c', 'x'.repeat(65), ''])("a caller's invalid request id is left out: %j", async (id) => {
    const { body } = await gateway.post({ query: '{ callerRequestId }' }, 'token-bob', { 'x-request-id': id });
    expect(body).toEqual({ ...answered, data: { callerRequestId: null } });
  });

  test.each<[Record<string, string>, string, string]>([
    [{ 'tidegate-dry-run': 'yes' }, 'mutation { thingCreate(name: "x") { id } }', 'tidegate-dry-run must be true'],
    [{ 'tidegate-source': 'A b' }, 'mutation { thingCreate(name: "x") { id } }', 'tidegate-source must have 1 to 63'],
    [{ 'tidegate-dry-run': 'true' }, '{ caller }', 'are for mutations only'],
    [{ 'tidegate-source': 'site' }, '{ caller }', 'are for mutations only'],
  ])('the headers of mutations %j are refused with %s', async (headers, query, words) => {
    const { status, body } = await gateway.post({ query }, 'token-bob', headers);
    expect([status, body.errors[0].extensions.code, body.errors[0].message]).toEqual([
      ...[400, 'INVALID_INPUT', expect.stringContaining(words)],
    ]);
    expect(gateway.world.calls.get('thingCreate')).toBeUndefined();
  });

  test('scalars are validated and returned in canonical form', async () => {
    const good = await gateway.query('query Q($a: IpOrCidr!) { address(address: $a) }', { a: '2001:DB8:0::/32' });
    expect(good.body).toEqual({ ...answered, data: { address: '2001:db8::/32' } });
    const bad = await gateway.query('query Q($a: IpOrCidr!) { address(address: $a) }', { a: '10.0.0.1/8' });
    expect(bad.body.errors[0].extensions.code).toBe('INVALID_INPUT');
    const literal = await gateway.query('{ address(address: "nonsense") }');
    expect(literal.body.errors[0].extensions.code).toBe('INVALID_INPUT');
  });

  test('a coded error keeps its code, and an unexpected error reveals no internals', async () => {
    const { body } = await gateway.query('{ coded buggy caller }');
    expect(body.data).toEqual({ coded: null, buggy: null, caller: 'ann' });
    const byPath = Object.fromEntries(body.errors.map((error: { path: string[] }) => [error.path[0], error]));
    expect(byPath.coded).toMatchObject({ message: 'Not for you.', extensions: { code: 'FORBIDDEN' } });
    expect(byPath.buggy.extensions.code).toBe('INTERNAL');
    expect(JSON.stringify(body)).not.toContain('secret inner text');
  });

  test('invalid variables are refused before a subgraph is called', async () => {
    const { body } = await gateway.query('query Q($first: Int!) { things(first: $first) { nodes { id } } }', {
      first: 'many',
    });
    expect(body.errors[0].extensions.code).toBe('INVALID_INPUT');
    expect(gateway.world.totalCalls()).toBe(0);
  });

  test('an invalid document is refused', async () => {
    const unknown = await gateway.query('{ nothing }');
    expect(unknown.status).toBe(200);
    expect(unknown.body.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    const broken = await gateway.query('{ thing(');
    expect(broken.status).toBe(200);
    expect(broken.body.errors[0].extensions.code).toBe('GRAPHQL_PARSE_FAILED');
    const unnamed = await gateway.post({ query: 'query A { caller }', operationName: 'B' });
    expect(unnamed.status).toBe(200);
    expect(unnamed.body.errors[0].extensions.code).toBe('OPERATION_RESOLUTION_FAILURE');
  });

  test("a document's faults are reported with a length limit, and remembered for the same document", async () => {
    const many = `{ ${Array.from({ length: 300 }, (_, index) => `no${index}`).join(' ')} }`;
    const limits = { maxRootFields: 1000 };
    const wide = await new TestGateway('in-process').start({ limits });
    const [first, again] = [await wide.query(many), await wide.query(many)];
    await wide.stop();
    expect(first.body.errors.length).toBeLessThanOrEqual(21);
    expect(first.body.errors[0]).toMatchObject({ locations: [{ line: 1 }] });
    expect(again).toMatchObject({ status: 200, body: { errors: first.body.errors } });
    const long = await gateway.query(`{ ${'x'.repeat(200_000)} }`);
    expect(long.status).toBe(200);
    expect(JSON.stringify(long.body).length).toBeLessThan(1_000);
  });

  test('without login only the login mutation is allowed', async () => {
    const refused = await gateway.query('{ caller }', undefined, '');
    expect(refused.status).toBe(401);
    expect(refused.body.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    const hidden = await gateway.query(
      'mutation { login(name: "x") ...F } fragment F on Mutation { thingCreate(name: "y") { id } }',
      undefined,
      '',
    );
    expect(hidden.status).toBe(401);
    expect(gateway.world.totalCalls()).toBe(0);
    const login = await gateway.query('mutation { login(name: "x") }', undefined, '');
    expect(login.body).toEqual({ ...answered, data: { login: 'token of x' } });
    const wrong = await gateway.query('mutation { login(name: "x") }', undefined, 'no-such-token');
    expect(wrong.status).toBe(401);
  });
});

// Each test has a gateway of its own.
describe.each(modes)('with a gateway of its own, subgraphs %s', (mode) => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await new TestGateway(mode).start();
  });
  afterEach(() => gateway.stop());

  test('an unavailable authenticator gives 503 with an explanation', async () => {
    gateway.authenticator.away = true;
    const { status, body } = await gateway.query('{ caller }');
    expect(status).toBe(503);
    expect(body.errors[0].extensions.code).toBe('UNAVAILABLE');
  });

  test('credentials that arrive together are checked once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => gateway.query('{ caller }')));
    expect(gateway.authenticator.calls).toBe(1);
  });

  test('a client that disconnects does not end a mutation', async () => {
    const controller = new AbortController();
    const asked = request(`${gateway.gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer token-ann' },
      body: JSON.stringify({ query: 'mutation { slowSet }' }),
      signal: controller.signal,
    }).catch(() => 'hung up');
    await until(() => gateway.world.calls.get('slowSet') === 1);
    controller.abort();
    expect(await asked).toBe('hung up');
    gateway.world.release();
    await until(() => gateway.world.slowDone === 1);
  });

  test('drain waits for current requests, and stop then leaves nothing behind', async () => {
    const asked = gateway.query('mutation { slowSet }');
    await until(() => gateway.world.calls.get('slowSet') === 1);
    const drained = gateway.gateway.drain();
    const check = () =>
      request(`${gateway.gateway.url}/health/ready`).then(
        ({ statusCode, body }) => body.text().then(() => statusCode),
        () => 'refused',
      );
    // A load balancer's check fails at once. New connections are refused once all earlier ones have been accepted.
    expect([503, 'refused']).toContain(await check());
    while ((await check()) !== 'refused');
    gateway.world.release();
    expect((await asked).body).toEqual({ ...answered, data: { slowSet: 1 } });
    await drained;
    await gateway.gateway.stop();
  });

  test('a mutation that a proxy sends before it learns of the shutdown', async () => {
    await using draining = await new TestGateway(mode).start();
    const proxy = new Agent({ connections: 1 });
    const send = async (query: string) => {
      const { statusCode, body } = await request(`${draining.gateway.url}/graphql`, {
        dispatcher: proxy,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer token-ann' },
        body: JSON.stringify({ query }),
      });
      return { statusCode, body: await body.json() };
    };
    // The connection stays open.
    expect(await send('{ caller }')).toMatchObject({ statusCode: 200 });
    const drained = draining.gateway.drain();
    const answer = await send('mutation { priceSet(id: "1", price: 1) }');
    // Subgraphs in the same process end with the gateway.
    if (mode === 'HTTP') expect(answer).toMatchObject({ statusCode: 200, body: { data: { priceSet: 1 } } });
    else expect(answer).toMatchObject({ statusCode: 503, body: { errors: [{ extensions: { code: 'UNAVAILABLE' } }] } });
    await drained;
    await proxy.destroy();
  });

  test('a drain starts no mutation on a socket that is about to be closed', async () => {
    await using draining = await new TestGateway(mode).start();
    const client = draining.client('token-ann', { lazyCloseTimeout: 600_000 });
    const ask = async (query: string) => {
      const collector = new Collector(client, query);
      await until(() => collector.done);
      return collector.error ?? collector.items[0];
    };
    const mutation = 'mutation { priceSet(id: "1", price: 1) }';
    expect(await ask(mutation)).toMatchObject({ data: { priceSet: 1 } });
    const drained = draining.gateway.drain();
    expect(await ask(mutation)).toMatchObject([{ extensions: { code: 'UNAVAILABLE', retryAfterMs: 500 } }]);
    await drained;
    expect(draining.world.calls.get('priceSet')).toBe(1);
  });

  test('a hand-over ends client connections, and no request fails', async () => {
    const [slow, late, ...busy] = Array.from({ length: 8 }, () => new Agent({ connections: 1 })) as [
      Agent,
      Agent,
      ...Agent[],
    ];
    const ask = async (dispatcher: Agent, query = '{ caller }'): Promise<string | undefined> => {
      const { headers, body } = await request(`${gateway.gateway.url}/graphql`, {
        ...{ dispatcher, method: 'POST', body: JSON.stringify({ query }) },
        headers: { 'content-type': 'application/json', authorization: 'Bearer token-ann' },
      });
      expect(await body.json()).toMatchObject({ data: {} });
      return headers.connection?.toString();
    };
    const closes: number[] = [];
    const client = gateway.client('token-ann', {
      on: { closed: (event) => closes.push((event as { code: number }).code) },
    });
    const items = new Collector(client, 'subscription { thingChanges { cursor thing { id } } }').items;
    await until(() => items.length > 0);
    expect(await Promise.all(busy.map((each) => ask(each)))).not.toContain('close');
    const onItsWay = ask(slow, 'mutation { slowSet }');
    await until(() => gateway.world.calls.get('slowSet') === 1);
    // The hand-over ends by itself, because each client reconnects elsewhere when asked.
    const over = gateway.gateway.handOver(600_000);
    await Promise.all(
      busy.map(async (each) => {
        while ((await ask(each)) !== 'close');
      }),
    );
    await until(() => closes.length > 0);
    expect(closes).toEqual([1001]);
    gateway.world.release();
    expect(await onItsWay).toBe('close');
    await over;
    expect(await ask(slow)).not.toBe('close');
    await client.dispose();
    // An idle connection is ended long before the deadline, and does not keep the address here.
    await gateway.gateway.handOver(600_000);
    expect(await ask(late)).not.toBe('close');
    await Promise.all([slow, late, ...busy].map((each) => each.close()));
  });

  test('a port in use is an error, and nothing is left open', async () => {
    await using second = new TestGateway(mode);
    await expect(second.start({ port: gateway.gateway.port })).rejects.toThrow('EADDRINUSE');
  });
});
