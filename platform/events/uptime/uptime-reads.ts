// Reads the stored changes that an uptime is made of, for a page of subjects together. Of each subject, only its newest events are read: a
// subject that changes more often is known for a shorter time, which its uptime says.

import type { RequestContext } from '../../caller/identity.ts';
import type { Sql, SqlValue } from '../../database/database.ts';
import { type JudgedTime, readJudgedTime } from '../../leases/running-time.ts';
import { loader } from '../../pages/loader.ts';
import { hoursOf, type Transition, type Uptime, type UptimeWindow, uptimeOf, windowStart } from './uptime.ts';

interface UptimeSubject<Row> {
  /** Type in the graph. */
  readonly subjectType: string;
  /** The kind of its events that say its status. */
  readonly kind: string;
  /** The role of the processes without which nobody judges it. */
  readonly judge: string;
  readonly of: (row: Row) => {
    /** UUID. */
    readonly id: string;
    /** Its status now, as its events have it. */
    readonly status: string | null;
    readonly createdAt: Date;
  };
}

type UptimeResolver<Row> = (
  row: Row,
  args: { readonly window?: UptimeWindow | null },
  context: RequestContext,
) => Promise<Uptime>;

interface History {
  /** Newest first. */
  readonly transitions: readonly Transition[];
  /** The oldest event that was read, if there are older ones. */
  readonly cutAtMs: number | null;
}

interface EventRow {
  readonly id: string;
  readonly kind: string;
  readonly at: Date;
  readonly from: string | null;
  readonly to: string;
}

/** Events of a subject, of any kind: the index has them in the order of the stream. */
export const mostEvents = 300;
const subjectsOfStatement = 100;

/** The resolver of a field `uptime`. */
export function uptimeField<Row>(db: Sql, { subjectType, kind, judge, of }: UptimeSubject<Row>): UptimeResolver<Row> {
  const histories = Symbol(`uptimes of ${subjectType}`);
  const times = Symbol(`times in which ${subjectType} was judged`);
  return async (row, { window: given }, context) => {
    const window = given ?? 'DAY';
    const { id, status, createdAt } = of(row);
    const [history, time] = await Promise.all([
      loader(context, histories, id, (ids) => readHistories(db, subjectType, kind, ids)),
      loader(context, times, judge, async () => new Map([[judge, await readTime(db, judge)]])),
    ]);
    return uptimeIn(window, { status, createdAt, history, time: time as Time });
  };
}

interface Known {
  readonly status: string | null;
  readonly createdAt: Date;
  readonly history: History | undefined;
  readonly time: Time;
}

function uptimeIn(window: UptimeWindow, { status, createdAt, history, time }: Known): Uptime {
  const { nowMs, keptSinceMs, judgedIn } = time;
  const { transitions = [], cutAtMs = null } = history ?? {};
  const completeSinceMs = Math.max(createdAt.getTime(), cutAtMs ?? 0, keptSinceMs ?? 0);
  const isWhole = completeSinceMs === createdAt.getTime();
  return uptimeOf(window, { transitions, completeSinceMs, isWhole, status, nowMs, judgedIn });
}

/** A sort of subjects, of all that there are now. */
export interface HoursOf {
  readonly subjectType: string;
  readonly kind: string;
  readonly judge: string;
  /** SQL: the columns `id` (UUID), `status` and `createdAt`. */
  readonly rows: string;
  readonly values: readonly SqlValue[];
}

/** Subjects of one sort whose changes are read: those that changed last. */
export const mostChanged = 300;

/**
 * The last 24 hours of all subjects of some sorts together, from the same changes and by the same rules as the uptime of one. Those without a
 * change in this time are not read one by one.
 */
export async function readHours(db: Sql, sorts: readonly HoursOf[]): Promise<ReturnType<typeof hoursOf>> {
  const found = await Promise.all(sorts.map((sort) => uptimesOfSort(db, sort)));
  const nowMs = Math.max(...found.map((each) => each.nowMs));
  const uptimes = found.flatMap((each) => each.uptimes);
  return hoursOf(uptimes, { nowMs, isWhole: found.every(({ isWhole }) => isWhole) });
}

