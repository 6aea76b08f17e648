// Which test files a command line of `npm test` runs, and what Jest gets of it.
import { resolve } from 'node:path';
import { changedSince, dependents } from './changed.mjs';
import { SelectionError } from './selection-error.mjs';
import { longTimes, slicesOf } from './slices.mjs';
import { isLong, needsOf, partOf, testFiles, tierOf, tiers } from './tiers.mjs';

/** Options of Jest that take the next word; others that do so must be written with an equals sign. */
const withValue = new Set([
  ...['-t', '--testNamePattern', '-w', '--maxWorkers', '--outputFile', '-c', '--config', '--shard', '--seed'],
  ...['--testTimeout', '--reporters', '--testPathIgnorePatterns'],
]);

const mainBranch = 'main';
const mostSlices = 100;

/**
 * @typedef {object} Selection
 * @property {readonly string[]} files from the root
 * @property {boolean} isWhole nothing is left out
 * @property {readonly string[]} unused changed files that no test depends on
 * @property {boolean} mayInstall
 * @property {readonly string[]} jestWords without those that name files
 */

/**
 * Without words, all files that are not long. Words of ours are `--no-install` and:
 *
 * - `PATTERN…`: the files whose paths match, long or not; `--runTestsByPath` takes paths
 * - `--tier NAME`: the files of a tier
 * - `--all [PART…]`: all files, or those of some parts; `--slice 2/6`: the second of six slices of the long files
 * - `--changed [COMMIT]`: what depends on the changes since a commit, or since main; `--watch` repeats it (watch.mjs)
 *
 * @param {import('./imports.mjs').Sources} sources
 * @returns {Selection}
 */
export function select(root, sources, words) {
  const { given, names, jestWords } = parse(words);
  const { files, unused } = candidates(root, sources, given, names);
  const ofTier =
    given.tier === undefined ? files : files.filter((path) => tierOf(needsOf(sources, path)) === given.tier);
  const isWhole = given.all && given.slice === undefined && names.length === 0 && given.tier === undefined;
  return { files: ofTier, isWhole, unused, mayInstall: given.install, jestWords };
}

/** What all of `files` need, each need with the first file that names it. */
export function needsOfAll(sources, files) {
  const needs = new Map();
  for (const path of files)
    for (const [need, file] of needsOf(sources, path)) if (!needs.has(need)) needs.set(need, file);
  return needs;
}

function parse(words) {
  const jestWords = [];
  const names = [];
  const given = { install: true, all: false, changed: false, watch: false, byPath: false };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === '--no-install') given.install = false;
    else if (word === '--all') given.all = true;
    else if (word === '--changed') given.changed = true;
    else if (word === '--watch') given.watch = true;
    else if (word === '--runTestsByPath') given.byPath = true;
    else if (word === '--tier') given.tier = words[++index] ?? '';
    else if (word === '--slice') given.slice = words[++index] ?? '';
    else if (!word.startsWith('-')) names.push(word);
    else {
      jestWords.push(word);
      if (withValue.has(word) && index + 1 < words.length) jestWords.push(words[++index]);
    }
  }
  const { all, changed, slice, tier, watch } = given;
  const must = (holds, message) => {
    if (!holds) throw new SelectionError(message);
  };
  must(tier === undefined || tiers.includes(tier), `--tier is one of ${tiers.join(', ')}`);
  must(!watch || changed, '--watch goes with --changed: npm run test:changed -- --watch');
  must(slice === undefined || all, '--slice goes with --all: npm run test:all -- --slice 2/6');
  must(!(all && changed), '--all and --changed exclude each other');
  must(!changed || names.length <= 1, `test:changed takes one commit, not ${names.length}: ${names.join(' ')}`);
  return { given, names, jestWords };
}

function candidates(root, sources, given, names) {
  if (given.changed) return dependents(sources, changedSince(root, names[0] ?? mainBranch));
  const files = testFiles(sources);
  if (given.all) {
    const ofParts = filesOfParts(files, names);
    return { files: given.slice === undefined ? ofParts : filesOfSlice(root, ofParts, given.slice), unused: [] };
  }
  if (names.length > 0)
    return { files: files.filter((path) => names.some((name) => isNamed(root, path, name, given.byPath))), unused: [] };
  return { files: given.tier === undefined ? files.filter((path) => !isLong(path)) : files, unused: [] };
}

function filesOfParts(files, names) {
  const parts = new Set(files.map(partOf));
  const unknown = names.filter((name) => !parts.has(name));
  if (unknown.length > 0)
    throw new SelectionError(`No part is called ${unknown.join(', ')}; the parts are ${[...parts].sort().join(', ')}`);
  return names.length === 0 ? files : files.filter((path) => names.includes(partOf(path)));
}

function filesOfSlice(root, files, text) {
  const [number, count] = /^\d{1,3}\/\d{1,3}$/.test(text) ? text.split('/').map(Number) : [0, 0];
  if (number < 1 || count > mostSlices || number > count)
    throw new SelectionError(`--slice is one slice of a number of them, such as 2/6, not ${text}`);
  return slicesOf(files.filter(isLong), longTimes(root), count)[number - 1];
}

function isNamed(root, path, pattern, byPath) {
  const absolute = resolve(root, path);
  return byPath ? absolute === resolve(root, pattern) : new RegExp(pattern, 'i').test(absolute);
}
