// Versions and their order.
import { expect, test } from '@jest/globals';
import { compareVersions, parseVersion } from '../../../tools/release/semver.ts';

test.each([
  '1',
  '1.2',
  '1.2.3.4',
  'v1.2.3',
  '01.2.3',
  '1.2.3-',
  '1.2.3-rc..1',
  '1.2.3-01',
  '1.2.3+build',
  ' 1.2.3',
  '1.2.3\n',
])('%j is not a version', (text) => expect(parseVersion(text)).toBeUndefined());

test('versions are sorted as in semver.org, item 11', () => {
  const inOrder = [
    ...['0.1.0', '0.2.0-alpha', '0.2.0-alpha.1', '0.2.0-alpha.beta', '0.2.0-beta', '0.2.0-beta.2', '0.2.0-beta.11'],
    ...['0.2.0-rc.1', '0.2.0', '0.2.1', '0.10.0', '1.0.0-0', '1.0.0', '10.0.0'],
  ];
  const parsed = inOrder.map((text) => {
    const version = parseVersion(text);
    if (version === undefined) throw new Error(text);
    return version;
  });
  for (const [index, a] of parsed.entries())
    for (const [other, b] of parsed.entries())
      expect([inOrder[index], inOrder[other], Math.sign(compareVersions(a, b))]).toEqual([
        inOrder[index],
        inOrder[other],
        Math.sign(index - other),
      ]);
});
