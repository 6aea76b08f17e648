// One `npm start -- --ha` for a test file: two data hosts and a witness on this machine, and a CMP's load through their address.
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import { Session } from '../../../ha/agent/session.ts';
import type { ClusterStatus } from '../../../ha/cluster-status.ts';
import { endLeftOver } from '../../../lab/ha/hosts.ts';
import { demoFolderIn, hostDataFolder, mountsOf } from '../../../lab/ha/places.ts';
import type { HostName } from '../../../lab/ha/plan.ts';
import { processesIn } from '../../../lab/processes.ts';
import { atMost } from '../../../platform/work/within.ts';
import { patience } from '../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { ask, startProgram, tokenOf } from './up-process.ts';

type Started = ReturnType<typeof startProgram>;
interface Summary {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly reads: number;
  readonly eventsResumed: number;
  readonly failures: readonly string[];
}

export const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'tidegate');
const readyMs = 300_000 * patience;
export const slowMs = 300_000 * patience;
const commandMs = 240_000 * patience;
export const waitSeconds = String(120 * patience);
/** Each has one call in progress at a time. */
const clients = 2;
/** Results that no fault may cause. A call in progress when its host was lost may have failed. The failure is reported, and true. */
const nothingLost = {
  ...{ lost: 0, repeated: 0, falselyFailed: 0, unknown: 0, readsFailed: 0, staleReads: 0, eventsMissed: 0 },
  eventsRepeated: 0,
};
export const nothingFailed = { ...nothingLost, failed: 0, failures: [] };
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

let place: TemporaryFolder;
let demo: Started | undefined;
const others = new Set<ChildProcess>();

/** The processes of this test file. */
export function describeDemo(name: string, tests: () => void): void {
  describeAsRoot(name, () => {
    beforeAll(async () => {
      place = await temporaryFolder();
      demo = await startDemo();
    }, readyMs);

    afterAll(async () => {
      for (const each of others) each.kill('SIGKILL');
      demo?.child.kill('SIGKILL');
      await demo?.ended;
      if (place !== undefined) await endLeftOver(folder());
      await place?.remove();
    });

    tests();
  });
}

export async function endDemo(
  signal: NodeJS.Signals,
): Promise<{ readonly code: number | null; readonly output: string }> {
  demo?.child.kill(signal);
  const ended = await demo?.ended;
  return { code: ended?.code ?? null, output: demo?.output() ?? '' };
}

export async function restartDemo(): Promise<void> {
  await endDemo('SIGKILL');
  demo = await startDemo();
}

export const folder = (): string => demoFolderIn(place.path);

async function startDemo(): Promise<Started> {
  const started = startProgram(['up', '--ha', '--data', place.path]);
  const giveUpAt = performance.now() + readyMs;
  while (!started.output().includes('Ctrl-C stops everything.')) {
    const over = await atMost(100, started.ended);
    if (over === undefined && performance.now() < giveUpAt) continue;
    started.child.kill('SIGKILL');
    throw new Error(`the hosts did not get ready:\n${started.output()}\n${await logs()}`);
  }
  return started;
}

async function logs(): Promise<string> {
  const read = (name: string) => readFile(join(folder(), 'logs', `${name}.log`), 'utf8').catch(() => '');
  return (await Promise.all(['a', 'b', 'w'].map(read))).map((text) => text.slice(-2_000)).join('\n');
}

/** How a CMP finds the primary. */
export type Way = 'the address' | 'the list of hosts';

interface Load {
  /** Resolves once its time is over. */
  summary(): Promise<Summary>;
  /** Ends it now, as Ctrl-C does. */
  end(): Promise<Summary>;
}

