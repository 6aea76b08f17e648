// The row of commit_record that a transaction writes proves later that it was committed: for the client, whose token names it, and
// for a process that lost the connection during COMMIT.

/** What a transaction offers for it. */
interface Tx {
  query<Row>(sql: string, values: readonly (string | number)[]): Promise<Row[]>;
  execute(sql: string, values: readonly (string | number)[]): Promise<unknown>;
  provenBy(recordId: string): void;
}

/** Of rows that keep a transaction from being committed; timelines begin with 1. */
const noTimeline = 0;

/** Writes the row, in the transaction's timeline, which it returns. */
export async function writeCommitRecord(tx: Tx, id: string): Promise<number> {
  tx.provenBy(id);
  const [row] = await tx.query<{ timeline: number }>(
    'INSERT INTO commit_record (id, timeline) SELECT ?, MAX(epoch) FROM db_timeline RETURNING timeline',
    [id],
  );
  return row?.timeline ?? noTimeline;
}

/**
 * The timeline in which the transaction that was to write the row `id` was committed; undefined: it was not, and never will be, since it
 * would meet this row. `own`: a new id. A write in any case, later in the binary log than that transaction: once it is acknowledged, its
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
