// A private Neutron and Keystone for one test file. If they can't run here, the tests are skipped, and their
// name gives the reason.

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe } from '@jest/globals';
import type { SetupLog } from '../../../embedded/setup-log.ts';
import { neutronObstacle, type RunningNeutron, startNeutron, usualCacheFolder } from '../../../lab/neutron.ts';
import { temporaryFolder } from '../machine/temporary-folder.ts';

/** The first start on a machine downloads and unpacks them, and creates databases. */
const startTimeoutMs = 300_000;
const obstacle = await neutronObstacle();

/** The services' output, oldest first: it contains a line for each request that reached them. */
type ServiceLines = readonly string[];

/** Like `describe`, with one of each for all tests inside; `neutron()` may be called only in tests and hooks. */
export function describeWithNeutron(
  name: string,
  body: (neutron: () => RunningNeutron, lines: ServiceLines) => void,
): void {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
  };
  const log: SetupLog = { debug: keep, info: keep, warn: keep, error: keep };
  if (obstacle !== undefined) {
    describe.skip(`${name} (skipped: ${obstacle})`, () => body(never, lines));
    return;
  }
  describe(name, () => {
    let running: RunningNeutron | undefined;
    let folder = '';
    beforeAll(async () => {
      folder = (await temporaryFolder()).path;
      const started = await startNeutron({ folder, cacheFolder: usualCacheFolder(), log });
      if (!started.available) throw new Error(started.unavailable);
      running = started;
    }, startTimeoutMs);
    afterAll(async () => {
      await running?.stop();
      await rm(folder, { recursive: true, force: true });
    });
    body(() => running ?? never(), lines);
  });
}

function never(): never {
  throw new Error('Neutron is not running outside tests.');
}
