// The data folder of an all-in-one run: one owner at a time, one format version, and paths short enough for unix sockets. The
// lock is flock(2) on a descriptor that only this process has, so it ends with the process in any case.

import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rmdir,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathExists } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { closedParent, type ServiceUser, serviceAccount } from './service-account.ts';
import { SetupError, systemErrorCode } from './setup-error.ts';

/** Longest socket path on Linux: `sockaddr_un.sun_path` is 108 bytes with its final zero, unix(7). */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Space reserved for the name of a socket inside the socket folder. */
const SOCKET_NAME_BYTES = 24;

/** For a folder that root owns and the service account works in (hand-over.ts): sticky, for owner and group. */
export const handedOverMode = 0o1770;

const LOCK_TAKEN = 75;

/** The space that a first start writes (the redo log alone has 32 MiB), and a later one. */
const leastFreeAtFirstBytes = 192 * 1024 * 1024;
const leastFreeBytes = 16 * 1024 * 1024;

export interface DataFolder {
  /** Real path of the folder. */
  readonly path: string;
  /** The version before this opening, or undefined when the folder is new. */
  readonly previousVersion: number | undefined;
  /** Folder for sockets: `run/` in the folder, or a short folder elsewhere when that path would be too long. */
  readonly socketFolder: string;
  /** User of the embedded servers; undefined means the owner of this process. */
  readonly serviceUser: ServiceUser | undefined;
  /** Path of a socket by its name (at most 24 bytes). */
  socketPath(name: string): string;
  /** Creates (if missing) and returns a subfolder that only the owner, or with `forService` the servers, can enter. */
  subfolder(name: string, options?: { forService?: boolean }): Promise<string>;
  /** A random value kept in a 0600 file under `secrets/`, made on first use. */
  secret(name: string): Promise<string>;
  /** Releases the lock. The files stay; a socket folder elsewhere is removed when it is empty. */
  close(): Promise<void>;
}

/**
 * Opens the folder for this process alone, creating it with mode 0700 when it is missing. As root, and if others can pass every
 * parent, it is 0710 with the service group instead, so that the servers needn't run as root.
 *
 * @throws SetupError DATA_FOLDER_UNWRITABLE, DATA_FOLDER_IN_USE, DATA_FOLDER_NEWER, DATA_FOLDER_FOREIGN,
 *   DISK_FULL,
 *   SOCKET_PATH_TOO_LONG or PROGRAM_MISSING
 */
export async function openDataFolder(path: string, options: { version: number }): Promise<DataFolder> {
  const asked = resolve(path);
  const folder = await createFolder(asked);
  await refuseForeignFolder(folder);
  const lock = await takeLock(folder);
  try {
    await refuseFullDisk(folder);
    const previousVersion = await checkVersion(folder, options.version);
    const serviceUser = await chooseServiceUser(folder);
    const socketFolder = await chooseSocketFolder(folder, serviceUser);
    return new OpenDataFolder({ path: folder, previousVersion, serviceUser, socketFolder, lock });
  } catch (error) {
    closeSync(lock);
    throw unwritable(folder, error);
  }
}

class OpenDataFolder implements DataFolder {
  readonly path: string;
  readonly previousVersion: number | undefined;
  readonly serviceUser: ServiceUser | undefined;
  readonly socketFolder: string;
  #lock: number | undefined;

  constructor(dependencies: {
    path: string;
    previousVersion: number | undefined;
    serviceUser: ServiceUser | undefined;
    socketFolder: string;
    lock: number;
  }) {
    this.path = dependencies.path;
    this.previousVersion = dependencies.previousVersion;
    this.serviceUser = dependencies.serviceUser;
    this.socketFolder = dependencies.socketFolder;
    this.#lock = dependencies.lock;
  }

  socketPath(name: string): string {
    if (Buffer.byteLength(name) > SOCKET_NAME_BYTES) {
      throw new SetupError('SOCKET_PATH_TOO_LONG', `Socket name "${name}" is longer than ${SOCKET_NAME_BYTES} bytes.`);
    }
    return join(this.socketFolder, name);
  }

  async subfolder(name: string, options: { forService?: boolean } = {}): Promise<string> {
    const path = join(this.path, name);
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      if (options.forService === true) await giveToService(path, this.serviceUser);
      return path;
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  async secret(name: string): Promise<string> {
    const path = join(await this.subfolder('secrets'), name);
    const kept = await readFile(path, 'utf8').catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') return '';
      throw error;
    });
    if (kept.trim() !== '') return kept.trim();
    const made = randomBytes(24).toString('base64url');
    await writeDurably(path, `${made}\n`);
    return made;
  }

  async close(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    if (lock === undefined) return;
    // A socket folder elsewhere is removed too, unless it has content.
    if (dirname(this.socketFolder) !== this.path) await rmdir(this.socketFolder).catch(() => {});
    closeSync(lock);
  }
}

