// Attacks on the relay by a device, or by an impostor server, before and after a login.
import { getDiffieHellman } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import ssh2, { type Connection } from 'ssh2';
import type { CryptoProfile } from '../../../../platform/net/tls-profiles.ts';
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import type { CliDialect } from '../../../../subgraphs/relay/drivers/driver.ts';
import { createNetconfTransport } from '../../../../subgraphs/relay/transports/netconf-transport.ts';
import type { Endpoint, Transport, TransportOptions } from '../../../../subgraphs/relay/transports/session.ts';
import { login } from '../../../../subgraphs/relay/transports/ssh-login.ts';
import { createSshTransport } from '../../../../subgraphs/relay/transports/ssh-transport.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { RealSshd } from '../../../support/servers/real-sshd.ts';

const started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((stop) => stop()));
});

function logIn(
  at: { readonly port: number; readonly hostKeySha256?: string },
  { timeoutMs = 5_000, cryptoProfile = 'MODERN' as CryptoProfile } = {},
) {
  const { port, hostKeySha256 = null } = at;
  const credentials = { username: 'netops', password: 'secret' };
  return login(
    { host: '127.0.0.1', port, hostKeySha256, cryptoProfile, credentials },
    { timeoutMs, keepaliveMs: 10_000, signal: new AbortController().signal, egress: testEgress },
  );
}

/** Answers every connection in its own way. */
async function server(answer: (socket: Socket) => void): Promise<{ readonly port: number }> {
  const sockets = new Set<Socket>();
  const listening: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    answer(socket);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  started.push(async () => {
    for (const socket of sockets) socket.destroy();
    listening.close();
  });
  return { port: (listening.address() as AddressInfo).port };
}

/** OpenSSH PROTOCOL, section 2.1, as OpenSSH's own servers do it. The types of ssh2 lack it. */
function askForAgent(connection: Connection, done: (error: Error | undefined) => void): void {
  const { _chanMgr, _protocol } = connection as unknown as {
    readonly _chanMgr: { add(opened: (error?: Error) => void): number };
    readonly _protocol: { openssh_authAgent(channel: number, window: number, packet: number): void };
  };
  const opened = Object.assign((error?: Error) => done(error), { type: 'auth-agent@openssh.com' });
  _protocol.openssh_authAgent(_chanMgr.add(opened), 65_536, 32_768);
}

