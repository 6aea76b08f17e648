// The header: one row on a desktop with any filter, nothing cut off on a phone, and a menu of less used pages.
import { expect, test } from '@jest/globals';
import { expectAccessible, expectNone, longName } from './support/accessible.ts';
import { openFromHeader, until, untilLive } from './support/browser.ts';
import { cutControls, headerRows, overlaps, tooWide } from './support/layout.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

test.each([1280, 1360, 1440, 1699, 1700, 1799, 1800, 1920])(
  'is one row at %i px with a text, a project and a chip',
  async (width) => {
    const { page, world, open } = suite();
    world.hosts.begin();
    world.addBackend({ name: longName });
    await page.setViewportSize({ width, height: 900 });
    await open('/relay?project=p1&backend=b1&q=fw');
    await page.getByRole('navigation', { name: 'Pages' }).getByText('Hosts', { exact: true }).waitFor();
    await page.getByRole('button', { name: `Remove the filter: backend ${longName}` }).waitFor();
    await page.getByRole('button', { name: 'Clear', exact: true }).waitFor();
    await expectNone(page, `${width} px`, [headerRows, overlaps, cutControls, tooWide]);
  },
);

test.each([390, 560, 800, 1279])('cuts nothing off at %i px, with its menu open', async (width) => {
  const { page, world, open } = suite();
  world.hosts.begin();
  await page.setViewportSize({ width, height: 844 });
  await open('/hosts');
  const links = page.getByRole('navigation', { name: 'Pages' });
  // On a phone the menu has all links, and is labelled with the open page.
  const hosts = width < 560 ? links.getByRole('button', { name: 'Hosts' }) : links.getByText('Hosts', { exact: true });
  await hosts.waitFor();
  await expectNone(page, `${width} px`, [overlaps, cutControls, tooWide]);
  await links.getByRole('button', { name: 'More' }).click();
  await links.getByRole('link', { name: 'Hosts' }).waitFor();
  await links.getByRole('link', { name: 'Audit' }).waitFor();
  await expectNone(page, `${width} px`, [cutControls, tooWide]);
});

test('its menu leads to the less used pages, and closes on Escape, on a click elsewhere and on a choice', async () => {
  const { page, world, open } = suite();
  world.addBackend();
  await open('/relay?show=b1');
  const links = page.getByRole('navigation', { name: 'Pages' });
  const more = links.getByRole('button', { name: 'More' });
  const people = links.getByRole('link', { name: 'People' });
  await page.locator('.drawer').waitFor();
  await more.click();
  await people.waitFor();
  await page.keyboard.press('Escape');
  await people.waitFor({ state: 'hidden' });
  // The key affected only the menu.
  expect(await page.locator('.drawer').count()).toBe(1);
  expect(await page.evaluate('document.activeElement.textContent')).toMatch(/^More/);
  await more.click();
  await page.locator('main').click({ position: { x: 5, y: 300 } });
  await people.waitFor({ state: 'hidden' });
  await openFromHeader(page, 'People');
  await until(page, 'location.pathname === "/people"');
  await untilLive(page);
  await people.waitFor({ state: 'hidden' });
  expect(await more.getAttribute('data-current')).toBe('true');
  await more.click();
  expect(await links.getByRole('link', { name: 'GraphiQL' }).getAttribute('href')).toBe('/graphiql');
  expect(await people.getAttribute('aria-current')).toBe('page');
  // The open page is chosen again, and there is no other header.
  await people.click();
  await people.waitFor({ state: 'hidden' });
  expect(await page.evaluate('document.activeElement.textContent')).toMatch(/^More/);
  await page.setViewportSize({ width: 1700, height: 900 });
  await people.waitFor();
  await more.waitFor({ state: 'hidden' });
});

test.each([390, 1440])('a process in quiet mode says so at %i px', async (width) => {
  const { page, world, open } = suite();
  world.isQuiet = true;
  world.addBackend();
  await page.setViewportSize({ width, height: 844 });
  await open('/relay');
  await page.getByText('Quiet mode.', { exact: true }).waitFor();
  await expectNone(page, `${width} px`, [cutControls, tooWide]);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page, `quiet, ${colorScheme}, ${width} px`);
  }
});
