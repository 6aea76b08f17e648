// The file of every benchmark and trial is found in its table.
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { benches } from '../../../bench/tables.ts';
// @ts-expect-error It has no types.
import { fileOfBench as untyped } from '../../../tools/tests/benches.mjs';
// @ts-expect-error It has no types.
import { Sources } from '../../../tools/tests/imports.mjs';
import { trials } from '../../../trials/tables.ts';

const sources = new Sources(join(import.meta.dirname, '../../..'));
const fileOfBench = untyped as (sources: unknown, kind: string, name: string) => string | undefined;

test.each([
  ['bench', benches],
  ['trials', trials],
])('each name of %s has a file', (kind, table) => {
  for (const name of Object.keys(table))
    expect([name, sources.paths.has(fileOfBench(sources, kind, name))]).toEqual([name, true]);
});

test('the same name can be a benchmark and a different trial, and an unknown name is neither', () => {
  expect(fileOfBench(sources, 'bench', 'objects')).not.toBe(fileOfBench(sources, 'trials', 'objects'));
  expect(fileOfBench(sources, 'bench', 'nothing')).toBeUndefined();
});
