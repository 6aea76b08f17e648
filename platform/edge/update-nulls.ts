// Refuses a null in an update where the object always has a value: it would be ignored, or would set something that nobody asked for.
import { neverNull } from '../../generated/kinds/update-nulls.ts';
import type { InputCheck } from '../input/input.ts';

/** Adds a fault for each. Mutations that update nothing have none. */
export function checkNulls(check: InputCheck, mutation: string, input: object): void {
  for (const path of neverNull[mutation] ?? []) {
    if (at(input, path.split('.')) !== null) continue;
    check.fault(path, `${path} is null, and can't be cleared: leave it out to keep its value`);
  }
}

function at(input: unknown, path: readonly string[]): unknown {
  let value = input;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
