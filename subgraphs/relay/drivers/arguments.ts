// Checks an operation's arguments against its JSON Schema (2020-12), fills in defaults, and says all faults at once.

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { canonicalAddressBlock } from '../../../platform/graph/scalars.ts';
import type { ArgumentFault, DriverOperation, JsonObject } from './driver.ts';

export type CheckedArguments =
  | { readonly ok: true; readonly args: JsonObject }
  | { readonly ok: false; readonly faults: readonly ArgumentFault[] };

const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true, strictRequired: false });
// Shown in published schemas; to others an unknown format is only a remark.
ajv.addFormat('address-block', (text: string) => canonicalAddressBlock(text) !== undefined);
const validators = new WeakMap<DriverOperation, ValidateFunction>();
const maxFaults = 20;

/** The arguments with defaults filled in (a copy), or every fault. Anything may be given. */
export function validateArguments(operation: DriverOperation, value: unknown): CheckedArguments {
  const args: unknown = structuredClone(value);
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    return { ok: false, faults: [{ path: [], message: 'must be an object' }] };
  }
  const validate = validatorOf(operation);
  if (!validate(args)) return { ok: false, faults: (validate.errors ?? []).slice(0, maxFaults).map(toFault) };
  const checked = args as JsonObject;
  const faults = operation.refine?.(checked) ?? [];
  return faults.length > 0 ? { ok: false, faults } : { ok: true, args: checked };
}

function validatorOf(operation: DriverOperation): ValidateFunction {
  let validate = validators.get(operation);
  if (!validate) {
    validate = ajv.compile(operation.argumentsSchema);
    validators.set(operation, validate);
  }
  return validate;
}

function toFault(error: ErrorObject): ArgumentFault {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  if (error.keyword === 'additionalProperties') {
    return {
      path: [...path, String(error.params.additionalProperty)],
      message: 'is not an argument of this operation',
    };
  }
  if (error.keyword === 'required') {
    return { path: [...path, String(error.params.missingProperty)], message: 'is required' };
  }
  return { path, message: error.message ?? 'is not valid' };
}

/** RFC 6901 section 4. */
function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
