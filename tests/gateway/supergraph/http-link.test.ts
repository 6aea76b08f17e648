// Requests to a subgraph over HTTP: which of them are sent together, and to which process.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { HttpLink } from '../../../gateway/supergraph/http-link.ts';
import type { GatewayContext, LinkRequest } from '../../../gateway/supergraph/subgraph-link.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { testPair } from '../../support/product/signing-keys.ts';
import { testIdentity } from '../support/gateway.ts';
import { HeldSubgraph } from '../support/held-subgraph.ts';

const { signingKeys } = testPair('gateway');
const log = pino({ level: 'silent' });
const slots = 64;
const lost = { errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'test' } }] };

let subgraphs: HeldSubgraph[];
let urls: string[];
let links: HttpLink[];
beforeEach(async () => {
  subgraphs = [new HeldSubgraph(), new HeldSubgraph()];
  urls = await Promise.all(subgraphs.map((each) => each.listen()));
  links = [];
});
afterEach(async () => {
  await Promise.all(links.map((link) => link.close()));
  await Promise.all(subgraphs.map((each) => each.stop()));
});

function linkTo(count: 1 | 2, queryDeadlineMs = 60_000): HttpLink {
  const [first = '', ...others] = urls.slice(0, count);
  const link = new HttpLink({
    ...{ name: 'test', urls: [first, ...others], signingKeys, log, queryDeadlineMs },
    mutationDeadlineMs: 60_000,
  });
  links.push(link);
  return link;
}

function requestOf(text: string, identity: Identity | null, more: Partial<GatewayContext & LinkRequest> = {}) {
  const { variables = {}, operationName, ...context } = more;
  return {
    ...{ text, document: parse(text), variables, operationName },
    context: { identity, requestId: 'r', loaders: new Map(), ...context },
  };
}

/** A different user for each number. */
const another = (count: number) => testIdentity(`user ${count}`);

test('a trial mutation has its identity in another header, so that an older subgraph refuses it', async () => {
  const ann = testIdentity('ann');
  const asked = [{ manner: { dryRun: true } as const }, { manner: { source: 'site' } }, {}].map((more) =>
    linkTo(1).execute(requestOf('mutation { name }', ann, more)),
  );
  const [subgraph] = subgraphs;
  const requests = (await subgraph?.until(3)) ?? [];
  for (const request of requests) request.answer({ name: 'x' });
  await Promise.all(asked);
  const names = requests.map(({ headers }) => Object.keys(headers).filter((name) => name.endsWith('-identity')));
  expect(names.toSorted()).toEqual([['x-tidegate-identity'], ['x-tidegate-identity'], ['x-tidegate-tried-identity']]);
});

describe('identical queries', () => {
  let link: HttpLink;
  let subgraph: HeldSubgraph;
  const ann = testIdentity('ann');

  beforeEach(async () => {
    link = linkTo(1);
    [subgraph] = subgraphs as [HeldSubgraph];
    // These requests use all connections, so later queries wait.
    for (let count = 0; count < slots; count += 1) void link.execute(requestOf(`{ other${count} }`, another(count)));
    await subgraph.until(slots);
  });

  /** The texts of the queries that were sent once there was room for all. */
  async function sent(count: number): Promise<readonly string[]> {
    for (const request of subgraph.requests.slice(0, slots)) request.answer({});
    await subgraph.until(slots + count);
    return subgraph.requests.slice(slots).map(({ body }) => (JSON.parse(body) as { query: string }).query);
  }

  test('of one caller that wait for a connection are sent once, and each gets a separate result', async () => {
    const asked = ['r1', 'r2', 'r3'].map((requestId) => link.execute(requestOf('{ name }', ann, { requestId })));
    const last = link.execute(requestOf('{ last }', ann));
    expect(await sent(2)).toEqual(['{ name }', '{ last }']);
    for (const request of subgraph.requests.slice(slots)) request.answer({ of: { name: 'x' } });
    const [first, second, third] = await Promise.all(asked);
    await last;
    for (const result of [first, second, third]) expect(result).toEqual({ data: { of: { name: 'x' } } });
    expect(new Set([first?.data?.of, second?.data?.of, third?.data?.of]).size).toBe(3);
  });

  const again = { credentialId: 'another session' };
  test.each<[string, LinkRequest]>([
    ['another user with the same rights', requestOf('{ name }', testIdentity('bob'))],
    ['another session of the user', requestOf('{ name }', { ...ann, ...again })],
    ['the same session, read anew: its rights may have changed', requestOf('{ name }', { ...ann })],
    ['nobody', requestOf('{ name }', null)],
    ['another address', requestOf('{ name }', ann, { clientAddress: '192.0.2.1' })],
    ["another id of the caller's own", requestOf('{ name }', ann, { callerRequestId: 'mine' })],
    ['other variables', requestOf('{ name }', ann, { variables: { v1: 2 } })],
    ['another operation', requestOf('{ name }', ann, { operationName: 'Other' })],
    ['a mutation', requestOf('mutation { name }', ann)],
  ])('not shared: %s', async (_, other) => {
    const asked = [requestOf('{ name }', ann), other, other].map((each) => link.execute(each));
    const isMutation = other.text.startsWith('mutation');
    expect(await sent(isMutation ? 3 : 2)).toHaveLength(isMutation ? 3 : 2);
    for (const [index, request] of subgraph.requests.slice(slots).entries()) request.answer({ index });
    const [one, another] = await Promise.all(asked);
    expect(one).not.toEqual(another);
  });

  test('a query that one caller abandons continues for the others, and ends with the last one', async () => {
    const gone = [new AbortController(), new AbortController()] as const;
    const asked = gone.map(({ signal }) => link.execute(requestOf('{ name }', ann, { signal })));
    await sent(1);
    await until(() => subgraph.open === 1);
    gone[0].abort();
    expect(await asked[0]).toMatchObject(lost);
    expect(subgraph.open).toBe(1);
    gone[1].abort();
    expect(await asked[1]).toMatchObject(lost);
    await until(() => subgraph.open === 0);
  });
});

