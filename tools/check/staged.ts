// Before a commit: formats the staged files, stages them again, and runs the checks that work on single files. Run it in the root of a checkout.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findBoundaryFaults } from './boundaries.ts';
import { findLayerFaults } from './layers.ts';
import { findOutgoingFaults } from './outgoing.ts';
import { parseSource, type SourceFile } from './source-files.ts';
import { findClockFaults } from './wall-clock.ts';

const root = process.cwd();
const biome = join(dirname(dirname(import.meta.dirname)), 'node_modules/@biomejs/biome/bin/biome');
const checked =
  /^(?:backup|bin|cli|compose|dns|embedded|gateway|ha|lab|platform|schema|simulators|subgraphs|tools|workers)\/.*\.ts$/;

function git(...words: string[]): string[] {
  return execFileSync('git', words, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
}

/** `words`: arguments before the files. */
function runBiome(words: readonly string[], files: readonly string[]): boolean {
  if (files.length === 0) return true;
  const always = ['--error-on-warnings', '--no-errors-on-unmatched', '--files-ignore-unknown=true'];
  const { status } = spawnSync(process.execPath, [biome, 'check', ...words, ...always, ...files], {
    cwd: root,
    stdio: 'inherit',
  });
  return status === 0;
}

async function main(): Promise<boolean> {
  const staged = git('diff', '--cached', '--name-only', '-z', '--diff-filter=ACMR');
  // These are staged only in part, and writing would stage the rest.
  const edited = new Set(git('diff', '--name-only', '-z'));
  const whole = staged.filter((path) => !edited.has(path));
  const isWritten = runBiome(['--write'], whole);
  if (whole.length > 0) git('add', '--', ...whole);
  const isClean = runBiome(
    [],
    staged.filter((path) => edited.has(path)),
  );

  const files: SourceFile[] = [];
  for (const path of staged.filter((each) => checked.test(each)))
    files.push(await parseSource(path, await readFile(join(root, path), 'utf8')));
  const faults = [findBoundaryFaults, findLayerFaults, findOutgoingFaults, findClockFaults].flatMap((find) =>
    find(files),
  );
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  return isWritten && isClean && faults.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
