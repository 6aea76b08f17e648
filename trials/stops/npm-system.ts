// `npm start` as a person runs it, in its own process group: started, stopped, killed and restarted on the same port.
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { madeTablesVariable } from '../../embedded/mariadb.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import { fixedPort } from '../../measure/fixed-port.ts';
import { processTree } from '../../measure/process-tree.ts';
import { atMost } from '../../platform/work/within.ts';

interface NpmSystemOptions {
  readonly dataPath: string;
  readonly port: number;
  /** Its output is appended here. */
  readonly logPath: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Called when a run ends that nothing ended on purpose. */
  readonly onUnexpectedEnd: (how: string) => void;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process below npm. `service` is the one that listens. */
export type Victim = 'service' | 'mariadbd' | 'redis-server';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));
const pollMs = 25;
const probeMs = 2_000;
const startMs = 60_000;
/** docs/operating.md: a stop takes as long as the longest call on the wire, at most 30 seconds; then the databases are stopped. */
const stopMs = 45_000;

/** One `npm start`. */
class Run {
  readonly ended: Promise<Ended>;
  /** Set before it is ended on purpose. */
  expected = false;
  /** Ends of the process that serves after which it must be started again: those on purpose. */
  expectedRestarts = 0;
  readonly #child: ChildProcess;
  #output = '';

