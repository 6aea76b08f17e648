import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { type ShellSession, SshShellServer } from '../../../../simulators/support/ssh-shell.ts';
import type { Terminal } from '../../../../simulators/support/terminal.ts';
import type { CliDialect } from '../../../../subgraphs/relay/drivers/driver.ts';
import type { Transport, TransportOptions } from '../../../../subgraphs/relay/transports/session.ts';
import { createSshTransport } from '../../../../subgraphs/relay/transports/ssh-transport.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { endAfterEach, failureOf, own } from './support/owned.ts';

endAfterEach();

/** A device with a prompt, a mode, and a few commands that misbehave. */
class TinyDevice {
  readonly typed: string[] = [];
  readonly attempts: string[] = [];
  password = 'secret';
  shells = 0;
  open = 0;
  mostOpen = 0;
  maxShells = Number.POSITIVE_INFINITY;
  latencyMs = 0;
  server!: SshShellServer;

  static async start(): Promise<TinyDevice> {
    const device = new TinyDevice();
    device.server = await SshShellServer.start({
      terminal: { pagerPrompt: '--More-- ', pagerErase: '\r         \r', helpKeys: '?' },
      authenticate: async (_username, password) => {
        device.attempts.push(password);
        return password === device.password;
      },
      onShell: (terminal, session) => device.#shell(terminal, session),
    });
    own(device.server);
    return device;
  }

