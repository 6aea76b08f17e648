// The tiers and needs of test files, and the files that a command line selects, tested on a small checkout.
// needs: processes
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
// @ts-expect-error It has no types.
import * as untypedImports from '../../../tools/tests/imports.mjs';
// @ts-expect-error It has no types.
import * as untypedSelection from '../../../tools/tests/selection.mjs';
// @ts-expect-error It has no types.
import * as untypedTiers from '../../../tools/tests/tiers.mjs';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

interface Sources {
  readonly paths: ReadonlySet<string>;
  textOf(path: string): string;
  of(path: string): { readonly needs: readonly string[] };
}
interface Selection {
  readonly files: readonly string[];
  readonly isWhole: boolean;
  readonly mayInstall: boolean;
  readonly jestWords: readonly string[];
}
const { Sources } = untypedImports as unknown as { Sources: new (root: string) => Sources };
const { select } = untypedSelection as unknown as {
  select(root: string, sources: Sources, words: readonly string[]): Selection;
};
const { needsOf, packagesFor, testFiles, tierOf, unknownNeeds } = untypedTiers as unknown as {
  needsOf(sources: Sources, path: string): ReadonlyMap<string, string>;
  packagesFor(needs: ReadonlyMap<string, string>): ReadonlyMap<string, string>;
  testFiles(sources: Sources): string[];
  tierOf(needs: ReadonlyMap<string, string>): string;
  unknownNeeds(sources: Sources, packages: readonly string[]): string[];
};

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

async function sourcesOf(files: Readonly<Record<string, string>>): Promise<Sources> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), text);
  }
  return new Sources(folder.path);
}

const small = {
  'embedded/store.ts': '// needs: mariadb-server-core\n',
  'lab/device.ts': '// needs: haproxy\n',
  'bin/up.ts': "const load = () => import('../lab/device.ts');\n",
  'bench/load.ts': "new URL('../lab/device.ts', import.meta.url);\n",
  'tests/support/whole.ts': "// needs: system\nimport '../../embedded/store.ts';\n",
  'tests/pure.test.ts': "import type { A } from '../lab/device.ts';\n",
  'tests/store.test.ts': "import '../embedded/store.ts';\n",
  'tests/lazy.test.ts': "const load = () => import('../lab/device.ts');\n",
  'tests/starts.test.ts': "new URL('../lab/device.ts', import.meta.url);\n",
  'tests/command.test.ts': "import '../bin/up.ts';\n",
  'tests/load.test.ts': "import '../bench/load.ts';\n",
  'bench/lazy.ts': "const load = () => import('../lab/device.ts');\n",
  'tests/named.test.ts': "import '../bench/lazy.ts';\n",
  'tests/whole.test.ts': "import './support/whole.ts';\n",
};

test('a test has the tier of everything that it imports, loads and starts, and the product loads by role', async () => {
  const sources = await sourcesOf(small);
  const found = Object.fromEntries(testFiles(sources).map((path) => [path, tierOf(needsOf(sources, path))]));
  expect(found).toEqual({
    'tests/pure.test.ts': 'unit',
    'tests/store.test.ts': 'real',
    'tests/lazy.test.ts': 'lab',
    'tests/starts.test.ts': 'lab',
    'tests/command.test.ts': 'unit',
    'tests/load.test.ts': 'lab',
    'tests/named.test.ts': 'unit',
    'tests/whole.test.ts': 'system',
  });
});

test('a package is reported with the file that needs it, and a benchmark counts the modules that it loads itself', async () => {
  const sources = await sourcesOf(small);
  expect([...needsOf(sources, 'bench/lazy.ts')]).toEqual([['haproxy', 'lab/device.ts']]);
  const needed = packagesFor(needsOf(sources, 'tests/whole.test.ts'));
  expect([...needed]).toEqual([['mariadb-server-core', 'embedded/store.ts']]);
});

test('a need that is neither a package nor a condition is a fault', async () => {
  const sources = await sourcesOf({ 'tests/a.test.ts': '// needs: haproxi\n' });
  expect(unknownNeeds(sources, ['haproxy'])).toEqual([expect.stringContaining('tests/a.test.ts needs "haproxi"')]);
});

test('the command line selects the landing suite, by path, by tier, by part, or everything', async () => {
  const sources = await sourcesOf({
    ...small,
    'tests/ha/slow.long.test.ts': '',
    'tests/subgraphs/relay/calls.test.ts': '',
    'tests/subgraphs/relay/calls.long.test.ts': '',
  });
  const selected = (...words: string[]) => select(folder.path, sources, words);
  const short = testFiles(sources).filter((path) => !path.includes('.long.'));
  expect(selected('-t', 'pure', '--json')).toEqual({
    ...{ files: short, isWhole: false, mayInstall: true, jestWords: ['-t', 'pure', '--json'], unused: [] },
  });
  expect(selected('tests/pure.test.ts', '--no-install')).toEqual({
    ...{ files: ['tests/pure.test.ts'], isWhole: false, mayInstall: false, jestWords: [], unused: [] },
  });
  expect(selected('tests/ha/slow').files).toEqual(['tests/ha/slow.long.test.ts']);
  // A long file is in no quick tier, whatever it starts.
  expect(selected('--tier', 'real').files).toEqual([
    ...['tests/ha/slow.long.test.ts', 'tests/store.test.ts', 'tests/subgraphs/relay/calls.long.test.ts'],
  ]);
  expect(selected('--tier', 'unit').files).not.toContain('tests/ha/slow.long.test.ts');
  expect(selected('--runTestsByPath', 'tests/whole').files).toEqual([]);
  expect(selected('--all')).toMatchObject({ files: testFiles(sources), isWhole: true });
  expect(selected('--all', 'relay', 'ha').files).toEqual([
    'tests/ha/slow.long.test.ts',
    'tests/subgraphs/relay/calls.long.test.ts',
    'tests/subgraphs/relay/calls.test.ts',
  ]);
});

test('a meaningless command line is refused', async () => {
  const sources = await sourcesOf(small);
  const selected = (...words: string[]) => select(folder.path, sources, words);
  expect(() => selected('--tier', 'quick')).toThrow('--tier is one of unit, real, lab, system');
  expect(() => selected('--watch')).toThrow('--watch goes with --changed');
  expect(() => selected('--all', 'router')).toThrow('No part is called router; the parts are command, lazy, load, ');
  expect(() => selected('--slice', '1/2')).toThrow('--slice goes with --all');
  for (const slice of ['', '0/6', '7/6', '1', 'a/b', '1/1000'])
    expect(() => selected('--all', '--slice', slice)).toThrow('--slice is one slice of a number of them, such as 2/6');
  expect(() => selected('--all', '--changed')).toThrow('--all and --changed exclude each other');
  expect(() => selected('--changed', 'main', 'other')).toThrow('test:changed takes one commit, not 2: main other');
});
