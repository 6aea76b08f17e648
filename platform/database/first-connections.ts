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

/** MariaDB's default. The server closes a connection on which a longer statement comes, which looks like a lost one. */
const leastPacketBytes = 16 * 1024 * 1024;

/** Undefined if the server takes statements of every size that is sent. */
export function packetFault(maxAllowedPacket: number | bigint): { wrong: string; mend: string } | undefined {
  if (Number(maxAllowedPacket) >= leastPacketBytes) return undefined;
  return {
    wrong: `MariaDB has max_allowed_packet = ${maxAllowedPacket}, and closes connections on which longer statements come`,
    mend: `SET GLOBAL max_allowed_packet = ${leastPacketBytes}, also in the server's settings`,
  };
}

export async function readPacketFault(db: Pick<Database, 'query'>): Promise<ReturnType<typeof packetFault>> {
  const [server] = await db.query<{ packet: bigint }>('SELECT @@global.max_allowed_packet AS packet', []);
  return server === undefined ? undefined : packetFault(server.packet);
}
