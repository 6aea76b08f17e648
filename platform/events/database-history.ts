// The history of the database. A number that another process compares is valid within one history only. After a restore or a
// failover that lost commits, the same number stands for another state.

import { writeCommitRecord } from '../database/commit-record.ts';
import type { Database, Sql } from '../database/database.ts';
import type { Logger } from '../log/log.ts';
import { newUuid } from '../values/ids.ts';
import { appendStatus } from './append.ts';
import { platformEvents } from './platform-events.ts';

/** SQL: the UUID of the current history. It changes with each lossy timeline; a failover without a loss keeps it. */
export const historySql = `(SELECT history FROM db_timeline WHERE epoch = COALESCE((SELECT MAX(epoch) FROM db_timeline WHERE lossy = 1), (SELECT MIN(epoch) FROM db_timeline)))`;

/** @throws if the migrations were not applied */
export async function readHistory(sql: Pick<Sql, 'query'>): Promise<string> {
  const [row] = await sql.query<{ history: string | null }>(`SELECT ${historySql} AS history`);
  if (row === undefined || row.history === null) throw new Error('db_timeline is empty: apply the migrations');
  return row.history;
}

interface SetBack {
  /** The history in which the proof was found. */
  readonly history: string;
  /** For the log: which process remembers which state, and the state that the database has instead. */
  readonly reason: string;
  /** The new timeline gets a higher epoch than this. Default: the database's current epoch. */
  readonly aboveEpoch?: number;
  /** The newest commit that is known to be lost. Default: not known. */
  readonly lostUntil?: Date;
  /**
   * Checks the proof again, in the transaction that begins the new history. The first read may have been outdated, for example if
   * it came from a former primary.
   */
  readonly isStillTrue: (sql: Sql) => Promise<boolean>;
}

/**
 * Begins a new history because the database lacks a state that another process remembers from the current one. Returns false if the
 * proof did not hold, or if another process has already begun a new history.
 */
export async function noticeSetBack(db: Database, log: Logger, setBack: SetBack): Promise<boolean> {
  const { history, reason, aboveEpoch = 0, lostUntil = null, isStillTrue } = setBack;
  const begun = await db.transaction(
    async (tx) => {
      // One process after the other.
      await tx.query('SELECT epoch FROM db_timeline ORDER BY epoch DESC LIMIT 1 FOR UPDATE');
      if ((await readHistory(tx)) !== history || !(await isStillTrue(tx))) return false;
      await tx.execute(
        `INSERT INTO db_timeline (epoch, lossy, cause, set_back_to, lost_until)
        SELECT GREATEST(MAX(epoch), ?) + 1, 1, 'RESTORE', (SELECT MAX(at) FROM commit_record WHERE timeline > 0 AND at <= NOW(3)), ?
        FROM db_timeline`,
        [aboveEpoch, lostUntil],
      );
      const [row] = await tx.query<{ epoch: number }>('SELECT MAX(epoch) AS epoch FROM db_timeline');
      const subject = { projectId: null, subjectId: timelineUuid(row?.epoch ?? 0), subjectVersion: 1 };
      await appendStatus(
        tx,
        platformEvents,
        [{ ...subject, kind: 'database.timeline', from: null, to: 'LOSSY', reason }],
        // Readers are woken by the poll of the timeline.
        { notify: () => undefined },
      );
      await writeCommitRecord(tx, newUuid());
      return true;
    },
    { endsWork: true },
  );
  if (begun)
    log.fatal(
      { reason, history },
      'the database was set back: a lossy timeline begins. Look at the backends, then run "tidegate timeline lift"',
    );
  return begun;
}

/** The UUID of a timeline in status events. */
export function timelineUuid(epoch: number): string {
  return `00000000-0000-0000-0000-${String(epoch).padStart(12, '0')}`;
}
