// What a call does to the mappings of its backend object, and which calls the mappings forbid. Runs inside the journal's
// transactions, under the object's claim, so that no two calls change the same mappings at once.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import type { StatusEvent } from '../../../platform/events/append.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { CallSubject } from '../calls/operation.ts';
import type { OperationState } from '../calls/states.ts';
import { type CmpReference, describeObject } from '../cmp-reference.ts';
import {
  insertMapping,
  liveMappings,
  type MappingRow,
  type MappingState,
  mappingsToSettle,
  updateMapping,
} from './mapping-store.ts';

/** Refuses (ALREADY_MAPPED) a call on an object that belongs to others. */
export async function refuseForeignMapping(sql: Sql, call: CallSubject): Promise<void> {
  if (call.mapping === null) return;
  const live = await liveMappings(sql, call.backendId, call.objectHash);
  if (live.length > 0 && call.mapping === 'creates' && call.effect === 'NON_IDEMPOTENT' && !call.forced)
    refuse(
      'ALREADY_MAPPED',
      `${describeObject(call.object)} is there already, by ${ownerOf(live[0])}: delete it first`,
    );
  const { cmp } = call;
  const others = cmp === null ? [] : live.filter((row) => !isOf(row, cmp));
  if (others.length === 0) return;
  if (call.mapping === 'creates' && call.shared && others.every((row) => row.shared === 1)) return;
  const more = others.length > 1 ? ` and ${others.length - 1} more` : '';
  refuse('ALREADY_MAPPED', `${describeObject(call.object)} belongs to ${ownerOf(others[0])}${more}`, {
    field: ['input', 'cmpObject'],
  });
}

function ownerOf(row: MappingRow | undefined): string {
  return `${row?.namespace}/${row?.cmpType}/${row?.cmpId}`;
}

/** Brings the mappings in line with the call's new state; returns their events, for the caller to write. */
export async function settleMappings(
  tx: Transaction,
  call: CallSubject,
  outcome: {
    readonly state: OperationState;
    readonly uuid?: string | undefined;
    /** FAILED because the device does not have the object. */
    readonly absent?: boolean;
  },
): Promise<readonly StatusEvent[]> {
  if (call.mapping === null || outcome.state === 'REJECTED') return [];
  const { rows, backendDeleted } = await mappingsToSettle(tx, call.backendId, call.objectHash);
  const events: StatusEvent[] = [];
  for (const row of rows) {
    const state = nextState(call, row, outcome);
    if (state === undefined) continue;
    // What lives on a backend that was deleted meanwhile is an orphan.
    const to = state === 'ACTIVE' && backendDeleted ? 'ORPHAN' : state;
    if (to === row.state && row.lastOperationId === call.id && outcome.uuid === undefined) continue;
    await updateMapping(tx, row, { state: to, lastOperationId: call.id, uuid: outcome.uuid });
    events.push(mappingEvent(call, row, row.version + 1, row.state, to));
  }
  const { cmp } = call;
  const isNew = call.mapping === 'creates' && cmp !== null && !rows.some((row) => isOf(row, cmp));
  if (isNew && (outcome.state === 'SUCCEEDED' || outcome.state === 'UNKNOWN')) {
    const state = outcome.state === 'UNKNOWN' ? 'UNVERIFIED' : backendDeleted ? 'ORPHAN' : 'ACTIVE';
    const id = await addMapping(tx, call, cmp, state, outcome.uuid);
    events.push(mappingEvent(call, { id, projectId: call.projectId }, 1, null, state));
  }
  return events;
}

/** Undefined: the call says nothing about this mapping. */
function nextState(
  call: CallSubject,
  row: MappingRow,
  { state, absent = false }: { readonly state: OperationState; readonly absent?: boolean },
): MappingState | undefined {
  const touched = row.operationId === call.id || row.lastOperationId === call.id;
  if (call.mapping === 'deletes') {
    if (state === 'SUCCEEDED' || absent) return 'DELETED';
    if (state === 'UNKNOWN') return 'UNVERIFIED';
    return touched && row.state === 'UNVERIFIED' ? 'ACTIVE' : undefined;
  }
  if (call.cmp === null || !isOf(row, call.cmp)) return undefined;
  if (state === 'SUCCEEDED') return 'ACTIVE';
  if (state === 'UNKNOWN') return 'UNVERIFIED';
  if (!touched || row.state !== 'UNVERIFIED') return undefined;
  return row.operationId === call.id ? 'DELETED' : 'ACTIVE';
}

function isOf(row: MappingRow, cmp: CmpReference): boolean {
  return row.namespace === cmp.namespace && row.cmpType === cmp.type && row.cmpId === cmp.externalId;
}

async function addMapping(
  tx: Transaction,
  call: CallSubject,
  cmp: CmpReference,
  state: MappingState,
  uuid: string | undefined,
): Promise<string> {
  const id = newUuid();
  await insertMapping(tx, {
    id,
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
    operationId: call.id,
    lastOperationId: call.id,
  });
  return id;
}

function mappingEvent(
  call: CallSubject,
  row: { readonly id: string; readonly projectId: string },
  version: number,
  from: MappingState | null,
  to: MappingState,
): StatusEvent {
  return {
    projectId: row.projectId,
    kind: 'mapping.state',
    subjectType: 'Mapping',
    subjectId: row.id,
    subjectVersion: version,
    from,
    to,
    reason: call.name,
    requestId: call.requestId,
  };
}