/** Creates the missing parts of the path, and returns its real path. Throws SetupError. */
export async function createFolder(asked: string): Promise<string> {
  try {
    await makeFolders(asked);
    return await realpath(asked);
  } catch (error) {
    throw unwritable(asked, error);
  }
}

/** Not mkdir's `recursive`: that never ends where a parent exists but refuses with ENOENT, as /proc does. */
async function makeFolders(path: string): Promise<void> {
  const missing: string[] = [];
  let next = path;
  while (!(await pathExists(next)) && dirname(next) !== next) {
    missing.unshift(next);
    next = dirname(next);
  }
  for (const folder of missing) await mkdir(folder, { mode: folder === path ? 0o700 : 0o755 });
  if (!(await stat(path)).isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'EEXIST' });
}

/** A typing error in `--data` must not turn another folder into a data folder. */
export async function refuseForeignFolder(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    throw unwritable(folder, error);
  });
  // Left by a start that was stopped early.
  const early = ['lock', 'lab'];
  const ours = entries.includes('version') || entries.every((entry) => early.includes(entry));
  if (ours) return;
  throw new SetupError(
    'DATA_FOLDER_FOREIGN',
    `The folder ${folder} holds files but is not a data folder of Tidegate (it has no file "version"). ` +
      'Name an empty or new folder with --data DIR.',
  );
}

/** A plain descriptor: the garbage collector would close, and so unlock, a FileHandle without references. */
async function takeLock(folder: string): Promise<number> {
  const lock = openLock(folder);
  try {
    const exitCode = await flockDescriptor(lock);
    if (exitCode === LOCK_TAKEN) throw await inUse(folder);
    if (exitCode !== 0) {
      throw new SetupError(
        'DATA_FOLDER_UNWRITABLE',
        `The data folder ${folder} can't be locked (flock ended with ${exitCode}). Use a folder on a local file system.`,
      );
    }
    ftruncateSync(lock, 0);
    writeSync(lock, `${process.pid}\n`);
    return lock;
  } catch (error) {
    closeSync(lock);
    throw unwritable(folder, error);
  }
}

