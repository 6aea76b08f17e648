// The tests as CI runs them: the whole suite, then each file that failed once more, alone. A file that passes alone is FLAKY: the run
// passes, and both outputs are printed. Prints the slowest files and the cost of each tier, and the count as its last line; exit code 1
// when a test failed.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
// @ts-expect-error It has no types: the bootstrap runs it.
import { Sources } from '../tests/imports.mjs';
// @ts-expect-error
import { needsOf, tierOf, tiers } from '../tests/tiers.mjs';
import { reportOfTimes, timesIn } from './times.ts';
import {
  type FileResult,
  filesOf,
  filesToRepeat,
  mostRepeated,
  namesOfFailures,
  type Verdict,
  verdictOf,
} from './verdict.ts';

const root = dirname(dirname(import.meta.dirname));
/** Files that are not begun by then are named, and not run: CI has 90 minutes, and machines may be several times slower than usual. */
const mostMinutes = 62;
/** Of one file alone; the longest takes six minutes. */
const mostSecondsAlone = 420;
/** After this nothing is repeated any more. */
const mostMinutesBeforeRepeating = 72;

interface Run {
  readonly exitCode: number;
  /** Undefined when Jest could not write its results. */
  readonly files: readonly FileResult[] | undefined;
}

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-ci-'));
  try {
    const beganMs = performance.now();
    const timesFile = join(folder, 'times');
    const limits = { TEST_MINUTES: String(mostMinutes), TEST_TIMES: timesFile };
    const whole = await runJest([], join(folder, 'whole.json'), limits);
    const repeated = new Map<string, FileResult | undefined>();
    for (const file of filesToRepeat(whole.files ?? [])) {
      if (performance.now() - beganMs > mostMinutesBeforeRepeating * 60_000) break;
      process.stdout.write(`\nAgain, alone: ${file.path}\n`);
      const alone = await runJest(
        ['-w', '1', '--runTestsByPath', file.path],
        join(folder, 'alone.json'),
        {},
        mostSecondsAlone,
      );
      repeated.set(file.path, alone.files?.[0]);
      await rm(join(folder, 'alone.json'), { force: true });
    }
    const verdict = verdictOf(whole.exitCode, whole.files, repeated);
    process.stdout.write(textOf(verdict, await timesReport(timesFile)));
    return verdict.failed === 0 && verdict.passed > 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Jest's report goes to our stderr. A run that takes longer than `mostSeconds` is ended and has no results; 0 means no limit. */
async function runJest(
  args: readonly string[],
  resultsFile: string,
  variables: Readonly<Record<string, string>>,
  mostSeconds = 0,
): Promise<Run> {
  const command = ['npm', 'test', '--', ...args, '--json', '--outputFile', resultsFile];
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
  return reportOfTimes(times, tiers, (path) => tierOf(needsOf(sources, path)));
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
