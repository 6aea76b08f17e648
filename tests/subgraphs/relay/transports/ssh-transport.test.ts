import { readFile, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import ssh2 from 'ssh2';
import { type Execution, SshDevice, type SshDeviceOptions } from '../../../../simulators/ssh-device.ts';
import { TcpLine } from '../../../../simulators/tcp-line.ts';
import type { Endpoint, Slot, Transport, TransportOptions } from '../../../../subgraphs/relay/transports/session.ts';
import { createSshTransport } from '../../../../subgraphs/relay/transports/ssh-transport.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { temporaryFolder, until, waitFor } from '../../../support/machine/temporary-folder.ts';
import { RealSshd } from '../../../support/servers/real-sshd.ts';
import { endAfterEach, failureOf, own, slotOf } from './support/owned.ts';

endAfterEach();

async function device(options: SshDeviceOptions = {}): Promise<SshDevice> {
  return own(await SshDevice.start(options));
}

async function lineTo(target: SshDevice): Promise<TcpLine> {
  return own(await TcpLine.lay({ host: target.host, port: target.port }));
}

function endpointOf(target: SshDevice, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    host: target.host,
    port: target.port,
    hostKeySha256: target.hostKeySha256,
    cryptoProfile: 'MODERN',
    credentials: { username: 'ops', password: 'secret' },
    ...changes,
  };
}

function transportTo(endpoint: Endpoint, options: Partial<TransportOptions> = {}): Transport {
  return own(createSshTransport(endpoint, { egress: testEgress, concurrency: 4, ...options }));
}

const run = (transport: Transport, command: string, deadlineMs = 10_000) =>
  transport.send({ kind: 'exec', command }, { deadlineMs });

/** An onExec that answers at once, but hangs for commands that start with `hang`. */
function hangs(execution: Execution): void {
  if (!execution.command.startsWith('hang')) execution.reply(`done ${execution.command}`);
}

describe('host keys', () => {
  test('with a key other than the pinned one nothing is tried, and the presented key is reported', async () => {
    const target = await device();
    const other = await device();
    const transport = transportTo(endpointOf(target, { hostKeySha256: other.hostKeySha256 }));
    expect(failureOf(await run(transport, 'true'))).toMatchObject({
      kind: 'NOT_SENT',
      code: 'HOST_KEY_MISMATCH',
      presented: target.hostKeySha256,
    });
    expect(target.attempts).toEqual([]);
  });

  test('without a pinned key every key is refused', async () => {
    const target = await device();
    const transport = transportTo(endpointOf(target, { hostKeySha256: null }));
    expect(failureOf(await run(transport, 'true'))).toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      presented: target.hostKeySha256,
    });
    expect(target.attempts).toEqual([]);
  });
});

describe('login', () => {
  test.each(['password', 'keyboard-interactive'] as const)('a password by %s', async (passwordMethod) => {
    const target = await device({ passwordMethod });
    expect(await run(transportTo(endpointOf(target)), 'true')).toMatchObject({ ok: true, reply: { exitCode: 0 } });
    expect(target.attempts).toEqual(['none', passwordMethod]);
  });

  test.each(['password', 'keyboard-interactive'] as const)(
    'a wrong password by %s is tried once, whatever the number of waiting calls',
    async (passwordMethod) => {
      const target = await device({ passwordMethod });
      const transport = transportTo(endpointOf(target, { credentials: { username: 'ops', password: 'wrong' } }));
      const results = await Promise.all(Array.from({ length: 4 }, () => run(transport, 'true')));
      for (const result of results) expect(failureOf(result)).toMatchObject({ kind: 'NOT_SENT', code: 'AUTH_FAILED' });
      expect(target.attempts).toEqual(['none', passwordMethod]);
      expect(JSON.stringify(results)).not.toContain('wrong');
    },
  );

  test('a second question is not answered with the password', async () => {
    const target = await device({ passwordMethod: 'keyboard-interactive', prompts: ['Password: ', 'One-time code: '] });
    expect(failureOf(await run(transportTo(endpointOf(target)), 'true'))).toMatchObject({ code: 'AUTH_FAILED' });
  });

  test('without a secret nothing is tried', async () => {
    const target = await device();
    const transport = transportTo(endpointOf(target, { credentials: { username: 'ops' } }));
    expect(failureOf(await run(transport, 'true'))).toMatchObject({ code: 'AUTH_FAILED' });
    expect(target.attempts).toEqual([]);
  });
});

