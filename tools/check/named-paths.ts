// Files that modules name relative to themselves, such as a program to start, or a folder of migrations. The compiler does not check these names when
// a file moves.
import { join } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import type { SourceFile } from './source-files.ts';

/** Made from sources; a fresh checkout lacks them. */
const made = /^(?:generated|(?:dashboard|tools\/generate)\/(?:dist|node_modules)|node_modules|\.tidegate)(?:\/|$)/;

export async function findPathFaults(root: string, files: readonly SourceFile[]): Promise<string[]> {
  const named = files.flatMap(({ path, namedPaths }) => namedPaths.map((target) => ({ path, target })));
  const faults = await Promise.all(
    named.map(async ({ path, target }) => {
      if (made.test(target) || (await pathExists(join(root, target)))) return [];
      return [`${path} names ${target}, which does not exist`];
    }),
  );
  return faults.flat();
}
