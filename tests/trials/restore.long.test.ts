// A bounded sample of the proof of restores; the complete proof is `npm run trials -- restore`.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runRestoreTrials } from '../../trials/restore.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

test('a restore repeats no call, revives no access, notifies every reader, and every server follows it', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = await runRestoreTrials({ seed, trials: 4, changes: 20, folder: folder.path });
  const none = { repeatedCalls: 0, revived: 0, eventGaps: 0, unnoticed: 0, activeButNotServed: 0, diverged: 0 };
  expect(result).toMatchObject({ seed, trials: 4, ...none });
}, 300_000);

test('its judge detects a repeated call and a revived token, after an undetected restore', async () => {
  const place = await temporaryFolder();
  try {
    // With this seed the relay starts on the restored database.
    const options = { seed: 5, trials: 1, changes: 5, folder: place.path, places: ['relay'], guarded: false } as const;
    const found = await runRestoreTrials(options);
    expect(found).toMatchObject({ repeatedCalls: 1, revived: 1, unnoticed: 1 });
  } finally {
    await place.remove();
  }
}, 300_000);
