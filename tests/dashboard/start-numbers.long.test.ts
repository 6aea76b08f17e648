// The start page of a large site: few requests, a small program, a small heap, and no work while nothing changes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { beforeAll, expect, test } from '@jest/globals';
import { untilCount } from './support/browser.ts';
import { builtPages } from './support/build-pages.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();
const mostKib = 250;
const mostHeapMib = 40;
const mostCpuShare = 0.01;
const idleSeconds = 20;

let pages: string;

beforeAll(async () => {
  pages = await builtPages();
});

test('300 backends, 100 load balancers and 1,000 names', async () => {
  const { page, world, context, open } = suite();
  for (let number = 1; number <= 300; number += 1)
    world.addBackend(number % 50 === 0 ? { operatingStatus: 'OFFLINE' } : {});
  for (let number = 1; number <= 100; number += 1) world.loadBalancing.addBalancer();
  for (let number = 1; number <= 1_000; number += 1)
    world.naming.addName(number % 100 === 0 ? { operatingStatus: 'DEGRADED' } : {});
  await open('/');
  await untilCount(page, '.needs li', 12);

  // As a returning user: only the requests that a start of the page needs.
  const loaded: string[] = [];
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() === 'POST') asked.push(pathname);
    else if (pathname.startsWith('/assets/') || pathname === '/') loaded.push(pathname);
  });
  await page.reload();
  await untilCount(page, '.needs li', 12);
  const bytes = await Promise.all(
    loaded.map(
      async (path) => brotliCompressSync(await readFile(join(pages, path === '/' ? 'index.html' : path))).length,
    ),
  );
  expect(loaded.length).toBeGreaterThan(3);
  expect(bytes.reduce((sum, length) => sum + length, 0)).toBeLessThan(mostKib * 1024);
  // The login, what the deployment has (two), its health, the cursor, the history, a request for each of five tiles, and four for the panels.
  expect(asked.length).toBeLessThanOrEqual(15);

  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'timeTicks' });
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  expect(usedSize).toBeLessThan(mostHeapMib * 1024 * 1024);

  const figure = async (name: string): Promise<number> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    const found = metrics.find((metric) => metric.name === name);
    if (found === undefined) throw new Error(`Chromium does not measure ${name}`);
    return found.value;
  };
  // The machine's other work does not count as time of this process.
  const [cpuBefore, atBefore] = [await figure('ProcessTime'), await figure('Timestamp')];
  await page.waitForTimeout(idleSeconds * 1000);
  const share = ((await figure('ProcessTime')) - cpuBefore) / ((await figure('Timestamp')) - atBefore);
  expect(share).toBeGreaterThan(0);
  expect(share).toBeLessThan(mostCpuShare);
});
