// The journal's SQL. Every transition is an UPDATE with the expected state and version: if no row changes, another process was
// first, and the caller reads again.

import { lastLossSql, newerSinceSql, newestIsLossySql, newestTimelineSql } from '../../../platform/commits.ts';
import { always, type Condition, type Database, type Sql, type SqlValue } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { mustChangeOneRow, mustHold } from '../../../platform/database/statement-batch.ts';
import { countsFor } from '../../../platform/identity.ts';
import { type HeldLease, leaseHeld } from '../../../platform/leases.ts';
import type { BackendRow } from '../backends/backend.ts';
import { noForeignMapping } from '../mappings/mapping-store.ts';
import {
  type AcceptedCall,
  type CallSubject,
  type OperationMark,
  type OperationRow,
  shownOf,
  type Verdict,
} from '../model/operation.ts';
import {
  assertTransition,
  isFinal,
  keepsClaim,
  type Mover,
  type OperationState,
  operationStates,
} from '../model/states.ts';

const columns = `id, project_id AS projectId, backend_id AS backendId, name, effect, state, version, owner,
  cmp_namespace AS cmpNamespace, cmp_type AS cmpType, cmp_id AS cmpId, cmp_role AS cmpRole, resource, scope,
  object_key AS objectKey, object_hash AS objectHash, shared, forced, arguments, wire_call AS wireCall, result,
  error_code AS errorCode, error_message AS errorMessage, call_deadline_ms AS callDeadlineMs, timeline,
  created_at AS createdAt, sent_at AS sentAt, deadline_at AS deadlineAt, quiet_until AS quietUntil,
  finished_at AS finishedAt, settled_by AS settledBy, sent_to AS sentTo, sent_options AS sentOptions, requested_by AS requestedBy,
  requester_id AS requesterId, request_id AS requestId, actor_kind AS actorKind, actor_id AS actorId, action, secrets`;

/** The row is from before a loss: what the device was told may be newer. */
const predatesLoss = `timeline < ${lastLossSql}`;

/** `forMs` from the database's current time, which is the clock of all times in the journal. */
const inMs = 'NOW(3) + INTERVAL ? * 1000 MICROSECOND';

/** A call is sent under the lease, and while the backend is as it was when the call was rendered. */
export interface SentUnder {
  readonly lease: HeldLease;
  readonly backend: Pick<BackendRow, 'version' | 'timeline'>;
}

export interface NewOperation {
  readonly call: AcceptedCall;
  readonly owner: string;
  /** Absent: it is PENDING. */
  readonly sentUnder: SentUnder | undefined;
  /** From now: the longest time that it may wait (PENDING) or take (SENT). */
  readonly deadlineMs: number;
}

export function firstState({ sentUnder }: Pick<NewOperation, 'sentUnder'>): 'PENDING' | 'SENT' {
  return sentUnder === undefined ? 'PENDING' : 'SENT';
}

/**
 * For a batch, which it ends when the backend is no longer in use, or was read before a loss, the call is not idempotent and its key
 * may be one that was lost, the object belongs to another CMP object, or (SENT) what the call is sent under does not hold or another call waits for the object. A SENT call gets the
 * object's claim; when another call has it the batch ends with the database's duplicate error. Whom the object belongs to is read
 * once the claim is taken: a PENDING call has none, and asks again when it is sent.
 */
