// Reasons why a device of the lab that is a real program in namespaces can't run here.
import { pathExists } from '../embedded/find-program.ts';

/** `paths`: programs and files that it needs. Undefined if nothing prevents it. */
export async function namespaceObstacle(paths: readonly string[]): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it needs Linux namespaces';
  if (process.getuid?.() !== 0) return 'its namespaces need root; start as root to have it';
  for (const path of paths) if (!(await pathExists(path))) return `${path} is missing`;
  return undefined;
}
