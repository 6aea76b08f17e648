// Refusals that several mutations share.
import { isDuplicateKey } from '../../platform/database/errors.ts';
import { refuse } from '../../platform/errors.ts';

/** Refuses with STALE_VERSION when the caller decided on another version than there is. */
export function refuseStale(expected: number | null | undefined, actual: number): void {
  if (expected == null || expected === actual) return;
  refuse('STALE_VERSION', `the version is ${actual}, not ${expected}: read it again, then decide`, {
    field: ['input', 'expectedVersion'],
  });
}

/** Refuses as an unknown id would be. */
export function refuseUnknown(type: string, field: string, id: string): never {
  refuse('NOT_FOUND', `no ${type} has the id ${JSON.stringify(id)}`, { field: ['input', field] });
}

/** Runs an insert; refuses with ALREADY_EXISTS when its name is taken. */
export async function refuseTaken(type: string, name: string, insert: Promise<void>): Promise<void> {
  try {
    await insert;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    refuse('ALREADY_EXISTS', `a ${type} named ${name} exists already`, { field: ['input', 'name'] });
  }
}
