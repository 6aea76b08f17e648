import { expect, test } from '@jest/globals';
import { graphChanges, shortDeprecations } from '../../../tools/release/graph-changes.ts';

const before = `
  type Query { a(first: Int = 20): Int b: Int state: State }
  enum State { ON OFF }
  input New { name: String }
`;

test('breaking changes, changed defaults, and additions, in this order', () => {
  const after = `
    type Query { a(first: Int = 10, after: String): Int state: State thing: Thing }
    type Thing { id: ID! }
    enum State { ON OFF IDLE }
    input New { name: String note: String }
  `;
  expect(graphChanges(before, after)).toEqual([
    '**Breaking:** Query.b was removed.',
    'Query.a(first:) has the default 10 and had 20.',
    'Query has a(after:), thing.',
    'Thing is new.',
    'State has IDLE.',
    'New has note.',
  ]);
});

test('a graph without changes', () => {
  expect(graphChanges(before, before)).toEqual([]);
});

test('a release promises new deprecated elements for six months, and keeps earlier promises', () => {
  const old = 'type Query { a: Int b: Int @deprecated(reason: "Use Query.a. Not removed before 2026-02-01.") c: Int }';
  const now = old.replace('c: Int', 'c: Int @deprecated(reason: "Use Query.a. Not removed before 2026-02-27.")');
  expect(shortDeprecations(old, now, '2025-08-31')).toEqual([
    'Query.c is deprecated until 2026-02-27; this release may promise no day before 2026-02-28.',
  ]);
  expect(shortDeprecations(old, now, '2025-08-27')).toEqual([]);
});
