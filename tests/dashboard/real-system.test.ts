// The page against the whole system: a change of a real device appears without a reload, and the page survives killing and
// restarting the system without a gap.
// needs: nftables, iproute2, openssh-server, openssh-client, root
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { inNamespace } from '../../lab/exec.ts';
import { namesFor } from '../../lab/network.ts';
import { ask, startUp, tokenOf, type UpProcess } from '../bin/support/up-process.ts';
import { freePort } from '../support/free-port.ts';
import { labUnavailable } from '../support/lab.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
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

  test('login, live, the lab firewall online, and a call that appears by itself', async () => {
    const { page, errors, foreign } = watched;
    const password = (await readFile(join(data, 'admin.password'), 'utf8')).trim();
    await login(page, up, { user: { name: 'admin', password } });
    await page.getByText('lab-firewall').first().waitFor();
    await addElement('203.0.113.1');
    await page.locator('.rows-operations').getByText('succeeded').waitFor();
    expect(await operationRows().count()).toBe(1);
    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
  });

  test('an object removed on the device by hand is shown as missing, and disappears once it is back', async () => {
    const { page, errors, foreign } = watched;
    const token = await tokenOf(data);
    const { mappings } = await ask<{ mappings: { nodes: { id: string }[] } }>(
      up.url,
      token,
      '{ mappings { nodes { id } } }',
    );
    const input = { id: mappings.nodes[0]?.id };
    const { firewall } = namesFor(join(data, 'lab', 'firewall'));
    const byHand = async (what: 'add' | 'delete'): Promise<void> => {
      const done = await inNamespace(firewall, 'nft', [what, 'element inet filter blocked { 203.0.113.1 }']);
      expect(done).toMatchObject({ exitCode: 0 });
    };
    await byHand('delete');
    const verify = 'mutation ($input: MappingVerifyInput!) { mappingVerify(input: $input) { userErrors { code } } }';
    await ask(up.url, token, verify, { input });
    const row = page.locator('.rows-drift .row');
    await row.getByText('missing').waitFor();
    await page.locator('.feed-line').first().getByText('missing').waitFor();
    await byHand('add');
    await page.locator('.rows-drift .again').click();
    await row.waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
  });

  test('the system killed with -9 and restarted: live again, and every change once in the feed', async () => {
    const { page, errors, foreign } = watched;
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
