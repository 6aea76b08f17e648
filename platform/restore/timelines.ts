// The lossy timelines of the database, as people see them: until a person has lifted one, calls that may be repetitions are refused.

import { lastLossSql } from '../database/commits.ts';
import type { Sql, Transaction } from '../database/database.ts';
import { appendStatus } from '../events/append.ts';
import { timelineUuid } from '../events/database-history.ts';
import { platformEvents } from '../events/platform-events.ts';
import type { Wake } from '../work/wake.ts';

/** SQL: whether calls of the backend in `liftedEpoch` (SQL too) may be repetitions of lost ones. */
export const mayRepeatLostSql = (liftedEpoch: string): string =>
  `EXISTS (SELECT 1 FROM db_timeline WHERE lossy = 1 AND lifted_at IS NULL AND epoch > ${liftedEpoch})`;

/** SQL: when a timeline began. Value: its epoch. */
export const timelineBeganSql = '(SELECT at FROM db_timeline WHERE epoch = ?)';

export interface RestoreState {
  /** UUID, which no two installations share. */
  readonly installation: string;
  /** Sequence number of the newest event. */
  readonly lastSeq: number;
  /** Epoch of the newest timeline that began with a loss, by a restore or by a promotion. 0 if there was none. */
  readonly epoch: number;
}

/** @throws if the migrations were not applied */
export async function readRestoreState(sql: Pick<Sql, 'query'>): Promise<RestoreState> {
  const [state] = await sql.query<RestoreState>(`SELECT
    (SELECT history FROM db_timeline ORDER BY epoch LIMIT 1) AS installation,
    (SELECT next_seq - 1 FROM status_sequencer WHERE id = 1) AS lastSeq,
    ${lastLossSql} AS epoch`);
  if (state === undefined) throw new Error('db_timeline is empty: apply the migrations');
  return state;
}

/** For health: throws while a lossy timeline is not lifted. */
export async function checkTimeline(sql: Pick<Sql, 'query'>): Promise<undefined> {
  const [row] = await sql.query<{ epoch: number; cause: string; at: Date; setBackTo: Date | null }>(
    'SELECT epoch, cause, at, set_back_to AS setBackTo FROM db_timeline WHERE lossy = 1 AND lifted_at IS NULL ORDER BY epoch DESC LIMIT 1',
  );
  if (row === undefined) return undefined;
  const { epoch, cause, at, setBackTo } = row;
  const what =
    cause === 'RESTORE'
      ? `the database was set back${setBackTo === null ? '' : ` to ${setBackTo.toISOString()}`}`
      : 'a failover lost commits';
  throw new Error(
    `${what}, noticed at ${at.toISOString()} (timeline ${epoch}): non-idempotent calls are refused until "tidegate timeline lift"`,
  );
}

/** First: it keeps the order of locks, and a timeline that begins waits. */
export async function lockTimelines(tx: Transaction): Promise<void> {
  await tx.query('SELECT epoch FROM db_timeline ORDER BY epoch DESC LIMIT 1 FOR UPDATE');
}

/** Ends the consequences of all lossy timelines, in the caller's transaction. */
export async function liftTimelines(tx: Transaction, wake: Wake, reason: string): Promise<void> {
  const lifted = await tx.query<{ epoch: number }>(
    'SELECT epoch FROM db_timeline WHERE lossy = 1 AND lifted_at IS NULL ORDER BY epoch FOR UPDATE',
  );
  if (lifted.length === 0) return;
  await tx.execute('UPDATE db_timeline SET lifted_at = NOW(3) WHERE lossy = 1 AND lifted_at IS NULL');
  const events = lifted.map(({ epoch }) => ({
    ...{ projectId: null, subjectId: timelineUuid(epoch), subjectVersion: 2 },
    ...({ kind: 'database.timeline', from: 'LOSSY', to: 'LIFTED', reason } as const),
  }));
  await appendStatus(tx, platformEvents, events, wake);
}
