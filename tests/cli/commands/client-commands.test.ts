// Credentials of a command, unavailable servers, and streams of changes.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type TemporaryFolder, temporaryFolder, until, waitFor } from '../../support/machine/temporary-folder.ts';
import { list } from './command-table.ts';
import { GraphServer, goodToken } from './graph-server.ts';
import { backend, mapping, operation } from './rows/calls.ts';
import { runCommand, startCommand } from './run-command.ts';

let server: GraphServer;
let folder: TemporaryFolder;
let at: string[];
let over = false;

beforeAll(async () => {
  server = await GraphServer.start();
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'admin.token'), `${goodToken}\n`);
  at = ['--url', server.url, '--data', folder.path];
});

beforeEach(() => {
  server.answers = {};
  server.requests.length = 0;
});

afterAll(async () => {
  over = true;
  await server.stop();
  await folder.remove();
});

describe('credentials and connection', () => {
  const tokens = { accessTokenExpiresAt: '2099-01-01T00:00:00.000Z', refreshToken: 'refresh', userErrors: [] };

  test('a token from the environment, from a file, or from a login', async () => {
    server.answers = {
      backends: list(),
      login: () => ({ ...tokens, accessToken: goodToken }),
    };
    const url = ['--url', server.url];
    const environment = await runCommand(['backends', 'list', ...url], { env: { TIDEGATE_TOKEN: goodToken } });
    const file = await runCommand(['backends', 'list', ...url, '--token-file', join(folder.path, 'admin.token')]);
    const login = ['--user', 'admin', '--password-file', join(folder.path, 'admin.token')];
    const user = await runCommand(['backends', 'list', ...login], { env: { TIDEGATE_URL: server.url } });
    expect([environment.exitCode, file.exitCode, user.exitCode]).toEqual([0, 0, 0]);
  });

  test.each([
    ['near its end', goodToken, 0],
    ['refused', 'stale', 86_400_000],
  ])("a login's access token is renewed when it is %s", async (_, accessToken, lifeMs) => {
    const used: string[] = [];
    const accessTokenExpiresAt = new Date(Date.now() + lifeMs).toISOString();
    server.answers = {
      backends: list(),
      login: () => ({ ...tokens, accessToken, accessTokenExpiresAt }),
      sessionRefresh: ({ input }: { input: { refreshToken: string } }) => {
        used.push(input.refreshToken);
        return { ...tokens, accessToken: goodToken };
      },
    };
    const login = ['--user', 'admin', '--password-file', join(folder.path, 'admin.token')];
    const { exitCode } = await runCommand(['backends', 'list', ...login], { env: { TIDEGATE_URL: server.url } });
    expect([exitCode, used]).toEqual([0, ['refresh']]);
  });

  test('no token, and a rejected token', async () => {
    const none = await runCommand(['backends', 'list', '--url', server.url, '--data', '/nowhere']);
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining('no token: give --token-file')]);
    const bad = await runCommand(['backends', 'list', '--url', server.url], { env: { TIDEGATE_TOKEN: 'secret-x' } });
    expect([bad.exitCode, bad.stderr]).toEqual([1, 'tidegate: UNAUTHENTICATED: log in\n']);
  });

  test('a server that is lost during a verification: exit code 3, and no figures', async () => {
    server.answers = {
      backends: list({ id: 'id-fw', name: 'fw' }),
      mappings: list(mapping('m1'), mapping('m2')),
      mappingVerify: () => server.dropConnections(),
    };
    const { exitCode, stdout } = await runCommand(['mappings', 'verify', '--backend', 'fw', ...at]);
    expect([exitCode, stdout]).toEqual([3, '']);
  });

  test('Ctrl-C ends the wait for an operation', async () => {
    server.answers = {
      relayOperation: () => {
        // It has begun to wait once it has the answer.
        setTimeout(() => waiting.interrupt(), 300);
        return operation('UNKNOWN');
      },
    };
    const waiting = startCommand(['operations', 'show', 'op-1', '--wait', '3600', ...at]);
    expect([await waiting.exitCode, waiting.stderr()]).toEqual([130, 'tidegate: interrupted\n']);
  });

  test('an unreachable server: exit code 3', async () => {
    const gone = await GraphServer.start();
    await gone.stop();
    const url = ['--url', 'http://127.0.0.1:9/graphql'];
    const list = await runCommand(['backends', 'list', ...url], { env: { TIDEGATE_TOKEN: 'x' } });
    expect([list.exitCode, list.stderr]).toEqual([3, expect.stringContaining("127.0.0.1:9 can't be reached")]);
    const follow = await runCommand(['events', 'follow', ...url], { env: { TIDEGATE_TOKEN: 'x' } });
    expect([follow.exitCode, follow.stderr]).toEqual([3, expect.stringContaining("can't be reached")]);
  });

  test('colours only on a terminal, and not with NO_COLOR', async () => {
    server.answers = { backends: list(backend('fw')) };
    const escapeCode = String.fromCharCode(27);
    const listed = (options: { isTTY: boolean; env?: Record<string, string> }) =>
      runCommand(['backends', 'list', ...at], options);
    expect((await listed({ isTTY: true })).stdout).toContain(`${escapeCode}[32mONLINE`);
    expect((await listed({ isTTY: false })).stdout).not.toContain(escapeCode);
    expect((await listed({ isTTY: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(escapeCode);
  });
});

describe('events', () => {
  const change = (version: number) => ({
    changedAt: '2026-01-31T12:00:00.000Z',
    kind: 'relayOperation.state',
    subjectType: 'RelayOperation',
    subjectId: 'op-1',
    subjectVersion: version,
    from: version === 1 ? null : 'SENT',
    to: 'SUCCEEDED',
    reason: null,
    requestId: 'r1',
  });

  /** A stream of all changes after the cursor. It waits at its end. */
  async function* stream({ after }: { after: string | null }, upTo: () => number) {
    yield { statusChanges: { cursor: after ?? '0', kind: 'CHECKPOINT', change: null } };
    for (let version = Number(after ?? '0') + 1; ; version += 1) {
      await until(() => version <= upTo() || over);
      if (version > upTo()) return;
      yield { statusChanges: { cursor: String(version), kind: 'CREATED', change: change(version) } };
    }
  }

  test('follow continues after the last cursor when the connection is lost, without gaps or duplicates', async () => {
    let newest = 3;
    server.answers = { statusChanges: (args: { after: string | null }) => stream(args, () => newest) };
    const run = startCommand(['events', 'follow', '--json', ...at]);
    const seen = () =>
      run
        .stdout()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { cursor: string; subjectVersion: number });
    await waitFor('three', () => seen().length === 3);
    server.dropConnections();
    newest = 5;
    await waitFor('five', () => seen().length === 5);
    expect(seen().map((each) => each.subjectVersion)).toEqual([1, 2, 3, 4, 5]);
    expect(server.requests.map((each) => each.after)).toEqual([null, '3']);
    run.interrupt();
    expect(await run.exitCode).toBe(0);
    expect(run.stderr()).toContain('connection lost');
    expect(run.stderr()).toContain('continue with --after 5');
  });

  test('--after begins at that cursor; an expired cursor ends it with its code', async () => {
    server.answers = { statusChanges: (args: { after: string | null }) => stream(args, () => 9) };
    const run = startCommand(['events', 'follow', '--after', '7', ...at]);
    await waitFor('two', () => run.stdout().split('\n').length === 3);
    run.interrupt();
    expect(await run.exitCode).toBe(0);
    server.answers = {
      statusChanges: () => {
        throw Object.assign(new Error('too old'), { extensions: { code: 'CURSOR_EXPIRED' } });
      },
    };
    const expired = await runCommand(['events', 'follow', '--after', '1', ...at]);
    expect([expired.exitCode, expired.stderr]).toEqual([1, expect.stringContaining('CURSOR_EXPIRED: too old')]);
  });

  test('follow with a refused token: exit code 1, and no second attempt', async () => {
    const { exitCode, stderr } = await runCommand(['events', 'follow', '--url', server.url], {
      env: { TIDEGATE_TOKEN: 'bad' },
    });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('refused')]);
  });
});
