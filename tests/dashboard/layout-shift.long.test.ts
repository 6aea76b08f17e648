// Nothing moves under a finger. While a page loads over a slow line, its cumulative layout shift (web.dev/cls) stays
// small at phone and desktop width, and a phone's header is one low row.
import { expect, test } from '@jest/globals';
import { fillWorld } from './support/accessible.ts';
import { login, untilLive } from './support/browser.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

/**
 * The largest sum of shifts in a session window: gaps below a second, at most five seconds. Shifts after a click or a
 * key do not count.
 */
const watchShifts = `
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput)
      window.shifts.push({ at: entry.startTime, value: entry.value, of: entry.sources.map(({ node }) => node?.nodeType === 1
        ? node.tagName + '.' + node.className : node?.parentElement?.className).join(' '), boxes: entry.sources.map(({ previousRect: a, currentRect: b }) => [a.x, a.y, a.width, a.height, b.x, b.y, b.width, b.height].map(Math.round).join(',')).join(' | ') });
  }).observe({ type: 'layout-shift', buffered: true });
`;
interface Shift {
  readonly at: number;
  readonly value: number;
  readonly of: string;
}

function largestWindow(shifts: readonly Shift[]): number {
  let [most, sum, begin, last] = [0, 0, 0, Number.NEGATIVE_INFINITY];
  for (const { at, value } of shifts) {
    if (at - last > 1_000 || at - begin > 5_000) [sum, begin] = [0, at];
    sum += value;
    last = at;
    most = Math.max(most, sum);
  }
  return most;
}

const views = [
  '/',
  '/relay',
  '/loadbalancer',
  '/gslb',
  '/objects',
  '/container?id=c1',
  '/hosts',
  '/alerts',
  '/people',
  '/audit',
  '/deleted',
];

test.each(views.flatMap((view) => [390, 1440].map((width) => [view, width] as const)))(
  '%s at %i px',
  async (view, width) => {
    const { page, world, server, context } = suite();
    fillWorld(world);
    await page.setViewportSize({ width, height: 844 });
    await login(page, server, world, '/');
    await page.addInitScript(watchShifts);
    const slow = await context.newCDPSession(page);
    await slow.send('Network.enable');
    const line = { latency: 60, downloadThroughput: 500_000, uploadThroughput: 500_000 };
    await slow.send('Network.emulateNetworkConditions', { offline: false, ...line });
    await page.goto(`${server.url}${view}`);
    await untilLive(page);
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    await page.waitForLoadState('networkidle');
    const shifts = await page.evaluate<Shift[]>('window.shifts');
    const total = largestWindow(shifts);
    expect([total > 0.05 ? shifts : []]).toEqual([[]]);
    const header = await page.locator('.top').boundingBox();
    expect(header?.height ?? 0).toBeLessThanOrEqual(64);
  },
);
