// Lock files of the software that benchmarks compare with have one line for each package, and lose no content.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { compactLock } from '../../tools/compact-lock.ts';

test('each package has one line, and the content is the same', () => {
  const lock = {
    ...{ name: 'peer', lockfileVersion: 3, requires: true },
    packages: {
      '': { name: 'peer', dependencies: { a: '1.0.0' } },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-"\\', bin: { a: 'a.js' }, cpu: ['x64', '!arm'] },
    },
  };
  const compact = compactLock(JSON.stringify(lock, null, 2));
  expect(JSON.parse(compact)).toEqual(lock);
  expect(compact.split('\n')).toHaveLength(10);
  expect(compactLock(compact)).toBe(compact);
});

test.each(['hive', 'grafbase'])('the lock file of %s is compact', async (peer) => {
  const text = await readFile(join(import.meta.dirname, '../../bench/gateway', peer, 'package-lock.json'), 'utf8');
  expect(text).toBe(compactLock(text));
});
