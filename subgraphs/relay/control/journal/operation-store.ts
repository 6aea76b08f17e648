// The journal's SQL. Every transition is an UPDATE with the expected state and version: if no row changes, another process was
// first, and the caller reads again.

import { countsFor, type Identity } from '../../../../platform/caller/identity.ts';
import { insertCommitSql } from '../../../../platform/database/commit-record.ts';
import { hasCommitSql, lastLossSql, newestTimelineSql } from '../../../../platform/database/commits.ts';
import {
  always,
  type CommitPoint,
  type Condition,
  type Database,
  type Sql,
  type SqlValue,
} from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { mustChangeOneRow, mustHold } from '../../../../platform/database/statement-batch.ts';
import {
  declareTimelinesSql,
  joinCommitSql,
  readTimelinesSql,
  writeCommitSql,
} from '../../../../platform/database/timeline-variables.ts';
import { invariant } from '../../../../platform/errors/errors.ts';
import { type HeldLease, leaseHeld } from '../../../../platform/leases/leases.ts';
import { mayRepeatLostSql } from '../../../../platform/restore/timelines.ts';
import {
  assertTransition,
  isFinal,
  keepsClaim,
  type Mover,
  type OperationState,
  operationStates,
} from '../../rules/states.ts';
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
import { newRow, verdictColumns } from './written-row.ts';

const columns = `id, project_id AS projectId, backend_id AS backendId, name, effect, state, version, owner,
  cmp_namespace AS cmpNamespace, cmp_type AS cmpType, cmp_id AS cmpId, cmp_role AS cmpRole, resource, scope,
  object_key AS objectKey, object_hash AS objectHash, shared, forced, arguments, wire_call AS wireCall, result,
  error_code AS errorCode, error_message AS errorMessage, call_deadline_ms AS callDeadlineMs, timeline,
  created_at AS createdAt, updated_at AS updatedAt, sent_at AS sentAt, deadline_at AS deadlineAt, quiet_until AS quietUntil,
  finished_at AS finishedAt, settled_by AS settledBy, settler_kind AS settlerKind, settler_id AS settlerId, settler_name AS settlerName, sent_to AS sentTo, sent_options AS sentOptions, requested_by AS requestedBy,
  requester_id AS requesterId, request_id AS requestId, actor_kind AS actorKind, actor_id AS actorId, action, secrets`;

/** The row is from before a loss, so the device may have received newer calls. */
const predatesLoss = `timeline < ${lastLossSql}`;

/** For a call that was not journaled as sent, the time of its acceptance. */
const sentSql = 'COALESCE(sent_at, created_at)';
/** A call that could not act after it was sent has no quiet time. */
const mayActSql = `(quiet_over = 0 AND quiet_until > ${sentSql})`;

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
  /** Absent if the call is PENDING. */
  readonly sentUnder: SentUnder | undefined;
  /** The longest time from now that it may wait (PENDING) or take (SENT). */
  readonly deadlineMs: number;
  /** The database must have these commits. If it lacks one, it was set back. */
  readonly proofs: readonly CommitPoint[];
}

export function firstState({ sentUnder }: Pick<NewOperation, 'sentUnder'>): 'PENDING' | 'SENT' {
  return sentUnder === undefined ? 'PENDING' : 'SENT';
}

/** The database has these commits. One that was lost with an earlier timeline does not count. */
function notSetBack(proofs: readonly CommitPoint[]): Condition {
  const sql = proofs.map(() => `(${hasCommitSql} OR ${lastLossSql} > ?)`);
  return { sql: sql.join(' AND ') || always.sql, values: proofs.flatMap(({ id, epoch }) => [id, epoch]) };
}

/**
 * For a batch. Returns the row. Writes the commit record as well (`commitId`), because it has read the timeline. It ends the batch in
 * these cases:
 * - The backend is no longer in use.
 * - The backend was read before a loss, the call is not idempotent, and its key may have been lost.
 * - The object belongs to another CMP object.
 * - The call is SENT, and its conditions for sending no longer hold, or another call waits for the object.
 *
 * A SENT call gets the object's claim. If another call has the claim, the batch ends with the database's duplicate error. The owner of
 * the object is read once the claim is taken. A PENDING call has no claim, so this check is repeated when it is sent.
 */
