// A private NETCONF server for one test file. If it can't run here, the tests are skipped, and their name gives the reason.
// needs: netconfd
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { silentLog } from '../../../embedded/setup-log.ts';
import { type RunningNetconf, startNetconf } from '../../../lab/netconf.ts';
import { labUnavailable } from '../machine/lab.ts';
import { labFolder } from '../machine/lab-folders.ts';
import { ncclientUnavailable } from './ncclient.ts';

interface TestNetconf {
  readonly server: RunningNetconf;
  stop(): Promise<void>;
}

/** The reason why it can't run here, or undefined. Known before tests are collected. */
export function netconfUnavailable(): string | undefined {
  if (!existsSync('/usr/sbin/netconfd')) return 'netconfd is missing';
  return labUnavailable() ?? ncclientUnavailable();
}

async function testNetconf(target: 'candidate' | 'running' = 'candidate'): Promise<TestNetconf> {
  const folder = await labFolder();
  const server = await startNetconf({ folder, log: silentLog, target });
  if (!server.available) throw new Error(`There is no NETCONF server: ${server.unavailable}`);
  return {
    server,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Like `describe`, with one server for all tests inside; `server()` may be called only in tests and hooks. */
export function describeWithNetconf(
  name: string,
  body: (server: () => RunningNetconf) => void,
  target: 'candidate' | 'running' = 'candidate',
): void {
  const obstacle = netconfUnavailable();
  if (obstacle !== undefined) {
    describe.skip(`${name} (skipped: ${obstacle})`, () => body(() => never()));
    return;
  }
  describe(name, () => {
    let running: TestNetconf | undefined;
    beforeAll(async () => {
      running = await testNetconf(target);
    });
    afterAll(() => running?.stop());
    body(() => running?.server ?? never());
  });
}

function never(): never {
  throw new Error('The server is not running outside tests.');
}
