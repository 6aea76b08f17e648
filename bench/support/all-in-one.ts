// The parent's side of the system of `npm start` in a process of its own, with a data folder that goes with it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Counters, SystemOrder, SystemStarted } from './all-in-one-process.ts';
import { Child } from './child.ts';
import { cpuMsOf } from './cpu.ts';
import { processTree } from './process-tree.ts';

export interface Usage extends Counters {
  /** Of the one process with all roles. */
  readonly cpuMs: number;
  readonly databaseCpuMs: number;
  readonly elapsedMs: number;
}

const startDeadlineMs = 120_000;
const stopDeadlineMs = 60_000;
const answerDeadlineMs = 10_000;
/** What comes after an answer (the sequencer, the sealer) is part of it. */
const settleMs = 150;

export class AllInOneSystem {
  readonly started: SystemStarted;
  readonly #child: Child;
  readonly #databasePid: number;
  #idle: Usage | undefined;

  private constructor(child: Child, started: SystemStarted, databasePid: number) {
    this.#child = child;
    this.started = started;
    this.#databasePid = databasePid;
  }

  /** It is stopped, and its folder removed, with the stack. */
  static async start(stack: AsyncDisposableStack, options: { readonly withLab: boolean }): Promise<AllInOneSystem> {
    const dataPath = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
    stack.defer(() => rm(dataPath, { recursive: true, force: true }));
    const child = new Child(new URL('./all-in-one-process.ts', import.meta.url));
    stack.defer(() => child.stop());
    const order: SystemOrder = { do: 'start', dataPath, withLab: options.withLab };
    const started = await child.ask<SystemStarted>(order, startDeadlineMs);
    stack.defer(() => child.ask({ do: 'stop' } satisfies SystemOrder, stopDeadlineMs));
    const database = (await processTree(child.pid)).find(({ name }) => name === 'mariadbd');
    if (database === undefined) throw new Error('there is no mariadbd below the system');
    return new AllInOneSystem(child, started, database.pid);
  }

  ask<Reply>(order: SystemOrder, deadlineMs: number): Promise<Reply> {
    return this.#child.ask<Reply>(order, deadlineMs);
  }

  /** What it uses when nothing is asked of it. */
  async measureIdle(forMs: number, signal: AbortSignal): Promise<Usage> {
    this.#idle = await this.#used(() => sleep(forMs, undefined, { signal }));
    return this.#idle;
  }

  /** What `work` made it use, beyond what it uses idle. `measureIdle` comes first. */
  async measure<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result; readonly usage: Usage }> {
    const idle = this.#idle;
    if (idle === undefined) throw new Error('the idle system was not measured');
    const results: Result[] = [];
    const used = await this.#used(async () => {
      results.push(await work());
      await sleep(settleMs);
    });
    const beyond = (figure: 'cpuMs' | 'databaseCpuMs' | 'commits' | 'blocks') =>
      used[figure] - (idle[figure] * used.elapsedMs) / idle.elapsedMs;
    const usage = {
      cpuMs: beyond('cpuMs'),
      databaseCpuMs: beyond('databaseCpuMs'),
      commits: beyond('commits'),
      blocks: beyond('blocks'),
      elapsedMs: used.elapsedMs,
    };
    return { result: results[0] as Result, usage };
  }

  async #used(work: () => Promise<unknown>): Promise<Usage> {
    const before = await this.#read();
    await work();
    const after = await this.#read();
    const of = (figure: keyof Usage) => after[figure] - before[figure];
    return {
      cpuMs: of('cpuMs'),
      databaseCpuMs: of('databaseCpuMs'),
      commits: of('commits'),
      blocks: of('blocks'),
      elapsedMs: of('elapsedMs'),
    };
  }

  async #read(): Promise<Usage> {
    const counters = await this.ask<Counters>({ do: 'counters' }, answerDeadlineMs);
    const [cpuMs, databaseCpuMs] = [cpuMsOf(this.#child.pid), cpuMsOf(this.#databasePid)];
    return { ...counters, cpuMs, databaseCpuMs, elapsedMs: performance.now() };
  }
}
