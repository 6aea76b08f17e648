// A release turns the section Unreleased of the changelog into its own.
import { expect, test } from '@jest/globals';
import { hasSection, releaseChangelog } from '../../../tools/release/changelog.ts';

const before = `# Changelog

What changed for users.

## [Unreleased]

Upgrade in the usual order.

### Fixed

- By hand.

### Known faults

- One.

## [0.1.0] - 2025-12-01

### Added

- The start.
`;
const entries = new Map([
  ['Fixed', ['By hand.', 'By commit']],
  ['Added', ['A pool']],
]);

test('hand-written text stays, lines of commits are added after it, and Unreleased is empty', () => {
  const { changelog, section } = releaseChangelog(before, { version: '0.2.0', date: '2026-01-31', entries });
  expect(section).toBe(
    'Upgrade in the usual order.\n\n### Added\n\n- A pool\n\n### Fixed\n\n- By hand.\n- By commit\n\n### Known faults\n\n- One.',
  );
  expect(changelog).toBe(
    `# Changelog\n\nWhat changed for users.\n\n## [Unreleased]\n\n## [0.2.0] - 2026-01-31\n\n${section}\n\n` +
      '## [0.1.0] - 2025-12-01\n\n### Added\n\n- The start.\n',
  );
});

test('the section of a final version includes those of its pre-releases', () => {
  const first = releaseChangelog(before, { version: '0.2.0-rc.1', date: '2026-01-01', entries });
  expect(hasSection(first.changelog, '0.2.0-rc.1')).toBe(true);
  const second = releaseChangelog(first.changelog, {
    ...{ version: '0.2.0', date: '2026-01-31' },
    entries: new Map([['Fixed', ['A late fault']]]),
  });
  expect(second.section).toBe(first.section.replace('- By commit', '- By commit\n- A late fault'));
  expect([hasSection(second.changelog, '0.2.0-rc.1'), hasSection(second.changelog, '0.1.0')]).toEqual([false, true]);
});

test('a release with an empty section is refused', () => {
  const empty = '# Changelog\n\n## [Unreleased]\n';
  const release = { version: '0.2.0', date: '2026-01-31', entries: new Map() };
  expect(() => releaseChangelog(empty, release)).toThrow('describe the release under "## [Unreleased]"');
  expect(() => releaseChangelog('# Changelog\n', release)).toThrow('no section');
});
