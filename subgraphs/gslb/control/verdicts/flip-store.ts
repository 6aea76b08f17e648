// SQL of the history of verdicts: each change with all votes known at that time, and batches that arrived too late to count.
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import type { Count } from '../../rules/judge.ts';
import type { Verdict } from '../../rules/quorum.ts';
import { inPages } from '../stores/vote-store.ts';

/** A vote as it was when the verdict changed. */
export interface FlipBallot {
  readonly monitorId: string;
  /** By name. */
  readonly vantagePoint: string;
  readonly region: string;
  readonly verdict: Verdict | null;
  /** Null if it did not count for a reason other than its age. */
  readonly ageMs: number | null;
  readonly count: Count | 'LATE';
  readonly latencyMs: number | null;
  readonly message: string | null;
}

export interface Flip {
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
  /** Whether it arrived too late: it is recorded here and changed nothing. */
  readonly late: boolean;
  readonly ballots: readonly FlipBallot[];
}

const mostReason = 1_024;

export async function storeFlips(tx: Transaction, flips: readonly Flip[]): Promise<void> {
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

/** Of a member, the newest first. */
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
