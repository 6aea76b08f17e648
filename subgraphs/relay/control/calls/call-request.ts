// A relaying mutation's call in general form: its backend, the operation of its driver, and where a fault of an argument is in
// the mutation's input.
import type { BackendSelector, RelayCallInput } from '../../../../generated/graph/relay.ts';
import { refuse, type UserError, userError } from '../../../../platform/errors/errors.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import type { Driver } from '../../drivers/driver.ts';
import type { MappingRow } from '../mappings/mapping.ts';

/** The common input of all relaying mutations. */
export type CallInput = Pick<
  RelayCallInput,
  'idempotencyKey' | 'projectId' | 'cmpObject' | 'waitMs' | 'deadlineMs' | 'shared' | 'force' | 'dryRun'
>;

/** A call as a driver's operation with its arguments. */
export interface PlannedCall {
  readonly operation: string;
  readonly arguments: unknown;
  /** Path of an argument in the mutation's input. */
  fieldOf(argumentPath: readonly string[]): readonly string[];
  /** INVALID_ARGUMENTS where the arguments are the input; INVALID_INPUT for typed mutations. */
  readonly faultCode: 'INVALID_ARGUMENTS' | 'INVALID_INPUT';
}

/** By selector, or by a mapping of the relay (its global id), which determines backend and object. */
type BackendSelection =
  | { readonly by: 'selector'; readonly selector: BackendSelector }
  | { readonly by: 'mapping'; readonly mappingId: string };

/** A mutation's call, before anything is read. */
export interface CallRequest {
  /** The mutation's name. */
  readonly action: string;
  readonly input: CallInput;
  readonly keyRequired: boolean;
  readonly backendSelection: BackendSelection;
  /** Adds the faults of the mutation's own fields. */
  check(check: InputCheck): void;
  /** For the driver of the chosen backend. `mapping`: the selected one. May refuse (NOT_SUPPORTED, WRONG_STATE). */
  plan(driver: Driver, mapping: MappingRow | null): PlannedCall;
}

/** The faults of a planned call's arguments, with their paths in the input. */
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
