// Whether a primary counts as alive while its commits wait. A backup or read lock of an operator is told from a server or a disk that hangs.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { Heartbeat } from '../../../ha/agent/heartbeat.ts';

const everyMs = 200;
const longestLockMs = 2_000;
const giveUpMs = 1_000;

interface Fault {
  /** The heartbeat's own statement waits for a lock, as another connection sees it. */
  readonly locked: boolean;
  /** The other connection gets no answer. */
  readonly silent: boolean;
  readonly diskHangs: boolean;
}

let commits: PromiseWithResolvers<void>[];
let fault: Fault;
let warnings: string[];
let heartbeat: Heartbeat;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance', 'hrtime', 'nextTick', 'setImmediate'] });
  [commits, warnings] = [[], []];
  fault = { locked: false, silent: false, diskHangs: false };
  heartbeat = new Heartbeat({
    commit: () => {
      const commit = Promise.withResolvers<void>();
      commits.push(commit);
      return commit.promise;
    },
    isDue: () => true,
    dataPath: '.',
    waitsForLock: () => (fault.silent ? new Promise(() => undefined) : Promise.resolve(fault.locked)),
    reachesDisk: () => (fault.diskHangs ? new Promise(() => undefined) : Promise.resolve()),
    longestLockMs,
    log: { warn: (line) => warnings.push(line) },
  });
});

afterEach(() => {
  heartbeat.stop();
  jest.useRealTimers();
});

/** How long the server has counted as dead after commits waited for that time. */
async function deadAfter(ms: number): Promise<number> {
  for (let passed = 0; passed < ms; passed += everyMs) {
    jest.advanceTimersByTime(everyMs);
    // The look at the lock and the disk ends.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return Math.round((monotonicMs() - heartbeat.lastMs) / everyMs) * everyMs;
}

const hangs: readonly (readonly [string, Fault])[] = [false, true].flatMap((locked) =>
  [false, true].flatMap((silent) =>
    [false, true].map(
      (diskHangs) =>
        [
          `${locked ? 'a lock' : 'no lock'}, ${silent ? 'no answer' : 'an answer'}, a disk that ${diskHangs ? 'hangs' : 'works'}`,
          { locked, silent, diskHangs },
        ] as const,
    ),
  ),
);

test.each(hangs)('commits wait: %s', async (_what, now) => {
  fault = now;
  const isHealthy = now.locked && !now.silent && !now.diskHangs;
  const dead = await deadAfter(giveUpMs);
  if (isHealthy) expect(dead).toBeLessThanOrEqual(everyMs);
  // As soon as without any look at locks.
  else expect(dead).toBe(giveUpMs);
});

test('a lock that lasts longer than the setting allows counts as death, and the log says both', async () => {
  fault = { ...fault, locked: true };
  expect(await deadAfter(longestLockMs - everyMs)).toBeLessThanOrEqual(everyMs);
  expect(warnings).toEqual([expect.stringContaining('commits wait for a backup lock or read lock')]);
  expect(await deadAfter(everyMs + giveUpMs)).toBe(giveUpMs);
  expect(warnings).toEqual([expect.anything(), expect.stringContaining('for 2 s (ha.longestLockSeconds)')]);
});

test('each lock has its own time, and a server that hangs under a lock counts as dead', async () => {
  fault = { ...fault, locked: true };
  await deadAfter(longestLockMs - 2 * everyMs);
  commits[0]?.resolve();
  fault = { ...fault, locked: false };
  while (commits.length < 2) await deadAfter(everyMs);
  fault = { ...fault, locked: true };
  expect(await deadAfter(longestLockMs - 2 * everyMs)).toBeLessThanOrEqual(everyMs);
  expect(warnings).toEqual([expect.stringContaining('commits wait'), expect.stringContaining('commits wait')]);
  fault = { ...fault, silent: true };
  expect(await deadAfter(giveUpMs)).toBeGreaterThanOrEqual(giveUpMs - everyMs);
});
