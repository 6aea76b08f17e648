// The good first changes of CONTRIBUTING.md are still open: each row names a file, and a line of it where the change begins.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from './check.ts';

const page = 'CONTRIBUTING.md';
const heading = '## Good first changes';

/** `textOf` gives the text of a file; undefined if there is none. */
export async function findFirstChangeFaults(
  contributing: string,
  textOf: (path: string) => Promise<string | undefined>,
): Promise<string[]> {
  const [, section = ''] = contributing.split(`\n${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);
  if (rows.length === 0) return [`${page} has no table under "${heading}"`];
  const faults = rows.map(async (row) => {
    const [, path, line] = /\| `([^`]+)` \| `([^`]+)` \|$/.exec(row) ?? [];
    if (path === undefined || line === undefined) return [`${page}: this row names no file and line: ${row}`];
    const text = await textOf(path);
    if (text === undefined) return [`${page}: there is no ${path}`];
    return text.includes(line) ? [] : [`${page}: ${path} has no ${line}: take the row away`];
  });
  return (await Promise.all(faults)).flat();
}

export const firstChangesCheck: Check = {
  name: 'good first changes are still open',
  run: async ({ root }) => {
    const textOf = (path: string) => readFile(join(root, path), 'utf8').catch(() => undefined);
    return findFirstChangeFaults((await textOf(page)) ?? '', textOf);
  },
};
