// Everyday tasks by mouse alone, with a real firewall of the lab: register it step by step, call it, and accept its
// host key.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeWithLab } from '../../support/machine/lab.ts';
import { Administrator } from '../../support/product/administrator.ts';
import { type RunningSystem, runningSystem } from '../../support/product/running-system.ts';
import { launchBrowser, login, openFromHeader, openPage, until } from '../support/browser.ts';

describeWithLab('by mouse', (lab) => {
  let system: RunningSystem;
  let browser: Browser;
  let administrator: Administrator;

  beforeAll(async () => {
    const { host } = lab().firewall;
    system = await runningSystem({
      settings: { roles: 'gateway,system,worker,relay,loadbalancer', 'egress.allow': `127.0.0.0/8,${host}/32` },
    });
    administrator = await Administrator.of(system);
    browser = await launchBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
  });

  async function opened(): Promise<{ readonly page: Page; readonly errors: string[] }> {
    const { origin } = new URL(system.url);
    const { page, errors } = await openPage(browser, origin);
    await login(page, { url: origin }, { user: administrator }, '/');
    return { page, errors };
  }

  test('register a firewall: its fingerprint is shown, compared and accepted before an account is entered', async () => {
    const { host, port, hostKeySha256, username, privateKeyPath } = lab().firewall;
    const { page, errors } = await opened();
    await openFromHeader(page, 'Relay');
    await page.getByRole('link', { name: 'Register a backend' }).click();
    await page.getByLabel('Driver').selectOption('linux-nftables');
    await page.getByLabel('Host name or address').fill(host);
    await page.getByLabel('Port').fill('1');
    await page.getByRole('button', { name: 'Show its fingerprint' }).click();
    await page.getByRole('alert').getByText('ECONNREFUSED').waitFor();
    await page.getByLabel('Port').fill(String(port));
    await page.getByRole('button', { name: 'Show its fingerprint' }).click();
    await page.getByText(hostKeySha256, { exact: true }).waitFor();
    // There is no field for a secret yet.
    expect(await page.locator('input[type="password"], textarea').count()).toBe(0);
    await page.getByLabel('I compared it and it matches').check();
    await page.getByRole('button', { name: 'Accept this fingerprint' }).click();
    await page.getByLabel('Name', { exact: true }).fill('edge');
    await page.getByLabel('Account').fill(username);
    await page.getByLabel('Password', { exact: true }).fill('not its password');
    await page.getByRole('button', { name: 'Register and log in' }).click();
    await page.getByRole('alert').getByText('AUTH_FAILED').waitFor();
    await page.getByLabel('Account').fill(username);
    await page.getByLabel('Private key', { exact: true }).fill(await readFile(privateKeyPath, 'utf8'));
    await page.getByRole('button', { name: 'Try this account' }).click();
    await page.getByRole('status').getByText('edge is online.').waitFor();
    await page.getByRole('link', { name: 'Open the backend' }).click();
    await page.getByRole('heading', { name: 'edge' }).waitFor();
    await until(page, 'document.querySelector(".shown-head b").dataset.status === "ONLINE"');
    expect(errors).toEqual([]);
  });

  test('call it from its page: the call is previewed first, then the outcome is shown', async () => {
    const { page, errors } = await opened();
    const { backends } = await administrator.ask<{
      readonly backends: { readonly nodes: readonly { readonly id: string }[] };
    }>('{ backends(names: ["edge"]) { nodes { id } } }', {});
    const { origin } = new URL(system.url);
    await page.goto(`${origin}/backend?${new URLSearchParams({ id: backends.nodes[0]?.id ?? '' })}`);
    await page.getByRole('link', { name: 'Firewall address create' }).click();
    await page.getByText('To edge, driver linux-nftables, project default.').waitFor();
    await page.getByRole('button', { name: 'Show what would be sent' }).click();
    await page.locator('.fault').getByText('Required.').first().waitFor();
    await page.getByLabel('Name required', { exact: true }).fill('by-form');
    await page.getByLabel('Type', { exact: true }).first().selectOption('address');
    await page.getByRole('textbox', { name: /^Address/ }).fill('203.0.113.300');
    await page.getByRole('button', { name: 'Show what would be sent' }).click();
    await page.locator('.fault').getByText('203.0.113.300').waitFor();
    await page.getByRole('textbox', { name: /^Address/ }).fill('203.0.113.81');
    await page.getByRole('button', { name: 'Show what would be sent' }).click();
    await page.locator('.form-preview pre').getByText('by-form').waitFor();
    expect(await page.locator('.form-preview pre').textContent()).toContain('203.0.113.81');
    await page.getByText('The device would accept it: ').waitFor();
    await page.getByRole('button', { name: 'Firewall address create' }).click();
    await page.getByRole('status').getByText('The call is succeeded').waitFor();
    const { relayOperations } = await administrator.ask<{ relayOperations: { nodes: object[] } }>(
      'query ($id: ID) { relayOperations(backendId: $id, first: 5) { nodes { name state } } }',
      { id: backends.nodes[0]?.id },
    );
    // A dry run is not a call.
    expect(relayOperations.nodes).toEqual([{ name: 'address.create', state: 'SUCCEEDED' }]);
    await page.goto(`${origin}/backend?${new URLSearchParams({ id: backends.nodes[0]?.id ?? '' })}`);
    await page.locator('[data-list="examples"] summary').filter({ hasText: 'set.create' }).click();
    await page.getByRole('link', { name: 'Call set.create' }).click();
    await page.getByRole('button', { name: 'Relay call' }).click();
    await page.getByRole('status').getByText('The call is succeeded').waitFor();
    expect(errors).toEqual([]);
  });

  test('accept a host key', async () => {
    const { host, port, hostKeySha256, username, privateKeyPath } = lab().firewall;
    const { page, errors } = await opened();
    const { backends, projects } = await administrator.ask<{
      readonly backends: { readonly nodes: readonly { readonly id: string }[] };
      readonly projects: { readonly nodes: readonly { readonly id: string }[] };
    }>('{ backends(names: ["edge"]) { nodes { id } } projects(names: ["default"]) { nodes { id } } }', {});
    // A device can be registered only once.
    for (const { id } of backends.nodes) await administrator.change('backendDelete', { id });
    const credentials = { username, privateKey: await readFile(privateKeyPath, 'utf8') };
    const place = { projectId: projects.nodes[0]?.id, name: 'unknown', driver: 'linux-nftables', host, port };
    await administrator.change('backendCreate', { ...place, credentials });
    await openFromHeader(page, 'Relay');
    await page.locator('[data-list="backends"] [data-row]').filter({ hasText: 'unknown' }).click();
    await page.getByRole('button', { name: 'Accept it…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(hostKeySha256).waitFor();
    await dialog.getByRole('button', { name: 'Accept this host key' }).click();
    await page
      .locator('[data-list="backends"] [data-row]')
      .filter({ hasText: 'unknown' })
      .getByText('online')
      .waitFor();
    await until(page, `document.querySelector('.settle.alarm') === null`);
    expect(errors).toEqual([]);
  });
});
