// A key file on disk: JSON that only its owner may read, replaced as a whole, so that a concurrent reader sees the old one or the
// new one.
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

/** The name of a key in its file. */
export const keyIdPattern = /^[a-z0-9-]{1,32}$/;

export async function readKeyFile<Shape extends z.ZodType>(path: string, shape: Shape): Promise<z.output<Shape>> {
  await requirePrivate(path);
  return parseKeyFile(path, shape);
}

/** The text of a file that only its owner may read. Throws when others may read it. */
export async function readPrivateFile(path: string): Promise<string> {
  await requirePrivate(path);
  return readFile(path, 'utf8');
}

async function requirePrivate(path: string): Promise<void> {
  const mode = (await stat(path)).mode & 0o077;
  if (mode !== 0) throw new Error(`key file ${path} is readable by others: run chmod 600 ${path}`);
}

/** The same for a file without secrets, which everyone may read. */
export async function parseKeyFile<Shape extends z.ZodType>(path: string, shape: Shape): Promise<z.output<Shape>> {
  const refused = (reason: string) => new Error(`key file ${path} is not valid: ${reason}`);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    // The parser's own message would show the text.
    if (error instanceof SyntaxError) throw refused('it is not JSON');
    throw error;
  }
  const parsed = shape.safeParse(content);
  if (!parsed.success) throw refused(z.prettifyError(parsed.error));
  return parsed.data;
}

/** `mode`: permission bits of the file. Default: only its owner may read it. */
export function writeKeyFile(path: string, content: object, mode?: number): Promise<void> {
  return writeWhole(path, `${JSON.stringify(content, null, 2)}\n`, mode);
}

/** User and group of a file. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Number of the last file that this process wrote: two writes of one file at once have two temporary files. */
let written = 0;

/**
 * Replaces a file as a whole. `mode`: as above. Root gives the file to `owner`, otherwise to the owner of the previous file or of
 * the folder, so that its reader need not be root.
 */
export async function writeWhole(path: string, text: string, mode = 0o600, owner?: FileOwner): Promise<void> {
  written += 1;
  const temporary = `${path}.${process.pid}-${written}.new`;
  const given = process.getuid?.() === 0 ? (owner ?? (await ownerOf(path))) : undefined;
  // Left by a process that had the same number, as in a container, and was killed.
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', mode);
  try {
    try {
      await handle.writeFile(text);
      if (given !== undefined && (owner !== undefined || given.uid !== 0)) await handle.chown(given.uid, given.gid);
      // open(2) removes the bits of the umask.
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // On a full disk, for example.
    await rm(temporary, { force: true });
    throw error;
  }
}

async function ownerOf(path: string): Promise<FileOwner> {
  const { uid, gid } = await stat(path).catch(() => stat(dirname(path)));
  return { uid, gid };
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

/**
 * k1, k2, …: the one after the highest. The id of a removed key never comes back: a process that has not read the files since its removal would
 * seem to know the new key.
 */
export function newKeyId(existing: readonly string[]): string {
  const ids = new Set(existing);
  const numbers = [...ids].map((id) => Number(/^k(\d+)$/.exec(id)?.[1] ?? 0));
  return `k${Math.max(ids.size, ...numbers) + 1}`;
}

export function fileExists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}
