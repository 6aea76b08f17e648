// GraphiQL from the gateway's own origin, under its own Content-Security-Policy.
import { describe, expect, test } from '@jest/globals';
import type { Route } from 'playwright-core';
import { runTab } from './support/graphiql.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

describe('GraphiQL', () => {
  test("runs a query and a subscription with the dashboard's login, and contacts no other origin", async () => {
    const { page, world, server, open } = suite();
    world.addBackend();
    world.addOperation({
      name: 'rule.create',
      cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
    });
    await open();
    await page.goto(`${server.url}/graphiql`);
    await page.locator('.graphiql-tab').getByRole('button', { name: 'MainJob1AddressAdd' }).waitFor();
    await page.locator('.graphiql-editor-tool').getByText('graphiql-address-1').waitFor();

    await runTab(page, 'Tenant42', 'rule.create');
    await runTab(page, 'Changes', 'cursor');
    world.addOperation({ name: 'seen-live' });
    await page.locator('.graphiql-response').getByText('seen-live').waitFor();
    await page.getByRole('button', { name: 'Stop query' }).click();
  });

  test('uses an Authorization header from the headers editor for all of its tabs', async () => {
    const { page, world, server } = suite();
    world.addOperation({ name: 'rule.create', cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' } });
    world.accessTokens.add('typed-token');
    await page.goto(`${server.url}/graphiql`);
    await page.getByText('Not logged in').waitFor();
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

  test('logs in by itself in any tab, opens the example named in the address, and finds no fault in JSON', async () => {
    const { server, context, open } = suite();
    await open();
    const other = await context.newPage();
    await other.goto(`${server.url}/graphiql#example=load-balancer`);
    await other.getByText("Requests carry the dashboard's login").waitFor();
    await other
      .locator('.graphiql-tab[aria-current="true"]')
      .getByRole('button', { name: 'WebLoadBalancer' })
      .waitFor();
    for (const title of ['MainJob1AddressAdd', 'BackendRegister', 'GlobalName', 'ContainerMake', 'DatabaseHosts'])
      await other.locator('.graphiql-tab').getByRole('button', { name: title }).waitFor();
    await other.locator('.graphiql-tab').getByRole('button', { name: 'AnyCall' }).click();
    const variables = other.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)');
    await variables.getByText('tenant-42').waitFor();
    // It finds a real fault, so the check has run.
    await variables.click();
    await other.keyboard.press('Control+End');
    await other.keyboard.insertText(' x');
    await variables.locator('.squiggly-error').first().waitFor();
    await other.keyboard.press('Backspace');
    await variables.locator('.squiggly-error').first().waitFor({ state: 'detached' });
  });

  test('explains why a subscription has ended', async () => {
    const { page, world, server, open } = suite();
    world.addOperation();
    await open();
    await page.goto(`${server.url}/graphiql`);
    await page.locator('.graphiql-editor-tool').getByText('graphiql-address-1').waitFor();
    await runTab(page, 'Changes', 'cursor');
    server.closeExpired();
    await page.locator('.graphiql-response').getByText('The access token of this subscription has expired').waitFor();
  });

  test('explains the latest request, whichever answer comes first', async () => {
    const { page, server, open } = suite();
    await open();
    let hold = (_route: Route): void => undefined;
    const held = new Promise<Route>((resolve) => {
      hold = resolve;
    });
    const answer = (hash: string) => ({
      json: { data: { operation: { hash, isPublished: false }, limits: [], refusal: null, plan: null } },
    });
    let count = 0;
    await page.route('**/graphql/explain', async (route) => {
      count += 1;
      if (count === 1) hold(route);
      else await route.fulfill(answer('of-the-second'));
    });
    await page.goto(`${server.url}/graphiql`);
    await page.locator('.graphiql-editor-tool').getByText('graphiql-address-1').waitFor();
    await page.getByRole('button', { name: 'Show Explain' }).click();
    const panel = page.getByRole('region', { name: 'Explain' });
    const ask = panel.getByRole('button', { name: 'Explain' });
    await ask.click();
    const first = await held;
    await ask.click();
    await panel.getByText('of-the-second').waitFor();
    const late = page.waitForResponse('**/graphql/explain');
    await first.fulfill(answer('of-the-first'));
    await (await late).finished();
    // After two frames everything is drawn.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    expect(await panel.innerText()).toContain('of-the-second');
    expect(await panel.innerText()).not.toContain('of-the-first');
  });
});
