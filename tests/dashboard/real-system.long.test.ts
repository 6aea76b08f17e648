// The page against a whole system that is killed and restarted. It continues without a gap.
// needs: nftables, iproute2, openssh-server, openssh-client, root
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { ask, startUp, tokenOf, type UpProcess } from '../bin/support/up-process.ts';
import { freePort } from '../support/machine/free-port.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { launchBrowser, login, openPage, untilLive, type Watched } from './support/browser.ts';

/** Chromium's own messages while a server is not available. */
const outage = /WebSocket connection to|Failed to load resource: net::ERR_/;
const describeAsRoot = labUnavailable() === undefined ? describe : describe.skip;

describeAsRoot('the dashboard of a real system', () => {
  let folder: TemporaryFolder;
  let data: string;
  let port: number;
  let up: UpProcess;
  let browser: Browser;
  let watched: Watched;

  beforeAll(async () => {
    folder = await temporaryFolder();
    data = join(folder.path, 'data');
    port = await freePort();
    up = await startUp(data, ['--port', String(port)]);
    browser = await launchBrowser();
    watched = await openPage(browser, up.url);
  });

  afterAll(async () => {
    await browser?.close();
    up?.child.kill('SIGTERM');
    await up?.ended;
    await folder?.remove();
  });

  const addElement = async (address: string): Promise<void> => {
    const input = {
      idempotencyKey: address,
      backend: { name: 'lab-firewall' },
      cmpObject: { type: 'tenant', externalId: '42' },
      set: 'blocked',
      address,
    };
    const query =
      'mutation ($input: FirewallAddressSetElementAddInput!) { answer: firewallAddressSetElementAdd(input: $input) { operation { state } userErrors { code } } }';
    const { answer } = await ask<{ answer: unknown }>(up.url, await tokenOf(data), query, { input });
    expect(answer).toEqual({ operation: { state: 'SUCCEEDED' }, userErrors: [] });
  };
  const operationRows = () => watched.page.locator('.rows-operations [data-row]');

  test('the system killed with -9 and restarted: live again, and every change once in the feed', async () => {
    const { page, errors, foreign } = watched;
    const password = (await readFile(join(data, 'admin.password'), 'utf8')).trim();
    await login(page, up, { user: { name: 'admin', password } });
    await addElement('203.0.113.1');
    await page.locator('.rows-operations').getByText('succeeded').waitFor();
    const before = await page.locator('.feed .subject').count();
    up.child.kill('SIGKILL');
    await up.ended;
    await page.locator('.live[data-live="RECONNECTING"], .live[data-live="STALE"]').waitFor();
    up = await startUp(data, ['--port', String(port)]);
    await addElement('203.0.113.2');
    await untilLive(page);
    await page.locator('.rows-operations [data-row]').nth(1).waitFor();
    expect(await operationRows().count()).toBe(2);
    expect(await page.locator('.feed .subject').count()).toBeGreaterThan(before);
    expect(errors.filter((error) => !outage.test(error))).toEqual([]);
    expect(foreign).toEqual([]);
  });
});