async function uptimesOfSort(db: Sql, { subjectType, kind, judge, rows, values }: HoursOf) {
  const time = await readTime(db, judge);
  const since = new Date(windowStart('DAY', time.nowMs));
  const newest = `(SELECT e.at FROM status_change e FORCE INDEX (status_change_subject_seq_idx)
    WHERE e.subject_type = ? AND e.subject_id = s.id AND e.seq IS NOT NULL ORDER BY e.seq DESC LIMIT 1)`;
  const changed = await db.query<{ id: string; status: string | null; createdAt: Date }>(
    `SELECT id, status, createdAt, ${newest} AS changedAt FROM (${rows}) s HAVING changedAt >= ?
      ORDER BY changedAt DESC LIMIT ${mostChanged + 1}`,
    [subjectType, ...values, since],
  );
  const same = await db.query<{ status: string | null; createdAt: Date }>(
    `SELECT status, MIN(createdAt) AS createdAt FROM (${rows}) s WHERE COALESCE(${newest} < ?, 1) GROUP BY status`,
    [...values, subjectType, since],
  );
  const read = changed.slice(0, mostChanged);
  const ids = read.map(({ id }) => id);
  const histories = await readHistories(db, subjectType, kind, ids);
  const uptimes = [
    ...read.map((row) => uptimeIn('DAY', { ...row, history: histories.get(row.id), time })),
    ...same.map((row) => uptimeIn('DAY', { ...row, history: undefined, time })),
  ];
  return { uptimes, nowMs: time.nowMs, isWhole: changed.length <= mostChanged };
}

async function readHistories(
  db: Sql,
  subjectType: string,
  kind: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, History>> {
  const found = new Map<string, History>();
  for (let first = 0; first < ids.length; first += subjectsOfStatement) {
    const some = ids.slice(first, first + subjectsOfStatement);
    const own = `(SELECT subject_id AS id, kind, at, from_status AS \`from\`, to_status AS \`to\`, seq
      FROM status_change FORCE INDEX (status_change_subject_seq_idx)
      WHERE subject_type = ? AND subject_id = ? AND seq IS NOT NULL ORDER BY seq DESC LIMIT ${mostEvents})`;
    const rows = await db.query<EventRow>(
      `SELECT id, kind, at, \`from\`, \`to\` FROM (${some.map(() => own).join(' UNION ALL ')}) newest ORDER BY seq DESC`,
      some.flatMap((id) => [subjectType, id]),
    );
    for (const [id, events] of Map.groupBy(rows, (row) => row.id)) {
      const cut = events.length < mostEvents ? undefined : events.at(-1);
      const transitions = events
        .filter((event) => event.kind === kind)
        .map(({ at, from, to }) => ({ atMs: at.getTime(), from, to }));
      found.set(id, { transitions, cutAtMs: cut?.at.getTime() ?? null });
    }
  }
  return found;
}

interface Time extends JudgedTime {
  /** Since when the log of events is whole. Null: it always was. */
  readonly keptSinceMs: number | null;
}

/** By the database's clock, as the events are. */
async function readTime(db: Sql, judge: string): Promise<Time> {
  const [row] = await db.query<{ readonly now: Date; readonly keptSince: Date | null }>(
    `SELECT NOW(3) AS now, (SELECT at FROM status_change WHERE seq = s.oldest_seq AND s.oldest_seq > 1) AS keptSince
      FROM status_sequencer s WHERE id = 1`,
  );
  if (row === undefined) throw new Error('status_sequencer is empty: apply the migrations');
  const nowMs = row.now.getTime();
  const judged = await readJudgedTime(db, judge, windowStart('MONTH', nowMs), nowMs);
  return { ...judged, keptSinceMs: row.keptSince?.getTime() ?? null };
}
