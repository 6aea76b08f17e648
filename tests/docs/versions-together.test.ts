// The table of versions that work together (docs/operating.md, Upgrading): what it quotes is what the product says.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const text = (file: string) => readFile(join(root, file), 'utf8');

/** Which file refuses. */
const sources = [
  'platform/database/migrate.ts',
  'platform/database/registered-processes.ts',
  'compose/database-context.ts',
  'platform/link/link-server.ts',
];

test('every refusal that the table quotes is in the code', async () => {
  const [, section = ''] = (await text('docs/operating.md')).split('\n## Upgrading\n');
  const rows =
    section
      .split('\n## ')[0]
      ?.match(/^\| .*\|$/gm)
      ?.slice(1) ?? [];
  const quoted = rows.flatMap((row) => [...(row.split('|')[3] ?? '').matchAll(/`([^`]+)`/g)].map(([, words]) => words));
  const commands = new Set(['migrate', 'serve']);
  // By the library graphql.
  const refusals = quoted.filter((words = '') => !commands.has(words) && words !== 'Cannot query field');
  expect(refusals.length).toBe(4);
  const code = (await Promise.all(sources.map(text))).join('\n');
  for (const words of refusals) expect(code).toContain(words);
});
