// Which name is meant by one that is not known.
import { expect, test } from '@jest/globals';
import { nearestName } from '../../../platform/values/nearest-name.ts';

test.each([
  ['lab-firewal', ['lab-router1', 'lab-firewall', 'lab-firewall-2'], 'lab-firewall'],
  ['--lisener', ['--label', '--listener', '--limit'], '--listener'],
  // Two neighbours exchanged are one mistake.
  ['lsit', ['list', 'last'], 'list'],
  ['LAB', ['lab', 'lad'], 'lab'],
  ['ab', ['ac', 'xy'], 'ac'],
  ['x', ['y'], 'y'],
  ['production', ['development'], undefined],
  ['web', ['database', 'cache'], undefined],
  // What is there is not what was meant instead of it.
  ['same', ['same'], undefined],
  ['', ['a', 'ab'], 'a'],
  ['name', [], undefined],
  ['n'.repeat(300), ['n'.repeat(299)], undefined],
])('%s', (given, names, expected) => {
  expect(nearestName(given, names)).toBe(expected);
});
