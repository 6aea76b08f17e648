// Slices of the long test files, of about equal time: CI runs one of them for each commit.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Seconds of each long file alone on two quiet processors. */
export const timesFile = 'tests/long-times.json';
const usualSeconds = 60;

/** @returns {Readonly<Record<string, number>>} */
export function longTimes(root) {
  return JSON.parse(readFileSync(join(root, timesFile), 'utf8'));
}

/**
 * The longest file goes to the slice that has the least so far, and so on: the same files and times give the same slices.
 *
 * @param {readonly string[]} paths
 * @param {Readonly<Record<string, number>>} seconds a file without a time counts as a usual one
 * @returns {string[][]}
 */
export function slicesOf(paths, seconds, count) {
  const slices = Array.from({ length: count }, () => ({ seconds: 0, paths: [] }));
  const rows = paths.map((path) => ({ path, seconds: seconds[path] ?? usualSeconds }));
  rows.sort((one, other) => other.seconds - one.seconds || (one.path < other.path ? -1 : 1));
  for (const row of rows) {
    const least = slices.reduce((best, each) => (each.seconds < best.seconds ? each : best));
    least.seconds += row.seconds;
    least.paths.push(row.path);
  }
  return slices.map((slice) => slice.paths.sort());
}
