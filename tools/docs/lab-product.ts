// A product of its own for pictures: `npm start` with parts of the lab, in a data folder that is removed afterwards.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { placedAt } from './placed.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'bin/tidegate.ts');
const readyLine = 'Ctrl-C stops everything.';
const readyMs = 300_000;
const endMs = 60_000;
const commandMs = 180_000;

export class LabProduct {
  /** Without a path. */
  readonly url: string;
  readonly password: string;
  readonly #folder: string;
  readonly #data: string;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;

  private constructor(
    folder: string,
    data: string,
    child: ChildProcess,
    signal: AbortSignal,
    url: string,
    password: string,
  ) {
    [this.#folder, this.#data, this.#child, this.#signal] = [folder, data, child, signal];
    [this.url, this.password] = [url, password];
  }

  /** `parts`: parts of the lab. */
  static async start(parts: readonly string[], signal: AbortSignal): Promise<LabProduct> {
    const folder = await mkdtemp(join(tmpdir(), 'tidegate-pictures-'));
    // The account that serves must be able to pass it.
    await chmod(folder, 0o711);
    const data = join(folder, 'data');
    const words = ['up', '--port', '0', '--data', data, '--log-level', 'warn', '--lab', parts.join(',')];
    const child = spawn(process.execPath, [program, ...words], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      const output = await ready(child, signal);
      const url = /GraphQL\s+(http:\S+)\/graphql/.exec(output)?.[1];
      if (url === undefined) throw new Error(`the product printed no address:\n${output}`);
      const password = (await readFile(join(data, 'admin.password'), 'utf8')).trim();
      return new LabProduct(folder, data, child, signal, url, password);
    } catch (error) {
      await remove(folder, child);
      throw error;
    }
  }

  /** Runs a command of the command line. Throws unless it ends with 0. */
  async run(...words: readonly string[]): Promise<string> {
    const placed = placedAt(this.#data, `${this.url}/graphql`)(words);
    const options = { cwd: root, signal: this.#signal, timeout: commandMs };
    return (await promisify(execFile)(process.execPath, [program, ...placed], options)).stdout;
  }

  /** The variables that a part of the lab has for a shell. */
  async variables(part: string): Promise<Readonly<Record<string, string>>> {
    const text = await readFile(join(this.#data, `${part}.env`), 'utf8');
    return Object.fromEntries(
      text
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s)),
    );
  }

  async stop(): Promise<void> {
    await remove(this.#folder, this.#child);
  }
}

/** Returns the printed text. */
async function ready(child: ChildProcess, signal: AbortSignal): Promise<string> {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const giveUpAt = performance.now() + readyMs;
  while (!output.includes(readyLine)) {
    if (child.exitCode !== null || performance.now() > giveUpAt) throw new Error(`it did not get ready:\n${output}`);
    await sleep(100, undefined, { signal });
  }
  return output;
}

async function remove(folder: string, child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
    await ended;
    clearTimeout(timer);
  }
  await rm(folder, { recursive: true, force: true });
}
