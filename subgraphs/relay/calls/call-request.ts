// A call as a mutation asks for it, whatever the mutation: which backend, which of its driver's operations, and where a
// fault of an argument is in the mutation's input.
import type { BackendSelector, RelayCallInput } from '../../../generated/graph/relay.ts';
import { refuse, type UserError, userError } from '../../../platform/errors.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { BackendRow } from '../backends/backend.ts';
import { type CmpReference, checkCmpObject } from '../cmp-reference.ts';
import type { BackendObject, Driver } from '../drivers/driver.ts';

/** What all relaying mutations have in common. */
export type CallInput = Pick<
  RelayCallInput,
  'idempotencyKey' | 'projectId' | 'cmpObject' | 'waitMs' | 'deadlineMs' | 'shared' | 'force' | 'dryRun'
>;

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
