// Logins that end, fail and follow each other. A logout reaches the server, a foreign link replaces no login, and
// nothing of one user is shown to, or done by, the next.
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { login, until, untilLive } from './support/browser.ts';
import { fatesOf, held } from './support/fates.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages(/net::ERR_CONNECTION_ABORTED|status of 401/);

/** Waits for a state outside the page. */
async function untilTrue(page: Page, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await page.waitForTimeout(50);
}

/** The first `times` requests for it never arrive. Returns the number of requests. */
async function loseFirst(page: Page, path: string, times: number): Promise<() => number> {
  let seen = 0;
  await page.route(`**/session/${path}`, async (route) => {
    seen += 1;
    await (seen <= times ? route.abort('connectionaborted') : route.continue());
  });
  return () => seen;
}

test('a logout whose request is lost is sent again, and ends the session', async () => {
  const { page, context, world, open } = suite();
  await open();
  await loseFirst(page, 'logout', 2);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Password').waitFor();
  await untilTrue(page, () => world.refreshTokens.size === 0);
  await untilTrue(page, async () => (await context.cookies()).length === 0);
});

test('a logout that reached no server is sent by the next page of the browser', async () => {
  const { page, context, world, server, open } = suite();
  await open();
  await loseFirst(page, 'logout', Number.POSITIVE_INFINITY);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Password').waitFor();
  await page.close();
  const next = await context.newPage();
  await next.goto(server.url);
  await untilTrue(next, () => world.refreshTokens.size === 0);
  await login(next, server, world);
  expect(world.refreshTokens.size).toBe(1);
});

test('the code of a link replaces no login, even if that login could not be renewed at first', async () => {
  const { page, server, open } = suite();
  await open();
  await loseFirst(page, 'sessionRefresh', 1);
  const starts = await loseFirst(page, 'sessionStart', 0);
  await page.goto(`${server.url}/people#code=tgc_of-somebody-else`);
  await untilLive(page);
  expect(starts()).toBe(0);
  expect(new URL(page.url()).hash).toBe('');
});

test('a link with a code is accepted where the dashboard is already open', async () => {
  const { page, server } = suite();
  await page.goto(server.url);
  await page.getByLabel('Password').waitFor();
  const started = page.waitForRequest('**/session/sessionStart');
  await page.goto(`${server.url}/#code=tgc_abc`);
  expect((await started).postDataJSON()).toEqual({ code: 'tgc_abc' });
  await until(page, "location.hash === ''");
});

test('a browser whose clock is an hour ahead does not renew its login with each request', async () => {
  const { page, context, open } = suite();
  await context.addInitScript('const now = Date.now; Date.now = () => now() + 3_600_000;');
  const renewals = await loseFirst(page, 'sessionRefresh', 0);
  await open();
  expect(renewals()).toBe(0);
});

test("one user's unfinished actions are not continued by the next user", async () => {
  const { page, world, open } = suite();
  const cmpObject = { namespace: 'default', type: 'tenant', externalId: '42' };
  world.addBackend();
  for (const objectKey of ['rule-1', 'rule-2']) world.addMapping({ objectKey, cmpObject });
  const late = held();
  const asked = await fatesOf(page, ({ operation }) => (operation === 'CmpVerify' ? late.until : undefined));
  await open('/cmp?object=tenant/42');
  await page.getByRole('button', { name: 'Verify all' }).click();
  await page.getByRole('button', { name: 'Verifying 1 of 2…' }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Name').fill(world.user.name);
  await page.getByLabel('Password').fill(world.user.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await untilLive(page);
  const verified = page.waitForResponse((response) => response.request().postData()?.includes('CmpVerify') === true);
  late.release();
  await (await verified).finished();
  await page.getByRole('link', { name: 'Relay', exact: true }).click();
  await untilLive(page);
  expect(asked('CmpVerify')).toBe(1);
});

test('when another tab replaces a login, all tabs show the user who is logged in', async () => {
  const { page, context, world, server, open } = suite();
  const late = held();
  const other = await context.newPage();
  await other.goto(`${server.url}/relay`);
  await other.getByLabel('Name').fill('bob');
  await other.getByLabel('Password').fill(world.user.password);
  await other.route('**/session/login', async (route) => {
    await late.until;
    await route.continue();
  });
  await other.getByRole('button', { name: 'Log in' }).click();
  await open();
  const who = (tab: Page, name: string) => tab.locator('.who', { hasText: name }).waitFor({ state: 'attached' });
  await who(page, 'admin');
  world.user.name = 'bob';
  late.release();
  await who(page, 'bob');
  await who(other, 'bob');
});
