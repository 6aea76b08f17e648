// A bounded sample of the proof of backups; the complete proof is `npm run trials -- backup`.
import { expect, test } from '@jest/globals';
import { runBackupTrials } from '../../trials/backup.ts';

test('a restored backup has what was acknowledged before its moment and nothing later, and every fault is noticed', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = await runBackupTrials({ seed, trials: 2, flips: 20 });
  const none = { lost: 0, fromTheFuture: 0, undetected: 0, revived: 0, unguarded: 0, halfDone: 0 };
  expect(result).toMatchObject({ seed, trials: 2, flips: 40, ...none });
}, 300_000);

test.each([
  ['lost', 1_000],
  ['fromTheFuture', -1_000],
] as const)(
  'its judge detects writes that are %s',
  async (figure, skewMs) => {
    const result = await runBackupTrials({ seed: 1, trials: 1, flips: 0, skewMs });
    expect(result[figure]).toBeGreaterThan(0);
  },
  300_000,
);
