// A private web application firewall for one test file. If it can't run here, the tests are skipped, and their
// name gives the reason.

import { rm } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { silentLog } from '../../../embedded/setup-log.ts';
import { apacheWafObstacle, type RunningWaf, startApacheWaf } from '../../../lab/apache-waf.ts';
import { temporaryFolder } from '../machine/temporary-folder.ts';

export const wafObstacle = await apacheWafObstacle();

export async function testWaf(): Promise<{ readonly waf: RunningWaf; stop(): Promise<void> }> {
  const { path } = await temporaryFolder();
  const waf = await startApacheWaf({ folder: join(path, 'waf'), log: silentLog });
  if (!waf.available) throw new Error(waf.unavailable);
  return {
    waf,
    async stop() {
      await waf.stop();
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Like `describe`, with one firewall for all tests inside; `waf()` may be called only in tests and hooks. */
export function describeWithWaf(name: string, body: (waf: () => RunningWaf) => void): void {
  if (wafObstacle !== undefined) {
    describe.skip(`${name} (skipped: ${wafObstacle})`, () => body(never));
    return;
  }
  describe(name, () => {
    let running: Awaited<ReturnType<typeof testWaf>> | undefined;
    beforeAll(async () => {
      running = await testWaf();
    });
    afterAll(() => running?.stop());
    body(() => running?.waf ?? never());
  });
}

/** The status that a visitor of a site gets. `path` is sent unchanged, even if it is an attack. */
export function visit(waf: RunningWaf, site: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ ...waf.http, path, headers: { host: site }, agent: false }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    }).once('error', reject);
  });
}

export const attacks = {
  'cross-site scripting': '/?q=%3Cscript%3Ealert(1)%3C/script%3E',
  'SQL injection': "/?id=1'%20OR%20'1'='1'--",
} as const;

function never(): never {
  throw new Error('The firewall is not running outside tests.');
}
