// Checks whether a folder can be written. After a disk error, a file system is often remounted read-only, and everything that only
// reads continues to work.
import { accessSync, constants } from 'node:fs';

/**
 * Why nothing can be written there. Returns undefined if writing is possible. Other reasons, such as missing rights of another
 * account, are no evidence about the disk.
 */
export function readOnlyFault(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EROFS') return undefined;
    return `the file system of ${path} is read-only: look for errors of its disk, then mount it again`;
  }
}

/** Throws while the folder's file system is read-only. */
export function mustBeWritable(path: string): undefined {
  const fault = readOnlyFault(path);
  if (fault !== undefined) throw new Error(fault);
  return undefined;
}
