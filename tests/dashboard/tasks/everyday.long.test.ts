// Everyday tasks by mouse alone, on the product shared with the files of tests/main-jobs. The tests click and type into
// fields, and type no address except the first. The objects of the tasks are created beforehand.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { LoadBalancer } from '../../main-jobs/support/load-balancer.ts';
import { describeWithProduct, type Product, runningProduct } from '../../main-jobs/support/product.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { launchBrowser, login, openFromHeader, openPage, until, type Watched } from '../support/browser.ts';

const mark = randomUUID().slice(0, 8);

describeWithProduct('by mouse', () => {
  let product: Product;
  let browser: Browser;
  let watched: Watched;
  let page: Page;
  beforeAll(async () => {
    product = await runningProduct();
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    watched = await openPage(browser, product.url);
    page = watched.page;
    await login(page, product, { user: { name: 'admin', password: product.password } }, '/');
  });
  afterEach(() => watched.context.close());

  const navigate = (name: string) => openFromHeader(page, name);

  async function block(address: string, externalId: string): Promise<void> {
    const made = await product.change<{ operation: { state: string } }>(
      'firewallAddressSetElementAdd',
      {
        ...{ idempotencyKey: randomUUID(), backend: { name: 'lab-firewall' }, set: 'blocked', address },
        cmpObject: { type: 'tenant', externalId },
      },
      'operation { state }',
    );
    expect(made.operation.state).toBe('SUCCEEDED');
  }

  test('the requester of an operation: from the operation to the audit trail', async () => {
    await block('203.0.113.71', `asked-${mark}`);
    await navigate('Relay');
    await page
      .locator('.rows-operations [data-row]')
      .filter({ hasText: `asked-${mark}` })
      .click();
    const drawer = page.locator('.drawer');
    await drawer.getByText('Requested by').waitFor();
    await drawer.getByRole('link', { name: 'in the audit trail' }).click();
    const entry = page.locator('[data-list="entries"] > ul > li').first();
    await entry.locator('[data-action="firewallAddressSetElementAdd"]').waitFor();
    await entry.getByText(/\(API token\) added firewall address set element/).waitFor();
    // The CMP object links to the next page.
    await entry.getByRole('link', { name: `tenant/asked-${mark}` }).click();
    await page.getByRole('heading', { name: `tenant/asked-${mark}` }).waitFor();
    expect(watched.errors).toEqual([]);
  });

  test('rights, quotas and alert rules', async () => {
    await navigate('People');
    await page.locator('[data-list="users"]').getByRole('link', { name: 'admin', exact: true }).click();
    await page.locator('.drawer').getByText('administrator: may do everything').waitFor();
    await page
      .locator('.drawer')
      .getByRole('button', { name: /^Close/ })
      .click();
    await page.locator('[data-list="projects"]').getByRole('link', { name: 'default', exact: true }).click();
    await page.locator('.drawer').getByRole('heading', { name: 'Quotas' }).waitFor();
    await page.locator('.drawer').getByText('Load balancers', { exact: true }).waitFor();
    await page
      .locator('.drawer')
      .getByRole('button', { name: /^Close/ })
      .click();
    await navigate('Alerts');
    await page.locator('[data-list="rules"] .hint, [data-list="rules"] li').first().waitFor();
    await page.locator('[data-list="channels"] .hint, [data-list="channels"] li').first().waitFor();
    expect(watched.errors).toEqual([]);
  });

  test('the parts of a CMP object', async () => {
    await block('203.0.113.72', `became-${mark}`);
    await navigate('CMP objects');
    await page.getByLabel('CMP object').fill(`tenant/became-${mark}`);
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.locator('[data-list="tree"]').getByText('203.0.113.72').waitFor();
    await page.locator('[data-list="tree"]').getByText('lab-firewall').first().waitFor();
    expect(watched.errors).toEqual([]);
  });

  test("the reason for a name's answer", async () => {
    const at = await product.part('sites');
    const fqdn = `why-${mark}.gslb.lab.test`;
    const make = async (mutation: string, field: string, input: object) =>
      (await product.change<Record<string, { id: string }>>(mutation, input, `${field} { id }`))[field]?.id ?? '';
    const { gslbFlavors: flavors } = await product.ask<{ gslbFlavors: { nodes: { id: string; name: string }[] } }>(
      '{ gslbFlavors { nodes { id name } } }',
    );
    const poolId = await make('gslbPoolCreate', 'gslbPool', { name: `why-${mark}` });
    const address = { addresses: [at.EU], servicePort: Number(at.WEB_PORT) };
    await make('gslbPoolMemberCreate', 'gslbPoolMember', { poolId, name: 'eu', ...address });
    const flavorId = flavors.nodes.find((flavor) => flavor.name === 'lab')?.id;
    const id = await make('gslbCreate', 'gslb', { fqdn, flavorId, poolIds: [poolId], ttlSeconds: 5 });
    try {
      await navigate('GSLBs');
      await page.locator('[data-row]').filter({ hasText: fqdn }).first().click();
      const explanation = page.getByRole('group', { name: 'Explanation' });
      await explanation.getByRole('button', { name: 'Explain' }).click();
      await explanation
        .locator('.answer')
        .getByText(at.EU ?? '')
        .waitFor();
      await explanation.locator('.steps-told li').first().waitFor();
    } finally {
      await product.change('gslbDelete', { id }, '');
    }
    expect(watched.errors).toEqual([]);
  });

  test('upload an object, look at it, download it and delete it', async () => {
    await product.part('clusters');
    const name = `photos-${mark}`;
    const create =
      'mutation ($input: ObjectContainerCreateInput!) { done: objectContainerCreate(input: $input) { userErrors { message } } }';
    // A cluster that has just started may not have a majority yet.
    await waitFor('the container to be created', () =>
      product.ask<{ done: { userErrors: readonly unknown[] } }>(create, { input: { name, idempotencyKey: name } }).then(
        ({ done }) => done.userErrors.length === 0,
        () => false,
      ),
    );
    await navigate('Object storage');
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByText('No objects yet.').waitFor();
    const buffer = Buffer.from('a photo of a cat');
    const chosen = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Upload files' }).click();
    await (await chosen).setFiles({ name: 'cat.txt', mimeType: 'text/plain', buffer });
    await page.locator('[data-transfer="cat.txt"]').getByText('stored').waitFor();
    const object = page.locator('[data-object="cat.txt"]');
    await object.waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download cat.txt' }).click(),
    ]);
    expect(await readFile(await saved.path())).toEqual(buffer);
    await page.getByRole('button', { name: 'Actions of cat.txt' }).click();
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await object.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Delete the container' }).click();
    await page.getByText('Delete…').click();
    await page.getByRole('button', { name: `Delete ${name}` }).click();
    await page.getByText(`The container ${name} is deleted.`).waitFor();
    expect(watched.errors).toEqual([]);
  });

  test('the reason why a node was replaced', async () => {
    const balancer = new LoadBalancer(product, 'why');
    const { WEB1, WEB_PORT } = await product.part('balancers');
    const words = ['--http', '80', '--member', `${WEB1}:${WEB_PORT}`, '--nodes', '1..1'];
    let lost = '';
    try {
      await product.tidegate('loadbalancers', 'create', balancer.name, ...words);
      const serving = async () => (await balancer.read()).nodes.find(({ nodeState }) => nodeState === 'SERVING');
      lost = (await waitFor('a node to serve', serving)).name;
      await product.lab('unplug', lost);
      await waitFor('another node in its place', async () => {
        const node = await serving();
        return node !== undefined && node.name !== lost;
      });
      await navigate('Load balancers');
      await page.locator('[data-row]').filter({ hasText: balancer.name }).first().click();
      const decisions = page.getByRole('group', { name: 'Decisions of healing and autoscaling' });
      await decisions.getByText(lost).first().waitFor();
      await until(page, 'document.querySelector(".decisions li").textContent.includes("healing")');
    } finally {
      if (lost !== '') await product.lab('plug', lost);
      await balancer.delete();
    }
    expect(watched.errors).toEqual([]);
  });
});
