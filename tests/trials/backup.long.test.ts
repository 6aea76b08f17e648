// A bounded sample of the proof of backups; the complete proof is `npm run trials -- backup`.
import { expect, test } from '@jest/globals';
import { runBackupTrials } from '../../trials/backup.ts';

test('a restored backup has what was acknowledged before its moment and nothing later, and every fault is noticed', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = await runBackupTrials({ seed, trials: 2, flips: 20 });
  const none = { lost: 0, fromTheFuture: 0, undetected: 0, revived: 0, unguarded: 0, repeatedCalls: 0, halfDone: 0 };
  // Root alone can mount a small disk.
  const skippedDisks = process.getuid?.() === 0 ? 0 : 1;
  expect(result).toMatchObject({ seed, trials: 2, flips: 40, skippedDisks, ...none });
  // Keys from before the moment, and from after it.
  expect([result.answered, result.uncertain].map((count) => count > 0)).toEqual([true, true]);
}, 300_000);

test.each([
  ['lost', { skewMs: 1_000 }],
  ['fromTheFuture', { skewMs: -1_000 }],
  ['repeatedCalls', { lifted: true }],
] as const)(
  'its judge detects %s',
  async (figure, wrong) => {
    const result = await runBackupTrials({ seed: 1, trials: 1, flips: 0, ...wrong });
    expect(result[figure]).toBeGreaterThan(0);
  },
  300_000,
);
