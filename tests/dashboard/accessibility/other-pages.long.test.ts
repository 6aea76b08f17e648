// All other pages, and the dialogs of every page, pass the checks of support/accessible.ts.
import { test } from '@jest/globals';
import { expectAccessible, fillWorld, longName, testViews } from '../support/accessible.ts';
import { login } from '../support/browser.ts';
import { describePages } from '../support/page-suite.ts';

const suite = describePages();

testViews(suite, [
  '/objects',
  '/container?id=c1',
  '/container?id=c1&prefix=2026/march/',
  '/hosts',
  '/cmp',
  '/cmp?object=tenant/2',
  '/backend?id=b1',
  '/form',
  '/form?new=LoadBalancer',
  '/form?new=GslbMonitor',
  '/form?new=AlertChannel',
  '/form?call=firewallAddressCreate&backend=b1',
  '/alerts',
  '/alerts?alert=a1',
  '/alerts?channel=ch1',
  '/people',
  '/people?user=u1',
  '/people?show=p1',
  '/people?token=t1',
  '/audit',
  '/deleted',
  '/register',
]);

test('the login form, the search, the keys and a question before an action', async () => {
  const { page, world, server } = suite();
  fillWorld(world);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(server.url);
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await expectAccessible(page, 'the login form');
  await login(page, server, world, '/gslb?gslb=g1');
  await page.keyboard.press('Control+k');
  await page.getByLabel('Search everything').fill('a-rather');
  await page
    .getByRole('option')
    .filter({ hasText: `${longName}-1` })
    .first()
    .waitFor();
  await expectAccessible(page, 'the search');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await expectAccessible(page, 'the keys');
  await page.keyboard.press('Escape');
  await page.goto(`${server.url}/container?id=c1`);
  const file = { name: `${longName}.txt`, mimeType: 'text/plain', buffer: Buffer.from('a') };
  await page.locator('input[type="file"]').last().setInputFiles(file);
  await page.locator('[data-transfer]').getByText('failed').waitFor();
  await page.getByRole('button', { name: 'Actions of cat.jpg' }).click();
  await page.getByRole('menuitem', { name: 'Share…' }).waitFor();
  await expectAccessible(page, 'a menu of actions, and a failed upload');
  await page.getByRole('menuitem', { name: 'Share…' }).click();
  await page.getByRole('dialog').getByLabel('Valid for').waitFor();
  await expectAccessible(page, 'a share link');
  await page.keyboard.press('Escape');
  await page.goto(`${server.url}/gslb?gslb=g1`);
  await page.getByRole('button', { name: 'Freeze' }).click();
  await page.getByRole('dialog').getByLabel('Reason').waitFor();
  await expectAccessible(page, 'a question');
});
