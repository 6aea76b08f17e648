// The trial of autoscaling: handmade cases for its judge, and some of its hours.
import { expect, test } from '@jest/globals';
import { descentFault, simulateDescent } from '../../trials/lb-scale/descent.ts';
import { courses } from '../../trials/lb-scale/load.ts';
import { simulateHour } from '../../trials/lb-scale/simulation.ts';
import { countFlaps } from '../../trials/lb-scale/verdict.ts';
import { seededRandom } from '../../trials/random.ts';

test('a flap is a second change of direction within a cooldown that the load did not require', () => {
  const change = (second: number, fromNodes: number, toNodes: number, byLoad = true) => ({
    ...{ atMs: second * 1_000, fromNodes, toNodes, byLoad },
  });
  expect(countFlaps([change(0, 2, 3), change(10, 3, 2)], 60_000)).toBe(0);
  expect(countFlaps([change(0, 2, 3), change(10, 3, 2), change(20, 2, 3)], 60_000)).toBe(1);
  expect(countFlaps([change(0, 2, 3), change(10, 3, 2), change(70, 2, 3)], 60_000)).toBe(0);
  expect(countFlaps([change(0, 3, 2), change(10, 2, 2), change(20, 2, 1), change(30, 1, 3)], 60_000)).toBe(0);
  expect(countFlaps([change(0, 2, 3), change(10, 3, 2), change(20, 2, 3, false)], 60_000)).toBe(0);
});

test('simulated hours have no flap, are within bounds, and follow the load', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
  for (const [index, course] of courses.entries()) {
    const { decisions, policy } = simulateHour(course, seededRandom(seed + index));
    const told = `${course}, seed ${seed + index}`;
    expect([told, countFlaps(decisions, policy.cooldownMs)]).toEqual([told, 0]);
    expect(decisions.filter(({ toNodes, min, max }) => toNodes < min || toNodes > max)).toEqual([]);
    expect(decisions.length).toBe(3_600 / (policy.periodMs / 1_000));
  }
  const square = simulateHour('square', seededRandom(1));
  expect(square.decisions.some(({ action }) => action === 'GROW')).toBe(true);
  expect(square.decisions.some(({ action }) => action === 'SHRINK')).toBe(true);
});

test('the number of nodes comes down after every course, and begins to within the window and two periods', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
  for (let course = 0; course < 60; course += 1) {
    const descent = simulateDescent(60_000 + 50_000 * course, seededRandom(seed + course));
    expect([`course ${course}, seed ${seed}`, descentFault(descent)]).toEqual([
      `course ${course}, seed ${seed}`,
      undefined,
    ]);
  }
});
