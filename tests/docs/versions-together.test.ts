// The table of versions that work together (docs/operating.md, Upgrading): what it quotes is what the product says.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { lastRelease } from '../../platform/database/migration-plan.ts';

const root = join(import.meta.dirname, '../..');
const text = (file: string) => readFile(join(root, file), 'utf8');

/** Which file refuses. */
const sources = [
  'platform/database/migration-faults.ts',
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
  const commands = new Set(['migrate', 'upgrade', 'serve']);
  // By the library graphql.
  const refusals = quoted.filter((words = '') => !commands.has(words) && words !== 'Cannot query field');
  expect(refusals.length).toBe(4);
  const code = (await Promise.all(sources.map(text))).join('\n');
  for (const words of refusals) expect(code).toContain(words);
});

test('the last release, to which an upgrade can go back, is that of the changelog', async () => {
  const [unreleased = '', ...released] = (await text('CHANGELOG.md')).split(/^## \[/m).slice(1);
  const versions = released.map((section) => section.split(']', 1)[0]);
  // In the commit of a release nothing is unreleased, and the release before counts.
  const [newest, beforeIt] = versions;
  expect(lastRelease.version).toBe(/^- /m.test(unreleased) ? newest : beforeIt);
  expect(await readdir(join(root, 'prisma/migrations/platform'))).toContain(lastRelease.newestMigration);
});
