// HAProxy with the same checks. It runs as many processes as its file descriptors require, each with one thread. A checked server takes a
// descriptor, and a process may have 20,000 here.
// needs: haproxy
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { endProcess } from '../../measure/child.ts';
import { cpuMsOf } from '../../measure/cpu.ts';

interface HaproxyOptions {
  readonly targets: readonly { readonly host: string; readonly port: number }[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

const mostServers = 15_000;

export class Haproxy {
  readonly #processes: readonly ChildProcess[];

  private constructor(processes: readonly ChildProcess[]) {
    this.#processes = processes;
  }

  static async start(stack: AsyncDisposableStack, options: HaproxyOptions): Promise<Haproxy> {
    const folder = await mkdtemp(join(tmpdir(), 'tidegate-checks-'));
    stack.defer(() => rm(folder, { recursive: true }));
    const processes: ChildProcess[] = [];
    for (let from = 0; from < options.targets.length; from += mostServers) {
      const file = join(folder, `${from}.cfg`);
      await writeFile(
        file,
        configuration(options, options.targets.slice(from, from + mostServers), join(folder, `${from}.sock`)),
      );
      const child = spawn(...endingWithParent('haproxy', ['-db', '-q', '-f', file]), {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
      stack.defer(() => endProcess(child));
      await Promise.race([failed, new Promise((resolve) => child.once('spawn', resolve))]);
      processes.push(child);
    }
    return new Haproxy(processes);
  }

  cpuMs(): number {
    return this.#processes.reduce((sum, { pid = 0 }) => sum + cpuMsOf(pid), 0);
  }
}

/** `socket`: HAProxy exits without a listener. Nothing connects to this socket. */
function configuration(
  { intervalMs, timeoutMs }: HaproxyOptions,
  targets: HaproxyOptions['targets'],
  socket: string,
): string {
  const servers = targets.map(
    ({ host, port }, index) => `  server s${index} ${host}:${port} check inter ${intervalMs}`,
  );
  return `global
  nbthread 1
  maxconn 100
defaults
  mode tcp
  timeout connect ${timeoutMs}
  timeout client 10s
  timeout server 10s
  timeout check ${timeoutMs}
frontend nobody
  bind unix@${socket}
  default_backend checked
backend checked
${servers.join('\n')}
`;
}
