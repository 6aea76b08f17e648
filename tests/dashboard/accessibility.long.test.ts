// Every page, its drawers and its dialogs, at the widths of a desk and of a phone, in light and dark: axe finds nothing serious, no
// sentence falls apart, and a phone cuts nothing that tells rows apart.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { beforeAll, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { login, untilLive } from './support/browser.ts';
import { checker, nameServer, vote } from './support/fake-names.ts';
import { statistics } from './support/fake-statistics.ts';
import { cluster, now } from './support/fake-values.ts';
import { type FakeWorld, health, verification } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();
const long = 'a-rather-long-name-with-many-parts-of-a-site-in-frankfurt';

let axe: string;

beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});

/** Something of each kind, in order and in trouble. */
function fill(world: FakeWorld): void {
  world.addBackend({ name: `${long}-1` });
  world.addBackend({ name: `${long}-2`, operatingStatus: 'OFFLINE', health: health({ message: 'ECONNREFUSED' }) });
  world.addBackend({ circuit: { state: 'OPEN', since: now(), reason: '5 calls in a row failed' } });
  for (const state of ['SUCCEEDED', 'UNKNOWN', 'FAILED', 'SENT'])
    world.addOperation({ name: `${long}.${state.toLowerCase()}`, state });
  world.addMapping({ objectKey: long, ...verification('DRIFTED', [{ path: 'port', wanted: '443', found: '8443' }]) });
  const { loadBalancing, naming } = world;
  const balancer = loadBalancing.addBalancer({ name: long });
  loadBalancing.addHost({ name: `${long}-h1`, presence: 'ABSENT', heardAt: now(-1_320_000) });
  const up = loadBalancing.addMember(balancer.id, { name: `${long}-m1` });
  const down = loadBalancing.addMember(balancer.id, { name: `${long}-m3`, operatingStatus: 'ERROR' });
  loadBalancing.addNode(balancer.id, { statistics: statistics(1, [up, { ...down, isDown: true }]) });
  loadBalancing.addNode(balancer.id, { statistics: statistics(1, [up], now(-1_320_000)), operatingStatus: 'ERROR' });
  naming.addName({ fqdn: `${long}.gslb.example.net`, operatingStatus: 'DEGRADED', operatingReason: '1 of 2 serves' });
  naming.addMember('g1', { name: `${long}-m2`, votes: [vote('eu', { count: 'ABSENT', ageMs: null })] });
  naming.nameServers.push(nameServer('ns1'), nameServer('ns2', { presence: 'ABSENT', heardAt: now(-1_320_000) }));
  naming.checkers.push(checker('ap-1', { presence: 'ABSENT', heardAt: now(-1_320_000) }));
  world.clusters.push(cluster(1, 'north'), cluster(2, 'south', { presence: 'ABSENT', heardAt: now(-1_320_000) }));
  world.hosts.begin();
  world.people.fill(long);
}

const views = [
  '/',
  '/relay',
  '/relay?operation=o000002',
  '/relay?mapping=m1',
  '/relay?show=b3',
  '/loadbalancer',
  '/loadbalancer?balancer=lb1',
  '/loadbalancer?balancer=lb1&view=path',
  '/loadbalancer?balancer=lb1&view=statistics',
  '/loadbalancer?host=h1',
  '/loadbalancer?balancer=lb1&node=n1',
  '/loadbalancer?balancer=lb1&member=m1',
  '/gslb',
  '/gslb?gslb=g1',
  '/gslb?gslb=g1&view=path',
  '/gslb?gslb=g1&view=regions',
  '/gslb?gslb=g1&member=gm1',
  '/objects',
  '/hosts',
  '/cmp',
  '/cmp?object=tenant/2',
  '/backend?id=b1',
  '/form',
  '/form?new=LoadBalancer',
  '/form?new=GslbMonitor',
  '/form?new=AlertChannel',
  '/form?call=firewallAddressCreate&backend=b1',
  '/alerts',
  '/alerts?alert=a1',
  '/alerts?channel=ch1',
  '/people',
  '/people?user=u1',
  '/people?show=p1',
  '/people?token=t1',
  '/audit',
  '/register',
  '/objects?container=c1',
];