describe('connecting to the device', () => {
  test('a device with old algorithms requires the legacy profile', async () => {
    const target = await device({
      algorithms: { kex: ['diffie-hellman-group14-sha1'], cipher: ['aes128-cbc'], hmac: ['hmac-sha1'] },
    });
    for (const cryptoProfile of ['MODERN', 'COMPAT'] as const) {
      expect(failureOf(await run(transportTo(endpointOf(target, { cryptoProfile })), 'true'))).toMatchObject({
        kind: 'NOT_SENT',
        code: 'PROTOCOL_FAILED',
      });
    }
    expect(await run(transportTo(endpointOf(target, { cryptoProfile: 'LEGACY' })), 'true')).toMatchObject({ ok: true });
  });
});

describe('the first byte', () => {
  // A process that is stopped between two writes would send the rest long after the send window.
  test('command, input and end of input leave the process in one write', async () => {
    const target = await device({ onExec: async (execution) => execution.reply(await execution.stdin()) });
    const slot = await slotOf(transportTo(endpointOf(target)));
    const writes = ['_write', '_writev'] as const;
    const spies = writes.map((name) => jest.spyOn(Socket.prototype, name));
    const sent = slot.send({ kind: 'exec', command: 'cat', stdin: 'Grüße' }, { deadlineMs: 10_000 });
    const toTarget = (socket: unknown) => socket instanceof Socket && socket.remotePort === target.port;
    const counts = spies.map((spy) => spy.mock.contexts.filter(toTarget).length);
    for (const spy of spies) spy.mockRestore();
    expect(counts).toEqual([0, 1]);
    expect(await sent).toMatchObject({
      ...{ ok: true, reply: { exitCode: 0, stdout: 'Grüße', stderr: '', truncated: false } },
    });
  });

  // OpenSSH accepts the input only when the command runs. A process that was stopped in between would send it whenever
  // it resumes.
  test.each([true, false])('OpenSSH requests the input, which may still be sent: %s', async (isStill) => {
    const folder = await temporaryFolder();
    own({ stop: () => folder.remove() });
    const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519');
    await writeFile(join(folder.path, 'keys'), `${publicKey}\n`);
    const sshd = await RealSshd.start(['Match all', `AuthorizedKeysFile ${join(folder.path, 'keys')}`]);
    own(sshd);
    const { host, port, hostKeySha256 } = sshd;
    const credentials = { username: userInfo().username, privateKey };
    const transport = transportTo({ host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials });
    const slot = await slotOf(transport);
    let may = true;
    const file = join(folder.path, 'input');
    const sent = slot.send(
      { kind: 'exec', command: `cat > ${file}; echo done | tee ${file}.end`, stdin: 'input' },
      { deadlineMs: 10_000, beforeFirstByte: () => may },
    );
    may = isStill;
    if (isStill) expect(await sent).toMatchObject({ ok: true, reply: { stdout: 'done\n' } });
    else
      expect(failureOf(await sent)).toMatchObject({
        kind: 'NO_VERDICT',
        message: expect.stringContaining('None was sent'),
      });
    await waitFor('the end of the command', () => readFile(`${file}.end`).catch(() => undefined));
    expect(await readFile(file, 'utf8')).toBe(isStill ? 'input' : '');
  });
});