  async #shell(terminal: Terminal, session: ShellSession): Promise<void> {
    this.shells += 1;
    if (this.open >= this.maxShells) {
      terminal.write('Maximum number of sessions reached.\n');
      return;
    }
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    await this.#serve(terminal, session);
    this.open -= 1;
  }

  async #serve(terminal: Terminal, session: ShellSession): Promise<void> {
    let context = '';
    let paged = true;
    terminal.write('Welcome to tiny # \nlast login: never\n\n');
    for (;;) {
      const typed = await terminal.readLine(`tiny ${context}# `);
      if (typed.kind === 'end') return;
      if (typed.kind === 'help') continue;
      const line = typed.text;
      this.typed.push(line);
      if (this.latencyMs > 0) await sleep(this.latencyMs);
      if (line === 'paging off') paged = false;
      else if (line === 'paging on') paged = true;
      else if (line.startsWith('enter ')) context = `(${line.slice(6)}) `;
      else if (line === 'leave') context = '';
      else if (line === 'list') await terminal.print(lines(5_000), paged);
      else if (line === 'cut') session.cut();
      else if (line === 'bye') return;
      else if (line === 'hang') await sleep(60_000, undefined, { ref: false });
      else if (line === 'tricky') {
        for (const part of ['one\nother # ', 'is not a prompt, ', 'tiny is here\n', 'more # ', '\nend\n']) {
          terminal.write(part);
          await sleep(20);
        }
      } else if (line === 'flood') terminal.write('x'.repeat(200_000));
      else if (line !== '') terminal.write(`did ${line}\n`);
    }
  }
}

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}\n`).join('');

const dialect: CliDialect = {
  prompt: /^\S+ (\(\S+\) )?# $/,
  setup: ['paging off'],
  pager: { pattern: /--More-- $/, answer: ' ' },
  reset: ['leave'],
};

function transportTo(device: TinyDevice, changes: Partial<TransportOptions> & { password?: string } = {}): Transport {
  const { password = 'secret', ...options } = changes;
  const { host, port, hostKeySha256 } = device.server;
  const credentials = { username: 'admin', password };
  return own(
    createSshTransport(
      { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials },
      { egress: testEgress, concurrency: 4, cli: dialect, ...options },
    ),
  );
}

const run = (transport: Transport, typed: string[], deadlineMs = 10_000) =>
  transport.send({ kind: 'cli', lines: typed }, { deadlineMs });

describe('a block', () => {
  test('is typed line by line; the outputs do not include echo and prompt', async () => {
    const device = await TinyDevice.start();
    const transport = transportTo(device);
    const result = await run(transport, ['show "Größe"', 'enter a', 'set b', 'leave', '']);
    expect(result).toMatchObject({
      ok: true,
      reply: {
        kind: 'cli',
        truncated: false,
        outputs: [
          { line: 'show "Größe"', output: 'did show "Größe"\n' },
          { line: 'enter a', output: '' },
          { line: 'set b', output: 'did set b\n' },
          { line: 'leave', output: '' },
          { line: '', output: '' },
        ],
      },
    });
    expect(device.typed).toEqual(['paging off', 'show "Größe"', 'enter a', 'set b', 'leave', '']);
  });

  test('sessions are kept: the next block needs no login', async () => {
    const device = await TinyDevice.start();
    const transport = transportTo(device);
    for (let block = 0; block < 3; block += 1) await run(transport, [`show ${block}`]);
    expect(device.shells).toBe(1);
    expect(transport.state()).toEqual({ sessions: 1, channels: 0 });
  });

  test('a pager is answered, and leaves no trace', async () => {
    const device = await TinyDevice.start();
    const result = await run(transportTo(device), ['paging on', 'list']);
    expect(result.ok && result.reply.kind === 'cli' && result.reply.outputs[1]?.output).toBe(lines(5_000));
  });

  test('output that ends like a prompt is still output', async () => {
    const device = await TinyDevice.start();
    expect(await run(transportTo(device), ['tricky', 'next'])).toMatchObject({
      reply: {
        outputs: [
          { output: 'one\nother # is not a prompt, tiny is here\nmore # \nend\n' },
          { line: 'next', output: 'did next\n' },
        ],
      },
    });
  });

  test('Ctrl-V makes a help key an ordinary one; other control characters are refused', async () => {
    const device = await TinyDevice.start();
    const transport = transportTo(device);
    expect(await run(transport, ['what\x16?'])).toMatchObject({ reply: { outputs: [{ output: 'did what?\n' }] } });
    for (const character of ['\n', '\r', '\t', '\x03', '\x1b', '\u2028']) {
      expect(failureOf(await run(transport, ['fine', `not${character}fine`]))).toMatchObject({ kind: 'NOT_SENT' });
    }
    expect(device.typed).toEqual(['paging off', 'what?']);
  });
});

describe('a guard', () => {
  const guarded = (transport: Transport, line: string, wanted: string, deadlineMs = 10_000) =>
    transport.send(
      {
        kind: 'cli',
        lines: ['enter a', 'set b'],
        guard: {
          line,
          allows: ({ outputs }) => {
            if (wanted === 'throws') throw new Error('unreadable');
            return outputs[0]?.output === wanted;
          },
        },
      },
      { deadlineMs },
    );

  test('that allows the block is typed directly before it, and is not in the reply', async () => {
    const device = await TinyDevice.start();
    const result = await guarded(transportTo(device), 'look', 'did look\n');
    expect(result).toMatchObject({
      reply: { outputs: [{ line: 'enter a' }, { line: 'set b', output: 'did set b\n' }], truncated: false },
    });
    expect(result.ok && 'unsent' in result.reply).toBe(false);
    expect(device.typed).toEqual(['paging off', 'look', 'enter a', 'set b']);
  });

  test.each(['something else', 'throws'])(
    'that does not allow the block is the reply, and nothing else is typed: %s',
    async (wanted) => {
      const device = await TinyDevice.start();
      const transport = transportTo(device);
      expect(await guarded(transport, 'look', wanted)).toMatchObject({
        ok: true,
        reply: { unsent: true, outputs: [{ line: 'look', output: 'did look\n' }] },
      });
      await run(transport, ['next']);
      expect(device.typed).toEqual(['paging off', 'look', 'next']);
      expect(device.shells).toBe(1);
    },
  );

  test.each(['cut', 'hang', 'flood'])('without a complete reply stops the block: %s', async (line) => {
    const device = await TinyDevice.start();
    const result = await transportTo(device).send(
      { kind: 'cli', lines: ['set b'], guard: { line, allows: () => true } },
      { deadlineMs: line === 'hang' ? 300 : 10_000, maxReplyBytes: 64 * 1024 },
    );
    if (line === 'flood') expect(result).toMatchObject({ ok: true, reply: { unsent: true, truncated: true } });
    else expect(failureOf(result)).toMatchObject({ kind: 'NOT_SENT', code: 'CONNECT_FAILED' });
    expect(device.typed).toEqual(['paging off', line]);
  });

  test('does not extend the send window of the call', async () => {
    const device = await TinyDevice.start();
    let isLate = false;
    const result = await transportTo(device).send(
      { kind: 'cli', lines: ['set b'], guard: { line: 'look', allows: () => (isLate = true) } },
      { deadlineMs: 10_000, beforeFirstByte: () => !isLate },
    );
    expect(failureOf(result)).toMatchObject({ kind: 'NOT_SENT', code: 'WINDOW_PASSED' });
    expect(device.typed).toEqual(['paging off', 'look']);
  });
});

describe('between blocks', () => {
  test('a mode entered by a block is left before the next one', async () => {
    const device = await TinyDevice.start();
    const transport = transportTo(device);
    await run(transport, ['enter a']);
    await run(transport, ['show']);
    expect(device.typed).toEqual(['paging off', 'enter a', 'leave', 'show']);
    expect(device.shells).toBe(1);
  });

  test('a session that does not return to its first prompt is not used again', async () => {
    const device = await TinyDevice.start();
    const { reset: _reset, ...stubborn } = dialect;
    const transport = transportTo(device, { cli: stubborn });
    await run(transport, ['enter a']);
    expect(await run(transport, ['show'])).toMatchObject({ ok: true });
    expect(device.shells).toBe(2);
    await waitFor('the first to end', () => device.open === 1);
  });
});

describe('no verdict', () => {
  test.each([
    ['hang', 'NO_REPLY'],
    ['cut', 'CONNECTION_LOST'],
    ['bye', 'CONNECTION_LOST'],
  ])('%s in the middle of a block: %s, and the rest is not typed', async (line, code) => {
    const device = await TinyDevice.start();
    const transport = transportTo(device);
    const result = await run(transport, ['one', line, 'three'], 300);
    expect(failureOf(result)).toMatchObject({ kind: 'NO_VERDICT', code });
    await waitFor('the connection to end', () => device.server.openConnections === 0);
    expect(await run(transport, ['next'])).toMatchObject({ ok: true });
    expect(device.typed).toEqual(['paging off', 'one', line, 'paging off', 'next']);
  });

  test('an endless reply is cut at the bound', async () => {
    const device = await TinyDevice.start();
    const call = { kind: 'cli' as const, lines: ['one', 'flood', 'three'] };
    const result = await transportTo(device).send(call, { deadlineMs: 10_000, maxReplyBytes: 1_000 });
    expect(result).toMatchObject({ ok: true, reply: { truncated: true } });
    await waitFor('the connection to end', () => device.server.openConnections === 0);
    expect(device.typed).not.toContain('three');
  });
});

describe('few sessions', () => {
  test('14 parallel blocks on a device that allows 2 sessions: none fails, each arrives once', async () => {
    const device = await TinyDevice.start();
    device.maxShells = 2;
    device.latencyMs = 60;
    const transport = transportTo(device, { concurrency: 14 });
    const blocks = Array.from({ length: 14 }, (_, index) => `block ${index}`);
    const results = await Promise.all(blocks.map((block) => run(transport, [block])));
    expect(results.map((result) => result.ok)).toEqual(blocks.map(() => true));
    expect(device.typed.filter((line) => line.startsWith('block')).sort()).toEqual([...blocks].sort());
    expect(device.mostOpen).toBe(2);
    // Two were granted and one was refused, so no further one is requested for a while.
    expect(device.shells).toBe(3);
  });

  test("without any session the calls fail with the device's message", async () => {
    const device = await TinyDevice.start();
    device.maxShells = 0;
    const results = await Promise.all(
      [1, 2].map(() => run(transportTo(device, { connectTimeoutMs: 3_000 }), ['show'])),
    );
    for (const result of results) {
      expect(failureOf(result)).toMatchObject({
        kind: 'NOT_SENT',
        code: 'SESSION_REFUSED',
        message: expect.stringContaining('Maximum number of sessions reached.'),
      });
    }
  });

  test('a call waits for a session that becomes free a moment later', async () => {
    const device = await TinyDevice.start();
    device.maxShells = 0;
    const waiting = run(transportTo(device), ['show']);
    await waitFor('a refusal', () => device.shells === 1);
    device.maxShells = 1;
    expect(await waiting).toMatchObject({ ok: true });
  });

  test('a wrong password is tried once, whatever the number of waiting calls', async () => {
    const device = await TinyDevice.start();
    const transport = transportTo(device, { password: 'wrong' });
    const results = await Promise.all(Array.from({ length: 4 }, () => run(transport, ['show'])));
    for (const result of results) expect(failureOf(result)).toMatchObject({ kind: 'NOT_SENT', code: 'AUTH_FAILED' });
    expect(device.attempts).toEqual(['wrong']);
  });
});

test('a device without a prompt is abandoned', async () => {
  const server = await SshShellServer.start({
    terminal: { pagerPrompt: '', pagerErase: '' },
    authenticate: async () => true,
    onShell: async (terminal) => {
      terminal.write('Please wait...\n');
      await terminal.readLine('');
    },
  });
  own(server);
  const { host, port, hostKeySha256 } = server;
  const credentials = { username: 'admin', password: 'secret' };
  const transport = own(
    createSshTransport(
      { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials },
      { egress: testEgress, concurrency: 1, cli: dialect, connectTimeoutMs: 300 },
    ),
  );
  expect(failureOf(await run(transport, ['show']))).toMatchObject({ kind: 'NOT_SENT', code: 'CONNECT_FAILED' });
  await waitFor('the connection to end', () => server.openConnections === 0);
});

test('a further session with a refused login is not tried again while another is open', async () => {
  const device = await TinyDevice.start();
  const transport = transportTo(device);
  const first = await transport.reserve();
  if (!first.ok) throw new Error(first.failure.message);
  device.password = 'another';
  const others = [run(transport, ['one'])];
  await waitFor('the refusal', () => device.attempts.length === 2);
  const now = performance.now.bind(performance);
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
  others.push(run(transport, ['two']));
  // A login that began before this one would have been counted.
  expect(await run(transportTo(device, { password: 'another' }), ['three'])).toMatchObject({ ok: true });
  first.slot.release();
  expect(await Promise.all(others)).toMatchObject([{ ok: true }, { ok: true }]);
  clock.mockRestore();
  expect(device.attempts).toEqual(['secret', 'secret', 'another']);
});
