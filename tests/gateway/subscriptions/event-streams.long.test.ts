// GraphQL over SSE: subscriptions as event streams. They share upstreams, limits and credential checks with sockets.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { socketCloses } from '../../../platform/errors/errors.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { EventClient, stream } from '../support/event-client.ts';
import { Collector, modes, TestGateway, testIdentity } from '../support/gateway.ts';

const resumable = 'subscription ($after: String) { thingChanges(after: $after) { cursor thing { id name price } } }';

const endedBy = ({ error, reason }: { readonly error: string; readonly reason: string }) => [
  { event: 'next', data: { errors: [{ message: reason, extensions: { code: error } }] } },
  { event: 'complete', data: '' },
];

describe.each(modes)('event streams, subgraphs %s', (mode) => {
  let gateway: TestGateway;
  let clients: EventClient[] = [];
  beforeEach(async () => {
    clients = [];
    gateway = await new TestGateway(mode).start({ socketLimits: { ringCapacity: 64, recheckIntervalMs: 20 } });
  });
  afterEach(async () => {
    for (const client of clients) client.cancel();
    await gateway.stop();
  });

  const open = async (...[opening = {}]: [Parameters<typeof EventClient.open>[1]?]) => {
    const client = await EventClient.open(gateway.gateway.url, opening);
    clients.push(client);
    return client;
  };
  const begun = async (...[opening = {}]: [Parameters<typeof EventClient.begun>[1]?]) => {
    const client = await EventClient.begun(gateway.gateway.url, opening);
    clients.push(client);
    return client;
  };
  const nothingLeft = async () => {
    await until(() => gateway.world.log.open === 0);
    for (const name of ['upstreams', 'subscriptions', 'event_streams'])
      await until(async () => (await gateway.metric(`tidegate_gateway_${name}`)) === 0);
  };

  test.each(['POST', 'GET'] as const)(
    'a subscription by %s gets its events, with their cursors as ids',
    async (method) => {
      gateway.world.prices.set('a', 5);
      const client = await begun({ method });
      const { log } = gateway.world;
      expect(client.response.status).toBe(200);
      expect(client.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      expect(client.response.headers.get('content-encoding')).toBeNull();
      log.append('a');
      await until(() => client.ids.length === 1);
      const thing = { id: 'a', name: 'thing a', price: 5 };
      expect(client.events).toEqual([
        {
          event: 'next',
          id: log.cursorAt(0),
          data: { data: { thingChanges: { cursor: log.cursorAt(0), thing: null } } },
        },
        { event: 'next', id: log.cursorAt(1), data: { data: { thingChanges: { cursor: log.cursorAt(1), thing } } } },
      ]);
    },
  );

  test('streams and sockets share one upstream, and a client that disconnects frees everything', async () => {
    const [one, other] = [await begun(), await begun({ token: 'token-bob' })];
    const socket = new Collector(gateway.client(), stream);
    await until(() => socket.items.length > 0);
    expect(gateway.world.log.opened).toBe(1);
    expect(await gateway.metric('tidegate_gateway_event_streams')).toBe(2);
    gateway.world.log.append('a');
    await until(() => [one.ids, other.ids, socket.ids].every((ids) => ids.length === 1));
    socket.cancel();
    one.cancel();
    gateway.world.log.append('b');
    await until(() => other.ids.length === 2);
    other.cancel();
    await nothingLeft();
  });

  test('a stream that resumes after its cursor has no gap, also with Last-Event-ID', async () => {
    const client = await begun();
    gateway.world.log.append('a');
    await until(() => client.ids.length === 1);
    const id = client.events.at(-1)?.id ?? '';
    client.cancel();
    for (const each of ['b', 'c']) gateway.world.log.append(each);
    const byVariable = await begun({ query: resumable, variables: { after: id } });
    const again = { query: resumable, variables: { after: gateway.world.log.cursorAt(0) } };
    const byHeader = await begun({ ...again, headers: { 'last-event-id': id } });
    gateway.world.log.append('d');
    await until(() => byVariable.ids.length >= 3 && byHeader.ids.length >= 3);
    expect([byVariable.ids, byHeader.ids]).toEqual([
      ['b', 'c', 'd'],
      ['b', 'c', 'd'],
    ]);
  });

  test('a subgraph that is killed and restarted causes no gap and no duplicate', async () => {
    const client = await begun();
    gateway.world.log.append('before');
    await until(() => client.ids.length === 1);
    await gateway.killAlpha();
    gateway.world.log.append('while');
    await gateway.restartAlpha();
    gateway.world.log.append('after');
    await until(() => client.ids.length >= 3);
    expect(client.ids).toEqual(['before', 'while', 'after']);
  });

  test("a cursor that can't be resumed ends the stream with its code", async () => {
    const client = await open({ query: resumable, variables: { after: 'nonsense' } });
    await until(() => client.done);
    expect(client.events).toMatchObject([
      { event: 'next', data: { errors: [{ extensions: { code: 'INVALID_CURSOR' } }] } },
      { event: 'complete' },
    ]);
    const long = await open({ headers: { 'last-event-id': 'x'.repeat(2000) } });
    await until(() => long.done);
    expect(long.results).toMatchObject([{ errors: [{ extensions: { code: 'INVALID_CURSOR' } }] }]);
    await nothingLeft();
  });

  test.each([
    ['an ended session', socketCloses.loginEnded],
    ['changed rights', socketCloses.rightsChanged],
  ])('%s ends only its own streams, with a code', async (what, expected) => {
    const [ann, bob] = [await begun(), await begun({ token: 'token-bob' })];
    const { identities } = gateway.authenticator;
    if (what === 'changed rights') identities.set('token-ann', testIdentity('ann', { p1: 'VIEWER' }));
    else identities.delete('token-ann');
    await until(() => ann.done);
    expect(ann.events.slice(1)).toEqual(endedBy(expected).map((event) => ({ ...event, id: undefined })));
    gateway.world.log.append('a');
    await until(() => bob.ids.length === 1);
  });

  test('a stream ends with its access token', async () => {
    gateway.authenticator.identities.set('short', { ...testIdentity('ann'), accessUntilMs: Date.now() + 1_000 });
    const client = await open({ token: 'short' });
    await until(() => client.done);
    expect(client.events.slice(-2)).toMatchObject(endedBy(socketCloses.accessTokenEnded));
    await nothingLeft();
  });

  test('a drain ends the streams, and does not wait for clients', async () => {
    const [reading, paused] = [await begun(), await open({ paused: true })];
    const drained = gateway.gateway.drain();
    await until(() => reading.done);
    expect(reading.events.slice(1)).toMatchObject(endedBy(socketCloses.goingAway));
    await drained;
    paused.resume();
    await until(() => paused.done);
    expect(paused.events.slice(-2)).toMatchObject(endedBy(socketCloses.goingAway));
    await nothingLeft();
  });

  test('when the address moves, the streams end with their connections, and new ones are served', async () => {
    const client = await begun();
    await gateway.gateway.handOver();
    await until(() => client.done);
    expect(client.events.slice(1)).toMatchObject(endedBy(socketCloses.goingAway));
    const next = await begun();
    gateway.world.log.append('a');
    await until(() => next.ids.length === 1);
  });
});

describe('a client', () => {
  let gateway: TestGateway;
  const start = async (options: Parameters<TestGateway['start']>[0]) => {
    gateway = await new TestGateway('in-process').start(options);
  };
  afterEach(async () => {
    await gateway.stop();
  });
  const open = (opening: Parameters<typeof EventClient.open>[1] = {}) => EventClient.open(gateway.gateway.url, opening);

  test('that does not read misses nothing, and delays no other client', async () => {
    await start({ socketLimits: { ringCapacity: 64 } });
    const fast = await EventClient.begun(gateway.gateway.url);
    const slow = await open({ paused: true });
    const pad = 'x'.repeat(20_000);
    for (let n = 0; n < 500; n += 1) {
      gateway.world.log.append(`${n}-${pad}`);
      if (n % 20 === 0) await until(() => fast.ids.length === n + 1);
    }
    await until(() => fast.ids.length === 500);
    expect(await gateway.metric('tidegate_gateway_deliveries_total')).toBeLessThan(1_000);
    slow.resume();
    await until(() => slow.ids.length === 500);
    expect(slow.ids).toEqual(fast.ids);
    // The client fell behind the ring of 64, and caught up with separate executions.
    expect(gateway.world.log.opened).toBeGreaterThan(1);
    for (const client of [fast, slow]) client.cancel();
  });

  test('that reads nothing for too long is disconnected, and frees everything', async () => {
    await start({
      connectionLimits: { readWithinMs: 50, slowestBytesPerSecond: 1_000_000 },
      socketLimits: { ringCapacity: 64 },
    });
    const fast = await EventClient.begun(gateway.gateway.url);
    const stuck = await open({ paused: true });
    await until(async () => (await gateway.metric('tidegate_gateway_event_streams')) === 2);
    const pad = 'x'.repeat(200_000);
    const isCut = async () => (await gateway.metric('tidegate_gateway_event_streams')) === 1;
    for (let n = 0; !(await isCut()); n += 1) {
      gateway.world.log.append(`${n}-${pad}`);
      await until(() => fast.ids.length === n + 1);
    }
    fast.cancel();
    stuck.cancel();
    await until(() => gateway.world.log.open === 0);
  });

  test('on a silent stream gets comments', async () => {
    await start({ socketLimits: { pingIntervalMs: 10 } });
    const client = await open();
    await until(() => client.heartbeats >= 3);
    expect(client.text).toContain('\n\n:\n\n');
    client.cancel();
  });
});
