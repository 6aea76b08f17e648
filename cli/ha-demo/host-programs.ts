// Programs that run on a host of the demo, with the same commands as its units. A host with a wrong clock has libfaketime in its agent and its
// MariaDB.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serveSettingsPath } from '../../ha/host/host-settings.ts';
import { clockOffset, clockVariables } from '../../lab/clock-library.ts';
import type { HostProgram, ProgramName } from '../../lab/ha/host.ts';
import { hostDataFolder } from '../../lab/ha/places.ts';
import { firewallPort, type Plan } from '../../lab/ha/plan.ts';
import { checkout } from '../up/account.ts';

/** Same as in bin/node24. */
const nodeEnvironment = { UV_THREADPOOL_SIZE: '16', NODE_OPTIONS: '--max-semi-space-size=8' };
/** Same as in bin/tidegate. */
const agentEnvironment = { ...nodeEnvironment, NODE_OPTIONS: '--max-semi-space-size=1', MALLOC_ARENA_MAX: '2' };
const server = '/usr/sbin/mariadbd';

/** Argument list of a `tidegate` command. */
export function tidegateWords(...words: readonly string[]): readonly string[] {
  return [process.execPath, join(checkout, 'bin', 'tidegate.ts'), ...words];
}

interface ProgramsOptions {
  readonly plan: Plan;
  /** Command prefix that switches to the service account. Empty if root serves. */
  readonly asAccount: readonly string[];
  /** Node's compile cache, owned by the account. */
  readonly compileCache: string | undefined;
  readonly clockLibrary: string | undefined;
}

/** Uses the settings that `ha init` and `join` have written to the disk. */
export function hostProgram(
  name: ProgramName,
  disk: string,
  skewSeconds: number,
  { plan, asAccount, compileCache, clockLibrary }: ProgramsOptions,
): HostProgram {
  const data = hostDataFolder(disk);
  if (name === 'serve') {
    // Like with the lab, only its devices are reachable.
    const reached = ['egress.deny=0.0.0.0/0,::/0', `egress.allow=${plan.machine}:${firewallPort}`];
    const settings = ['--config', serveSettingsPath(data), ...reached.flatMap((each) => ['--set', each])];
    const asRoot = asAccount.length === 0 ? ['--as-root'] : [];
    return {
      words: [...asAccount, ...tidegateWords('serve', ...settings, ...asRoot)],
      env: { ...nodeEnvironment, ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }) },
    };
  }
  const words = tidegateWords('ha', 'agent', '--data', data);
  if (skewSeconds === 0) return { words, env: agentEnvironment };
  return { words: withClock(disk, words), env: { ...agentEnvironment, ...clockOf(skewSeconds, clockLibrary) } };
}

/** Files through which MariaDB gets the clock, too. The agent starts it with an environment of its own. */
export async function writeClock(disk: string, skewSeconds: number, library: string | undefined): Promise<void> {
  if (skewSeconds === 0) return;
  const variables = Object.entries(clockOf(skewSeconds, library)).map(([name, value]) => `${name}='${value}'`);
  const { folder, real, wrapper } = clockFiles(disk);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await writeFile(real, '');
  await writeFile(wrapper, `#!/bin/sh\nexport ${variables.join(' ')}\nexec '${real}' "$@"\n`);
  await chmod(wrapper, 0o755);
}

/** Runs in a separate mount namespace, whose mariadbd has the shifted clock. */
function withClock(disk: string, words: readonly string[]): readonly string[] {
  const { real, wrapper } = clockFiles(disk);
  const script = `mount --bind ${server} "$0" && mount --bind "$1" ${server} && shift && exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script, real, wrapper, ...words];
}

function clockFiles(disk: string) {
  const folder = join(disk, 'clock');
  return { folder, real: join(folder, 'mariadbd'), wrapper: join(folder, 'start') };
}

function clockOf(skewSeconds: number, library: string | undefined): Readonly<Record<string, string>> {
  return clockVariables(library, { FAKETIME: `${clockOffset(skewSeconds)}s` });
}
