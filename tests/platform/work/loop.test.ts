// A loop with nothing to look after rests until something happens, and polls as usual while wake-ups may be missed.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { Loop } from '../../../platform/work/loop.ts';
import { HandWake } from '../../support/product/hand-wake.ts';

const lookMs = 500;
const log = pino({ level: 'silent' });
let wake: HandWake;
let loop: Loop;
let runs: number;
let result: boolean | 'rest';
/** What happens during a run. */
let during: () => void;

beforeEach(async () => {
  jest.useFakeTimers();
  wake = new HandWake();
  runs = 0;
  result = 'rest';
  during = () => undefined;
  loop = new Loop({
    ...{ name: 'test', log, pauseMs: () => lookMs, rest: { wake } },
    run: async () => {
      runs += 1;
      during();
      return result;
    },
  });
  loop.start();
  await jest.advanceTimersByTimeAsync(0);
});

afterEach(async () => {
  await loop.stop();
  jest.useRealTimers();
});

test('it rests for many intervals', async () => {
  await jest.advanceTimersByTimeAsync(9 * lookMs);
  expect(runs).toBe(1);
  await jest.advanceTimersByTimeAsync(lookMs);
  expect(runs).toBe(2);
});

test('it runs at once when something happens', async () => {
  wake.notify('status');
  await jest.advanceTimersByTimeAsync(0);
  expect(runs).toBe(2);
  wake.notify('other');
  await jest.advanceTimersByTimeAsync(0);
  expect(runs).toBe(2);
});

test('while it looks after something, it runs at its interval, however much happens', async () => {
  result = false;
  wake.notify('status');
  await jest.advanceTimersByTimeAsync(0);
  expect(runs).toBe(2);
  for (let times = 0; times < 10; times += 1) wake.notify('status');
  await jest.advanceTimersByTimeAsync(lookMs - 1);
  expect(runs).toBe(2);
  await jest.advanceTimersByTimeAsync(1);
  expect(runs).toBe(3);
});

test('it does not rest after a run in which something happened', async () => {
  during = () => wake.notify('status');
  wake.notify('status');
  await jest.advanceTimersByTimeAsync(0);
  expect(runs).toBe(2);
  await jest.advanceTimersByTimeAsync(lookMs);
  expect(runs).toBe(3);
});

test('when wake-ups are lost, it runs at once, then at its interval, until they arrive again', async () => {
  wake.lose();
  await jest.advanceTimersByTimeAsync(0);
  expect(runs).toBe(2);
  await jest.advanceTimersByTimeAsync(3 * lookMs);
  expect(runs).toBe(5);
  wake.regain();
  await jest.advanceTimersByTimeAsync(lookMs);
  const then = runs;
  await jest.advanceTimersByTimeAsync(4 * lookMs);
  expect(runs).toBe(then);
});
