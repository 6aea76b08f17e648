// Form entries are restored after the login has ended, only for the same user.
// needs: dashboard
import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { untilLive } from './support/browser.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();
const form = '/form?new=User';
const note = 'This is what you entered before the login ended.';

const field = (page: Page, name: string) => page.getByLabel(new RegExp(`^${name}( required)?$`)).first();

async function enter(page: Page): Promise<void> {
  await field(page, 'Name').fill('nora');
  await field(page, 'Password').fill('a hidden password');
}

async function endLogin(): Promise<void> {
  const { page, world, server } = suite();
  world.accessTokens.clear();
  world.refreshTokens.clear();
  server.closeUnauthenticated();
  await page.getByText('Your session has ended.').waitFor();
}

/** In the current form, without reloading the page. */
async function logInAgain(page: Page): Promise<void> {
  const { world } = suite();
  await page.getByLabel('Name').fill(world.user.name);
  await page.getByLabel('Password').fill(world.user.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await untilLive(page);
}

const kept = (page: Page) => page.evaluate<string | null>("window.sessionStorage.getItem('tidegate.drafts')");

describe('a draft', () => {
  test('is restored without its secrets, and only once', async () => {
    const { page, open } = suite();
    await open(form);
    await enter(page);
    await endLogin();
    expect(await kept(page)).toContain('nora');
    expect(await kept(page)).not.toContain('hidden');
    await logInAgain(page);
    await page.getByText(note).waitFor();
    expect([await field(page, 'Name').inputValue(), await field(page, 'Password').inputValue()]).toEqual(['nora', '']);
    expect(await kept(page)).toBeNull();
    await page.reload();
    await untilLive(page);
    expect(await field(page, 'Name').inputValue()).toBe('');
  });

  test('survives a reload at the login form', async () => {
    const { page, open } = suite();
    await open(form);
    await enter(page);
    await endLogin();
    await page.reload();
    await page.getByText('Your session has ended.').waitFor();
    await logInAgain(page);
    await page.getByText(note).waitFor();
    expect(await field(page, 'Name').inputValue()).toBe('nora');
  });

  test('is not restored for another user, nor later for the first one', async () => {
    const { page, world, open } = suite();
    await open(form);
    await enter(page);
    await endLogin();
    world.user.name = 'berta';
    await logInAgain(page);
    expect(await field(page, 'Name').inputValue()).toBe('');
    expect(await kept(page)).toBeNull();
    expect(await page.getByText(note).count()).toBe(0);
  });

  test('is forgotten at a logout', async () => {
    const { page, open } = suite();
    await open(form);
    await enter(page);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    expect(await page.getByText('Your session has ended.').count()).toBe(0);
    expect(await kept(page)).toBeNull();
    await logInAgain(page);
    expect(await field(page, 'Name').inputValue()).toBe('');
  });

  test('is kept in a tab whose login another tab found ended', async () => {
    const { page, server, context, open } = suite();
    await open(form);
    await enter(page);
    const other = await context.newPage();
    await other.goto(`${server.url}/relay`);
    await untilLive(other);
    await endLogin();
    await other.getByText('Your session has ended.').waitFor();
    await logInAgain(other);
    await page.getByText(note).waitFor();
    expect(await field(page, 'Name').inputValue()).toBe('nora');
  });
});