test('a query that begins after an acknowledged write gets no answer from before it', async () => {
  const link = linkTo(1);
  const [subgraph] = subgraphs as [HeldSubgraph];
  const ann = testIdentity('ann');
  const early = link.execute(requestOf('{ name }', ann));
  await subgraph.until(1);
  const written = link.execute(requestOf('mutation { rename }', ann));
  (await subgraph.until(2))[1]?.answer({ rename: 'new' });
  expect(await written).toEqual({ data: { rename: 'new' } });
  const late = link.execute(requestOf('{ name }', ann));
  const [first, , third] = await subgraph.until(3);
  first?.answer({ name: 'old' });
  third?.answer({ name: 'new' });
  expect(await early).toEqual({ data: { name: 'old' } });
  expect(await late).toEqual({ data: { name: 'new' } });
});

test('slow queries delay no mutation, and slow mutations delay no query', async () => {
  const link = linkTo(1);
  const [subgraph] = subgraphs as [HeldSubgraph];
  for (let count = 0; count < slots + 10; count += 1) void link.execute(requestOf(`{ slow${count} }`, another(count)));
  await subgraph.until(slots);
  const asked = link.execute(requestOf('mutation { note }', null));
  const requests = await subgraph.until(slots + 1);
  expect(requests[slots]?.body).toContain('mutation');
  requests[slots]?.answer({ note: 1 });
  expect(await asked).toEqual({ data: { note: 1 } });
  for (let count = 0; count < 40; count += 1) void link.execute(requestOf(`mutation { slow${count} }`, another(count)));
  await subgraph.until(slots + 33);
  requests[0]?.answer({});
  const after = await subgraph.until(slots + 34);
  expect(after[slots + 33]?.body).toContain(`{ slow${slots} }`);
});

test.each(['query', 'mutation'])('a user whose every %s is slow leaves room for other users', async (kind) => {
  const link = linkTo(1);
  const [subgraph] = subgraphs as [HeldSubgraph];
  const ann = testIdentity('ann');
  for (let count = 0; count < 100; count += 1) void link.execute(requestOf(`${kind} { slow${count} }`, ann));
  const places = kind === 'query' ? 48 : 24;
  await subgraph.until(places);
  const asked = link.execute(requestOf(`${kind} { quick }`, testIdentity('bob')));
  const requests = await subgraph.until(places + 1);
  requests[places]?.answer({ quick: 1 });
  expect(await asked).toEqual({ data: { quick: 1 } });
  expect(requests).toHaveLength(places + 1);
  // Another session of the same user has no additional room.
  void link.execute(requestOf(`${kind} { slow }`, { ...ann, credentialId: 'another session' }));
  void link.execute(requestOf(`${kind} { quick }`, testIdentity('bob')));
  expect((await subgraph.until(places + 2))[places + 1]?.body).toContain('quick');
});

