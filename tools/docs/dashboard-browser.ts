// The dashboard in Chromium, for its pictures.
import { type Browser, chromium, type Page } from 'playwright-core';

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

/** The login form is shown. */
export async function logIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await settled(page);
}

/** Waits until the page shows its first content. GraphiQL and the login have no such mark. */
export async function settled(page: Page): Promise<void> {
  await page
    .locator('.live[data-live="LIVE"], .graphiql-container')
    .first()
    .waitFor({ timeout: 10_000 })
    .catch(() => undefined);
  await page.waitForLoadState('load');
  await page.waitForTimeout(1_000);
}
