// The process of the members and clients, and the requests that failed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';

type Told = { readonly ports: readonly number[] } | { readonly fault: string };

export class Visits {
  readonly #child: ChildProcess;
  readonly #failed: string[] = [];
  readonly ports: readonly number[];

  private constructor(child: ChildProcess, ports: readonly number[]) {
    this.#child = child;
    this.ports = ports;
  }

  /** `port`: the port of the nodes. */
  static async start(port: number, everyMs: number): Promise<Visits> {
    const program = fileURLToPath(new URL('./visits-process.ts', import.meta.url));
    const words = [program, String(port), String(everyMs)];
    const child = spawn(...endingWithParent(process.execPath, words), { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const [first] = (await once(lines, 'line')) as [string];
    const told = JSON.parse(first) as Told;
    const visits = new Visits(child, 'ports' in told ? told.ports : []);
    lines.on('line', (line) => {
      const each = JSON.parse(line) as Told;
      if ('fault' in each) visits.#failed.push(each.fault);
    });
    return visits;
  }

  /** From now on, requests go to these addresses. */
  to(addresses: readonly string[]): void {
    this.#child.stdin?.write(`${JSON.stringify(addresses)}\n`);
  }

  /** The failures of requests since the last call. */
  failed(): readonly string[] {
    return this.#failed.splice(0);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
