// A line to a child process that answers one question at a time. What the process does to a question costs that question alone: if it
// ends, or has no answer by the deadline, the caller learns it and starts another one. A process without questions ends, too.
import { type ChildProcess, fork } from 'node:child_process';
import { getPriority, setPriority } from 'node:os';

interface ChildLineOptions {
  /** Path of the program: it answers each message with one message, and ends when it is disconnected. */
  readonly program: string;
  /** For Node. */
  readonly nodeArguments?: readonly string[];
  /** The process ends when it has had no question for so long: its memory is freed until it is needed. */
  readonly restMs: number;
}

/** A usual `restMs`. */
export const usualRestMs = 60_000;
const mostOutput = 2_000;
const mostNiceness = 19;

export class ChildLine<Question, Answer> {
  readonly #child: ChildProcess;
  readonly #restMs: number;
  #rest: NodeJS.Timeout | undefined;
  #output = '';
  #end = '';
  #answered: ((answer: Answer | undefined) => void) | undefined;

  constructor({ program, nodeArguments = [], restMs }: ChildLineOptions) {
    this.#restMs = restMs;
    // Nothing of the environment is for it but Node's cache of compiled code. A Ctrl-C on the terminal is for this process, which ends it.
    const { NODE_COMPILE_CACHE } = process.env;
    const env = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
    this.#child = fork(program, [], {
      ...{ env, execArgv: [...nodeArguments], detached: true, serialization: 'advanced' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#output = `${this.#output}${data}`.slice(-mostOutput);
    });
    this.#child.on('message', (answer: Answer) => this.#answered?.(answer));
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
  async ask(question: Question, deadlineMs: number): Promise<Answer | undefined> {
    if (!this.isOpen) return undefined;
    clearTimeout(this.#rest);
    this.#hold(true);
    const deadline = setTimeout(() => {
      this.#over(`it had no answer within ${deadlineMs} ms`);
      this.end();
    }, deadlineMs);
    try {
      return await new Promise<Answer | undefined>((resolve) => {
        this.#answered = resolve;
        this.#child.send(question as object, (error) => {
          if (error !== null) this.#over(String(error));
        });
      });
    } finally {
      clearTimeout(deadline);
      this.#answered = undefined;
      this.#hold(false);
      if (this.isOpen) this.#rest = setTimeout(() => this.end('it was not needed'), this.#restMs).unref();
    }
  }

  /** From now on it yields the processor to this process where that is scarce. `niceness`: so much more than this one's (nice(2)). */
  yieldBy(niceness: number): void {
    const { pid } = this.#child;
    try {
      if (pid !== undefined) setPriority(pid, Math.min(mostNiceness, getPriority() + niceness));
    } catch {
      // It has ended already: the next question says so.
    }
  }

  end(reason = 'it was ended'): void {
    clearTimeout(this.#rest);
    this.#over(reason);
    this.#child.kill('SIGKILL');
  }

  #over(reason: string): void {
    if (this.#end === '') this.#end = reason;
    this.#answered?.(undefined);
  }

  /** A process without a question keeps nobody alive. */
  #hold(isNeeded: boolean): void {
    const parts = [this.#child, this.#child.channel, this.#child.stderr as { ref?(): void; unref?(): void } | null];
    for (const part of parts) {
      if (isNeeded) part?.ref?.();
      else part?.unref?.();
    }
  }
}
