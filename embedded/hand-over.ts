// Root's part in a data folder for the service account: the account owns everything in it, but root owns the folder itself.

import { chmod, chown, lstat, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createFolder, handedOverMode, refuseForeignFolder, unwritable } from './data-folder.ts';
import { pathExists } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { serviceAccount } from './service-account.ts';
import { SetupError, systemErrorCode } from './setup-error.ts';

interface HandedOver {
  /** Real path. */
  readonly path: string;
  /** Removes the folder if it was created for this and nothing was written into it. */
  removeUnused(): Promise<void>;
}

/**
 * Creates the folder if it is missing, and hands its content over, except `kept`, a folder in it that root owns. It has the
 * sticky bit and the account's group (mode 1770), so that the account can create files there but neither rename nor remove
 * root's: root never follows a path that the account could have created. Once that is done, nothing in it is changed again.
 *
 * @throws SetupError DATA_FOLDER_UNWRITABLE or DATA_FOLDER_FOREIGN
 */
export async function handOverDataFolder(asked: string, kept: string): Promise<HandedOver> {
  const wasThere = await pathExists(resolve(asked));
  const path = await createFolder(resolve(asked));
  await refuseForeignFolder(path);
  try {
    const isDone = await isHandedOver(path);
    if (!isDone) {
      // Closed during the hand-over; the final mode marks it as complete.
      await chown(path, 0, 0);
      await chmod(path, 0o700);
    }
    await keep(join(path, kept));
    if (!isDone) {
      for (const name of await readdir(path)) if (name !== kept) await handOver(join(path, name));
      await chown(path, 0, serviceAccount.gid);
      await chmod(path, handedOverMode);
    }
  } catch (error) {
    throw unwritable(path, error);
  }
  return {
    path,
    async removeUnused() {
      if (wasThere) return;
      await rmdir(join(path, kept)).catch(() => {});
      await rmdir(path).catch(() => {});
    },
  };
}

async function isHandedOver(path: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(path);
  return uid === 0 && gid === serviceAccount.gid && (mode & 0o7777) === handedOverMode;
}

/** Created before the account can create something with that name. */
async function keep(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (found.isDirectory() && found.uid === 0) return;
  throw new SetupError(
    'DATA_FOLDER_FOREIGN',
    `${path} is not a folder of root, so what is in it can't be trusted. Remove it, then start again.`,
  );
}

/** chown(1) uses descriptors and follows no links. */
async function handOver(path: string): Promise<void> {
  const owner = `${serviceAccount.uid}:${serviceAccount.gid}`;
  const result = await runProgram('chown', ['--recursive', '--no-dereference', '-P', owner, path]);
  if (result.exitCode !== 0) throw new Error(`chown of ${path} failed: ${result.stderr.trim()}`);
}