describe('no verdict', () => {
  test('a channel closed without an exit status gives a reply without one', async () => {
    const target = await device({ onExec: (execution) => execution.closeSilently() });
    expect(await run(transportTo(endpointOf(target)), 'true')).toMatchObject({ ok: true, reply: { exitCode: null } });
  });

  test('other calls on the connection continue if the device still reads', async () => {
    const slow: Execution[] = [];
    const target = await device({
      onExec: (execution) => {
        if (execution.command === 'slow') slow.push(execution);
      },
    });
    const transport = transportTo(endpointOf(target));
    const other = run(transport, 'slow');
    await until(() => slow.length === 1);
    expect(failureOf(await run(transport, 'hang', 50))).toMatchObject({ code: 'NO_REPLY' });
    expect(target.connections).toBe(1);
    slow[0]?.reply('done');
    expect(await other).toMatchObject({ ok: true, reply: { stdout: 'done' } });
    await until(() => target.openConnections === 0);
  });

  test('in a partition the whole connection is cut, and other calls on it have no verdict either', async () => {
    const target = await device({ onExec: hangs });
    const line = await lineTo(target);
    const transport = transportTo(endpointOf(target, { port: line.port }));
    const other = run(transport, 'hang other');
    await until(() => target.commands.length === 1);
    const slot = await slotOf(transport);
    line.freeze();
    const partitioned = await slot.send({ kind: 'exec', command: 'partitioned' }, { deadlineMs: 50 });
    line.thaw();
    expect(failureOf(partitioned)).toMatchObject({ kind: 'NO_VERDICT', code: 'NO_REPLY' });
    expect(failureOf(await other)).toMatchObject({ kind: 'NO_VERDICT', code: 'CONNECTION_LOST' });
    expect(transport.state().sessions).toBe(0);
  });

  test('a dead peer is noticed without a call', async () => {
    const target = await device();
    const line = await lineTo(target);
    const transport = transportTo(endpointOf(target, { port: line.port }), { keepaliveMs: 20 });
    expect(await run(transport, 'true')).toMatchObject({ ok: true });
    line.freeze();
    await until(() => transport.state().sessions === 0);
  });
});

describe('channels and connections', () => {
  test('a device that refuses every channel is tried on two connections', async () => {
    const target = await device({ maxChannels: 0 });
    expect(failureOf(await run(transportTo(endpointOf(target)), 'true'))).toMatchObject({
      kind: 'NOT_SENT',
      code: 'CHANNEL_REFUSED',
    });
    expect(target.connections).toBe(2);
    expect(target.commands).toEqual([]);
  });

  test('a device that refuses the command', async () => {
    const target = await device({ refusesCommand: (command) => command === 'forbidden' });
    const transport = transportTo(endpointOf(target));
    expect(failureOf(await run(transport, 'forbidden'))).toMatchObject({ kind: 'NOT_SENT', code: 'CHANNEL_REFUSED' });
    expect(await run(transport, 'true')).toMatchObject({ ok: true });
  });

  test('a device with one channel per connection gets a connection for each call', async () => {
    const executions: Execution[] = [];
    const target = await device({ maxChannels: 1, onExec: (execution) => executions.push(execution) });
    const transport = transportTo(endpointOf(target), { concurrency: 3 });
    const calls = ['a', 'b', 'c'].map((command) => run(transport, command));
    await until(() => executions.length === 3);
    for (const execution of executions) execution.reply(execution.command);
    for (const result of await Promise.all(calls)) expect(result).toMatchObject({ ok: true });
    expect(transport.state().sessions).toBe(3);
  });

  test('more than four calls at once use more connections', async () => {
    const executions: Execution[] = [];
    const target = await device({ onExec: (execution) => executions.push(execution) });
    const transport = transportTo(endpointOf(target), { concurrency: 10 });
    const calls = Array.from({ length: 10 }, () => run(transport, 'true'));
    await until(() => executions.length === 10);
    expect(target.connections).toBe(3);
    for (const execution of executions) execution.reply('');
    expect((await Promise.all(calls)).every((result) => result.ok)).toBe(true);
  });

  test('on a warm session every free slot is ready at once', async () => {
    const executions: Execution[] = [];
    const target = await device({ onExec: (execution) => executions.push(execution) });
    const transport = transportTo(endpointOf(target), { concurrency: 4 });
    (await slotOf(transport)).release();
    const slots: Slot[] = [];
    await until(() => {
      const slot = transport.tryReserve();
      if (slot) slots.push(slot);
      return slots.length === 4;
    });
    expect(transport.tryReserve()).toBeUndefined();
    const calls = slots.map((slot) => slot.send({ kind: 'exec', command: 'true' }, { deadlineMs: 10_000 }));
    await until(() => executions.length === 4);
    for (const execution of executions) execution.reply('');
    expect((await Promise.all(calls)).every((result) => result.ok)).toBe(true);
    expect(target.connections).toBe(1);
  });
});
