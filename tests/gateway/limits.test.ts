// Requests beyond a limit are refused before any subgraph is called, over HTTP and on sockets. The refusal names the limit.
// needs: processes
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import { until } from '../support/machine/temporary-folder.ts';
import { answered } from './support/answered.ts';
import { Collector, modes, TestGateway } from './support/gateway.ts';

const nested = (depth: number): string => `${'parent { '.repeat(depth)}id${' }'.repeat(depth)}`;
const aliased = (count: number): string => Array.from({ length: count }, (_item, index) => `a${index}: name`).join(' ');

interface Case {
  readonly limit: string;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

const twoWrites = 'mutations of alpha in one document';
const cases: Readonly<Record<string, Case>> = {
  tokens: { limit: 'tokens', query: `{ thing(id: "1") { ${'name '.repeat(5000)} } }` },
  depth: { limit: 'depth', query: `{ thing(id: "1") { ${nested(12)} } }` },
  aliases: { limit: 'aliases', query: `{ thing(id: "1") { ${aliased(31)} } }` },
  'root fields': { limit: 'root fields', query: `{ ${Array.from({ length: 21 }, () => 'caller').join(' ')} }` },
  'cost of a literal': { limit: 'cost', query: '{ things(first: 25001) { nodes { id } } }' },
  'cost of a variable': {
    limit: 'cost',
    query: 'query Q($n: Int!) { things(first: $n) { nodes { id } } }',
    variables: { n: 25001 },
  },
  'cost of a default': { limit: 'cost', query: 'query Q($n: Int = 25001) { things(first: $n) { nodes { id } } }' },
  'nested lists': {
    limit: 'nesting of brackets',
    query: `{ thing(id: ${'['.repeat(1900)}${']'.repeat(1900)}) { id } }`,
  },
  'nested selections': { limit: 'nesting of brackets', query: `{ thing(id: "1") { ${nested(900)} } }` },
  'nested variables': {
    limit: 'nesting of the variables',
    query: 'query Q($id: ID!) { thing(id: $id) { id } }',
    variables: { id: JSON.parse('['.repeat(3000) + ']'.repeat(3000)) as unknown },
  },
  'two writes': {
    limit: twoWrites,
    query: 'mutation { a: thingCreate(name: "a") { id } b: thingCreate(name: "b") { id } }',
  },
  'writes to two subgraphs': {
    limit: 'subgraphs of the mutations in one document',
    query: 'mutation { thingCreate(name: "a") { id } priceSet(id: "1", price: 1) }',
  },
  'two writes, one in a fragment': {
    limit: twoWrites,
    query:
      'mutation { thingCreate(name: "a") { id } ...F } fragment F on Mutation { b: thingCreate(name: "b") { id } }',
  },
};
const names = Object.keys(cases);

function caseOf(name: string): Case {
  const found = cases[name];
  if (found === undefined) throw new Error(name);
  return found;
}

describe('limits', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await new TestGateway('in-process').start({ limits: { oneMutationSubgraphs: ['alpha'] } });
  });
  beforeEach(() => gateway.world.calls.clear());
  afterAll(() => gateway.stop());

  test.each(names)('%s, over HTTP', async (name) => {
    const { limit, query, variables } = caseOf(name);
    const { status, body } = await gateway.query(query, variables);
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit } }]);
    expect(body.errors[0].message).toContain(limit);
    expect(gateway.world.totalCalls()).toBe(0);
  });

  test.each(names)('%s, on a socket', async (name) => {
    const { limit, query, variables } = caseOf(name);
    const collector = new Collector(gateway.client(), query, variables);
    await until(() => collector.done);
    expect(collector.error).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit } }]);
    expect(gateway.world.totalCalls()).toBe(0);
  });

  test('values just below each limit are allowed', async () => {
    const { body } = await gateway.query(`{ thing(id: "1") { ${aliased(30)} ${nested(10)} } }`);
    expect(body.errors).toBeUndefined();
    const cost = await gateway.query('{ things(first: 24000) { nodes { id } } }');
    expect(cost.body.errors).toBeUndefined();
    const two = await gateway.query('mutation { a: priceSet(id: "a", price: 1) b: priceSet(id: "b", price: 1) }');
    expect(two.body.errors).toBeUndefined();
  });

  test('a limit applies even if the same document was allowed with other variables before', async () => {
    const query = 'query Q($n: Int!) { things(first: $n) { nodes { id } } }';
    expect((await gateway.query(query, { n: 1 })).body.errors).toBeUndefined();
    expect((await gateway.query(query, { n: 25001 })).body.errors[0].extensions.code).toBe('LIMIT_EXCEEDED');
  });

  test('nested fragments are each measured once', async () => {
    const layers = Array.from({ length: 40 }, (_item, n) => `fragment F${n} on Thing { ...F${n + 1} ...F${n + 1} }`);
    const { body } = await gateway.query(
      `{ thing(id: "1") { ...F0 } } ${layers.join(' ')} fragment F40 on Thing { name }`,
    );
    expect(body.errors[0].extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'cost' });
  });

  test('circular fragments are refused', async () => {
    const { body } = await gateway.query(
      '{ thing(id: "1") { ...A } } fragment A on Thing { ...B } fragment B on Thing { ...A }',
    );
    expect(body.errors[0].message).toContain('Cannot spread fragment');
  });

  test('a numeric variable that JSON cannot represent is refused, because it would become null in comparisons and at a subgraph', async () => {
    const query = 'query Q($n: Int) { things(first: $n) { nodes { id } } }';
    for (const value of ['1e999', '[{"a":-1e999}]', '9'.repeat(400)]) {
      const { status, body } = await gateway.post(`{"query":${JSON.stringify(query)},"variables":{"n":${value}}}`);
      expect([status, body.errors[0].message]).toEqual([400, expect.stringContaining('too large')]);
      expect(body.errors[0].extensions.code).toBe('INVALID_INPUT');
    }
    expect(gateway.world.totalCalls()).toBe(0);
  });

  test('an unpaired surrogate in a variable is refused, because a subgraph would store another character', async () => {
    const query = 'mutation M($name: String!) { thingCreate(name: $name) { id } }';
    for (const value of ['"a\\ud800"', '"\\udc00b"', '[{"a":"\\ud83d"}]', '{"\\ud800":1}']) {
      const { status, body } = await gateway.post(`{"query":${JSON.stringify(query)},"variables":{"name":${value}}}`);
      expect([status, body.errors[0].message]).toEqual([400, expect.stringContaining('surrogate')]);
      expect(body.errors[0].extensions.code).toBe('INVALID_INPUT');
    }
    expect(gateway.world.totalCalls()).toBe(0);
    const whole = await gateway.post(`{"query":${JSON.stringify(query)},"variables":{"name":"\\ud83d\\ude00"}}`);
    expect(whole.body.errors).toBeUndefined();
    gateway.world.calls.clear();
  });

  test('a document with an unpaired surrogate is refused, and no other document with it', async () => {
    const half = await gateway.post('{"query":"{ caller } # \\ud800"}');
    expect([half.status, half.body.errors[0].message]).toEqual([400, expect.stringContaining('surrogate')]);
    const { body } = await gateway.query('{ caller } # \ufffd');
    expect(body.data).toEqual({ caller: 'ann' });
  });

  test('a body beyond the limit gets 413', async () => {
    const { status, body } = await gateway.query(`{ caller } # ${'x'.repeat(300_000)}`);
    expect(status).toBe(413);
    expect(body.errors[0].extensions.code).toBe('LIMIT_EXCEEDED');
  });

  test('batches are refused', async () => {
    const { status, body } = await gateway.post([{ query: '{ caller }' }, { query: '{ caller }' }]);
    expect(status).toBe(400);
    expect(body.errors[0].message).toContain('each operation in a request of its own');
  });

  test('a deep introspection query is refused, and the usual one is allowed', async () => {
    const loop = `{ __schema { types { ${'fields { type { '.repeat(4)} name ${'} }'.repeat(4)} } } }`;
    expect((await gateway.query(loop)).status).toBe(400);
    const { getIntrospectionQuery } = await import('graphql');
    const usual = await gateway.query(getIntrospectionQuery());
    expect(usual.body.data.__schema.queryType.name).toBe('Query');
  });
});

