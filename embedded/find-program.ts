// Paths of system programs: packages install servers in sbin folders, which a user's PATH often lacks.

import { access } from 'node:fs/promises';
import { SetupError } from './setup-error.ts';

/** The first existing path. Throws SetupError PROGRAM_MISSING. */
export async function findProgram(name: string, places: readonly string[]): Promise<string> {
  for (const place of places) if (await pathExists(place)) return place;
  throw new SetupError(
    'PROGRAM_MISSING',
    `The program "${name}" is missing (looked at ${places.join(', ')}). "npm start" installs it, or says how.`,
  );
}

export function pathExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
