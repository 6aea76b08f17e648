// The combined result of a run's suites and of the repetition of failed files.
import { stripVTControlCharacters } from 'node:util';

/** More failed files than this are not flakiness. Nothing is repeated, and the run fails. */
export const mostRepeated = 3;

export interface FileResult {
  /** Path from the root of the checkout. */
  readonly path: string;
  readonly passed: number;
  /** A file that could not run has one failure. */
  readonly failed: number;
  readonly skipped: number;
  /** Jest's report of the failures. Empty without any. */
  readonly message: string;
}

export interface SuiteResult {
  readonly name: string;
  readonly exitCode: number;
  /** Undefined when Jest could not write its results. */
  readonly files: readonly FileResult[] | undefined;
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
  /** Failed files, without flaky ones. */
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

export function filesToRepeat(suites: readonly SuiteResult[]): FileResult[] {
  const failed = suites.flatMap(({ files = [] }) => files).filter((file) => file.failed > 0);
  return failed.length > mostRepeated ? [] : failed;
}

/** `repeated` has the second result of each repeated file. Undefined when that run ended without one, which is a second failure. */
export function verdictOf(
  suites: readonly SuiteResult[],
  repeated: ReadonlyMap<string, FileResult | undefined>,
): Verdict {
  const files = suites.flatMap((suite) => suite.files ?? []);
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
  const faults = suites.flatMap(faultsOf);
  const failedFiles = final.filter((file) => file.failed > 0);
  return { passed, failed: failed + faults.length, skipped, flaky, failedFiles, faults };
}

function faultsOf({ name, exitCode, files }: SuiteResult): string[] {
  if (files === undefined) return [`${name} ended with exit code ${exitCode} and left no results.`];
  if (files.every((file) => file.passed === 0)) return [`${name}: no test passed.`];
  // Jest failed without naming a file: its set-up or tear-down did, the list of known failures is wrong, or it was killed.
  const isUnnamed = exitCode !== 0 && files.every((file) => file.failed === 0);
  return isUnnamed ? [`${name}: all files passed, but it ended with exit code ${exitCode}.`] : [];
}

/** The core of a report in few lines: each failed file, and the names of its failed tests. */
export function namesOfFailures(files: readonly FileResult[]): string[] {
  return files.flatMap(({ path, message }) => [
    `FAILED ${path}`,
    ...new Set([...stripVTControlCharacters(message).matchAll(/^ {2}● .+$/gm)].map(([title]) => title)),
  ]);
}
