// The owner of a process of a trial, which is told what to do in lines and answers in lines of JSON. It ends with the trial, even if that
// is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';

export interface ToldChildOptions {
  /** The path of the program, which is given the path of `file`. */
  readonly script: string;
  /** Where the program's options are written. */
  readonly file: string;
  readonly program: object;
  /** A command that runs the program. */
  readonly wrapper?: readonly string[];
}

export class ToldChild {
  readonly #options: ToldChildOptions;
  #child: ChildProcess | undefined;
  #lines: Interface | undefined;

  constructor(options: ToldChildOptions) {
    this.#options = options;
  }

  /** Throws when it does not run. */
  get pid(): number {
    const { pid } = this.#child ?? {};
    if (pid === undefined) throw new Error(`the process of ${this.#options.file} does not run`);
    return pid;
  }

  /** Returns what it says of itself once it works. */
  async start(): Promise<unknown> {
    const { script, file, program, wrapper = [] } = this.#options;
    await writeFile(file, JSON.stringify(program), { mode: 0o600 });
    const command = [...wrapper, process.execPath, '--disable-warning=ExperimentalWarning', script, file];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
    return this.#answer();
  }

  /** One line to it; returns its answer. */
  tell(line: string): Promise<unknown> {
    this.#child?.stdin?.write(`${line}\n`);
    return this.#answer();
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#runs()) this.#child?.kill(signal);
  }

  /** kill -9, and waits until it has ended. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#runs()) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  #runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #answer(): Promise<unknown> {
    if (this.#lines === undefined || this.#child === undefined) throw new Error('the process does not run');
    const waiting = new AbortController();
    const { signal } = waiting;
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error(`the process of ${this.#options.file} ended`);
    });
    try {
      const [line] = (await Promise.race([once(this.#lines, 'line', { signal }), ended])) as [string];
      return JSON.parse(line);
    } finally {
      waiting.abort();
    }
  }
}