function openLock(folder: string): number {
  const path = join(folder, 'lock');
  try {
    return openSync(path, constants.O_RDWR);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw unwritable(folder, error);
  }
  try {
    // Only if it is missing: with `fs.protected_regular` root may not open another user's file in a sticky folder with the flag
    // to create it.
    return openSync(path, 'a+', 0o600);
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/**
 * Locks the open file behind the descriptor. flock(2) locks belong to the open file description, so the lock that the
 * helper takes on its inherited copy stays with this process after the helper has ended.
 */
function flockDescriptor(fd: number): Promise<number | null> {
  return new Promise((resolveExit, reject) => {
    const child = spawn('flock', ['--nonblock', '--conflict-exit-code', String(LOCK_TAKEN), '3'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
    });
    child.once('error', (error) =>
      reject(
        new SetupError('PROGRAM_MISSING', 'The program "flock" is missing. Install the package util-linux.', {
          cause: error,
        }),
      ),
    );
    child.once('exit', (code) => resolveExit(code));
  });
}

/** MariaDB would wait for space without an error. */
async function refuseFullDisk(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const neededBytes = (await pathExists(join(folder, 'version'))) ? leastFreeBytes : leastFreeAtFirstBytes;
  if (bavail * bsize >= neededBytes) return;
  const [free, needed] = [bavail * bsize, neededBytes].map((bytes) => Math.floor(bytes / 1024 / 1024));
  throw new SetupError(
    'DISK_FULL',
    `The disk of the data folder ${folder} has ${free} MiB free, and a start needs ${needed} MiB. ` +
      'Free some space, or name another folder with --data DIR.',
  );
}

async function inUse(folder: string): Promise<SetupError> {
  const owner = (await readFile(join(folder, 'lock'), 'utf8').catch(() => '')).trim();
  const who = /^\d+$/.test(owner) ? `process ${owner}` : 'another process';
  return new SetupError(
    'DATA_FOLDER_IN_USE',
    `The data folder ${folder} is in use by ${who}. Stop it first, or name another folder with --data DIR.`,
  );
}

async function checkVersion(folder: string, version: number): Promise<number | undefined> {
  const path = join(folder, 'version');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  const found = text === undefined || text.trim() === '' ? undefined : Number(text.trim());
  if (found !== undefined && !Number.isSafeInteger(found)) {
    throw new SetupError(
      'DATA_FOLDER_FOREIGN',
      `The file ${path} holds "${text?.trim().slice(0, 40)}" instead of a version number. Name another folder with --data DIR.`,
    );
  }
  if (found !== undefined && found > version) {
    throw new SetupError(
      'DATA_FOLDER_NEWER',
      `The data folder ${folder} has version ${found}, and this Tidegate supports versions up to ${version}. ` +
        'Start the newer Tidegate that wrote it, or name another folder with --data DIR.',
    );
  }
  if (found !== version) await writeDurably(path, `${version}\n`);
  return found;
}

/** As root, the servers get a separate user if that user can reach the folder. */
async function chooseServiceUser(folder: string): Promise<ServiceUser | undefined> {
  if (process.getuid?.() !== 0) {
    if (!(await isHandedOverToUs(folder))) await chmod(folder, 0o700);
    return undefined;
  }
  const user = serviceAccount;
  try {
    await chown(folder, 0, user.gid);
    await chmod(folder, 0o710);
    const id = String(user.uid);
    const probe = await runProgram('setpriv', ['--reuid', id, '--regid', id, '--clear-groups', 'test', '-x', folder]);
    if (probe.exitCode === 0) return user;
  } catch (error) {
    if (systemErrorCode(error) === 'EROFS') throw error;
    // No setpriv, or a file system without owners: the servers then run as root.
  }
  await chown(folder, 0, 0);
  await chmod(folder, 0o700);
  return undefined;
}

/** Root owns the folder, and this process owns its content. */
async function isHandedOverToUs(folder: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(folder);
  return uid === 0 && gid === process.getgid?.() && (mode & 0o7777) === handedOverMode;
}

async function chooseSocketFolder(folder: string, serviceUser: ServiceUser | undefined): Promise<string> {
  const candidates = socketFolders(folder);
  for (const candidate of candidates) if (await makePrivateFolder(candidate, serviceUser)) return candidate;
  throw new SetupError(
    'SOCKET_PATH_TOO_LONG',
    `The path of the data folder ${folder} is too long for unix sockets (at most ${MAX_SOCKET_PATH_BYTES} bytes), ` +
      `and none of ${candidates.join(', ')} could be made. Name a shorter folder with --data DIR.`,
  );
}

/** Where its sockets may be, the first choice first. `folder`: its real path. */
export function socketFolders(folder: string): readonly string[] {
  const uid = process.getuid?.() ?? 0;
  const key = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const elsewhere =
    uid === 0
      ? [`/run/tidegate-${key}`, `/tmp/tidegate-${key}`]
      : [`/run/user/${uid}/tidegate-${key}`, `/tmp/tidegate-${uid}-${key}`];
  const fits = (each: string) => Buffer.byteLength(each) + 1 + SOCKET_NAME_BYTES <= MAX_SOCKET_PATH_BYTES;
  return [join(folder, 'run'), ...elsewhere].filter(fits);
}

/** The user of the servers in a folder that root opens, as far as paths tell. */
export async function serviceUserIn(folder: string): Promise<ServiceUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await closedParent(folder)) === undefined ? serviceAccount : undefined;
}

/** Creates or adopts a folder that no other user can have prepared; false if that is not possible there. */
async function makePrivateFolder(path: string, serviceUser: ServiceUser | undefined): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') return false;
  }
  const found = await lstat(path).catch(() => undefined);
  const owners = [process.getuid?.() ?? 0, serviceUser?.uid, process.getuid?.() === 0 ? serviceAccount.uid : undefined];
  if (found === undefined || !found.isDirectory() || !owners.includes(found.uid)) return false;
  await giveToService(path, serviceUser);
  await chmod(path, 0o700);
  return true;
}

/** Gives a folder and its content to the service user (or back to root) when it has another owner. */
async function giveToService(path: string, user: ServiceUser | undefined): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const uid = user?.uid ?? 0;
  const found = await stat(path);
  if (found.uid === uid) return;
  const result = await runProgram('chown', ['--recursive', '--no-dereference', `${uid}:${user?.gid ?? 0}`, path]);
  if (result.exitCode !== 0) throw new Error(`chown of ${path} failed: ${result.stderr.trim()}`);
}

async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, text, { mode: 0o600, flush: true });
  await rename(temporary, path);
}

const UNWRITABLE_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its disk is full, or has no free inode',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EEXIST: 'it is a file, not a folder',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its path is a loop of symbolic links',
  ENOENT: 'a part of its path does not exist and could not be made',
};

/** A system error that a person can correct as a SetupError; any other error unchanged. */
export function unwritable(path: string, error: unknown): unknown {
  const reason = UNWRITABLE_REASONS[systemErrorCode(error) ?? ''];
  if (error instanceof SetupError || reason === undefined) return error;
  return new SetupError(
    'DATA_FOLDER_UNWRITABLE',
    `The data folder ${path} can't be used: ${reason}. Name a folder of your own with --data DIR.`,
    { cause: error },
  );
}
