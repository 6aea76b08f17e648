// How the files of a run are spread: one whole system at a time while other files are left, everything runs once, and what is not begun in time is told.
import { expect, it } from '@jest/globals';
// @ts-expect-error Jest reads it as it is.
import { runInLanes as untyped } from '../../support/runner.js';

interface File {
  readonly path: string;
}
const runInLanes = untyped as (given: {
  readonly tests: readonly File[];
  readonly lanes: number;
  readonly atATime: number;
  readonly isWhole: (file: File) => boolean;
  readonly isOver: () => boolean;
  readonly run: (some: readonly File[]) => Promise<void>;
}) => Promise<File[]>;

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
  expect(await runInLanes({ tests, lanes: 3, atATime: 2, isWhole, isOver: () => false, run })).toEqual([]);
  expect(ran.map(({ path }) => path).sort()).toEqual(tests.map(({ path }) => path).sort());
  expect(most).toBe(1);
});

it('has every lane run whole systems once nothing else is left', async () => {
  let [now, most] = [0, 0];
  const run = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    now -= 1;
  };
  const whole = files('ha', 5);
  expect(await runInLanes({ tests: whole, lanes: 2, atATime: 2, isWhole, isOver: () => false, run })).toEqual([]);
  expect(most).toBe(2);
});

it('begins nothing once the time is over, and tells what is left', async () => {
  const ran: File[] = [];
  const run = async (some: readonly File[]) => void ran.push(...some);
  const left = await runInLanes({ tests, lanes: 2, atATime: 2, isWhole, isOver: () => ran.length >= 6, run });
  expect(ran.length).toBeGreaterThanOrEqual(6);
  expect([...ran, ...left].map(({ path }) => path).sort()).toEqual(tests.map(({ path }) => path).sort());
  expect(left.length).toBeGreaterThan(0);
});
