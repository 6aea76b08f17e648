// The file system of a node's programs: programs and libraries of the machine, read-only, and the node's own folder. Nothing else. The
// folders are created here, empty; the first process of each program mounts them in its own namespace.
import { chmod, chown, lstat, mkdir, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rootOf } from '../../../rules/haproxy/node-places.ts';
import { writePrivate } from '../node-files.ts';

/** Folders with programs and libraries: each is a folder, or a link to one below /usr (file-hierarchy(7)). */
const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** Read by the dynamic linker, the C library and OpenSSL. */
const systemFiles = ['/etc/ld.so.cache', '/etc/localtime', '/etc/ssl/openssl.cnf'];
const devices = ['/dev/null', '/dev/urandom'];
/** Name of the node's user and group, as seen by its own programs. */
export const accountName = 'node';
const readOnly = 'bind,ro,nosuid,nodev';

/** Creates missing folders and files. `programs`: real paths, which may be outside the machine's usual folders. */
export async function makeRoot(folder: string, uid: number, programs: readonly string[]): Promise<void> {
  const { root, mounts, empty, keepalived } = rootOf(folder);
  await makeFolder(empty, 0o555);
  await makeFolder(keepalived, 0o750);
  await chown(keepalived, 0, uid);
  await makeFolder(root, 0o755);
  const shown: string[] = [];
  for (const path of [...systemFolders, ...programs.map((program) => dirname(program))]) {
    const isShown = shown.some((each) => `${path}/`.startsWith(`${each}/`));
    if (!isShown && (await mirrorFolder(root, path))) shown.push(path);
  }
  const files: string[] = [];
  for (const path of systemFiles) if (await mirrorFile(root, path)) files.push(path);
  for (const path of devices) await mirrorFile(root, path);
  for (const path of ['/old', '/proc', '/run', folder, keepalived]) await makeFolders(root, path);
  // Keepalived's script needs a user by name.
  await writePublic(
    join(root, 'etc/passwd'),
    `root:x:0:0::/:/bin/false\n${accountName}:x:${uid}:${uid}::/:/bin/false\n`,
  );
  await writePublic(join(root, 'etc/group'), `root:x:0:\n${accountName}:x:${uid}:\n`);
  const data = 'nosuid,nodev,noexec';
  const common = [
    [root, root, 'none', readOnly],
    ...[...shown, ...files].map((path) => [path, root + path, 'none', readOnly]),
    ...devices.map((path) => [path, root + path, 'none', 'bind']),
    // Shows only its own processes, and no kernel settings.
    ['proc', `${root}/proc`, 'proc', `ro,${data},subset=pid`],
  ];
  const own = ['tmpfs', `${root}/run`, 'tmpfs', `${data},size=64k,mode=0700,uid=${uid},gid=${uid}`];
  const ofHaproxy = [folder, root + folder, 'none', `bind,${data}`];
  const ofKeepalived = [keepalived, root + keepalived, 'none', `bind,ro,${data}`];
  await writePrivate(mounts.HAPROXY, tableOf([...common, ofHaproxy]));
  await writePrivate(mounts.KEEPALIVED, tableOf([...common, ofKeepalived, own]));
}

/** Returns true for a folder of the machine. A link is copied into the root instead. */
async function mirrorFolder(root: string, path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink()) await symlink(await readlink(path), root + path).catch(unlessThere);
  else if (found !== undefined) await makeFolders(root, path);
  return found?.isDirectory() ?? false;
}

async function mirrorFile(root: string, path: string): Promise<boolean> {
  if (!(await stat(path).catch(() => undefined))) return false;
  await makeFolders(root, dirname(path));
  await writeFile(root + path, '', { flag: 'wx' }).catch(unlessThere);
  return true;
}

async function makeFolders(root: string, path: string): Promise<void> {
  let place = root;
  for (const name of path.split('/').filter((each) => each !== '')) {
    place = join(place, name);
    await makeFolder(place, 0o755);
  }
}

/** With this mode, whatever the process's umask. */
async function makeFolder(path: string, mode: number): Promise<void> {
  await mkdir(path).catch(unlessThere);
  await chmod(path, mode);
}

async function writePublic(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o644);
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** Lines of fstab(5), with spaces and backslashes in names escaped. */
function tableOf(lines: readonly (readonly string[])[]): string {
  const escaped = (text: string) =>
    text.replaceAll(/[\\\s]/g, (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return lines.map((line) => `${line.map(escaped).join(' ')} 0 0\n`).join('');
}
