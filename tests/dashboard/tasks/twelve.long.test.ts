// The twelve tasks of everyday work by mouse and keyboard, each from the start page, with its number of clicks. What the
// forms create works: it serves, stores, answers or logs in.
// needs: dashboard, haproxy
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { request } from 'undici';
import { patience } from '../../support/machine/patience.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import {
  countPresses,
  launchBrowser,
  login,
  openFromHeader,
  openPage,
  type Presses,
  untilLive,
  type Watched,
} from '../support/browser.ts';
import { ServingSystem } from '../support/serving-system.ts';

/** Creating anything takes no more clicks. */
const mostToCreate = 5;
const fqdn = 'shop.twelve.test';
let serving: ServingSystem;
let browser: Browser;
let watched: Watched;
let page: Page;
let presses: Presses;
let web = { id: '', address: '' };
const counts: string[] = [];

beforeAll(async () => {
  serving = await ServingSystem.start();
  const { system, token, user } = serving;
  const allows = ['OUTSIDE_PROJECT'];
  await system.make('dnsZoneCreate', { name: 'twelve.test', rights: [{ suffix: 'twelve.test', allows }] }, token);
  await system.make('gslbVantagePointCreate', { name: 'eu', region: 'eu', latitude: 50, longitude: 8 }, token);
  await system.make('gslbFlavorCreate', { name: 'usual' }, token);
  browser = await launchBrowser();
  const { origin } = new URL(system.url);
  watched = await openPage(browser, origin);
  ({ page } = watched);
  presses = await countPresses(watched.context);
  await login(page, { url: origin }, { user }, '/');
}, 180_000 * patience);

afterAll(async () => {
  process.stdout.write(`clicks (choices from lists, Enter): ${counts.join('; ')}\n`);
  await browser?.close();
  await serving?.stop();
}, 60_000 * patience);

/** `most`: clicks from the start page to the end. */
function task(name: string, most: number, run: () => Promise<void>): void {
  test(
    name,
    async () => {
      await page.goto(new URL('/', serving.system.url).href);
      await untilLive(page);
      Object.assign(presses, { clicks: 0, choices: 0, enters: 0 });
      await run();
      counts.push(`${name} ${presses.clicks} (${presses.choices}, ${presses.enters})`);
      expect(presses.clicks).toBeGreaterThan(0);
      expect(presses.clicks).toBeLessThanOrEqual(most);
      expect(watched.errors).toEqual([]);
    },
    90_000 * patience,
  );
}

const navigate = (name: string) => openFromHeader(page, name);
/** A field of the form by its path in the input. */
const at = (path: string): Locator => page.locator(`xpath=//*[substring-after(@id, '-')='${path}']`).first();
const submit = () => page.locator('.kind-form button[type="submit"]').first().click();
const link = (name: string) => page.getByRole('link', { name, exact: true }).first();

/** Throws with the page's own message. */
async function created(what: string): Promise<void> {
  await page
    .getByRole('status')
    .getByText(what)
    .waitFor()
    .catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await page.locator('main').innerText()}`);
    });
  expect(presses.clicks).toBeLessThanOrEqual(mostToCreate);
}

async function openWeb(): Promise<void> {
  await navigate('Load balancers');
  await page.locator('.rows-balancers [data-row]').filter({ hasText: 'web' }).click();
}

async function save(): Promise<void> {
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('status').getByText('Saved.').waitFor();
}

const untilAnswered = (status: number) =>
  waitFor(`status ${status}`, async () => {
    const { statusCode, body } = await request(`http://${web.address}:80/`);
    await body.dump();
    return statusCode === status;
  });

task('register a backend and call it', mostToCreate, async () => {
  const { host, https } = serving.system.gate;
  await navigate('Relay');
  await link('Register a backend').click();
  await page.getByLabel('Driver').selectOption('fortios');
  await page.getByLabel('Host name or address').fill(host);
  await page.getByLabel('Port').fill(String(https.port));
  await page.getByLabel('Port').press('Enter');
  await page.getByLabel('I compared it and it matches').check();
  await page.getByRole('button', { name: 'Accept this fingerprint' }).click();
  await page.getByLabel('Name', { exact: true }).fill('edge');
  await page.getByLabel('Account').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('secret');
  await page.getByLabel('Password', { exact: true }).press('Enter');
  await created('edge is online.');
  await link('First call').click();
  await at('arguments').fill('{ "name": "web", "address": "192.0.2.80" }');
  await at('operation').fill('address.create');
  await at('operation').press('Enter');
  await created('The call is succeeded');
});

task('create a load balancer', 3, async () => {
  await navigate('Load balancers');
  await page.locator('.panel-balancers').getByRole('link', { name: 'Create' }).click();
  // There is no other project.
  await page.locator('.picked').getByText('default', { exact: true }).waitFor();
  await at('name').fill('web');
  await at('pools-0-members-0-host').fill(serving.system.member);
  await submit();
  await created('The load balancer web is created.');
  const change = new URLSearchParams((await link('Change it').getAttribute('href'))?.split('?')[1]);
  const id = change.get('id') ?? '';
  web = { id, address: await serving.servingAddress(id) };
  await untilAnswered(200);
});

