// The checks before a commit, in a small repository.
// needs: git
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../../tools/check/run-program.ts';
import { patience } from '../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

const checkout = join(import.meta.dirname, '../../..');
let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
  await git('init', '--quiet');
  await write('biome.json', await readFile(join(checkout, 'biome.json'), 'utf8'));
});
afterEach(() => folder.remove());

const run = (program: string, ...words: string[]) =>
  runProgram(program, words, { cwd: folder.path, signal: AbortSignal.timeout(60_000 * patience) });
const git = (...words: string[]) => run('git', ...words);
const staged = async (path: string) => (await git('show', `:${path}`)).stdout;

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder.path, path)), { recursive: true });
  await writeFile(join(folder.path, path), text);
}

const beforeCommit = () => run(process.execPath, join(checkout, 'tools/check/staged.ts'));

test('a staged file is formatted, and the result is staged', async () => {
  await write('platform/a.ts', 'export const a = "b"\n');
  await git('add', '.');
  expect(await beforeCommit()).toMatchObject({ exitCode: 0 });
  expect(await staged('platform/a.ts')).toBe("export const a = 'b';\n");
});

test('a partly staged file is left unchanged, and must be clean', async () => {
  await write('platform/a.ts', "export const a = 'b';\n");
  await git('add', '.');
  await write('platform/a.ts', "export const a = 'c'\n");
  expect(await beforeCommit()).toMatchObject({ exitCode: 1 });
  expect(await staged('platform/a.ts')).toBe("export const a = 'b';\n");
  expect(await readFile(join(folder.path, 'platform/a.ts'), 'utf8')).toBe("export const a = 'c'\n");
});

test('an import across a boundary stops the commit, and is named', async () => {
  await write('platform/a.ts', "import { b } from '../gateway/b.ts';\n\nexport const a = b;\n");
  await git('add', '.');
  const { exitCode, stderr } = await beforeCommit();
  expect(exitCode).toBe(1);
  expect(stderr).toContain('platform/a.ts imports gateway/b.ts');
});

test('unstaged changes are not checked', async () => {
  await write('platform/a.ts', 'export const a = "b"\n');
  expect(await beforeCommit()).toMatchObject({ exitCode: 0 });
});
