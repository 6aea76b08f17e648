// A second NETCONF client for tests and trials: Python's ncclient (Debian's python3-ncclient), in its own process.
// needs: python3, python3-ncclient
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

const python = '/usr/bin/python3';

interface NetconfPlace {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly privateKeyPath: string;
}

type NcAnswer =
  | { readonly ok: true; readonly xml: string }
  | { readonly ok: false; readonly tag: string; readonly message: string | null };

export function ncclientUnavailable(): string | undefined {
  return spawnSync(python, ['-c', 'import ncclient']).status === 0 ? undefined : 'python3-ncclient is missing';
}

export class Ncclient {
  readonly session: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(
    process: ChildProcessWithoutNullStreams,
    reader: Interface,
    lines: AsyncIterator<string>,
    session: string,
  ) {
    this.#process = process;
    this.#reader = reader;
    this.#lines = lines;
    this.session = session;
  }

  static async to({ host, port, username, privateKeyPath }: NetconfPlace): Promise<Ncclient> {
    const child = spawn(python, [join(import.meta.dirname, 'other-netconf-client.py')], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => {
      said = `${said}${text.toString()}`.slice(-2_000);
    });
    child.stdin.on('error', () => {});
    child.stdin.write(`${JSON.stringify({ host, port, username, key: privateKeyPath })}\n`);
    const reader = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`ncclient ended: ${said}`);
    const { session } = JSON.parse(value) as { session: string };
    return new Ncclient(child, reader, lines, session);
  }

  /** `what`: a request of other-netconf-client.py. */
  async ask(what: string, more: Readonly<Record<string, string>> = {}): Promise<NcAnswer> {
    this.#process.stdin.write(`${JSON.stringify({ do: what, ...more })}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('ncclient has ended');
    return JSON.parse(value) as NcAnswer;
  }

  /** The reply to a request that must succeed. */
  async done(what: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const answer = await this.ask(what, more);
    if (!answer.ok) throw new Error(`${what}: ${answer.tag} ${answer.message}`);
    return answer.xml;
  }

  /** Ends its session without closing it properly. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    this.#reader.close();
  }
}
