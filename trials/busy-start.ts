// `npm run trials -- busy-start`: each role is started on a processor that ten busy loops use too. It must become ready by itself, and say nothing
// that is not so: nothing else fails meanwhile, so every warning of the started process is a false one. The oracle is its own output and its end.
// needs: system
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../embedded/ends-with-parent.ts';
import { rounded } from '../measure/statistics.ts';
import { atMost } from '../platform/work/within.ts';
import { type BusyRole, layOutRoles, makeRecords } from './busy-start/roles.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { seededRandom } from './random.ts';
import { folderOption } from './trial-options.ts';
import { thisFolder } from './upgrade/release.ts';

interface BusyStartOptions extends TrialRun {
  /** Each starts every role once. */
  readonly rounds: number;
  readonly loops: number;
  readonly folder: string;
}

interface BusyStartResult {
  readonly seed: number;
  readonly rounds: number;
  readonly loops: number;
  readonly starts: number;
  /** Processes that ended by themselves, were not ready in time, or did not end with 0 at SIGTERM. */
  readonly ended: number;
  readonly stackTraces: number;
  readonly falseWarnings: number;
  /** From the start of a process until it is ready, by role: the longest. */
  readonly readyMs: Readonly<Record<string, number>>;
  readonly machineLoad: number;
  readonly seconds: number;
  readonly findings: readonly string[];
}

export const trialBusyStart = defineTrial({
  counts: {
    rounds: { help: 'starts of every role', usual: 1, full: 20 },
    loops: { help: 'busy loops on the same processor', usual: 10, full: 10 },
  },
  options: { folder: folderOption('the logs of all processes') },
  run: runBusyStarts,
  mustBeZero: ['ended', 'stackTraces', 'falseWarnings'],
});

const processor = '0';
const readyMs = 180_000;
const endMs = 60_000;
/** What is late because of the load is said within it. */
const afterMs = 5_000;
const warnLevel = 40;
/** Warnings that are so: what this machine lacks, and that work was slow. */
const facts = [
  'nodes are not confined in full',
  'slow work',
  'slow work was not logged, because there was too much of it',
];

class Started {
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;
  #output = '';

  constructor({ settingsFile }: BusyRole, logFile: string, before: readonly string[]) {
    const words = [join(thisFolder, 'bin/tidegate.ts'), 'serve', '--as-root', '--config', settingsFile];
    const [program = '', ...rest] = [...before, process.execPath, ...words];
    this.#child = spawn(...endingWithParent(program, rest), {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production' },
    });
    const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        log.write(text);
      });
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', () => resolve(null));
      this.#child.once('close', (code) => {
        log.end();
        resolve(code);
      });
    });
  }

  get lines(): readonly string[] {
    return this.#output.split('\n').filter((line) => line !== '');
  }

  get lives(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** By SIGTERM. Its exit code, undefined if it did not end. */
  async stop(): Promise<number | null | undefined> {
    this.#child.kill('SIGTERM');
    const code = await atMost(endMs, this.#closed);
    if (code === undefined) this.#child.kill('SIGKILL');
    await this.#closed;
    return code;
  }
}

export async function runBusyStarts(options: BusyStartOptions): Promise<BusyStartResult> {
  const { seed, rounds, loops, folder, signal, timeIsUp = () => false, progress = () => {} } = options;
  const startedMs = performance.now();
  const random = seededRandom(seed);
  await using cleanup = new AsyncDisposableStack();
  const roles = await layOutRoles(folder, cleanup);
  const running = new Map<string, Started>();
  cleanup.defer(async () => void (await Promise.all([...running.values()].map((each) => each.stop()))));
  const logOf = ({ name }: BusyRole) => join(folder, `${name}.log`);
  const startAll = async (some: readonly BusyRole[]) => {
    for (const role of some) running.set(role.name, new Started(role, logOf(role), []));
    for (const role of some)
      if (!(await ready(role, running.get(role.name), signal)))
        throw new Error(`${role.name} does not become ready: see ${logOf(role)}`);
  };
  const needRecords = (role: BusyRole) => ['checker', 'cluster'].includes(role.name);
  await startAll(roles.filter((role) => !needRecords(role)));
  await makeRecords(folder);
  await startAll(roles.filter(needRecords));

  const result = { starts: 0, ended: 0, stackTraces: 0, falseWarnings: 0 };
  const longest: Record<string, number> = {};
  const findings: string[] = [];
  let round = 0;
  for (; round < rounds && !timeIsUp(); round += 1) {
    for (const role of random.shuffle(roles)) {
      if (timeIsUp()) break;
      await running.get(role.name)?.stop();
      const beside = busyLoops(loops);
      const began = performance.now();
      const started = new Started(role, logOf(role), ['taskset', '--cpu-list', processor]);
      running.set(role.name, started);
      try {
        const isReady = await ready(role, started, signal);
        longest[role.name] = Math.max(longest[role.name] ?? 0, Math.round(performance.now() - began));
        if (isReady) await sleep(afterMs, undefined, { signal });
        const code = started.lives ? await started.stop() : 'by itself';
        result.starts += 1;
        progress(`${role.name}: ${isReady ? `ready after ${longest[role.name]} ms` : 'not ready'}, ended: ${code}`);
        if (!isReady || code !== 0) {
          result.ended += 1;
          findings.push(`${role.name} ${isReady ? '' : 'was not ready, and '}ended: ${code}`);
        }
        const said = judgeLines(started.lines);
        result.stackTraces += said.traces.length;
        result.falseWarnings += said.warnings.length;
        findings.push(...[...said.traces, ...said.warnings].map((line) => `${role.name}: ${line.slice(0, 500)}`));
      } finally {
        for (const loop of beside) loop.kill('SIGKILL');
      }
      running.set(role.name, new Started(role, logOf(role), []));
      await ready(role, running.get(role.name), signal);
    }
  }
  return {
    ...{ seed, rounds: round, loops, ...result, readyMs: longest, findings },
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    seconds: Math.round((performance.now() - startedMs) / 1_000),
  };
}

/** Stack traces outside of entries of the log; and warnings, and lines that are no entries. */
export function judgeLines(lines: readonly string[]): { readonly traces: string[]; readonly warnings: string[] } {
  const traces = lines.filter((line) => /^\s+at /.test(line));
  const warnings = lines.filter((line) => !traces.includes(line) && isWarning(line));
  return { traces, warnings };
}

function isWarning(line: string): boolean {
  try {
    const { level = warnLevel, msg = '' } = JSON.parse(line) as { readonly level?: number; readonly msg?: string };
    return level >= warnLevel && !facts.includes(msg);
  } catch {
    return true;
  }
}

/** False if it ends or is not ready in time. */
async function ready(
  { healthUrl }: BusyRole,
  started: Started | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const untilMs = performance.now() + readyMs;
  while (started?.lives === true && performance.now() < untilMs) {
    signal?.throwIfAborted();
    const answer = await fetch(healthUrl, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return true;
    await sleep(100);
  }
  return false;
}

/** Each in a session of its own, because the kernel shares a processor between sessions. None outlives this process, or 5 minutes of processor time. */
function busyLoops(count: number): readonly ChildProcess[] {
  const loop = ['--cpu-list', processor, 'sh', '-c', 'ulimit -t 300; while :; do :; done'];
  return Array.from({ length: count }, () =>
    spawn(...endingWithParent('taskset', loop), { detached: true, stdio: 'ignore' }),
  );
}
