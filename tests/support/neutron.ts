// A private Neutron and Keystone for one test file. Where they can't run the tests are skipped, and their name says why.

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { silentLog } from '../../embedded/setup-log.ts';
import { neutronObstacle, type RunningNeutron, startNeutron, usualCacheFolder } from '../../lab/neutron.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The first start on a machine downloads and unpacks them, and makes databases. */
const startTimeoutMs = 300_000;
const obstacle = await neutronObstacle();

/** As `describe`, with one of each for all tests inside; `neutron()` is only for inside tests and hooks. */
export function describeWithNeutron(name: string, body: (neutron: () => RunningNeutron) => void): void {
  if (obstacle !== undefined) {
    describe.skip(`${name} (skipped: ${obstacle})`, () => body(never));
    return;
  }
  describe(name, () => {
    let running: RunningNeutron | undefined;
    let folder = '';
    beforeAll(async () => {
      folder = (await temporaryFolder()).path;
      const started = await startNeutron({ folder, cacheFolder: usualCacheFolder(), log: silentLog });
      if (!started.available) throw new Error(started.unavailable);
      running = started;
    }, startTimeoutMs);
    afterAll(async () => {
      await running?.stop();
      await rm(folder, { recursive: true, force: true });
    });
    body(() => running ?? never());
  });
}

function never(): never {
  throw new Error('Neutron is not running outside tests.');
}
