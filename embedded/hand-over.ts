// Root's part in a data folder that the service account uses: everything in it is the account's, but the folder itself stays root's.

import { chmod, chown, lstat, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createFolder, handedOverMode, refuseForeignFolder, unwritable } from './data-folder.ts';
import { pathExists } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { serviceAccount } from './service-account.ts';
import { SetupError, systemErrorCode } from './setup-error.ts';

export interface HandedOver {
  /** Real path. */
  readonly path: string;
  /** Removes the folder if it was made for this and no one wrote into it. */
  removeUnused(): Promise<void>;
}

/**
 * Makes the folder if it is missing, and hands over what is in it, but for `kept`, a folder in it that is and stays root's. It has the
 * sticky bit and the account's group (mode 1770), so that the account can make files there and neither rename nor remove what is
 * root's: root never walks a path that the account could have put in place. Once that is so, nothing in it is touched again.
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
      // Closed while it changes hands; the final mode is the mark that all was done.
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

/** Made before the account can make something of that name. */
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

/** chown(1) goes by descriptors and follows no links. */
async function handOver(path: string): Promise<void> {
  const owner = `${serviceAccount.uid}:${serviceAccount.gid}`;
  const result = await runProgram('chown', ['--recursive', '--no-dereference', '-P', owner, path]);
  if (result.exitCode !== 0) throw new Error(`chown of ${path} failed: ${result.stderr.trim()}`);
}
