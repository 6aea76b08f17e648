// A package-lock.json with one line for each package: a tenth of the lines of npm's form, with the same content, and a review of a new version shows
// one line for each package that changed. For the peers of benchmarks, which only `npm ci` reads; `npm install` there writes npm's form again.
//
//     npm install --prefix bench/gateway/hive --package-lock-only && sh bin/node24 tools/compact-lock.ts bench/gateway/hive
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `text`: a lock file of any form. */
export function compactLock(text: string): string {
  const { packages, ...head } = JSON.parse(text) as { readonly packages: Readonly<Record<string, object>> };
  const lines = Object.entries(head).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  const rows = Object.entries(packages).map(
    ([path, locked]) => `    ${JSON.stringify(path)}: ${JSON.stringify(locked)}`,
  );
  return `{\n${lines.join('\n')}\n  "packages": {\n${rows.join(',\n')}\n  }\n}\n`;
}

if (import.meta.main) {
  const folders = process.argv.slice(2);
  if (folders.length === 0) throw new Error('usage: compact-lock.ts FOLDER…');
  for (const path of folders.map((folder) => join(folder, 'package-lock.json')))
    await writeFile(path, compactLock(await readFile(path, 'utf8')));
}
