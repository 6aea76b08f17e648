// Commands of `tidegate` that a demo runs like a person. Each is a separate process, and is printed.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CommandFailure, Interruption } from '../failures.ts';
import type { Output } from '../verb.ts';

const program = fileURLToPath(new URL('../../bin/tidegate.ts', import.meta.url));
const mostOutputBytes = 4 * 1024 * 1024;

interface RunOptions {
  readonly signal: AbortSignal;
  /** Receives its standard error as it arrives. */
  readonly told?: Output | undefined;
}

/** The words of `tidegate …` as this process starts it. */
export function commandLine(words: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, program, ...words];
}

/** Starts it in a separate session, which Ctrl-C on the terminal does not reach. The demo ends it in order. It ends with this process in any case. */
export function startCommand(words: readonly string[]): ChildProcess {
  const ending = ['--pdeathsig', 'TERM', '--', ...commandLine(words)];
  return spawn('setpriv', ending, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Returns its standard output. Throws CommandFailure with its error output if it fails, and Interruption at the signal. */
export async function runCommand(words: readonly string[], { signal, told }: RunOptions): Promise<string> {
  if (signal.aborted) throw new Interruption();
  const child = startCommand(words);
  let [output, errors] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < mostOutputBytes) output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < mostOutputBytes) errors += text;
    told?.write(text);
  });
  const pass = () => child.kill('SIGTERM');
  signal.addEventListener('abort', pass, { once: true });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (ended) => resolve(ended ?? 1));
  }).finally(() => signal.removeEventListener('abort', pass));
  if (signal.aborted) throw new Interruption();
  if (code !== 0) throw new CommandFailure(lastWords(errors) || `tidegate ${words.join(' ')} ended with ${code}`);
  return output;
}

function lastWords(errors: string): string {
  const lines = errors.split('\n').filter((line) => line.startsWith('tidegate: '));
  return lines.map((line) => line.slice('tidegate: '.length)).join(' ');
}
