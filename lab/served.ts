// A process of Tidegate that belongs to a device of the lab: it has joined the control plane, and is restarted when it ends.
import { join } from 'node:path';
import { type EmbeddedServer, ServerProcess } from '../embedded/server-process.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import { type Supervised, supervise } from '../embedded/supervise.ts';

const program = join(import.meta.dirname, '..', 'bin', 'tidegate.ts');

interface ServedOptions {
  readonly name: string;
  /** Enters its network. */
  readonly wrapper: readonly string[];
  readonly nodeArguments?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly roles: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly log: SetupLog;
}

export function serveRoles(options: ServedOptions): Promise<Supervised<EmbeddedServer>> {
  const { name, wrapper, nodeArguments = [], env = {}, roles, settings, log } = options;
  const all = { name: `lab-${name}`, 'log.format': 'json', ...settings };
  const [command = '', ...args] = [
    ...[...wrapper, process.execPath, ...nodeArguments, program, 'serve', '--roles', roles.join(',')],
    ...(process.getuid?.() === 0 ? ['--as-root'] : []),
    ...Object.entries(all).flatMap(([setting, value]) => ['--set', `${setting}=${value}`]),
  ];
  const label = `the lab's ${name}`;
  const start = async () => new ServerProcess({ name: label, command, args, cwd: '/', runAs: undefined, env, log });
  return supervise(label, start, { log, firstPauseMs: 500 });
}