test('simultaneous readiness checks share one request', async () => {
  const link = linkTo(1);
  for (const polls of [1, 2]) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => link.ready()));
    expect([new Set(answers), subgraphs[0]?.polls]).toEqual([new Set([true]), polls]);
  }
});

describe('two processes', () => {
  const unavailable = { message: 'no database', extensions: { code: 'UNAVAILABLE' } };

  test.each([
    ['null', null, [unavailable]],
    ['null for each field', { a: null, b: null }, [{ message: 'a bug' }, { message: 'a bug' }]],
    ['null for each entity', { _entities: [null, null] }, [unavailable]],
  ])(
    'a process that answers %s because it is not able to serve is avoided, also for mutations',
    async (_, data, errors) => {
      const link = linkTo(2);
      const [one, other] = subgraphs as [HeldSubgraph, HeldSubgraph];
      const answered = link.execute(requestOf('{ a }', null));
      await until(() => one.requests.length + other.requests.length === 1);
      const [ailing, good] = one.requests.length === 1 ? [one, other] : [other, one];
      ailing.requests[0]?.answer(data, errors);
      expect(await answered).toEqual({ data, errors });
      for (let count = 0; count < 3; count += 1) {
        const asked = link.execute(requestOf(count === 1 ? 'mutation { note }' : `{ x${count} }`, null));
        (await good.until(count + 1))[count]?.answer({});
        await asked;
      }
      expect(ailing.requests).toHaveLength(1);
    },
  );

  test.each([
    ['errors of the caller', null, { code: 'NOT_FOUND' }],
    ['part of the data', { a: null, b: 1 }, { code: 'UNAVAILABLE' }],
  ])('a process that answers with %s is as good as the other', async (_, data, extensions) => {
    const link = linkTo(2);
    const [one, other] = subgraphs as [HeldSubgraph, HeldSubgraph];
    for (let count = 1; count <= 4; count += 1) {
      const asked = link.execute(requestOf(`{ x${count} }`, null));
      await until(() => one.requests.length + other.requests.length === count);
      for (const { answer } of [...one.requests, ...other.requests]) answer(data, [{ message: 'no', extensions }]);
      await asked;
    }
    expect([one.requests.length, other.requests.length]).toEqual([2, 2]);
  });

  test('the process with fewer open requests gets the next ones', async () => {
    const link = linkTo(2);
    const [one, other] = subgraphs as [HeldSubgraph, HeldSubgraph];
    let answered = 0;
    for (let count = 0; count < 6; count += 1)
      void link.execute(requestOf(`{ x${count} }`, null)).then(() => {
        answered += 1;
      });
    await until(() => one.requests.length + other.requests.length === 6);
    expect([one.requests.length, other.requests.length]).toEqual([3, 3]);
    for (const request of one.requests) request.answer({});
    await until(() => answered === 3);
    for (let count = 0; count < 3; count += 1) void link.execute(requestOf(`{ y${count} }`, null));
    await one.until(6);
    expect(other.requests).toHaveLength(3);
  });

  test('a slow query that ends at its deadline is no reason to avoid a process that answers', async () => {
    const link = linkTo(2, 200);
    const [one, other] = subgraphs as [HeldSubgraph, HeldSubgraph];
    expect(await link.execute(requestOf('{ slow }', null))).toMatchObject(lost);
    const asked = ['{ a }', '{ b }', '{ c }', '{ d }'].map((text) => link.execute(requestOf(text, null)));
    await until(() => one.requests.length + other.requests.length === 5);
    expect([one.requests.length, other.requests.length].toSorted()).toEqual([2, 3]);
    for (const request of [...one.requests, ...other.requests]) request.answer({});
    for (const result of await Promise.all(asked)) expect(result).toEqual({ data: {} });
  });

  test('the subgraph is ready as soon as one process answers', async () => {
    const asking: Socket[] = [];
    const silent = createServer((socket) => {
      asking.push(socket.on('error', () => undefined).resume());
    });
    try {
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as AddressInfo;
      urls[1] = `http://127.0.0.1:${port}`;
      expect(await linkTo(2).ready()).toBe(true);
      // By now the silent process has noticed the end of its request.
      connect(port, '127.0.0.1').once('error', () => undefined);
      await until(() => asking.length === 2);
      expect(asking[0]?.readableEnded).toBe(false);
      await subgraphs[0]?.stop();
      expect(await linkTo(1).ready()).toBe(false);
    } finally {
      for (const socket of asking) socket.destroy();
      silent.close();
    }
  });
});
