// What keeps a device of the lab that is a real program in namespaces from running here.
import { pathExists } from '../embedded/find-program.ts';

/** `paths`: of programs and files that it needs. Undefined: nothing. */
export async function namespaceObstacle(paths: readonly string[]): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it needs Linux namespaces';
  if (process.getuid?.() !== 0) return 'its namespaces need root; start as root to have it';
  for (const path of paths) if (!(await pathExists(path))) return `${path} is missing`;
  return undefined;
}
