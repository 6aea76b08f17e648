// The log-in of a socket: where the credential can be, and the reason text of a close.
// needs: processes
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type SocketClose, socketCloses } from '../../../platform/errors/errors.ts';
import { TestGateway, testIdentity } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await new TestGateway('in-process').start({
    socketLimits: { maxSocketsPerUser: 40, recheckIntervalMs: 20, recheckGraceMs: 20 },
  });
});
afterAll(() => gateway.stop());

interface Opening {
  readonly header?: string;
  readonly payload?: unknown;
  readonly first?: object;
  readonly protocol?: string;
}

function open({ header, payload, first, protocol = 'graphql-transport-ws' }: Opening): WebSocket {
  const headers = header === undefined ? {} : { authorization: header };
  const socket = new WebSocket(`${gateway.gateway.url.replace('http', 'ws')}/graphql`, protocol, { headers });
  socket.on('error', () => undefined);
  socket.once('open', () => socket.send(JSON.stringify(first ?? { type: 'connection_init', payload })));
  return socket;
}

/** 'acknowledged', or the close code and reason. */
async function outcome(socket: WebSocket): Promise<unknown> {
  const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }));
  const acknowledged = new Promise((resolve) => {
    socket.on('message', (data) => {
      if (String(data).includes('connection_ack')) resolve('acknowledged');
    });
  });
  return Promise.race([closed, acknowledged]);
}

async function closing(socket: WebSocket): Promise<unknown> {
  const [code, reason] = await once(socket, 'close');
  return { code, reason: String(reason) };
}

const saying = ({ code, reason }: SocketClose) => ({ code, reason });
const good = { authorization: 'Bearer token-ann' };

describe('the credential', () => {
  test.each<[string, Opening]>([
    ['in connection_init', { payload: good }],
    ['in the header of the upgrade, with an empty connection_init', { header: 'Bearer token-ann' }],
    ['in the header, with other parameters', { header: 'Bearer token-ann', payload: { locale: 'en' } }],
    ['in the header, with null in connection_init', { header: 'Bearer token-ann', payload: { authorization: null } }],
    ['in connection_init, with a wrong header', { header: 'Bearer no-such-token', payload: good }],
    ['in connection_init, with a header of another kind', { header: 'Basic YTpi', payload: good }],
  ])('is accepted %s', async (_, opening) => {
    expect(await outcome(open(opening))).toBe('acknowledged');
  });

  test.each<[string, Opening, SocketClose]>([
    ['there is none', {}, socketCloses.credentialMissing],
    ['it is not a bearer token', { payload: { authorization: 'Basic YTpi' } }, socketCloses.credentialMissing],
    ['it is empty', { payload: { authorization: 'Bearer ' } }, socketCloses.credentialMissing],
    ['the header is not a bearer token', { header: 'Basic YTpi' }, socketCloses.credentialMissing],
    [
      'it is unreadable beside a good header',
      { header: 'Bearer token-ann', payload: { authorization: 7 } },
      socketCloses.credentialMissing,
    ],
    ['it is wrong', { payload: { authorization: 'Bearer no-such-token' } }, socketCloses.forbidden],
    ['the header is wrong', { header: 'Bearer no-such-token' }, socketCloses.forbidden],
    [
      'it is wrong beside a good header',
      { header: 'Bearer token-ann', payload: { token: 'no-such-token' } },
      socketCloses.forbidden,
    ],
  ])('the socket is closed with a reason: %s', async (_, opening, expected) => {
    expect(await outcome(open(opening))).toEqual(saying(expected));
  });
});

test('operations run with the identity in the header', async () => {
  const socket = open({ header: 'Bearer token-bob' });
  expect(await outcome(socket)).toBe('acknowledged');
  socket.send('{"id":"1","type":"subscribe","payload":{"query":"{ caller }"}}');
  const [data] = await once(socket, 'message');
  expect(JSON.parse(String(data))).toMatchObject({ type: 'next', payload: { data: { caller: 'bob' } } });
});

test('a credential that cannot be checked closes the socket with 4503', async () => {
  gateway.authenticator.away = true;
  expect(await outcome(open({ payload: { token: 'token-never-seen' } }))).toEqual(saying(socketCloses.uncertain));
  gateway.authenticator.away = false;
});

test('a socket beyond the limit is closed with 1013', async () => {
  const outcomes = Array.from({ length: 41 }, () => outcome(open({ header: 'Bearer token-eve' })));
  const refused = (await Promise.all(outcomes)).filter((each) => each !== 'acknowledged');
  expect(refused).toEqual([saying(socketCloses.tryLater)]);
});

test('an ended session and changed rights close the socket with different reasons', async () => {
  const { identities } = gateway.authenticator;
  identities.set('token-dan', testIdentity('dan')).set('token-fay', testIdentity('fay'));
  const [dan, fay] = [open({ header: 'Bearer token-dan' }), open({ header: 'Bearer token-fay' })];
  expect(await Promise.all([outcome(dan), outcome(fay)])).toEqual(['acknowledged', 'acknowledged']);
  const closed = Promise.all([closing(dan), closing(fay)]);
  identities.delete('token-dan');
  identities.set('token-fay', testIdentity('fay', { p1: 'VIEWER' }));
  expect(await closed).toEqual([saying(socketCloses.loginEnded), saying(socketCloses.rightsChanged)]);
});

test('subscribe before connection_init, a second connection_init and a missing subprotocol each have their own reason', async () => {
  const early = open({ first: { id: '1', type: 'subscribe', payload: { query: '{ caller }' } } });
  expect(await outcome(early)).toEqual(saying(socketCloses.subscribedTooEarly));
  const twice = open({ payload: good });
  expect(await outcome(twice)).toBe('acknowledged');
  const closed = closing(twice);
  twice.send(JSON.stringify({ type: 'connection_init', payload: good }));
  expect(await closed).toEqual(saying(socketCloses.initTwice));
  // A server that accepts none of the offered subprotocols names none, and this client refuses that. So the client offers none.
  const bare = new WebSocket(`${gateway.gateway.url.replace('http', 'ws')}/graphql`);
  expect(await closing(bare)).toEqual(saying(socketCloses.subprotocolMissing));
});

test('a socket without connection_init is closed with 4408', async () => {
  await using impatient = await new TestGateway('in-process').start({ socketLimits: { connectionInitTimeoutMs: 50 } });
  const silent = new WebSocket(`${impatient.gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  expect(await closing(silent)).toEqual(saying(socketCloses.initTimeout));
});

test('each reason fits into a close frame', () => {
  for (const { reason } of Object.values(socketCloses)) expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
});
