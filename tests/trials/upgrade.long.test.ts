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

/** Gateways of 0.2.0 give up a process that is silent for 1.5 s, as any is on a busy machine, and refuse reads while the other one restarts. */
const refusedBy020 = /SUBGRAPH_UNAVAILABLE|: \d+ failed$/;

test('0.2.0 becomes this version, by a killed upgrade too, and goes back under load: no call is lost or repeated, no event is missed, and nothing fails but reads', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const given = { seed, trials: 1, perSecond: 5, subscriptions: 5, folder: folder.path, release };
  const result = await runUpgrade(given);
  expect(result).toMatchObject({ seed, lost: 0, repeated: 0, unanswered: 0, eventGaps: 0, restarts: 26 });
  expect(result.findings.filter((each) => !refusedBy020.test(each))).toEqual([]);
  expect(result.failedRequests).toBeLessThan(result.requests / 20);
  expect(result.kills).toBeGreaterThan(2);
  expect(Math.min(result.requests, result.calls, result.deliveries)).toBeGreaterThan(50);
}, 400_000);
