// The packages of a lock file that a running server needs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
// @ts-expect-error It has no types: the bootstrap runs it before any package is there.
import * as untyped from '../../bin/boot/run-time-packages.mjs';

const { notNeededToRun } = untyped as unknown as { notNeededToRun(packages: object): string[] };

test('optional peers and devDependencies are not needed; nested packages are found as Node finds them', () => {
  const packages = {
    '': { dependencies: { a: '1' }, optionalDependencies: { native: '1' }, devDependencies: { tool: '1' } },
    'node_modules/a': {
      dependencies: { b: '2' },
      peerDependencies: { needed: '1', tool: '1' },
      peerDependenciesMeta: { tool: { optional: true } },
    },
    'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
    'node_modules/b': {},
    'node_modules/c': {},
    'node_modules/native': {},
    'node_modules/needed': {},
    'node_modules/tool': { dependencies: { b: '1', d: '1' } },
    'node_modules/d': {},
  };
  expect(notNeededToRun(packages).sort()).toEqual(['node_modules/b', 'node_modules/d', 'node_modules/tool']);
});

test("a server needs neither Prisma's command line nor a compiler, and all of its dependencies", async () => {
  const lock = await readFile(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lock) as { packages: Record<string, { dependencies?: Record<string, string> }> };
  const removed = notNeededToRun(packages);
  for (const name of ['prisma', 'typescript', 'jest']) expect(removed).toContain(`node_modules/${name}`);
  for (const name of Object.keys(packages['']?.dependencies ?? {}))
    expect(removed).not.toContain(`node_modules/${name}`);
});
