// The parent's side of the system of `npm start` in a separate process, with a data folder that is removed with it.
// needs: system
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceName } from '../lab/device.ts';
import type { SystemOrder, SystemStarted } from './all-in-one-process.ts';
import { Child } from './child.ts';
import { cpuMsOf } from './cpu.ts';
import { processTree } from './process-tree.ts';
import { type Logged, ServerLog } from './server-log.ts';

export interface Usage {
  /** Of the one process with all roles. */
  readonly cpuMs: number;
  readonly databaseCpuMs: number;
  /** All of MariaDB's, including the sequencer's and the sealer's. */
  readonly allCommits: number;
}

type Idle = Usage & Omit<Logged, 'elapsedMs'>;

interface Reading extends Usage {
  readonly atMs: number;
}

const startDeadlineMs = 120_000;
const stopDeadlineMs = 60_000;
/** The work after an answer (the sequencer, the sealer) is included. */
const settleMs = 150;

export class AllInOneSystem {
  readonly started: SystemStarted;
  readonly dataPath: string;
  readonly #child: Child;
  readonly #databasePid: number;
  readonly #log: ServerLog;
  #idlePerMs: Idle = { cpuMs: 0, databaseCpuMs: 0, allCommits: 0, statements: 0, commits: 0 };

  private constructor(dependencies: {
    child: Child;
    started: SystemStarted;
    databasePid: number;
    log: ServerLog;
    dataPath: string;
  }) {
    this.started = dependencies.started;
    this.dataPath = dependencies.dataPath;
    this.#child = dependencies.child;
    this.#databasePid = dependencies.databasePid;
    this.#log = dependencies.log;
  }

  /** Stopped with the stack, which also removes its folder. */
  static async start(
    stack: AsyncDisposableStack,
    options: {
      readonly withLab: boolean;
      /** Default: the firewall alone. */
      readonly labDevices?: readonly DeviceName[];
      readonly nodeArguments?: readonly string[];
    },
  ): Promise<AllInOneSystem> {
    const dataPath = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
    stack.defer(() => rm(dataPath, { recursive: true, force: true }));
    const child = new Child(new URL('./all-in-one-process.ts', import.meta.url), options.nodeArguments);
    stack.defer(() => child.stop());
    const { withLab, labDevices } = options;
    const order: SystemOrder = { do: 'start', dataPath, withLab, labDevices };
    const started = await child.ask<SystemStarted>(order, startDeadlineMs);
    stack.defer(() => child.ask({ do: 'stop' } satisfies SystemOrder, stopDeadlineMs));
    const log = await ServerLog.open(started.database.socketPath ?? '', dataPath);
    stack.defer(() => log.close());
    const database = (await processTree(child.pid)).find(({ name }) => name === 'mariadbd');
    if (database === undefined) throw new Error('there is no mariadbd below the system');
    return new AllInOneSystem({ child, started, databasePid: database.pid, log, dataPath });
  }

  /** Of the one process with all roles. */
  get pid(): number {
    return this.#child.pid;
  }

  /** A counter of MariaDB's `SHOW GLOBAL STATUS`. */
  status(name: string): Promise<number> {
    return this.#log.status(name);
  }

  rows(): Promise<ReadonlyMap<string, number>> {
    return this.#log.rows();
  }

  ask<Reply>(order: SystemOrder, deadlineMs: number): Promise<Reply> {
    return this.#child.ask<Reply>(order, deadlineMs);
  }

  /**
   * Measures its use per second when idle, which is subtracted from all later measurements. Unless `logged` is false, measures
   * again with MariaDB's general log, for `logged`.
   */
  async measureIdle(forMs: number, signal: AbortSignal, { logged: withLog = true } = {}): Promise<Idle> {
    const before = await this.#read();
    await sleep(forMs, undefined, { signal });
    const after = await this.#read();
    const elapsedMs = after.atMs - before.atMs;
    const logged = withLog
      ? await this.#log.during(() => sleep(forMs, undefined, { signal }))
      : { statements: 0, commits: 0, elapsedMs };
    this.#idlePerMs = {
      cpuMs: (after.cpuMs - before.cpuMs) / elapsedMs,
      databaseCpuMs: (after.databaseCpuMs - before.databaseCpuMs) / elapsedMs,
      allCommits: (after.allCommits - before.allCommits) / elapsedMs,
      statements: logged.statements / logged.elapsedMs,
      commits: logged.commits / logged.elapsedMs,
    };
    const { cpuMs, databaseCpuMs, allCommits, statements, commits } = this.#idlePerMs;
    return {
      ...{ cpuMs: cpuMs * 1000, databaseCpuMs: databaseCpuMs * 1000, allCommits: allCommits * 1000 },
      ...{ statements: statements * 1000, commits: commits * 1000 },
    };
  }

  /** The use of `work`, above idle use. */
  async measure<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result; readonly usage: Usage }> {
    const before = await this.#read();
    const result = await work();
    await sleep(settleMs);
    const after = await this.#read();
    const beyond = (figure: keyof Usage) =>
      after[figure] - before[figure] - this.#idlePerMs[figure] * (after.atMs - before.atMs);
    const usage = {
      cpuMs: beyond('cpuMs'),
      databaseCpuMs: beyond('databaseCpuMs'),
      allCommits: beyond('allCommits'),
    };
    return { result, usage };
  }

  /** The statements that `work` sends to MariaDB, above those when idle. */
  async logged(work: () => Promise<unknown>): Promise<Logged> {
    const { statements, commits, elapsedMs } = await this.#log.during(work);
    return {
      elapsedMs,
      statements: statements - this.#idlePerMs.statements * elapsedMs,
      commits: commits - this.#idlePerMs.commits * elapsedMs,
    };
  }

  async #read(): Promise<Reading> {
    const allCommits = await this.#log.allCommits();
    const [cpuMs, databaseCpuMs] = [cpuMsOf(this.#child.pid), cpuMsOf(this.#databasePid)];
    return { cpuMs, databaseCpuMs, allCommits, atMs: performance.now() };
  }
}
