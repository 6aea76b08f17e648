// The journal's final state: every call, whether it ever was UNKNOWN, the mappings of its object, and remaining claims.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../platform/database/database.ts';
import type { MappingEffect } from '../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../subgraphs/relay/drivers/registry.ts';
import { brokenInvariants } from '../../tests/support/stores/invariants.ts';

export interface JournalRow {
  readonly id: string;
  /** The key of its request. */
  readonly key: string;
  readonly name: string;
  readonly backend: string;
  readonly mapping: MappingEffect | undefined;
  readonly objectKey: string;
  readonly state: string;
  readonly errorCode: string | null;
  readonly settledBy: string | null;
  /** UUID of the process incarnation that carried it. */
  readonly owner: string | null;
  readonly sentAtMs: number | null;
  readonly deadlineAtMs: number | null;
  readonly finishedAtMs: number | null;
  /** Until then an UNKNOWN call may take effect. */
  readonly quietUntilMs: number | null;
  readonly wireCall: string;
  /** JSON. */
  readonly arguments: string;
  /** It was UNKNOWN at some time. */
  readonly wasUnknown: boolean;
  /** According to the journal it was never sent. */
  readonly neverSent: boolean;
}

interface MappingState {
  readonly backend: string;
  readonly objectKey: string;
  readonly state: string;
  /** JSON of the wanted values. */
  readonly desired: string | null;
}

export interface JournalEvidence {
  readonly rows: readonly JournalRow[];
  readonly mappings: readonly MappingState[];
  /** Objects still claimed although all calls are settled. */
  readonly claims: number;
  /** Broken invariants of the tables. */
  readonly broken: readonly string[];
}

type Made = 'sentAtMs' | 'deadlineAtMs' | 'finishedAtMs' | 'quietUntilMs' | 'wasUnknown' | 'neverSent' | 'mapping';
type Raw = Omit<JournalRow, Made> & {
  readonly driver: string;
  readonly sentAt: Date | null;
  readonly deadlineAt: Date | null;
  readonly finishedAt: Date | null;
  readonly quietUntil: Date | null;
  readonly wasUnknown: number;
};

const pollMs = 100;

export async function readEvidence(db: Database): Promise<JournalEvidence> {
  const rows = await db.query<Raw>(
    `SELECT o.id, o.cmp_id AS \`key\`, o.name, b.name AS backend, b.driver, o.object_key AS objectKey, o.state,
      o.error_code AS errorCode, o.settled_by AS settledBy, o.owner, o.sent_at AS sentAt, o.deadline_at AS deadlineAt,
      o.finished_at AS finishedAt, o.quiet_until AS quietUntil, o.wire_call AS wireCall, o.arguments,
      EXISTS (SELECT 1 FROM status_change e WHERE e.subject_type = 'RelayOperation' AND e.subject_id = o.id
        AND e.kind = 'relayOperation.state' AND e.to_status = 'UNKNOWN') AS wasUnknown
    FROM operation o JOIN backend b ON b.id = o.backend_id ORDER BY o.id`,
  );
  const mappings = await db.query<MappingState>(
    `SELECT b.name AS backend, m.object_key AS objectKey, m.state, m.desired
    FROM mapping m JOIN backend b ON b.id = m.backend_id`,
  );
  const [claims] = await db.query<{ count: number }>('SELECT COUNT(*) AS count FROM operation WHERE claim IS NOT NULL');
  return {
    rows: rows.map(({ sentAt, deadlineAt, finishedAt, quietUntil, wasUnknown, driver, ...row }) => ({
      ...row,
      mapping: drivers.get(driver)?.operations.get(row.name)?.mapping,
      sentAtMs: sentAt?.getTime() ?? null,
      deadlineAtMs: deadlineAt?.getTime() ?? null,
      finishedAtMs: finishedAt?.getTime() ?? null,
      quietUntilMs: quietUntil?.getTime() ?? null,
      wasUnknown: wasUnknown === 1,
      neverSent: row.state === 'REJECTED' || row.errorCode === 'NOT_SENT',
    })),
    mappings,
    claims: claims?.count ?? 0,
    broken: await brokenInvariants(db),
  };
}

/** Waits until no call is running. False at the deadline. */
export async function untilAllEnded(db: Database, deadlineMs: number): Promise<boolean> {
  const untilMs = performance.now() + deadlineMs;
  while (performance.now() < untilMs) {
    const open = await db.query("SELECT 1 FROM operation WHERE state IN ('PENDING', 'SENT') LIMIT 1");
    if (open.length === 0) return true;
    await sleep(pollMs);
  }
  return false;
}

interface UnknownCall {
  readonly id: string;
  /** By the database's clock. Negative after the quiet time. */
  readonly untilQuietMs: number;
}

export async function readUnknown(db: Database): Promise<UnknownCall[]> {
  return db.query<UnknownCall>(
    `SELECT id, CAST(TIMESTAMPDIFF(MICROSECOND, NOW(3), COALESCE(quiet_until, NOW(3))) / 1000 AS INT) AS untilQuietMs
    FROM operation WHERE state = 'UNKNOWN' ORDER BY id`,
  );
}

/** Whether its last state was recorded before its quiet time was over, by the database's clock. */
export async function wasSettledTooSoon(db: Database, operationId: string): Promise<boolean> {
  const [row] = await db.query<{ tooSoon: number }>(
    'SELECT COALESCE(finished_at < quiet_until, 0) AS tooSoon FROM operation WHERE id = ?',
    [operationId],
  );
  return Number(row?.tooSoon) !== 0;
}
