// The pages of people, the audit trail and alerts in a real browser. The server filters and counts, each action has one
// confirmation, and a browser with permission shows each alert once.
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { login, until, untilLive } from './support/browser.ts';
import { fatesOf, held } from './support/fates.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

test('users, projects and tokens: counted by the server, with more on request; a token is revoked after a question', async () => {
  const { page, world, open } = suite();
  for (let number = 1; number <= 70; number += 1) world.people.addUser(`user-${number}`);
  world.people.addToken('cmp');
  await open('/people');
  const users = page.locator('[data-list="users"]');
  await page.locator('.panel-users .summary').getByText('50 of 70').waitFor();
  await users.getByRole('button', { name: 'More' }).click();
  await users.getByRole('link', { name: 'user-70', exact: true }).waitFor();
  await page.getByLabel('Filter', { exact: true }).fill('user-7');
  await page.locator('.panel-users .summary').getByText('2', { exact: true }).waitFor();
  await users.getByRole('link', { name: 'user-70', exact: true }).click();
  const drawer = page.locator('.drawer');
  await drawer.getByRole('region', { name: 'Memberships' }).getByLabel('Role of user-70 in acme').waitFor();
  await drawer.getByRole('heading', { name: 'API tokens of this user' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByLabel('Filter', { exact: true }).fill('');
  const tokens = page.locator('[data-list="tokens"]');
  await tokens.getByText(/last used 2 min ago/).waitFor();
  await tokens.getByRole('button', { name: 'Revoke… cmp' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  expect(world.mutations).toMatchObject([{ name: 'apiTokenRevoke', input: { id: 't1' } }]);
  await page.locator('[data-list="projects"]').getByRole('link', { name: 'acme', exact: true }).click();
  await drawer.getByText('10 / 10').waitFor();
  await drawer.getByRole('link', { name: 'user-1', exact: true }).waitFor();
});

test('a new user gets a project, a role and a password in one step, and the row has its role', async () => {
  const { page, world, open } = suite();
  await open('/people');
  await page.getByText('New user in a project…').click();
  const form = page.locator('.new-user');
  await form.getByLabel('Name').fill('carol');
  await form.getByLabel('Role').selectOption('OPERATOR');
  await form.getByRole('button', { name: 'Create user' }).click();
  await form.getByText('carol is a member of acme, as operator.', { exact: false }).waitFor();
  const shown = await form.locator('[data-secret="password"]').innerText();
  expect(shown).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
  await form.getByRole('button', { name: 'Copy the password' }).waitFor();
  await page.getByLabel('Role of carol in acme').selectOption('VIEWER');
  await until(page, 'document.querySelector(".new-user") !== null');
  await waitFor('the role', () => world.mutations.length === 3);
  expect(world.mutations).toMatchObject([
    { name: 'userCreate', input: { name: 'carol', password: shown } },
    { name: 'membershipSet', input: { projectId: 'p1', userId: 'u1', role: 'OPERATOR' } },
    { name: 'membershipSet', input: { projectId: 'p1', userId: 'u1', role: 'VIEWER' } },
  ]);
});

test("the viewer's own sessions: all but this one are ended after a question", async () => {
  const { page, world, open } = suite();
  await open('/people');
  const sessions = page.locator('.panel-sessions');
  await sessions.locator('li').nth(1).waitFor();
  expect(await sessions.getByText('this one').count()).toBe(1);
  await sessions.getByRole('button', { name: 'End the others…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End the others', exact: true }).click();
  await sessions.locator('li').nth(1).waitFor({ state: 'detached' });
  await sessions.getByText('this one').waitFor();
  expect(world.otherSessions).toEqual([]);
  expect(await sessions.getByRole('button').count()).toBe(0);
});

test('the audit trail: the filters are in the address, and the server applies them', async () => {
  const { page, world, open } = suite();
  world.people.addEntry('backendCreate', { details: { cmpObject: { type: 'tenant', externalId: '42' } } });
  await open('/audit?who=ali&result=refused&from=2026-01-01T00:00:00.000Z');
  await page.locator('[data-action="backendCreate"]').waitFor();
  expect(world.people.auditReads.at(-1)).toMatchObject({
    ...{ actorName: 'ali', outcomes: ['REFUSED'], recordedFrom: '2026-01-01T00:00:00.000Z' },
  });
  await page.getByRole('link', { name: 'tenant/42' }).waitFor();
  await page.getByRole('button', { name: 'Details' }).click();
  await page.getByRole('button', { name: 'request-1' }).click();
  await until(page, 'location.search.includes("request=request-1")');
  await page.getByLabel('Who').fill('alice');
  await until(page, 'location.search.includes("who=alice")');
  await page.waitForTimeout(400);
  expect(world.people.auditReads.at(-1)).toMatchObject({ actorName: 'alice', requestId: 'request-1' });
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await until(page, 'location.search === ""');
  await page.getByRole('link', { name: 'backend fw-1', exact: true }).click();
  await until(page, 'location.pathname === "/backend"');
});

test('the audit trail: an entry is a sentence in one line, with names and the values before and after', async () => {
  const { page, world, open } = suite();
  await page.setViewportSize({ width: 1440, height: 900 });
  world.people.fill('web');
  const gone = { subject: null, subjectId: 'G1', outcome: 'REFUSED', code: 'STALE_VERSION', details: { name: 'old' } };
  world.people.addEntry('poolMemberUpdate', gone);
  await open('/audit');
  const said = page.locator('[data-list="entries"] .said');
  const sentences = [
    'alice could not change pool member old (deleted)',
    'alice could not create API token',
    'alice created backend fw-1 for tenant/42',
    'alice changed load balancer web: max nodes 2 → 5',
  ];
  await said.nth(sentences.length - 1).waitFor();
  expect(await said.allInnerTexts()).toEqual(sentences);
  await page.getByText('refused: stale version').waitFor();
  const heights = await page.evaluate<number[]>(
    '[...document.querySelectorAll(`[data-list="entries"] li`)].map((row) => row.getBoundingClientRect().height)',
  );
  expect(Math.max(...heights)).toBeLessThanOrEqual(29);
});

test('the audit trail: the entries of an object are found by its name, also of one that is gone', async () => {
  const { page, world, open } = suite();
  world.addBackend({ name: 'fw-1' });
  world.people.addEntry('backendCreate', {});
  await open('/audit');
  const object = page.getByLabel('Object');
  await object.fill('fw-1');
  await until(page, 'location.search.includes("subject=b1")');
  await object.blur();
  expect(await object.inputValue()).toBe('fw-1');
  await object.fill('web');
  await until(page, 'location.search.includes("subject=LB1")');
  await object.fill('');
  await until(page, 'location.search === ""');
});

test('the audit trail: log-ins are hidden by default, and the last day and week are one click away', async () => {
  const { page, world, open } = suite();
  world.people.addEntry('backendCreate', {});
  await open('/audit');
  await page.locator('[data-action="backendCreate"]').waitFor();
  expect(world.people.auditReads.at(-1)).toMatchObject({
    exceptActions: ['login', 'logout', 'sessionRefresh', 'sessionStart'],
  });
  const fromMs = async (button: string, days: number) => {
    const beforeMs = Date.now();
    await page.getByRole('button', { name: button }).click();
    await until(page, 'location.search.includes("from=")');
    const from = Date.parse(new URL(page.url()).searchParams.get('from') ?? '');
    expect(from).toBeGreaterThanOrEqual(beforeMs - days * 86_400_000);
    expect(from).toBeLessThanOrEqual(Date.now() - days * 86_400_000);
  };
  await fromMs('Last 24 h', 1);
  await fromMs('Last 7 d', 7);
  await page.getByLabel('Log-ins').check();
  await until(page, 'location.search.includes("logins=shown")');
  await page.waitForTimeout(400);
  expect(world.people.auditReads.at(-1)?.exceptActions ?? null).toBeNull();
});

test('the audit trail: a time stays as entered, also in a half-typed year', async () => {
  const { page, world, server } = suite();
  const context = await page.context().browser()?.newContext({ timezoneId: 'Europe/Berlin' });
  const abroad = await context?.newPage();
  if (abroad === undefined) throw new Error('there is no browser');
  await login(abroad, server, world, '/audit?from=2026-07-01T08:00:00.000Z');
  const from = abroad.getByLabel(/^From/);
  expect(await from.inputValue()).toBe('2026-07-01T10:00');
  await from.fill('0002-07-01T10:00');
  await until(abroad, 'location.search.includes("from=0002")');
  expect(await from.inputValue()).toBe('0002-07-01T10:00');
  await from.fill('2025-12-01T10:00');
  await until(abroad, `new URLSearchParams(location.search).get('from') === '2025-12-01T09:00:00.000Z'`);
  expect(await from.getAttribute('max')).toBe('9999-12-31T23:59');
  await context?.close();
});

test('alerts: acknowledged and ended after a question; the drawer shows the reason', async () => {
  const { page, world, open } = suite();
  world.addBackend();
  world.people.fill('ops');
  await open('/alerts');
  const firing = page.locator('[data-list="alerts"]');
  await firing.getByRole('link', { name: 'ops' }).waitFor();
  await until(page, 'document.title === "(1 alert firing) Alerts · Tidegate"');
  await firing.getByRole('button', { name: 'Acknowledge… ops' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await firing.getByRole('button', { name: 'End… ops' }).click();
  await page.getByRole('dialog').getByText('It fires again if its condition is reported again').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.locator('[data-list="channels"]').getByText('mon, tue 22:00–06:00 (Europe/Berlin)').waitFor();
  await firing.getByRole('link', { name: 'Why' }).click();
  await page.locator('.drawer').getByRole('heading', { name: 'History' }).waitFor();
  expect(world.mutations.map(({ name }) => name)).toEqual(['alertAcknowledge']);
});

test('alerts: rules and a channel from a template, with a test before anything is saved', async () => {
  const { page, world, open } = suite();
  await open('/alerts');
  const form = page.locator('.alert-setup');
  await form.getByText('When a load balancer is degraded or down; or when a GSLB name', { exact: false }).waitFor();
  await form.getByLabel('URL').fill('https://hooks.example.com/x');
  await form.getByRole('button', { name: 'Send a test' }).click();
  await form.getByText('Delivered.').waitFor();
  const target = { slack: { url: 'https://hooks.example.com/x' } };
  expect(world.mutations).toMatchObject([{ name: 'alertTargetTest', input: { projectId: null, target } }]);
  await form.getByRole('button', { name: 'Create' }).click();
  await form.getByText('6 rules are created.').waitFor();
  const made = world.mutations.slice(1).map(({ name, input }) => [name, input.condition ?? input.name]);
  expect(made).toEqual([
    ['alertChannelCreate', 'ops'],
    ['alertRuleCreate', 'LOAD_BALANCER_DEGRADED'],
    ['alertRuleCreate', 'NAME_DEGRADED'],
    ['alertRuleCreate', 'BACKEND_OFFLINE'],
    ['alertRuleCreate', 'MACHINE_ABSENT'],
    ['alertRuleCreate', 'DNS_SERVER_FAILING'],
    ['alertRuleCreate', 'DATABASE_ONE_COPY'],
  ]);
  await page.locator('[data-rule="machines-down"]').getByText('when a machine does not report').waitFor();
});

/** Chromium without a screen shows no notifications, so the page's own are recorded. */
const noted = `(() => {
  const told = [];
  globalThis.told = told;
  globalThis.asked = 0;
  class Noted {
    static permission = location.protocol === 'http:' ? (localStorage.getItem('test.permission') ?? 'default') : 'default';
    static async requestPermission() {
      globalThis.asked += 1;
      localStorage.setItem('test.permission', 'granted');
      return (Noted.permission = 'granted');
    }
    constructor(title, { body }) { told.push(title + ' / ' + body); }
    close() {}
  }
  Object.defineProperty(globalThis, 'Notification', { value: Noted });
})()`;

test('alerts in this browser: they arrive although a download of page code was aborted once', async () => {
  const { page, context, world, open } = suite();
  await context.addInitScript(noted);
  await page.route('**/assets/browser-alerts-*.js', (route) => route.abort('connectionaborted'));
  await open('/alerts');
  await page.getByLabel('Tell me in this browser').check();
  await until(page, 'localStorage.getItem("tidegate.browser-alerts.place") !== null');
  const alert = world.people.addAlert({ subjectName: 'fw-1' });
  world.tell({ ...alert, __typename: 'Alert', version: 1 }, 'alert.state', 'FIRING', 'it does not answer');
  await until(page, 'globalThis.told.length === 1');
});

test('alerts: another channel is opened without the contents of the former one', async () => {
  const { page, world, open } = suite();
  world.people.fill('ops');
  const [first] = world.people.channels;
  if (first === undefined) throw new Error('there is a channel');
  world.people.channels.push({ ...first, id: 'ch2', name: 'night' });
  // The answer for the second channel never arrives.
  await fatesOf(page, ({ operation, variables }) =>
    operation === 'AlertsDeliveries' && variables.id === 'ch2' ? held().until : undefined,
  );
  await open('/alerts?channel=ch1');
  const drawer = page.locator('.drawer');
  await drawer.getByRole('button', { name: 'Send a test… ops' }).waitFor();
  await page.locator('[data-list="channels"]').getByRole('link', { name: 'night' }).click();
  await until(page, 'location.search === "?channel=ch2"');
  await drawer.getByRole('heading', { name: 'Channel', exact: true }).waitFor();
  expect(await drawer.getByRole('button', { name: 'Send a test… ops' }).count()).toBe(0);
});

const toldIn = (page: Page): Promise<string[]> => page.evaluate<string[]>('globalThis.told');

test('alerts in this browser: permission is requested on a click, and each alert is shown once across tabs', async () => {
  const { page, context, world, server, open } = suite();
  await context.addInitScript(noted);
  await open('/alerts');
  expect(await page.evaluate('globalThis.asked')).toBe(0);
  await page.getByText('while a Tidegate tab is open').waitFor();
  await page.getByLabel('Tell me in this browser').check();
  expect(await page.evaluate('globalThis.asked')).toBe(1);
  const other = await context.newPage();
  await other.goto(`${server.url}/relay`);
  await untilLive(other);
  await until(page, 'localStorage.getItem("tidegate.browser-alerts.place") !== null');
  const fire = (name: string) => {
    const alert = world.people.addAlert({ subjectName: name, severity: 'CRITICAL' });
    world.tell({ ...alert, __typename: 'Alert', version: 1 }, 'alert.state', 'FIRING', 'it does not answer');
  };
  fire('fw-1');
  await until(page, 'globalThis.told.length === 1');
  expect(await toldIn(page)).toEqual(['Critical: fw-1 / backend offline: it does not answer']);
  expect(await toldIn(other)).toEqual([]);
  // The tab that shows alerts is closed, and the other one continues.
  await page.close();
  fire('fw-2');
  await until(other, 'globalThis.told.length === 1');
  expect(await toldIn(other)).toEqual(['Critical: fw-2 / backend offline: it does not answer']);
});
