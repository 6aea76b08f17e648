// The version in npm files.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withVersion } from '../../../tools/release/package-versions.ts';

const root = join(import.meta.dirname, '../../..');

test.each(['', 'dashboard/', 'tools/generate/'])(
  'only the versions of %jpackage.json and its lock file change',
  async (folder) => {
    const text = await readFile(join(root, folder, 'package.json'), 'utf8');
    const from = (JSON.parse(text) as { version: string }).version;
    expect(
      withVersion(text, from, '9.8.7')
        .split('\n')
        .filter((line) => !text.includes(line)),
    ).toEqual(['  "version": "9.8.7",']);
    const lock = await readFile(join(root, folder, 'package-lock.json'), 'utf8');
    const lines = lock.split('\n');
    const changed = withVersion(lock, from, '9.8.7')
      .split('\n')
      .filter((line, index) => line !== lines[index]);
    expect(changed).toEqual(['  "version": "9.8.7",', '      "version": "9.8.7",']);
  },
);

test('a file with another version, or none, is unchanged', () => {
  for (const text of ['{"version":"1.0.0"}', '{"private":true}'])
    expect(withVersion(text, '0.1.0', '0.2.0')).toBe(text);
});
