// The line counts that CI prints for a source tree, tested on a small repository.
// needs: git
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { kindOf, linesOf, reportOfLines } from '../../../tools/ci/lines.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

const run = promisify(execFile);

test.each([
  ['platform/net/names.ts', 'product'],
  ['schema/system.graphql', 'product'],
  ['simulators/neo/neo.ts', 'proof'],
  ['tests/platform/net/names.test.ts', 'proof'],
  ['docs/examples/backend.json', 'docs'],
  ['README.md', 'docs'],
  ['schema/released/0.2.0.graphql', 'generated'],
  ['bench/gateway/hive/package-lock.json', 'generated'],
  ['docs/pictures/dashboard-light.png', 'generated'],
  ['.ci/run', 'tools'],
  ['package.json', 'tools'],
])('%s is %s', (path, kind) => {
  expect(kindOf(path)).toBe(kind);
});

test('counts lines of a commit, whatever is in the files, even in a shallow clone', async () => {
  const folder = await temporaryFolder();
  try {
    const root = join(folder.path, 'clone');
    const git = (...words: string[]) =>
      run('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.test', ...words], { cwd: root });
    const write = async (path: string, text: string | Buffer) => {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    };
    await run('git', ['init', '--quiet', root]);
    await write('platform/old.ts', 'one\n');
    await git('add', '.');
    await git('commit', '--quiet', '--message', 'old');
    await write('platform/a b.ts', 'one\ntwo\nthree without an end');
    await write('platform/empty.ts', '');
    await write('tests/a.test.ts', 'ä\n\n\n');
    await write('docs/pictures/a.png', Buffer.from([0, 10, 255, 10, 10, 0]));
    await write('tools/ci/released-lines.json', '{\n}\n');
    await write('README.md', '# A\n');
    await git('add', '.');
    await git('commit', '--quiet', '--message', 'new');
    await write('platform/not-committed.ts', 'one\n');
    const shallow = join(folder.path, 'shallow');
    await run('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, shallow]);
    for (const place of [root, shallow])
      expect(await linesOf(place, 'HEAD')).toEqual({
        ...{ product: { platform: 3 }, proof: { tests: 3 }, docs: { '(root)': 1 } },
        ...{ generated: { docs: 3 }, tools: {} },
      });
  } finally {
    await folder.remove();
  }
});

const none = { product: {}, proof: {}, docs: {}, generated: {}, tools: {} };

test('folders are listed under their kind, the largest first, with the change since the release', () => {
  const now = { ...none, product: { cli: 5, platform: 70 }, proof: { tests: 9 } };
  const lines = { ...none, product: { cli: 5, platform: 80, gone: 2 } };
  const report = reportOfLines(now, { version: '0.2.0', lines });
  expect(report.map((line) => line.replace(/ +/g, ' '))).toEqual([
    'Lines, and since 0.2.0:',
    ...['product 75 -12', ' platform 70 -10', ' cli 5 +0', ' gone 0 -2', 'proof 9 +9', ' tests 9 +9'],
    ...['docs 0 +0', 'generated 0 +0', 'tools 0 +0', 'all 84 -3'],
  ]);
});

test("without a release's figures, only the current ones are shown", () => {
  const report = reportOfLines({ ...none, docs: { docs: 4 } }, undefined);
  expect(report[0]).toBe('Lines:');
  expect(report.at(-1)?.replace(/ +/g, ' ')).toBe('all 4');
});
