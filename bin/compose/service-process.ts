// `up` as root: hands the data folder over to the service account, starts another `up` as that account, which listens and runs
// MariaDB and Redis, and keeps the lab for it. It does not listen itself; each of the two processes ends with the other.
import { type ChildProcess, spawn } from 'node:child_process';
import { lchown, mkdir, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pathExists } from '../../embedded/find-program.ts';
import { handOverDataFolder } from '../../embedded/hand-over.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { accountFlags, closedParent, serviceAccount } from '../../embedded/service-account.ts';
import { SetupError } from '../../embedded/setup-error.ts';
import { labFolder, plainLabFolder } from '../../lab/folders.ts';
import { LabKeeper } from '../../lab/keeper.ts';
import { LabHere } from '../../lab/lab-source.ts';
import { runsAsRoot } from '../../lab/parts.ts';
import { CommandFailure, SilentFailure } from '../cli/failures.ts';
import type { Surroundings } from '../cli/verb.ts';
import type { UpOrder } from './up-order.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const uncover = join(import.meta.dirname, 'uncover.sh');
/** The first descriptor after standard input, output and error. */
const keeperDescriptor = 3;

/** The code that it runs, which others must be able to read; one file or folder for each way of creating them. */
const code = [
  ...['bin/tidegate.ts', 'platform/config.ts', 'generated/prisma', 'generated/graph', 'dashboard/dist'],
  ...['node_modules', 'node_modules/commander/package.json'],
];

export interface ServiceProcessOptions extends Surroundings, UpOrder {}

/** Resolves when it has ended normally; otherwise throws CommandFailure or SilentFailure. */
export async function startServiceProcess(options: ServiceProcessOptions): Promise<void> {
  try {
    const folder = await handOverDataFolder(options.dataPath, labFolder);
    try {
      const enter = await findWay(folder.path, options);
      await runUntilEnded(options, folder.path, enter, await compileCache());
    } finally {
      await folder.removeUnused();
    }
  } catch (error) {
    throw error instanceof SetupError ? new CommandFailure(error.message) : error;
  }
}

/** The prefix of a command for the account, if the account can then reach and read what it needs. Throws SetupError. */
async function findWay(dataPath: string, { file, env }: ServiceProcessOptions): Promise<string[]> {
  const settings = file ?? env.TIDEGATE_CONFIG;
  const folders = [await realpath(checkout), dataPath, dirname(await realpath(process.execPath))];
  const needed =
    settings === undefined ? folders : [...folders, await realpath(settings).catch(() => resolve(settings))];
  const uncovering = await uncoveringWords(needed);
  const read = [...needed, ...code.map((path) => join(checkout, path))];
  const there = [];
  for (const path of read) if (await pathExists(path)) there.push(path);
  let last = '';
  for (const mayUseLowPorts of [true, false]) {
    const enter = [...uncovering, 'setpriv', '--pdeathsig', 'KILL', ...accountFlags({ mayUseLowPorts }), '--'];
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

/** Empty if the account can pass all parent folders. */
async function uncoveringWords(paths: readonly string[]): Promise<string[]> {
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

/** A folder of the account's own for Node's compile cache: root must not run code that the account has written. */
async function compileCache(): Promise<string> {
  const path = join(checkout, 'generated', `compile-cache-${serviceAccount.uid}`);
  await mkdir(path).then(
    () => lchown(path, serviceAccount.uid, serviceAccount.gid),
    () => {},
  );
  return path;
}

async function runUntilEnded(
  options: ServiceProcessOptions,
  dataPath: string,
  enter: readonly string[],
  cache: string,
): Promise<void> {
  const { signal, env } = options;
  signal.throwIfAborted();
  const [command = '', ...rest] = [...enter, process.execPath, join(checkout, 'bin', 'tidegate.ts')];
  // A separate session: this process forwards a Ctrl-C on the terminal, and the child can't write to root's
  // terminal like a keyboard.
  const child = spawn(command, [...rest, ...upArguments(options, dataPath)], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: {
      ...{ ...env, HOME: dataPath, XDG_CACHE_HOME: join(dataPath, plainLabFolder, 'cache') },
      ...{ NODE_COMPILE_CACHE: cache, LAB_KEEPER_FD: String(keeperDescriptor) },
    },
  });
  const keeper = new LabKeeper(child.stdio[keeperDescriptor] as Duplex, new LabHere(dataPath, signal), (name) =>
    runsAsRoot(name, true),
  );
  const pass = () => child.kill('SIGTERM');
  signal.addEventListener('abort', pass, { once: true });
  try {
    const ended = await endOf(child);
    if (ended.signal !== null && !signal.aborted)
      throw new CommandFailure(`the process that served requests was ended by ${ended.signal}`);
    if (ended.signal === null && ended.code !== 0) throw new SilentFailure(ended.code ?? 1);
  } finally {
    signal.removeEventListener('abort', pass);
    await keeper.end();
  }
}

function upArguments({ withLab, labParts, port, host, file, level }: UpOrder, dataPath: string): string[] {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [`--${name}`, value]);
  return [
    ...['up', '--data', dataPath, ...(withLab ? [] : ['--no-lab'])],
    ...option('lab', labParts?.join(',')),
    ...option('port', port),
    ...option('host', host),
    ...option('config', file),
    ...option('log-level', level),
  ];
}

function endOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => done({ code, signal }));
  });
}
