// The row of a call as this process writes it, which saves the answer a read of what was just written. Only the database's clock and
// timeline come from the database.
import { countsFor } from '../../../../platform/caller/identity.ts';
import { isFinal } from '../../rules/states.ts';
import { type AcceptedCall, type OperationRow, shownOf, type Verdict } from '../model/operation.ts';

/** The columns that the database decides. */
type Decided = 'timeline' | 'createdAt' | 'updatedAt' | 'sentAt' | 'deadlineAt';

/** The row of an accepted call. */
export function newRow(call: AcceptedCall, state: 'PENDING' | 'SENT', owner: string): Omit<OperationRow, Decided> {
  const { cmp, object, identity, address } = call;
  const shown = shownOf(call);
  return {
    id: call.id,
    projectId: call.projectId,
    backendId: call.backendId,
    name: call.name,
    effect: call.operation.effect,
    state,
    version: 1,
    owner,
    cmpNamespace: cmp?.namespace ?? null,
    cmpType: cmp?.type ?? null,
    cmpId: cmp?.externalId ?? null,
    cmpRole: cmp?.role ?? '',
    resource: object.resource,
    scope: object.scope,
    objectKey: object.key,
    objectHash: call.objectHash,
    shared: call.shared,
    forced: call.forced,
    arguments: JSON.stringify(shown.arguments),
    wireCall: shown.wireCall,
    result: null,
    errorCode: null,
    errorMessage: null,
    callDeadlineMs: call.deadlineMs,
    quietUntil: null,
    finishedAt: null,
    settledBy: null,
    settlerKind: null,
    settlerId: null,
    settlerName: null,
    sentTo: address?.hostPort ?? null,
    sentOptions: address?.options ?? null,
    requestedBy: call.requestedBy,
    requesterId: identity && countsFor(identity),
    requestId: call.requestId,
    actorKind: identity?.kind ?? null,
    actorId: identity?.id ?? null,
    action: call.action,
    secrets: call.secrets?.sealed ?? null,
  };
}

/** The columns of a verdict. */
export function verdictColumns({ state, result, error, settledBy }: Verdict) {
  return {
    state,
    result: result === undefined ? null : JSON.stringify(result),
    errorCode: error?.code.slice(0, 64) ?? null,
    errorMessage: error?.message.slice(0, 4096) ?? null,
    settledBy,
  } as const;
}

/** The row of a sent call after its final verdict was written, with the time that the database gave it. */
export function finalRow(sent: OperationRow, verdict: Verdict, at: Date): OperationRow | undefined {
  if (!isFinal(verdict.state)) return undefined;
  const { version } = sent;
  return { ...sent, ...verdictColumns(verdict), version: version + 1, updatedAt: at, finishedAt: at, secrets: null };
}
