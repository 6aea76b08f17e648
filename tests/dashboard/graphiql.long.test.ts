// GraphiQL from the gateway's own origin, under its own Content-Security-Policy.
import { describe, expect, test } from '@jest/globals';
import { login } from './support/browser.ts';
import { runTab } from './support/graphiql.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

describe('GraphiQL', () => {
  test("runs a query and a subscription with the dashboard's login, and contacts no other origin", async () => {
    const { page, world, server, errors, foreign } = suite();
    world.addBackend();
    world.addOperation({
      name: 'rule.create',
      cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
    });
    await login(page, server, world);
    await page.goto(`${server.url}/graphiql`);
    await page.getByRole('tab', { name: 'MainJob1AddressAdd' }).waitFor();
    await page.locator('.graphiql-editor-tool').getByText('graphiql-address-1').waitFor();

    await runTab(page, 'Tenant42', 'rule.create');
    await runTab(page, 'Changes', 'cursor');
    world.addOperation({ name: 'seen-live' });
    await page.locator('.graphiql-response').getByText('seen-live').waitFor();
    await page.getByRole('button', { name: 'Stop query' }).click();

    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
  });

  test('uses an Authorization header from the headers editor for all of its tabs', async () => {
    const { page, world, server } = suite();
    world.addOperation({ name: 'rule.create', cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' } });
    world.accessTokens.add('typed-token');
    await page.goto(`${server.url}/graphiql`);
    await page.getByText('No login in this tab').waitFor();
    await page.locator('.graphiql-editor-tool').getByText('graphiql-address-1').waitFor();
    await page.getByRole('button', { name: 'Headers' }).click();
    await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)').click();
    await page.keyboard.insertText('{ "Authorization": "Bearer typed-token" }');
    await page.locator('.graphiql-editor-tool').getByText('typed-token').waitFor();
    const asked = page.waitForRequest((request) => request.headers().authorization === 'Bearer typed-token');
    await page.getByRole('button', { name: 'Re-fetch GraphQL schema' }).click();
    await asked;
    await runTab(page, 'Tenant42', 'rule.create');
  });
});