export async function insertOperation(batch: Sql, operation: NewOperation): Promise<void> {
  const { call, owner, sentUnder, deadlineMs } = operation;
  const state = firstState(operation);
  const shown = shownOf(call);
  assertTransition(null, state, 'owner');
  const unmapped = noForeignMapping(call);
  const [before, after] = sentUnder === undefined ? [unmapped, always] : [firstInLine(call, sentUnder.lease), unmapped];
  await batch.execute(
    `INSERT INTO operation (id, project_id, backend_id, name, effect, state, owner, cmp_namespace, cmp_type, cmp_id,
      cmp_role, resource, scope, object_key, object_hash, claim, shared, forced, arguments, wire_call, call_deadline_ms, timeline,
      requested_by, requester_id, request_id, actor_kind, actor_id, action, sent_to, sent_options, secrets, created_at, sent_at, deadline_at)
    SELECT ?, ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${newestTimelineSql}, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(3), ${state === 'SENT' ? 'NOW(3)' : 'NULL'}, ${inMs}
    FROM backend WHERE id = ? AND provisioning_status = 'ENABLED' AND version = COALESCE(?, version)
      AND ? >= ${lastLossSql}${call.effect === 'NON_IDEMPOTENT' ? ` AND NOT ${newestIsLossySql}` : ''} AND ${before.sql}${mustChangeOneRow}${after === always ? '' : mustHold(after)}`,
    [
      call.id,
      call.projectId,
      call.name,
      call.operation.effect,
      state,
      owner,
      call.cmp?.namespace ?? null,
      call.cmp?.type ?? null,
      call.cmp?.externalId ?? null,
      call.cmp?.role ?? '',
      call.object.resource,
      call.object.scope,
      call.object.key,
      call.objectHash,
      state === 'SENT' ? call.objectHash : null,
      call.shared,
      call.forced,
      JSON.stringify(shown.arguments),
      shown.wireCall,
      call.deadlineMs,
      ...requester(call),
      ...sentTo(call),
      call.secrets?.sealed ?? null,
      deadlineMs,
      call.backendId,
      sentUnder?.backend.version ?? null,
      call.timeline,
      ...before.values,
      ...after.values,
    ],
  );
}

function requester({ identity, requestedBy, requestId, action }: AcceptedCall): (string | null)[] {
  return [
    requestedBy,
    identity && countsFor(identity),
    requestId,
    identity?.kind ?? null,
    identity?.id ?? null,
    action,
  ];
}

function sentTo({ address }: CallSubject): [string | null, string | null] {
  return [address?.hostPort ?? null, address?.options ?? null];
}

/** Under the lease, and no other call waits for the object. */
function firstInLine(call: AcceptedCall, lease: HeldLease): Condition {
  const held = leaseHeld(lease);
  const sql = `${held.sql} AND NOT EXISTS (SELECT 1 FROM operation waits
    WHERE waits.backend_id = ? AND waits.state = 'PENDING' AND waits.object_hash = ?)`;
  return { sql, values: [...held.values, call.backendId, call.objectHash] };
}

/**
 * PENDING → SENT, with the object's claim; false when the row no longer matches `mark`, its time is over or it predates a loss, or
 * the backend is not in use or not as it was when the call was rendered. Ends with the database's duplicate error when
 * another call has the claim.
 */
export async function markSent(
  sql: Sql,
  call: CallSubject,
  mark: OperationMark,
  owner: string,
  { backend }: SentUnder,
): Promise<boolean> {
  assertTransition(mark.state, 'SENT', 'owner');
  const { affectedRows } = await sql.execute(
    `UPDATE operation SET state = 'SENT', version = version + 1, claim = object_hash, owner = ?, sent_at = NOW(3),
      sent_to = ?, sent_options = ?,
      deadline_at = NOW(3) + INTERVAL call_deadline_ms * 1000 MICROSECOND
    WHERE id = ? AND state = ? AND version = ? AND deadline_at > NOW(3) AND NOT (${predatesLoss}) AND ? >= ${lastLossSql} AND EXISTS (
      SELECT 1 FROM backend WHERE id = ? AND provisioning_status = 'ENABLED' AND version = ?)`,
    [owner, ...sentTo(call), mark.id, mark.state, mark.version, backend.timeline, call.backendId, backend.version],
  );
  return affectedRows === 1;
}

/**
 * The owner's verdict on a SENT call, or on one that became UNKNOWN meanwhile. For a batch, which it ends when the row no longer
 * matches `mark`, or `provided` does not hold once the row is locked.
 */
