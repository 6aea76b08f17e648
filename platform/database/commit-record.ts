// The row of commit_record that a transaction writes proves later that it was committed: for the client, whose token names it, and
// for a process that lost the connection during COMMIT.

/** The methods of a transaction that this file needs. */
interface Tx {
  query<Row>(sql: string, values: readonly (string | number)[]): Promise<Row[]>;
  execute(sql: string, values: readonly (string | number)[]): Promise<unknown>;
  provenBy(recordId: string, epoch?: number): void;
}

/** Timeline of rows that prevent a transaction from being committed. Real timelines begin with 1. */
const noTimeline = 0;

/** Writes the row, in the transaction's timeline, and returns the timeline. Value: its UUID. `more`: what else it returns. */
export function insertCommitSql(...more: readonly string[]): string {
  const returned = ['timeline', ...more].join(', ');
  return `INSERT INTO commit_record (id, timeline) SELECT ?, MAX(epoch) FROM db_timeline RETURNING ${returned}`;
}

/** Writes the row, in the transaction's timeline, which it returns. */
export async function writeCommitRecord(tx: Tx, id: string): Promise<number> {
  tx.provenBy(id);
  const [row] = await tx.query<{ timeline: number }>(insertCommitSql(), [id]);
  if (row !== undefined) tx.provenBy(id, row.timeline);
  return row?.timeline ?? noTimeline;
}

/**
 * Returns the timeline in which the transaction that writes row `id` was committed. Undefined if it was not committed. It then
 * never will be: this function has inserted the row, and the transaction would conflict with it. Also inserts a row with the new id
 * `own`, so that there is always a write after that transaction in the binary log. Once a standby has acknowledged this write, the
 * answer is as safe.
 */
export async function settleCommit(tx: Tx, id: string, own: string): Promise<number | undefined> {
  // Waits for that transaction if it is still running.
  await tx.execute(
    'SET STATEMENT innodb_lock_wait_timeout = 2 FOR INSERT INTO commit_record (id, timeline) VALUES (?, ?) ON DUPLICATE KEY UPDATE id = id',
    [id, noTimeline],
  );
  const [row] = await tx.query<{ timeline: number }>('SELECT timeline FROM commit_record WHERE id = ?', [id]);
  await tx.execute('INSERT INTO commit_record (id, timeline) VALUES (?, ?)', [own, noTimeline]);
  return row === undefined || row.timeline === noTimeline ? undefined : row.timeline;
}
