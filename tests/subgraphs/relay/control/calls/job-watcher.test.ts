// Each job has one poller, however many callers wait for it. There is none when no caller waits or when polling can't
// help.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import pino from 'pino';
import { Refusal, userError } from '../../../../../platform/errors/errors.ts';
import {
  JobWatcher,
  mostWatched,
  mostWatchedOfProject,
} from '../../../../../subgraphs/relay/control/calls/job-watcher.ts';

const settings = { firstJobLookMs: 500, jobLookMs: 5_000 };
const log = pino({ level: 'silent' });

let looks: PromiseWithResolvers<boolean>[];
let watcher: JobWatcher;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'performance'] });
  looks = [];
  watcher = new JobWatcher({
    look: () => {
      const look = Promise.withResolvers<boolean>();
      looks.push(look);
      return look.promise;
    },
    settings,
    log,
  });
});
afterEach(async () => {
  watcher.drain();
  for (const look of looks) look.resolve(false);
  await watcher.stop();
  jest.useRealTimers();
});

function job(id: string, projectId = 'project') {
  return { id, projectId };
}

/** Tracks whether the wait has ended. */
function watched(waiting: Promise<void>): { ended: boolean } {
  const seen = { ended: false };
  void waiting.then(() => {
    seen.ended = true;
  });
  return seen;
}

async function running(number: number): Promise<void> {
  looks[number]?.resolve(true);
  await jest.advanceTimersByTimeAsync(0);
}

test('for many waiting callers, one polls with growing pauses until the job has ended', async () => {
  const all = Array.from({ length: 20 }, () => watched(watcher.end(job('a'), 100_000)));
  expect(looks).toHaveLength(0);
  await jest.advanceTimersByTimeAsync(500);
  expect(looks).toHaveLength(1);
  // A slow poll is not joined by another.
  await jest.advanceTimersByTimeAsync(20_000);
  expect(looks).toHaveLength(1);
  for (const [number, pauseMs] of [1_000, 2_000, 4_000, 5_000, 5_000].entries()) {
    await running(number);
    await jest.advanceTimersByTimeAsync(pauseMs - 1);
    expect(looks).toHaveLength(number + 1);
    await jest.advanceTimersByTimeAsync(1);
    expect(looks).toHaveLength(number + 2);
  }
  looks.at(-1)?.resolve(false);
  await jest.advanceTimersByTimeAsync(0);
  expect(all.every(({ ended }) => ended)).toBe(true);
  await jest.advanceTimersByTimeAsync(100_000);
  expect(looks).toHaveLength(6);
});

test('polling stops when the last caller has waited long enough, and starts over for a later caller', async () => {
  const [short, long] = [watched(watcher.end(job('a'), 600)), watched(watcher.end(job('a'), 2_000))];
  await jest.advanceTimersByTimeAsync(600);
  expect([short.ended, long.ended]).toEqual([true, false]);
  await running(0);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(looks).toHaveLength(2);
  await running(1);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(long.ended).toBe(true);
  await jest.advanceTimersByTimeAsync(3_600_000);
  expect(looks).toHaveLength(2);
  const later = watched(watcher.end(job('a'), 10_000));
  await jest.advanceTimersByTimeAsync(500);
  expect(looks).toHaveLength(3);
  expect(later.ended).toBe(false);
});

test('a poll that its caller gave up is taken over by the next caller', async () => {
  void watcher.end(job('a'), 600);
  await jest.advanceTimersByTimeAsync(600);
  const next = watched(watcher.end(job('a'), 100_000));
  await jest.advanceTimersByTimeAsync(10_000);
  expect(looks).toHaveLength(1);
  looks[0]?.resolve(false);
  await jest.advanceTimersByTimeAsync(0);
  expect(next.ended).toBe(true);
});

test('without a waiting caller there is no poll', async () => {
  await watcher.end(job('a'), 0);
  await watcher.end(job('a'), -5);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(looks).toEqual([]);
});

test("a device that can't be read now is polled again; the wait ends where polling can't help", async () => {
  const away = watched(watcher.end(job('a'), 100_000));
  await jest.advanceTimersByTimeAsync(500);
  looks[0]?.reject(new Refusal([userError('UNAVAILABLE', 'away')]));
  await jest.advanceTimersByTimeAsync(1_000);
  expect(looks).toHaveLength(2);
  expect(away.ended).toBe(false);
  looks[1]?.reject(new Refusal([userError('NO_PROBE', 'no')]));
  await jest.advanceTimersByTimeAsync(0);
  expect(away.ended).toBe(true);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(looks).toHaveLength(2);
});

test('a drain ends every wait and the polling at once', async () => {
  const [pausing, looking] = [watched(watcher.end(job('a'), 100_000)), watched(watcher.end(job('b'), 100_000))];
  await jest.advanceTimersByTimeAsync(500);
  await running(0);
  watcher.drain();
  await jest.advanceTimersByTimeAsync(0);
  expect([pausing.ended, looking.ended]).toEqual([true, true]);
  const stopped = watched(watcher.stop());
  await jest.advanceTimersByTimeAsync(0);
  expect(stopped.ended).toBe(false);
  await running(1);
  await jest.advanceTimersByTimeAsync(100_000);
  expect(stopped.ended).toBe(true);
  expect(looks).toHaveLength(2);
  await watcher.end(job('a'), 100_000);
});

test('for polling by reads, one project gets at most a quarter of the places, and all projects together no more than there are', async () => {
  const waits = (projectId: string, count: number) =>
    Array.from({ length: count }, (_, index) => watched(watcher.end(job(`${projectId}-${index}`, projectId), 100_000)));
  const waiting = async (all: readonly { ended: boolean }[]) => {
    await jest.advanceTimersByTimeAsync(0);
    return all.filter(({ ended }) => !ended).length;
  };
  const greedy = waits('greedy', mostWatched);
  expect(await waiting(greedy)).toBe(mostWatchedOfProject);
  expect(mostWatchedOfProject).toBe(250);
  // Another caller of a watched job needs no place.
  expect(await waiting([watched(watcher.end(job('greedy-0', 'greedy'), 100_000))])).toBe(1);
  const other = waits('other', 1);
  expect(await waiting(other)).toBe(1);
  const others = ['second', 'third', 'fourth'].flatMap((project) => waits(project, mostWatchedOfProject));
  expect(await waiting([...greedy, ...other, ...others])).toBe(mostWatched);
  // The place is free again when its job has ended.
  await jest.advanceTimersByTimeAsync(500);
  for (const look of looks) look.resolve(false);
  await jest.advanceTimersByTimeAsync(0);
  expect(await waiting(waits('greedy', 1))).toBe(1);
});
