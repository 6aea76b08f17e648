// The tests as CI runs them: `npm test`, then one slice of the long files, then each file that failed once more, alone. A file that
// passes alone is FLAKY: the run passes, and both outputs are printed. The number of commits selects the slice, so that a commit always
// gets the same one, and each slice has its turn. Prints the cost of each tier, and the count as its last line; exit code 1 when a test
// failed.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
// @ts-expect-error It has no types: the bootstrap runs it.
import { Sources } from '../tests/imports.mjs';
// @ts-expect-error
import { needsOf, partOf, tierOf, tiers } from '../tests/tiers.mjs';
import { reportOfTimes, timesIn } from './times.ts';
import {
  type FileResult,
  filesOf,
  filesToRepeat,
  mostRepeated,
  namesOfFailures,
  type SuiteResult,
  type Verdict,
  verdictOf,
} from './verdict.ts';

const root = dirname(dirname(import.meta.dirname));
const slices = 6;
/** Limit for one file alone. The longest takes eight minutes. */
const mostSecondsAlone = 600;
/** CI has 90 minutes. After this time nothing is repeated. */
const mostMinutesBeforeRepeating = 70;

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-ci-'));
  try {
    const beganMs = performance.now();
    const timesFile = join(folder, 'times');
    const slice = `${(commits() % slices) + 1}/${slices}`;
    const suites = [
      await runSuite('The landing suite', ['test', '--'], join(folder, 'short.json'), timesFile),
      await runSuite(
        `Slice ${slice} of the long files`,
        ['run', 'test:all', '--', '--slice', slice],
        join(folder, 'long.json'),
        timesFile,
      ),
    ];
    const repeated = new Map<string, FileResult | undefined>();
    for (const file of filesToRepeat(suites)) {
      if (performance.now() - beganMs > mostMinutesBeforeRepeating * 60_000) break;
      process.stdout.write(`\nAgain, alone: ${file.path}\n`);
      const words = ['test', '--', '-w', '1', '--runTestsByPath', file.path];
      const alone = await runJest(words, join(folder, 'alone.json'), {}, mostSecondsAlone);
      repeated.set(file.path, alone.files?.[0]);
      await rm(join(folder, 'alone.json'), { force: true });
    }
    const verdict = verdictOf(suites, repeated);
    process.stdout.write(textOf(verdict, await timesReport(timesFile)));
    return verdict.failed === 0 && verdict.passed > 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function commits(): number {
  return Number(execFileSync('git', ['rev-list', '--count', 'HEAD'], { cwd: root, encoding: 'utf8' }));
}

async function runSuite(
  name: string,
  words: readonly string[],
  resultsFile: string,
  timesFile: string,
): Promise<SuiteResult> {
  const beganMs = performance.now();
  process.stdout.write(`\n${name}\n`);
  const result = await runJest(words, resultsFile, { TEST_TIMES: timesFile });
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  process.stdout.write(`${name}: ${result.files?.length ?? 0} files, ${seconds} s, exit code ${result.exitCode}\n`);
  return { name, ...result };
}

/**
 * `words` are npm's. Jest's report goes to our stderr. A run that takes longer than `mostSeconds` is ended and has no results; 0 means no
 * limit.
 */
async function runJest(
  words: readonly string[],
  resultsFile: string,
  variables: Readonly<Record<string, string>>,
  mostSeconds = 0,
): Promise<Omit<SuiteResult, 'name'>> {
  const command = ['npm', ...words, '--json', '--outputFile', resultsFile];
  // `timeout` ends the whole process group.
  const child = spawn('timeout', ['--kill-after=30', String(mostSeconds), ...command], {
    cwd: root,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  const text = await readFile(resultsFile, 'utf8').catch(() => undefined);
  return {
    exitCode,
    files: text === undefined ? undefined : filesOf(JSON.parse(text), (path) => relative(root, path)),
  };
}

async function timesReport(file: string): Promise<string[]> {
  const sources = new Sources(root);
  const times = timesIn(await readFile(file, 'utf8').catch(() => ''));
  return reportOfTimes(times, tiers, (path) => tierOf(needsOf(sources, path)), partOf);
}

function textOf({ passed, failed, skipped, flaky, failedFiles, faults }: Verdict, times: readonly string[]): string {
  const lines = flaky.flatMap(({ path, first, alone }) => [
    ...['', `FLAKY ${path}: it failed among the others and passed alone. Mend it with the next change.`],
    ...['--- among the others', first.message, '--- alone'],
    `${alone.passed} passed, ${alone.failed} failed${alone.message === '' ? '' : `\n${alone.message}`}`,
  ]);
  if (times.length > 0) lines.push('', ...times);
  if (failedFiles.length > 0) lines.push('', ...namesOfFailures(failedFiles));
  if (faults.length > 0) lines.push('', ...faults);
  return `${lines.join('\n')}\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}

process.stdout.write(`Files that fail run once more, at most ${mostRepeated} of them.\n`);
process.exitCode = await main();
