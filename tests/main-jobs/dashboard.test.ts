// The pages in Chromium. A person signs in, sees other people's changes without a reload, and runs a query in GraphiQL.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { inNamespace } from '../../lab/exec.ts';
import { launchBrowser, login, openPage, type Watched } from '../dashboard/support/browser.ts';
import { runTab } from '../dashboard/support/graphiql.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

describeWithProduct('the dashboard', () => {
  let product: Product;
  let browser: Browser;
  let watched: Watched;
  beforeAll(async () => {
    product = await runningProduct();
    browser = await launchBrowser();
    watched = await openPage(browser, product.url);
  });
  afterAll(() => browser?.close());

  async function addElement(address: string, externalId: string): Promise<string> {
    const input = {
      ...{ idempotencyKey: randomUUID(), backend: { name: 'lab-firewall' }, set: 'blocked', address },
      cmpObject: { type: 'tenant', externalId },
    };
    const made = await product.change<{ mapping: { id: string }; operation: { state: string } }>(
      'firewallAddressSetElementAdd',
      input,
      'operation { state } mapping { id }',
    );
    expect(made.operation.state).toBe('SUCCEEDED');
    return made.mapping.id;
  }

  test('a person signs in, and a call to a device appears by itself', async () => {
    const { page, errors, foreign } = watched;
    await login(page, product, { user: { name: 'admin', password: product.password } });
    await page.getByText('lab-firewall').first().waitFor();
    const tenant = `live-${randomUUID().slice(0, 8)}`;
    const row = page.locator('.rows-operations [data-row]').filter({ hasText: tenant });
    expect(await row.count()).toBe(0);
    await addElement('203.0.113.31', tenant);
    await row.getByText('succeeded').waitFor();
    expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });
  });

  test('an object that was removed at the device is shown as missing until it returns', async () => {
    const { page, errors, foreign } = watched;
    const tenant = `drift-${randomUUID().slice(0, 8)}`;
    const id = await addElement('203.0.113.32', tenant);
    const { FIREWALL = '' } = await product.part('firewall');
    const byHand = async (what: 'add' | 'delete') => {
      const done = await inNamespace(FIREWALL, 'nft', [what, 'element inet filter blocked { 203.0.113.32 }']);
      expect(done).toMatchObject({ exitCode: 0 });
    };
    await byHand('delete');
    await product.change('mappingVerify', { id }, '');
    const row = page.locator('.rows-drift .drift-item').filter({ hasText: '203.0.113.32' });
    await row.getByText('missing').waitFor();
    await byHand('add');
    await row.locator('.again').click();
    await row.waitFor({ state: 'detached' });
    expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });
  });

  test('GraphiQL uses the login of the dashboard, and shows the plan', async () => {
    const { page, errors, foreign } = watched;
    await page.goto(`${product.url}/graphiql`);
    await addElement('203.0.113.33', '42');
    // The editors are ready when they show the first example.
    await page.locator('.graphiql-editor-tool').getByText('graphiql-address-1').waitFor();
    await runTab(page, 'Tenant42', 'setElement.add');
    await page.getByRole('button', { name: 'Show Explain' }).click();
    const panel = page.getByRole('region', { name: 'Explain' });
    await panel.getByRole('button', { name: 'Explain' }).click();
    await panel.getByText('relay', { exact: true }).waitFor();
    await panel.getByRole('cell', { name: 'depth' }).waitFor();
    expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });
  });
});