export async function insertOperation(batch: Sql, operation: NewOperation, commitId: string): Promise<OperationRow> {
  const { call, sentUnder, deadlineMs, proofs } = operation;
  const proven = joinedProofs(proofs);
  const row = newRow(call, firstState(operation), operation.owner);
  const isSent = row.state === 'SENT';
  assertTransition(null, row.state, 'owner');
  const unmapped = noForeignMapping(call);
  const [before, after] = sentUnder === undefined ? [unmapped, always] : [firstInLine(call, sentUnder.lease), unmapped];
  // The timelines are read once, because each of their subqueries costs as much as an index of the row.
  const [written] = await batch.query<{ timeline: number; at: Date }>(
    `BEGIN
    ${declareTimelinesSql};
    DECLARE accepted_at DATETIME(3) DEFAULT NOW(3);
    ${readTimelinesSql};
    INSERT INTO operation (id, project_id, backend_id, name, effect, state, owner, cmp_namespace, cmp_type, cmp_id,
      cmp_role, resource, scope, object_key, object_hash, claim, shared, forced, arguments, wire_call, call_deadline_ms, timeline,
      requested_by, requester_id, request_id, actor_kind, actor_id, action, sent_to, sent_options, secrets, created_at, updated_at,
      sent_at, deadline_at)
    SELECT ?, ?, backend.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, newest_epoch, ?, ?, ?, ?, ?, ?, ?, ?, ?, accepted_at,
      accepted_at, ${isSent ? 'accepted_at' : 'NULL'}, accepted_at + INTERVAL ? * 1000 MICROSECOND
    FROM backend ${proven.joins.sql}
    WHERE backend.id = ? AND provisioning_status = 'ENABLED' AND version = COALESCE(?, version)
      AND ? >= lost_epoch${call.effect === 'NON_IDEMPOTENT' ? ' AND replay_lifted_epoch >= unlifted_epoch' : ''} AND ${proven.where.sql} AND ${before.sql}${mustChangeOneRow}${after === always ? '' : mustHold(after)};
    ${writeCommitSql} RETURNING timeline, accepted_at AS at;
  END`,
    [
      row.id,
      row.projectId,
      row.name,
      row.effect,
      row.state,
      row.owner,
      row.cmpNamespace,
      row.cmpType,
      row.cmpId,
      row.cmpRole,
      row.resource,
      row.scope,
      row.objectKey,
      row.objectHash,
      isSent ? row.objectHash : null,
      row.shared,
      row.forced,
      row.arguments,
      row.wireCall,
      row.callDeadlineMs,
      row.requestedBy,
      row.requesterId,
      row.requestId,
      row.actorKind,
      row.actorId,
      row.action,
      row.sentTo,
      row.sentOptions,
      row.secrets,
      deadlineMs,
      ...proven.joins.values,
      row.backendId,
      sentUnder?.backend.version ?? null,
      call.timeline,
      ...proven.where.values,
      ...before.values,
      ...after.values,
      commitId,
    ],
  );
  invariant(written !== undefined, 'an accepted call has a time');
  const { timeline, at } = written;
  const times = { createdAt: at, updatedAt: at, sentAt: isSent ? at : null, deadlineAt: later(at, deadlineMs) };
  return { ...row, timeline, ...times };
}

function later(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}

/**
 * Like notSetBack, for a statement that knows the epoch of the last loss (`lost_epoch`) and reads other tables too: two joins by
 * primary key cost a fraction of two subqueries.
 */
