// The page survives the loss of the server, its cursors and its login.
import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { until, untilCount, untilLive } from './support/browser.ts';
import type { FakeWorld } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

/** Chromium's own messages while a server is not available. */
const outage = /WebSocket connection to|Failed to load resource: net::ERR_/;

describe('the stream', () => {
  test('a killed server: reconnecting, then stale, then live again without a gap or a duplicate', async () => {
    const { page, world, server, open, tolerate } = suite();
    world.addBackend();
    await open();
    world.addOperation({ name: 'before' });
    await page.locator('.feed').getByText('before on fw-1').waitFor();
    await server.kill();
    await page.locator('.live[data-live="RECONNECTING"]').waitFor();
    for (let number = 1; number <= 40; number += 1) world.addOperation({ name: `call-${number}-meanwhile` });
    await page.locator('.live[data-live="STALE"]').waitFor();
    await page.getByText(/This page is .* old/).waitFor();
    await server.start();
    await untilLive(page);
    world.addOperation({ name: 'after' });
    await page.locator('.feed').getByText('after on fw-1').waitFor();
    const lines = await page.locator('.feed .subject').allTextContents();
    const expected = ['after', ...Array.from({ length: 40 }, (_, index) => `call-${40 - index}-meanwhile`), 'before'];
    expect(lines).toEqual(expected.map((name) => `${name} on fw-1`));
    await untilCount(page, '.rows-operations .row', 42);
    tolerate(outage);
  });

  test('killed and restarted at once, repeatedly, while changes continue', async () => {
    const { page, world, server, open, tolerate } = suite();
    tolerate(outage);
    world.addBackend();
    await open();
    for (let round = 0; round < 4; round += 1) {
      for (let number = 0; number < 5; number += 1) world.addOperation({ name: `r${round}n${number}` });
      await server.kill();
      world.addOperation({ name: `r${round}down` });
      await server.start();
      await page.locator('.feed').getByText(`r${round}down on fw-1`).waitFor();
    }
    const lines = await page.locator('.feed .subject').allTextContents();
    expect(lines).toHaveLength(24);
    expect(new Set(lines).size).toBe(24);
  });

  test('an expired cursor: everything is read again, and the page shows a note', async () => {
    const { page, world, server, open, tolerate } = suite();
    world.addBackend();
    const operation = world.addOperation({ name: 'kept' });
    await open();
    await page.locator('.rows-operations').getByText('sent').waitFor();
    await server.kill();
    world.updateOperation(operation.id, { state: 'SUCCEEDED' });
    world.oldestSeq = world.changes.length;
    await server.start();
    await page.getByText('disconnected for longer than changes are kept').waitFor();
    await page.locator('.rows-operations').getByText('succeeded').waitFor();
    world.updateOperation(operation.id, { state: 'UNKNOWN' });
    await page.locator('.strip-unknown').waitFor();
    tolerate(outage);
  });
});

describe('the login', () => {
  test('a wrong password is refused with an explanation', async () => {
    const { page, server } = suite();
    await page.goto(server.url);
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('Name and password are not right.').waitFor();
  });

  test('no script can read the refresh token, the access token is in memory only, and a reload continues the login', async () => {
    const { page, world, server, context, open } = suite();
    await open();
    const stored = await page.evaluate<string>(
      'JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])',
    );
    expect(stored).not.toMatch(/access-|refresh-/);
    const [cookie, ...others] = await context.cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      ...{ httpOnly: true, sameSite: 'Strict', path: '/session', secure: false },
      ...{ name: `tidegate-session-${new URL(server.url).port}`, value: [...world.refreshTokens][0] },
    });
    const used = cookie?.value;
    await page.reload();
    await untilLive(page);
    expect([...world.refreshTokens]).not.toContain(used);
  });

  test('a socket closed because of its credential is reopened with a new one', async () => {
    const { page, world, server, open } = suite();
    world.addBackend();
    await open();
    world.accessTokens.clear();
    server.closeUnauthenticated();
    await page.locator('.live[data-live="RECONNECTING"]').waitFor();
    await untilLive(page);
    world.addOperation({ name: 'later' });
    await page.locator('.feed').getByText('later on fw-1').waitFor();
  });

  test('a socket that ends with its access token is replaced, after the last cursor, without a message', async () => {
    const { page, world, server, open } = suite();
    world.addBackend();
    await open();
    world.addOperation({ name: 'before' });
    await page.locator('.feed').getByText('before on fw-1').waitFor();
    const [used] = world.refreshTokens;
    world.accessTokens.clear();
    server.closeExpired();
    world.addOperation({ name: 'meanwhile' });
    await page.locator('.feed').getByText('meanwhile on fw-1').waitFor();
    const lines = await page.locator('.feed .subject').allTextContents();
    expect(lines).toEqual(['meanwhile on fw-1', 'before on fw-1']);
    expect([...world.refreshTokens]).not.toContain(used);
    expect(await page.locator('.live').getAttribute('data-live')).toBe('LIVE');
  });

  test('an ended session leads to the login form, and back to the same view', async () => {
    const { page, world, server, open } = suite();
    await open('/relay?state=failed');
    world.accessTokens.clear();
    world.refreshTokens.clear();
    server.closeUnauthenticated();
    await page.getByText('Your session has ended.').waitFor();
    await open('/relay?state=failed');
    await until(page, "location.search === '?state=failed'");
  });

  test('an access token is renewed before it expires', async () => {
    const { page, world, open } = suite();
    world.accessTokenLifeMs = 62_000;
    await open();
    await untilRenewed(page, world, 2);
  });

  test('all tabs share one login: at most one of them renews it, and none outlives it', async () => {
    const { page, world, server, context, open } = suite();
    world.addBackend();
    const second = await context.newPage();
    await second.goto(`${server.url}/relay`);
    await second.getByRole('button', { name: 'Log in' }).waitFor();
    await open();
    // The login form closes without a click.
    await untilLive(second);
    expect(world.accessTokens.size).toBe(1);
    await second.reload();
    await untilLive(second);
    // It got the token of the first tab.
    expect(world.accessTokens.size).toBe(1);
    await Promise.all([page.reload(), second.reload()]);
    await Promise.all([untilLive(page), untilLive(second)]);
    expect(world.refreshTokens.size).toBe(1);
    await second.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    expect(await context.cookies()).toEqual([]);
  });

  test('logging out drops everything', async () => {
    const { page, world, open } = suite();
    world.addBackend({ name: 'secret-firewall' });
    await open();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await until(page, "localStorage.getItem('tidegate.session') === null");
    expect(await page.getByText('secret-firewall').count()).toBe(0);
    await untilRenewed(page, world, 0);
  });
});

/** Waits until this many access tokens are valid. */
async function untilRenewed(page: Page, world: FakeWorld, count: number): Promise<void> {
  while (world.accessTokens.size !== count) await page.waitForTimeout(50);
}
