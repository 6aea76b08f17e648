// Which tests depend on a change, in a small repository.
// needs: git
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
// @ts-expect-error It has no types.
import * as untypedChanged from '../../../tools/tests/changed.mjs';
// @ts-expect-error It has no types.
import { Sources as UntypedSources } from '../../../tools/tests/imports.mjs';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

const { changedSince, dependents } = untypedChanged as unknown as {
  changedSince(root: string, commit: string): string[];
  dependents(sources: object, changed: readonly string[]): { readonly files: string[]; readonly unused: string[] };
};
const Sources = UntypedSources as unknown as new (root: string) => object;

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
  await write({
    'platform/deep.ts': '',
    'platform/limits.ts': "import './deep.ts';\n",
    'platform/role.ts': '',
    'bin/up.ts': "const load = () => import('../platform/role.ts');\n",
    'bin/read.ts': "const text = read('/templates/page.html');\n",
    'bin/graph.ts': "import { A } from '../generated/graph/relay.ts';\n",
    'templates/page.html': '',
    'tests/limits.test.ts': "import '../platform/limits.ts';\n",
    'tests/types.test.ts': "import type { A } from '../platform/limits.ts';\n",
    'tests/up.test.ts': "new URL('../bin/up.ts', import.meta.url);\n",
    'tests/read.test.ts': "import '../bin/read.ts';\n",
    'tests/graph.test.ts': "import '../bin/graph.ts';\n",
    'README.md': '',
  });
});
afterEach(() => folder.remove());

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), text);
  }
}

const dependentsOf = (...changed: string[]) => dependents(new Sources(folder.path), changed);

test.each([
  ['platform/deep.ts', ['tests/limits.test.ts']],
  ['platform/role.ts', ['tests/up.test.ts']],
  ['templates/page.html', ['tests/read.test.ts']],
  ['schema/relay.graphql', ['tests/graph.test.ts']],
  ['tests/types.test.ts', ['tests/types.test.ts']],
])('a change of %s affects %j', (path, files) => {
  expect(dependentsOf(path)).toEqual({ files, unused: [] });
});

test('files that no test depends on are reported', () => {
  expect(dependentsOf('README.md', 'platform/limits.ts')).toEqual({
    files: ['tests/limits.test.ts'],
    unused: ['README.md'],
  });
});

test('a removed file affects the files that still name it', async () => {
  await rm(join(folder.path, 'platform/deep.ts'));
  expect(dependentsOf('platform/deep.ts').files).toEqual(['tests/limits.test.ts']);
});

test('changes include commits since main, the working tree and new files, but not changes of main', async () => {
  const git = async (...words: string[]) => {
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
    const done = await runProgram('git', ['-C', folder.path, ...identity, ...words]);
    expect(done).toMatchObject({ exitCode: 0 });
  };
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'one');
  await git('switch', '--quiet', '--create', 'work');
  await write({ 'platform/deep.ts': '// changed' });
  await git('commit', '--quiet', '--all', '--message', 'two');
  await write({ 'bin/up.ts': '', 'bin/new.ts': '' });
  await rm(join(folder.path, 'README.md'));
  await git('switch', '--quiet', '--detach', 'main');
  await write({ 'platform/role.ts': '// changed on main' });
  await git('commit', '--quiet', '--message', 'three', 'platform/role.ts');
  await git('branch', '--force', 'main');
  await git('switch', '--quiet', 'work');
  expect(changedSince(folder.path, 'main')).toEqual(['README.md', 'bin/new.ts', 'bin/up.ts', 'platform/deep.ts']);
  expect(changedSince(folder.path, 'HEAD')).toEqual(['README.md', 'bin/new.ts', 'bin/up.ts']);
  expect(() => changedSince(folder.path, 'gone')).toThrow('git knows no commit gone');
});
