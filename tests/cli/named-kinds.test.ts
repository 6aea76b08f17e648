// The kinds with names are nouns of the command line, and none that can be searched by name is missing.
import { expect, test } from '@jest/globals';
import { namedKinds } from '../../cli/named-kinds.ts';
import { nouns } from '../../cli/table.ts';
import { registry } from '../../generated/kinds/registry.ts';

const kinds = Object.values(registry.kinds);

test.each(Object.entries(namedKinds))('%s is a noun, and a kind with that list', (noun, { list, name, inProject }) => {
  expect(nouns).toHaveProperty([noun]);
  const kind = kinds.find((each) => each.noun === noun);
  expect(kind?.list?.field).toBe(list);
  expect(kind?.output.map((field) => field.name)).toContain(name);
  expect(kind?.list?.filters.some((filter) => filter.name === 'projectId')).toBe(inProject);
});

test('every kind whose list accepts part of a name is included', () => {
  const searched = kinds.filter(({ list }) => list?.filters.some(({ name }) => name === 'text'));
  expect(Object.keys(namedKinds).sort()).toEqual(searched.map(({ noun }) => noun).sort());
});