async function seriousFaults(page: Page): Promise<readonly string[]> {
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
    );
}

/** Boxes whose direct children are both bare text and parts of its sentence: each would be an item of its own, with a gap. */
const brokenSentences = `[...document.querySelectorAll('body *')].filter((element) => {
  const { display } = getComputedStyle(element);
  if (!/flex|grid/.test(display)) return false;
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && /\\p{L}/u.test(node.data));
  return hasText && element.querySelector(':scope > :is(time, b, strong, em, code, i)') !== null;
}).map((element) => element.outerHTML.slice(0, 200))`;

/** Texts that tell rows apart and are cut. */
const cutTexts = `[...document.querySelectorAll(
  '[data-list] :is(.name, .object, .where), .feed .subject, .needs a, .matrix th, .panel-head .summary'
)].filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== 'visible')
  .map((element) => element.outerHTML.slice(0, 200))`;

/** Controls of the header that lie over each other. */
const overlaps = `(() => {
  const controls = [...document.querySelectorAll('.top :is(a, button, input, select, .zone, .live-word)')]
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ element, box }) => box.width > 0 && element.querySelector('a, button') === null);
  return controls.flatMap(({ element, box }, index) => controls.slice(index + 1)
    .filter(({ element: other, box: its }) => !other.contains(element) && !element.contains(other) &&
      box.left < its.right - 1 && its.left < box.right - 1 && box.top < its.bottom - 1 && its.top < box.bottom - 1)
    .map(({ element: other }) => element.outerHTML.slice(0, 80) + ' and ' + other.outerHTML.slice(0, 80)));
})()`;

/** Panels of which not even the head is to be seen. */
const flatPanels = `[...document.querySelectorAll('.panel')].filter((panel) => panel.getBoundingClientRect().height < 24)
  .map((panel) => panel.className)`;

const tooWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';

test.each(views)('%s', async (view) => {
  const { page, world, server, errors } = suite();
  fill(world);
  await login(page, server, world, '/');
  for (const [width, scheme] of [
    [1440, 'light'],
    [390, 'dark'],
    [1280, 'dark'],
    [1440, 'dark'],
    [390, 'light'],
  ] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`${server.url}${view}`);
    await untilLive(page);
    // All of its reads have an answer.
    await page.getByText('Reading…').waitFor({ state: 'detached' });
    const where = `${view} at ${width} px, ${scheme}`;
    await page.evaluate(axe);
    expect([where, ...(await seriousFaults(page))]).toEqual([where]);
    expect([where, ...(await page.evaluate<string[]>(brokenSentences))]).toEqual([where]);
    expect([where, await page.evaluate(tooWide)]).toEqual([where, false]);
    expect([where, ...(await page.evaluate<string[]>(overlaps))]).toEqual([where]);
    expect([where, ...(await page.evaluate<string[]>(flatPanels))]).toEqual([where]);
    if (width === 390) expect([where, ...(await page.evaluate<string[]>(cutTexts))]).toEqual([where]);
  }
  expect(errors).toEqual([]);
});

test('the login form, the search, the keys and a question before an action', async () => {
  const { page, world, server } = suite();
  fill(world);
  const check = async (where: string): Promise<void> => {
    await page.evaluate(axe);
    expect([where, ...(await seriousFaults(page))]).toEqual([where]);
    expect([where, ...(await page.evaluate<string[]>(brokenSentences))]).toEqual([where]);
    expect([where, await page.evaluate(tooWide)]).toEqual([where, false]);
  };
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(server.url);
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await check('the login form');
  await login(page, server, world, '/gslb?gslb=g1');
  await page.keyboard.press('Control+k');
  await page.getByLabel('Search everything').fill('a-rather');
  await page
    .getByRole('option')
    .filter({ hasText: `${long}-1` })
    .first()
    .waitFor();
  await check('the search');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await check('the keys');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Freeze' }).click();
  await page.getByRole('dialog').getByLabel('Reason').waitFor();
  await check('a question');
});
