// Two everyday tasks by mouse alone, with the forms: create a load balancer, and add a user and a token.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { Administrator } from '../../support/product/administrator.ts';
import { type RunningSystem, runningSystem } from '../../support/product/running-system.ts';
import { launchBrowser, login, openFromHeader, openPage, type Watched } from '../support/browser.ts';

let system: RunningSystem;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  system = await runningSystem();
  browser = await launchBrowser();
  const { origin } = new URL(system.url);
  watched = await openPage(browser, origin);
  ({ page } = watched);
  await login(page, { url: origin }, { user: await Administrator.of(system) }, '/');
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

const navigate = (name: string) => openFromHeader(page, name);
const field = (within: Page | Locator, name: string) => within.getByLabel(new RegExp(`^${name}( required)?$`)).first();
/** Throws with the page's own message. */
const created = (what: string) =>
  page
    .getByRole('status')
    .getByText(`The ${what} is created.`)
    .waitFor()
    .catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await page.locator('main').innerText()}`);
    });

test('create a load balancer', async () => {
  await navigate('Load balancers');
  await page.locator('.panel-balancers').getByRole('link', { name: 'Create' }).click();
  // There is no other project.
  await page.locator('.picked').getByText('default', { exact: true }).waitFor();
  await field(page, 'Name').fill('web');
  const member = page.getByRole('group', { name: 'member 1', exact: true });
  await field(member, 'Host').fill('192.0.2.10');
  await field(member, 'Port').fill('8080');
  await page.getByRole('button', { name: 'Create a load balancer' }).click();
  await created('load balancer web');
  await navigate('Load balancers');
  await page.locator('.rows-balancers .row').getByText('web', { exact: true }).waitFor();
  expect(watched.errors).toEqual([]);
});

test('add a user and a token, and see both among the people; the token is revoked', async () => {
  await navigate('People');
  await page.getByRole('link', { name: 'Add a user' }).click();
  await field(page, 'Name').fill('alice');
  await field(page, 'Password').fill('correct horse battery staple');
  await page.getByRole('button', { name: /^Create an? user$/ }).click();
  await created('user alice');
  await navigate('People');
  await page.locator('[data-list="users"]').getByRole('link', { name: 'alice', exact: true }).waitFor();
  await page.getByRole('link', { name: 'Add a token' }).click();
  await page.locator('.picked').getByText('default', { exact: true }).waitFor();
  await field(page, 'Name').fill('cmp');
  await field(page, 'Role').selectOption('MEMBER');
  await page.getByRole('button', { name: 'Create a token' }).click();
  await created('token cmp');
  await page.locator('[data-secret="secret"]').getByText(/^tg_/).waitFor();
  await navigate('People');
  const tokens = page.locator('[data-list="tokens"]');
  await tokens.getByText('never used').first().waitFor();
  await tokens.getByRole('button', { name: 'Revoke… cmp' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
  await tokens.getByText('revoked').waitFor();
  expect(watched.errors).toEqual([]);
});
