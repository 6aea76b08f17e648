// Runs iproute2: many commands at once, and queries in JSON.
import { spawn } from 'node:child_process';
import { isObject } from '../../../../../platform/values/json.ts';

const deadlineMs = 20_000;
const mostOutputBytes = 16 * 1024 * 1024;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Link {
  readonly name: string;
  /** The bridge to which it belongs. */
  readonly master: string | undefined;
  readonly isUp: boolean;
  readonly alias: string | undefined;
}

export class Ip {
  readonly #via: readonly string[];

  /** `via`: command prefix that makes the programs act in another namespace than this process's. */
  constructor(via: readonly string[]) {
    this.#via = via;
  }

  /** Rejects at the first command that fails. */
  async batch(lines: readonly string[], namespace?: string): Promise<void> {
    await this.run(['ip', ...inside(namespace), '-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** Runs all of them, whatever fails. */
  async force(lines: readonly string[], namespace?: string): Promise<void> {
    await this.try(['ip', ...inside(namespace), '-force', '-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** Empty if the namespace does not exist. */
  async links(namespace?: string): Promise<ReadonlyMap<string, Link>> {
    const { code, stdout } = await this.try(['ip', '-json', ...inside(namespace), 'link', 'show']);
    if (code !== 0) return new Map();
    const links = objects(stdout).map(
      ({ ifname, master, flags, ifalias }): Link => ({
        name: String(ifname),
        master: typeof master === 'string' ? master : undefined,
        isUp: Array.isArray(flags) && flags.includes('UP'),
        alias: typeof ifalias === 'string' ? ifalias : undefined,
      }),
    );
    return new Map(links.map((link) => [link.name, link]));
  }

  /** Output of a command in JSON. Empty if it fails. */
  async show(command: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { code, stdout } = await this.try(command);
    return code === 0 ? objects(stdout) : [];
  }

  /** Rejects if it does not end with 0. */
  async run(command: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.try(command, input);
    if (code === 0) return stdout;
    throw new Error(`${command.join(' ')} failed: ${stderr.trim().slice(0, 500)}`);
  }

  try(command: readonly string[], input = ''): Promise<Ran> {
    const [program = '', ...args] = [...this.#via, ...command];
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { timeout: deadlineMs, killSignal: 'SIGKILL' });
      const texts = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const)
        child[stream].setEncoding('utf8').on('data', (text: string) => {
          texts[stream] += text;
          if (texts[stream].length > mostOutputBytes) child.kill('SIGKILL');
        });
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, ...texts }));
      // A command that ends without reading all of its input gives its reason through the exit code.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
  }
}

function inside(namespace: string | undefined): readonly string[] {
  return namespace === undefined ? [] : ['-netns', namespace];
}

function objects(text: string): readonly Readonly<Record<string, unknown>>[] {
  const read: unknown = text.trim() === '' ? [] : JSON.parse(text);
  return Array.isArray(read) ? read.filter(isObject) : [];
}
