// Tells a commit that waits for a lock of a backup or of an operator from one that waits for a disk.

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from './session.ts';

/**
 * State of a statement that waits for `BACKUP STAGE BLOCK_COMMIT` or `FLUSH TABLES WITH READ LOCK` (MariaDB, sql/mdl.cc, the namespace BACKUP).
 */
const lockState = 'Waiting for backup lock';

/** `waiting`: the number of the connection whose statement has not ended. Rejects if the server does not answer in time. */
export async function waitsForLock(session: Session, waiting: number | undefined, timeoutMs: number): Promise<boolean> {
  if (waiting === undefined) return false;
  const rows = await session.query<{ state: string | null }[]>(
    'SELECT state FROM information_schema.processlist WHERE id = ?',
    [waiting],
    timeoutMs,
  );
  return rows[0]?.state === lockState;
}

/** Resolves once the disk of that folder has stored something. */
export async function reachDisk(folder: string): Promise<void> {
  const file = await open(join(folder, 'disk-check'), 'w', 0o600);
  try {
    await file.write(`${process.pid}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
}
