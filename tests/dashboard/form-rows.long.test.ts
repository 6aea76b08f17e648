// Rows of a form in Chromium against a whole process. Members are pasted, wrong lines are reported, and rows are moved.
// The form reports shortcomings of the new object and silent changes, and asks for a flavor if there are several.
// needs: dashboard
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { Administrator } from '../support/product/administrator.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { launchBrowser, login, openPage, until, untilCount, untilLive, type Watched } from './support/browser.ts';

let system: RunningSystem;
let browser: Browser;
let watched: Watched;
let page: Page;
let origin: string;
let administrator: Administrator;

beforeAll(async () => {
  system = await runningSystem();
  browser = await launchBrowser();
  ({ origin } = new URL(system.url));
  watched = await openPage(browser, origin);
  ({ page } = watched);
  administrator = await Administrator.of(system);
  await login(page, { url: origin }, { user: administrator }, '/form');
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

beforeEach(async () => {
  await page.goto(`${origin}/form?new=LoadBalancer`);
  await untilLive(page);
  await page.locator('.picked').getByText('default', { exact: true }).waitFor();
});

const field = (name: string) => page.getByLabel(new RegExp(`^${name}( required)?$`)).first();
const lines = () => page.getByLabel('Lines of HOST:PORT WEIGHT BACKUP');
const create = () => page.getByRole('button', { name: 'Create a load balancer' });
const preview = () => page.getByRole('region', { name: 'What it would do' });
const command = async () => (await page.getByRole('tabpanel').textContent()) ?? '';
interface Made {
  readonly name: string;
  readonly minNodes: number;
  readonly maxNodes: number;
  readonly pools: readonly { readonly members: { readonly totalCount: number } }[];
}
const balancers = async () =>
  (
    await administrator.ask<{ loadBalancers: { nodes: readonly Made[] } }>(
      '{ loadBalancers { nodes { name minNodes maxNodes pools { members { totalCount } } } } }',
    )
  ).loadBalancers.nodes;
const members = Array.from({ length: 500 }, (_, at) => `198.51.${Math.floor(at / 250)}.${(at % 250) + 1}:80`);

/** Like Ctrl-V in a field. */
const paste = (path: string, text: string) =>
  page.evaluate(`{
    const element = [...document.querySelectorAll('input')].find(({ id }) => id.endsWith(${JSON.stringify(path)}));
    const data = new DataTransfer();
    data.setData('text', ${JSON.stringify(text)});
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }`);

test('three of 500 pasted members are wrong: they are reported by line, and nothing is created before they are right', async () => {
  await field('Name').fill('pasted');
  const wrong = members.with(16, '198.51.0.300:80').with(99, '198.51.0.100').with(499, '198.51.1.250:http');
  await paste('-pools-0-members-0-host', wrong.join('\n'));
  await page.getByText('3 lines are wrong, so none is added.').waitFor();
  expect(await page.locator('.line-faults li').allTextContents()).toEqual([
    "Line 17: '198.51.0.300' is no host name or address",
    'Line 100: port is missing',
    "Line 500: port 'http': Write a number.",
  ]);
  await create().click();
  await page.getByText('3 lines are wrong').waitFor();
  await until(page, `document.activeElement.id.endsWith('-lines')`);
  expect(await balancers()).toEqual([]);
  await lines().fill(members.join('\n'));
  // Valid lines that are not added yet are neither sent nor lost.
  await create().click();
  await page.getByText('Add these lines, or empty the box.').waitFor();
  expect(await balancers()).toEqual([]);
  await page.getByRole('button', { name: 'Add 500 members' }).click();
  await untilCount(page, '.part-row', 500);
  await preview().getByText('HTTP port 80: to 500 members.').waitFor();
  expect(await command()).toMatch(
    /^tidegate loadbalancers create pasted \\\n {2}--http 80 \\\n {2}--member 198\.51\.0\.1:80 /,
  );
  expect(await command()).toContain('--project default');
  await create().click();
  await page.getByText('The load balancer pasted is created.').waitFor();
  expect(await balancers()).toMatchObject([{ name: 'pasted', pools: [{ members: { totalCount: 500 } }] }]);
});

test('a host with a port, a paste into a row, and moving rows with their buttons', async () => {
  await field('Host').fill('[2001:db8::1]:8080');
  await field('Host').blur();
  const port = page.getByRole('group', { name: 'member 1' }).getByLabel('Port');
  expect([await field('Host').inputValue(), await port.inputValue()]).toEqual(['2001:db8::1', '8080']);
  const hosts = async () =>
    Promise.all((await page.locator('.part-cell:first-child input').all()).map((input) => input.inputValue()));
  await paste('-pools-0-members-0-host', '192.0.2.1:80\n192.0.2.2:80 5');
  await untilCount(page, '.part-row', 3);
  expect(await hosts()).toEqual(['2001:db8::1', '192.0.2.1', '192.0.2.2']);
  await page.getByRole('button', { name: 'Move member 3 up' }).click();
  expect(await hosts()).toEqual(['2001:db8::1', '192.0.2.2', '192.0.2.1']);
  await page.getByRole('button', { name: 'Remove member 1' }).click();
  expect(await hosts()).toEqual(['192.0.2.2', '192.0.2.1']);
  await page.getByRole('button', { name: 'More of member 1' }).click();
  await page.getByRole('group', { name: 'member 1' }).getByLabel('Monitor port').fill('9000');
  await page.getByRole('tab', { name: 'YAML' }).click();
  expect(await command()).toMatch(/weight: 5\n\s+monitorPort: 9000/);
});

test('the shortcomings of the new object are shown beside the form', async () => {
  await preview().getByText('Requests get 503: the pool default has no members.').waitFor();
  await field('Host').fill('192.0.2.1');
  await page.getByRole('group', { name: 'member 1' }).getByLabel('Port').fill('80');
  await preview().getByText('HTTP port 80: to 1 member.').waitFor();
  expect(await preview().locator('.lacks').count()).toBe(0);
  await field('Default pool').selectOption('');
  await preview().getByText('Requests get 503: the listener has no pool.').waitFor();
  await page.getByRole('button', { name: 'Remove health monitor' }).click();
  await preview().getByText('the pool default has no health monitor').waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
  const [form, beside] = [await page.locator('.form-fields').boundingBox(), await preview().boundingBox()];
  expect((form?.x ?? 0) + (form?.width ?? 0)).toBeLessThanOrEqual(beside?.x ?? 0);
  expect(await page.getByText(/\d+ more fields?/).count()).toBe(0);
});

test('max nodes follow min nodes: the form reports it, and its command has a name', async () => {
  const found = await administrator.ask<{ loadBalancers: { nodes: readonly { id: string }[] } }>(
    '{ loadBalancers { nodes { id } } }',
  );
  const id = found.loadBalancers.nodes[0]?.id ?? '';
  await page.goto(`${origin}/form?${new URLSearchParams({ edit: 'LoadBalancer', id })}`);
  await field('Min nodes').fill('3');
  const said = "Max nodes becomes 3 too: it can't be less than min nodes.";
  await page
    .locator('.form-field', { has: field('Max nodes') })
    .getByText(said)
    .waitFor();
  await preview().getByText(said).waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').filter({ hasText: /saved/i }).waitFor();
  expect(await balancers()).toMatchObject([{ minNodes: 3, maxNodes: 3 }]);
  await page.getByText('Delete…').click();
  await page
    .locator('.further [role="tabpanel"]')
    .getByText(/^tidegate loadbalancers delete pasted \\\s+--project default( \\\s+| )--yes\s*$/)
    .waitFor();
});

test('a flavor is required where there are several', async () => {
  const flavor = page.locator('.form-field', { hasText: 'Flavor' });
  await administrator.change('gslbFlavorCreate', { name: 'usual' });
  await page.goto(`${origin}/form?new=Gslb`);
  await untilLive(page);
  await page.locator('.picked').getByText('default', { exact: true }).waitFor();
  expect(await flavor.count()).toBe(0);
  await administrator.change('gslbFlavorCreate', { name: 'short' });
  await page.reload();
  await untilLive(page);
  await flavor.getByText('required').waitFor();
  expect(watched.errors).toEqual([]);
  expect(watched.foreign).toEqual([]);
});
