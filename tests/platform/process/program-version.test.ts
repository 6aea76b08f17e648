// The commit, as read from an archive, a clone or a linked worktree, all made by git itself.
// needs: git
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readProgramVersion, shownVersion } from '../../../platform/process/program-version.ts';

let folder: string;
let clone: string;
let commit: string;

function git(...words: string[]): string {
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.test'];
  return execFileSync('git', ['-C', clone, ...who, ...words], { encoding: 'utf8' }).trim();
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-version-'));
  clone = join(folder, 'clone');
  await mkdir(clone);
  await writeFile(join(clone, 'package.json'), '{ "version": "1.2.3-rc.1" }\n');
  await writeFile(join(clone, 'commit.txt'), '$Format:%H$\n');
  await writeFile(join(clone, '.gitattributes'), '/commit.txt export-subst\n');
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '.');
  git('commit', '--quiet', '--message', 'feat: a program');
  commit = git('rev-parse', 'HEAD');
});
afterEach(() => rm(folder, { recursive: true }));

test('in a clone it is the commit of the branch, even after the references were packed', async () => {
  expect(await readProgramVersion(clone)).toEqual({ version: '1.2.3-rc.1', commit });
  git('pack-refs', '--all');
  expect(await readProgramVersion(clone)).toEqual({ version: '1.2.3-rc.1', commit });
  git('commit', '--quiet', '--allow-empty', '--message', 'fix: a fault');
  expect((await readProgramVersion(clone)).commit).toBe(git('rev-parse', 'HEAD'));
});

test('in a clone without a branch, and in a linked worktree, it is the checked-out commit', async () => {
  git('commit', '--quiet', '--allow-empty', '--message', 'fix: a fault');
  const linked = join(folder, 'linked');
  git('worktree', 'add', '--quiet', '-b', 'other', linked, commit);
  expect((await readProgramVersion(linked)).commit).toBe(commit);
  git('checkout', '--quiet', '--detach', commit);
  expect((await readProgramVersion(clone)).commit).toBe(commit);
});

test('in an archive it is the archived commit, even inside another repository', async () => {
  const unpacked = join(folder, 'unpacked');
  await mkdir(unpacked);
  git('archive', '--output', join(folder, 'a.tar'), 'HEAD');
  execFileSync('tar', ['-xf', join(folder, 'a.tar'), '-C', unpacked]);
  expect(await readProgramVersion(unpacked)).toEqual({ version: '1.2.3-rc.1', commit });
  execFileSync('git', ['init', '--quiet', unpacked]);
  expect((await readProgramVersion(unpacked)).commit).toBe(commit);
});

test('in a copy without .git, and in a clone without a commit, it is unknown', async () => {
  const copy = join(folder, 'copy');
  await cp(clone, copy, { recursive: true });
  await rm(join(copy, '.git'), { recursive: true });
  const copied = await readProgramVersion(copy);
  expect(copied).toEqual({ version: '1.2.3-rc.1', commit: undefined });
  expect(JSON.stringify(shownVersion(copied))).toBe('{"version":"1.2.3-rc.1"}');
  execFileSync('git', ['init', '--quiet', copy]);
  expect((await readProgramVersion(copy)).commit).toBeUndefined();
});