export async function writeVerdict(
  batch: Sql,
  mark: OperationMark,
  owner: string,
  verdict: Verdict,
  provided: Condition = always,
): Promise<void> {
  assertTransition(mark.state, verdict.state, 'owner');
  await batch.execute(
    `UPDATE operation SET state = ?, version = version + 1, result = ?, error_code = ?, error_message = ?, settled_by = ?,
      ${keepsClaim(verdict.state) ? '' : 'claim = NULL,'} ${isFinal(verdict.state) ? 'secrets = NULL,' : ''} finished_at = ${isFinal(verdict.state) ? 'NOW(3)' : 'NULL'},
      quiet_until = ${verdict.quietAfterSentMs === undefined ? 'quiet_until' : 'sent_at + INTERVAL ? * 1000 MICROSECOND'}
    WHERE id = ? AND state = ? AND version = ? AND owner = ?${mustChangeOneRow}${provided === always ? '' : mustHold(provided)}`,
    [
      verdict.state,
      verdict.result === undefined ? null : JSON.stringify(verdict.result),
      verdict.error?.code.slice(0, 64) ?? null,
      verdict.error?.message.slice(0, 4096) ?? null,
      verdict.settledBy,
      ...(verdict.quietAfterSentMs === undefined ? [] : [verdict.quietAfterSentMs]),
      mark.id,
      mark.state,
      mark.version,
      owner,
      ...provided.values,
    ],
  );
}

export interface Move {
  readonly to: OperationState;
  readonly by: Mover;
  readonly settledBy: string;
  readonly error?: { readonly code: string; readonly message: string } | null;
  /** The device's answer; absent: the row's is kept. */
  readonly result?: unknown;
  /**
   * For UNKNOWN by recovery: how long after its deadline the call may still take effect. A call that may have been sent before a
   * failover has its whole time from now on.
   */
  readonly quietAfterDeadlineMs?: number;
}

/**
 * Any other transition; false when the row no longer matches `mark`, or a call that may have been sent before a failover is to be
 * rejected. Without `error` the row keeps its own. `claims`: it gets the object's claim.
 */
export async function moveOperation(
  sql: Sql,
  mark: OperationMark,
  move: Move & { readonly claims?: boolean },
): Promise<boolean> {
  assertTransition(mark.state, move.to, move.by);
  const sets = ['state = ?', 'version = version + 1', 'settled_by = ?'];
  const values: SqlValue[] = [move.to, move.settledBy];
  if (move.error !== undefined) {
    sets.push('error_code = ?', 'error_message = ?');
    values.push(move.error?.code.slice(0, 64) ?? null, move.error?.message.slice(0, 4096) ?? null);
  }
  if (move.result !== undefined) {
    sets.push('result = ?');
    values.push(JSON.stringify(move.result));
  }
  if (!keepsClaim(move.to)) sets.push('claim = NULL');
  else if (move.claims === true) sets.push('claim = object_hash');
  if (isFinal(move.to)) sets.push('finished_at = NOW(3)', 'secrets = NULL');
  if (move.quietAfterDeadlineMs !== undefined) {
    const deadline = mark.state === 'SENT' ? 'deadline_at' : 'NOW(3) + INTERVAL call_deadline_ms * 1000 MICROSECOND';
    sets.push(`quiet_until = ${deadline} + INTERVAL ? * 1000 MICROSECOND`);
    values.push(move.quietAfterDeadlineMs);
  }
  const { affectedRows } = await sql.execute(
    `UPDATE operation SET ${sets.join(', ')} WHERE id = ? AND state = ? AND version = ?
      ${move.to === 'REJECTED' ? `AND NOT (${predatesLoss})` : ''}`,
    [...values, mark.id, mark.state, mark.version],
  );
  return affectedRows === 1;
}

/** A change that keeps the state: new evidence. */
export async function touchOperation(sql: Sql, mark: OperationMark): Promise<boolean> {
  const { affectedRows } = await sql.execute(
    'UPDATE operation SET version = version + 1 WHERE id = ? AND state = ? AND version = ?',
    [mark.id, mark.state, mark.version],
  );
  return affectedRows === 1;
}

