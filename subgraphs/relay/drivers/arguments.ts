// Checks an operation's arguments against its JSON Schema, and what the schema can't say.
import { type CheckedObject, validateObject } from '../../../platform/json-schema.ts';
import type { DriverOperation } from './driver.ts';

/** The arguments with defaults filled in (a copy), or all faults. Accepts any value. */
export function validateArguments(operation: DriverOperation, value: unknown): CheckedObject {
  const checked = validateObject(operation.argumentsSchema, value);
  if (!checked.ok) return checked;
  const faults = operation.refine?.(checked.args) ?? [];
  return faults.length > 0 ? { ok: false, faults } : checked;
}
