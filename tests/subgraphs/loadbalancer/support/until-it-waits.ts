import type { Sql } from '../../../../platform/database/database.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';

/** Waits until another connection of this database waits for a row lock of the table. */
export async function untilItWaits(db: Sql, table: string): Promise<void> {
  const sql = `SELECT 1 FROM information_schema.PROCESSLIST
    WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND INFO LIKE '%FROM ${table} WHERE id = %FOR UPDATE'`;
  await waitFor(`somebody waits for ${table}`, async () => (await db.query(sql)).length > 0);
}
