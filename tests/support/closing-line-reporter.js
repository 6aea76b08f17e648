// Prints `N passed, N failed` (and `, N skipped`) as the very last line of the run, and before it the reasons for skipped tests.
// It is plain JavaScript because Jest loads reporters without its transform.

/** A test file that could not run at all counts as one failure. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    const reasons = skipReasons(results).map((reason) => `Not run: ${reason}\n`);
    process.on('exit', () => {
      process.stderr.write(reasons.join(''));
      process.stdout.write(`${line}\n`);
    });
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
