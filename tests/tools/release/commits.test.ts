// Which commits become lines of the changelog.
import { expect, test } from '@jest/globals';
import { type Commit, entriesOf } from '../../../tools/release/commits.ts';

let count = 0;
function commit(subject: string, body = ''): Commit {
  count += 1;
  return { hash: String(count).padStart(40, '0'), subject, body };
}
const listed = (...commits: Commit[]) => Object.fromEntries(entriesOf(commits));

test('features and fixes are listed once each, and nothing else is', () => {
  const others = ['perf', 'refactor', 'docs', 'test', 'build', 'chore', 'style', 'bench'].map((type) =>
    commit(`${type}: a change`),
  );
  expect(
    listed(
      ...[...others, commit('feat: pools have a weight'), commit('fix: a pool is deleted once')],
      ...[commit('feat(gslb): names have an age'), commit('fix: a pool is deleted once'), commit('Merge a branch')],
    ),
  ).toEqual({ Added: ['Pools have a weight', 'gslb: names have an age'], Fixed: ['A pool is deleted once'] });
});

test('a breaking change is marked, whatever its type, with the footer on one line', () => {
  expect(
    listed(
      commit('feat!: a token ends with its user'),
      commit(
        'refactor: settings have units',
        'Why.\n\nBREAKING CHANGE: write `timeoutMs`\ninstead of `timeout`.\n\nRefs: 1',
      ),
    ),
  ).toEqual({
    Changed: [
      '**Breaking:** A token ends with its user',
      '**Breaking:** Settings have units. write `timeoutMs` instead of `timeout`.',
    ],
  });
});

test('a feature that was reverted in the same release is not listed', () => {
  const feature = commit('feat: pools have a colour');
  expect(listed(feature, commit('Revert "feat: pools have a colour"', `This reverts commit ${feature.hash}.`))).toEqual(
    {},
  );
});
