import { expect, test } from '@jest/globals';
import { findDependencyFaults, isFree } from '../../../tools/check/dependencies.ts';

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0)', true],
  ['Apache-2.0 AND MIT', true],
  ['MIT AND GPL-3.0', false],
  ['Elastic-2.0', false],
  [undefined, false],
])('%s alone allows a package: %s', (licence, expected) => {
  expect(isFree(licence)).toBe(expected);
});

const page = '| `odd` | GPL-3.0 | because |\n| `pinned` | 1.2.3 | because |\n';
const faultsOf = (
  packages: Record<string, { license?: string; dev?: boolean }>,
  overrides: Record<string, string> = {},
) => findDependencyFaults(page, [{ folder: '.', lock: { packages }, overrides }]);

test('a licence without an explanation is a fault, anywhere in the tree', () => {
  expect(faultsOf({ '': {}, 'node_modules/a/node_modules/@b/c': { license: 'GPL-3.0' } })).toEqual([
    expect.stringContaining('@b/c is under GPL-3.0'),
  ]);
  expect(faultsOf({ 'node_modules/c': {} })).toEqual([expect.stringContaining('c is under no licence that is named')]);
});

test('an explained licence is no fault, including builds of the package for platforms', () => {
  expect(faultsOf({ 'node_modules/odd': { license: 'GPL-3.0' }, 'node_modules/odd-linux-x64': {} })).toEqual([]);
});

test('the Elastic License is allowed for development only, with or without an explanation', () => {
  expect(faultsOf({ 'node_modules/odd': { license: 'Elastic-2.0' } })).toEqual([
    expect.stringContaining('odd is under Elastic-2.0: it may only be for development'),
  ]);
  expect(faultsOf({ 'node_modules/odd': { license: 'Elastic-2.0', dev: true } })).toEqual([]);
});

test('an override is explained with its version', () => {
  expect(faultsOf({}, { pinned: '1.2.3' })).toEqual([]);
  expect(faultsOf({}, { pinned: '1.2.4' })).toEqual([expect.stringContaining('why pinned is overridden with 1.2.4')]);
});