test('introspection can be switched off', async () => {
  await using gateway = await new TestGateway('in-process').start({ limits: { introspection: false } });
  const { status, body } = await gateway.query('{ __schema { queryType { name } } }');
  expect(status).toBe(200);
  expect(body.data).toBeUndefined();
  const misspelt = await gateway.query('{ caler }');
  expect(misspelt.body.errors[0].message).not.toContain('caller');
});

test('an answer that is too long is not sent, and the error names the limit', async () => {
  await using gateway = await new TestGateway('in-process').start({ limits: { maxAnswerLength: 200 } });
  expect((await gateway.query('{ caller }')).body.data).toEqual({ caller: 'ann' });
  const { body } = await gateway.query(
    `{ ${Array.from({ length: 20 }, (_, index) => `a${index}: caller`).join(' ')} }`,
  );
  expect(body.data).toBeUndefined();
  expect(body.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'answer' } }]);
});

test('an answer that is too long is not sent on a socket either, and the socket stays open', async () => {
  await using gateway = await new TestGateway('in-process').start({ limits: { maxAnswerLength: 200 } });
  const client = gateway.client('token-ann', { lazy: false });
  const long = new Collector(client, `{ ${Array.from({ length: 20 }, (_, index) => `a${index}: caller`).join(' ')} }`);
  await until(() => long.done);
  expect(long.items).toMatchObject([{ errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'answer' } }] }]);
  expect(long.items[0]).not.toHaveProperty('data');
  const short = new Collector(client, '{ caller }');
  await until(() => short.done);
  expect(short.items).toMatchObject([{ data: { caller: 'ann' } }]);
  expect(gateway.sockets.get(client)).toHaveLength(1);
});

