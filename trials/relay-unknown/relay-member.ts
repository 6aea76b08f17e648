// The trial's view of a competing relay: a process that can be paused, killed and replaced, and that records its lives.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import type { Life } from '../../measure/part.ts';
import type { FailurePlan } from './moments.ts';
import type { GraphAnswer, RelayOrder, RelayPlan } from './relay-process.ts';

const program = fileURLToPath(new URL('./relay-process.ts', import.meta.url));
const startDeadlineMs = 150_000;

/** The process ended before it answered. */
export class MemberGoneError extends Error {}
/** It did not answer in time. */
export class MemberSilentError extends Error {}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class RelayMember {
  readonly #plan: RelayPlan;
  readonly lives: Life[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #lastId = 0;

  private constructor(plan: RelayPlan) {
    this.#plan = plan;
  }

  /** `stack` ends it, even if its start fails. */
  static async start(plan: RelayPlan, stack: AsyncDisposableStack): Promise<RelayMember> {
    const member = new RelayMember(plan);
    stack.defer(() => member.stop());
    await member.restart();
    return member;
  }

  /** UUID of its incarnation. */
  get owner(): string {
    return this.lives.at(-1)?.owner ?? '';
  }

  get up(): boolean {
    const life = this.lives.at(-1);
    return life !== undefined && life.endedAtMs === undefined;
  }

  /** Settles when the process has ended. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** A new process, if there is none. */
  async restart(): Promise<void> {
    if (this.up) return;
    // It ends with this process, even while paused.
    const child = spawn(...endingWithParent(process.execPath, ['--disable-warning=ExperimentalWarning', program]), {
      stdio: ['ignore', 2, 2, 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, NODE_ENV: 'production' },
    });
    this.#process = child;
    child.on('message', ({ id, answer, error }: { id: number; answer?: unknown; error?: string }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(`a relay failed: ${error}`));
    });
    const ended = Promise.withResolvers<void>();
    this.#exited = ended.promise;
    let life: Life | undefined;
    child.once('exit', () => {
      if (life !== undefined) life.endedAtMs = Date.now();
      for (const { reject } of this.#waiting.values()) reject(new MemberGoneError('the relay ended'));
      this.#waiting.clear();
      ended.resolve();
    });
    const { owner } = await this.#ask<{ owner: string }>({ do: 'start', plan: this.#plan }, startDeadlineMs);
    life = { pid: child.pid ?? -1, owner, upAtMs: Date.now(), endedAtMs: undefined };
    this.lives.push(life);
  }

  /** Throws MemberGoneError and MemberSilentError. */
  run(text: string, variables: Record<string, unknown>, deadlineMs: number): Promise<GraphAnswer> {
    return this.#ask({ do: 'run', text, variables }, deadlineMs);
  }

  /** Plans one failure at that moment of that call. Undefined for none. No effect if the process is gone. */
  async plan(plan: FailurePlan | undefined): Promise<void> {
    await this.#ask({ do: 'fail', plan }, startDeadlineMs).catch((error: unknown) => {
      if (!(error instanceof MemberGoneError)) throw error;
    });
  }

  /** True while it is stopped: proc(5), field 3 of /proc/PID/stat. */
  async isStopped(): Promise<boolean> {
    const text = await readFile(`/proc/${this.lives.at(-1)?.pid}/stat`, 'utf8').catch(() => '');
    return this.up && text.slice(text.lastIndexOf(')') + 2).startsWith('T');
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    if (this.up) this.#process?.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.#process?.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGKILL');
    await this.#exited;
  }

  #ask<Reply>(order: RelayOrder, deadlineMs: number): Promise<Reply> {
    const child = this.#process;
    if (child === undefined || !child.connected) return Promise.reject(new MemberGoneError('the relay is not running'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(id);
        const asked = order.do === 'run' ? order.text.trim().slice(0, 60) : order.do;
        reject(new MemberSilentError(`a relay did not answer ${asked} within ${deadlineMs} ms`));
      }, deadlineMs);
      const settled = <Value>(then: (value: Value) => void) => {
        return (value: Value): void => {
          clearTimeout(late);
          then(value);
        };
      };
      this.#waiting.set(id, {
        resolve: settled((answer: unknown) => resolve(answer as Reply)),
        reject: settled(reject),
      });
      child.send({ id, question: order }, (error) => {
        if (error === null) return;
        this.#waiting.get(id)?.reject(new MemberGoneError(error.message));
        this.#waiting.delete(id);
      });
    });
  }
}
