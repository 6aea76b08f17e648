// Exports that no other file imports.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile } from './source-files.ts';
import { covers } from './top-folders.ts';

/** Exports that generated code imports, as `PATH#NAME`. codegen.yml and schema/NAME.mappers.yml name them. */
export async function readNamedInYaml(root: string): Promise<Set<string>> {
  const schema = (await readdir(join(root, 'schema'))).filter((name) => name.endsWith('.mappers.yml'));
  const texts = await Promise.all(
    ['codegen.yml', ...schema.map((name) => join('schema', name))].map((path) => readFile(join(root, path), 'utf8')),
  );
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/([\w-]+\/[\w./-]+\.tsx?#\w+)/g)].map((each) => each[1] ?? '')),
  );
}

/** Files that no other file imports, with the reason. */
const entryPoints: Readonly<Record<string, string>> = {
  'tests/dashboard/page/sites/page.tsx': 'a test adds it to the dashboard',
};

/** `alsoUsed`: further exports that are used, as `PATH#NAME`. */
export function findUnusedExports(files: readonly SourceFile[], alsoUsed: ReadonlySet<string>): string[] {
  const used = new Set(alsoUsed);
  for (const { imports } of files)
    for (const { ours, target, names } of imports) if (ours) for (const name of names) used.add(`${target}#${name}`);
  return files
    .filter(({ path }) => covers('exports', path) && !(path in entryPoints) && !used.has(`${path}#*`))
    .flatMap(({ path, exports }) =>
      exports
        .filter((name) => !used.has(`${path}#${name}`))
        .map(
          (name) =>
            `${path} exports ${name}, which no other file imports: remove the export, or the code if it is dead`,
        ),
    );
}
