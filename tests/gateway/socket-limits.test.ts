// Sockets beyond a limit are closed, and subscriptions beyond a limit are refused. The reason names the limit.
// needs: processes
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { SocketLimits } from '../../gateway/access/limits.ts';
import { until } from '../support/machine/temporary-folder.ts';
import { answered } from './support/answered.ts';
import { Collector, TestGateway, testIdentity } from './support/gateway.ts';

describe('sockets', () => {
  const limits = {
    maxSubscriptionsPerSocket: 3,
    maxSocketsPerCredential: 2,
    connectionInitTimeoutMs: 2_000,
    maxMessageBytes: 2000,
  };
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await new TestGateway('in-process').start({
      socketLimits: { ...limits, recheckIntervalMs: 20, recheckGraceMs: 60 },
    });
  });
  afterEach(() => gateway.endClients());
  afterAll(() => gateway.stop());

  /** The close code of a socket of this client. */
  async function closeCode(token: string, parameters?: Record<string, unknown>): Promise<number> {
    let code: number | undefined;
    const client = gateway.client(token, {
      lazy: false,
      onNonLazyError: () => {},
      ...(parameters === undefined ? {} : { connectionParams: parameters }),
      on: {
        closed: (event) => {
          code = (event as { code: number }).code;
        },
      },
    });
    await until(() => code !== undefined);
    void client.dispose();
    return code ?? 0;
  }

  test('without a valid credential a socket is closed with 4403', async () => {
    expect(await closeCode('no-such-token')).toBe(4403);
    expect(await closeCode('', {})).toBe(4403);
  });

  test('a bare token in the parameters is accepted', async () => {
    const client = gateway.client('', { connectionParams: { token: 'token-ann' } });
    const collector = new Collector(client, '{ caller }');
    await until(() => collector.done);
    expect(collector.items).toEqual([{ ...answered, data: { caller: 'ann' } }]);
  });

  test('a socket with the maximum number of subscriptions gets no more', async () => {
    const client = gateway.client();
    const collectors = Array.from(
      { length: 4 },
      () => new Collector(client, 'subscription { thingChanges { cursor } }'),
    );
    await until(() => collectors.some((collector) => collector.done));
    expect(collectors.filter((collector) => collector.done).map((collector) => collector.error)).toMatchObject([
      [{ extensions: { code: 'LIMIT_EXCEEDED' } }],
    ]);
  });

  test('a credential with the maximum number of sockets gets no more', async () => {
    for (let n = 0; n < 2; n += 1) {
      const collector = new Collector(gateway.client(), 'subscription { thingChanges { cursor } }');
      await until(() => collector.items.length > 0);
    }
    expect(await closeCode('token-ann')).toBe(1013);
    expect(await gateway.metric('tidegate_gateway_sockets')).toBe(2);
  });

  test('a socket without connection_init is closed with 4408, and one with a message that is too long with 1009', async () => {
    const { WebSocket } = await import('ws');
    const url = `${gateway.gateway.url.replace('http', 'ws')}/graphql`;
    const silent = new WebSocket(url, 'graphql-transport-ws');
    const [silentCode] = await new Promise<unknown[]>((resolve) => silent.once('close', (...args) => resolve(args)));
    expect(silentCode).toBe(4408);
    const loud = new WebSocket(url, 'graphql-transport-ws');
    loud.once('open', () => loud.send('x'.repeat(3000)));
    const [loudCode] = await new Promise<unknown[]>((resolve) => loud.once('close', (...args) => resolve(args)));
    expect(loudCode).toBe(1009);
  });

  test.each(['connection_ack', 'next', 'error'])(
    'a client message of type %s, which only servers send, closes the socket with 4400 and is not an internal error',
    async (type) => {
      const { WebSocket } = await import('ws');
      const socket = new WebSocket(`${gateway.gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
      socket.once('open', () => {
        socket.send('{"type":"connection_init","payload":{"authorization":"Bearer token-ann"}}');
        socket.send(JSON.stringify({ id: '1', type, payload: type === 'error' ? [{ message: 'x' }] : {} }));
      });
      const [code] = await new Promise<unknown[]>((resolve) => socket.once('close', (...args) => resolve(args)));
      expect(code).toBe(4400);
    },
  );

  test('an upgrade on another path is refused', async () => {
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(`${gateway.gateway.url.replace('http', 'ws')}/other`, 'graphql-transport-ws');
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toContain('404');
  });

  test("while credentials can't be checked, sockets stay open; after the grace period they are closed with 4503", async () => {
    const codes: number[] = [];
    const client = gateway.client('token-ann', {
      on: { closed: (event) => codes.push((event as { code: number }).code) },
    });
    const collector = new Collector(client, 'subscription { thingChanges { cursor thing { id } } }');
    await until(() => collector.items.length > 0);
    gateway.authenticator.away = true;
    gateway.world.log.append('a');
    await until(() => collector.ids.length === 1);
    await until(() => codes.length > 0);
    expect(codes).toEqual([4503]);
    gateway.authenticator.away = false;
  });
});

test('the socket limit of a user covers all sessions and API tokens of the user', async () => {
  await using crowded = await new TestGateway('in-process').start({ socketLimits: { maxSocketsPerUser: 3 } });
  const { identities } = crowded.authenticator;
  const ann = testIdentity('ann');
  for (let n = 1; n <= 4; n += 1) identities.set(`session-${n}`, { ...ann, credentialId: `session ${n}` });
  const token = { ...ann, kind: 'token' as const, id: 'a token', credentialId: 'a token', ownerId: ann.id };
  identities.set('api-token', token);
  const open = async (bearer: string) => {
    let code: number | undefined;
    const closed = (event: unknown) => {
      code = (event as { code: number }).code;
    };
    const collector = new Collector(
      crowded.client(bearer, { on: { closed } }),
      'subscription { thingChanges { cursor } }',
    );
    await until(() => collector.items.length > 0 || code !== undefined);
    return code ?? 'open';
  };
  const codes = [];
  for (const bearer of ['session-1', 'session-2', 'api-token', 'session-3', 'api-token', 'token-bob'])
    codes.push(await open(bearer));
  expect(codes).toEqual(['open', 'open', 'open', 1013, 1013, 'open']);
});

describe('subscriptions of one user', () => {
  let gateway: TestGateway;
  afterEach(() => gateway.stop());

  const things = 'subscription { thingChanges { cursor } }';
  const identities = () => gateway.authenticator.identities;

  async function start(socketLimits: Partial<SocketLimits>): Promise<void> {
    gateway = await new TestGateway('in-process').start({ socketLimits });
    const ann = testIdentity('ann');
    identities().set('session-2', { ...ann, credentialId: 'another session' });
    identities().set('api-token', {
      ...ann,
      ...{ kind: 'token', id: 'token', credentialId: 'token', ownerId: ann.id },
    });
  }

  async function follow(token: string, query = things, variables?: Record<string, unknown>): Promise<Collector> {
    const collector = new Collector(gateway.client(token), query, variables);
    await until(() => collector.items.length > 0 || collector.done);
    return collector;
  }

  const refusal = (limit: string, most: number) => [{ extensions: { code: 'LIMIT_EXCEEDED', limit, most } }];

  test('are counted over all sessions and API tokens', async () => {
    await start({ maxSubscriptionsPerUser: 3 });
    const [first] = [await follow('token-ann'), await follow('session-2'), await follow('api-token')];
    expect((await follow('session-2')).error).toMatchObject(refusal('subscriptions of one user', 3));
    expect((await follow('token-bob')).error).toBeUndefined();
    first.cancel();
    await until(async () => (await gateway.metric('tidegate_gateway_subscriptions')) === 3);
    expect((await follow('session-2')).error).toBeUndefined();
  });

  test('the subscriptions of all users together are limited too', async () => {
    await start({ maxSubscriptions: 2 });
    for (const token of ['token-ann', 'token-bob']) expect((await follow(token)).error).toBeUndefined();
    expect((await follow('token-eve')).error).toMatchObject(refusal('subscriptions', 2));
  });

  test('the cost of an event is counted by selection, not by filter', async () => {
    await start({ maxEventCost: 40 });
    const by = (fields: string) => `subscription ($kinds: [String!]) { kindChanges(kinds: $kinds) { ${fields} } }`;
    for (const kinds of [['a'], ['b'], ['c'], null])
      expect((await follow('token-ann', by('cursor'), { kinds })).error).toBeUndefined();
    const second = await follow('session-2', by('cursor thing { id }'));
    expect(second.error).toBeUndefined();
    const more = () => follow('api-token', by('cursor thing { id name price }'));
    expect((await more()).error).toMatchObject(refusal('cost of an event', 40));
    expect((await follow('token-bob', by('cursor thing { id name price }'))).error).toBeUndefined();
    second.cancel();
    await until(async () => (await gateway.metric('tidegate_gateway_subscriptions')) === 5);
    expect((await more()).error).toBeUndefined();
  });
});

test('sockets without connection_init do not count against any user', async () => {
  const { WebSocket } = await import('ws');
  await using crowded = await new TestGateway('in-process').start({
    socketLimits: { maxSockets: 5, maxWaitingSockets: 20, maxWaitingOfNetwork: 10, connectionInitTimeoutMs: 60_000 },
  });
  const url = `${crowded.gateway.url.replace('http', 'ws')}/graphql`;
  const silent = Array.from({ length: 100 }, () => new WebSocket(url, 'graphql-transport-ws').on('error', () => {}));
  await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('open', resolve))));
  for (let user = 0; user < 5; user += 1) {
    const collector = new Collector(crowded.client(), 'subscription { thingChanges { cursor } }');
    await until(() => collector.items.length > 0);
  }
  await until(() => silent.filter(({ readyState }) => readyState === WebSocket.OPEN).length <= 10);
  // Sockets with connection_init are limited too.
  const late = new WebSocket(url, 'graphql-transport-ws');
  const error = await new Promise<Error>((resolve) => late.once('error', resolve));
  expect(error.message).toContain('503');
  for (const socket of silent) socket.terminate();
});

test('sockets that were opened before the limit was reached cannot exceed it when they log in', async () => {
  await using gateway = await new TestGateway('in-process').start({ socketLimits: { maxSockets: 1 } });
  const { WebSocket } = await import('ws');
  const url = `${gateway.gateway.url.replace('http', 'ws')}/graphql`;
  const sockets = [0, 1].map(() => new WebSocket(url, 'graphql-transport-ws'));
  await until(() => sockets.every((socket) => socket.readyState === socket.OPEN));
  const outcomes = sockets.map(
    (socket, index) =>
      new Promise<unknown>((resolve) => {
        socket.once('message', (data) => resolve((JSON.parse(String(data)) as { type: string }).type));
        socket.once('close', resolve);
        const token = ['token-ann', 'token-bob'][index];
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
      }),
  );
  expect((await Promise.all(outcomes)).map(String).sort()).toEqual(['1013', 'connection_ack']);
});
