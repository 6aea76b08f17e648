// A released version beside this one: its files, with its own packages, and its commands as processes.
import { execFile } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FirstAccounts } from '../../compose/first-accounts.ts';
import type { Settings } from '../../measure/whole-system.ts';

const run = promisify(execFile);
export const thisFolder = fileURLToPath(new URL('../..', import.meta.url));
/** Released versions from which an upgrade is proved, and their commits in the history of this clone. */
const commits: Readonly<Record<string, string>> = { '0.2.0': 'b5a85293' };
const installMs = 600_000;
const commandMs = 120_000;

/** The folder of the version, which is made once and kept in the user's cache. Throws if the clone has no history. */
export async function releaseFolder(version: string, progress: (line: string) => void): Promise<string> {
  const commit = commits[version];
  if (commit === undefined) throw new Error(`there is no commit for ${version}: add it to ${import.meta.filename}`);
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'tidegate', 'releases', version);
  const isWhole = join(folder, '.installed');
  if (await isThere(isWhole)) return folder;
  progress(`${version} is installed in ${folder}`);
  await mkdir(folder, { recursive: true });
  await run('sh', ['-c', `git -C "$1" archive ${commit} | tar -x -C "$2"`, 'sh', thisFolder, folder], {
    timeout: commandMs,
  });
  await run(process.execPath, ['bin/boot.mjs', '--server'], { cwd: folder, timeout: installMs });
  await writeFile(isWhole, '');
  return folder;
}

export function tidegate(folder: string, ...args: readonly string[]): Promise<string> {
  const options = { timeout: commandMs, env: { ...process.env, NODE_ENV: 'production' } };
  return run(process.execPath, [join(folder, 'bin/tidegate.ts'), ...args], options).then(({ stdout }) => stdout);
}

/** Tables and first accounts by the program in `release`. */
export async function firstStartOf(
  release: string,
  roles: readonly string[],
  common: Settings,
  folder: string,
): Promise<FirstAccounts> {
  const settings = join(folder, 'first-start.json');
  const texts = Object.fromEntries(Object.entries(common).map(([name, value]) => [name, String(value)]));
  await writeFile(settings, JSON.stringify({ ...texts, roles: roles.join() }), { mode: 0o600 });
  await tidegate(release, 'migrate', '--config', settings);
  const program = fileURLToPath(new URL('first-start.ts', import.meta.url));
  const { stdout } = await run(process.execPath, [program, release, settings, folder], { timeout: commandMs });
  return JSON.parse(stdout) as FirstAccounts;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
