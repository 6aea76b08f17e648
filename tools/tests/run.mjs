// npm test, after bin/boot.mjs has prepared the machine: Jest for the files that the command line selects (selection.mjs).
import { dirname, join } from 'node:path';
import { run } from 'jest';
import { Sources } from './imports.mjs';
import { needsOfAll, select } from './selection.mjs';
import { SelectionError } from './selection-error.mjs';
import { needsOf, tierOf } from './tiers.mjs';

const root = dirname(dirname(import.meta.dirname));
const mostShown = 5;

function main() {
  const sources = new Sources(root);
  const { files, isWhole, unused, jestWords } = select(root, sources, process.argv.slice(2));
  if (unused.length > 0) process.stdout.write(`No test depends on ${shortList(unused)}.\n`);
  if (files.length === 0) {
    process.stdout.write('No test is selected.\n');
    return;
  }
  const needs = [...needsOfAll(sources, files).keys()].sort();
  const beside = needs.length === 0 ? '' : `, with ${needs.join(', ')}`;
  process.stderr.write(`${files.length === 1 ? files[0] : `${files.length} test files`}${beside}\n`);
  // For tests/support/jest/global-setup.ts: what nothing needs is not started.
  process.env.TEST_NEEDS = needs.join(' ');
  process.env.NODE_ENV ??= 'test';
  // For tests/support/jest/test-environment.ts: those that may start no program.
  process.env.TEST_UNIT_FILES = files.filter((path) => tierOf(needsOf(sources, path)) === 'unit').join('\n');
  process.env.TEST_FILES = files.join('\n');
  return run(isWhole ? jestWords : [...jestWords, '--filter', join(import.meta.dirname, 'filter.cjs')]);
}

function shortList(paths) {
  const shown = paths.slice(0, mostShown).join(', ');
  return paths.length > mostShown ? `${shown} and ${paths.length - mostShown} more` : shown;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SelectionError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
