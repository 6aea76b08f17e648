// Processes of a benchmark that answer their parent: the measured part, the load, and supporting parts are separate processes.
import { type ChildProcess, fork } from 'node:child_process';
import { toleratesBrokenConnects } from '../platform/database/connector-rejections.ts';

interface Question {
  readonly id: number;
  readonly question: unknown;
}

interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

const stopGraceMs = 5_000;

/** The parent's side. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** Starts a module that calls `answerParent`; `nodeArguments` are for Node. */
  constructor(module: URL, nodeArguments: readonly string[] = []) {
    this.name = module.pathname.split('/').at(-1) ?? '';
    this.#process = fork(module, {
      execArgv: [...process.execArgv, ...nodeArguments],
      serialization: 'advanced',
      // Standard output is for the figures only.
      stdio: ['ignore', 2, 2, 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    this.#process.on('message', ({ id, answer, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(`${this.name}: ${error}`));
    });
    this.#process.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${this.name} ended: ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error(`${this.name} did not start`);
    return pid;
  }

  /** Sends a request and waits for the answer; throws the child's error, and an error at the deadline. */
  ask<Reply>(question: unknown, deadlineMs: number): Promise<Reply> {
    if (!this.#process.connected) return Promise.reject(new Error(`${this.name} is not running`));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`${this.name} did not answer within ${deadlineMs} ms`));
      }, deadlineMs);
      this.#waiting.set(id, {
        resolve: (answer) => {
          clearTimeout(late);
          resolve(answer as Reply);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      });
      this.#process.send({ id, question } satisfies Question);
    });
  }

  async stop(): Promise<void> {
    await endProcess(this.#process);
  }
}

/** SIGTERM, then SIGKILL for one that does not end. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const cut = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
  await exited;
  clearTimeout(cut);
}

/** The child's side: answers until the parent is gone. */
export function answerParent(handle: (question: never) => Promise<unknown>): void {
  toleratesBrokenConnects(process);
  // A killed parent can't stop its children.
  process.once('disconnect', () => process.exit(0));
  process.on('message', ({ id, question }: Question) => {
    handle(question as never).then(
      (answer) => process.send?.({ id, answer } satisfies Answer),
      (error: unknown) =>
        process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}
