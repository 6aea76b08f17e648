// The search of all pages: by keyboard alone, with results of the server, and without a part that could not answer.
import { expect, test } from '@jest/globals';
import { until, untilLive } from './support/browser.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

test('finds names, calls by request id, and commands, with the keyboard alone', async () => {
  const { page, world, open } = suite();
  world.addBackend({ name: 'edge-1' });
  world.addBackend({ name: 'core-1' });
  world.loadBalancing.addBalancer({ name: 'edge-web' });
  world.naming.addName({ fqdn: 'edge.gslb.example.net' });
  const operation = world.addOperation({ name: 'rule.create', requestId: 'req-4711' });
  await open('/relay');
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: 'Search everything' });
  await box.fill('edge');
  const options = page.getByRole('option');
  await options.filter({ hasText: 'edge.gslb.example.net' }).waitFor();
  await options.filter({ hasText: 'edge-web' }).waitFor();
  await options.filter({ hasText: 'edge-1' }).waitFor();
  expect(await options.filter({ hasText: 'core-1' }).count()).toBe(0);

  await box.fill('req-4711');
  await page.getByRole('option', { selected: true }).filter({ hasText: 'rule.create' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'rule.create' }).waitFor();
  await until(page, `location.search === '?operation=${operation.id}'`);

  await page.keyboard.press('Control+k');
  await box.fill('utc');
  await page.getByText('No results for').waitFor({ state: 'detached' });
  await box.fill('balancers');
  await page.getByRole('option', { selected: true }).filter({ hasText: 'Load balancers' }).waitFor();
  await page.keyboard.press('Enter');
  await until(page, "location.pathname === '/loadbalancer'");
  // Keys are available once the page has been loaded.
  await untilLive(page);
  await page.keyboard.press('Control+k');
  await box.fill('edge');
  await page.keyboard.press('Escape');
  await box.waitFor({ state: 'detached' });
});

test('finds a backend by the beginning of its address', async () => {
  const { page, world, open } = suite();
  world.addBackend({ name: 'edge-1', host: '192.0.2.17' });
  world.addBackend({ name: 'core-1', host: '198.51.100.1' });
  await open('/relay');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search everything' }).fill('192.0.2.');
  const options = page.getByRole('option');
  await options.filter({ hasText: 'edge-1' }).filter({ hasText: 'at 192.0.2.17' }).waitFor();
  expect(await options.filter({ hasText: 'core-1' }).count()).toBe(0);
});

test('a lost part is named, and the others are still searched', async () => {
  const { page, world, open } = suite();
  world.addBackend({ name: 'edge-1' });
  world.lostFields.add('gslbs');
  await open('/hosts');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByLabel('Search everything').fill('edge');
  await page.getByRole('option').filter({ hasText: 'edge-1' }).waitFor();
  await page.getByText('Names could not be searched: The subgraph of gslbs does not answer.').waitFor();
  await page.getByLabel('Search everything').fill('zzz');
  await page.getByText('No results for zzz.').waitFor();
});
