// Subscriptions through the gateway, in both modes: they are completed from the other subgraph, shared, and resumed by cursor.
// needs: load
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Client } from 'graphql-ws';
import { until } from '../support/machine/temporary-folder.ts';
import { Collector, modes, TestGateway, testIdentity } from './support/gateway.ts';

const stream = 'subscription { thingChanges { cursor thing { id name price } } }';

describe.each(modes)('subscriptions, subgraphs %s', (mode) => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await new TestGateway(mode).start({ socketLimits: { ringCapacity: 64, recheckIntervalMs: 50 } });
  });
  afterEach(async () => {
    await gateway.stop();
  });

  /** Subscribes, and waits for the first checkpoint of a stream that begins now. */
  async function begun(query = stream, token?: string, variables?: Record<string, unknown>): Promise<Collector> {
    const collector = new Collector(gateway.client(token), query, variables);
    await until(() => collector.items.length > 0);
    return collector;
  }

  const hasIds = (collector: Collector, ...ids: string[]) =>
    until(() => collector.ids.length >= ids.length).then(() => expect(collector.ids).toEqual(ids));

  test('events include fields of the other subgraph', async () => {
    gateway.world.prices.set('a', 5);
    const collector = await begun();
    expect(collector.items[0]).toEqual({
      data: { thingChanges: { cursor: gateway.world.log.cursorAt(0), thing: null } },
    });
    gateway.world.log.append('a');
    await until(() => collector.ids.length === 1);
    expect(collector.items[1]).toEqual({
      data: { thingChanges: { cursor: gateway.world.log.cursorAt(1), thing: { id: 'a', name: 'thing a', price: 5 } } },
    });
  });

  test('aliases, variables, fragments and argument values are preserved', async () => {
    gateway.world.prices.set('xa', 200);
    const collector = await begun(
      `subscription S($p: String, $percent: Int!) { feed: thingChanges(prefix: $p) { ...F } ...G }
       fragment F on ThingFeedItem { thing { theId: id } }
       fragment G on Subscription { feed: thingChanges(prefix: $p) { thing { cheap: discount(percent: $percent) } } }`,
      undefined,
      { p: 'x', percent: 50 },
    );
    expect(collector.items[0]).toEqual({ data: { feed: { thing: null } } });
    gateway.world.log.append('ya');
    gateway.world.log.append('xa');
    await until(() => collector.items.length === 2);
    expect(collector.items[1]).toEqual({ data: { feed: { thing: { theId: 'xa', cheap: 100 } } } });
  });

  test('`after` as a literal and as a variable returns the events since then', async () => {
    for (const id of ['a', 'b', 'c']) gateway.world.log.append(id);
    const after = gateway.world.log.cursorAt(1);
    const literal = new Collector(
      gateway.client(),
      `subscription { thingChanges(after: "${after}") { thing { id } } }`,
    );
    const variable = new Collector(
      gateway.client(),
      'subscription S($after: String) { thingChanges(after: $after) { thing { id } } }',
      { after },
    );
    await until(() => literal.ids.length === 2 && variable.ids.length === 2);
    expect([literal.ids, variable.ids]).toEqual([
      ['b', 'c'],
      ['b', 'c'],
    ]);
  });

  test("a cursor that can't be resumed ends the subscription with its code", async () => {
    gateway.world.log.append('a');
    gateway.world.log.oldest = 1;
    const expired = new Collector(
      gateway.client(),
      `subscription { thingChanges(after: "${gateway.world.log.cursorAt(0)}") { cursor } }`,
    );
    const none = new Collector(gateway.client(), 'subscription { thingChanges(after: "nonsense") { cursor } }');
    await until(() => expired.done && none.done);
    expect(expired.error).toMatchObject([{ extensions: { code: 'CURSOR_EXPIRED' } }]);
    expect(none.error).toMatchObject([{ extensions: { code: 'INVALID_CURSOR' } }]);
  });

  test('the same subscription of many clients is executed once, and ends with the last client', async () => {
    const collectors = await Promise.all(
      Array.from({ length: 30 }, (_item, index) => begun(stream, index % 2 ? 'token-ann' : 'token-bob')),
    );
    gateway.world.log.append('a');
    await until(() => collectors.every((collector) => collector.ids.length === 1));
    expect(gateway.world.log.opened).toBe(1);
    expect(await gateway.metric('tidegate_gateway_upstreams')).toBe(1);
    expect(await gateway.metric('tidegate_gateway_subscriptions')).toBe(30);
    for (const collector of collectors) collector.cancel();
    await until(() => gateway.world.log.open === 0);
    expect(await gateway.metric('tidegate_gateway_upstreams')).toBe(0);
    expect(await gateway.metric('tidegate_gateway_subscriptions')).toBe(0);
  });

  test('subscriptions with other rights, variables or documents are not shared', async () => {
    await begun(stream, 'token-ann');
    await begun(stream, 'token-eve');
    await begun('subscription { thingChanges(prefix: "q") { cursor thing { id name price } } }');
    await begun('subscription { thingChanges { cursor } }');
    expect(gateway.world.log.opened).toBe(4);
  });

  test('a late subscriber gets a checkpoint at the current position and nothing older', async () => {
    const first = await begun();
    gateway.world.log.append('a');
    await until(() => first.ids.length === 1);
    const second = await begun();
    expect(second.items).toEqual([{ data: { thingChanges: { cursor: gateway.world.log.cursorAt(1), thing: null } } }]);
    gateway.world.log.append('b');
    await until(() => second.ids.length === 1 && first.ids.length === 2);
    expect([first.ids, second.ids]).toEqual([['a', 'b'], ['b']]);
    expect(gateway.world.log.opened).toBe(1);
  });

  test('a client that resumes inside the ring starts no execution', async () => {
    const first = await begun();
    for (const id of ['a', 'b', 'c']) gateway.world.log.append(id);
    await until(() => first.ids.length === 3);
    const resumed = new Collector(
      gateway.client(),
      `subscription { thingChanges(after: "${gateway.world.log.cursorAt(1)}") { cursor thing { id name price } } }`,
    );
    await until(() => resumed.ids.length === 2);
    expect(resumed.ids).toEqual(['b', 'c']);
    expect(gateway.world.log.opened).toBe(1);
  });

  test('a client that resumes from before the ring catches up, and then shares it', async () => {
    for (let n = 0; n < 200; n += 1) gateway.world.log.append(`t${n}`);
    const live = await begun();
    const late = new Collector(
      gateway.client(),
      `subscription { thingChanges(after: "${gateway.world.log.cursorAt(0)}") { cursor thing { id name price } } }`,
    );
    await until(() => late.ids.length === 200);
    expect(gateway.world.log.opened).toBe(2);
    gateway.world.log.append('last');
    await until(() => late.ids.length === 201 && live.ids.length === 1);
    await until(() => gateway.world.log.open === 1);
    gateway.world.log.append('after');
    await until(() => late.ids.length === 202 && live.ids.length === 2);
    expect(late.ids).toEqual([...Array.from({ length: 200 }, (_item, n) => `t${n}`), 'last', 'after']);
  });

  test('checkpoints are passed on and advance the cursor for resuming', async () => {
    const collector = await begun('subscription { thingChanges(prefix: "x") { cursor thing { id } } }');
    gateway.world.log.append('not-matching');
    gateway.world.log.checkpoint();
    await until(() => collector.items.length === 2);
    expect(collector.items[1].data.thingChanges).toEqual({ cursor: gateway.world.log.cursorAt(1), thing: null });
  });

  test('a thing that could not be read arrives with its error, and does not become a checkpoint for others', async () => {
    const first = new Collector(
      gateway.client(),
      'subscription ($after: String) { thingChanges(after: $after) { cursor thing { id name price } } }',
      { after: gateway.world.log.cursorAt(0) },
    );
    gateway.world.log.append('unreadable');
    await until(() => first.items.length === 1);
    expect(first.items[0]).toMatchObject({
      data: { thingChanges: { cursor: gateway.world.log.cursorAt(1), thing: null } },
      errors: [{ path: ['thingChanges', 'thing', 'name'] }],
    });
    const second = new Collector(
      gateway.client(),
      'subscription ($after: String) { thingChanges(after: $after) { cursor thing { id name price } } }',
    );
    await until(() => gateway.metric('tidegate_gateway_subscriptions').then((count) => count === 2));
    gateway.world.log.append('a');
    gateway.world.log.checkpoint();
    await until(() => first.ids.length === 1 && second.items.length > 0);
    expect(second.items.filter(({ errors }) => errors !== undefined)).toEqual([]);
  });

  test('a subgraph that is killed and restarted causes no gap and no duplicate', async () => {
    const collectors = await Promise.all([begun(), begun(), begun('subscription { otherChanges { thing { id } } }')]);
    const expected: string[] = [];
    const append = (id: string): void => {
      expected.push(id);
      gateway.world.log.append(id);
    };
    for (let round = 0; round < 5; round += 1) {
      append(`before${round}`);
      if (round % 2 === 0) await until(() => collectors.every((collector) => collector.ids.length === expected.length));
      await gateway.killAlpha();
      append(`while${round}`);
      await gateway.restartAlpha();
      append(`after${round}`);
    }
    await until(() => collectors.every((collector) => collector.ids.length >= expected.length));
    for (const collector of collectors) expect(collector.ids).toEqual(expected);
    expect(await gateway.metric('tidegate_gateway_resumptions_total')).toBeGreaterThan(0);
  });

  test('while the subgraph of other fields is down, the event arrives without them', async () => {
    if (mode === 'in-process') return;
    const collector = await begun();
    await gateway.served('beta').stop();
    gateway.world.log.append('a');
    await until(() => collector.ids.length === 1);
    expect(collector.items[1]).toMatchObject({
      data: { thingChanges: { thing: { id: 'a', price: null } } },
      errors: [{ path: ['thingChanges', 'thing', 'price'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    });
  });

  test('a slow client costs nothing and misses nothing', async () => {
    const fast = await begun();
    const slowClient = gateway.client();
    const slow = new Collector(slowClient, stream);
    await until(() => slow.items.length > 0);
    const sockets = await pausedSocket(slowClient);
    const pad = 'x'.repeat(20_000);
    for (let n = 0; n < 500; n += 1) {
      gateway.world.log.append(`${n}-${pad}`);
      if (n % 20 === 0) await until(() => fast.ids.length === n + 1);
    }
    await until(() => fast.ids.length === 500);
    expect(slow.ids.length).toBeLessThan(500);
    sockets.resume();
    await until(() => slow.ids.length === 500);
    expect(slow.ids).toEqual(fast.ids);
    // The client fell behind the ring of 64, and caught up with separate executions.
    expect(gateway.world.log.opened).toBeGreaterThan(1);
    await until(() => gateway.world.log.open === 1 || appendOne());
  });

  test('a revoked credential closes only its own sockets, with 4403', async () => {
    const closed: number[] = [];
    const ann = gateway.client('token-ann', {
      on: { closed: (event) => closed.push((event as { code: number }).code) },
    });
    const collector = new Collector(ann, stream);
    await until(() => collector.items.length > 0);
    const bob = await begun(stream, 'token-bob');
    gateway.authenticator.identities.delete('token-ann');
    await until(() => closed.length > 0);
    expect(closed).toEqual([4403]);
    gateway.world.log.append('a');
    await until(() => bob.ids.length === 1);
    expect(collector.ids).toEqual([]);
  });

  test('changed rights close the socket with 4403', async () => {
    const closed: number[] = [];
    const client = gateway.client('token-ann', {
      on: { closed: (event) => closed.push((event as { code: number }).code) },
    });
    const collector = new Collector(client, stream);
    await until(() => collector.items.length > 0);
    gateway.authenticator.identities.set('token-ann', testIdentity('ann', { p1: 'VIEWER' }));
    await until(() => closed.length > 0);
    expect(closed).toEqual([4403]);
  });

  /** A client of ann with an access token that expires soon, and a record of its sockets. */
  async function shortLived(lifeMs: number) {
    const bearer = (number: number) => `token-ann-${number}`;
    const issue = (number: number, untilMs: number) =>
      gateway.authenticator.identities.set(bearer(number), { ...testIdentity('ann'), accessUntilMs: untilMs });
    const closed: number[] = [];
    const pongs: unknown[] = [];
    issue(0, Date.now() + lifeMs);
    const client = gateway.client(bearer(0), {
      on: {
        closed: (event) => closed.push((event as { code: number }).code),
        pong: (_, payload) => pongs.push(payload),
      },
    });
    const collector = new Collector(client, stream);
    await until(() => collector.items.length > 0);
    const ping = (payload: object) => gateway.sockets.get(client)?.[0]?.send(JSON.stringify({ type: 'ping', payload }));
    return { issue, bearer, closed, pongs, collector, ping };
  }

  test('a socket ends with its access token, with 4419, and other sockets of the session continue', async () => {
    const { closed, issue } = await shortLived(3_000);
    issue(1, Date.now() + 3_600_000);
    const other = await begun(stream, 'token-ann-1');
    await until(() => closed.length > 0);
    expect(closed).toEqual([4419]);
    gateway.world.log.append('a');
    await until(() => other.ids.length === 1);
  });

  test('a fresh access token of the same session, sent in a ping, keeps the socket open', async () => {
    const { issue, bearer, closed, pongs, collector, ping } = await shortLived(3_000);
    const next = Date.now() + 3_600_000;
    issue(1, next);
    ping({ authorization: `Bearer ${bearer(1)}` });
    await until(() => pongs.length > 0);
    expect(pongs).toEqual([{ accessTokenExpiresAt: new Date(next).toISOString() }]);
    // The token that opened the socket expired after 3 s.
    await new Promise((resolve) => setTimeout(resolve, 3_100));
    gateway.world.log.append('a');
    await until(() => collector.ids.length === 1);
    expect(closed).toEqual([]);
    // The expiry of the fresh token also ends the socket.
    issue(2, Date.now() + 200);
    ping({ token: bearer(2) });
    await until(() => closed.length > 0);
    expect(closed).toEqual([4419]);
  });

  test("a ping without a credential is answered unchanged, without the token's expiry", async () => {
    const { pongs, ping, closed } = await shortLived(3_600_000);
    ping({ mine: 1 });
    await until(() => pongs.length > 0);
    expect([pongs, closed]).toEqual([[{ mine: 1 }], []]);
  });

  test.each([
    ['another user', 'token-bob'],
    ['nobody', 'token-of-nobody'],
  ])('a ping with the credential of %s closes the socket with 4403', async (_, bearer) => {
    const { ping, closed } = await shortLived(3_600_000);
    ping({ authorization: `Bearer ${bearer}` });
    await until(() => closed.length > 0);
    expect(closed).toEqual([4403]);
  });

  test('drain closes sockets with 1001', async () => {
    const closed: number[] = [];
    const client = gateway.client('token-ann', {
      on: { closed: (event) => closed.push((event as { code: number }).code) },
    });
    const collector = new Collector(client, stream);
    await until(() => collector.items.length > 0);
    await gateway.gateway.drain();
    await until(() => closed.length > 0);
    expect(closed).toEqual([1001]);
    await until(() => gateway.world.log.open === 0);
  });

  test("one user's catch-up is completed a few events at a time, interleaved with other events", async () => {
    for (let event = 0; event < 20; event += 1) gateway.world.log.append(`old-${event}`);
    let held = 0;
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    gateway.world.beforePrice = async (id) => {
      if (!id.startsWith('old')) return;
      held += 1;
      await released;
    };
    const live = await begun(stream, 'token-eve');
    const late = Array.from({ length: 12 }, (_, from) => {
      const after = gateway.world.log.cursorAt(from);
      return new Collector(
        gateway.client(),
        `subscription { thingChanges(after: "${after}") { cursor thing { id price } } }`,
      );
    });
    await until(() => gateway.world.log.open === 13);
    await until(() => held >= 4);
    gateway.world.log.append('new');
    await hasIds(live, 'new');
    expect(held).toBe(4);
    release();
    for (const [from, collector] of late.entries()) {
      const missed = Array.from({ length: 20 - from }, (_, index) => `old-${from + index}`);
      await hasIds(collector, ...missed, 'new');
    }
  });

  describe('by filters', () => {
    const byKind =
      'subscription K($kinds: [String!], $owner: ID) { kindChanges(kinds: $kinds, owner: $owner) { cursor thing { id price } } }';

    test('subscriptions that differ in a filter share one upstream, and each gets its own events', async () => {
      const filters = Array.from({ length: 40 }, (_, index) => ({
        kinds: [`k${index % 20}`],
        ...(index < 20 ? {} : { owner: 'ann' }),
      }));
      const clients = [gateway.client(), gateway.client('token-bob')];
      const collectors = filters.map((filter, index) => new Collector(clients[index % 2] as Client, byKind, filter));
      await until(() => collectors.every(({ items }) => items.length > 0));
      gateway.world.log.append('k1:bob:1');
      await until(() => gateway.world.log.open === 1);
      expect(await gateway.metric('tidegate_gateway_upstreams')).toBe(1);
      gateway.world.log.append('k7:ann:2');
      gateway.world.log.append('nobody:ann:3');
      gateway.world.log.append('k19:bob:4');
      gateway.world.log.append('k19:ann:5');
      await hasIds(collectors[1] as Collector, 'k1:bob:1');
      await hasIds(collectors[7] as Collector, 'k7:ann:2');
      await hasIds(collectors[27] as Collector, 'k7:ann:2');
      await hasIds(collectors[19] as Collector, 'k19:bob:4', 'k19:ann:5');
      await hasIds(collectors[39] as Collector, 'k19:ann:5');
      expect(collectors.reduce((sum, { ids }) => sum + ids.length, 0)).toBe(6);
    });

    test('an item without readers is not completed from other subgraphs', async () => {
      const a = await begun(byKind, undefined, { kinds: ['a'] });
      await begun(byKind, undefined, { kinds: ['b'] });
      gateway.world.log.append('a:x:1');
      await hasIds(a, 'a:x:1');
      await until(() => gateway.world.log.open === 1);
      const loaded = gateway.world.batches.length;
      for (let n = 0; n < 20; n += 1) gateway.world.log.append(`c:x:${n}`);
      gateway.world.log.append('a:x:2');
      await hasIds(a, 'a:x:1', 'a:x:2');
      expect(gateway.world.batches.length).toBe(loaded + 1);
    });

    test('literals, variables and the order of a list give the same filter', async () => {
      await begun(byKind, undefined, { kinds: ['a', 'b'] });
      await begun('subscription { kindChanges(kinds: ["b", "a"]) { cursor thing { id price } } }');
      await begun(byKind, undefined, { kinds: ['b', 'a'], owner: null });
      expect(gateway.world.log.opened).toBe(1);
    });

    test('an input object filters with its fields in any order, and with defaults omitted or null', async () => {
      const byMark = 'subscription M($mark: MarkInput) { kindChanges(mark: $mark) { cursor thing { id price } } }';
      const inline = (mark: string) => `subscription { kindChanges(mark: ${mark}) { cursor thing { id price } } }`;
      const ofAnn = [
        await begun(byMark, undefined, { mark: { id: 'ann' } }),
        await begun(byMark, undefined, { mark: { id: 'ann', space: 'usual' } }),
        await begun(byMark, undefined, { mark: { space: null, id: 'ann' } }),
        await begun(inline('{ space: null, id: "ann" }')),
      ];
      expect(gateway.world.log.opened).toBe(1);
      const others = [
        await begun(byMark, undefined, { mark: { id: 'bob' } }),
        await begun(byMark, undefined, { mark: { id: 'ann', space: 'other' } }),
      ];
      await until(() => gateway.world.log.open === 1);
      for (const id of ['a:ann:1', 'a:bob:2', 'a:eve:3', 'b:ann:4']) gateway.world.log.append(id);
      for (const collector of ofAnn) await hasIds(collector, 'a:ann:1', 'b:ann:4');
      await hasIds(others[0] as Collector, 'a:bob:2');
      expect(others[1]?.ids).toEqual([]);
    });

    test('a filter that the subgraph refuses is refused, even beside others', async () => {
      await begun(byKind, undefined, { kinds: ['a'] });
      await begun(byKind);
      const refused = new Collector(gateway.client(), byKind, { kinds: ['none'] });
      await until(() => refused.done);
      expect(refused.error).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
    });

    test("a subscription with other rights never gets another's upstream", async () => {
      const ann = await begun(byKind, 'token-ann', { kinds: ['a'] });
      const eve = await begun(byKind, 'token-eve', { kinds: ['a'] });
      await begun(byKind, 'token-ann', { kinds: ['b'] });
      gateway.world.log.append('a:x:1');
      await hasIds(ann, 'a:x:1');
      await hasIds(eve, 'a:x:1');
      gateway.authenticator.identities.delete('token-ann');
      await until(() => ann.done);
      gateway.world.log.append('a:x:2');
      await hasIds(eve, 'a:x:1', 'a:x:2');
      expect(ann.ids).toEqual(['a:x:1']);
    });

    test('a restart of the subgraph leaves no gap and no duplicate for any filter', async () => {
      const kinds = ['a', 'b', 'c', 'd'];
      const collectors = await Promise.all(kinds.map((kind) => begun(byKind, undefined, { kinds: [kind] })));
      const expected: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        for (const kind of kinds) {
          if (kind === 'b') await gateway.killAlpha();
          if (kind === 'd') await gateway.restartAlpha();
          const id = `${kind}:x:${round}`;
          expected.push(id);
          gateway.world.log.append(id);
        }
        await until(() => collectors.every(({ ids }) => ids.length > round));
      }
      for (const [index, { ids }] of collectors.entries())
        expect(ids).toEqual(expected.filter((id) => id.startsWith(`${kinds[index]}:`)));
    });

    test('a subscription that resumes gets its matching events, filtered by the subgraph', async () => {
      await begun(byKind, undefined, { kinds: ['a'] });
      await begun(byKind, undefined, { kinds: ['b'] });
      const from = gateway.world.log.cursorAt(0);
      const items = () => gateway.world.calls.get('kindChanges item') ?? 0;
      await until(() => gateway.world.log.open === 1);
      const begunWith = items();
      for (const id of ['a:x:1', 'c:x:2', 'b:x:3', 'c:x:4']) gateway.world.log.append(id);
      await until(() => items() === begunWith + 4);
      const before = items();
      const resumed = new Collector(
        gateway.client(),
        `subscription { kindChanges(kinds: ["c"], after: "${from}") { cursor thing { id price } } }`,
      );
      await hasIds(resumed, 'c:x:2', 'c:x:4');
      expect(items() - before).toBeLessThanOrEqual(3);
    });
  });

  /** Appends another event, so that streams that have caught up merge. */
  function appendOne(): boolean {
    gateway.world.log.append('more');
    return false;
  }

  /** Stops reading the client's socket. */
  async function pausedSocket(client: ReturnType<TestGateway['client']>): Promise<{ resume(): void }> {
    const socket = gateway.sockets.get(client)?.at(-1);
    socket?.pause();
    return { resume: () => socket?.resume() };
  }
});
