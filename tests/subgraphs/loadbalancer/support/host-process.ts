// A load balancer host as a separate process that tests can kill: the program (below), and its owner in a test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endingWithParent } from '../../../../embedded/ends-with-parent.ts';
import type { NetnsOptions } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/netns.ts';

/** A test host's options, which its process reads from a file. */
interface HostProcessOptions {
  readonly folder: string;
  readonly urls: readonly string[];
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly healthPort: number;
  /** Addresses of the loopback provider. Default: 127.91.0.0/16. */
  readonly range?: string;
  /** A command that starts its program, for example `nsenter --net=…`. */
  readonly wrapper?: readonly string[];
  /** If absent, the loopback provider is used. */
  readonly netns?: Omit<NetnsOptions, 'folder' | 'ip'> & { readonly via: readonly string[] };
}

export class HostProcess {
  readonly #options: HostProcessOptions;
  #child: ChildProcess | undefined;

  constructor(options: HostProcessOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true });
    const file = join(this.#options.folder, 'test-host.json');
    await writeFile(file, JSON.stringify(this.#options), { mode: 0o600 });
    const program = fileURLToPath(new URL('./host-program.ts', import.meta.url));
    const { wrapper = [] } = this.#options;
    const [command = '', ...args] = [
      ...wrapper,
      ...(process.getuid?.() === 0 ? await privilegesOfUnit() : []),
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      program,
      file,
    ];
    const child = spawn(...endingWithParent(command, args), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const [first] = (await once(child.stdout, 'data')) as [Buffer];
    if (!String(first).startsWith('ready')) throw new Error(`the host did not start: ${String(first)}`);
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

/** A host has no more privileges than under its unit. */
async function privilegesOfUnit(): Promise<readonly string[]> {
  const unit = await readFile(new URL('../../../../docker/systemd/tidegate-lbhost.service', import.meta.url), 'utf8');
  const names = /^CapabilityBoundingSet=(.+)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  const kept = names.map((name) => `+${name.replace('CAP_', '').toLowerCase()}`);
  return ['setpriv', `--bounding-set=${['-all', ...kept].join()}`, '--no-new-privs', '--'];
}

export async function readHostProcessOptions(file: string): Promise<HostProcessOptions> {
  return JSON.parse(await readFile(file, 'utf8')) as HostProcessOptions;
}
