// Releases of a small repository, in a temporary folder.
// needs: git
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readProgramVersion } from '../../../platform/process/program-version.ts';
import { linesOf } from '../../../tools/ci/lines.ts';
import { makeRelease, planRelease, type ReleaseOrder, rebuildArchive } from '../../../tools/release/release.ts';
import { releaseCommit } from '../../../tools/release/release-commit.ts';
import { ReleaseError } from '../../../tools/release/release-error.ts';
import { Repository } from '../../../tools/release/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

const run = promisify(execFile);
let folder: TemporaryFolder;
let repository: Repository;
let verified: number;
let publicSdl: string | undefined;

beforeEach(async () => {
  folder = await temporaryFolder();
  verified = 0;
  publicSdl = undefined;
  await run('git', ['init', '--quiet', '--initial-branch', 'main', join(folder.path, 'clone')]);
  repository = new Repository(join(folder.path, 'clone'));
  await repository.git('config', 'user.name', 'test');
  await repository.git('config', 'user.email', 'test@example.test');
  await write('package.json', '{\n  "version": "0.1.0"\n}\n');
  await mkdir(join(repository.root, 'docker/kubernetes'), { recursive: true });
  await write('docker/kubernetes/kustomization.yaml', 'images: [{ name: tidegate, newTag: 0.1.0 }]\n');
  await write('docker/Dockerfile', 'LABEL org.opencontainers.image.version="0.1.0"\n');
  await write(
    'package-lock.json',
    '{\n  "version": "0.1.0",\n  "packages": {\n    "": {\n      "version": "0.1.0"\n    }\n  }\n}\n',
  );
  await write('CHANGELOG.md', '# Changelog\n\n## [Unreleased]\n\nThe first release.\n');
  await write('commit.txt', '$Format:%H$\n');
  await write('.gitattributes', '/commit.txt export-subst\n');
  await write('.gitignore', 'ignored\n');
  await commit('feat: the first thing');
});
afterEach(() => folder.remove());

const write = (path: string, text: string) => writeFile(join(repository.root, path), text);
const read = (path: string) => readFile(join(repository.root, path), 'utf8');
const head = () => repository.git('rev-parse', 'HEAD');

async function commit(subject: string): Promise<void> {
  await write('product.txt', subject);
  await repository.git('add', '.');
  await repository.git('commit', '--quiet', '--message', subject);
}

function order(version: string): ReleaseOrder {
  const verify = async () => {
    verified += 1;
  };
  return {
    repository,
    version,
    folder: join(folder.path, 'archives'),
    date: '2026-01-31',
    publicSdl: () => publicSdl,
    verify,
    make,
  };
}

/** Stands for the bootstrap. The clock and the place must not show in the archive. */
async function make(checkout: string): Promise<void> {
  const texts = { 'generated/compile-cache/x': checkout, 'generated/.boot-lock': '', 'generated/graph/a.ts': 'types' };
  for (const [path, text] of Object.entries({ ...texts, 'dashboard/dist/index.html': 'page' })) {
    await mkdir(dirname(join(checkout, path)), { recursive: true });
    await writeFile(join(checkout, path), text);
  }
}

async function filesIn(place: string): Promise<readonly string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(place.length + 1)).sort();
}

const release = (version: string) => makeRelease(order(version));

test('a release is a commit with the version and the changelog, an annotated tag, and an archive', async () => {
  await write('ignored', 'a file that git ignores');
  const { commit: made, archive } = await release('0.2.0-rc.1');
  expect(verified).toBe(1);
  expect(made).toBe(await head());
  expect(await repository.git('log', '-1', '--format=%s')).toBe('release: v0.2.0-rc.1');
  expect(await repository.git('cat-file', '-t', 'v0.2.0-rc.1')).toBe('tag');
  expect(await repository.changedPaths()).toEqual([]);
  expect(JSON.parse(await read('package.json'))).toEqual({ version: '0.2.0-rc.1' });
  expect(JSON.parse(await read('package-lock.json')).packages['']).toEqual({ version: '0.2.0-rc.1' });
  expect(await read('docker/Dockerfile')).toBe('LABEL org.opencontainers.image.version="0.2.0-rc.1"\n');
  expect(await read('docker/kubernetes/kustomization.yaml')).toContain('newTag: 0.2.0-rc.1 }');
  // The first release has no lines from commits.
  expect(await read('CHANGELOG.md')).toBe(
    '# Changelog\n\n## [Unreleased]\n\n## [0.2.0-rc.1] - 2026-01-31\n\nThe first release.\n',
  );

  await run('sha256sum', ['--check', '--status', archive.sumPath], { cwd: join(folder.path, 'archives') });
  expect(await Promise.all(archive.others.map((path) => readFile(path, 'utf8')))).toEqual([
    '# Tidegate 0.2.0-rc.1\n\nThe first release.\n',
  ]);
  await run('tar', ['-xzf', archive.path], { cwd: folder.path });
  const unpacked = join(folder.path, 'tidegate-0.2.0-rc.1');
  expect(await filesIn(unpacked)).toEqual([...(await repository.trackedFiles())].sort());
  expect(await readProgramVersion(unpacked)).toEqual({ version: '0.2.0-rc.1', commit: made });
});

