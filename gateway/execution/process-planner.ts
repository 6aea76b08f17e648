// Plans in a process of its own: planning does not hold the event loop, and an operation on which the planner ends its process, or does not
// come to an end, costs nobody else more than a new start. It plans one operation at a time, so that it is known which one did it.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { CodedError } from '../../platform/edge/errors.ts';
import type { PlanNode, Planner } from './planner.ts';
import type { FromPlanner, ToPlanner } from './planner-process.ts';

interface ProcessPlannerOptions {
  readonly supergraphSdl: string;
  readonly log: Logger;
  /** Of one operation, and of the start. */
  readonly deadlineMs?: number;
  /** Operations that wait for their plan. */
  readonly mostWaiting?: number;
  /** The program of the process. */
  readonly program?: string;
}

interface Wanted {
  readonly text: string;
  readonly resolve: (plan: PlanNode | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const maxFailedBytes = 4 * 1024 * 1024;
const mostOutput = 2_000;
const retryAfterMs = 1_000;

export class ProcessPlanner implements Planner {
  readonly #options: Required<ProcessPlannerOptions>;
  readonly #waiting: Wanted[] = [];
  /** Operations that ended the process or took too long: they are not tried again. */
  readonly #failed = new LRUCache<string, CodedError>({
    maxSize: maxFailedBytes,
    sizeCalculation: (_error, text) => text.length + 1_000,
  });
  #process: Promise<PlannerLine> | undefined;
  #working = false;
  #isClosed = false;

  constructor(options: ProcessPlannerOptions) {
    const program = join(import.meta.dirname, 'planner-process.ts');
    this.#options = { deadlineMs: 10_000, mostWaiting: 1_000, program, ...options };
  }

  /** Throws when the planner refuses the supergraph. */
  async start(): Promise<void> {
    await this.#line();
  }

  plan(text: string): Promise<PlanNode | undefined> {
    const failed = this.#failed.get(text);
    if (failed !== undefined) return Promise.reject(failed);
    if (this.#waiting.length >= this.#options.mostWaiting)
      return Promise.reject(
        new CodedError('BUSY', 'Too many new operations wait for their plan; nothing was done.', { retryAfterMs }),
      );
    const planned = new Promise<PlanNode | undefined>((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
    });
    if (!this.#working) void this.#work();
    return planned;
  }

  /** Ends the process. Operations that wait are refused. */
  close(): void {
    this.#isClosed = true;
    this.#process?.then(
      (line) => line.end(),
      () => undefined,
    );
  }

  /** Never throws. */
  async #work(): Promise<void> {
    this.#working = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { text, resolve, reject } = next;
      await this.#planOf(text).then(resolve, reject);
    }
    this.#working = false;
  }

  async #planOf(text: string): Promise<PlanNode | undefined> {
    const line = await this.#line();
    const answer = await line.ask({ text }, this.#options.deadlineMs);
    if (answer !== undefined && !('fault' in answer)) return answer.plan as PlanNode | undefined;
    const reason = answer?.fault ?? line.lastWords;
    this.#options.log.warn({ reason, operation: text.slice(0, mostOutput) }, 'an operation has no plan');
    const error = new CodedError(
      'NOT_PLANNED',
      'The gateway has no plan for this operation, although it is valid: ask for its fields in several operations.',
    );
    if (!this.#isClosed) this.#failed.set(text, error);
    throw error;
  }

  /** To the process, which is started anew if the one before has ended. */
  async #line(): Promise<PlannerLine> {
    if (this.#isClosed) throw new CodedError('UNAVAILABLE', 'This gateway is shutting down.', { retryAfterMs });
    const known = await this.#process?.catch(() => undefined);
    if (known?.isOpen === true) return known;
    const { program, supergraphSdl, deadlineMs } = this.#options;
    this.#process = PlannerLine.open(program, supergraphSdl, deadlineMs);
    const line = await this.#process;
    if (this.#isClosed) line.end();
    return line;
  }
}

/** The line to one process, for one question at a time. */
class PlannerLine {
  readonly #child: ChildProcess;
  #output = '';
  #end = '';
  #answered: ((answer: FromPlanner | undefined) => void) | undefined;

  static async open(program: string, supergraph: string, deadlineMs: number): Promise<PlannerLine> {
    const line = new PlannerLine(program);
    const answer = await line.ask({ supergraph }, deadlineMs);
    if (answer !== undefined && !('fault' in answer)) return line;
    line.end();
    throw new Error(`the planner does not take the supergraph: ${answer?.fault ?? line.lastWords}`);
  }

  private constructor(program: string) {
    // Nothing of the environment is for it. A Ctrl-C on the terminal is for the gateway, which ends it.
    this.#child = fork(program, [], {
      ...{ env: {}, execArgv: [], detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#output = `${this.#output}${data}`.slice(-mostOutput);
    });
    this.#child.on('message', (answer: FromPlanner) => this.#answered?.(answer));
    this.#child.on('error', (error) => this.#over(String(error)));
    this.#child.on('exit', (code, signal) => this.#over(`it ended with ${signal ?? code}`));
    this.#hold(false);
  }

  get isOpen(): boolean {
    return this.#end === '';
  }

  /** Why the process ended. */
  get lastWords(): string {
    return [this.#end, this.#output.trim()].filter(Boolean).join(': ');
  }

  /** Undefined if the process ended, or did not answer by the deadline: then it is ended. */
  async ask(question: ToPlanner, deadlineMs: number): Promise<FromPlanner | undefined> {
    if (!this.isOpen) return undefined;
    this.#hold(true);
    const deadline = setTimeout(() => {
      this.end();
      this.#over(`it had no answer within ${deadlineMs} ms`);
    }, deadlineMs);
    try {
      return await new Promise<FromPlanner | undefined>((resolve) => {
        this.#answered = resolve;
        this.#child.send(question, (error) => {
          if (error !== null) this.#over(String(error));
        });
      });
    } finally {
      clearTimeout(deadline);
      this.#answered = undefined;
      this.#hold(false);
    }
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  #over(reason: string): void {
    if (this.#end === '') this.#end = reason;
    this.#answered?.(undefined);
  }

  /** A process that plans nothing keeps nobody alive. */
  #hold(isNeeded: boolean): void {
    const parts = [this.#child, this.#child.channel, this.#child.stderr as { ref?(): void; unref?(): void } | null];
    for (const part of parts) {
      if (isNeeded) part?.ref?.();
      else part?.unref?.();
    }
  }
}
