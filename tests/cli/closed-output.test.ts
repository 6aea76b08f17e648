// A command ends when its reader goes away, as in `tidegate … | head`: with 0, or by SIGPIPE like any other program, and without a stack
// trace.
// needs: processes
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { until, waitFor } from '../support/machine/temporary-folder.ts';
import { GraphServer, goodToken } from './commands/graph-server.ts';

const program = join(import.meta.dirname, '../../cli/main.ts');
/** 0, or the value of `$?` in a shell for SIGPIPE. */
const quiet = [0, 128 + constants.signals.SIGPIPE];

let server: GraphServer;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  server = await GraphServer.start();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => {
  over = true;
  return server.stop();
});

const change = (version: number) => ({
  ...{
    changedAt: '2026-01-31T12:00:00.000Z',
    kind: 'backend.operatingStatus',
    subjectType: 'Backend',
    subjectId: 'b-1',
  },
  ...{ subjectVersion: version, from: null, to: 'ONLINE', reason: null, requestId: null },
});
let newest = 1;
let over = false;
async function* changes() {
  for (let version = 1; ; version += 1) {
    await until(() => version <= newest || over);
    if (version > newest) return;
    yield { statusChanges: { cursor: String(version), kind: 'CREATED', change: change(version) } };
  }
}

function start(args: readonly string[]) {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), TIDEGATE_TOKEN: goodToken },
  });
  running.add(child);
  let [out, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    out += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    errors += part;
  });
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  return { child, ended, stdout: () => out, stderr: () => errors, leave: () => child.stdout.destroy() };
}

test.each([[['complete', 'bash']], [['--help']], [['backends', 'create', '--help']], [[]]])(
  '%j, and nobody reads the output',
  async (args) => {
    const run = start(args);
    run.leave();
    // Without a command, printing the help is wrong use, unless the closed pipe has ended it before.
    expect(args.length === 0 ? [64, ...quiet] : quiet).toContain(await run.ended);
    expect(run.stderr()).toBe('');
  },
);

test('a list that is longer than a pipe, of which only one line is read', async () => {
  const backends = Array.from({ length: 100 }, (_, at) => ({ id: `b-${at}`, name: `fw-${at}`, labels: [] }));
  const whole = {
    ...{ version: 1, family: 'FIREWALL', ordinal: 1, driverName: 'd'.repeat(2_000), site: null, host: 'h', port: 22 },
    ...{ enabled: true, operatingStatus: 'ONLINE', hostKeySha256: null, certificateSha256: null, presented: null },
    ...{ circuit: { state: 'CLOSED', reason: null }, replayUncertain: false },
    ...{ queue: { waiting: 0, inFlight: 0, holder: null }, health: { checkedAt: null, latencyMs: null } },
  };
  server.answers = {
    backends: () => ({
      nodes: backends.map((each) => ({ ...whole, ...each })),
      pageInfo: { hasNextPage: false, endCursor: null },
    }),
  };
  const run = start(['backends', 'list', '--json', '--url', server.url]);
  run.child.stdout.once('data', run.leave);
  expect(quiet).toContain(await run.ended);
  expect([run.stderr(), run.stdout()]).toEqual(['', expect.stringContaining('fw-0')]);
});

test('an output to a full disk is an error, because it is incomplete', async () => {
  const full = await open('/dev/full', 'w');
  const child = spawn(process.execPath, [program, 'complete', 'bash'], { stdio: ['ignore', full.fd, 'pipe'] });
  running.add(child);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    errors += part;
  });
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  await full.close();
  expect([exitCode, errors]).toEqual([1, "tidegate: the output can't be written: ENOSPC\n"]);
});

test('a stream ends with the next change', async () => {
  newest = 1;
  server.answers = { statusChanges: changes };
  const run = start(['events', 'follow', '--json', '--url', server.url]);
  await waitFor('a change', () => run.stdout().includes('\n'));
  run.leave();
  newest = 1_000;
  expect(quiet).toContain(await run.ended);
  expect(run.stderr()).toBe('');
});

test('Ctrl-C on a stream without a reader is not an error', async () => {
  newest = 1;
  server.answers = { statusChanges: changes };
  const run = start(['events', 'follow', '--json', '--url', server.url]);
  await waitFor('a change', () => run.stdout().includes('\n'));
  run.leave();
  run.child.kill('SIGINT');
  newest = 1_000;
  expect(quiet).toContain(await run.ended);
  // Whichever of the two happens first.
  expect(run.stderr()).toMatch(/^(tidegate: continue with --after \d+\n)?$/);
});
