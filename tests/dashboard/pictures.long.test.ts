// Pictures of pages: bars of uptime, the path of a request, and HAProxy's table, with failed and outdated parts.
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { vote } from './support/fake-names.ts';
import { statistics } from './support/fake-statistics.ts';
import { now, uptime } from './support/fake-values.ts';
import type { FakeWorld } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

type Window = Parameters<typeof uptime>[0];

/** One member of two is down, and so is the host of the second node. */
function addBalancer({ loadBalancing }: FakeWorld): void {
  const { id } = loadBalancing.addBalancer({
    ...{ operatingStatus: 'DEGRADED', addresses: ['198.51.100.1', '198.51.100.2'] },
    uptime: ({ window }: { readonly window: Window }) => uptime(window, 3),
  });
  loadBalancing.addHost();
  const [up, down] = [
    loadBalancing.addMember(id),
    loadBalancing.addMember(id, { operatingStatus: 'ERROR', operatingReason: 'no connection' }),
  ];
  loadBalancing.addNode(id, { statistics: statistics(1, [up, { ...down, isDown: true }]) });
  loadBalancing.addNode(id, { operatingStatus: 'ERROR', statistics: statistics(1, [up], now(-1_320_000)) });
}

/** The widths at which stops stand beside and below each other. */
async function tops(page: Page): Promise<readonly number[]> {
  return await page.evaluate(
    '[...document.querySelectorAll(".path-steps > li .stop:first-child")].map((stop) => Math.round(stop.getBoundingClientRect().left))',
  );
}

test('the bars and the percent of a load balancer, by window', async () => {
  const { page, world, open } = suite();
  addBalancer(world);
  await open('/loadbalancer?balancer=lb1');
  const shown = page.getByLabel('Uptime of web-1');
  await shown.getByText('up; down once').waitFor();
  await shown.getByRole('img', { name: /^24 bars, \d+ up, [34] with downtime$/ }).waitFor();
  await shown.getByRole('button', { name: '30 d' }).click();
  await shown.getByRole('img', { name: /^30 bars, \d+ up, [12] with downtime, (19|20) without data$/ }).waitFor();
  await shown.getByText(/data for the last (9|10) d only/).waitFor();
});

test('the path of a request marks failed parts in words, opens its parts, and is also a table', async () => {
  const { page, world, open } = suite();
  addBalancer(world);
  await page.setViewportSize({ width: 1440, height: 900 });
  await open('/loadbalancer?balancer=lb1');
  await page.getByRole('button', { name: 'Path of a request' }).click();
  await page.locator('[data-stop="n2"][data-down="true"][data-old="true"]').getByText('error').waitFor();
  await page.locator('[data-stop="mb2"][data-down="true"]').getByText('error').waitFor();
  await page.locator('[data-stop="mb1"][data-down="false"]').getByText('12/s, 9 ms').waitFor();
  expect(await page.locator('.path-lines [data-kind="down"] .cross').count()).toBeGreaterThan(0);
  const beside = await tops(page);
  expect(beside).toEqual([...new Set(beside)].toSorted((one, other) => one - other));
  await page.getByText('As a table').click();
  await page.getByRole('row', { name: /^Members app-2 down, error/ }).waitFor();
  await page.locator('[data-stop="mb2"] button').click();
  await page.locator('.drawer').getByRole('heading', { name: 'app-2' }).waitFor();
  await page.locator('.drawer').getByLabel('Uptime of app-2').getByText('100 %').waitFor();
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 390, height: 844 });
  expect(new Set(await tops(page)).size).toBe(1);
});

test("HAProxy's table is refreshed while it is shown, and is grey and dated if the host is absent", async () => {
  const { page, world, open } = suite();
  addBalancer(world);
  await open('/loadbalancer?balancer=lb1&view=statistics');
  const [first, second] = ['node-1', 'node-2'].map((name) => page.getByLabel(`Statistics of ${name}`));
  await first?.getByRole('row', { name: /app-2.*down.*318 no connection.*L4CON in 1 ms/ }).waitFor();
  await first?.getByRole('row', { name: /app-1.*up.*3, most 41/ }).waitFor();
  await second?.getByText('Last report 22 min ago').waitFor();
  const node = world.loadBalancing.nodes.get('n1');
  const table = statistics(1, [{ id: 'mb1', name: 'app-1' }]);
  if (node === undefined) throw new Error('it was added above');
  world.loadBalancing.nodes.set('n1', {
    ...node,
    statistics: { ...table, servers: table.servers.map((each) => ({ ...each, sessions: 77 })) },
  });
  await first?.getByRole('row', { name: /app-1.*77, most 41/ }).waitFor();
});

test("the path from a GSLB name leads over its pools to members, and shows the vantage points' views", async () => {
  const { page, world, open } = suite();
  const { naming } = world;
  naming.addName({ operatingStatus: 'DEGRADED' });
  naming.addMember('g1', { followedLoadBalancer: { id: 'lb9', name: 'web-9', operatingStatus: 'ONLINE' } });
  naming.addMember('g1', { serving: false, operatingStatus: 'ERROR', verdict: 'DOWN' });
  await open('/gslb?gslb=g1&view=path');
  await page.locator('[data-stop="gm1"]').getByText('2 of 2 up').waitFor();
  await page.locator('[data-stop="gm2"][data-down="true"]').getByText('error').waitFor();
  await page.locator('[data-stop="gp1"]').getByText('1 of 2 serve').waitFor();
  await page.locator('[data-stop="balancer lb9"]').getByText('web-9').waitFor();
  await page.getByLabel('Uptime of shop-1.gslb.example.net').getByText('100 %').waitFor();
});

test('the answer for clients of each region, and the views of its vantage points', async () => {
  const { page, world, open } = suite();
  const { naming } = world;
  const clientBlocks = [
    { cidr: '192.0.2.0/24', region: 'eu' },
    { cidr: '198.51.100.0/24', region: 'eu' },
  ];
  naming.addName({ clientBlocks });
  naming.addMember('g1', { votes: [vote('eu'), vote('us', { verdict: 'DOWN' })] });
  naming.addMember('g1', {
    serving: false,
    operatingStatus: 'ERROR',
    votes: [vote('eu'), vote('us', { verdict: 'DOWN' })],
  });
  await open('/gslb?gslb=g1');
  await page.getByRole('button', { name: 'Answers by region' }).click();
  const card = (text: string) => page.locator('.regions > li').filter({ hasText: text });
  await card('192.0.2.0/24, 198.51.100.0/24').getByText('203.0.113.1').waitFor();
  await card('192.0.2.0/24').getByText('(site-1)').waitFor();
  await card('192.0.2.0/24').getByText('eu sees 2 of 2 up').waitFor();
  await card('no client block has this region').getByText('us sees 0 of 2 up').waitFor();
  await card('clients of unknown region').getByText('203.0.113.1').waitFor();
});
