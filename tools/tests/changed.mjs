// The test files that depend on what changed since the branch left main, with what is not committed yet.
import { execFileSync, spawnSync } from 'node:child_process';
import { basename, extname } from 'node:path';
import { SelectionError } from './selection-error.mjs';
import { testFiles } from './tiers.mjs';

/** The others name pages only to their readers. */
const readsPages = /^(?:tests|tools|docs)\//;

/**
 * Changed, added or removed files, from the root, since the branch left `commit`: a name of git's, or a branch of origin.
 *
 * @param {string} commit
 * @throws {SelectionError} there is no such commit
 */
export function changedSince(root, commit) {
  const git = (...words) => execFileSync('git', ['-C', root, ...words], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const names = [commit, `origin/${commit}`];
  const known = names.find(
    (name) => spawnSync('git', ['-C', root, 'rev-parse', '-q', '--verify', `${name}^{commit}`]).status === 0,
  );
  if (known === undefined) throw new SelectionError(`git knows no commit ${commit}: npm run test:changed -- COMMIT`);
  const base = git('merge-base', known, 'HEAD').trim();
  const tracked = git('diff', '--name-only', '--no-renames', '-z', base);
  const untracked = git('ls-files', '--others', '--exclude-standard', '-z');
  return [...new Set(`${tracked}${untracked}`.split('\0').filter(Boolean))].sort();
}

/**
 * A source depends on what it imports, loads and starts, and on any other file (a schema, a template, one that was removed) whose name
 * stands in its text.
 *
 * @param {import('./imports.mjs').Sources} sources
 * @returns {{ files: string[], unused: string[] }} the tests; and the changed files that no test depends on
 */
export function dependents(sources, changed) {
  const dependentsOf = reversed(
    sources,
    changed.filter((path) => !sources.paths.has(path)),
  );
  const tests = new Set(testFiles(sources));
  const files = new Set();
  const unused = [];
  for (const path of changed) {
    const reached = new Set([path]);
    for (const each of reached) for (const next of dependentsOf.get(each) ?? []) reached.add(next);
    const found = [...reached].filter((each) => tests.has(each));
    for (const each of found) files.add(each);
    if (found.length === 0) unused.push(path);
  }
  return { files: [...files].sort(), unused };
}

/** @returns {Map<string, string[]>} each file with those that depend on it directly */
function reversed(sources, otherFiles) {
  const dependentsOf = new Map();
  const add = (target, path) => {
    const known = dependentsOf.get(target);
    if (known === undefined) dependentsOf.set(target, [path]);
    else known.push(path);
  };
  const names = otherFiles.map((path) => [path, namesOf(path)]);
  for (const path of sources.paths) {
    const { imports, loads, starts } = sources.of(path);
    for (const target of [...imports, ...loads, ...starts]) add(target, path);
    if (names.length === 0) continue;
    const text = sources.textOf(path);
    for (const [target, each] of names)
      if (each.some((name) => text.includes(name)) && (readsPages.test(path) || !target.endsWith('.md')))
        add(target, path);
  }
  return dependentsOf;
}

/** How sources name a file that they don't import, or the code that is made from it. */
function namesOf(path) {
  const made = /^schema\/([\w-]+)\.(?:graphql|mappers\.yml)$/.exec(path);
  if (made !== null)
    return [
      basename(path),
      `generated/graph/${made[1]}.ts`,
      'generated/cli/',
      'generated/dashboard/',
      'generated/kinds/',
    ];
  if (path.startsWith('prisma/schema/')) return [basename(path), 'generated/prisma/'];
  return [extname(path) === '' ? path : `/${basename(path)}`, `'${basename(path)}`];
}
