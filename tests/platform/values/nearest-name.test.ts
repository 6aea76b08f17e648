// Suggestions for an unknown name.
import { expect, test } from '@jest/globals';
import { nearestName } from '../../../platform/values/nearest-name.ts';

test.each([
  ['lab-firewal', ['lab-router1', 'lab-firewall', 'lab-firewall-2'], 'lab-firewall'],
  ['--lisener', ['--label', '--listener', '--limit'], '--listener'],
  // Two swapped neighbours count as one mistake.
  ['lsit', ['list', 'last'], 'list'],
  ['LAB', ['lab', 'lad'], 'lab'],
  ['ab', ['ac', 'xy'], 'ac'],
  ['x', ['y'], 'y'],
  ['production', ['development'], undefined],
  ['web', ['database', 'cache'], undefined],
  // A name that exists is not a suggestion for itself.
  ['same', ['same'], undefined],
  ['', ['a', 'ab'], 'a'],
  ['name', [], undefined],
  ['n'.repeat(300), ['n'.repeat(299)], undefined],
])('%s', (given, names, expected) => {
  expect(nearestName(given, names)).toBe(expected);
});
