// tests/known-red.json: a few tests that are known to fail, so that everything else can be merged on a bad day. They still run, and count
// as skipped (tests/support/jest/test-environment.ts). Every run ends with the list (tests/support/jest/run-reporter.js).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KnownRed {
  /** Path from the root of the checkout. */
  readonly file: string;
  /** The groups' titles and the test's, with › between them, as Jest prints them. */
  readonly test: string;
  /** A test that is always `red` fails the run when it passes; a `flaky` one may do either. */
  readonly kind: 'red' | 'flaky';
  readonly reason: string;
  /** The day on which it was added: 2026-11-27. */
  readonly since: string;
  /** The issue that will mend it. */
  readonly issue: string;
}

/** A test file's tests with their titles, after a run. */
interface RanFile {
  readonly file: string;
  readonly tests: readonly string[];
}

const mostKnownRed = 5;
const mostDays = 14;

const fields = ['file', 'test', 'kind', 'reason', 'since', 'issue'];
const dayMs = 24 * 60 * 60 * 1000;

/** @throws {Error} the list has another form */
export function readKnownRed(root: string): KnownRed[] {
  const rows: unknown = JSON.parse(readFileSync(join(root, 'tests/known-red.json'), 'utf8'));
  const isRow = (row: unknown): row is KnownRed =>
    typeof row === 'object' &&
    row !== null &&
    Object.keys(row).sort().join() === fields.toSorted().join() &&
    Object.values(row).every((value) => typeof value === 'string' && value !== '') &&
    ['red', 'flaky'].includes((row as KnownRed).kind) &&
    /^\d{4}-\d\d-\d\d$/.test((row as KnownRed).since);
  if (!Array.isArray(rows) || !rows.every(isRow))
    throw new Error(`tests/known-red.json is a list of objects with the texts ${fields.join(', ')}`);
  return rows;
}

/** Faults that make a run red although its tests pass: the list is too long, too old, or names missing tests. */
export function faultsOfKnownRed(
  root: string,
  rows: readonly KnownRed[],
  ran: readonly RanFile[],
  nowMs: number,
): string[] {
  const faults = rows.flatMap(({ file, test, since }) => {
    const name = `${file} › ${test}`;
    const tests = ran.find((each) => each.file === file)?.tests;
    return [
      ...(existsSync(join(root, file)) ? [] : [`${name}: there is no such file`]),
      ...(tests === undefined || tests.length === 0 || tests.includes(test) ? [] : [`${name}: there is no such test`]),
      ...(nowMs - Date.parse(since) <= mostDays * dayMs ? [] : [`${name}: known for more than ${mostDays} days`]),
    ];
  });
  if (rows.length > mostKnownRed) faults.push(`${rows.length} tests are known to fail; at most ${mostKnownRed} may be`);
  return faults.map((fault) => `tests/known-red.json: ${fault}`);
}
