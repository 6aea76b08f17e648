// SQL of votes and verdicts. Both belong to a member, whose row the writer has locked.
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Verdict } from '../../rules/quorum.ts';

export interface VoteRow {
  readonly memberId: string;
  readonly monitorId: string;
  readonly vantagePointId: string;
  readonly checkerId: string;
  readonly verdict: Verdict | null;
  /** The incarnation in which it was reported. */
  readonly incarnation: number;
  readonly epoch: number;
  /** Start of the verdict, computed from the age that the checker reported. */
  readonly sinceAt: Date | null;
  readonly latencyMs: number | null;
  readonly message: string | null;
}

export interface VerdictRow {
  readonly memberId: string;
  readonly monitorId: string;
  /** Empty for the verdict of all vantage points. */
  readonly region: string;
  readonly verdict: Verdict | null;
  readonly verdictAt: Date | null;
  readonly undecidedAt: Date | null;
}

const rowsAtOnce = 500;

export async function readVotes(db: Sql, memberIds: readonly string[]): Promise<readonly VoteRow[]> {
  return inPages(
    memberIds,
    (page) =>
      db.query<VoteRow>(
        `SELECT member_id AS memberId, monitor_id AS monitorId, vantage_point_id AS vantagePointId, checker_id AS checkerId, verdict,
          incarnation, epoch, since_at AS sinceAt, latency_ms AS latencyMs, message FROM gslb_vote WHERE member_id IN (${marksFor(page)})`,
        page,
      ),
    rowsAtOnce,
  );
}

export async function storeVotes(tx: Transaction, votes: readonly VoteRow[]): Promise<void> {
  const marks = '(?, ?, ?, ?, ?, ?, ?, ?, NOW(3), ?, ?)';
  await inPages(
    votes,
    async (page) => {
      const values = page.flatMap((vote): SqlValue[] => [
        ...[vote.memberId, vote.monitorId, vote.vantagePointId, vote.checkerId, vote.verdict],
        ...[vote.incarnation, vote.epoch, vote.sinceAt, vote.latencyMs, vote.message],
      ]);
      await tx.execute(
        `INSERT INTO gslb_vote (member_id, monitor_id, vantage_point_id, checker_id, verdict, incarnation, epoch, since_at, noted_at,
          latency_ms, message) VALUES ${page.map(() => marks).join(', ')}
        ON DUPLICATE KEY UPDATE checker_id = VALUES(checker_id), verdict = VALUES(verdict), incarnation = VALUES(incarnation),
          epoch = VALUES(epoch), since_at = VALUES(since_at), noted_at = VALUES(noted_at), latency_ms = VALUES(latency_ms),
          message = VALUES(message)`,
        values,
      );
      return [];
    },
    rowsAtOnce,
  );
}

export async function readVerdicts(db: Sql, memberIds: readonly string[]): Promise<readonly VerdictRow[]> {
  return inPages(
    memberIds,
    (page) =>
      db.query<VerdictRow>(
        `SELECT member_id AS memberId, monitor_id AS monitorId, region, verdict, verdict_at AS verdictAt, undecided_at AS undecidedAt
        FROM gslb_verdict WHERE member_id IN (${marksFor(page)})`,
        page,
      ),
    rowsAtOnce,
  );
}

export async function storeVerdicts(tx: Transaction, verdicts: readonly VerdictRow[]): Promise<void> {
  await inPages(
    verdicts,
    async (page) => {
      const values = page.flatMap((row): SqlValue[] => [
        ...[row.memberId, row.monitorId, row.region, row.verdict, row.verdictAt, row.undecidedAt],
      ]);
      await tx.execute(
        `INSERT INTO gslb_verdict (member_id, monitor_id, region, verdict, verdict_at, undecided_at)
        VALUES ${page.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}
        ON DUPLICATE KEY UPDATE verdict = VALUES(verdict), verdict_at = VALUES(verdict_at), undecided_at = VALUES(undecided_at)`,
        values,
      );
      return [];
    },
    rowsAtOnce,
  );
}

/** Members with votes of a checker of the vantage point, by id. */
export async function membersVotedBy(
  db: Sql,
  { vantagePointId, after, take }: { readonly vantagePointId: string; readonly after: string; readonly take: number },
): Promise<readonly string[]> {
  // The primary key continues with the member's UUID. Another index would be read from its beginning for each page.
  const sql = `SELECT DISTINCT member_id AS id FROM gslb_vote FORCE INDEX (gslb_vote_vantage_point_idx)
    WHERE vantage_point_id = ? AND member_id > ? ORDER BY member_id LIMIT ?`;
  return (await db.query<{ id: string }>(sql, [vantagePointId, after, take])).map(({ id }) => id);
}

/** Reads or writes in pages, because statements have a limit. */
export async function inPages<Each, Row>(
  all: readonly Each[],
  each: (page: readonly Each[]) => Promise<readonly Row[]>,
  size = rowsAtOnce,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (let at = 0; at < all.length; at += size) rows.push(...(await each(all.slice(at, at + size))));
  return rows;
}
