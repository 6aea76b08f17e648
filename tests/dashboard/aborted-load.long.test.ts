// A page whose script or styles the browser aborts, as Chromium does when the machine changes networks: it loads again by itself.
import { expect, test } from '@jest/globals';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

test.each([
  ['script', '**/assets/*.js'],
  ['styles', '**/assets/*.css'],
])('without its %s the page loads again', async (_what, pattern) => {
  const { page, server } = suite();
  let aborted = 0;
  let abortedBefore = 0;
  let isWhole = false;
  page.on('request', (request) => {
    if (request.isNavigationRequest()) abortedBefore = aborted;
  });
  page.on('load', () => {
    isWhole = aborted === 2 && abortedBefore === 2;
  });
  await page.route(pattern, async (route) => {
    if (aborted >= 2) return route.continue();
    aborted += 1;
    await route.abort('connectionaborted');
  });
  await page.goto(`${server.url}/hosts`);
  // The login form is there without its styles, too.
  while (!isWhole) await page.waitForTimeout(50);
  await page.getByLabel('Name').waitFor();
  expect(await page.evaluate("getComputedStyle(document.querySelector('.door')).display")).toBe('grid');
  // A later failure has its five tries again.
  expect(await page.evaluate('sessionStorage.getItem("loads")')).toBeNull();
});

test('a script that never comes ends in words, not in a blank page', async () => {
  const { page, server } = suite();
  let documents = 0;
  page.on('request', (request) => {
    if (request.isNavigationRequest()) documents += 1;
  });
  await page.route('**/assets/*.js', (route) => route.abort('connectionaborted'));
  await page.goto(`${server.url}/hosts`);
  await page.getByText('The page could not be loaded.').waitFor();
  expect(documents).toBe(6);
});
