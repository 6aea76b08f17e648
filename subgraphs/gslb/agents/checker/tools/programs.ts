// Runs the programs of the checker's settings. Each has its own process group, which ends with its check.
import { spawn } from 'node:child_process';

/** A check that finds no place is no result. */
const mostAtOnce = 64;
const mostOutputBytes = 4_096;
const mostLineLength = 120;

export interface ProgramCall {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface ProgramResult {
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
  /** The first line that it wrote. */
  readonly line: string;
}

export class Programs {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #running = new Set<() => void>();
  #stopped = false;

  /** Absolute paths by name. */
  constructor(paths: ReadonlyMap<string, string>) {
    this.#paths = paths;
  }

  get names(): string[] {
    return [...this.#paths.keys()];
  }

  async run(name: string, { args, environment, signal }: ProgramCall): Promise<ProgramResult> {
    const path = this.#paths.get(name);
    if (path === undefined) throw new Error(`checker.execPrograms has no program "${name}"`);
    if (this.#running.size >= mostAtOnce) throw new Error(`${mostAtOnce} programs run already`);
    signal.throwIfAborted();
    if (this.#stopped) throw new Error('the checker stops');
    const child = spawn(path, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8', ...environment },
    });
    const kill = () => {
      if (child.pid === undefined) return;
      try {
        // Includes its children.
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    this.#running.add(kill);
    signal.addEventListener('abort', kill, { once: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => {
        if (output.length < mostOutputBytes) output += bytes.toString('utf8');
      });
    try {
      return await new Promise<ProgramResult>((resolve, reject) => {
        child.once('error', reject);
        // The event 'close' would wait for the output of remaining children, which are ended below.
        child.once('exit', (exitCode) => setImmediate(() => resolve({ exitCode, line: firstLine(output) })));
      });
    } finally {
      kill();
      this.#running.delete(kill);
      signal.removeEventListener('abort', kill);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const kill of this.#running) kill();
  }
}

function firstLine(output: string): string {
  const [line = ''] = output.trim().split('\n');
  return line.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '').slice(0, mostLineLength);
}
