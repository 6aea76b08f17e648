// needs: processes
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import { missingPackages } from '../../../tools/check/missing-packages.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('missing packages are reported with the command that installs them', async () => {
  const root = folder.path;
  expect(await missingPackages(root, '.')).toEqual(['node_modules/zod is missing: npm ci --ignore-scripts']);
  expect(await missingPackages(root, 'dashboard')).toEqual([
    'dashboard/node_modules/react is missing: npm ci --ignore-scripts --prefix dashboard',
  ]);
  await mkdir(join(root, 'dashboard/node_modules/react'), { recursive: true });
  expect(await missingPackages(root, 'dashboard')).toEqual([]);
});

test('this checkout has everything that its checks need', async () => {
  expect(await missingPackages(join(import.meta.dirname, '../../..'), '.')).toEqual([]);
});

test('a checkout without its Node says so', async () => {
  await mkdir(join(folder.path, 'bin'));
  const program = join(folder.path, 'bin/node24');
  await runProgram('cp', [join(import.meta.dirname, '../../../bin/node24'), program]);
  const run = await runProgram('sh', [program, '--version']);
  expect(run.exitCode).toBe(127);
  expect(run.stderr).toMatch(/^node_modules\/node-linux-\w+ is missing: npm ci --ignore-scripts, in /);
});