test('the next release lists its graph changes', async () => {
  await mkdir(join(repository.root, 'schema'));
  await write('schema/api.graphql', 'type Query { a: Int b: Int d: Secret } type Secret { e: Int }');
  publicSdl = 'type Query { a: Int b: Int }';
  await commit('feat: a graph');
  await release('0.2.0');
  publicSdl = 'type Query { a: Int c: Int }';
  await commit('feat: c for b');
  const graph = '### Graph\n\n- **Breaking:** Query.b was removed.\n- Query has c.';
  expect((await planRelease(order('0.3.0'))).section).toBe(`### Added\n\n- C for b\n\n${graph}`);
  await release('0.3.0-rc.1');
  publicSdl = 'type Query { a: Int b: Int f: Int }';
  await commit('fix: b is back');
  expect((await planRelease(order('0.3.0'))).section).toBe(
    '### Added\n\n- C for b\n\n### Fixed\n\n- B is back\n\n### Graph\n\n- Query has f.',
  );
});

test('a release stores its graph for later checks, and removes the reasons for earlier changes', async () => {
  await mkdir(join(repository.root, 'schema/released'), { recursive: true });
  publicSdl = 'type Query { a: Int }';
  await write('schema/api.graphql', 'type Query { a: Int b: Int }');
  await write('schema/breaking.md', '# Reasons\n\n- Query.c was removed. Reason: nobody asked for it.\n');
  await write('schema/released/0.1.0.graphql', 'type Query { a: Int c: Int }');
  await commit('feat: a graph');
  await release('0.2.0-rc.1');
  expect(await readdir(join(repository.root, 'schema/released'))).toEqual(['0.1.0.graphql']);
  const { archive } = await release('0.2.0');
  expect(archive.others.map((path) => path.split('/').at(-1))).toEqual(['tidegate-0.2.0.md', 'tidegate-0.2.0.graphql']);
  expect(await readFile(archive.others[1] ?? '', 'utf8')).toBe('type Query {\n  a: Int\n}\n');
  expect(await readdir(join(repository.root, 'schema/released'))).toEqual(['0.2.0.graphql']);
  expect(await read('schema/released/0.2.0.graphql')).toContain('  b: Int @tag(name: "admin")\n');
  expect(await read('schema/breaking.md')).toBe('# Reasons\n');
  expect(await repository.changedPaths()).toEqual([]);

  const soon = 'type Query { a: Int b: Int @deprecated(reason: "Use Query.a. Not removed before 2026-07-30.") }';
  await write('schema/api.graphql', soon);
  await commit('feat: no b');
  await expect(release('0.3.0')).rejects.toThrow('Query.b is deprecated until 2026-07-30');
  await write('schema/api.graphql', soon.replace('07-30', '07-31'));
  await commit('feat: no b in August');
  await writeFile(join(repository.root, '.git/hooks/pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await expect(release('0.3.0')).rejects.toThrow('git commit');
  expect(await repository.changedPaths()).toEqual([]);
});

test('a release stores its number of lines, including its own changes', async () => {
  await mkdir(join(repository.root, 'tools/ci'), { recursive: true });
  await write('tools/ci/released-lines.json', '{}\n');
  await commit('feat: a report');
  await release('0.2.0');
  const stored = JSON.parse(await read('tools/ci/released-lines.json'));
  expect(stored).toEqual({ version: '0.2.0', lines: await linesOf(repository.root, 'HEAD') });
  expect(stored.lines.docs).toEqual({ '(root)': (await read('CHANGELOG.md')).split('\n').length - 1 });
  expect(await repository.changedPaths()).toEqual([]);
});

test('the next release lists the changes since', async () => {
  await release('0.2.0');
  await commit('feat: pools have a weight');
  await commit('docs: a page');
  await commit('fix!: names end with a dot');
  const plan = await planRelease(order('0.3.0'));
  expect(plan.previous).toEqual({ version: '0.2.0', commit: await repository.commitOf('v0.2.0') });
  expect(plan.section).toBe(
    '### Added\n\n- Pools have a weight\n\n### Changed\n\n- **Breaking:** Names end with a dot',
  );
});

test('the same commit gives the same archive, in another clone and with other settings', async () => {
  await mkdir(join(repository.root, 'tools/release'), { recursive: true });
  await write('tools/release/made-files.ts', 'this commit has made files');
  await write('.gitignore', 'generated\n');
  await commit('feat: made files');
  const { archive } = await release('0.2.0');
  await commit('fix: a fault');
  const list = await run('tar', ['--numeric-owner', '-tvzf', archive.path]);
  const lines = list.stdout.trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^(?:-rw-r--r--|drwxr-xr-x) 0\/0 /);
  const made = lines.map((line) => line.split(' ').at(-1)).filter((path) => path?.match(/generated|dist/));
  expect(made).toEqual(['tidegate-0.2.0/dashboard/dist/index.html', 'tidegate-0.2.0/generated/graph/a.ts']);
  expect(await repository.git('worktree', 'list', '--porcelain')).not.toContain('tidegate-release-');
  const other = join(folder.path, 'other');
  await run('git', ['clone', '--quiet', '--no-tags', repository.root, other]);
  await run('git', ['-C', other, 'config', 'tar.umask', '0077']);
  await run('git', ['-C', other, 'config', 'core.autocrlf', 'true']);
  const again = await rebuildArchive(new Repository(other), { ...order('0.2.0'), folder: join(folder.path, 'again') });
  expect(again.sha256).toBe(archive.sha256);
});

test('a release is found by its tag, and without tags by the commit that set the version in package.json', async () => {
  const start = await head();
  const { commit: first } = await release('0.2.0-rc.1');
  await commit('feat: pools have a weight');
  const { commit: second } = await release('0.2.0');
  await commit('fix: a fault');
  const found = async () => {
    const versions = ['0.1.0', '0.2.0-rc.1', '0.2.0', '0.2.1'];
    return Promise.all(versions.map((version) => releaseCommit(repository, version)));
  };
  expect(await found()).toEqual([start, first, second, undefined]);
  await repository.git('tag', '--delete', 'v0.2.0-rc.1', 'v0.2.0');
  expect(await found()).toEqual([start, first, second, undefined]);
  await repository.git('tag', 'v0.2.0', start);
  expect((await found())[2]).toBe(start);
});

test('a release that was withdrawn and made again counts as the second one', async () => {
  await release('0.2.0');
  await repository.git('tag', '--delete', 'v0.2.0');
  await repository.git('revert', '--no-edit', 'HEAD');
  const { commit: second } = await release('0.2.0');
  await repository.git('tag', '--delete', 'v0.2.0');
  expect(await releaseCommit(repository, '0.2.0')).toBe(second);
});

test('the oldest commit of a shallow clone is not mistaken for a release', async () => {
  await release('0.2.0');
  await commit('fix: a fault');
  const shallow = join(folder.path, 'shallow');
  await run('git', ['clone', '--quiet', '--no-tags', '--depth', '1', `file://${repository.root}`, shallow]);
  await expect(releaseCommit(new Repository(shallow), '0.2.0')).rejects.toThrow('git fetch --unshallow');
});

test.each(['0.1.0', '0.0.9', '0.1.0-rc.1', 'v0.2.0', '0.2', '0.2.0+1'])(
  'the version %s is refused',
  async (version) => {
    await expect(release(version)).rejects.toThrow(ReleaseError);
    expect(await repository.git('rev-list', '--count', 'HEAD')).toBe('1');
  },
);

test('all reasons are reported together, and nothing is written', async () => {
  await repository.git('tag', 'v0.2.0');
  await repository.git('switch', '--quiet', '--create', 'topic');
  await write('new.txt', '');
  const message = await release('0.2.0').catch((error: Error) => error.message);
  expect(message).toBe(
    'The branch is topic; a release is made on main.\nThese files are not committed: new.txt.\nThe tag v0.2.0 exists already.',
  );
  expect(verified).toBe(0);
  expect(await repository.changedPaths()).toEqual(['new.txt']);
});

test('after failed checks, or a commit that a hook refuses, everything is as before', async () => {
  const before = await head();
  const verify = async () => Promise.reject(new ReleaseError('npm run check failed'));
  await expect(makeRelease({ ...order('0.2.0'), verify })).rejects.toThrow('npm run check failed');
  await writeFile(join(repository.root, '.git/hooks/pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await expect(release('0.2.0')).rejects.toThrow('git commit');
  expect([await head(), await repository.changedPaths(), await repository.git('tag')]).toEqual([before, [], '']);
});
