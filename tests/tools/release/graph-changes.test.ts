import { expect, test } from '@jest/globals';
import { graphChanges } from '../../../tools/release/graph-changes.ts';

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
    'Query.a arg first has changed defaultValue from 20 to 10.',
    'Query has a(after:), thing.',
    'Thing is new.',
    'State has IDLE.',
    'New has note.',
  ]);
});

test('nothing changed', () => {
  expect(graphChanges(before, before)).toEqual([]);
});
