// The effects of a call on the mappings of its backend object, and the calls that mappings forbid. Runs inside the journal's
// transactions, under the object's claim, so that nothing else changes the set of its mappings at once.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { JsonObject } from '../drivers/driver.ts';
import type { RelayEvent } from '../events.ts';
import { describeObject } from '../model/backend-object.ts';
import type { CmpReference } from '../model/cmp-reference.ts';
import type { CallSubject } from '../model/operation.ts';
import type { OperationState } from '../model/states.ts';
import type { MappingRow, MappingState } from './mapping.ts';
import { insertMapping, liveMappings, type MappingsToSettle, type NewMapping, updateMapping } from './mapping-store.ts';

/** Refuses (ALREADY_MAPPED) a call on an object that belongs to others. */
export async function refuseForeignMapping(sql: Sql, call: CallSubject): Promise<void> {
  if (call.mapping === null) return;
  const live = await liveMappings(sql, call.backendId, call.objectHash);
  if (live.length > 0 && call.mapping === 'creates' && call.effect === 'NON_IDEMPOTENT' && !call.forced)
    refuse(
      'ALREADY_MAPPED',
      `${describeObject(call.object)} already exists and belongs to ${ownerOf(live[0])}: delete it first`,
    );
  const { cmp } = call;
  const others = cmp === null ? [] : live.filter((row) => !isOf(row, cmp));
  if (others.length === 0) return;
  if (call.mapping === 'creates' && call.shared && others.every((row) => row.shared)) return;
  const more = others.length > 1 ? ` and ${others.length - 1} more` : '';
  refuse('ALREADY_MAPPED', `${describeObject(call.object)} belongs to ${ownerOf(others[0])}${more}`, {
    field: ['input', 'cmpObject'],
  });
}

function ownerOf(row: MappingRow | undefined): string {
  return `${row?.namespace}/${row?.cmpType}/${row?.cmpId}`;
}

export interface MappingPlan {
  readonly writes: readonly ((tx: Transaction) => Promise<void>)[];
  readonly events: readonly RelayEvent[];
  /** The object belongs to another CMP object after all: the reason why the call gets no mapping. */
  readonly conflict?: string;
}

/** Plans the changes that bring the given mappings in line with the call's new state; the caller writes them. */
export function planMappings(
  { rows, backendDeleted, unsettled }: MappingsToSettle,
  call: CallSubject,
  outcome: {
    readonly state: OperationState;
    readonly uuid?: string | undefined;
    /** FAILED because the device does not have the object. */
    readonly absent?: boolean;
  },
): MappingPlan {
  const writes: ((tx: Transaction) => Promise<void>)[] = [];
  const events: RelayEvent[] = [];
  if (call.mapping === null || outcome.state === 'REJECTED') return { writes, events };
  const { cmp } = call;
  const hasEffect = outcome.state === 'SUCCEEDED' || outcome.state === 'UNKNOWN';
  const isNew = hasEffect && call.mapping === 'creates' && cmp !== null && !rows.some((row) => isOf(row, cmp));
  const conflicts = isNew && rows.length > 0 && !(call.shared && rows.every((row) => row.shared));
  for (const row of rows) {
    // After a change by another CMP object's call, only a read can show whether the object is in its desired state.
    const state = conflicts && row.state === 'ACTIVE' ? 'UNVERIFIED' : nextState(call, row, outcome);
    if (state === undefined) continue;
    if (unsettled !== null && isWithoutEffect(call, outcome)) {
      // What becomes of the mapping is for the other call to say.
      const operationId = row.operationId === call.id ? unsettled : undefined;
      writes.push((batch) => updateMapping(batch, row, { state: row.state, operationId, lastOperationId: unsettled }));
      events.push(mappingEvent(call, row, row.version + 1, row.state, row.state));
      continue;
    }
    // A mapping on a backend that was deleted meanwhile is an orphan.
    const to = state !== 'DELETED' && backendDeleted ? 'ORPHAN' : state;
    if (to === row.state && row.lastOperationId === call.id && outcome.uuid === undefined) continue;
    const desired = outcome.state === 'SUCCEEDED' ? desiredText(call, row) : undefined;
    writes.push((batch) =>
      updateMapping(batch, row, { state: to, lastOperationId: call.id, uuid: outcome.uuid, desired }),
    );
    events.push(mappingEvent(call, row, row.version + 1, row.state, to));
  }
  if (conflicts) return { writes, events, conflict: `no mapping was made: the object belongs to ${ownerOf(rows[0])}` };
  if (isNew) {
    const state = backendDeleted ? 'ORPHAN' : outcome.state === 'UNKNOWN' ? 'UNVERIFIED' : 'ACTIVE';
    const row = newMapping(call, cmp, state, outcome.uuid);
    writes.push((batch) => insertMapping(batch, row));
    events.push(mappingEvent(call, row, 1, null, state));
  }
  return { writes, events };
}