/**
 * For a batch: the row of a call that has ended and has none. Never sent: should the INSERT that was given up still be on its way,
 * it now fails, because the id is taken. Sent: a failover lost the row. `claims`: it gets the object's claim.
 */
export async function insertEnded(
  batch: Sql,
  call: AcceptedCall,
  owner: string,
  verdict: Verdict,
  claims: boolean,
): Promise<void> {
  const { state, settledBy, quietAfterSentMs: quietMs } = verdict;
  assertTransition(null, state, 'owner');
  const shown = shownOf(call);
  const sentAt = settledBy === 'not-sent' ? 'NULL' : 'NOW(3)';
  await batch.execute(
    `INSERT INTO operation (id, project_id, backend_id, name, effect, state, owner, cmp_namespace, cmp_type, cmp_id, cmp_role,
      resource, scope, object_key, object_hash, claim, shared, forced, arguments, wire_call, result, error_code, error_message,
      settled_by, call_deadline_ms, timeline, requested_by, requester_id, request_id, actor_kind, actor_id, action, sent_to,
      sent_options, secrets, quiet_until, created_at, sent_at, finished_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${newestTimelineSql}, ?, ?, ?, ?, ?, ?, ?, ?, ?,
      ${quietMs === undefined ? '?' : inMs}, NOW(3), ${sentAt}, ${isFinal(state) ? 'NOW(3)' : 'NULL'})`,
    [
      call.id,
      call.projectId,
      call.backendId,
      call.name,
      call.operation.effect,
      state,
      owner,
      call.cmp?.namespace ?? null,
      call.cmp?.type ?? null,
      call.cmp?.externalId ?? null,
      call.cmp?.role ?? '',
      call.object.resource,
      call.object.scope,
      call.object.key,
      call.objectHash,
      claims && keepsClaim(state) ? call.objectHash : null,
      call.shared,
      call.forced,
      JSON.stringify(shown.arguments),
      shown.wireCall,
      verdict.result === undefined ? null : JSON.stringify(verdict.result),
      verdict.error?.code.slice(0, 64) ?? null,
      verdict.error?.message.slice(0, 4096) ?? null,
      settledBy,
      call.deadlineMs,
      ...requester(call),
      ...sentTo(call),
      isFinal(state) ? null : (call.secrets?.sealed ?? null),
      quietMs ?? null,
    ],
  );
}

/**
 * A failover left the row of a call that this process has sent as it was before: it becomes its owner again. `claims`: the row
 * gets the object's claim.
 */
export async function takeBack(sql: Sql, call: CallSubject, owner: string, claims: boolean): Promise<void> {
  await sql.execute(
    `UPDATE operation SET owner = ?, claim = IF(?, object_hash, claim), sent_at = COALESCE(sent_at, NOW(3)),
      sent_to = COALESCE(?, sent_to), sent_options = COALESCE(?, sent_options)
    WHERE id = ?`,
    [owner, claims, ...sentTo(call), call.id],
  );
}

/** Whether a timeline after this one began with a loss, and whether the newest one did. */
export async function lossesSince(
  sql: Sql,
  timeline: number,
): Promise<{ readonly later: boolean; readonly newest: boolean }> {
  const [row] = await sql.query<{ later: number; newest: number }>(
    `SELECT ? < ${lastLossSql} AS later, ${newestIsLossySql} AS newest`,
    [timeline],
  );
  return { later: row?.later === 1, newest: row?.newest === 1 };
}

/** TINYINT(1) is returned as a number. */
type Raw = Omit<OperationRow, 'shared' | 'forced'> & { readonly shared: number; readonly forced: number };

function toRow(raw: Raw): OperationRow {
  return { ...raw, shared: raw.shared === 1, forced: raw.forced === 1 };
}

