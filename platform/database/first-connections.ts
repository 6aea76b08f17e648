// The first connections of a process. On a busy machine one may take longer than a request may wait for it: a start goes on trying, unless
// the database refuses.

import { createConnection } from 'mariadb';
import { isSlowToOpen } from '../errors/database-errors.ts';
import type { Database } from './database.ts';
import { connectionOptions, type DatabaseLocation } from './server-pools.ts';

/** Throws what the database refused; the reason of `signal` when that is aborted. */
export async function connectFirst(db: Pick<Database, 'connect'>, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await db.connect();
    } catch (error) {
      if (!isSlowToOpen(error)) throw error;
      signal.throwIfAborted();
    }
  }
}

/** Connects once and ends. Rejects with the server's own reason, which a pool hides behind its timeout. */
export async function probeServer(location: DatabaseLocation): Promise<void> {
  const connection = await createConnection(connectionOptions(location));
  await connection.end();
}
