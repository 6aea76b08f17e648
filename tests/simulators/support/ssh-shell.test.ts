// The shared SSH side of simulators. The client of ssh2 uses it as a screen scraper uses a device.

import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import ssh2, { type Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import { type SshShellOptions, SshShellServer } from '../../../simulators/support/ssh-shell.ts';
import type { Terminal } from '../../../simulators/support/terminal.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A device that echoes its input, or prints the requested number of lines. */
async function echoShell(terminal: Terminal): Promise<void> {
  let start = '';
  for (;;) {
    const typed = await terminal.readLine('dev # ', start);
    start = '';
    if (typed.kind === 'end' || (typed.kind === 'line' && typed.text === 'exit')) return;
    if (typed.kind === 'help') {
      await terminal.print('help\n', false);
      start = typed.text;
    } else if (typed.text.startsWith('lines ')) {
      const count = Number(typed.text.slice(6));
      await terminal.print(Array.from({ length: count }, (_, index) => `line ${index}\n`).join(''), true);
    } else await terminal.print(`got <${typed.text}>\n`, false);
  }
}

async function start(options: Partial<SshShellOptions> = {}): Promise<SshShellServer> {
  const server = await SshShellServer.start({
    authenticate: async (username, password) => username === 'admin' && password === 'secret',
    terminal: { pagerPrompt: '--More-- ', pagerErase: '\r         \r', helpKeys: '?' },
    onShell: echoShell,
    ...options,
  });
  cleanups.push(() => server.stop());
  return server;
}

async function login(server: SshShellServer, config: ConnectConfig = {}, client = new ssh2.Client()): Promise<Client> {
  cleanups.push(() => void client.end());
  client.connect({ host: server.host, port: server.port, username: 'admin', password: 'secret', ...config });
  const ready = once(client, 'ready');
  // A refused client gets the refusal first, and may then lose its connection.
  client.on('error', () => {});
  await ready;
  return client;
}

/** The device's output after `typed`, up to and including `until`. */
async function talk(channel: ClientChannel, typed: string, until: RegExp): Promise<string> {
  let seen = '';
  const done = new Promise<string>((resolve) => {
    const listen = (chunk: Buffer): void => {
      seen += chunk.toString('utf8');
      if (!until.test(seen)) return;
      channel.off('data', listen);
      resolve(seen);
    };
    channel.on('data', listen);
  });
  channel.write(typed);
  return done;
}

async function shellOf(client: Client, rows = 24): Promise<ClientChannel> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.shell({ rows, cols: 80 }, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  await talk(channel, '', /dev # $/);
  return channel;
}

test('echoes, and reads a line at each Enter', async () => {
  const channel = await shellOf(await login(await start()));
  expect(await talk(channel, 'set x\r\n', /> *\r\ndev # $/)).toBe('set x\r\ngot <set x>\r\ndev # ');
  expect(await talk(channel, 'a\nb\n', /<b>\r\ndev # $/)).toBe('a\r\ngot <a>\r\ndev # b\r\ngot <b>\r\ndev # ');
});

test('edits a line: backspace, Ctrl-U, Ctrl-C', async () => {
  const channel = await shellOf(await login(await start()));
  expect(await talk(channel, 'abx\x7fc\n', />\r\ndev # $/)).toContain('got <abc>');
  expect(await talk(channel, 'wrong\x15right\n', />\r\ndev # $/)).toContain('got <right>');
  expect(await talk(channel, 'dangerous\x03', /<>\r\ndev # $/)).toContain('got <>');
});

test('a question mark shows help at once and keeps the line; after Ctrl-V it is typed', async () => {
  const channel = await shellOf(await login(await start()));
  expect(await talk(channel, 'set ?', /help\r\ndev # set $/)).toBe('set ?\r\nhelp\r\ndev # set ');
  expect(await talk(channel, 'a\x16?\n', />\r\ndev # $/)).toContain('got <set a?>');
});

test("pages by the client's rows, and discards other input while it waits", async () => {
  const channel = await shellOf(await login(await start()), 4);
  const first = await talk(channel, 'lines 5\n', /--More-- $/);
  expect(first).toContain('line 2\r\n--More-- ');
  expect(await talk(channel, ' ', /dev # $/)).toBe('\r         \rline 3\r\nline 4\r\ndev # ');
  await talk(channel, 'lines 5\n', /--More-- $/);
  expect(await talk(channel, '\n', /--More-- $/)).toBe('\r         \rline 3\r\n--More-- ');
  expect(await talk(channel, 'qx\n', /<x>\r\ndev # $/)).not.toContain('line 4');
});

test('runs a single command if the device allows it', async () => {
  const refusing = await login(await start());
  await expect(
    new Promise((resolve, reject) => {
      refusing.exec('get', (error, channel) => (error ? reject(error) : resolve(channel)));
    }),
  ).rejects.toThrow(/exec/);
  const server = await start({
    onCommand: async (command, session) => ({ stdout: `${session.username}: ${command}`, exitCode: 3 }),
  });
  const client = await login(server);
  const output = await new Promise<string>((resolve, reject) => {
    client.exec('get system status', (error, channel) => {
      if (error) return reject(error);
      let text = '';
      channel.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      channel.on('close', (code: number) => resolve(`${code} ${text}`));
    });
  });
  expect(output).toBe('3 admin: get system status');
});

test('accepts the password with either method, and refuses a wrong one', async () => {
  const server = await start({ passwordMethods: ['keyboard-interactive'] });
  const client = new ssh2.Client();
  const asked: string[] = [];
  client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) => {
    asked.push(...prompts.map(({ prompt }) => prompt));
    finish(['secret']);
  });
  await login(server, { tryKeyboard: true, authHandler: ['keyboard-interactive'] }, client);
  expect(asked).toEqual(['Password: ']);
  await expect(login(server, { password: 'wrong' })).rejects.toMatchObject({ level: 'client-authentication' });
});

test('a session can cut its own connection', async () => {
  const server = await start({
    onShell: async (terminal, session) => {
      await terminal.readLine('dev # ');
      session.cut();
    },
  });
  const client = await login(server);
  const channel = await shellOf(client);
  const closed = once(client, 'close');
  channel.write('anything\n');
  await closed;
  expect(server.openConnections).toBe(0);
});