export function startLoad(seconds: number, more: readonly string[] = []): Load {
  const counts = ['--seconds', String(seconds), '--clients', String(clients)];
  const words = ['lab', 'load', ...counts, '--data', place.path, ...more];
  const child = spawn('sh', [program, ...words, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  others.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const summary = async () => {
    await ended;
    try {
      return JSON.parse(stdout) as Summary;
    } catch {
      throw new Error(`the load told no summary: ${stdout}${stderr}`);
    }
  };
  return {
    summary,
    end() {
      child.kill('SIGINT');
      return summary();
    },
  };
}

/** `beside`: the command of `lab load`. */
export function tidegate(words: readonly string[], beside: readonly string[] = []) {
  const command = beside.length === 0 ? [] : ['--', ...beside];
  return runProgram('sh', [program, ...words, '--data', place.path, ...command], { timeoutMs: commandMs });
}

/** The data folder of the start. */
export const dataOf = (): string => place.path;

async function status(...more: readonly string[]): Promise<ClusterStatus> {
  const { stdout, stderr } = await tidegate(['ha', 'status', '--json', ...more]);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as ClusterStatus;
}

export async function whole(): Promise<ClusterStatus> {
  const seen = await status('--wait', waitSeconds);
  expect(seen).toMatchObject({ copies: 2, switchoverTo: null });
  return seen;
}

/** The first in the list. */
export async function ledByFirst(): Promise<ClusterStatus> {
  await waitFor('a to be the primary', async () => {
    const { primary } = await whole();
    if (primary === 'a') return true;
    await tidegate(['ha', 'switchover', '--to', 'a', '--wait', waitSeconds]);
    return false;
  });
  return whole();
}

/** Resolves once it writes and follows events. */
export async function startedLoad(seconds: number, way: Way): Promise<Load> {
  const operations = await countOperations();
  const load = startLoad(seconds, way === 'the address' ? [] : ['--hosts']);
  await waitFor('the first writes', async () => (await countOperations()) > operations + 3);
  return load;
}

/**
 * A call in progress on the lost host has an unknown outcome: reading the firewall settles it, or it is still in its quiet time when the load ends.
 */
export function expectNothingLost(summary: Summary): void {
  expect(summary).toMatchObject({ ...nothingLost, unknown: expect.any(Number) });
  expect(summary.unknown).toBeLessThanOrEqual(clients);
  for (const words of summary.failures) expect(words).toMatch(/: UNKNOWN, (then FAILED|and no look settled it)$/);
}

export async function sql(host: HostName, text: string): Promise<unknown[]> {
  const data = hostDataFolder(join(mountsOf(folder()), host));
  const password = (await readFile(join(data, 'serve', 'database.password'), 'utf8')).trim();
  const session = new Session({ socketPath: join(data, 'run', 'mariadb.sock'), user: 'tidegate', password });
  try {
    return await session.query<unknown[]>(text, [], 30_000);
  } finally {
    session.forget();
  }
}

/** Undefined: etcd elects. */
export function statusNow(): Promise<ClusterStatus | undefined> {
  return status().catch(() => undefined);
}

async function hosts(): Promise<{ name: string; state: string; namespace: string; address: string }[]> {
  const { stdout } = await tidegate(['lab', 'hosts', '--json']);
  return JSON.parse(stdout) as { name: string; state: string; namespace: string; address: string }[];
}

export async function hostRow(name: HostName) {
  const row = (await hosts()).find((each) => each.name === name);
  if (row === undefined) throw new Error(`no host ${name}`);
  return row;
}

export async function stateOf(name: HostName): Promise<string> {
  return (await hostRow(name)).state;
}

export async function namespaceOf(name: HostName): Promise<string> {
  return (await hostRow(name)).namespace;
}

/** The process itself. It was started by another one. */
export function servePid(name: HostName): Promise<number> {
  return waitFor(`"tidegate serve" on ${name}`, async () => {
    for (const pid of await processesIn(await namespaceOf(name))) {
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      if (words[0]?.endsWith('node') === true && words.includes('serve')) return pid;
    }
    return undefined;
  });
}

export async function url(): Promise<string> {
  return (await readFile(join(folder(), 'url'), 'utf8')).trim();
}

/** A kept connection may have ended with its host. */
export async function countOperations(): Promise<number> {
  const query = '{ relayOperationCounts { count } }';
  const [at, token] = [await url(), await tokenOf(folder())];
  const { relayOperationCounts } = await waitFor('an answer', () =>
    ask<{ relayOperationCounts: { count: number }[] }>(at, token, query).catch(() => undefined),
  );
  return relayOperationCounts.reduce((sum, { count }) => sum + count, 0);
}