export async function readOperation(
  sql: Sql,
  id: string,
  lock: '' | 'FOR UPDATE' = '',
): Promise<OperationRow | undefined> {
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM operation WHERE id = ? ${lock}`, [id]);
  return rows[0] && toRow(rows[0]);
}

/** A row, and the time at which it was read: by the database's clock, before the statement. */
export async function readOperationAt(
  sql: Sql,
  id: string,
): Promise<{ readonly row: OperationRow; readonly at: Date } | undefined> {
  const [found] = await sql.query<Raw & { readonly at: Date }>(
    `SELECT NOW(3) AS at, ${columns} FROM operation WHERE id = ?`,
    [id],
  );
  if (found === undefined) return undefined;
  const { at, ...raw } = found;
  return { row: toRow(raw), at };
}

/** By the database's clock: ids contain the time of the process that accepted the call. */
const queueOrder = 'created_at, id';

/** A call that waits. */
export interface WaitingRow extends OperationRow {
  /** It may have been sent before a failover: it is neither sent nor rejected. */
  readonly predatesLoss: boolean;
  /** It has waited too long. */
  readonly late: boolean;
}

const waitingColumns = `${columns}, ${predatesLoss} AS predatesLoss, deadline_at <= NOW(3) AS late`;

type RawWaiting = Raw & { readonly predatesLoss: number; readonly late: number };

function toWaitingRow({ predatesLoss, late, ...raw }: RawWaiting): WaitingRow {
  return { ...toRow(raw), predatesLoss: predatesLoss === 1, late: late === 1 };
}

/** The head of a backend's queue, oldest first. */
export async function readPending(sql: Sql, backendId: string, limit: number): Promise<WaitingRow[]> {
  const rows = await sql.query<RawWaiting>(
    `SELECT ${waitingColumns} FROM operation WHERE backend_id = ? AND state = 'PENDING' ORDER BY ${queueOrder} LIMIT ${limit}`,
    [backendId],
  );
  return rows.map(toWaitingRow);
}

/** The next call on each object, oldest first. It reads the whole queue: only for when the oldest calls can't be sent now. */
export async function readHeads(sql: Sql, backendId: string, limit: number): Promise<WaitingRow[]> {
  const rows = await sql.query<RawWaiting>(
    `SELECT STRAIGHT_JOIN ${waitingColumns} FROM (
        SELECT id FROM (SELECT id, created_at, ROW_NUMBER() OVER (PARTITION BY object_hash ORDER BY ${queueOrder}) AS place
          FROM operation WHERE backend_id = ? AND state = 'PENDING') queue
        WHERE place = 1 ORDER BY ${queueOrder} LIMIT ${limit}) heads
      JOIN operation USING (id) ORDER BY ${queueOrder}`,
    [backendId],
  );
  return rows.map(toWaitingRow);
}

export async function countPending(sql: Sql, backendId: string): Promise<number> {
  const rows = await sql.query<{ waiting: number }>(
    "SELECT COUNT(*) AS waiting FROM operation WHERE backend_id = ? AND state = 'PENDING'",
    [backendId],
  );
  return rows[0]?.waiting ?? 0;
}

/** How many calls have not ended, for each state that is not final; 0 where there are none. */
export async function countUnended(sql: Sql): Promise<{ readonly state: OperationState; readonly count: number }[]> {
  const states = operationStates.filter((state) => !isFinal(state));
  const found = await sql.query<{ state: OperationState; count: number }>(
    `SELECT state, COUNT(*) AS count FROM operation WHERE state IN (${marksFor(states)}) GROUP BY state`,
    states,
  );
  return states.map((state) => ({ state, count: found.find((each) => each.state === state)?.count ?? 0 }));
}

/** Backends with waiting calls. */
export async function backendsWithPending(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    "SELECT DISTINCT backend_id AS id FROM operation WHERE state = 'PENDING' LIMIT 1000",
  );
  return rows.map((row) => row.id);
}

export interface QuietTime {
  /** By the database's clock; null: the call can't act any more. */
  readonly until: Date | null;
  readonly isOver: boolean;
}

/**
 * Until when a call may still take effect. After a failover its quiet time begins anew: how far the clocks of the two servers are
 * apart is not known.
 */
export async function quietTime(sql: Sql, id: string): Promise<QuietTime> {
  const [row] = await sql.query<{ until: Date | null; isOver: number }>(
    `SELECT until, COALESCE(until <= NOW(3), 1) AS isOver FROM (
      SELECT GREATEST(quiet_until, COALESCE(${newerSinceSql('timeline')}
        + INTERVAL TIMESTAMPDIFF(MICROSECOND, COALESCE(sent_at, created_at), quiet_until) MICROSECOND, quiet_until)) AS until
      FROM operation WHERE id = ?) quiet`,
    [id],
  );
  return { until: row?.until ?? null, isOver: row?.isOver !== 0 };
}

/** Owners of calls that have not ended. */
export async function ownersOfUnended(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ owner: string | null }>(
    "SELECT DISTINCT owner FROM operation WHERE state IN ('PENDING', 'SENT') LIMIT 1000",
  );
  return rows.map((row) => row.owner ?? '');
}

export interface StuckOptions {
  readonly deadOwners: readonly string[];
  /** How long after its deadline a call is SENT at the most: that of a dead owner, and that of any. */
  readonly deadGraceMs: number;
  readonly graceMs: number;
  /** Not these. */
  readonly except: readonly string[];
}

export interface LongestTimes {
  /** A call's wait. */
  readonly queueMs: number;
  /** From the start of a call until it can no longer take effect, besides the call's own deadline. */
  readonly quietMs: number;
}

/**
 * Shortens the times of unended calls that are further ahead than any could be, because the clock was set back since: each waits
 * for its full time once more, from now on, instead of until the clock has caught up. Returns the number of calls.
 */
export async function putTimesBack(db: Database, { queueMs, quietMs }: LongestTimes): Promise<number> {
  const deadline = "NOW(3) + INTERVAL IF(state = 'PENDING', ?, call_deadline_ms) * 1000 MICROSECOND";
  const quiet = 'NOW(3) + INTERVAL (call_deadline_ms + ?) * 1000 MICROSECOND';
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM operation WHERE (state IN ('PENDING', 'SENT') AND deadline_at > ${deadline} + INTERVAL 1 SECOND)
      OR (state IN ('UNKNOWN', 'ACCEPTED') AND quiet_until > ${quiet} + INTERVAL 1 SECOND) LIMIT 1000`,
    [queueMs, quietMs],
  );
  if (rows.length === 0) return 0;
  const ids = rows.map(({ id }) => id);
  await db.execute(
    `UPDATE operation SET deadline_at = LEAST(deadline_at, ${deadline}), quiet_until = LEAST(quiet_until, ${quiet})
      WHERE id IN (${marksFor(ids)}) AND state IN ('PENDING', 'SENT', 'UNKNOWN', 'ACCEPTED')`,
    [queueMs, quietMs, ...ids],
  );
  return ids.length;
}

/**
 * The calls that recovery has to move, oldest deadline first: calls that waited too long, that dead owners had not sent, or that
 * may have been sent before a failover; and calls that were sent and have no outcome though their time is over.
 */
export async function readStuck(sql: Sql, options: StuckOptions): Promise<WaitingRow[]> {
  const { deadOwners, deadGraceMs, graceMs, except } = options;
  const ofTheDead = deadOwners.length === 0 ? '1 = 0' : `owner IN (${marksFor(deadOwners)})`;
  const others = except.length === 0 ? '1 = 1' : `id NOT IN (${marksFor(except)})`;
  const past = 'deadline_at <= NOW(3) - INTERVAL ? * 1000 MICROSECOND';
  const rows = await sql.query<RawWaiting>(
    `SELECT ${waitingColumns} FROM operation WHERE ${others} AND (
      (state = 'PENDING' AND (deadline_at <= NOW(3) OR ${ofTheDead} OR ${predatesLoss}))
      OR (state = 'SENT' AND (${past} OR (${ofTheDead} AND ${past}))))
    ORDER BY deadline_at LIMIT 500`,
    [...except, ...deadOwners, graceMs, ...deadOwners, deadGraceMs],
  );
  return rows.map(toWaitingRow);
}
