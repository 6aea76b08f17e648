// A relayed call as the journal holds it, and an accepted call, before there is a row.
import type { Operation } from '../../../generated/prisma/client.ts';
import type { UserError } from '../../../platform/errors.ts';
import type { KeyScope } from '../../../platform/idempotency.ts';
import type { Identity } from '../../../platform/identity.ts';
import type { DeviceAddress } from '../drivers/device-address.ts';
import type { BackendObject, DriverOperation, Effect, JsonObject, MappingEffect, WireCall } from '../drivers/driver.ts';
import { netconfText } from '../transports/netconf-messages.ts';
import type { CmpReference } from './cmp-reference.ts';
import type { CallSecrets, SecretArguments } from './secret-arguments.ts';
import type { OperationState } from './states.ts';

interface Words {
  readonly actorKind: Identity['kind'] | null;
  readonly effect: Effect;
  readonly state: OperationState;
}

/**
 * The model's columns, some limited to certain words. `arguments` and `result` are JSON text. `deadlineAt`: for PENDING the end
 * of the wait; for SENT the time at which it ends without a verdict.
 */
export interface OperationRow extends Readonly<Omit<Operation, 'claim' | keyof Words>>, Words {}

/** The fields that decide the next transition of a row. */
export type OperationMark = Pick<OperationRow, 'id' | 'version' | 'state'>;

/** The data of a call that the journal, the claims and the mappings need. */
export interface CallSubject {
  readonly id: string;
  readonly projectId: string;
  readonly backendId: string;
  readonly name: string;
  readonly object: BackendObject;
  readonly objectHash: string;
  readonly effect: Effect;
  readonly mapping: MappingEffect | null;
  /** The values it sets, in the terms of the object's resource; null when it sets nothing. */
  readonly desired: JsonObject | null;
  readonly cmp: CmpReference | null;
  readonly shared: boolean;
  readonly forced: boolean;
  readonly requestId: string | null;
  /** Where this process sends it, or is to send it. */
  readonly address?: DeviceAddress;
}

/** Who asks for a call, as far as its row says it. */
export type CallActor = Pick<Identity, 'kind' | 'id' | 'name' | 'ownerId'>;

/** A call that passed every check; the next step is the journal. */
export interface AcceptedCall extends CallSubject {
  readonly operation: DriverOperation;
  /** As the device gets them: `shownOf` gives what is shown. */
  readonly args: JsonObject;
  readonly wire: WireCall;
  /** Absent: none of the arguments is secret. */
  readonly secrets?: CallSecrets | undefined;
  readonly deadlineMs: number;
  readonly key: KeyScope | null;
  readonly requestedBy: string;
  /** In which its backend was read. */
  readonly timeline: number;
  readonly identity: CallActor | null;
  readonly callerRequestId: string | undefined;
  /** Name of the mutation, and its input, for the audit trail. */
  readonly action: string;
  readonly input: unknown;
}

/** The arguments, and the exact text on the wire, as they are kept and shown. */
export function shownOf({ args, wire, secrets }: Pick<AcceptedCall, 'args' | 'wire' | 'secrets'>): {
  readonly arguments: JsonObject;
  readonly wireCall: string;
} {
  return { arguments: secrets?.shownArgs ?? args, wireCall: wireText(secrets?.shownWire ?? wire) };
}

/** The outcome of a call that was sent, or was to be sent. */
export interface Verdict {
  readonly state: 'SUCCEEDED' | 'FAILED' | 'ACCEPTED' | 'UNKNOWN';
  readonly result?: unknown;
  /** The device's own stable id of the object. */
  readonly uuid?: string;
  readonly error?: { readonly code: string; readonly message: string };
  /** FAILED because the object does not exist: this is the goal of a deletion, so its mapping ends. */
  readonly absent?: boolean;
  /** For UNKNOWN and ACCEPTED: how long after `sent_at` the call may still take effect, in milliseconds. */
  readonly quietAfterSentMs?: number;
  readonly settledBy: 'reply' | 'deadline' | 'connection' | 'not-sent';
}

/** The answer of a mutation. */
export interface CallResult {
  readonly operation: OperationRow | null;
  readonly wireCall: string | null;
  readonly deviceCheck: { readonly code: string; readonly message: string } | null;
  readonly userErrors: readonly UserError[];
  readonly commit: { readonly token: string } | null;
}

/** The exact text of the call on the wire, without what the session adds (cookies, tokens). */
export function wireText(call: WireCall): string {
  switch (call.kind) {
    case 'exec':
      return call.stdin === undefined ? call.command : `${call.command}\n${call.stdin}`;
    case 'cli':
      return call.lines.join('\n');
    case 'http': {
      const body = call.body === undefined ? '' : `\n\n${JSON.stringify(call.body, null, 2)}`;
      return `${call.method} ${call.origin ?? ''}${call.path}${body}`;
    }
    case 'netconf':
      return netconfText(call);
    case 'ovsdb':
      return JSON.stringify({ method: 'transact', params: ['Open_vSwitch', ...call.operations] }, null, 2);
  }
}

/** The values that a call of the operation sets, with hashes in the place of secrets; null when it sets nothing. */
export function desiredOf(operation: DriverOperation, args: JsonObject): JsonObject | null {
  if (operation.mapping !== 'creates' && operation.mapping !== 'updates') return null;
  return operation.desired?.(args) ?? args;
}

/** Like desiredOf, for a call of the journal: the arguments when the driver, perhaps another version than then, fails to say it. */
function desiredAfterwards(operation: DriverOperation, args: JsonObject): JsonObject | null {
  try {
    return desiredOf(operation, args);
  } catch {
    return args;
  }
}

/** A call that has waited, as it was when it was accepted; its key stays with the row of the key. */
export function waitingCall(
  row: OperationRow,
  rendered: Pick<AcceptedCall, 'operation' | 'args' | 'wire' | 'secrets'>,
  opener: SecretArguments,
): AcceptedCall {
  return {
    ...subjectOf(row, rendered.operation, opener),
    ...rendered,
    deadlineMs: row.callDeadlineMs,
    key: null,
    requestedBy: row.requestedBy,
    timeline: row.timeline,
    identity: actorOf(row),
    callerRequestId: undefined,
    action: row.action ?? row.name,
    input: shownOf(rendered).arguments,
  };
}

function actorOf({ actorKind, actorId, requesterId, requestedBy }: OperationRow): CallActor | null {
  const id = actorId ?? requesterId;
  if (id === null) return null;
  // Earlier versions did not tell a user's own call from one by a token.
  return { kind: actorKind ?? 'user', id, name: requestedBy, ...(requesterId !== null && { ownerId: requesterId }) };
}

export function subjectOf(
  row: OperationRow,
  operation: DriverOperation | undefined,
  opener: SecretArguments,
): CallSubject {
  return {
    id: row.id,
    projectId: row.projectId,
    backendId: row.backendId,
    name: row.name,
    object: { resource: row.resource, scope: row.scope, key: row.objectKey },
    objectHash: row.objectHash,
    effect: row.effect,
    mapping: operation?.mapping ?? null,
    desired:
      operation === undefined
        ? null
        : desiredAfterwards(operation, opener.hashedArguments(operation, opener.argumentsAfterwards(row), row)),
    cmp:
      row.cmpNamespace === null || row.cmpType === null || row.cmpId === null
        ? null
        : { namespace: row.cmpNamespace, type: row.cmpType, externalId: row.cmpId, role: row.cmpRole },
    shared: row.shared,
    forced: row.forced,
    requestId: row.requestId,
  };
}