function isWithoutEffect(
  call: CallSubject,
  { state, absent = false }: { readonly state: OperationState; readonly absent?: boolean },
): boolean {
  return state === 'FAILED' && !(absent && call.mapping === 'deletes');
}

/** Undefined: the call does not affect this mapping. */
function nextState(
  call: CallSubject,
  row: MappingRow,
  { state, absent = false }: { readonly state: OperationState; readonly absent?: boolean },
): MappingState | undefined {
  // A job: its end will tell.
  if (state === 'ACCEPTED') return undefined;
  const touched = row.operationId === call.id || row.lastOperationId === call.id;
  if (call.mapping === 'deletes') {
    if (state === 'SUCCEEDED' || absent) return 'DELETED';
    if (state === 'UNKNOWN') return 'UNVERIFIED';
    return touched && row.state === 'UNVERIFIED' ? 'ACTIVE' : undefined;
  }
  // A call affects another CMP object's mapping only if it changes the object that both own.
  if (call.mapping === 'creates' && (call.cmp === null || !isOf(row, call.cmp))) return undefined;
  if (state === 'SUCCEEDED') return 'ACTIVE';
  if (state === 'UNKNOWN') return 'UNVERIFIED';
  if (!touched || (row.state !== 'UNVERIFIED' && row.state !== 'ORPHAN')) return undefined;
  return row.operationId === call.id ? 'DELETED' : 'ACTIVE';
}

/** The desired state of the object after the call: an update keeps values that it does not name. */
function desiredText(call: CallSubject, row: MappingRow): string | undefined {
  if (call.desired === null) return undefined;
  const before = call.mapping === 'updates' && row.desired !== null ? (JSON.parse(row.desired) as JsonObject) : {};
  return JSON.stringify({ ...before, ...call.desired });
}

function isOf(row: MappingRow, cmp: CmpReference): boolean {
  return row.namespace === cmp.namespace && row.cmpType === cmp.type && row.cmpId === cmp.externalId;
}

function newMapping(call: CallSubject, cmp: CmpReference, state: MappingState, uuid: string | undefined): NewMapping {
  return {
    id: newUuid(),
    projectId: call.projectId,
    namespace: cmp.namespace,
    cmpType: cmp.type,
    cmpId: cmp.externalId,
    role: cmp.role,
    backendId: call.backendId,
    resource: call.object.resource,
    scope: call.object.scope,
    objectKey: call.object.key,
    objectHash: call.objectHash,
    uuid: uuid ?? null,
    shared: call.shared,
    state,
    desired: JSON.stringify(call.desired ?? {}),
    operationId: call.id,
    lastOperationId: call.id,
  };
}

function mappingEvent(
  call: CallSubject,
  row: { readonly id: string; readonly projectId: string },
  version: number,
  from: MappingState | null,
  to: MappingState,
): RelayEvent {
  const what = { from, to, reason: call.name, requestId: call.requestId };
  const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: version };
  return from === to
    ? { ...subject, ...what, kind: 'mapping.changed' }
    : { ...subject, ...what, kind: 'mapping.state' };
}
