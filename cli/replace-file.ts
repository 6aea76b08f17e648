// Writes a file that appears, or is replaced, only when it is complete. Readers never see a partial file, even after a failure or Ctrl-C.
import { chmod, chown, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Limit of nested links, the same as the system's. */
const mostLinks = 40;

/**
 * `write` creates the file at the path that it is given, which must not exist (flag `wx`), and throws if it is not complete. A replaced file keeps
 * its permissions, and its owner if this process may change owners. A link stays, and its target is replaced. A device or a pipe is written directly.
 * Throws errors of the file system.
 */
export async function replaceFile(
  path: string,
  write: (partial: string, flags: 'w' | 'wx') => Promise<void>,
): Promise<void> {
  const before = await stat(path).catch(() => undefined);
  if (before !== undefined && !before.isFile()) return write(path, 'w');
  const target = before === undefined ? await behindLinks(path) : await realpath(path);
  const partial = `${target}.${process.pid}.partial`;
  // The remains of an earlier process with the same id.
  await rm(partial, { force: true });
  try {
    await write(partial, 'wx');
    if (before !== undefined) {
      await chown(partial, before.uid, before.gid).catch(() => undefined);
      await chmod(partial, before.mode & 0o777);
    }
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** The missing file to which a link may point. */
async function behindLinks(path: string): Promise<string> {
  let place = path;
  for (let count = 0; count < mostLinks; count += 1) {
    const next = await readlink(place).catch(() => undefined);
    if (next === undefined) return place;
    place = resolve(dirname(place), next);
  }
  // Throws ELOOP.
  await stat(path);
  return place;
}
