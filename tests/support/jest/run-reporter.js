// Prints the end of a run: reasons for skipped tests, the slowest files, the tests that are known to fail, and as the very last line
// `N passed, N failed` (and `, N skipped`). It is plain JavaScript because Jest loads reporters without its transform.
import { relative } from 'node:path';
import { faultsOfKnownRed, readKnownRed } from '../../../tools/tests/known-red.ts';
import { slowestLines } from '../../../tools/tests/slowest.mjs';

/** A test file that could not run at all counts as one failure. */
export default class RunReporter {
  #root;
  #faults = [];

  constructor({ rootDir }) {
    this.#root = rootDir;
  }

  onRunComplete(_contexts, results) {
    const files = results.testResults.map(({ testFilePath, testResults, perfStats }) => ({
      file: relative(this.#root, testFilePath),
      seconds: perfStats.runtime / 1000,
      tests: testResults.map(({ ancestorTitles, title }) => [...ancestorTitles, title].join(' › ')),
    }));
    const known = this.#knownRed();
    this.#faults.push(...faultsOfKnownRed(this.#root, known, files, Date.now()));
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites + this.#faults.length;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    const lines = [
      ...skipReasons(results).map((reason) => `Not run: ${reason}`),
      ...slowestLines(files),
      ...known.map(
        (row) => `Known ${row.kind}: ${row.file} › ${row.test} (${row.reason}; since ${row.since}; ${row.issue})`,
      ),
      ...this.#faults,
    ];
    process.on('exit', () => {
      process.stderr.write(lines.map((each) => `${each}\n`).join(''));
      process.stdout.write(`${line}\n`);
    });
  }

  /** Jest ends with 1 when there is one. */
  getLastError() {
    return this.#faults.length > 0 ? new Error(this.#faults.join('\n')) : undefined;
  }

  #knownRed() {
    try {
      return readKnownRed(this.#root);
    } catch (error) {
      this.#faults.push(error.message);
      return [];
    }
  }
}

/** Names of skipped groups that contain the reason, in the format of `describeWithLab`. */
function skipReasons(results) {
  const titles = results.testResults
    .flatMap((file) => file.testResults)
    .filter((result) => result.status === 'pending')
    .flatMap((result) => [...result.ancestorTitles, result.title])
    .filter((title) => title.includes('(skipped: '));
  return [...new Set(titles)];
}
