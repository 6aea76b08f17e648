import { expect, test } from '@jest/globals';
import { findMissingFiles } from '../../../tools/check/subgraph-files.ts';

const sdl = 'schema/NAME.graphql';
const row = 'row named NAME in subgraphs/rows.ts';

test('a composed subgraph without a row is reported with its missing parts', () => {
  expect(findMissingFiles({ [sdl]: ['ipam', 'relay'], folder: ['ipam', 'relay'], [row]: ['relay'] })).toEqual([
    'the subgraph ipam has no row named ipam in subgraphs/rows.ts',
  ]);
  expect(findMissingFiles({ [sdl]: ['relay'], folder: ['relay'], [row]: ['relay', 'ipan'] })).toEqual([
    'the subgraph ipan has no schema/ipan.graphql, no folder',
  ]);
  expect(findMissingFiles({ [sdl]: ['relay'], folder: ['relay'], [row]: ['relay'] })).toEqual([]);
});

test('an unfinished subgraph may lack parts, and must leave that list once it has all parts', () => {
  const begun = new Set(['gslb']);
  expect(findMissingFiles({ [sdl]: ['relay'], folder: ['relay', 'gslb'], [row]: ['relay'] }, begun)).toEqual([]);
  expect(findMissingFiles({ [sdl]: ['gslb'], folder: ['gslb'], [row]: ['gslb'] }, begun)).toEqual([
    'the subgraph gslb has all its parts: it is not only begun',
  ]);
});
