// The page's display of absent machines, unchecked names, changes and times.
import { expect, test } from '@jest/globals';
import { login, until, untilCount } from './support/browser.ts';
import { checker, nameServer, vote } from './support/fake-names.ts';
import { cluster, now } from './support/fake-values.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();
const heardAt = () => now(-22 * 60_000);

test("an absent cluster's last report is grey and dated, without actions that need the cluster", async () => {
  const { page, world, open } = suite();
  world.clusters.push(cluster(1, 'north'), cluster(2, 'south', { presence: 'ABSENT', heardAt: heardAt() }));
  await open('/objects');
  const south = page.locator('[data-cluster="south"]');
  await south.getByText(/Last report 22 min ago, at/).waitFor();
  await south.locator('.last-said').getByText('ready').waitFor();
  const colour = (of: string) =>
    page.evaluate<string>(`getComputedStyle(document.querySelector('[data-cluster="${of}"] .services .badge')).color`);
  const text = await page.evaluate<string>("getComputedStyle(document.querySelector('.last-said')).color");
  expect(await colour('south')).toBe(text);
  expect(await colour('north')).not.toBe(text);
  const item = (name: string) => page.getByRole('menu').getByRole('menuitem', { name });
  const focused = (text: string) => until(page, `document.activeElement.textContent.trim() === '${text}'`);
  // By keyboard: opened, walked around, closed, with the focus at its button again.
  await page.getByRole('button', { name: 'Actions of north' }).press('ArrowDown');
  await focused('Change or delete');
  await page.keyboard.press('ArrowDown');
  await focused('Drain objectserver s1…');
  await page.keyboard.press('End');
  await focused('Remove…');
  await page.keyboard.press('ArrowDown');
  await focused('Change or delete');
  await page.keyboard.press('e');
  await focused('Evacuate…');
  await page.keyboard.press('Escape');
  await focused('⋯');
  await item('Drain').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Actions of south' }).click();
  // These only change the cluster's desired state.
  expect(await item('Evacuate…').isEnabled()).toBe(true);
  expect(await item('Drain').count()).toBe(0);
  await until(page, 'document.title === "(1 cluster not connected) Object storage · Tidegate"');
});

test('absent checkers and name servers show the date of their last report; without any checker no verdict can change', async () => {
  const { page, world, open } = suite();
  world.naming.addName();
  const unheard = { count: 'ABSENT', ageMs: null };
  world.naming.addMember('g1', { votes: [vote('eu', unheard), vote('us', unheard)] });
  world.naming.nameServers.push(nameServer('ns1', { presence: 'ABSENT', heardAt: heardAt(), linkedTo: null }));
  world.naming.checkers.push(checker('eu-1', { presence: 'ABSENT', heardAt: heardAt() }), checker('us-1'));
  await open('/gslb');
  await page
    .locator('.panel-nameservers .last-said')
    .getByText(/Last report 22 min ago/)
    .waitFor();
  await page.locator('.panel-checkers .last-said').getByText('40 targets').waitFor();
  expect(await page.locator('.strip').count()).toBe(0);
  world.naming.checkers[1] = checker('us-1', { presence: 'ABSENT', heardAt: heardAt() });
  await page.getByRole('alert').getByText('No checker is connected: no verdict can change.').waitFor();
  await until(page, 'document.title === "(2 checkers not connected, 1 name server not connected) GSLBs · Tidegate"');
  await page.locator('.rows-names .row').click();
  const said = page.locator('.panel-matrix [role="status"]');
  await said.getByText('No verdict can change').waitFor();
  world.naming.update('gm1', { votes: [vote('eu'), vote('us', unheard)] }, change('UP'));
  await said.waitFor({ state: 'detached' });
});

function change(to: string) {
  return { kind: 'gslbPoolMember.verdict', from: null, to };
}

test('changes are those of the page, with names; a deleted subject shows its ID', async () => {
  const { page, world, open } = suite();
  world.addBackend();
  world.naming.addName();
  world.addOperation({ name: 'rule.create' });
  world.naming.update('g1', {}, { kind: 'gslb.answer', from: null, to: 'CHANGED', reason: 'x' });
  const gone = { __typename: 'Gslb', id: 'gone-123456', version: 2 };
  world.tell(gone, 'gslb.provisioningStatus', 'DELETED', 'it was deleted');
  await open('/gslb');
  await untilCount(page, '.feed-line', 2);
  world.addOperation({ name: 'rule.delete' });
  world.naming.update('g1', {}, { kind: 'gslb.answer', from: null, to: 'CHANGED', reason: 'y' });
  await untilCount(page, '.feed-line', 3);
  const subjects = await page.locator('.feed-line .subject').allTextContents();
  expect(subjects).toEqual(['shop-1.gslb.example.net', 'GSLB …123456', 'shop-1.gslb.example.net']);
});

test("times are in the browser's zone or in UTC, by choice; details have their date and zone", async () => {
  const { context, world, server } = suite();
  const browser = context.browser();
  if (browser === null) throw new Error('the context has a browser');
  const far = await browser.newContext({ timezoneId: 'Asia/Kolkata', viewport: { width: 1280, height: 900 } });
  try {
    const page = await far.newPage();
    world.addBackend();
    const operation = world.addOperation({ createdAt: '2026-01-31T20:00:05.000Z' });
    const drawer = `/relay?operation=${operation.id}`;
    const accepted = page.locator('.facts-list div', { hasText: 'Accepted' }).locator('time');
    const choose = async (button: string): Promise<void> => {
      // The drawer covers the header.
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: button }).click();
      await page.goto(`${server.url}${drawer}`);
    };
    await login(page, server, world, drawer);
    await accepted.getByText('01 Feb 2026, 01:30:05 GMT+5:30').waitFor();
    await choose('Times are in GMT+5:30. Switch to UTC');
    await accepted.getByText('31 Jan 2026, 20:00:05 UTC').waitFor();
    await choose('Times are in UTC. Switch to GMT+5:30');
    await accepted.getByText('01 Feb 2026, 01:30:05 GMT+5:30').waitFor();
  } finally {
    await far.close();
  }
});
