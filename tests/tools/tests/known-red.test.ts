// The list of tests that are known to fail: its allowed content, and that real Jest runs excuse these tests and no others.
// needs: processes
import { spawn } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { faultsOfKnownRed, type KnownRed, readKnownRed } from '../../../tools/tests/known-red.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

const checkout = dirname(dirname(dirname(import.meta.dirname)));
const nowMs = Date.parse('2026-11-27T12:00:00Z');
const day = new Date().toISOString().slice(0, 10);
const row = (changes: Partial<KnownRed> = {}): KnownRed => ({
  ...{
    file: 'tests/some.test.ts',
    test: 'group › fails',
    kind: 'red',
    reason: 'a node is not replaced',
    issue: '50, D',
  },
  ...{ since: day, ...changes },
});

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, 'tests'));
});
afterEach(() => folder.remove());

const list = (rows: unknown) => writeFile(join(folder.path, 'tests/known-red.json'), JSON.stringify(rows));

test('the list of this checkout is readable and has no faults', () => {
  expect(faultsOfKnownRed(checkout, readKnownRed(checkout), [], Date.now())).toEqual([]);
});

test.each<[string, unknown]>([
  ['another form', { rows: [] }],
  ['another field', [{ ...row(), owner: 'me' }]],
  ['a missing field', [{ ...row(), reason: undefined }]],
  ['an empty reason', [row({ reason: '' })]],
  ['another kind', [{ ...row(), kind: 'slow' }]],
  ['no day', [row({ since: 'today' })]],
])('a list with %s is refused', async (_, rows) => {
  await list(rows);
  expect(() => readKnownRed(folder.path)).toThrow('tests/known-red.json is a list of objects');
});

test('six entries, one older than 14 days, an unknown file and an unknown test are faults', async () => {
  await writeFile(join(folder.path, 'tests/some.test.ts'), '');
  const faultsOf = (...rows: KnownRed[]) =>
    faultsOfKnownRed(folder.path, rows, [{ file: 'tests/some.test.ts', tests: ['group › fails'] }], nowMs);
  const five = Array.from({ length: 5 }, () => row({ since: '2026-11-14' }));
  expect(faultsOf(...five)).toEqual([]);
  expect(faultsOf(...five, row())).toEqual([expect.stringContaining('6 tests are known to fail; at most 5 may be')]);
  expect(faultsOf(row({ since: '2026-11-13' }))).toEqual([expect.stringContaining('known for more than 14 days')]);
  expect(faultsOf(row({ file: 'tests/gone.test.ts' }))).toEqual([expect.stringContaining('there is no such file')]);
  expect(faultsOf(row({ test: 'group › other' }))).toEqual([expect.stringContaining('there is no such test')]);
});

test('a known failure counts as skipped, and a listed test that passes or any other failure fails the run', async () => {
  await writeFile(
    join(folder.path, 'tests/some.test.js'),
    `describe('group', () => {
      test('fails', () => { if (process.env.RED === 'yes') throw new Error('as it always does'); expect(1).toBe(1); });
      test('passes', () => { if (process.env.OTHER === 'yes') throw new Error('something else'); expect(1).toBe(1); });
    });`,
  );
  await symlink(join(checkout, 'node_modules'), join(folder.path, 'node_modules'));
  await writeFile(
    join(folder.path, 'jest.config.js'),
    `import config from ${JSON.stringify(join(checkout, 'jest.config.js'))};
    const here = (path) => path.replace('<rootDir>', ${JSON.stringify(checkout)});
    export default {
      ...{ rootDir: ${JSON.stringify(folder.path)}, testMatch: ['**/*.test.js'], transform: config.transform },
      ...{ runtime: here(config.runtime), testEnvironment: here(config.testEnvironment) },
      reporters: config.reporters.map(here),
    };`,
  );
  await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }');
  const file = 'tests/some.test.js';

  await list([row({ file })]);
  expect(await jest({ RED: 'yes' })).toEqual({ exitCode: 0, last: '1 passed, 0 failed, 1 skipped', known: true });
  expect(await jest({})).toEqual({ exitCode: 1, last: '1 passed, 1 failed', known: true });
  expect(await jest({ RED: 'yes', OTHER: 'yes' })).toMatchObject({
    exitCode: 1,
    last: '0 passed, 1 failed, 1 skipped',
  });

  await list([row({ file, kind: 'flaky' })]);
  expect(await jest({})).toEqual({ exitCode: 0, last: '2 passed, 0 failed', known: true });
  expect(await jest({ RED: 'yes' })).toMatchObject({ exitCode: 0, last: '1 passed, 0 failed, 1 skipped' });

  await list([row({ file, kind: 'flaky', since: '2026-01-01' })]);
  expect(await jest({})).toEqual({ exitCode: 1, last: '2 passed, 1 failed', known: true });

  await rm(join(folder.path, 'tests/known-red.json'));
  expect(await jest({})).toMatchObject({ exitCode: 1 });
});

async function jest(variables: Readonly<Record<string, string>>) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...[join(checkout, 'node_modules/jest/bin/jest.js'), '-i', '--no-cache']],
    // The time record of the outer run is not for this one.
    {
      cwd: folder.path,
      env: { ...process.env, TEST_TIMES: undefined, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const [stdout, stderr, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return {
    exitCode,
    last: stdout.trimEnd().split('\n').at(-1),
    known: /^Known (?:red|flaky): tests\/some/m.test(stderr),
  };
}
