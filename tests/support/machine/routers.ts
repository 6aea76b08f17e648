// The lab's two routers for one test file. Without root or FRR they can't run: the tests are then skipped, and their name gives the reason.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { silentLog } from '../../../embedded/setup-log.ts';
import { type RunningRouters, startRouters } from '../../../lab/routers/routers.ts';
import { labUnavailable } from './lab.ts';
import { labFolder } from './lab-folders.ts';

interface TestRouters {
  readonly running: RunningRouters;
  readonly folder: string;
  stop(): Promise<void>;
}

async function testRouters(): Promise<TestRouters> {
  const folder = await labFolder();
  const running = await startRouters({ folder, log: silentLog, signal: new AbortController().signal });
  if (!running.available) throw new Error(`There are no routers: ${running.unavailable}`);
  return {
    running,
    folder,
    async stop() {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The reason why they can't run here, or undefined. Known before tests are collected. */
export function routersUnavailable(): string | undefined {
  return labUnavailable() ?? (existsSync('/usr/lib/frr/zebra') ? undefined : 'there is no FRR');
}

/** Like `describe`, with two routers for all tests inside; `routers()` may be called only in tests and hooks. */
export function describeWithRouters(name: string, body: (routers: () => RunningRouters) => void): void {
  const obstacle = routersUnavailable();
  const never = (): never => {
    throw new Error('The routers are not running outside tests.');
  };
  if (obstacle !== undefined) {
    describe.skip(`${name} (skipped: ${obstacle})`, () => body(never));
    return;
  }
  describe(name, () => {
    let test: TestRouters | undefined;
    beforeAll(async () => {
      test = await testRouters();
    });
    afterAll(() => test?.stop());
    body(() => test?.running ?? never());
  });
}
