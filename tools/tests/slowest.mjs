// The slowest files of a run, for its end.
import { isLong } from './tiers.mjs';

const shownFiles = 10;
/** `npm test` has them however long they take. */
const alwaysRun = 'tests/main-jobs/';
/** Among others; twice as long as alone. */
export const mostSeconds = 20;

/**
 * @param {readonly { file: string, seconds: number }[]} times
 * @returns {string[]} lines
 */
export function slowestLines(times) {
  if (times.length < 2) return [];
  const sorted = times.toSorted((one, other) => other.seconds - one.seconds);
  const overlong = sorted.filter(
    ({ file, seconds }) => seconds > mostSeconds && !isLong(file) && !file.startsWith(alwaysRun),
  );
  const lineOf = ({ file, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${file}`;
  const note = `Over ${mostSeconds} s without a long name (shorten the file, or rename it to NAME.long.test.ts):`;
  return [
    'The slowest files:',
    ...sorted.slice(0, shownFiles).map(lineOf),
    ...(overlong.length > 0 ? [note, ...overlong.map(lineOf)] : []),
  ];
}
