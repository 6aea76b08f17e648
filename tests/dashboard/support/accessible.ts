// Checks of pages with one object of each kind, healthy and failing, at desktop and phone width, in light and dark. Axe
// finds nothing serious, no sentence is broken apart, the header is one row on a desktop, and a phone cuts off nothing
// that distinguishes rows.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { login, untilLive } from './browser.ts';
import { checker, nameServer, vote } from './fake-names.ts';
import { statistics } from './fake-statistics.ts';
import { cluster, now } from './fake-values.ts';
import { type FakeWorld, health, verification } from './fake-world.ts';
import {
  brokenSentences,
  codeWords,
  cutControls,
  cutTexts,
  flatPanels,
  headerRows,
  overlaps,
  tooWide,
  unevenBadges,
} from './layout.ts';
import type { describePages } from './page-suite.ts';

export const longName = 'a-rather-long-name-with-many-parts-of-a-site-in-frankfurt';

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Objects of each kind, healthy and failing. */
export function fillWorld(world: FakeWorld): void {
  world.addBackend({ name: `${longName}-1` });
  world.addBackend({ name: `${longName}-2`, operatingStatus: 'OFFLINE', health: health({ message: 'ECONNREFUSED' }) });
  world.addBackend({ circuit: { state: 'OPEN', since: now(), reason: '5 calls in a row failed' } });
  for (const state of ['SUCCEEDED', 'UNKNOWN', 'FAILED', 'SENT'])
    world.addOperation({ name: `${longName}.${state.toLowerCase()}`, state });
  world.addMapping({
    objectKey: longName,
    ...verification('DRIFTED', [{ path: 'port', wanted: '443', found: '8443' }]),
  });
  const { loadBalancing, naming } = world;
  const balancer = loadBalancing.addBalancer({ name: longName });
  loadBalancing.addHost({ name: `${longName}-h1`, presence: 'ABSENT', heardAt: now(-1_320_000) });
  const up = loadBalancing.addMember(balancer.id, { name: `${longName}-m1` });
  const down = loadBalancing.addMember(balancer.id, { name: `${longName}-m3`, operatingStatus: 'ERROR' });
  loadBalancing.addNode(balancer.id, { statistics: statistics(1, [up, { ...down, isDown: true }]) });
  loadBalancing.addNode(balancer.id, { statistics: statistics(1, [up], now(-1_320_000)), operatingStatus: 'ERROR' });
  naming.addName({
    fqdn: `${longName}.gslb.example.net`,
    operatingStatus: 'DEGRADED',
    operatingReason: '1 of 2 serves',
  });
  naming.addMember('g1', { name: `${longName}-m2`, votes: [vote('eu', { count: 'ABSENT', ageMs: null })] });
  naming.nameServers.push(nameServer('ns1'), nameServer('ns2', { presence: 'ABSENT', heardAt: now(-1_320_000) }));
  naming.checkers.push(checker('ap-1', { presence: 'ABSENT', heardAt: now(-1_320_000) }));
  world.clusters.push(cluster(1, 'north'), cluster(2, 'south', { presence: 'ABSENT', heardAt: now(-1_320_000) }));
  world.hosts.begin();
  world.people.fill(longName);
}

/** Findings of axe. Landmarks with the same name do not help a screen reader, although axe calls that moderate. */
export async function seriousFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(axeFile, 'utf8'));
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations
    .filter(({ id, impact }) => impact === 'serious' || impact === 'critical' || id === 'landmark-unique')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
    );
}

/** `where`: text in the failure message. `faults`: those of ./layout.ts. */
export async function expectNone(page: Page, where: string, faults: readonly string[]): Promise<void> {
  for (const fault of faults) expect([where, ...(await page.evaluate<string[]>(fault))]).toEqual([where]);
}

export async function expectAccessible(page: Page, where: string): Promise<void> {
  expect([where, ...(await seriousFaults(page))]).toEqual([where]);
  await expectNone(page, where, [brokenSentences, tooWide, codeWords]);
}

/** Opens a page once at each width. Its colours follow the system's setting by themselves. */
const looks = [
  [1440, ['light', 'dark']],
  [1280, ['dark']],
  [390, ['dark', 'light']],
] as const;

/** One test for each view: a path with its query. */
export function testViews(suite: ReturnType<typeof describePages>, views: readonly string[]): void {
  test.each(views)('%s', async (view) => {
    const { page, world, server, errors } = suite();
    fillWorld(world);
    await login(page, server, world, '/');
    for (const [width, schemes] of looks) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(`${server.url}${view}`);
      await untilLive(page);
      // All of its queries have an answer.
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
      for (const scheme of schemes) {
        await page.emulateMedia({ colorScheme: scheme });
        const where = `${view} at ${width} px, ${scheme}`;
        await expectAccessible(page, where);
        await expectNone(page, where, [overlaps, flatPanels, cutControls, unevenBadges]);
        await expectNone(page, where, width === 390 ? [cutTexts] : [headerRows]);
      }
    }
    expect(errors).toEqual([]);
  });
}
