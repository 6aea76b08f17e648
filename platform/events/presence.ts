// Events of machines that report again, or no longer report. One that comes and goes again and again is FLAPPING: that is one event, and one
// more for each doubling, until the machine has stayed as it is for five minutes.
import type { Database, Transaction } from '../database/database.ts';
import type { Wake } from '../work/wake.ts';
import { appendStatus } from './append.ts';
import type { EventKinds } from './kinds.ts';

/** Of the kinds of these events. */
export const presenceValues = ['PRESENT', 'ABSENT', 'FLAPPING'] as const;

interface PresenceChange<Kinds extends EventKinds> {
  readonly kind: keyof Kinds & string;
  readonly subjectId: string;
  readonly subjectVersion: number;
  /** Null at creation. */
  readonly from: 'PRESENT' | 'ABSENT' | null;
  readonly to: 'PRESENT' | 'ABSENT';
  readonly name: string;
  /** Begins with the name. Default: the name alone. */
  readonly reason?: string;
}

/** It does not change for so long: it flaps no more. */
const calmMs = 300_000;
/** Three absences, and the returns between them. A machine that is started again, also twice, has fewer. */
const mostChanges = 6;
const settleEveryMs = 5_000;

/** A time in the future was stored before the clock was set back. */
const isCalm = `last_at NOT BETWEEN NOW(3) - INTERVAL ${calmMs * 1_000} MICROSECOND AND NOW(3)`;

/** Writes the event of the change, in the transaction that has locked the machine's row. */
export async function appendPresence<Kinds extends EventKinds>(
  tx: Transaction,
  kinds: Kinds,
  change: PresenceChange<Kinds>,
  wake: Pick<Wake, 'notify'>,
): Promise<void> {
  const { kind, subjectId, subjectVersion, from, to, name, reason = name } = change;
  await tx.execute(
    `INSERT INTO presence_flap (kind, subject_id, name, status, version, changes, told, since_at, last_at)
      VALUES (?, ?, ?, ?, ?, 1, 0, NOW(3), NOW(3))
      ON DUPLICATE KEY UPDATE name = VALUES(name), status = VALUES(status), version = VALUES(version),
        changes = IF(${isCalm}, 1, changes + 1), told = IF(${isCalm}, 0, told), since_at = IF(${isCalm}, NOW(3), since_at),
        last_at = NOW(3)`,
    [kind, subjectId, name, to, subjectVersion],
  );
  const { changes, told, since } = await readFlap(tx, kind, subjectId);
  const subject = { kind, subjectId, subjectVersion, projectId: null };
  const append = (event: { readonly from: string | null; readonly to: string; readonly reason: string }) =>
    appendStatus<EventKinds>(tx, kinds, [{ ...subject, ...event }], wake);
  if (told === 0 && changes < mostChanges) return append({ from, to, reason });
  // Of a machine that goes on for hours, the number of events grows with the logarithm of its changes.
  if (told > 0 && changes < 2 * told) return;
  await tx.execute('UPDATE presence_flap SET told = changes WHERE kind = ? AND subject_id = ?', [kind, subjectId]);
  await append({
    from: told === 0 ? from : 'FLAPPING',
    to: 'FLAPPING',
    reason: `${name}: came or went ${changes} times since ${timeOf(since)}`,
  });
}

interface Flap {
  readonly name: string;
  readonly status: string;
  readonly version: number;
  readonly changes: number;
  readonly told: number;
  readonly since: Date;
  readonly calm: number;
}

async function readFlap(tx: Transaction, kind: string, subjectId: string): Promise<Flap> {
  const [row] = await tx.query<Flap>(
    `SELECT name, status, version, changes, told, since_at AS since, ${isCalm} AS calm FROM presence_flap
      WHERE kind = ? AND subject_id = ? FOR UPDATE`,
    [kind, subjectId],
  );
  return row ?? { name: '', status: '', version: 0, changes: 0, told: 0, since: new Date(0), calm: 0 };
}

interface CalmMachinesOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly kinds: EventKinds;
  readonly kind: string;
  /** SQL that returns a row if the machine with this id still exists. */
  readonly exists: string;
}

/** Ends the flapping of machines that stay as they are. Any process may do it: the first one finds work. */
export class CalmMachines {
  readonly #options: CalmMachinesOptions;
  #nextMs = 0;

  constructor(options: CalmMachinesOptions) {
    this.#options = options;
  }

  /** Call it often: it looks every 5 seconds. */
  async look(): Promise<void> {
    const { db, kind } = this.#options;
    if (performance.now() < this.#nextMs) return;
    this.#nextMs = performance.now() + settleEveryMs;
    const rows = await db.query<{ id: string }>(
      `SELECT subject_id AS id FROM presence_flap WHERE kind = ? AND ${isCalm} LIMIT 100`,
      [kind],
    );
    for (const { id } of rows) await db.transaction((tx) => this.#settle(tx, id));
  }

  async #settle(tx: Transaction, subjectId: string): Promise<void> {
    const { kind, kinds, wake, exists } = this.#options;
    const { name, status, version, changes, told, since, calm } = await readFlap(tx, kind, subjectId);
    if (calm === 0) return;
    await tx.execute('DELETE FROM presence_flap WHERE kind = ? AND subject_id = ?', [kind, subjectId]);
    if (told === 0 || (await tx.query(exists, [subjectId])).length === 0) return;
    const reason = `${name}: steady for ${calmMs / 60_000} minutes, after ${changes} changes since ${timeOf(since)}`;
    const subject = { kind, subjectId, subjectVersion: version, projectId: null };
    await appendStatus(tx, kinds, [{ ...subject, from: 'FLAPPING', to: status, reason }], wake);
  }
}

/** The reason of the event of an absent machine: its name, then why. `heardAt`: its last report. */
export function absenceReason(name: string, heardAt: Date | null, of = ''): string {
  return `${name}: no report${of === '' ? '' : ` of ${of}`}${heardAt === null ? '' : ` since ${timeOf(heardAt)}`}`;
}

function timeOf(at: Date): string {
  return `${at.toISOString().slice(11, 16)} UTC`;
}