task('raise the nodes', 4, async () => {
  await openWeb();
  await link('Change or delete').click();
  await at('minNodes').fill('3');
  await at('maxNodes').fill('3');
  await save();
  const query = 'query ($id: ID!) { loadBalancer(id: $id) { minNodes maxNodes } }';
  const found = await serving.system.ask<{ loadBalancer: object }>(query, { id: web.id }, serving.token);
  expect(found.loadBalancer).toEqual({ minNodes: 3, maxNodes: 3 });
});

task('see who changed a load balancer', 3, async () => {
  await openWeb();
  await link('History').click();
  const change = page.locator('[data-list="history"] li').filter({ hasText: '2 → 3' });
  await change.getByText('admin', { exact: true }).waitFor();
});

task('take a member out', 5, async () => {
  await openWeb();
  await page.locator('.member-row').click();
  await page.getByRole('button', { name: 'Take out…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take out', exact: true }).click();
  await page.getByRole('button', { name: 'Enable…' }).waitFor();
  await untilAnswered(503);
});

task('undo the last change', 5, async () => {
  await openWeb();
  await link('History').click();
  await page
    .getByRole('link', { name: /^Take it back/ })
    .first()
    .click();
  await save();
  await untilAnswered(200);
});

task('create a global name', 4, async () => {
  await navigate('GSLBs');
  await link('Create name').click();
  await at('fqdn').fill(fqdn);
  await at('pools-0-members-0-name').fill('east');
  await at('pools-0-members-0-addresses').fill('192.0.2.8');
  await page.getByRole('button', { name: 'Add member', exact: true }).click();
  await at('pools-0-members-1-name').fill('west');
  await at('pools-0-members-1-addresses').fill('192.0.2.9');
  await submit();
  await created(`${fqdn} is created.`);
});

task('see why a name answers so', 2, async () => {
  await navigate('GSLBs');
  await page.locator('[data-row]').filter({ hasText: fqdn }).first().click();
  const explanation = page.getByRole('group', { name: 'Explanation' });
  await explanation.getByLabel('Client').fill('198.51.100.7');
  await explanation.getByLabel('Client').press('Enter');
  await explanation
    .locator('.answer')
    .getByText(/192\.0\.2\.[89]/)
    .first()
    .waitFor();
  await explanation.locator('.steps-told li').first().waitFor();
});

task('create a container, upload and download', 6, async () => {
  await navigate('Object storage');
  await page.locator('.panel-containers').getByRole('link', { name: 'Create' }).click();
  await at('name').fill('photos');
  await submit();
  await created('The container photos is created.');
  await link('Show it').click();
  const buffer = Buffer.from('a photo of a cat');
  const chosen = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload files' }).click();
  await (await chosen).setFiles({ name: 'cat.txt', mimeType: 'text/plain', buffer });
  await page.locator('[data-transfer="cat.txt"]').getByText('stored').waitFor();
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download cat.txt' }).click(),
  ]);
  expect(await readFile(await saved.path())).toEqual(buffer);
});

task('add a user with a role, and a token', 6, async () => {
  await navigate('People');
  await page.getByText('New user in a project…').click();
  const form = page.locator('.new-user');
  await form.getByLabel('Name').fill('alice');
  await form.getByLabel('Role').selectOption('OPERATOR');
  await form.getByRole('button', { name: 'Create user' }).click();
  await created('alice is a member of default, as operator.');
  const password = await form.locator('[data-secret="password"]').innerText();
  expect(await serving.tokenOf({ name: 'alice', password })).not.toBe('');
  await link('Add a token').click();
  await page.locator('.picked').getByText('default', { exact: true }).waitFor();
  await at('name').fill('cmp');
  await at('role').selectOption('MEMBER');
  await submit();
  await page.getByRole('status').getByText('The token cmp is created.').waitFor();
  const token = await page.locator('[data-secret="secret"]').innerText();
  const { me } = await serving.system.ask<{ me: object }>('{ me { name } }', {}, token);
  expect(me).toEqual({ name: expect.any(String) });
});

task('create alerts with their channel', 2, async () => {
  await navigate('Alerts');
  const form = page.locator('.alert-setup');
  await form.getByLabel('Send it to').selectOption('webhook');
  await form.getByLabel('URL').fill('https://127.0.0.1:9/hook');
  await form.getByRole('button', { name: 'Create' }).click();
  await created('rules are created.');
  await page.locator('[data-list="rules"]').getByText('tells ops').first().waitFor();
});

test(
  'a token is revoked after a question',
  async () => {
    await page.goto(new URL('/people', serving.system.url).href);
    const tokens = page.locator('[data-list="tokens"]');
    await tokens.getByRole('button', { name: 'Revoke… cmp' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
    await tokens.getByText('revoked').waitFor();
  },
  90_000 * patience,
);

// The last one: it also ends the session of this file.
task('end the other sessions', 4, async () => {
  await navigate('People');
  await page.locator('.panel-sessions').getByRole('button', { name: 'End the others…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End the others', exact: true }).click();
  await page.locator('.panel-sessions li').nth(1).waitFor({ state: 'detached' });
  await waitFor('the end of the other session', () =>
    serving.system.ask('{ me { name } }', {}, serving.token).then(
      () => false,
      (error: unknown) => String(error).includes('UNAUTHENTICATED'),
    ),
  );
});
