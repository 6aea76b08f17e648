// The effects of a call on the mappings of its backend object, and the calls that mappings forbid. Runs inside the journal's
// transactions, under the object's claim, so that nothing else changes the set of its mappings at once.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { JsonObject } from '../../drivers/driver.ts';
import type { OperationState } from '../../rules/states.ts';
import type { RelayEvent } from '../events.ts';
import { describeObject } from '../model/backend-object.ts';
import type { CmpReference } from '../model/cmp-reference.ts';
import type { CallSubject } from '../model/operation.ts';
import { cmpObjectOfMapping, type MappingRow, type MappingState } from './mapping.ts';
import {
  insertMapping,
  liveMappings,
  type MappingsToSettle,
  mappingsAddressed,
  type NewMapping,
  updateMapping,
} from './mapping-store.ts';

/** Refuses (ALREADY_MAPPED) a call on an object that belongs to others, and (INVALID_INPUT) one with the id of another object. */
export async function refuseForeignMapping(sql: Sql, call: CallSubject): Promise<void> {
  if (call.mapping === null) return;
  const live = await liveMappings(sql, call.backendId, call.objectHash);
  if (live.length > 0 && call.mapping === 'creates' && call.effect === 'NON_IDEMPOTENT' && !call.forced)
    refuse(
      'ALREADY_MAPPED',
      `${describeObject(call.object)} already exists and belongs to ${ownerOf(live[0])}: delete it first`,
    );
  await refuseOthersId(sql, call, live);
  const { cmp } = call;
  const others = cmp === null ? [] : live.filter((row) => !isOf(row, cmp));
  if (others.length === 0) return;
  if (call.mapping === 'creates' && call.shared && others.every((row) => row.shared)) return;
  const more = others.length > 1 ? ` and ${others.length - 1} more` : '';
  refuse('ALREADY_MAPPED', `${describeObject(call.object)} belongs to ${ownerOf(others[0])}${more}`, {
    field: ['input', 'cmpObject'],
  });
}

/** The device would act on the object that has the id, whatever name is given beside it. */
async function refuseOthersId(sql: Sql, call: CallSubject, live: readonly MappingRow[]): Promise<void> {
  const { addressedId, object } = call;
  if (addressedId === undefined) return;
  const field = ['input', 'arguments', 'id'];
  const [other] = await mappingsAddressed(sql, call);
  if (other !== undefined) {
    const { resource, scope, objectKey: key } = other;
    const whose = `${describeObject({ resource, scope, key })}, which belongs to ${ownerOf(other)}`;
    refuse('ALREADY_MAPPED', `the id ${addressedId} is that of ${whose}`, { field });
  }
  const own = live.find(({ uuid }) => uuid !== null && uuid !== addressedId);
  if (own !== undefined)
    refuse(
      'INVALID_INPUT',
      `${describeObject(object)} has the id ${own.uuid}, not ${addressedId}: give its own id, or verify its mapping if it was made anew`,
      { field },
    );
}

function ownerOf(row: MappingRow | undefined): string {
  return `${row?.namespace}/${row?.cmpType}/${row?.cmpId}`;
}

interface MappingPlan {
  readonly writes: readonly ((tx: Transaction) => Promise<void>)[];
  readonly events: readonly RelayEvent[];
  /** The object belongs to another CMP object after all: the reason why the call gets no mapping. */
  readonly conflict?: string;
}

interface CallOutcome {
  readonly state: OperationState;
  readonly uuid?: string | undefined;
  /** FAILED because the device does not have the object. */
  readonly absent?: boolean;
}