function joinedProofs(proofs: readonly CommitPoint[]): { readonly joins: Condition; readonly where: Condition } {
  const joins = proofs.map((_, at) => joinCommitSql(`proof${at}`));
  const where = proofs.map((_, at) => `(proof${at}.id IS NOT NULL OR lost_epoch > ?)`);
  return {
    joins: { sql: joins.join(' '), values: proofs.map(({ id }) => id) },
    where: { sql: where.join(' AND ') || always.sql, values: proofs.map(({ epoch }) => epoch) },
  };
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
 * PENDING → SENT, with the object's claim. Returns false in these cases: the row no longer matches `mark`, its time is over, it
 * predates a loss, or the backend is not in use or has changed since the call was rendered. Ends with the database's duplicate
 * error when another call has the claim.
 */
export async function markSent(
  sql: Sql,
  call: CallSubject,
  mark: OperationMark,
  owner: string,
  { backend }: SentUnder,
  proofs: readonly CommitPoint[],
): Promise<boolean> {
  assertTransition(mark.state, 'SENT', 'owner');
  const proven = notSetBack(proofs);
  const { affectedRows } = await sql.execute(
    `UPDATE operation SET state = 'SENT', version = version + 1, updated_at = NOW(3), claim = object_hash, owner = ?, sent_at = NOW(3),
      sent_to = ?, sent_options = ?,
      deadline_at = NOW(3) + INTERVAL call_deadline_ms * 1000 MICROSECOND
    WHERE id = ? AND state = ? AND version = ? AND deadline_at > NOW(3) AND NOT (${predatesLoss}) AND ? >= ${lastLossSql} AND ${proven.sql} AND EXISTS (
      SELECT 1 FROM backend WHERE id = ? AND provisioning_status = 'ENABLED' AND version = ?)`,
    [
      ...[owner, ...sentTo(call), mark.id, mark.state, mark.version, backend.timeline],
      ...proven.values,
      ...[call.backendId, backend.version],
    ],
  );
  return affectedRows === 1;
}

/**
 * Writes the owner's verdict on a call that is SENT, or has become UNKNOWN in the meantime. For a batch. It ends the batch if the
 * row no longer matches `mark`.
 */
export async function writeVerdict(batch: Sql, mark: OperationMark, owner: string, verdict: Verdict): Promise<void> {
  const { sql, values } = verdictUpdate(mark, owner, verdict);
  await batch.execute(`${sql('NOW(3)')}${mustChangeOneRow}`, values);
}

/**
 * Like writeVerdict. Writes the commit record as well (`commitId`), and returns its timeline with the time of the verdict. Also ends
 * the batch if `provided` does not hold once the row is locked.
 */
export async function writeProvenVerdict(
  batch: Sql,
  mark: OperationMark,
  owner: string,
  verdict: Verdict,
  { provided, commitId }: { readonly provided: Condition; readonly commitId: string },
): Promise<{ readonly timeline: number; readonly at: Date }> {
  const { sql, values } = verdictUpdate(mark, owner, verdict);
  const [written] = await batch.query<{ timeline: number; at: Date }>(
    `BEGIN
    DECLARE verdict_at DATETIME(3) DEFAULT NOW(3);
    ${sql('verdict_at')}${mustChangeOneRow}${mustHold(provided)};
    ${insertCommitSql('verdict_at AS at')};
  END`,
    [...values, ...provided.values, commitId],
  );
  invariant(written !== undefined, 'a verdict has a time');
  return written;
}

/** `at`: SQL of its time. */
function verdictUpdate(mark: OperationMark, owner: string, verdict: Verdict) {
  assertTransition(mark.state, verdict.state, 'owner');
  const { quietAfterSentMs: quietMs } = verdict;
  const { state, result, errorCode, errorMessage, settledBy } = verdictColumns(verdict);
  const ending = isFinal(state) ? 'secrets = NULL,' : '';
  const quiet = quietMs === undefined ? '' : ', quiet_until = sent_at + INTERVAL ? * 1000 MICROSECOND';
  const sql = (at: string) =>
    `UPDATE operation SET state = ?, version = version + 1, updated_at = ${at}, result = ?, error_code = ?, error_message = ?,
      settled_by = ?, ${keepsClaim(state) ? '' : 'claim = NULL,'} ${ending} finished_at = ${isFinal(state) ? at : 'NULL'}${quiet}
    WHERE id = ? AND state = ? AND version = ? AND owner = ?`;
  const changed: SqlValue[] = [
    state,
    result,
    errorCode,
    errorMessage,
    settledBy,
    ...(quietMs === undefined ? [] : [quietMs]),
  ];
  return { sql, values: [...changed, mark.id, mark.state, mark.version, owner] };
}

export interface Move {
  readonly to: OperationState;
  readonly by: Mover;
  readonly settledBy: string;
  /** The person whose verdict it is. */
  readonly settler?: Pick<Identity, 'kind' | 'id' | 'name'>;
  readonly error?: { readonly code: string; readonly message: string } | null;
  /** The device's answer. If absent, the row keeps its own. */
  readonly result?: unknown;
  /**
   * For UNKNOWN by recovery: how long after its deadline the call may still take effect. A call that may have been sent before a
   * failover has its whole time from now on.
   */
  readonly quietAfterDeadlineMs?: number;
}

/**
 * Any other transition. Returns false if the row no longer matches `mark`, or if it would reject a call that may have been sent
 * before a failover. Without `error` the row keeps its own. With `claims`, it gets the object's claim.
 */
export async function moveOperation(
  sql: Sql,
  mark: OperationMark,
  move: Move & { readonly claims?: boolean },
): Promise<boolean> {
  assertTransition(mark.state, move.to, move.by);
  const sets = ['state = ?', 'version = version + 1', 'updated_at = NOW(3)', 'settled_by = ?'];
  const values: SqlValue[] = [move.to, move.settledBy];
  if (move.error !== undefined) {
    sets.push('error_code = ?', 'error_message = ?');
    values.push(move.error?.code.slice(0, 64) ?? null, move.error?.message.slice(0, 4096) ?? null);
  }
  if (move.result !== undefined) {
    sets.push('result = ?');
    values.push(JSON.stringify(move.result));
  }
  if (move.settler !== undefined) {
    sets.push('settler_kind = ?', 'settler_id = ?', 'settler_name = ?');
    values.push(move.settler.kind, move.settler.id, move.settler.name);
  }
  if (!keepsClaim(move.to)) sets.push('claim = NULL');
  else if (move.claims === true) sets.push('claim = object_hash');
  if (isFinal(move.to)) sets.push('finished_at = NOW(3)', 'secrets = NULL');
  if (move.quietAfterDeadlineMs !== undefined) {
    // Not from deadline_at, which is put back with the clock. A call that was never journaled as sent may have been sent until now.
    const from = mark.state === 'SENT' ? sentSql : `GREATEST(NOW(3), ${sentSql})`;
    sets.push(`quiet_until = ${from} + INTERVAL (call_deadline_ms + ?) * 1000 MICROSECOND`);
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
    'UPDATE operation SET version = version + 1, updated_at = NOW(3) WHERE id = ? AND state = ? AND version = ?',
    [mark.id, mark.state, mark.version],
  );
  return affectedRows === 1;
}

/**
 * For a batch: inserts the row of a call that has ended and has no row. Never sent: should the INSERT that was given up still be on
 * its way, it now fails, because the id is taken. Sent: a failover lost the row. `claims`: it gets the object's claim.
 */
export async function insertEnded(
  batch: Sql,
  call: AcceptedCall,
  owner: string,
  verdict: Verdict,
  claims: boolean,
): Promise<void> {
  const { quietAfterSentMs: quietMs } = verdict;
  const { state, result, errorCode, errorMessage, settledBy } = verdictColumns(verdict);
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
      result,
      errorCode,
      errorMessage,
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

/** The losses that keep a call from being accepted. */
interface Losses {
  /** A timeline after the call's began with a loss. */
  readonly later: boolean;
  /** The call may be a repetition of a lost one. */
  readonly mayRepeat: boolean;
  /** The database lacks one of the commits `proofs`. */
  readonly isSetBack: boolean;
}

export async function lossesOf(
  sql: Sql,
  { timeline, backendId }: Pick<AcceptedCall, 'timeline' | 'backendId'>,
  proofs: readonly CommitPoint[],
): Promise<Losses> {
  const proven = notSetBack(proofs);
  const [row] = await sql.query<{ later: number; mayRepeat: number; proven: number }>(
    `SELECT ? < ${lastLossSql} AS later, ${proven.sql} AS proven,
      ${mayRepeatLostSql('COALESCE((SELECT replay_lifted_epoch FROM backend WHERE id = ?), 0)')} AS mayRepeat`,
    [timeline, ...proven.values, backendId],
  );
  return { later: row?.later === 1, mayRepeat: row?.mayRepeat === 1, isSetBack: row?.proven === 0 };
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

export async function readOperations(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, OperationRow>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM operation WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((row) => [row.id, toRow(row)]));
}

/** A row, and whether the call may still take effect. If so, a look that begins now can be wrong. */
export async function readForLook(
  sql: Sql,
  id: string,
): Promise<{ readonly row: OperationRow; readonly mayAct: boolean } | undefined> {
  const [found] = await sql.query<Raw & { readonly mayAct: number | null }>(
    `SELECT ${mayActSql} AS mayAct, ${columns} FROM operation WHERE id = ?`,
    [id],
  );
  if (found === undefined) return undefined;
  const { mayAct, ...raw } = found;
  return { row: toRow(raw), mayAct: mayAct === 1 };
}

/** Uses the database's clock, because ids contain the time of the process that accepted the call. */
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

/** Number of calls in each state that is not final. 0 if there are none. */
export async function countUnended(sql: Sql): Promise<{ readonly state: OperationState; readonly count: number }[]> {
  const states = operationStates.filter((state) => !isFinal(state));
  const found = await sql.query<{ state: OperationState; count: number }>(
    `SELECT state, COUNT(*) AS count FROM operation WHERE state IN (${marksFor(states)}) GROUP BY state`,
    states,
  );
  return states.map((state) => ({ state, count: found.find((each) => each.state === state)?.count ?? 0 }));
}

/** Whether any call has not ended, or may still act. */
export async function anyActs(sql: Sql): Promise<boolean> {
  const rows = await sql.query(
    `SELECT 1 FROM operation WHERE state IN ('PENDING', 'SENT')
      OR (state IN ('UNKNOWN', 'ACCEPTED') AND quiet_over = 0 AND quiet_until IS NOT NULL) LIMIT 1`,
  );
  return rows.length > 0;
}

/** Backends with waiting calls. */
export async function backendsWithPending(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    "SELECT DISTINCT backend_id AS id FROM operation WHERE state = 'PENDING' LIMIT 1000",
  );
  return rows.map((row) => row.id);
}

interface QuietTime {
  /** By the database's clock, which may be wrong. Null if the call can't act any more. */
  readonly until: Date | null;
  readonly isOver: boolean;
}

/** The time until which a call may still take effect. Only `QuietTimes` ends it, by its count. */
export async function quietTime(sql: Sql, id: string): Promise<QuietTime> {
  const [row] = await sql.query<{ until: Date | null; mayAct: number | null }>(
    `SELECT quiet_until AS until, ${mayActSql} AS mayAct FROM operation WHERE id = ?`,
    [id],
  );
  return { until: row?.until ?? null, isOver: row?.mayAct !== 1 };
}

interface QuietCall {
  readonly id: string;
  /** How long after it was sent it may act. Null if not known yet. */
  readonly spanMs: number | null;
}

const quietSpanSql = `TIMESTAMPDIFF(MICROSECOND, ${sentSql}, quiet_until)`;

/** Calls that were sent and may still act, 1,000 at most. */
export async function readQuiet(sql: Sql): Promise<QuietCall[]> {
  const rows = await sql.query<{ id: string; spanMs: number | bigint | string | null }>(
    `SELECT id, IF(state = 'SENT', NULL, ${quietSpanSql} / 1000) AS spanMs FROM operation
    WHERE quiet_over = 0 AND (state = 'SENT' OR (state IN ('UNKNOWN', 'ACCEPTED') AND quiet_until IS NOT NULL)) ORDER BY id LIMIT 1000`,
  );
  return rows.map(({ id, spanMs }) => ({ id, spanMs: spanMs === null ? null : Number(spanMs) }));
}

/** False if its quiet time is another one by now. */
export async function endQuietTime(sql: Sql, id: string, countedMs: number): Promise<boolean> {
  const { affectedRows } = await sql.execute(
    `UPDATE operation SET quiet_over = 1, quiet_until = LEAST(quiet_until, NOW(3))
    WHERE id = ? AND quiet_over = 0 AND state IN ('UNKNOWN', 'ACCEPTED') AND ${quietSpanSql} <= ? * 1000`,
    [id, Math.floor(countedMs)],
  );
  return affectedRows === 1;
}

/** Owners of calls that have not ended. */
export async function ownersOfUnended(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ owner: string | null }>(
    "SELECT DISTINCT owner FROM operation WHERE state IN ('PENDING', 'SENT') LIMIT 1000",
  );
  return rows.map((row) => row.owner ?? '');
}

