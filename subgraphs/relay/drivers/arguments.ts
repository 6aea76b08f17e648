// Checks an operation's arguments against its JSON Schema, and against rules that the schema can't express.
import { type CheckedObject, validateObject } from '../../../platform/input/json-schema.ts';
import type { BackendContext, DriverOperation } from './driver.ts';

/** The arguments with defaults filled in (a copy), or all faults. Accepts any value. `backend`: the backend of the call. */
export function validateArguments(operation: DriverOperation, value: unknown, backend?: BackendContext): CheckedObject {
  const checked = validateObject(operation.argumentsSchema, value);
  if (!checked.ok) return checked;
  const faults = operation.refine?.(checked.args, backend) ?? [];
  return faults.length > 0 ? { ok: false, faults } : checked;
}
