// Makes a single machine's database the first of a pair, in place. Its binary log does not contain the existing data, so another host can't
// follow it from its beginning and starts with a copy.

import type { DataFolder } from '../../embedded/data-folder.ts';
import { APPLICATION_DATABASE, databasePath, hasDatabase, startMariadb } from '../../embedded/mariadb.ts';
import { SetupError } from '../../embedded/setup-error.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';

interface TakeOverOptions {
  readonly folder: DataFolder;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
  /** Whether there was a database when the cluster was started. If not, one is created. */
  readonly isThere: boolean;
}

/**
 * Resolves with the last epoch of the database, at which the cluster begins. It may be repeated until the first copy was made. Throws
 * SetupError.
 */
export async function takeOver({ folder, log, signal, isThere }: TakeOverOptions): Promise<number> {
  const path = databasePath(folder.path);
  if (isThere && !(await hasDatabase(path)))
    throw new SetupError(
      'DATABASE_GONE',
      `the database in ${path}, which was there at "tidegate ha init", is gone: mount its disk, then restart "tidegate ha agent"`,
    );
  const { createConnection } = await import('mariadb');
  const server = await startMariadb({ folder, log, binaryLog: true, signal });
  try {
    const connection = await createConnection({
      ...server.rootConnection,
      bigIntAsNumber: true,
      connectTimeout: 2_000,
    });
    try {
      const [at] = await connection.query<{ binlog: string; slave: string }[]>(
        'SELECT @@GLOBAL.gtid_binlog_pos AS binlog, @@GLOBAL.gtid_slave_pos AS slave',
      );
      const last = Math.max(...[at?.binlog, at?.slave].map((gtid) => Number(gtid?.split('-')[2] ?? 0)));
      await connection.query('RESET MASTER');
      await connection.query('SET GLOBAL gtid_binlog_state = ?', [`0-1-${last + 1}`]);
      const tables = await connection.query<unknown[]>(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = 'db_timeline'",
        [APPLICATION_DATABASE],
      );
      if (tables.length === 0) return 0;
      const [row] = await connection.query<{ epoch: number | null }[]>(
        `SELECT MAX(epoch) AS epoch FROM ${APPLICATION_DATABASE}.db_timeline`,
      );
      return row?.epoch ?? 0;
    } finally {
      await connection.end();
    }
  } finally {
    await server.stop();
  }
}
