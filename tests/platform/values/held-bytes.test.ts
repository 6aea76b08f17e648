// The estimate, compared with V8's memory of parsed documents.
import { expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { heldBytes } from '../../../platform/values/held-bytes.ts';

test.each([
  ['fields', `{${' a'.repeat(100)} }`, 100 * 190],
  ['nested fields', `{${'ab{'.repeat(100)} a ${'}'.repeat(100)}}`, 100 * 285],
  ['a list', `{ a(b: [${'1,'.repeat(100)}1]) }`, 100 * 54],
])('%s: at least its real size, and at most twice that', (_, text, measured) => {
  const bytes = heldBytes(parse(text, { noLocation: true }));
  expect(bytes).toBeGreaterThanOrEqual(measured);
  expect(bytes).toBeLessThanOrEqual(2 * measured);
});

test("texts count with their length, and a node's location in the text does not count", () => {
  expect(heldBytes('x'.repeat(1000))).toBe(2000);
  expect(heldBytes(parse('{ a }'))).toBe(heldBytes(parse('{ a }', { noLocation: true })));
});
