// A call as a mutation asks for it, whatever the mutation: which backend, which of its driver's operations, and where a
// fault of an argument is in the mutation's input.
import { refuse, type UserError, userError } from '../../../platform/errors.ts';
import type { CmpObjectKey } from '../../../platform/graph/cmp-object.ts';
import { cmpObjectProblems } from '../../../platform/graph/cmp-object.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { BackendRow } from '../backends/backend-store.ts';
import type { BackendSelector } from '../backends/selector.ts';
import type { CmpReference } from '../cmp-reference.ts';
import type { BackendObject, Driver } from '../drivers/driver.ts';

export interface CmpObjectInput {
  readonly namespace?: string | null;
  readonly type: string;
  readonly externalId: string;
  readonly role?: string | null;
}

/** What all relaying mutations have in common. */
export interface CallInput {
  readonly idempotencyKey?: string | null;
  readonly projectId?: string | null;
  readonly cmpObject?: CmpObjectInput | null;
  readonly waitMs?: number | null;
  readonly deadlineMs?: number | null;
  readonly shared?: boolean | null;
  readonly force?: boolean | null;
  readonly dryRun?: boolean | null;
}

/** What a driver is to do. */
export interface PlannedCall {
  readonly operation: string;
  readonly arguments: unknown;
  /** Path of an argument in the mutation's input. */
  fieldOf(argumentPath: readonly string[]): readonly string[];
  /** INVALID_ARGUMENTS where the arguments are the input; INVALID_INPUT for typed mutations. */
  readonly faultCode: 'INVALID_ARGUMENTS' | 'INVALID_INPUT';
}

/** By selector, or by a mapping of ours that says backend and object. */
export type Target =
  | { readonly by: 'selector'; readonly selector: BackendSelector }
  | {
      readonly by: 'mapping';
      readonly backend: BackendRow;
      readonly object: BackendObject;
      readonly cmp: CmpReference;
      readonly shared: boolean;
    };

export interface CallRequest {
  /** The mutation's name. */
  readonly action: string;
  readonly input: CallInput;
  readonly keyRequired: boolean;
  /** Adds the faults of the mutation's own fields. */
  check(check: InputCheck): void;
  readonly selector: BackendSelector | null;
  /** Once the input is sound. May refuse. */
  target(): Promise<Target>;
  /** May refuse (NOT_SUPPORTED). */
  plan(driver: Driver): PlannedCall;
}

export function cmpReferenceOf(input: CmpObjectInput | null | undefined): CmpReference | null {
  if (input == null) return null;
  return {
    namespace: input.namespace ?? 'default',
    type: input.type,
    externalId: input.externalId,
    role: input.role ?? '',
  };
}

const rolePattern = /^[A-Za-z0-9._-]*$/;

export function checkCmpObject(check: InputCheck, input: CmpObjectInput | null | undefined): void {
  const cmp = cmpReferenceOf(input);
  if (cmp === null) return;
  const key: CmpObjectKey = cmp;
  for (const problem of cmpObjectProblems(key))
    check.fault(`cmpObject.${problem.field}`, problem.message, problem.code);
  const wants = 'letters, digits, dot, hyphen, underscore';
  check.text('cmpObject.role', cmp.role, { max: 63, pattern: rolePattern, wants });
}

export function checkCallInput(check: InputCheck, request: CallRequest): void {
  const { input } = request;
  check.idempotencyKey(input.idempotencyKey, { required: request.keyRequired && input.dryRun !== true });
  check.integer('waitMs', input.waitMs, { min: 0, max: 120_000 });
  check.integer('deadlineMs', input.deadlineMs, { min: 100, max: 600_000 });
  checkCmpObject(check, input.cmpObject);
  request.check(check);
}

/** The faults of a planned call's arguments, where the input has them. */
export function argumentFaults(
  plan: PlannedCall,
  faults: readonly { readonly path: readonly string[]; readonly message: string }[],
): UserError[] {
  return faults.map((fault) => {
    const field = plan.fieldOf(fault.path);
    return userError(plan.faultCode, `${field.slice(1).join('.') || plan.operation}: ${fault.message}`, { field });
  });
}

export function notSupported(driver: Driver, what: string): never {
  refuse('NOT_SUPPORTED', `driver ${driver.name} does not offer ${what}`);
}
