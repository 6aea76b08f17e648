// The pause between two turns: which steps have one, how long it is, and what ends it.
import { beforeEach, expect, test } from '@jest/globals';
import type { Step } from '../../../../ha/agent/decide.ts';
import { Pause } from '../../../../ha/agent/state/pause.ts';

const wait: Step = { kind: 'wait', why: 'it follows' };

let nowMs: number;
let slept: number[];
let endSleep: () => void;
let stop: AbortController;
let pause: Pause;

beforeEach(() => {
  nowMs = 10_000;
  slept = [];
  stop = new AbortController();
  const sleep = (ms: number, signal: AbortSignal) => {
    slept.push(ms);
    return new Promise<void>((resolve, reject) => {
      endSleep = resolve;
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  pause = new Pause({ nowMs: () => nowMs, signal: stop.signal, sleep });
});

/** Whether the pause has ended by now. */
const hasEnded = async (paused: Promise<void>): Promise<boolean> => {
  let ended = false;
  void paused.then(() => {
    ended = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return ended;
};

test('a step that leads to another step has no pause', async () => {
  await pause.after({ kind: 'seal', syncRevision: 7 });
  await pause.after({ kind: 'prove' });
  expect(slept).toEqual([]);
});

test('a pause follows a step that may not have helped, and a step that failed', async () => {
  for (const step of [wait, { kind: 'close' } as const, { kind: 'bar' } as const, undefined]) {
    const paused = pause.after(step);
    expect(await hasEnded(paused)).toBe(false);
    endSleep();
    await paused;
  }
  expect(slept).toEqual([200, 200, 200, 200]);
});

test('the pause is short during work of a few milliseconds, and while the server may be ending', async () => {
  const lengths = async (step: Step) => {
    const paused = pause.after(step);
    endSleep();
    await paused;
    return slept.at(-1);
  };
  expect(await lengths({ ...wait, soon: true })).toBe(10);
  pause.sessionEnded();
  await pause.after(wait);
  nowMs += 499;
  expect(await lengths(wait)).toBe(10);
  nowMs += 1;
  expect(await lengths(wait)).toBe(200);
});

test('a wake-up ends the pause', async () => {
  const paused = pause.after(wait);
  expect(await hasEnded(paused)).toBe(false);
  pause.wake();
  expect(await hasEnded(paused)).toBe(true);
});

test('a wake-up between two pauses skips the next one, and only that one', async () => {
  pause.wake();
  pause.wake();
  await pause.after(wait);
  expect(slept).toEqual([]);
  expect(await hasEnded(pause.after(wait))).toBe(false);
  expect(slept).toEqual([200]);
});

test('a wake-up is kept across steps without a pause', async () => {
  pause.wake();
  await pause.after({ kind: 'prove' });
  await pause.after(wait);
  expect(slept).toEqual([]);
});

test('the end of a session wakes the agent', async () => {
  const paused = pause.after(wait);
  pause.sessionEnded();
  expect(await hasEnded(paused)).toBe(true);
});

test('the end of the agent ends the pause', async () => {
  const paused = pause.after(wait);
  stop.abort();
  expect(await hasEnded(paused)).toBe(true);
});
