// State of the watch of alerts: its cursor in the status events, its steady time, and the subjects in a condition.
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Position } from '../../../../platform/events/event-table.ts';
import { type CmpObjectKey, storedCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import { endedKey, type StandingSignal } from '../../rules/alerts/evaluate.ts';
import { type AlertCondition, alertConditionNames, mostOpenAlerts } from '../../spec/alert-conditions.ts';

interface WatchState {
  readonly position: Position;
  readonly epoch: number;
  readonly steadyMs: number;
  /** The database's clock at `steadyMs`: Unix milliseconds. Null before the first evaluation. */
  readonly atMs: number | null;
  /** By the steady time. Null if never. */
  readonly caughtUpMs: number | null;
}

export interface Signal extends StandingSignal {
  readonly status: string;
  readonly reason: string | null;
  readonly subjectName: string | null;
  readonly cmpObject: CmpObjectKey | null;
  readonly since: Date;
}

const unixMs = (time: string) => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${time}) DIV 1000`;
/** Limit for one condition in one project. Further subjects are evaluated when some of these are over. */
const mostSignals = mostOpenAlerts;
const placesAtOnce = 500;
const groupsAtOnce = 50;
const oldestFirst = 'alert_signal FORCE INDEX (alert_signal_oldest_idx)';

/** Locks it, so that looks follow one another. `nowMs`: the database's clock. */
export async function lockWatch(tx: Transaction): Promise<{ readonly state: WatchState; readonly nowMs: number }> {
  const [row] = await tx.query<{
    readonly seq: number;
    readonly eventId: string | null;
    readonly epoch: number;
    readonly steadyMs: number | bigint;
    readonly atMs: number | bigint | null;
    readonly caughtUpMs: number | bigint | null;
    readonly nowMs: number | bigint;
  }>(
    `SELECT seq, event_id AS eventId, epoch, steady_ms AS steadyMs, ${unixMs('at')} AS atMs, caught_up_ms AS caughtUpMs,
      ${unixMs('NOW(3)')} AS nowMs FROM alert_watch WHERE id = 1 FOR UPDATE`,
  );
  if (row === undefined) throw new Error('alert_watch is empty: apply the migrations');
  const { seq, eventId, epoch } = row;
  return {
    state: {
      ...{ position: { seq: Number(seq), eventId: eventId ?? '' }, epoch, steadyMs: Number(row.steadyMs) },
      atMs: row.atMs === null ? null : Number(row.atMs),
      caughtUpMs: row.caughtUpMs === null ? null : Number(row.caughtUpMs),
    },
    nowMs: Number(row.nowMs),
  };
}

export async function storeWatch(tx: Transaction, state: Omit<WatchState, 'atMs'>): Promise<void> {
  const { position, epoch, steadyMs, caughtUpMs } = state;
  await tx.execute(
    'UPDATE alert_watch SET seq = ?, event_id = ?, epoch = ?, steady_ms = ?, at = NOW(3), caught_up_ms = ? WHERE id = 1',
    [
      ...[position.seq, position.eventId === '' ? null : position.eventId, epoch, Math.round(steadyMs)],
      caughtUpMs === null ? null : Math.round(caughtUpMs),
    ],
  );
}

/** A subject that is already in the condition keeps its start time. */
export async function putSignal(tx: Transaction, signal: Signal): Promise<void> {
  await tx.execute(
    `INSERT INTO alert_signal (condition_name, subject_type, subject_id, project_id, status, reason, subject_name, cmp_namespace,
      cmp_type, cmp_id, since_at, since_ms, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON DUPLICATE KEY UPDATE project_id = VALUES(project_id), status = VALUES(status), reason = VALUES(reason),
      subject_name = COALESCE(VALUES(subject_name), subject_name), ends_at = VALUES(ends_at)`,
    valuesOf(signal),
  );
}

/** Restarts its wait. */
export async function restartSignal(
  tx: Transaction,
  { condition, subjectType, subjectId }: Pick<Signal, 'condition' | 'subjectType' | 'subjectId'>,
  since: { readonly at: Date; readonly steadyMs: number },
): Promise<void> {
  await tx.execute(
    'UPDATE alert_signal SET since_at = ?, since_ms = ? WHERE condition_name = ? AND subject_type = ? AND subject_id = ?',
    [since.at, Math.round(since.steadyMs), condition, subjectType, subjectId],
  );
}

export async function removeSignal(
  tx: Transaction,
  { condition, subjectType, subjectId }: Pick<Signal, 'condition' | 'subjectType' | 'subjectId'>,
): Promise<void> {
  await tx.execute('DELETE FROM alert_signal WHERE condition_name = ? AND subject_type = ? AND subject_id = ?', [
    ...[condition, subjectType, subjectId],
  ]);
}

/** Called when a person ended the alert: it does not fire again while its subject stays in the condition. Does nothing if the subject has left it. */
export async function markEnded(
  tx: Transaction,
  { ruleId, condition, subjectType, subjectId }: Place & { readonly ruleId: string },
): Promise<void> {
  await tx.execute(
    `INSERT INTO alert_end (rule_id, condition_name, subject_type, subject_id, ends_at)
      SELECT r.id, s.condition_name, s.subject_type, s.subject_id, s.ends_at FROM alert_signal s JOIN alert_rule r ON r.id = ?
        WHERE s.condition_name = ? AND s.subject_type = ? AND s.subject_id = ?
      ON DUPLICATE KEY UPDATE ends_at = VALUES(ends_at)`,
    [ruleId, condition, subjectType, subjectId],
  );
}

/** Keys (`endedKey`) of the rules and subjects whose alerts were ended by hand, and whose signals still stand. */
export async function endedByHand(sql: Sql): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ ruleId: string; subjectType: string; subjectId: string }>(
    `SELECT e.rule_id AS ruleId, e.subject_type AS subjectType, e.subject_id AS subjectId FROM alert_end e
      JOIN alert_signal s USING (condition_name, subject_type, subject_id) WHERE e.ends_at <=> s.ends_at`,
  );
  return new Set(rows.map(({ ruleId, ...subject }) => endedKey(ruleId, subject)));
}

type Place = Pick<Signal, 'condition' | 'subjectType' | 'subjectId'>;

/** The ids of the subjects that are in the condition named with them. */
export async function standingAmong(sql: Sql, subjects: readonly Place[]): Promise<ReadonlySet<string>> {
  if (subjects.length === 0) return new Set();
  const { condition, values } = at(subjects);
  const rows = await sql.query<{ id: string }>(`SELECT subject_id AS id FROM alert_signal WHERE ${condition}`, values);
  return new Set(rows.map(({ id }) => id));
}

/** The key begins with the condition, so each subject has one range per condition. */
function at(subjects: readonly Place[]): { readonly condition: string; readonly values: readonly SqlValue[] } {
  const groups = [...Map.groupBy(subjects, ({ condition, subjectType }) => `${condition}/${subjectType}`).values()];
  const values = groups.flatMap((group) => [
    ...[group[0]?.condition ?? '', group[0]?.subjectType ?? ''],
    ...group.map(({ subjectId }) => subjectId),
  ]);
  const places = groups.map(
    (group) => `(condition_name = ? AND subject_type = ? AND subject_id IN (${marksFor(group)}))`,
  );
  return { condition: places.join(' OR '), values };
}

/** Deletes the rows of a deleted project (UUID). */
export async function forgetProject(tx: Transaction, projectId: string): Promise<void> {
  // The query names each condition, because the index begins with it.
  await tx.execute(
    `DELETE FROM alert_signal WHERE condition_name IN (${marksFor(alertConditionNames)}) AND project_id = ?`,
    [...alertConditionNames, projectId],
  );
  await tx.execute('DELETE FROM alert_scope WHERE scope = ?', [projectId]);
}

export async function signalsOfProject(
  tx: Transaction,
  condition: AlertCondition,
  projectId: string,
): Promise<readonly { readonly subjectType: string; readonly subjectId: string }[]> {
  return tx.query(
    `SELECT subject_type AS subjectType, subject_id AS subjectId FROM alert_signal WHERE condition_name = ? AND project_id = ?`,
    [condition, projectId],
  );
}

const watchesCertificates = `EXISTS (SELECT 1 FROM alert_rule r WHERE r.condition_name = 'CERTIFICATE_EXPIRES' AND r.enabled = true
  AND (r.project_id IS NULL OR r.project_id = p.id))`;

/** The projects whose certificates some rule watches. */
export async function certificateProjects(
  sql: Sql,
): Promise<readonly { readonly id: string; readonly globalId: string }[]> {
  const rows = await sql.query<{ id: string }>(`SELECT p.id FROM project p WHERE ${watchesCertificates} ORDER BY p.id`);
  return rows.map(({ id }) => ({ id, globalId: encodeId('Project', id) }));
}

/** Deletes certificates that no rule watches: their data would be outdated when a rule watches them again. */
export async function forgetUnwatchedCertificates(sql: Sql): Promise<void> {
  await sql.execute(
    `DELETE s FROM alert_signal s LEFT JOIN project p ON p.id = s.project_id
      WHERE s.condition_name = 'CERTIFICATE_EXPIRES' AND (p.id IS NULL OR NOT ${watchesCertificates})`,
  );
}

/**
 * The oldest signals first. Reads the oldest of each condition in each project, so that no project's subjects hide others, and the subjects in
 * `also`.
 */
export async function signalsOf(
  tx: Transaction,
  conditions: readonly AlertCondition[],
  also: readonly Place[] = [],
): Promise<readonly Signal[]> {
  if (conditions.length === 0) return [];
  const found = await oldestSignals(tx, conditions);
  const known = new Set(found.map(keyOf));
  const wanted = also.filter((place) => conditions.includes(place.condition) && !known.has(keyOf(place)));
  const missing = [...new Map(wanted.map((place) => [keyOf(place), place])).values()];
  const rows = [...found];
  for (let first = 0; first < missing.length; first += placesAtOnce) {
    const { condition, values } = at(missing.slice(first, first + placesAtOnce));
    rows.push(...(await tx.query<StoredSignal>(`SELECT ${columns} FROM alert_signal WHERE ${condition}`, values)));
  }
  return rows.map(typed).toSorted((one, other) => one.sinceMs - other.sinceMs);
}

/** The oldest signals of each condition in each project (and in none). It reads only these rows of the index, and the first row of each group. */
async function oldestSignals(tx: Transaction, conditions: readonly AlertCondition[]): Promise<readonly StoredSignal[]> {
  const groups = await tx.query<{ readonly condition: string; readonly projectId: string | null }>(
    `SELECT condition_name AS \`condition\`, project_id AS projectId FROM ${oldestFirst}
      WHERE condition_name IN (${marksFor(conditions)}) GROUP BY condition_name, project_id`,
    conditions,
  );
  const rows: StoredSignal[] = [];
  for (let first = 0; first < groups.length; first += groupsAtOnce) {
    const some = groups.slice(first, first + groupsAtOnce);
    const parts = some.map(
      ({ projectId }) =>
        `(SELECT ${columns} FROM ${oldestFirst} WHERE condition_name = ? AND project_id ${projectId === null ? 'IS NULL' : '= ?'}
          ORDER BY since_ms, subject_id LIMIT ${mostSignals})`,
    );
    const values = some.flatMap(({ condition, projectId }) => [condition, ...(projectId === null ? [] : [projectId])]);
    rows.push(...(await tx.query<StoredSignal>(parts.join(' UNION ALL '), values)));
  }
  return rows;
}

