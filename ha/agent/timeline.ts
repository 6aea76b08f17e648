// The rows of the application's database that a promotion writes: the timeline's, and the leases of the fenced host. A new database lacks these
// tables, and an older one lacks a column.

import { applicationDatabase } from './server-program.ts';

/** Runs statements in order, in one session. */
export type Run = <Rows>(sql: string, values?: readonly unknown[]) => Promise<Rows>;

/** 0 if there is none. */
export async function newestEpoch(run: Run): Promise<number> {
  if (!(await hasColumn(run, 'db_timeline', 'epoch'))) return 0;
  const [row] = await run<{ epoch: number | null }[]>(
    `SELECT MAX(epoch) AS epoch FROM ${applicationDatabase}.db_timeline`,
  );
  return Number(row?.epoch ?? 0);
}

export interface Timeline {
  readonly epoch: number;
  /** Whether acknowledged writes are missing. */
  readonly lossy: boolean;
  /** The host whose processes' leases end. */
  readonly fenced: string | undefined;
}

/**
 * How far the newest time that the application has recorded, by another server's clock, is ahead of this server's clock, in milliseconds. 0
 * or less if that time has passed.
 */
export async function newestTimeAheadMs(run: Run): Promise<number> {
  if (!(await hasColumn(run, 'commit_record', 'at'))) return 0;
  const [row] = await run<{ ms: number | null }[]>(
    `SELECT TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), MAX(at)) / 1000 AS ms FROM ${applicationDatabase}.commit_record`,
  );
  return Number(row?.ms ?? 0);
}

/** Runs in one transaction. Times are in UTC, like all times of the application, although the session has the host's time zone. */
export async function beginTimeline(run: Run, { epoch, lossy, fenced }: Timeline): Promise<void> {
  const hasTimeline = await hasColumn(run, 'db_timeline', 'epoch');
  const hasHosts = await hasColumn(run, 'lease', 'host');
  await run('START TRANSACTION');
  try {
    if (hasTimeline)
      await run(
        `INSERT INTO ${applicationDatabase}.db_timeline (epoch, lossy, gtid, at) VALUES (?, ?, @@GLOBAL.gtid_current_pos, UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE epoch = epoch`,
        [epoch, lossy],
      );
    if (hasHosts && fenced !== undefined)
      await run(
        `UPDATE ${applicationDatabase}.lease SET token = UUID(), expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE host = ?`,
        [fenced],
      );
    await run('COMMIT');
  } catch (error) {
    await run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function hasColumn(run: Run, table: string, column: string): Promise<boolean> {
  const rows = await run<unknown[]>(
    'SELECT 1 FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND column_name = ?',
    [applicationDatabase, table, column],
  );
  return rows.length > 0;
}
