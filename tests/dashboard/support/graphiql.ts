// GraphiQL's page, used like a person does.
import type { Page } from 'playwright-core';
import { patience } from '../../support/machine/patience.ts';

const attempts = 6;
const attemptMs = 2_000 * patience;

/**
 * The editor replaces its model some time after a tab was selected, so this repeats until the answer belongs to the
 * tab.
 */
export async function runTab(page: Page, title: string, expected: string): Promise<void> {
  await page.locator('.graphiql-tab').getByRole('button', { name: title }).click();
  const answer = page.locator('.graphiql-response').getByText(expected).first();
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const run = page.getByRole('button', { name: 'Execute query' });
    if (await run.isVisible()) await run.click();
    const isThere = await answer.waitFor({ timeout: attemptMs }).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await page.keyboard.press('Escape');
    // The previous tab's operation may have been a subscription.
    const stop = page.getByRole('button', { name: 'Stop query' });
    if (await stop.isVisible()) await stop.click();
  }
  const said = await page.locator('.graphiql-response').innerText();
  throw new Error(`tab ${title} never answered with ${expected}, but with ${said}`);
}