  constructor(child: ChildProcess, { logPath, onUnexpectedEnd }: NpmSystemOptions) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        appendFileSync(logPath, text);
      });
    this.ended = new Promise((resolve) => {
      child.once('error', () => resolve({ code: null, signal: null }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    void this.ended.then((how) => {
      if (!this.expected) onUnexpectedEnd(describeEnd(how));
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get output(): string {
    return this.#output;
  }

  get restarts(): readonly string[] {
    return this.#output.match(/process that served requests was ended .*: it is started again/g) ?? [];
  }

  /** Like Ctrl-C's SIGTERM: to npm alone. */
  terminate(): void {
    this.expected = true;
    this.#child.kill('SIGTERM');
  }

  killNpm(): void {
    this.expected = true;
    this.#child.kill('SIGKILL');
  }

  killGroup(): void {
    this.expected = true;
    killQuietly(-this.pid, 'SIGKILL');
  }

  /** All its processes at once, like a power failure without the disk's. */
  async killEverything(): Promise<void> {
    this.expected = true;
    for (const { pid } of await processTree(this.pid)) killQuietly(pid, 'SIGKILL');
  }
}

export class NpmSystem {
  readonly url: string;
  dataPath: string;
  /** From a SIGTERM to the end, by this machine's clock. */
  readonly drains: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #options: NpmSystemOptions;
  #run: Run | undefined;

  constructor(options: NpmSystemOptions) {
    this.#options = options;
    this.dataPath = options.dataPath;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  get run(): Run {
    if (this.#run === undefined) throw new Error('the system was not started');
    return this.#run;
  }

  /** Starts it without waiting. `more`: further environment variables. `path`: of the checkout. */
  launch(more: Readonly<Record<string, string>> = {}, path = checkout): Run {
    const run = this.#spawn(more, this.#options.port, path);
    this.#run = run;
    return run;
  }

  /** Another system, with the same settings. */
  async elsewhere(dataPath: string): Promise<NpmSystem> {
    return new NpmSystem({ ...this.#options, dataPath, port: await fixedPort() });
  }

  /** A second `npm start` on the same data folder; resolves with its end. */
  async launchBeside(port: number): Promise<Ended & { readonly output: string }> {
    const run = this.#spawn({}, port);
    run.expected = true;
    return { ...(await endedWithin(run, startMs)), output: run.output };
  }

  /** Throws with its output if it ends, or is not ready in time. */
  async start(more: Readonly<Record<string, string>> = {}, path = checkout): Promise<void> {
    const run = this.launch(more, path);
    if (await this.untilReady(startMs)) return;
    throw new Error(`npm start did not become ready: ${run.output.trim().slice(-600)}`);
  }

  /** False if it has ended, or is not ready in time. */
  async untilReady(deadlineMs: number): Promise<boolean> {
    const untilMs = performance.now() + deadlineMs;
    while (performance.now() < untilMs) {
      if (await this.isReady()) return true;
      if ((await atMost(pollMs, this.run.ended)) !== undefined) return false;
    }
    return false;
  }

  async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(probeMs) });
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      return false;
    }
  }

  /** Stops it and waits. Throws if it does not end in time, or with a code other than 0. */
  async stop(): Promise<void> {
    const fromMs = Date.now();
    this.run.terminate();
    const how = await endedWithin(this.run, stopMs);
    this.drains.push({ fromMs, toMs: Date.now() });
    if (how.code !== 0) throw new Error(`npm start, told to end, ended with ${describeEnd(how)}`);
  }

  /** Throws if it does not end in time. */
  endOf(run: Run): Promise<Ended> {
    return endedWithin(run, stopMs);
  }

  /** Waits for a start that must fail; throws if it does not. */
  async mustFail(run: Run): Promise<string> {
    run.expected = true;
    const how = await endedWithin(run, startMs);
    if (how.code !== 1) throw new Error(`a start that must fail ended with ${describeEnd(how)}: ${run.output}`);
    return run.output;
  }

  /** Ends of the process that serves that were not on purpose, each reported once. */
  unexpectedRestarts(): readonly string[] {
    const { run } = this;
    const unexpected = run.restarts.slice(run.expectedRestarts);
    run.expectedRestarts = Math.max(run.expectedRestarts, run.restarts.length);
    return unexpected;
  }

  /** Kills the process that serves, and waits until it has been started again. */
  async killService(): Promise<void> {
    const { run } = this;
    const pid = await this.pidOf('service');
    if (pid === undefined) throw new Error('there is no service');
    run.expectedRestarts += 1;
    killQuietly(pid, 'SIGKILL');
    const untilMs = performance.now() + startMs;
    while (run.restarts.length < run.expectedRestarts && performance.now() < untilMs) await sleep(pollMs);
    if (!(await this.untilReady(startMs)))
      throw new Error(`npm start did not start again what was killed: ${run.output.slice(-600)}`);
  }

  /** Undefined while it does not exist. */
  async pidOf(victim: Victim): Promise<number | undefined> {
    const tree = await processTree(this.run.pid);
    if (victim !== 'service') return tree.find(({ name }) => name === victim)?.pid;
    // It is the parent of the databases, and has other processes of Node below it.
    const database = tree.find(({ name }) => name === 'mariadbd')?.pid;
    if (database === undefined) return undefined;
    const [, parent] =
      /^\d+ \(.*\) \S (\d+)/s.exec(await readFile(`/proc/${database}/stat`, 'latin1').catch(() => '')) ?? [];
    return parent === undefined ? undefined : Number(parent);
  }

  /** Waits until nothing listens at its port. */
  async untilSilent(deadlineMs: number): Promise<boolean> {
    const untilMs = performance.now() + deadlineMs;
    while (performance.now() < untilMs) {
      if (!(await this.#listens())) return true;
      await sleep(pollMs);
    }
    return false;
  }

  async #listens(): Promise<boolean> {
    try {
      await fetch(`${this.url}/health/live`, { signal: AbortSignal.timeout(probeMs) });
      return true;
    } catch {
      return false;
    }
  }

  #spawn(more: Readonly<Record<string, string>>, port: number, path = checkout): Run {
    const words = ['start', '--', '--port', String(port), '--data', this.dataPath];
    const child = spawn('npm', ['--silent', ...words, '--no-lab', '--no-install', '--log-level', 'warn'], {
      cwd: path,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8' },
        [madeTablesVariable]: process.env[madeTablesVariable],
        ...{ ...this.#options.environment, ...more },
      },
    });
    return new Run(child, this.#options);
  }
}

async function endedWithin(run: Run, deadlineMs: number): Promise<Ended> {
  const how = await atMost(deadlineMs, run.ended);
  if (how !== undefined) return how;
  await run.killEverything();
  throw new Error(`npm start did not end within ${deadlineMs} ms`);
}

function describeEnd({ code, signal }: Ended): string {
  return signal === null ? `code ${code}` : signal;
}
