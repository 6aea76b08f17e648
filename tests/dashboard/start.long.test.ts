// The start page in a real browser: subjects that need attention, since when and why, with links, and the recent
// events.
import { expect, test } from '@jest/globals';
import { until, untilCount, untilLive } from './support/browser.ts';
import { checker, nameServer } from './support/fake-names.ts';
import { cluster, now } from './support/fake-values.ts';
import { health, verification } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();
const minutes = 60_000;

test('says that nothing needs attention, and how to begin', async () => {
  const { page, open } = suite();
  await open('/');
  await page.getByText('Nothing needs attention.').waitFor();
  await until(page, 'document.title === "Start · Tidegate"');
  const relay = page.locator('[data-domain="relay"]');
  await relay.getByText('0 backends').waitFor();
  await relay.getByText('none yet').waitFor();
  expect(await relay.getByRole('link', { name: 'Register a backend' }).getAttribute('href')).toBe('/register');
  const create = page.locator('[data-domain="loadbalancer"]').getByRole('link', { name: 'Create a load balancer' });
  expect(await create.getAttribute('href')).toBe('/form?new=LoadBalancer');
  // There was nothing that could have been up or down.
  await untilCount(page, '[data-domain="relay"] [data-beat="unknown"]', 24);
  await page.locator('[data-domain="alerts"]').getByText('0 rules').waitFor();
  // A single machine has no hosts.
  expect(await page.locator('[data-domain="hosts"]').count()).toBe(0);
});

test('each domain shows what needs attention, since when and why; a click opens it', async () => {
  const { page, world, open } = suite();
  world.addBackend();
  world.addBackend();
  world.updateBackend(
    'b2',
    { operatingStatus: 'OFFLINE', health: health({ message: 'connect ECONNREFUSED' }) },
    { kind: 'backend.operatingStatus', from: 'ONLINE', to: 'OFFLINE' },
  );
  world.addOperation({ name: 'rule.create', state: 'UNKNOWN', startedAt: now(-22 * minutes) });
  world.addMapping({ objectKey: 'rule-9', ...verification('MISSING', [], now(-120 * minutes)) });
  world.loadBalancing.addBalancer({ operatingStatus: 'DEGRADED', operatingReason: '1 of 2 members is down' });
  const validUntil = now(5 * 24 * 60 * minutes);
  world.certificates.push({ id: 'c1', name: 'shop-2026', validUntil, hostNames: ['shop.example.net'] });
  world.certificates.push({ id: 'c2', name: 'far', validUntil: now(50 * 24 * 60 * minutes), hostNames: [] });
  world.naming.addName({ operatingStatus: 'UNKNOWN', operatingReason: 'no vantage point has voted' });
  world.naming.nameServers.push(nameServer('ns2', { presence: 'ABSENT', heardAt: now(-22 * minutes) }));
  world.naming.checkers.push(checker('ap-1', { presence: 'ABSENT', heardAt: now(-22 * minutes) }));
  world.clusters.push(cluster(1, 'north', { presence: 'ABSENT', heardAt: now(-22 * minutes) }));
  await open('/');
  await page.getByText('9 things need attention').waitFor();
  await until(page, 'document.title === "(9 need attention) Start · Tidegate"');
  const needs = async (domain: string): Promise<readonly string[]> =>
    await page.locator(`[data-domain="${domain}"] .needs li`).allTextContents();
  expect(await needs('relay')).toEqual([
    expect.stringMatching(/^fw-2 offline for .*connect ECONNREFUSED$/),
    expect.stringMatching(/^rule.create unknown outcome for 22 min.*fw-1, for tenant\/1$/),
    expect.stringMatching(/^rule-9 missing on its device for 2 h.*fw-1$/),
  ]);
  expect(await needs('loadbalancer')).toEqual([
    expect.stringMatching(/degraded 1 of 2 members is down$/),
    expect.stringMatching(/^shop-2026 certificate ends .* UTC.*shop.example.net$/),
  ]);
  expect(await needs('gslb')).toEqual([
    expect.stringMatching(/^ap-1 checker not connected for 22 minno checker is left: no verdict can change$/),
    expect.stringMatching(/^ns2 name server not connected for 22 min$/),
    expect.stringMatching(/^shop-1.gslb.example.net no verdict yet for 1 h.*no vantage point has voted$/),
  ]);
  expect(await needs('objects')).toEqual([
    expect.stringMatching(/^north cluster not connected for 22 min.*controller is connected$/),
  ]);
  await page.locator('[data-domain="relay"]').getByText('2 backends · 1 unavailable · 1 unknown · 1 drifted').waitFor();
  // Only the present hour, because it has just gone down.
  await untilCount(page, '[data-domain="relay"] [data-beat="bad"]', 1);

  await page.getByRole('link', { name: 'rule.create' }).click();
  await page.getByRole('heading', { name: 'rule.create' }).waitFor();
  await until(page, "location.pathname + location.search === '/relay?operation=o000001'");
  await page.goBack();
  await page.getByText('9 things need attention').waitFor();
});

