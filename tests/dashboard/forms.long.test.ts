// Forms against a whole process, by mouse and keyboard: new objects with parts, faults of the server at their fields, a change over that of
// another person, a deletion, and a secret that is shown once.
// needs: dashboard
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { Administrator } from '../support/product/administrator.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { expectAccessible } from './support/accessible.ts';
import { launchBrowser, login, openPage, until, untilLive, type Watched } from './support/browser.ts';

let system: RunningSystem;
let browser: Browser;
let watched: Watched;
let page: Page;
let origin: string;
let administrator: Administrator;

beforeAll(async () => {
  system = await runningSystem();
  browser = await launchBrowser();
  ({ origin } = new URL(system.url));
  watched = await openPage(browser, origin);
  ({ page } = watched);
  administrator = await Administrator.of(system);
  await login(page, { url: origin }, { user: administrator }, '/loadbalancer');
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

/** As an operator, unless there is another token. */
const ask = <Data>(query: string, variables: object = {}, token = system.token) =>
  administrator.ask<Data>(query, variables, token);
const change = (mutation: string, input: object) => administrator.change(mutation, input);

async function open(address: string): Promise<void> {
  await page.goto(`${origin}${address}`);
  await untilLive(page);
}

const field = (within: Page | Locator, name: string) => within.getByLabel(new RegExp(`^${name}( required)?$`)).first();
const part = (within: Page | Locator, name: string) => within.getByRole('group', { name, exact: true });

async function pick(within: Page | Locator, label: string, text: string): Promise<void> {
  const input = field(within, label);
  await input.focus();
  await input.pressSequentially(text);
  await page.locator('.picker').getByRole('option', { name: text }).first().waitFor();
  await input.press('Enter');
  await page.locator('.picked').getByText(text).first().waitFor();
}

/** A refusal ends the wait: it says why. */
async function created(what: string): Promise<void> {
  const done = page.getByText(`The ${what} is created.`);
  await done.or(page.locator('.failures, .kind-form > .warning')).first().waitFor();
  if (await done.isVisible()) return;
  throw new Error((await page.locator('.failures, .fault').allTextContents()).join('; '));
}

test('the only project is filled in; among several one is chosen, or an administrator chooses the installation', async () => {
  await open('/form?new=GslbPool');
  await page.locator('.picked').getByText('default', { exact: true }).waitFor();
  await open('/form?new=AlertRule');
  expect(await page.locator('.picked').count()).toBe(0);
  await change('projectCreate', { name: 'second' });
  await open('/form?new=GslbPool');
  expect(await page.getByRole('tabpanel').textContent()).toContain('tidegate gslb-pools create NAME');
  await page.getByRole('button', { name: 'Copy, incomplete: CLI' }).waitFor();
  await field(page, 'Name').fill('chosen');
  await page.getByRole('button', { name: 'Create a GSLB pool' }).click();
  await page
    .locator('.form-field', { has: field(page, 'Project') })
    .getByText('Required.')
    .waitFor();
  await pick(page, 'Project', 'second');
  await page.getByRole('button', { name: 'Copy CLI', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Create a GSLB pool' }).click();
  await created('GSLB pool chosen');
  const { gslbPools } = await ask<{ gslbPools: { nodes: { id: string; project: object }[] } }>(
    '{ gslbPools { nodes { id project { name } } } }',
    {},
    administrator.token,
  );
  expect(gslbPools.nodes).toMatchObject([{ project: { name: 'second' } }]);
  await change('gslbPoolDelete', { id: gslbPools.nodes[0]?.id });
  await open('/form?new=AlertRule');
  await pick(page, 'Project', 'the whole installation');
});

test('a load balancer with a listener, a pool and a member; a fault of the server is at its field', async () => {
  await open('/loadbalancer');
  await page.locator('.panel-balancers').getByRole('link', { name: 'Create' }).click();
  await page.getByRole('heading', { name: 'Create a load balancer' }).waitFor();
  await pick(page, 'Project', 'default');
  await field(page, 'Name').fill('web');
  const listener = part(page, 'listener 1');
  const pool = part(listener, 'pool 1');
  const member = part(pool, 'member 1');
  await field(member, 'Host').fill('300.1.1.1');
  await field(member, 'Port').fill('http');
  await pool.locator('summary', { hasText: 'Balancing' }).click();
  await field(pool, 'Name').fill('shop');
  // By keyboard: a fault of the form first, and the field has the focus.
  await field(listener, 'Port').first().press('Enter');
  await member.getByText('Write a number.').waitFor();
  await until(page, `document.activeElement.id.endsWith('pools-0-members-0-port')`);
  await field(member, 'Port').fill('8080');
  await field(member, 'Port').press('Enter');
  await member.locator('.fault').getByText('300.1.1.1').waitFor();
  expect(await field(member, 'Host').getAttribute('aria-invalid')).toBe('true');
  await field(member, 'Host').fill('192.0.2.10');
  const text = page.getByRole('tabpanel');
  await page.getByRole('tab', { name: 'YAML' }).click();
  expect(await text.textContent()).toContain('host: "192.0.2.10"');
  await page.getByRole('tab', { name: 'YAML' }).press('ArrowRight');
  expect(await text.textContent()).toContain('mutation LoadBalancerCreate');
  await page.getByRole('button', { name: 'Create a load balancer' }).dblclick();
  await created('load balancer web');
  const { loadBalancers } = await ask<{
    loadBalancers: { nodes: { name: string; pools: object[]; listeners: object[] }[] };
  }>('{ loadBalancers { nodes { name pools { name } listeners { port defaultPool { name } } } } }');
  const listeners = [{ port: 80, defaultPool: { name: 'shop' } }];
  expect(loadBalancers.nodes).toMatchObject([{ name: 'web', pools: [{ name: 'shop' }], listeners }]);
});

test('a part is created in its parent, with what it would do', async () => {
  await page.getByRole('link', { name: 'Create a pool for it' }).click();
  await page.locator('.picked').getByText('web').waitFor();
  await field(page, 'Name').fill('spare');
  await field(page, 'Member protocol').selectOption('HTTP');
  await page.locator('.form-preview').getByText('HAProxy').waitFor();
  await page.getByRole('button', { name: 'Create a pool' }).click();
  await created('pool spare');
  await page.getByRole('link', { name: 'Create a member for it' }).click();
  await field(page, 'Host').fill('192.0.2.11');
  await field(page, 'Port').fill('80');
  await page.getByRole('button', { name: 'Create a member' }).click();
  await created('member 192.0.2.11:80');
});

test('the history says who changed what; a way back is filled in, and saved like any other change', async () => {
  const balancer = async () => {
    const text = '{ loadBalancers { nodes { id description maxNodes } } }';
    const { nodes } = (await ask<{ loadBalancers: { nodes: { id: string; maxNodes: number }[] } }>(text)).loadBalancers;
    return nodes[0] ?? { id: '', maxNodes: 0 };
  };
  const { id, maxNodes } = await balancer();
  await change('loadBalancerUpdate', { id, description: 'larger', maxNodes: maxNodes + 3 });
  await open('/loadbalancer');
  await page.locator('.rows-balancers .row').click();
  await page.getByRole('link', { name: 'History', exact: true }).click();
  const items = page.locator('.panel-history li');
  const larger = items.filter({ hasText: `Max nodes: ${maxNodes} → ${maxNodes + 3}` });
  await larger.getByText('admin', { exact: true }).waitFor();
  await items.filter({ hasText: 'created' }).first().waitFor();
  await larger.getByRole('link', { name: /^Take it back/ }).click();
  await page.getByText('are filled in. Save to go back to them.').waitFor();
  expect(await field(page, 'Max nodes').inputValue()).toBe(String(maxNodes));
  expect(await field(page, 'Description').inputValue()).toBe('');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  expect(await balancer()).toMatchObject({ maxNodes, description: '' });
  await items.filter({ hasText: `Max nodes: ${maxNodes + 3} → ${maxNodes}` }).waitFor();
  await larger.getByRole('link', { name: 'Go back to this' }).click();
  await page.getByText('The values of').waitFor();
  expect(await field(page, 'Max nodes').inputValue()).toBe(String(maxNodes + 3));
});

test('settings are compared with those of an earlier time, field by field, and go back to them with a preview', async () => {
  const text = '{ loadBalancers { nodes { id maxNodes } } }';
  const [balancer] = (await ask<{ loadBalancers: { nodes: { id: string; maxNodes: number }[] } }>(text)).loadBalancers
    .nodes;
  const { id, maxNodes } = balancer ?? { id: '', maxNodes: 0 };
  const before = new Date();
  await change('loadBalancerUpdate', { id, maxNodes: maxNodes + 1 });
  await change('loadBalancerUpdate', { id, maxNodes: maxNodes + 2 });
  await open(`/form?${new URLSearchParams({ edit: 'LoadBalancer', id })}`);
  const compare = part(page, 'Compare with an earlier time');
  await compare.getByRole('button', { name: 'Yesterday' }).click();
  await compare.getByText('created since').first().waitFor();
  await page.clock.setFixedTime(before.getTime() + 3_600_000);
  await compare.getByRole('button', { name: 'An hour ago' }).click();
  await page.clock.setSystemTime(Date.now());
  await compare.getByText(`Max nodes: ${maxNodes} → ${maxNodes + 2}`).waitFor();
  expect(await compare.getByText('→').count()).toBe(1);
  await expectAccessible(page, 'a comparison');
  await compare.getByRole('link', { name: 'Go back to this' }).click();
  await page.getByText('The values from before the change of').waitFor();
  expect(await field(page, 'Max nodes').inputValue()).toBe(String(maxNodes));
  await page.locator('.form-preview').getByText('HAProxy').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
});

test('a change sends what was changed, a conflict shows three values and is settled, and a deletion asks once', async () => {
  await open('/loadbalancer');
  await page.locator('.rows-balancers .row').click();
  await page.getByRole('link', { name: 'Change or delete', exact: true }).click();
  const description = field(page, 'Description');
  await page.getByText('Nothing is changed yet.').waitFor();
  await description.fill('the shop');
  const {
    loadBalancers: {
      nodes: [found],
    },
  } = await ask<{ loadBalancers: { nodes: { id: string }[] } }>('{ loadBalancers { nodes { id } } }');
  await ask(
    'mutation ($input: LoadBalancerUpdateInput!) { loadBalancerUpdate(input: $input) { userErrors { code } } }',
    {
      input: { id: found?.id, tags: ['by-others'], description: 'theirs' },
    },
  );
  await page.getByRole('button', { name: 'Save' }).click();
  const conflict = (name: string) => page.getByRole('group', { name: `${name}, changed in the meantime` });
  await conflict('Description').waitFor();
  const facts = async (name: string) => (await conflict(name).locator('dd').allTextContents()).join(' | ');
  expect(await facts('Description')).toBe('not set | theirs | the shop');
  expect(await facts('Tags')).toBe('none | by-others | no change');
  const choice = (name: string, word: string) => conflict(name).getByRole('radio', { name: word });
  expect(await choice('Description', 'Keep mine').isChecked()).toBe(true);
  expect(await choice('Tags', 'Take theirs').isChecked()).toBe(true);
  await choice('Description', 'Take theirs').check();
  expect(await description.inputValue()).toBe('theirs');
  await choice('Description', 'Keep mine').check();
  expect(await description.inputValue()).toBe('the shop');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  expect(await page.locator('.conflict').count()).toBe(0);
  const { loadBalancers } = await ask<{ loadBalancers: { nodes: object[] } }>(
    '{ loadBalancers { nodes { description tags } } }',
  );
  expect(loadBalancers.nodes).toEqual([{ description: 'the shop', tags: ['by-others'] }]);
  await ask(
    'mutation ($input: LoadBalancerUpdateInput!) { loadBalancerUpdate(input: $input) { userErrors { code } } }',
    { input: { id: found?.id, description: 'changed again' } },
  );
  await page.getByText('Delete…').click();
  const end = page.getByRole('button', { name: 'Delete web' });
  expect(await end.isDisabled()).toBe(true);
  await page.getByLabel('Type web to delete it').fill('Web');
  await page.getByText('Type web first.').waitFor();
  await page.getByLabel('Type web to delete it').fill('web');
  await end.click();
  await page.getByText('Not saved: it was changed in the meantime.').waitFor();
  expect(await description.inputValue()).toBe('changed again');
  await page.getByRole('button', { name: 'Delete web' }).click();
  await page.getByText('The load balancer web is deleted.').waitFor();
});

test('a deleted object is created again from its last settings, with its parts, under a new id', async () => {
  await open('/deleted');
  const row = page.locator('.panel-deleted li').filter({ hasText: 'Load balancer web' });
  await row.getByText('deleted by').waitFor();
  // Its parts went with it: only the whole is listed.
  expect(await page.locator('.panel-deleted li b').allTextContents()).toEqual([
    'load balancer web',
    'GSLB pool chosen',
  ]);
  await row.getByRole('link', { name: 'Create again: load balancer web' }).click();
  await page.getByText('The object gets a new id.').waitFor();
  expect(await field(page, 'Name').inputValue()).toBe('web');
  await expectAccessible(page, 'an object that is created again');
  // Its name is free when the deletion is complete.
  await field(page, 'Name').fill('web-again');
  await page.getByRole('button', { name: 'Create a load balancer' }).click();
  await created('load balancer web-again');
  const { loadBalancers } = await ask<{ loadBalancers: { nodes: object[] } }>(
    '{ loadBalancers(names: ["web-again"]) { nodes { description tags pools { name members { nodes { host } } } listeners { port defaultPool { name } } } } }',
  );
  expect(loadBalancers.nodes).toMatchObject([
    {
      ...{ description: 'changed again', tags: ['by-others'] },
      listeners: [{ port: 80, defaultPool: { name: 'shop' } }],
    },
  ]);
  expect(JSON.stringify(loadBalancers.nodes)).toContain('192.0.2.11');
});

test('a pool of names with a monitor and a member, which is changed', async () => {
  await open('/gslb');
  await page.getByRole('link', { name: 'Create monitor', exact: true }).click();
  await pick(page, 'Project', 'default');
  await field(page, 'Name').fill('alive');
  await field(page, 'Check type').selectOption('TCP');
  await page.getByRole('button', { name: 'Create a GSLB monitor' }).click();
  await created('GSLB monitor alive');
  await open('/form?new=GslbPool');
  await pick(page, 'Project', 'default');
  await field(page, 'Name').fill('sites');
  await page.getByRole('button', { name: 'Create a GSLB pool' }).click();
  await created('GSLB pool sites');
  await page.getByRole('link', { name: 'Create a GSLB member for it' }).click();
  await field(page, 'Name').fill('east');
  await field(page, 'Addresses').fill('192.0.2.20');
  await page.getByRole('button', { name: 'Create a GSLB member' }).click();
  await created('GSLB member east');
  const {
    gslbPools: {
      nodes: [made],
    },
  } = await ask<{ gslbPools: { nodes: { id: string; members: { nodes: { id: string }[] } }[] } }>(
    '{ gslbPools { nodes { id members { nodes { id } } } } }',
  );
  await change('dnsZoneCreate', {
    name: 'forms.test',
    rights: [{ suffix: 'forms.test', allows: ['OUTSIDE_PROJECT'] }],
  });
  await change('gslbFlavorCreate', { name: 'usual' });
  const { projects } = await ask<{ projects: { nodes: { id: string }[] } }>('{ projects { nodes { id } } }');
  await change('gslbCreate', { fqdn: 'shop.forms.test', poolIds: [made?.id], projectId: projects.nodes[0]?.id });
  await open(`/form?${new URLSearchParams({ edit: 'GslbPoolMember', id: made?.members.nodes[0]?.id ?? '' })}`);
  await field(page, 'Addresses').fill('192.0.2.21');
  const answers = page.getByRole('region', { name: 'Answer of shop.forms.test' });
  await answers.getByText(/;; after\s+shop\.forms\.test\.\s+\d+\s+IN\s+A\s+192\.0\.2\.21/).waitFor();
  await open('/form?new=GslbPool&do=monitorAttach');
  await pick(page, 'Monitor', 'alive');
  await page.getByLabel('Type', { exact: true }).selectOption('poolId');
  await pick(page, 'Pool', 'sites');
  await page.getByRole('button', { name: 'Monitor attach' }).click();
  await page.getByText('Monitor attach (GSLB pool): done.').waitFor();
  const { gslbPools } = await ask<{ gslbPools: { nodes: object[] } }>(
    '{ gslbPools { nodes { name monitors { name } members { nodes { name addresses } } } } }',
  );
  expect(gslbPools.nodes).toEqual([
    { name: 'sites', monitors: [{ name: 'alive' }], members: { nodes: [{ name: 'east', addresses: ['192.0.2.20'] }] } },
  ]);
});

test('a user, and a token whose secret is shown once', async () => {
  await open('/form?new=User');
  await field(page, 'Name').fill('alice');
  await page.getByRole('tab', { name: 'GraphQL' }).click();
  const key = async () =>
    /"idempotencyKey": "([^"]+)"/.exec((await page.getByRole('tabpanel').textContent()) ?? '')?.[1];
  const before = await key();
  await field(page, 'Password').fill('correct horse battery staple');
  // The server refuses a key that it knows with another input.
  expect([before, await key()]).toEqual([
    expect.stringMatching(/^dashboard-/),
    expect.not.stringContaining(before ?? ''),
  ]);
  expect(await page.getByRole('tabpanel').textContent()).toContain('"$PASSWORD"');
  expect(await page.getByRole('tabpanel').textContent()).not.toContain('horse battery');
  await page.getByRole('button', { name: 'Create a user' }).click();
  await created('user alice');
  await open('/form?new=ApiToken');
  await pick(page, 'Project', 'default');
  await field(page, 'Name').fill('cmp');
  await field(page, 'Role').selectOption('MEMBER');
  await page.getByRole('button', { name: 'Create a token' }).click();
  await created('token cmp');
  const secret = await page.locator('[data-secret="secret"]').textContent();
  expect(secret).toMatch(/^tg_/);
  const answer = await fetch(system.url, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` } },
    body: JSON.stringify({ query: '{ me { name } }' }),
  });
  expect(answer.status).toBe(200);
  expect(watched.errors).toEqual([]);
  expect(watched.foreign).toEqual([]);
});
