// GraphiQL, light and dark: axe finds nothing serious.
import { expect, test } from '@jest/globals';
import { seriousFaults } from '../support/accessible.ts';
import { describePages } from '../support/page-suite.ts';

const suite = describePages();

test.each(['light', 'dark'] as const)('GraphiQL, %s', async (colorScheme) => {
  const { page, server, open } = suite();
  await open();
  await page.emulateMedia({ colorScheme });
  await page.goto(`${server.url}/graphiql`);
  await page.locator('.graphiql-tab').getByRole('button', { name: 'MainJob1AddressAdd' }).waitFor();
  await page.locator('.graphiql-editor-tool').getByText('graphiql-address-1').waitFor();
  expect(await seriousFaults(page)).toEqual([]);
});
