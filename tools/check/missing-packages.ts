// The npm packages that a check needs, named with the command that installs them, before anything is imported from them.
import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** For each folder with packages, a package that only a whole installation has. */
const marks = {
  '.': ['node_modules/zod', 'node_modules/typescript', 'node_modules/@biomejs/biome', 'node_modules/prisma'],
  'tools/generate': ['tools/generate/node_modules/@graphql-codegen/cli'],
  dashboard: ['dashboard/node_modules/react'],
} as const;

/** The fault of a folder with missing packages, or none. A start of the product removes packages that are only for builds. */
export async function missingPackages(root: string, folder: keyof typeof marks): Promise<string[]> {
  for (const path of marks[folder]) {
    const isThere = await access(join(root, path)).then(
      () => true,
      () => false,
    );
    const command = folder === '.' ? 'npm ci --ignore-scripts' : `npm ci --ignore-scripts --prefix ${folder}`;
    if (!isThere) return [`${path} is missing: ${command}`];
  }
  return [];
}
