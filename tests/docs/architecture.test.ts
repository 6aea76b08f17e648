// The table of folders in docs/architecture.md names every top-level folder, and no other.
// needs: git
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');

test('the table of folders names every top-level folder, and no other', async () => {
  const { stdout } = await promisify(execFile)('git', ['ls-files'], { cwd: root, maxBuffer: 2 ** 24 });
  const folders = stdout.split('\n').flatMap((path) => /^([a-z]\w*)\//.exec(path)?.[1] ?? []);
  const page = await readFile(join(root, 'docs', 'architecture.md'), 'utf8');
  const [table = ''] = page.split('\n## ');
  const named = [...table.matchAll(/^\| `([a-z]+)\/` \|/gm)].map((match) => match[1]);
  expect(named.toSorted()).toEqual([...new Set(folders)].sort());
});
