// What a run of all tests and the repetition of the files that failed say together.
import { stripVTControlCharacters } from 'node:util';

/** More failed files than these are no flakiness: nothing is repeated, and the run fails. */
export const mostRepeated = 3;

export interface FileResult {
  /** From the root of the checkout. */
  readonly path: string;
  readonly passed: number;
  /** A file that could not run has one failure. */
  readonly failed: number;
  readonly skipped: number;
  /** Jest's report of the failures; empty without any. */
  readonly message: string;
}

interface FlakyFile {
  readonly path: string;
  readonly first: FileResult;
  readonly alone: FileResult;
}

export interface Verdict {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly flaky: readonly FlakyFile[];
  /** Not those that are flaky. */
  readonly failedFiles: readonly FileResult[];
  /** Failures that belong to no test. */
  readonly faults: readonly string[];
}

interface JestResults {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** The files of Jest's `--json` output. */
export function filesOf(results: JestResults, pathOf: (path: string) => string): FileResult[] {
  return results.testResults.map(({ name, status, message, assertionResults }) => {
    const count = (...wanted: string[]) => assertionResults.filter((each) => wanted.includes(each.status)).length;
    const failed = Math.max(count('failed'), status === 'failed' ? 1 : 0);
    const skipped = count('pending', 'todo', 'skipped', 'disabled');
    return { path: pathOf(name), passed: count('passed'), failed, skipped, message: failed === 0 ? '' : message };
  });
}

export function filesToRepeat(files: readonly FileResult[]): FileResult[] {
  const failed = files.filter((file) => file.failed > 0);
  return failed.length > mostRepeated ? [] : failed;
}

/**
 * `files` is undefined when the suite left no results. `repeated` has the second result of each repeated file; undefined when that run
 * ended without one, which is a second failure.
 */
export function verdictOf(
  exitCode: number,
  files: readonly FileResult[] | undefined,
  repeated: ReadonlyMap<string, FileResult | undefined>,
): Verdict {
  if (files === undefined) {
    const faults = [`The tests ended with exit code ${exitCode} and left no results.`];
    return { passed: 0, failed: 1, skipped: 0, flaky: [], failedFiles: [], faults };
  }
  const flaky = files.flatMap((first) => {
    const alone = repeated.get(first.path);
    return first.failed > 0 && alone !== undefined && alone.failed === 0 && alone.passed > 0
      ? [{ path: first.path, first, alone }]
      : [];
  });
  const final = files.map((file) => flaky.find(({ path }) => path === file.path)?.alone ?? file);
  const sum = (of: (file: FileResult) => number) => final.reduce((total, file) => total + of(file), 0);
  const [passed, failed, skipped] = [
    sum((file) => file.passed),
    sum((file) => file.failed),
    sum((file) => file.skipped),
  ];
  // Jest failed without naming a file: its set-up or tear-down did, or it was killed.
  const unnamed = exitCode !== 0 && files.every((file) => file.failed === 0);
  const faults = unnamed ? [`All files passed, but the tests ended with exit code ${exitCode}.`] : [];
  if (passed === 0) faults.push('No test passed.');
  const failedFiles = final.filter((file) => file.failed > 0);
  return { passed, failed: failed + faults.length, skipped, flaky, failedFiles, faults };
}

/** What is most of a report's worth in few lines: each failed file, and the names of its failed tests. */
export function namesOfFailures(files: readonly FileResult[]): string[] {
  return files.flatMap(({ path, message }) => [
    `FAILED ${path}`,
    ...new Set([...stripVTControlCharacters(message).matchAll(/^ {2}● .+$/gm)].map(([title]) => title)),
  ]);
}
