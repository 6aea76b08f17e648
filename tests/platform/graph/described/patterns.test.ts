// Each text format that a described kind accepts has its own description. Without it a refusal would give a wrong reason.
import { expect, test } from '@jest/globals';
import { wantsOf } from '../../../../platform/graph/described/patterns.ts';
import { textField } from '../../../../platform/graph/fields.ts';
import { checkTypes } from '../../../../subgraphs/gslb/spec/check-types.ts';
import { describedKinds } from '../../../../subgraphs/gslb/spec/kinds.ts';
import { partKinds } from '../../../../subgraphs/loadbalancer/spec/parts.ts';

/** The patterns of all schemas in the value, at any depth. */
function patternsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'pattern' in value && typeof value.pattern === 'string' ? [value.pattern] : [];
  return [...own, ...Object.values(value).flatMap(patternsIn)];
}

const plainText = wantsOf('a pattern that nothing has');
const ofPlainText = new Set(patternsIn(textField('Any text.', 10)));

test.each([
  ['GSLB', describedKinds.flatMap(({ fields }) => Object.values(fields).map(({ schema }) => schema))],
  ['checks', Object.values(checkTypes)],
  [
    'load balancers',
    Object.values(partKinds).flatMap(({ fields }) => Object.values(fields).map(({ schema }) => schema)),
  ],
])('patterns of %s', (_name, schemas) => {
  const patterns = [...new Set(patternsIn(schemas))].filter((each) => !ofPlainText.has(each));
  expect(patterns.length).toBeGreaterThan(1);
  expect(patterns.filter((each) => wantsOf(each) === plainText)).toEqual([]);
});
