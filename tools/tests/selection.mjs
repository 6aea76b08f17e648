// Which test files a command line of `npm test` runs, and what Jest gets of it.
import { resolve } from 'node:path';
import { changedSince, dependents } from './changed.mjs';
import { needsOf, testFiles, tierOf, tiers } from './tiers.mjs';

/** Options of Jest that take the next word; others that do so must be written with an equals sign. */
const withValue = new Set([
  ...['-t', '--testNamePattern', '-w', '--maxWorkers', '--outputFile', '-c', '--config', '--shard', '--seed'],
  ...['--testTimeout', '--reporters', '--testPathIgnorePatterns'],
]);

const mainBranch = 'main';

/**
 * @typedef {object} Selection
 * @property {readonly string[]} files from the root
 * @property {boolean} isWhole nothing is left out
 * @property {readonly string[]} unused changed files that no test depends on
 * @property {boolean} mayInstall
 * @property {readonly string[]} jestWords without those that name files
 */

/**
 * Words of ours: `--no-install`, `--tier NAME`, and `--changed` (what depends on the changes since main), which may have `--watch` beside
 * it (watch.mjs).
 *
 * @param {import('./imports.mjs').Sources} sources
 * @returns {Selection}
 */
export function select(root, sources, words) {
  const jestWords = [];
  const patterns = [];
  const given = { install: true, changed: false, watch: false, byPath: false, tier: undefined };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === '--no-install') given.install = false;
    else if (word === '--changed') given.changed = true;
    else if (word === '--watch') given.watch = true;
    else if (word === '--runTestsByPath') given.byPath = true;
    else if (word === '--tier') given.tier = words[++index] ?? '';
    else if (!word.startsWith('-')) patterns.push(word);
    else {
      jestWords.push(word);
      if (withValue.has(word) && index + 1 < words.length) jestWords.push(words[++index]);
    }
  }
  const { tier } = given;
  if (tier !== undefined && !tiers.includes(tier)) throw new SelectionError(`--tier is one of ${tiers.join(', ')}`);
  if (given.watch && !given.changed)
    throw new SelectionError('--watch goes with --changed: npm run test:changed -- --watch');
  const from = given.changed
    ? dependents(sources, changedSince(root, mainBranch))
    : { files: testFiles(sources), unused: [] };
  const files = from.files
    .filter((path) => patterns.length === 0 || patterns.some((pattern) => isNamed(root, path, pattern, given.byPath)))
    .filter((path) => tier === undefined || tierOf(needsOf(sources, path)) === tier);
  const isWhole = patterns.length === 0 && tier === undefined && !given.changed;
  return { files, isWhole, unused: from.unused, mayInstall: given.install, jestWords };
}

/** What the command line can't mean. */
export class SelectionError extends Error {}

/** What all of `files` need, each need with the first file that names it. */
export function needsOfAll(sources, files) {
  const needs = new Map();
  for (const path of files)
    for (const [need, file] of needsOf(sources, path)) if (!needs.has(need)) needs.set(need, file);
  return needs;
}

function isNamed(root, path, pattern, byPath) {
  const absolute = resolve(root, path);
  return byPath ? absolute === resolve(root, pattern) : new RegExp(pattern, 'i').test(absolute);
}