function keyOf({ condition, subjectType, subjectId }: { condition: string; subjectType: string; subjectId: string }) {
  return `${condition}/${subjectType}/${subjectId}`;
}

const columns = `condition_name AS \`condition\`, subject_type AS subjectType, subject_id AS subjectId, project_id AS projectId, status,
  reason, subject_name AS subjectName, cmp_namespace AS cmpNamespace, cmp_type AS cmpType, cmp_id AS cmpId, since_at AS since,
  since_ms AS sinceMs, ${unixMs('ends_at')} AS endsAtMs`;

function typed({ cmpNamespace, cmpType, cmpId, condition, sinceMs, endsAtMs, ...row }: StoredSignal): Signal {
  return {
    ...{ condition: condition as AlertCondition, subjectType: row.subjectType, subjectId: row.subjectId },
    ...{ projectId: row.projectId, status: row.status, reason: row.reason, subjectName: row.subjectName },
    ...{ since: row.since, sinceMs: Number(sinceMs), endsAtMs: endsAtMs === null ? null : Number(endsAtMs) },
    cmpObject: storedCmpObject({ cmpNamespace, cmpType, cmpId }),
  };
}

interface StoredSignal extends Omit<Signal, 'condition' | 'cmpObject' | 'sinceMs' | 'endsAtMs'> {
  readonly condition: string;
  readonly cmpNamespace: string | null;
  readonly cmpType: string | null;
  readonly cmpId: string | null;
  readonly sinceMs: number | bigint;
  readonly endsAtMs: number | bigint | null;
}

function valuesOf(signal: Signal): SqlValue[] {
  const { condition, subjectType, subjectId, projectId, status, reason, subjectName, cmpObject, since } = signal;
  return [
    ...[condition, subjectType, subjectId, projectId, status.slice(0, 32), reason, subjectName],
    ...[cmpObject?.namespace ?? null, cmpObject?.type ?? null, cmpObject?.externalId ?? null],
    ...[since, Math.round(signal.sinceMs), signal.endsAtMs === null ? null : new Date(signal.endsAtMs)],
  ];
}
