// Detection of a read-only file system, mounted in a mount namespace of the test's own.
// needs: root
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { mustBeWritable } from '../../../platform/database/writable-folder.ts';
import { forFile } from '../../support/jest/shared.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;
const folder = forFile(() => temporaryFolder());

test('a writable folder is not read-only', () => {
  expect(() => mustBeWritable(folder.path)).not.toThrow();
  expect(() => mustBeWritable(`${folder.path}/not-there`)).not.toThrow();
});

testAsRoot('a file system that is mounted read-only says so, also to root', async () => {
  const module = JSON.stringify(new URL('../../../platform/database/writable-folder.ts', import.meta.url).href);
  const program = `const { mustBeWritable } = await import(${module});
    try { mustBeWritable(process.argv[1]); } catch ({ message }) { console.log(message); }`;
  const script = 'mount -t tmpfs -o ro none "$1" && exec "$2" --input-type=module --eval "$3" "$1"';
  const args = ['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', folder.path, process.execPath, program];
  const { stdout } = await promisify(execFile)('unshare', args, { timeout: 60_000 });
  expect(stdout.trim()).toBe(
    `the file system of ${folder.path} is read-only: look for errors of its disk, then mount it again`,
  );
});
