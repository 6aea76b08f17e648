// The pages of one object of the CMP and of one backend: its objects, verified at once; its calls, objects and examples.
import { expect, test } from '@jest/globals';
import { until, untilCount } from './support/browser.ts';
import { now } from './support/fake-values.ts';
import { verification } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();
const tenant = { namespace: 'default', type: 'tenant', externalId: '42' };

test('shows the parts of an object, verifies all of them, and links to each', async () => {
  const { page, world, open } = suite();
  world.addBackend({ name: 'edge-1' });
  world.addMapping({ objectKey: 'rule-1', cmpObject: tenant, ...verification('MATCHES'), nextLook: look('DRIFTED') });
  world.addMapping({ objectKey: 'rule-2', cmpObject: tenant });
  world.addMapping({ objectKey: 'not-its-own' });
  world.loadBalancing.addBalancer({ name: 'web', cmpObject: tenant });
  world.people.fill('photos');
  for (const each of world.people.containers) Object.assign(each, { cmpObject: tenant });
  world.addOperation({ name: 'rule.create', cmpObject: tenant, state: 'SUCCEEDED' });
  await open('/relay');
  await page.keyboard.press('Control+k');
  await page.getByLabel('Search everything').fill('tenant/42');
  await page.getByRole('option', { selected: true }).filter({ hasText: 'CMP object' }).waitFor();
  await page.keyboard.press('Enter');
  await until(page, "location.pathname + location.search === '/cmp?object=tenant%2F42'");
  await page.getByRole('heading', { name: 'tenant/42' }).waitFor();
  const tree = page.locator('.became');
  await tree.getByText('rule-1').waitFor();
  await tree.getByText('not verified yet').waitFor();
  await tree.getByText('web').waitFor();
  const container = tree.getByRole('link', { name: 'photos', exact: true });
  expect(await container.getAttribute('href')).toBe('/container?id=c1');
  expect(await tree.getByText('not-its-own').count()).toBe(0);
  await untilCount(page, '.calls > li', 1);
  await page.getByRole('button', { name: 'Verify all' }).click();
  await tree.getByText('drifted').waitFor();
  // Its device could not be queried.
  await page.getByText('rule-2: The device could not be asked.').waitFor();
  await until(page, 'document.title === "(1 changed on its device) CMP objects · Tidegate"');
  expect(world.mutations.map(({ name }) => name)).toEqual(['mappingVerify', 'mappingVerify']);
  await page.locator('.calls').getByRole('link', { name: 'rule.create' }).click();
  await page.getByRole('heading', { name: 'rule.create' }).waitFor();
  await page.getByRole('link', { name: 'tenant/42' }).click();
  await page.locator('.became').waitFor();
});

test('requires an object, and explains how to write one', async () => {
  const { page, open } = suite();
  await open('/cmp');
  await page.getByLabel('CMP object').fill('tenant 42');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText('TYPE/ID or NAMESPACE').waitFor();
  await page.getByLabel('CMP object').fill('blue:tenant/42');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByRole('heading', { name: 'blue:tenant/42' }).waitFor();
  await page.getByText('No objects that you may see.').waitFor();
});

function look(result: string) {
  return { result, differences: [] };
}

test('a backend has a page with its calls, their outcomes and latency, its objects, and examples', async () => {
  const { page, world, server, open } = suite();
  world.addBackend({ name: 'edge-1' });
  world.addMapping({ objectKey: 'rule-1', cmpObject: tenant, ...verification('DRIFTED') });
  for (const tookMs of [10, 20, 900])
    world.addOperation({ state: 'SUCCEEDED', startedAt: now(-1_000), finishedAt: now(tookMs - 1_000) });
  world.addOperation({ name: 'rule.create', state: 'UNKNOWN' });
  await open('/relay?show=b1');
  await page.getByRole('link', { name: 'Calls, objects and examples' }).click();
  await page.getByRole('heading', { name: 'edge-1' }).waitFor();
  const calls = page.locator('.panel-calls');
  await calls.getByText('3 succeeded').waitFor();
  await calls.getByText('1 unknown').waitFor();
  await calls.getByText(/half took at most 2\d ms, 95 % at most 9\d\d ms/).waitFor();
  await page.locator('.panel-objects').getByRole('link', { name: 'tenant/42' }).waitFor();
  const example = page.locator('.panel-examples details', { hasText: 'set.create' });
  await example.click();
  await example.getByText('"name": "edge-1"').waitFor();
  await until(page, 'document.title === "(1 unknown, 1 drifted) Backend · Tidegate"');
  await page.goto(`${server.url}/backend?id=gone`);
  await page.getByText('Not found: deleted, or in none of your projects.').waitFor();
});