/** Writes endlessly, as fast as the peer reads. */
function pour(socket: Socket, chunk: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

describe('an SSH server, before it has proved its identity', () => {
  test.each([
    ['lines without an end before its version', `${'x'.repeat(100)}\r\n`.repeat(100)],
    ['a line without an end', 'x'.repeat(10_000)],
    ['random data after its version', `SSH-2.0-x\r\n${'x'.repeat(10_000)}`],
  ])('that sends %s is disconnected, and little of the data is kept', async (_what, chunk) => {
    let received = 0;
    const at = await server((socket) => {
      pour(socket, chunk);
      socket.on('close', () => {
        received = socket.bytesWritten;
      });
    });
    const result = await logIn(at);
    expect(result).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT' } });
    if (!result.ok) expect(result.failure.message.length).toBeLessThan(500);
    expect(received).toBeLessThan(64 * 1024 * 1024);
  });

  test('that chooses a group of 8192 bits is refused without the prime test, which would take a minute', async () => {
    const prime = getDiffieHellman('modp18').getPrime('hex');
    const moduli = `20260101000000 2 6 100 8191 2 ${prime.toUpperCase()}\n`;
    const exchange = 'KexAlgorithms diffie-hellman-group-exchange-sha256';
    const sshd = await RealSshd.start([exchange], moduli);
    started.push(() => sshd.stop());
    // A regular server respects the request, so this one gets a modified one. RFC 4419 section 3: minimum, preferred,
    // maximum.
    const request = (preferred: number, most: number) =>
      Buffer.from(`22${[2_048, preferred, most].map((bits) => bits.toString(16).padStart(8, '0')).join('')}`, 'hex');
    const between = await server((socket) => {
      const onwards = connect(sshd.port, sshd.host);
      onwards.on('error', () => socket.destroy());
      onwards.pipe(socket);
      socket.on('close', () => onwards.destroy());
      socket.on('data', (chunk: Buffer) => {
        const at = chunk.indexOf(request(2_048, 4_096));
        if (at >= 0) request(8_192, 8_192).copy(chunk, at);
        onwards.write(chunk);
      });
    });
    const result = await logIn(between, { cryptoProfile: 'COMPAT' });
    expect(result).toMatchObject({ ok: false, failure: { code: 'PROTOCOL_FAILED' } });
    expect(JSON.stringify(result)).toContain('a group of 8192 bits; at most 4096 are accepted');
    expect(sshd.secretsTried).toEqual([]);
  });

  test('that chooses a group of 2048 bits works as before', async () => {
    const prime = getDiffieHellman('modp14').getPrime('hex');
    const moduli = `20260101000000 2 6 100 2047 2 ${prime.toUpperCase()}\n`;
    const sshd = await RealSshd.start(['KexAlgorithms diffie-hellman-group-exchange-sha256'], moduli);
    started.push(() => sshd.stop());
    // The group is accepted; the account does not exist.
    expect(await logIn(sshd, { cryptoProfile: 'COMPAT' })).toMatchObject({ failure: { code: 'AUTH_FAILED' } });
  });
});

describe('an SSH device after the login', () => {
  test("that opens channels itself (forwarded ports, X11, the relay's agent, a shell) gets none", async () => {
    const asked = Promise.withResolvers<Connection>();
    const device = await SshDevice.start({ onConnection: (connection) => asked.resolve(connection) });
    started.push(() => device.stop());
    const result = await logIn(device);
    if (!result.ok) throw new Error(result.failure.message);
    const connection = await asked.promise;
    const opened = (open: (done: (error: Error | undefined) => void) => void) =>
      new Promise<string>((resolve) => open((error) => resolve(error === undefined ? 'opened' : 'refused')));
    const answers = await Promise.all([
      opened((done) => connection.forwardOut('127.0.0.1', 22, '127.0.0.1', 4_000, done)),
      opened((done) => connection.x11('127.0.0.1', 6_000, done)),
      opened((done) => askForAgent(connection, done)),
      opened((done) => connection.openssh_forwardOutStreamLocal('/run/mysqld/mysqld.sock', done)),
    ]);
    result.socket.destroy();
    expect(answers).toEqual(['refused', 'refused', 'refused', 'refused']);
  });

  test('gets no keys of an agent', async () => {
    const agent = await server((socket) => socket.destroy());
    const before = process.env.SSH_AUTH_SOCK;
    process.env.SSH_AUTH_SOCK = `127.0.0.1:${agent.port}`;
    try {
      const device = await SshDevice.start({
        password: 'another',
        publicKeys: [ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).public],
      });
      started.push(() => device.stop());
      expect(await logIn(device)).toMatchObject({ failure: { code: 'AUTH_FAILED' } });
      expect(device.attempts).toEqual(['none', 'password']);
    } finally {
      if (before === undefined) delete process.env.SSH_AUTH_SOCK;
      else process.env.SSH_AUTH_SOCK = before;
    }
  });
});

describe('an SSH device that accepts the login and ends the connection at once', () => {
  const cli: CliDialect = { prompt: /# $/, setup: [] };
  const filter = '<things xmlns="urn:acme"/>';
  const calls = {
    cli: { kind: 'cli', lines: ['show version'] },
    netconf: { kind: 'netconf', source: 'running', filter, modules: {} },
    exec: { kind: 'exec', command: 'true' },
  } as const;
  const transports: Record<keyof typeof calls, (endpoint: Endpoint, options: TransportOptions) => Transport> = {
    cli: (endpoint, options) => createSshTransport(endpoint, { ...options, cli }),
    netconf: createNetconfTransport,
    exec: createSshTransport,
  };

  test.each(['cli', 'netconf', 'exec'] as const)('%s: nothing is sent, and the relay keeps running', async (kind) => {
    // Both packets have arrived when the relay reads the first.
    const device = await SshDevice.start({ onConnection: (connection) => connection.end() });
    started.push(() => device.stop());
    const { host, port, hostKeySha256 } = device;
    const credentials = { username: 'netops', password: 'secret' };
    const transport = transports[kind](
      { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials },
      { egress: testEgress, concurrency: 1, connectTimeoutMs: 1_000 },
    );
    started.push(() => transport.close());
    const result = await transport.send(calls[kind], { deadlineMs: 5_000 });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT' } });
  });
});
