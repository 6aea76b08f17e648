// A bounded sample of the trial of upgrades. The complete proof is `npm run trials -- upgrade`.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { releaseFolder } from '../../trials/upgrade/release.ts';
import { runUpgrade } from '../../trials/upgrade.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let release: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  release = await releaseFolder('0.2.0', () => {});
}, 400_000);
afterAll(() => folder.remove());

test('0.2.0 becomes this version and goes back under load: no request fails, no call is lost or repeated, no event is missed', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const given = { seed, trials: 1, perSecond: 5, subscriptions: 5, folder: folder.path, release };
  const result = await runUpgrade(given);
  expect(result).toMatchObject({
    seed,
    findings: [],
    failedRequests: 0,
    lost: 0,
    repeated: 0,
    unanswered: 0,
    eventGaps: 0,
  });
  expect(result.restarts).toBe(26);
  expect(Math.min(result.requests, result.calls, result.deliveries)).toBeGreaterThan(50);
}, 400_000);
