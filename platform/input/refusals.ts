// Refusals shared by the mutations of all domains.
import { isDuplicateKey } from '../errors/database-errors.ts';
import { refuse, unknownId } from '../errors/errors.ts';

/**
 * Refuses NOT_FOUND an object that does not exist, or that the caller may not see. `type`: its name in the graph; `field`: of the
 * input, with dots.
 */
export function refuseUnknown(type: string, field: string, id: string): never {
  refuse('NOT_FOUND', unknownId(type, id), { field: ['input', ...field.split('.')] });
}

interface Versioned {
  readonly version: number;
  /** Its version after the last change of its settings. Left out where every new version is one. */
  readonly settingsVersion?: number;
}

/** Refuses STALE_VERSION when the settings changed after the caller's version. A change of status alone refuses nobody. */
export function refuseStale(
  expected: number | null | undefined,
  { version, settingsVersion = version }: Versioned,
): void {
  if (expected == null || (expected >= settingsVersion && expected <= version)) return;
  refuse('STALE_VERSION', `the version is ${version}, not ${expected}: read the object again, then decide`, {
    field: ['input', 'expectedVersion'],
  });
}

/** Waits for an insert; refuses ALREADY_EXISTS when its name is taken. `type`: in words, for example project. */
export async function refuseTaken<Result>(type: string, name: string, insert: Promise<Result>): Promise<Result> {
  try {
    return await insert;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    refuse('ALREADY_EXISTS', `a ${type} named ${name} already exists`, { field: ['input', 'name'] });
  }
}