/** Plans the changes that bring the given mappings in line with the call's new state; the caller writes them. */
export function planMappings(settling: MappingsToSettle, call: CallSubject, outcome: CallOutcome): MappingPlan {
  if (call.mapping === null || outcome.state === 'REJECTED') return { writes: [], events: [] };
  const { rows, backendDeleted, namesakes } = settling;
  const { cmp } = call;
  const hasEffect = outcome.state === 'SUCCEEDED' || outcome.state === 'UNKNOWN';
  const isNew = hasEffect && call.mapping === 'creates' && cmp !== null && !rows.some((row) => isOf(row, cmp));
  const conflicts = isNew && rows.length > 0 && !(call.shared && rows.every((row) => row.shared));
  const planned = rows.flatMap((row) => {
    // After a change by another CMP object's call, only a read can show whether the object is in its desired state.
    const state = conflicts && row.state === 'ACTIVE' ? 'UNVERIFIED' : nextState(call, row, outcome);
    return state === undefined ? [] : (planRow(settling, call, outcome, { row, state }) ?? []);
  });
  // The device has given away their id, so their object is gone or has another one.
  if (outcome.state === 'SUCCEEDED') planned.push(...namesakes.map((row) => planNamesake(row, call)));
  if (isNew && !conflicts) {
    const state = backendDeleted ? 'ORPHAN' : outcome.state === 'UNKNOWN' ? 'UNVERIFIED' : 'ACTIVE';
    const row = newMapping(call, cmp, state, outcome.uuid);
    planned.push({ write: (batch) => insertMapping(batch, row), event: mappingEvent(call, row, 1, null, state) });
  }
  return {
    ...{ writes: planned.map(({ write }) => write), events: planned.map(({ event }) => event) },
    ...(conflicts ? { conflict: `no mapping was made: the object belongs to ${ownerOf(rows[0])}` } : {}),
  };
}

interface PlannedChange {
  readonly write: (tx: Transaction) => Promise<void>;
  readonly event: RelayEvent;
}

/** Undefined if nothing changes. */
function planRow(
  { backendDeleted, unsettled }: MappingsToSettle,
  call: CallSubject,
  outcome: CallOutcome,
  { row, state }: { readonly row: MappingRow; readonly state: MappingRow['state'] },
): PlannedChange | undefined {
  if (unsettled !== null && isWithoutEffect(call, outcome)) {
    // The other call decides the mapping's state.
    const operationId = row.operationId === call.id ? unsettled : undefined;
    return {
      write: (batch) => updateMapping(batch, row, { state: row.state, operationId, lastOperationId: unsettled }),
      event: mappingEvent(call, row, row.version + 1, row.state, row.state),
    };
  }
  // A mapping is an orphan if its backend has been deleted in the meantime.
  const to = state !== 'DELETED' && backendDeleted ? 'ORPHAN' : state;
  if (to === row.state && row.lastOperationId === call.id && outcome.uuid === undefined) return undefined;
  const desired = outcome.state === 'SUCCEEDED' ? desiredText(call, row) : undefined;
  // Made once more, or set again, so it now has the mark of this call.
  const isMadeAgain = call.mapping === 'creates' && outcome.state === 'SUCCEEDED';
  const operationId = isMadeAgain ? call.id : undefined;
  return {
    write: (batch) =>
      updateMapping(batch, row, { state: to, lastOperationId: call.id, operationId, uuid: outcome.uuid, desired }),
    event: mappingEvent(call, row, row.version + 1, row.state, to),
  };
}

function planNamesake(row: MappingRow, call: CallSubject): PlannedChange {
  const { lastOperationId } = row;
  const reason = `the device gave its id ${row.uuid} to ${describeObject(call.object)}`.slice(0, 255);
  return {
    write: (batch) => updateMapping(batch, row, { state: 'UNVERIFIED', lastOperationId }),
    event: { ...mappingEvent(call, row, row.version + 1, row.state, 'UNVERIFIED'), reason },
  };
}

function isWithoutEffect(
  call: CallSubject,
  { state, absent = false }: { readonly state: OperationState; readonly absent?: boolean },
): boolean {
  return state === 'FAILED' && !(absent && call.mapping === 'deletes');
}

/** Undefined if the call does not affect this mapping. */
function nextState(
  call: CallSubject,
  row: MappingRow,
  { state, absent = false }: { readonly state: OperationState; readonly absent?: boolean },
): MappingState | undefined {
  // The call started a job, and the job's end decides.
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
  row: NewMapping,
  version: number,
  from: MappingState | null,
  to: MappingState,
): RelayEvent {
  const what = { from, to, reason: call.name, requestId: call.requestId };
  const cmpObject = cmpObjectOfMapping(row);
  const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: version, cmpObject };
  return from === to
    ? { ...subject, ...what, kind: 'mapping.changed' }
    : { ...subject, ...what, kind: 'mapping.state' };
}
