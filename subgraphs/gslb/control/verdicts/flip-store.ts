// SQL of the history of verdicts: each change with all votes known at that time, and batches that arrived too late to count.
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { millisecondsOf, newUuid } from '../../../../platform/values/ids.ts';
import type { Count } from '../../rules/judge.ts';
import type { Verdict } from '../../rules/quorum.ts';
import { inPages } from '../stores/vote-store.ts';

/** A vote as it was when the verdict changed. */
export interface FlipBallot {
  readonly monitorId: string;
  /** Name of the vantage point. */
  readonly vantagePoint: string;
  readonly region: string;
  readonly verdict: Verdict | null;
  /** Null if it did not count for a reason other than its age. */
  readonly ageMs: number | null;
  readonly count: Count | 'LATE';
  readonly latencyMs: number | null;
  readonly message: string | null;
}

interface Flip {
  /** UUIDv7. */
  readonly id: string;
  readonly projectId: string;
  readonly poolId: string;
  readonly memberId: string;
  /** Null for now. Otherwise computed from the age that the checker reported. */
  readonly at: Date | null;
  /** Null for the verdict for all clients. */
  readonly region: string | null;
  readonly before: Verdict | null;
  readonly after: Verdict | null;
  readonly reason: string;
  /** Whether it arrived too late. It is then only recorded. */
  readonly late: boolean;
  readonly ballots: readonly FlipBallot[];
}

export type NewFlip = Omit<Flip, 'id'>;

const mostReason = 1_024;

/**
 * Runs in the transaction that has locked the members. Histories are sorted by id, so each id follows the member's last one, even if the clocks of
 * processes or of a former primary are wrong. `nowMs`: by the database's clock. Returns the flips with their ids.
 */
export async function storeFlips(tx: Transaction, flips: readonly NewFlip[], nowMs: number): Promise<readonly Flip[]> {
  const last = await lastIds(tx, [...new Set(flips.map(({ memberId }) => memberId))]);
  const numbered = flips.map((flip): Flip => {
    const before = last.get(flip.memberId);
    const id = newUuid(before === undefined ? nowMs : Math.max(nowMs, millisecondsOf(before) + 1));
    last.set(flip.memberId, id);
    return { ...flip, id };
  });
  await insertFlips(tx, numbered);
  return numbered;
}

async function lastIds(tx: Transaction, memberIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await inPages(memberIds, (page) =>
    tx.query<{ memberId: string; id: string }>(
      `SELECT member_id AS memberId, MAX(id) AS id FROM gslb_flip WHERE member_id IN (${marksFor(page)}) GROUP BY member_id`,
      page,
    ),
  );
  return new Map(rows.map(({ memberId, id }) => [memberId, id]));
}

async function insertFlips(tx: Transaction, flips: readonly Flip[]): Promise<void> {
  await inPages(
    flips,
    async (page) => {
      const values = page.flatMap((flip): SqlValue[] => [
        ...[flip.id, flip.projectId, flip.poolId, flip.memberId, flip.at, flip.region, flip.before, flip.after],
        ...[flip.reason.slice(0, mostReason), flip.late, JSON.stringify(flip.ballots)],
      ]);
      await tx.execute(
        `INSERT INTO gslb_flip (id, project_id, pool_id, member_id, at, region, verdict_before, verdict_after, reason, late, ballots)
        VALUES ${page.map(() => '(?, ?, ?, ?, COALESCE(?, NOW(3)), ?, ?, ?, ?, ?, ?)').join(', ')}`,
        values,
      );
      return [];
    },
    200,
  );
}

type Raw = Omit<Flip, 'late' | 'ballots'> & { readonly at: Date; readonly late: number; readonly ballots: string };

/** Flips of a member, the newest first. */
export async function flipsOfMember(
  db: Sql,
  memberId: string,
  { before, take }: { readonly before: string | null; readonly take: number },
): Promise<readonly Flip[]> {
  const rows = await db.query<Raw>(
    `SELECT id, project_id AS projectId, pool_id AS poolId, member_id AS memberId, at, region, verdict_before AS \`before\`,
      verdict_after AS \`after\`, reason, late, ballots FROM gslb_flip WHERE member_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
    [memberId, before ?? 'g', take],
  );
  return rows.map((raw) => ({ ...raw, late: raw.late === 1, ballots: JSON.parse(raw.ballots) }));
}
