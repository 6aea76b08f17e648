// The program on a terminal: a requested password is not shown, and Ctrl-C at any moment leaves no stack trace.
// needs: bsdutils
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { patience } from '../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate');
let folder: TemporaryFolder;
let server: Server | undefined;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  server?.close();
  await folder.remove();
});

const environment = () => ({ PATH: process.env.PATH, XDG_CONFIG_HOME: folder.path, TIDEGATE_TOKEN: 'tg_x' });

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<readonly [code: number | null, signal: string | null]>;
  output(): string;
}

/** It runs in its own session, so it has no terminal. */
function start(command: string, args: readonly string[]): Run {
  const child = spawn(command, args, { env: environment(), cwd: folder.path, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  const ended = once(child, 'close').then(([code, signal]) => [code, signal] as const);
  return { child, ended, output: () => text };
}

async function listening<Listening extends Server>(made: Listening): Promise<string> {
  server = made;
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

test(
  'name and password are requested, the password is not shown, and typing errors can be corrected',
  async () => {
    const seen: string[] = [];
    const url = await listening(
      createHttpServer(async (request, response) => {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part as Buffer);
        const { variables } = JSON.parse(Buffer.concat(parts).toString()) as { variables: { input?: object } };
        if (variables.input !== undefined) seen.push(JSON.stringify(variables.input));
        const expires = new Date(Date.now() + 600_000).toISOString();
        const login = {
          ...{ accessToken: 'a', accessTokenExpiresAt: expires, refreshToken: 'r', refreshTokenExpiresAt: expires },
          userErrors: [],
        };
        response.end(JSON.stringify({ data: { login, me: { name: 'ann', admin: true, projects: [] } } }));
      }),
    );
    const { child, ended, output } = start('script', ['-qefc', `${program} login ${url} --as x`, '/dev/null']);
    await waitFor('the name to be asked for', () => output().includes('Name at'));
    child.stdin?.write('amm\u007f\u007fnn\r');
    await waitFor('the password to be asked for', () => output().includes('Password: '));
    child.stdin?.write('wrong\u0015sesame\r');
    const [code] = await ended;
    expect([code, output()]).toEqual([0, expect.stringContaining('ann is logged in')]);
    expect(output()).not.toMatch(/wrong|sesame/);
    expect(seen).toEqual(['{"name":"ann","password":"sesame"}']);
  },
  60_000 * patience,
);

test(
  'without a terminal it prints the options to use',
  async () => {
    const { ended, output } = start(program, ['login', 'http://127.0.0.1:1']);
    expect([(await ended)[0], output()]).toEqual([64, expect.stringContaining('give --user and --password-file')]);
  },
  60_000 * patience,
);

test(
  'Ctrl-C at the password prompt',
  async () => {
    const { child, ended, output } = start('script', ['-qefc', `${program} login http://127.0.0.1:1`, '/dev/null']);
    await waitFor('the name to be asked for', () => output().includes('Name at'));
    child.stdin?.write('\u0003');
    expect([(await ended)[0], output()]).toEqual([130, expect.stringContaining('interrupted')]);
  },
  60_000 * patience,
);

test(
  'Ctrl-C before there is an answer never prints a stack trace',
  async () => {
    const url = await listening(createServer());
    const verbs = [
      ['backends', 'list'],
      ['events', 'follow'],
      ['find', 'edge'],
    ];
    for (const verb of verbs)
      for (const afterMs of [0, 50, 100, 150, 200, 300, 500]) {
        const { child, ended, output } = start(program, [...verb, '--url', url]);
        await sleep(afterMs * patience);
        child.kill('SIGINT');
        const [code, signal] = await ended;
        const said = output();
        expect({ verb, afterMs, said, trace: / at |Error|node:/.test(said) }).toEqual({
          verb,
          afterMs,
          said,
          trace: false,
        });
        // Before the program has its own exit codes, the shell's apply. A stream has then done its work.
        expect([130, 0, null]).toContain(code);
        if (code === null) expect(signal).toBe('SIGINT');
      }
  },
  120_000 * patience,
);
