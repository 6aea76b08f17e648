// The files that a file imports, loads and starts, read from its text. `npm run check` compares this with the parser for every file.
import { expect, test } from '@jest/globals';
// @ts-expect-error It has no types.
import { parseSource as untyped } from '../../../tools/tests/imports.mjs';

interface Source {
  readonly imports: readonly string[];
  readonly loads: readonly string[];
  readonly starts: readonly string[];
  readonly needs: readonly string[];
}
const parseSource = untyped as unknown as (path: string, text: string, paths: ReadonlySet<string>) => Source;

/** The text is put together here, because otherwise it would be a need of this file. */
const needs = ['//', 'needs: haproxy, root'].join(' ');

test('imports that are not erased remain', () => {
  const text = `
${needs}
import { a } from './a.ts';
import type { B } from './b.ts';
import {
  c,
  type D,
} from '../c.ts';
import './e.ts';
import { readFile } from 'node:fs/promises';
export * from './f.ts';
export type { G } from './g.ts';
const load = () => import('./h.ts');
const program = new URL('./i.ts', import.meta.url);
const beside = join(import.meta.dirname, 'j.ts');
const above = join(import.meta.dirname, '..', 'k', 'l.ts');
`;
  const paths = ['x/a.ts', 'x/b.ts', 'c.ts', 'x/e.ts', 'x/f.ts', 'x/g.ts', 'x/h.ts', 'x/i.ts', 'x/j.ts', 'k/l.ts'];
  expect(parseSource('x/test.ts', text, new Set(paths))).toEqual({
    imports: ['x/a.ts', 'c.ts', 'x/e.ts', 'x/f.ts'],
    loads: ['x/h.ts'],
    starts: ['x/i.ts', 'x/j.ts', 'k/l.ts'],
    needs: ['haproxy', 'root'],
  });
});
