// Requests that the browser aborts, as Chromium does when the machine changes networks. The page sends them again by
// itself.
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describePages } from './support/page-suite.ts';

const suite = describePages(/net::ERR_CONNECTION_ABORTED/);

test.each([
  ['script', '**/assets/*.js'],
  ['styles', '**/assets/*.css'],
])('the page loads again after its %s failed to load', async (_what, pattern) => {
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
  // The login form is shown even without its styles.
  while (!isWhole) await page.waitForTimeout(50);
  await page.getByLabel('Name').waitFor();
  expect(await page.evaluate("getComputedStyle(document.querySelector('.door')).display")).toBe('grid');
  // A later failure has five tries again.
  expect(await page.evaluate('sessionStorage.getItem("loads")')).toBeNull();
});

test('a script that never arrives leads to a message, not to a blank page', async () => {
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

/** The first `times` requests for it never arrive. Returns the number of requests. */
async function abortFirst(page: Page, pattern: string, times: number): Promise<() => number> {
  let seen = 0;
  await page.route(pattern, async (route) => {
    seen += 1;
    await (seen <= times ? route.abort('connectionaborted') : route.continue());
  });
  return () => seen;
}

test('a login whose request is aborted is tried again by itself', async () => {
  const { page, open } = suite();
  const requests = await abortFirst(page, '**/session/login', 2);
  await open();
  expect(requests()).toBe(3);
});

test('a wrong password is sent once', async () => {
  const { page, server, world } = suite();
  const requests = await abortFirst(page, '**/session/login', 0);
  await page.goto(`${server.url}/relay`);
  await page.getByLabel('Name').fill(world.user.name);
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('BAD_CREDENTIALS').waitFor();
  expect(requests()).toBe(1);
});

test("a page's own code that is aborted is loaded again by itself", async () => {
  const { page, open } = suite();
  const requests = await abortFirst(page, '**/assets/page-*.js', 2);
  await open();
  expect(requests()).toBe(3);
  expect(await page.evaluate('sessionStorage.getItem("pageLoads")')).toBeNull();
});

test("a page's own code that never arrives leads to a message", async () => {
  const { page, server, world } = suite();
  const requests = await abortFirst(page, '**/assets/page-*.js', Number.POSITIVE_INFINITY);
  await page.goto(`${server.url}/relay`);
  await page.getByLabel('Name').fill(world.user.name);
  await page.getByLabel('Password').fill(world.user.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('This page could not be loaded.').waitFor();
  expect(requests()).toBe(4);
});
