// The page of GSLBs against a whole process. Every requested field is answered within the cost limits, and manual
// actions return through the feed. No checker and no name server runs.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { createLogger } from '../../platform/log/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { Administrator } from '../support/product/administrator.ts';
import { machineSettings, testAuthority, testMachine } from '../support/product/machines.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { launchBrowser, login, openPage, untilCount } from './support/browser.ts';

const roles = 'gateway,system,worker,relay,loadbalancer,gslb';
let folder: TemporaryFolder;
let system: RunningSystem;
let browser: Browser;
let administrator: Administrator;
/** The only one. */
let projectId: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const machine = await testMachine(
    await testAuthority(),
    'gslb',
    'conductor',
    createLogger({ level: 'silent', pretty: false }),
  );
  const tls = await machineSettings(machine, folder.path);
  system = await runningSystem({ settings: { roles, 'gslb.dnsPort': '0', ...tls } });
  administrator = await Administrator.of(system);
  const { projects } = await administrator.ask<{ projects: { nodes: { id: string }[] } }>(
    '{ projects { nodes { id } } }',
  );
  projectId = projects.nodes[0]?.id ?? '';
  browser = await launchBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await folder?.remove();
});

/** As an administrator. It must succeed. */
async function make(
  name: string,
  input: Readonly<Record<string, unknown>>,
  field = name.replace(/Create$/, ''),
): Promise<string> {
  const made = await administrator.change<Record<string, { id: string }>>(
    name,
    { ...(/^(dns|gslbFlavor|gslbVantage|gslbPoolM)/.test(name) ? {} : { projectId }), ...input },
    `${field} { id }`,
  );
  return made[field]?.id ?? '';
}

/** The process that listens for name servers makes the zone's keys. */
async function rollKey(page: Page): Promise<void> {
  const zones = page.locator('.panel-zones');
  await zones.getByText(/key tag \(KSK\) \d+/).waitFor();
  await zones.getByRole('button', { name: 'Roll over key… gslb.test' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll over key', exact: true }).click();
  await zones.getByText(/key tags \(KSK\) \d+ and \d+/).waitFor();
}

test('list, votes, an explanation, a drain and a freeze by hand', async () => {
  await make('dnsZoneCreate', { name: 'gslb.test', rights: [{ suffix: 'gslb.test', allows: ['OUTSIDE_PROJECT'] }] });
  for (const name of ['eu', 'us'])
    await make('gslbVantagePointCreate', { name, region: name, latitude: 50, longitude: 8 });
  const flavorId = await make('gslbFlavorCreate', { name: 'usual' });
  const poolId = await make('gslbPoolCreate', { name: 'shop' });
  const monitorId = await make('gslbMonitorCreate', { name: 'web', checkType: 'TCP' });
  await make('gslbPoolMonitorAttach', { monitorId, target: { poolId } }, 'gslbMonitor');
  for (const number of [1, 2])
    await make('gslbPoolMemberCreate', {
      poolId,
      name: `site-${number}`,
      addresses: [`203.0.113.${number}`],
      servicePort: 80,
    });
  await make('gslbCreate', { fqdn: 'shop.gslb.test', flavorId, poolIds: [poolId] });
  const { origin } = new URL(system.url);
  const { page, errors, foreign } = await openPage(browser, origin);
  await login(page, { url: origin }, { user: administrator }, '/gslb');

  const row = page.locator('.rows-names .row');
  // No member is up, so all are answered until there is a verdict.
  await row.getByText('203.0.113.1').waitFor();
  await page.locator('.panel-nameservers').getByText('None yet').waitFor();
  await page.locator('.panel-checkers').getByText('None yet').waitFor();
  await rollKey(page);
  await row.click();
  await untilCount(page, '.matrix [data-row]', 2);
  await untilCount(page, '.matrix [data-count="ABSENT"]', 4);
  await page.locator('.panel-explain').getByText('none up all').waitFor();
  await page.locator('.panel-explain').getByText('None of our name servers serves this zone.').waitFor();

  await page.locator('.matrix').getByRole('button', { name: 'site-1' }).click();
  await page.locator('.drawer').getByRole('button', { name: 'Drain…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Drain', exact: true }).click();
  await page.locator('.drawer').getByRole('button', { name: 'Return to its checks…' }).waitFor();
  await page.locator('.name-head .answer').getByText('203.0.113.2', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await untilCount(page, '.drawer', 0);
  await page.locator('.name-head').getByRole('button', { name: 'Freeze…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Freeze', exact: true }).click();
  await page.locator('.feed-line').getByText('frozen').first().waitFor();
  expect(errors).toEqual([]);
  expect(foreign).toEqual([]);
});
