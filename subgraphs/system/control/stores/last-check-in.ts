// When a job last checked in at an alert rule of the installation, for commands that run without a process of the role system.
import { isNoTable } from '../../../../platform/errors/database-errors.ts';

interface Reader {
  query<Row>(sql: string, values: readonly string[]): Promise<Row[]>;
}

/** Null if nothing has checked in yet. Undefined if there is no such rule. */
export async function secondsSinceCheckIn(db: Reader, rule: string): Promise<number | null | undefined> {
  const sql = `SELECT TIMESTAMPDIFF(SECOND, checked_in_at, NOW(3)) AS seconds FROM alert_rule
    WHERE project_id IS NULL AND name = ? AND condition_name = 'CHECK_IN_LATE'`;
  const rows = await db.query<{ seconds: number | bigint | null }>(sql, [rule]).catch((error: unknown) => {
    if (isNoTable(error)) return [];
    throw error;
  });
  const seconds = rows[0]?.seconds;
  return typeof seconds === 'bigint' ? Number(seconds) : seconds;
}