interface StuckOptions {
  readonly deadOwners: readonly string[];
  /** How long after its deadline a call may stay SENT: `deadGraceMs` if its owner is dead, otherwise `graceMs`. */
  readonly deadGraceMs: number;
  readonly graceMs: number;
  /** Calls to leave out. */
  readonly except: readonly string[];
}

/**
 * Shortens the deadlines of unended calls that are impossibly far ahead because the clock was set back. Each call then waits for
 * its full time once more, instead of until the clock has caught up. Returns the number of calls. `queueMs`: the longest wait of a
 * call.
 */
export async function putTimesBack(db: Database, queueMs: number): Promise<number> {
  const deadline = "NOW(3) + INTERVAL IF(state = 'PENDING', ?, call_deadline_ms) * 1000 MICROSECOND";
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM operation WHERE state IN ('PENDING', 'SENT') AND deadline_at > ${deadline} + INTERVAL 1 SECOND LIMIT 1000`,
    [queueMs],
  );
  if (rows.length === 0) return 0;
  const ids = rows.map(({ id }) => id);
  await db.execute(
    `UPDATE operation SET deadline_at = LEAST(deadline_at, ${deadline})
      WHERE id IN (${marksFor(ids)}) AND state IN ('PENDING', 'SENT')`,
    [queueMs, ...ids],
  );
  return ids.length;
}

/**
 * The calls that recovery has to move, oldest deadline first. These calls waited too long, were never sent by a dead owner, or may
 * have been sent before a failover. Calls that were sent and have no outcome after their time are included too.
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