test('the busiest load balancers come first, and what ends within 30 days has its days', async () => {
  const { page, world, open } = suite();
  const { loadBalancing, people, certificates } = world;
  const minute = (requests: number) => [{ startedAt: now(-minutes), requests, errors: 0, latencyMs: 12 }];
  for (const requests of [60, 6000, 0]) loadBalancing.traffic.set(loadBalancing.addBalancer().id, minute(requests));
  const day = 24 * 60 * minutes;
  certificates.push({ id: 'c1', name: 'shop-2026', validUntil: now(20.5 * day), hostNames: ['shop.example.net'] });
  certificates.push({ id: 'c2', name: 'far', validUntil: now(50 * day), hostNames: [] });
  people.addToken('ci', { expiresAt: now(3.5 * day) });
  people.addToken('ended', { expiresAt: now(-day) });
  people.addToken('revoked', { expiresAt: now(day), revokedAt: now() });
  people.addToken('endless', { expiresAt: null });
  await open('/');
  const busy = page.locator('.rows-busy .row');
  await busy.nth(0).getByText('web-2', { exact: true }).waitFor();
  await busy.nth(1).getByText('web-1', { exact: true }).waitFor();
  await busy.nth(0).getByRole('img', { name: '100 to 100 requests a second in the last hour' }).waitFor();
  await busy.nth(0).getByText('12 ms').waitFor();
  const deleted = page.locator('.panel-settings').getByRole('link', { name: 'Deleted objects' });
  expect(await deleted.getAttribute('href')).toBe('/deleted');
  expect(await page.locator('.panel-ends li').allTextContents()).toEqual([
    'ciAPI token, acmein 3 days',
    'shop-2026certificate, shop.example.netin 20 days',
  ]);
  await busy.nth(0).click();
  await until(page, "location.pathname + location.search === '/loadbalancer?balancer=lb2'");
  await untilLive(page);
});

test('a load balancer is neither up nor down, and needs no attention, until its first node serves', async () => {
  const { page, world, open } = suite();
  const { loadBalancing } = world;
  const operatingReason = 'none of its nodes has served yet';
  loadBalancing.addBalancer({ provisioningStatus: 'PENDING', operatingStatus: 'UNKNOWN', operatingReason });
  await open('/');
  const tile = page.locator('[data-domain="loadbalancer"]');
  await tile.getByText('1 load balancer · 1 being created').waitFor();
  await tile.locator('.badge').getByText('being created').waitFor();
  await page.getByText('Nothing needs attention.').waitFor();
  await untilCount(page, '[data-domain="loadbalancer"] [data-beat="bad"]', 0);
  loadBalancing.update(
    'lb1',
    { provisioningStatus: 'ERROR', operatingStatus: 'ERROR', operatingReason: 'no node serves' },
    { kind: 'loadBalancer.operatingStatus', from: 'UNKNOWN', to: 'ERROR', reason: 'no node serves' },
  );
  await page.getByText('1 thing needs attention').waitFor();
  await tile.locator('.needs').getByText('no node serves').waitFor();
});

test('follows recent events with their names, and no others', async () => {
  const { page, world, open } = suite();
  world.addBackend();
  world.naming.addName();
  await open('/');
  await page.getByText('Nothing needs attention.').waitFor();
  world.addOperation();
  world.naming.update(
    'g1',
    { operatingStatus: 'OFFLINE', operatingReason: 'none of 2 members serves' },
    { kind: 'gslb.operatingStatus', from: 'ONLINE', to: 'OFFLINE', reason: 'none of 2 members serves' },
  );
  const line = page.locator('.feed-line');
  await line.getByRole('link', { name: 'name shop-1.gslb.example.net' }).waitFor();
  await page.getByText('1 thing needs attention').waitFor();
  await page.locator('[data-domain="gslb"] .needs').getByText('none of 2 members serves').waitFor();
  expect(await line.count()).toBe(1);
  await line.getByRole('link').click();
  await until(page, "location.pathname + location.search === '/gslb?gslb=g1'");
  await untilLive(page);
});

test('information hidden from a login is marked as such, and never shown as nothing', async () => {
  const { page, world, open } = suite();
  Object.assign(world.user, { admin: false, role: 'VIEWER' });
  world.naming.addName();
  world.naming.nameServers.push(nameServer('ns2', { presence: 'ABSENT', heardAt: now(-13 * minutes) }));
  await open('/');
  const words = '1 name server not connected';
  await page.getByText(`Nothing that was read needs attention; not shown to you: ${words}`).waitFor();
  await page.locator('[data-domain="gslb"]').getByText(`Not shown to you: ${words}`).waitFor();
  await page.locator('[data-domain="gslb"] .badge').getByText('not all shown').waitFor();
  expect(await page.getByText('ns2').count()).toBe(0);
});

test('an alert that fires has its tile, and counts', async () => {
  const { page, world, open } = suite();
  world.people.addAlert();
  await open('/');
  await page.getByText('1 thing needs attention').waitFor();
  await untilCount(page, '[data-domain="alerts"] .needs li', 1);
  await until(page, 'document.title === "(1 needs attention) Start · Tidegate"');
});

test('a lost part empties its own tile and nothing else; the filter is for all tiles', async () => {
  const { page, world, open } = suite();
  world.addBackend({ operatingStatus: 'OFFLINE' });
  world.addBackend({ operatingStatus: 'OFFLINE', name: 'edge' });
  world.lostFields.add('gslbs');
  await open('/');
  await page.locator('[data-domain="gslb"]').getByText('The subgraph of gslbs does not answer.').waitFor();
  await untilCount(page, '[data-domain="relay"] .needs li', 2);
  // Unknown is not the same as nothing.
  await page.getByText('2 things need attention; not known: GSLBs').waitFor();
  await until(page, 'document.title === "(2 need attention, 1 not known) Start · Tidegate"');
  await page.getByLabel('Filter').fill('edge');
  await untilCount(page, '[data-domain="relay"] .needs li', 1);
});
