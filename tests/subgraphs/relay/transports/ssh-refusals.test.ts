// The messages of a real sshd that refuses a login. A full server is not a wrong password, and a wrong password is not
// a lost connection.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type Login, login } from '../../../../subgraphs/relay/transports/ssh-login.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { RealSshd } from '../../../support/servers/real-sshd.ts';

const started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((stop) => stop()));
});

async function sshd(...lines: readonly string[]): Promise<RealSshd> {
  const server = await RealSshd.start(lines);
  started.push(() => server.stop());
  return server;
}

function logIn({ port, hostKeySha256 }: RealSshd): Promise<Login> {
  const credentials = { username: 'netops', password: 'secret' };
  return login(
    { host: '127.0.0.1', port, hostKeySha256, cryptoProfile: 'MODERN', credentials },
    { timeoutMs: 30_000, keepaliveMs: 10_000, signal: new AbortController().signal, egress: testEgress },
  );
}

/** Opens a connection that does not log in. Returns the function that ends it. */
async function occupy(server: RealSshd): Promise<() => void> {
  const socket = connect({ host: '127.0.0.1', port: server.port });
  socket.on('error', () => {});
  const [first] = (await once(socket, 'data')) as [Buffer];
  if (first.toString().startsWith('SSH-')) return () => socket.destroy();
  // The connection that checked whether sshd listens is not over yet.
  socket.destroy();
  return occupy(server);
}

test('with more logins than allowed at once (MaxStartups) there is no session now', async () => {
  const server = await sshd('MaxStartups 1:100:1');
  const free = await occupy(server);
  const refused = await logIn(server);
  expect(refused).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT', code: 'SESSION_REFUSED' } });
  expect(JSON.stringify(refused)).toMatch(/MaxStartups|Not allowed at this time/);
  free();
  // Once there is room, the error is the wrong password.
  let again = await logIn(server);
  while (!again.ok && again.failure.code === 'SESSION_REFUSED') again = await logIn(server);
  expect(again).toMatchObject({ ok: false, failure: { code: 'AUTH_FAILED' } });
});

test('a wrong password with one allowed attempt (MaxAuthTries) is not a lost connection', async () => {
  const server = await sshd('MaxAuthTries 1');
  expect(await logIn(server)).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
  expect(server.secretsTried).toHaveLength(1);
});
