// A bounded sample of the trial of rolling restarts. The complete proof is `npm run trials -- gateway-rolling`.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runRolling } from '../../trials/gateway-rolling.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

test('no request fails and no event is missed while everything is restarted and the graph is replaced', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = await runRolling({ seed, rounds: 1, perSecond: 20, subscriptions: 15, folder: folder.path });
  expect(result).toMatchObject({ seed, findings: [], failed: 0, repeated: 0, gaps: 0, restarts: 12, swaps: 1 });
  expect(result.requests).toBeGreaterThan(100);
  expect(result.deliveries).toBeGreaterThan(0);
}, 400_000);