describe('mutations of one credential', () => {
  const create = 'mutation { thingCreate(name: "a") { id } }';
  const refused = { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) };

  test('are limited, over HTTP and sockets together; queries and other credentials are not affected', async () => {
    await using gateway = await new TestGateway('in-process').start({ limits: { mutationsPerMinute: 60 } });
    const answers = await Promise.all(Array.from({ length: 100 }, () => gateway.query(create)));
    const [done, tooMany] = [
      answers.filter(({ status }) => status === 200),
      answers.filter(({ status }) => status === 429),
    ];
    expect(done.length + tooMany.length).toBe(100);
    // The allowance of one minute is available at once, and one more mutation each second.
    expect(done.length).toBeLessThan(90);
    expect(done.length).toBeGreaterThanOrEqual(60);
    expect(gateway.world.calls.get('thingCreate')).toBe(done.length);
    const [first] = tooMany;
    expect(first?.body.errors).toMatchObject([{ extensions: refused }]);
    expect(Number(first?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const collectors = Array.from({ length: 30 }, () => new Collector(gateway.client(), create));
    await until(() => collectors.every(({ done: isDone }) => isDone));
    expect(collectors.filter(({ error }) => error !== undefined).at(-1)?.error).toMatchObject([
      { extensions: refused },
    ]);
    expect((await gateway.query('{ caller }')).status).toBe(200);
    expect((await gateway.query(create, undefined, 'token-bob')).status).toBe(200);
  });

  test('are counted individually, however many a document has', async () => {
    await using gateway = await new TestGateway('in-process').start({ limits: { mutationsPerMinute: 60 } });
    const twenty = `mutation { ${Array.from({ length: 20 }, (_item, n) => `m${n}: thingCreate(name: "a") { id }`).join(' ')} }`;
    const answers = [];
    for (let n = 0; n < 6; n += 1) answers.push((await gateway.query(twenty)).status);
    expect(answers.slice(0, 3)).toEqual([200, 200, 200]);
    expect(answers).toContain(429);
  });

  test('logins are counted separately', async () => {
    await using gateway = await new TestGateway('in-process').start({ limits: { mutationsPerMinute: 60 } });
    const statuses = await Promise.all(
      Array.from(
        { length: 70 },
        async () => (await gateway.query('mutation { login(name: "x") }', undefined, '')).status,
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

test('a field with the name __typename is refused', async () => {
  await using gateway = await new TestGateway('in-process').start();
  for (const query of [
    '{ thing(id: "1") { __typename: name } }',
    '{ __typename: thing(id: "1") { id } }',
    '{ thing(id: "1") { ...F } } fragment F on Thing { __typename: parent { id } }',
  ]) {
    const { status, body } = await gateway.query(query);
    expect([query, status, body.errors[0].extensions.code]).toEqual([query, 200, 'GRAPHQL_VALIDATION_FAILED']);
  }
  expect((await gateway.query('{ thing(id: "1") { __isThing: __typename __typename } }')).body).toEqual({
    ...answered,
    data: { thing: { __isThing: 'Thing', __typename: 'Thing' } },
  });
});

describe('documents without a login', () => {
  const login = (fields: string, name = 'x') => `mutation { login(name: "${name}") ${fields} }`;

  test('can have few tokens, and more with a login', async () => {
    await using gateway = await new TestGateway('in-process').start();
    const query = `mutation { login(name: "${'x'.repeat(5000)}") ${'@skip(if: false) '.repeat(40)} }`;
    expect((await gateway.post({ query }, '')).body.errors).toMatchObject([
      { extensions: { code: 'LIMIT_EXCEEDED', limit: 'tokens without a login', most: 200 } },
    ]);
    const large = `{ thing(id: "1") { ${'name '.repeat(300)} } }`;
    expect((await gateway.post({ query: large }, 'token-ann')).status).toBe(200);
  });

  test('are charged to their network, even if they are accepted', async () => {
    await using gateway = await new TestGateway('in-process').start({
      limits: { refusedKibPerMinute: 20 },
      trustedProxies: ['127.0.0.1'],
    });
    const from = (address: string, name: string) =>
      gateway.post({ query: login('', name) }, '', { 'x-forwarded-for': address });
    const statuses = [];
    for (let n = 0; n < 40; n += 1) statuses.push((await from('192.0.2.1', `n${n}`)).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 429]);
    // Known documents and other networks are not affected.
    expect((await from('192.0.2.1', 'n0')).status).toBe(200);
    expect((await from('192.0.2.2', 'other')).status).toBe(200);
  });

  test('can read the schema with the usual query, if that is allowed', async () => {
    await using gateway = await new TestGateway('in-process').start({ limits: { anonymousIntrospection: true } });
    expect((await gateway.post({ query: getIntrospectionQuery() }, '')).body.errors).toBeUndefined();
  });
});

test.each(modes)('a refused value is not quoted, over HTTP and on sockets, subgraphs %s', async (mode) => {
  await using gateway = await new TestGateway(mode).start();
  const secret = 'correct-horse';
  const requests = [
    { query: 'mutation M($name: String!) { thingCreate(name: $name) { id } }', variables: { name: { secret } } },
    { query: `mutation { thingCreate(name: { a: "${secret}" }) { id } }` },
    { query: 'subscription S($p: String) { thingChanges(prefix: $p) { cursor } }', variables: { p: { secret } } },
    {
      query: 'subscription S($after: String) { thingChanges(after: $after) { cursor } }',
      variables: { after: [secret] },
    },
  ];
  for (const request of requests) {
    const collector = new Collector(gateway.client(), request.query, request.variables);
    await until(() => collector.done || collector.items.length > 0);
    const socket = collector.error ?? collector.items[0]?.errors;
    expect(socket).toMatchObject([{ message: expect.any(String) }]);
    expect(JSON.stringify(socket)).not.toContain(secret);
    if (request.query.startsWith('subscription')) continue;
    const { body } = await gateway.post(request);
    expect(JSON.stringify(body)).not.toContain(secret);
    expect(body.errors.map(({ message }: Error) => message)).toEqual((socket as Error[]).map(({ message }) => message));
  }
});

describe('refused documents', () => {
  const start = () =>
    new TestGateway('in-process').start({ limits: { refusedKibPerMinute: 20 }, trustedProxies: ['127.0.0.1'] });
  const from = (gateway: TestGateway, address: string, query: string, token = '') =>
    gateway.post({ query }, token, { 'x-forwarded-for': address });
  const attacker = '192.0.2.1';

  test('of clients without a login are limited by network; other networks and known documents are not affected', async () => {
    const gateway = await start();
    const login = 'mutation { login(name: "x") }';
    expect((await from(gateway, attacker, login)).status).toBe(200);
    const refused = [];
    for (let n = 0; n < 40; n += 1) refused.push(await from(gateway, attacker, `{ caller${n} }`));
    expect(refused[0]?.status).toBe(401);
    const [last] = refused.slice(-1);
    expect(last?.status).toBe(429);
    expect(last?.body.errors).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) } },
    ]);
    expect((await from(gateway, attacker, login)).status).toBe(200);
    expect((await from(gateway, '192.0.2.2', 'mutation { login(name: "y") }')).status).toBe(200);
    expect((await from(gateway, '192.0.2.2', '{ caller }')).status).toBe(401);
    expect((await from(gateway, attacker, '{ caller }', 'token-ann')).status).toBe(200);
    await gateway.stop();
  });

  test('of a user are limited by user, and a repeated document costs nothing', async () => {
    const gateway = await start();
    const faulty = `{ no${'x'.repeat(5000)} }`;
    const answers = [];
    for (let n = 0; n < 10; n += 1)
      answers.push((await from(gateway, attacker, `${faulty} # ${n}`, 'token-ann')).status);
    expect([answers[0], answers.at(-1)]).toEqual([200, 429]);
    for (let n = 0; n < 30; n += 1)
      expect((await from(gateway, attacker, `${faulty} # 0`, 'token-ann')).body.errors[0].extensions.code).toBe(
        'GRAPHQL_VALIDATION_FAILED',
      );
    expect((await from(gateway, attacker, '{ caller }', 'token-bob')).status).toBe(200);
    await gateway.stop();
  });

  test('are limited on sockets too', async () => {
    const gateway = await start();
    const client = gateway.client();
    const codes = [];
    for (let n = 0; n < 40; n += 1) {
      const collector = new Collector(client, `{ caller${n} }`);
      await until(() => collector.done);
      codes.push((collector.error as { extensions: { code: string } }[])[0]?.extensions.code);
    }
    expect([codes[0], codes.at(-1)]).toEqual(['GRAPHQL_VALIDATION_FAILED', 'RATE_LIMITED']);
    await gateway.stop();
  });
});
