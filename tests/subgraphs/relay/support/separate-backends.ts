// Lets a test register one device several times, as if an administrator had set separateObjects on each of its backends so far.
import { createConnection } from 'mariadb';
import { connectionOptions } from '../../../../platform/database/server-pools.ts';
import type { TestDatabase } from '../../../support/stores/database.ts';

export async function separateBackends({ connection }: Pick<TestDatabase, 'connection'>): Promise<void> {
  const sql = await createConnection(connectionOptions(connection));
  try {
    await sql.query('UPDATE backend SET separate_objects = 1');
    await sql.query('DELETE FROM backend_identity');
  } finally {
    await sql.end();
  }
}
