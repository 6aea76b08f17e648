// How the files of a run are distributed: one whole system at a time while other files are left, and every file runs once.
import { expect, it } from '@jest/globals';
// @ts-expect-error Jest reads it as it is.
import { runInLanes as untyped } from '../../support/jest/runner.js';

interface File {
  readonly path: string;
}
const runInLanes = untyped as (given: {
  readonly tests: readonly File[];
  readonly lanes: number;
  readonly isWhole: (file: File) => boolean;
  readonly run: (some: readonly File[]) => Promise<void>;
}) => Promise<void>;

const files = (folder: string, count: number): File[] =>
  Array.from({ length: count }, (_, index) => ({ path: `/x/tests/${folder}/${index}.test.ts` }));
const isWhole = ({ path }: File) => path.includes('/ha/');
const tests = [...files('ha', 5), ...files('platform', 9), ...files('cli/commands', 4)];

it('runs every file once, and no two whole systems at once while other files are left', async () => {
  const ran: File[] = [];
  let [whole, most, rest] = [0, 0, tests.filter((file) => !isWhole(file)).length];
  const run = async (some: readonly File[]) => {
    const isOne = some.some(isWhole) ? 1 : 0;
    whole += isOne;
    rest -= some.filter((file) => !isWhole(file)).length;
    if (rest > 0) most = Math.max(most, whole);
    await new Promise((resolve) => setTimeout(resolve, 1));
    whole -= isOne;
    ran.push(...some);
  };
  await runInLanes({ tests, lanes: 3, isWhole, run });
  expect(ran.map(({ path }) => path).sort()).toEqual(tests.map(({ path }) => path).sort());
  expect(most).toBe(1);
});

it('lets every lane run whole systems once nothing else is left', async () => {
  let [now, most] = [0, 0];
  const run = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    now -= 1;
  };
  const whole = files('ha', 5);
  await runInLanes({ tests: whole, lanes: 2, isWhole, run });
  expect(most).toBe(2);
});

it('starts files of one lane alone at the end, so that no lane waits for another', async () => {
  const sizes: number[] = [];
  const run = async (some: readonly File[]) => void sizes.push(some.length);
  await runInLanes({ tests: files('platform', 400), lanes: 2, isWhole, run });
  expect(sizes[0]).toBe(40);
  expect(sizes.slice(-10)).toEqual(Array.from({ length: 10 }, () => 1));
});
