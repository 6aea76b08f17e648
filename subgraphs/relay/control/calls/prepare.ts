// The third step of a call: the caller may make it, the driver offers it, its arguments are valid; then it is rendered. Nothing
// is read or written here.

import type { Role } from '../../../../platform/caller/identity.ts';
import { hashKeyedRequest, hashRequest, type KeyScope } from '../../../../platform/edge/idempotency.ts';
import { Refusal, refuse } from '../../../../platform/errors/errors.ts';
import { requireRole } from '../../../../platform/input/authorise.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { canonicalJson } from '../../../../platform/values/json.ts';
import { validateArguments } from '../../drivers/arguments.ts';
import type { BackendObject, Driver, DriverOperation, JsonObject } from '../../drivers/driver.ts';
import { isObject } from '../../drivers/json.ts';
import type { BackendRow } from '../backends/backend.ts';
import { contextOf, driverOf } from '../backends/endpoint.ts';
import { objectHash } from '../model/backend-object.ts';
import type { AcceptedCall } from '../model/operation.ts';
import { type SecretArguments, shownArguments } from '../model/secret-arguments.ts';
import { argumentFaults, type CallRequest, notSupported, type PlannedCall } from './call-request.ts';
import type { ChosenCall } from './choose.ts';

export interface PreparedCall extends AcceptedCall {
  readonly backend: BackendRow;
  readonly driver: Driver;
  /** How long the client waits for the end. */
  readonly waitMs: number;
}

const defaultWaitMs = 30_000;

interface OfferedCall {
  readonly driver: Driver;
  readonly plan: PlannedCall;
  readonly operation: DriverOperation & Required<Pick<DriverOperation, 'object'>>;
}

/** The caller may make the call, and the driver offers it. */
export function offered(
  { context, request, backend, mapping }: ChosenCall,
  drivers: ReadonlyMap<string, Driver>,
): OfferedCall {
  const { role, what } = neededRole(request);
  requireRole(context.identity, backend.projectId, role, what);
  const driver = driverOf(drivers, backend);
  const plan = request.plan(driver, mapping);
  const operation = driver.operations.get(plan.operation) ?? notSupported(driver, plan.operation);
  if (operation.effect === 'READ' || operation.object === undefined)
    refuse('NOT_SUPPORTED', `${operation.name} changes nothing: use relayRead`, { field: ['input', 'operation'] });
  return { driver, plan, operation: operation as OfferedCall['operation'] };
}

/** The object of a call whose arguments may still lack what its mapping adds. Undefined if they are no arguments of it. */
export function namedObject({ plan, operation }: OfferedCall): BackendObject | undefined {
  const { properties } = operation.argumentsSchema;
  const defaults = Object.entries(isObject(properties) ? properties : {}).flatMap(([name, schema]) =>
    isObject(schema) && schema.default !== undefined ? [[name, schema.default] as const] : [],
  );
  try {
    return operation.object({ ...Object.fromEntries(defaults), ...(isObject(plan.arguments) && plan.arguments) });
  } catch {
    return undefined;
  }
}

/** Makes the other refusals that need no database. `recognised`: arguments that the caller may leave out. */
export function prepare(
  { context, request, backend, cmp, shared, mapping }: ChosenCall,
  { driver, plan, operation }: OfferedCall,
  opener: SecretArguments,
  recognised: JsonObject = {},
): PreparedCall {
  const { input, action } = request;
  const { identity, requestId, callerRequestId } = context;
  const given = isObject(plan.arguments) ? { ...recognised, ...plan.arguments } : plan.arguments;
  const checked = validateArguments(operation, given, contextOf(driver, backend));
  if (!checked.ok) throw new Refusal(argumentFaults(plan, checked.faults));
  if (operation.category === 'INIT' && !backend.allowInit)
    refuse(
      'INIT_NOT_ALLOWED',
      `${operation.name} is an INIT operation, which backend ${backend.name} does not allow: set allowInit`,
      {
        field: ['input', 'operation'],
      },
    );
  if (operation.effect === 'NON_IDEMPOTENT' && input.idempotencyKey == null && input.dryRun !== true)
    refuse('KEY_REQUIRED', `${operation.name} is not idempotent: send an idempotencyKey`, {
      field: ['input', 'idempotencyKey'],
    });
  const { args } = checked;
  const object =
    mapping === null
      ? operation.object(args)
      : { resource: mapping.resource, scope: mapping.scope, key: mapping.objectKey };
  const id = newUuid();
  const place = { backendId: backend.id, objectHash: objectHash(object) };
  const recordedAs = opener.recordedAs(operation, place);
  const rendering = { operationId: id, backend: contextOf(driver, backend), recordedAs };
  const render = (given: JsonObject) => operation.render(given, rendering);
  return {
    id,
    projectId: backend.projectId,
    backendId: backend.id,
    name: operation.name,
    object,
    objectHash: place.objectHash,
    effect: operation.effect,
    mapping: operation.mapping ?? null,
    idScopes: operation.idScopes?.(object.scope),
    addressedId: operation.addressedId?.(args),
    desired: opener.hashedDesired(operation, args, place),
    cmp,
    shared,
    forced: input.force === true,
    requestId,
    callerRequestId,
    operation,
    args,
    wire: render(args),
    secrets: opener.take({ id, operation, args, render }),
    deadlineMs: Math.min(input.deadlineMs ?? backend.deadlineMs, backend.deadlineMs),
    key: keyScope(request, backend.projectId, opener),
    requestedBy: identity?.name ?? '',
    timeline: backend.timeline,
    identity,
    action,
    input: shownInput(operation, input),
    backend,
    driver,
    rendering,
    waitMs: waitMsOf(request),
  };
}

/** Returns the role that the call needs, and the part of the call that needs it. Applies to a repetition too. */
export function neededRole({ action, input }: CallRequest): { readonly role: Role; readonly what: string } {
  return input.force === true ? { role: 'OPERATOR', what: 'force' } : { role: 'MEMBER', what: action };
}

/** For the audit trail. */
function shownInput(operation: DriverOperation, input: GeneralInput): CallRequest['input'] {
  const { arguments: args } = input;
  return isObject(args) ? ({ ...input, arguments: shownArguments(operation, args) } as GeneralInput) : input;
}

/** Of `relayCall`. */
type GeneralInput = CallRequest['input'] & { readonly arguments?: unknown };

/**
 * Returns null if the request has no key. Before the driver is known, any argument may be a secret, so the hash contains keyed
 * hashes of all arguments. Earlier versions used keyed hashes only for arguments with the name of a secret.
 */
export function keyScope({ action, input }: CallRequest, projectId: string, opener: SecretArguments): KeyScope | null {
  const key = input.idempotencyKey;
  if (key == null) return null;
  const keyed = (secret: string) => opener.hashes(secret, `request/${key}`);
  const scope = { scope: projectId, operation: action, key };
  const earlier = hashKeyedRequest(input, keyed);
  const { arguments: args } = input as GeneralInput;
  if (!isObject(args)) return { ...scope, ...earlier };
  const [requestHash = '', ...others] = keyed(canonicalJson(args)).map((hash) =>
    hashRequest({ ...input, arguments: hash }),
  );
  return { ...scope, requestHash, olderHashes: [...others, earlier.requestHash, ...(earlier.olderHashes ?? [])] };
}

export function waitMsOf({ input }: CallRequest): number {
  return input.waitMs ?? defaultWaitMs;
}
