// Runs a command as the service account, without root's privileges, but with access to its files.
import { lchown, mkdir, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endsWithParent } from '../../embedded/ends-with-parent.ts';
import { pathExists } from '../../embedded/find-program.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { accountFlags, closedParent, serviceAccount } from '../../embedded/service-account.ts';
import { SetupError } from '../../embedded/setup-error.ts';

export const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const uncover = join(import.meta.dirname, 'uncover.sh');

/** The code that it runs, which others must be able to read, with one file or folder for each way of creating them. */
const code = [
  ...['bin/tidegate.ts', 'platform/process/config.ts', 'generated/prisma', 'generated/graph', 'dashboard/dist'],
  ...['node_modules', 'node_modules/commander/package.json'],
];

/**
 * Command prefix that switches to the account, if the account can reach and read its files. `dataPath`: the folder that it writes to. `settings`:
 * path of the settings. Throws SetupError.
 */
export async function wayToAccount(dataPath: string, settings: string | undefined): Promise<string[]> {
  const folders = [await realpath(checkout), dataPath, dirname(await realpath(process.execPath))];
  const needed =
    settings === undefined ? folders : [...folders, await realpath(settings).catch(() => resolve(settings))];
  const uncovering = await uncoveringWords(needed);
  const read = [...needed, ...code.map((path) => join(checkout, path))];
  const there = [];
  for (const path of read) if (await pathExists(path)) there.push(path);
  let last = '';
  for (const mayUseLowPorts of [true, false]) {
    const enter = [...uncovering, ...endsWithParent({ flags: accountFlags({ mayUseLowPorts }) })];
    const [command = '', ...rest] = enter;
    const script =
      'for path; do [ -r "$path" ] || { echo "$path"; exit 9; }; done; [ -w "$1" ] || { echo "$1"; exit 9; }';
    const tried = await runProgram(command, [...rest, 'sh', '-c', script, 'sh', dataPath, ...there]);
    if (tried.exitCode === 0) return enter;
    if (tried.exitCode === 9) throw notReadable(tried.stdout.trim());
    last = tried.stderr.trim();
  }
  throw new SetupError(
    'RIGHTS_NOT_DROPPED',
    `A process without rights can't be started here (${last}). To serve requests as root all the same, start with --as-root.`,
  );
}

function notReadable(path: string): SetupError {
  return new SetupError(
    'RIGHTS_NOT_DROPPED',
    `Requests are served by a process that runs as user ${serviceAccount.uid}, and it can't read ${path}. Let others read it ` +
      `(chmod -R o+rX ${path.startsWith(checkout) ? checkout : path}), or use --data or a checkout elsewhere; ` +
      'or start with --as-root, and root serves requests.',
  );
}

/** The command prefix that makes these paths reachable for the account. Empty if it can pass all their parent folders. */
export async function uncoveringWords(paths: readonly string[]): Promise<string[]> {
  const covers = new Set<string>();
  const kept: string[] = [];
  for (const path of paths) {
    const closed = await closedParent(path).catch(() => undefined);
    if (closed === undefined) continue;
    covers.add(closed);
    kept.push(path);
  }
  if (covers.size === 0) return [];
  const isInside = (path: string) => kept.some((other) => path.startsWith(`${other}/`));
  return [
    ...['unshare', '--mount', '--propagation', 'private', 'sh', uncover],
    ...[...covers].flatMap((folder) => ['--cover', folder]),
    ...[...new Set(kept)].filter((path) => !isInside(path)).flatMap((path) => ['--keep', path]),
    '--',
  ];
}

/** A separate folder for the account's Node compile cache, because root must not run code that the account has written. */
export async function accountCompileCache(): Promise<string> {
  const path = join(checkout, 'generated', `compile-cache-${serviceAccount.uid}`);
  await mkdir(path).then(
    () => lchown(path, serviceAccount.uid, serviceAccount.gid),
    () => {},
  );
  return path;
}
