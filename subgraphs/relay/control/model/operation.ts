// A relayed call as the journal holds it, and an accepted call, before there is a row.
import type { Operation } from '../../../../generated/prisma/client.ts';
import type { Identity } from '../../../../platform/caller/identity.ts';
import type { KeyScope } from '../../../../platform/edge/idempotency.ts';
import type { UserError } from '../../../../platform/errors/errors.ts';
import { storedCmpObject } from '../../../../platform/pages/cmp-object.ts';
import type { DeviceAddress } from '../../drivers/device-address.ts';
import {
  type BackendObject,
  type DriverOperation,
  type Effect,
  foundRow,
  type HttpCall,
  type JsonObject,
  type MappingEffect,
  type OvsdbCall,
  type RenderContext,
  type WireCall,
} from '../../drivers/driver.ts';
import type { OperationState } from '../../rules/states.ts';
import { netconfText } from '../../transports/netconf-messages.ts';
import type { CmpReference } from './cmp-reference.ts';
import { type CallSecrets, type SecretArguments, shownArguments } from './secret-arguments.ts';

interface Words {
  readonly actorKind: Identity['kind'] | null;
  readonly settlerKind: Identity['kind'] | null;
  readonly effect: Effect;
  readonly state: OperationState;
}

/**
 * The model's columns, some limited to certain words. `arguments` and `result` are JSON text. `deadlineAt`: for PENDING the end
 * of the wait; for SENT the time at which it ends without a verdict.
 */
export interface OperationRow extends Readonly<Omit<Operation, 'claim' | 'quietOver' | keyof Words>>, Words {}

/** The fields that decide the next transition of a row. */
export type OperationMark = Pick<OperationRow, 'id' | 'version' | 'state'>;

/** Of a call that this process has sent. */
export interface SentMark extends OperationMark {
  /** As this process wrote it. Undefined if the call waited in the queue, or the database's answer was lost. */
  readonly row?: OperationRow | undefined;
}

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
  /** Prefix of the scopes in which the device gives an id only once. If absent, ids are unique in the object's own scope. */
  readonly idScopes?: string | undefined;
  /** The device's own id with which the call addresses the object, if it does not address it by its key alone. */
  readonly addressedId?: string | undefined;
  /** The values it sets, in the terms of the object's resource; null when it sets nothing. */
  readonly desired: JsonObject | null;
  readonly cmp: CmpReference | null;
  readonly shared: boolean;
  readonly forced: boolean;
  readonly requestId: string | null;
  /** Where this process sends it or will send it. */
  readonly address?: DeviceAddress;
}

/** The requester of a call, as far as the call's row records it. */
type CallActor = Pick<Identity, 'kind' | 'id' | 'name' | 'ownerId'>;

/** A call that passed every check; the next step is the journal. */
export interface AcceptedCall extends CallSubject {
  readonly operation: DriverOperation;
  /** The arguments and the wire call as the device gets them. `shownOf` gives the forms that are shown. */
  readonly args: JsonObject;
  readonly wire: WireCall;
  /** The context with which `wire` was rendered. */
  readonly rendering: RenderContext;
  /** Absent if no argument is secret. */
  readonly secrets?: CallSecrets | undefined;
  readonly deadlineMs: number;
  readonly key: KeyScope | null;
  readonly requestedBy: string;
  /** The timeline in which its backend was read. */
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

/** The outcome of a call that was sent or that failed before it was sent. */
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

/** The result of a call, or of a dry run, for the mutation that requested it. */
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
      return `${call.lines.join('\n')}${call.guard === undefined ? '' : `\n\nOnly if ${call.guard.line} allows it.`}`;
    case 'http': {
      const body = call.body === undefined ? '' : `\n\n${JSON.stringify(call.body, null, 2)}`;
      return `${call.method} ${call.origin ?? ''}${call.path}${body}${guardText(call.guard)}`;
    }
    case 'netconf':
      return netconfText(call);
    case 'ovsdb':
      return `${transactText(call.operations)}${call.find === undefined ? '' : `\n\n${foundRow} is the row of\n${transactText([call.find])}`}`;
  }
}

function transactText(operations: OvsdbCall['operations']): string {
  return JSON.stringify({ method: 'transact', params: ['Open_vSwitch', ...operations] }, null, 2);
}

function guardText(guard: HttpCall['guard']): string {
  if (guard === undefined) return '';
  const what = guard.body === undefined ? `GET ${guard.path}` : `POST ${guard.path} ${JSON.stringify(guard.body)}`;
  return `\n\nOnly if ${what} allows it.`;
}

/**
 * For a call of the journal. Returns the arguments as they are shown if the driver, which may have another version now, can't
 * compute the desired values.
 */
function desiredAfterwards(
  operation: DriverOperation,
  args: JsonObject,
  row: OperationRow,
  opener: SecretArguments,
): JsonObject | null {
  try {
    return opener.hashedDesired(operation, args, row);
  } catch {
    return shownArguments(operation, args);
  }
}

/** A call that has waited, as it was when it was accepted; its key stays with the row of the key. */
export function waitingCall(
  row: OperationRow,
  rendered: Pick<AcceptedCall, 'operation' | 'args' | 'wire' | 'rendering' | 'secrets'>,
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
  // Earlier versions did not distinguish a user's own call from a call with a token.
  return { kind: actorKind ?? 'user', id, name: requestedBy, ...(requesterId !== null && { ownerId: requesterId }) };
}

export function subjectOf(
  row: OperationRow,
  operation: DriverOperation | undefined,
  opener: SecretArguments,
): CallSubject {
  const cmp = storedCmpObject(row);
  return {
    id: row.id,
    projectId: row.projectId,
    backendId: row.backendId,
    name: row.name,
    object: { resource: row.resource, scope: row.scope, key: row.objectKey },
    objectHash: row.objectHash,
    effect: row.effect,
    mapping: operation?.mapping ?? null,
    idScopes: operation?.idScopes?.(row.scope),
    addressedId: operation?.addressedId?.(opener.argumentsAfterwards(row)),
    desired:
      operation === undefined ? null : desiredAfterwards(operation, opener.argumentsAfterwards(row), row, opener),
    cmp: cmp === null ? null : { ...cmp, role: row.cmpRole },
    shared: row.shared,
    forced: row.forced,
    requestId: row.requestId,
  };
}
