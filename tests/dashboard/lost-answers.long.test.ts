// Answers that are lost, late, or outdated on arrival. The page asks again by itself, keeps a user's entries, and never
// confuses two objects.
import { expect, test } from '@jest/globals';
import { until } from './support/browser.ts';
import { now } from './support/fake-values.ts';
import { fatesOf, held } from './support/fates.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages(/net::ERR_CONNECTION_ABORTED/);

const channel = {
  ...{ __typename: 'AlertChannel', id: 'ch1', version: 1, name: 'ops', channelKind: 'WEBHOOK', enabled: true },
  ...{ project: { __typename: 'Project', id: 'p1', name: 'acme' }, destination: 'hooks.example.net', recipients: [] },
  ...{ sender: null, mailSecurity: null, userName: null, caCertificates: null, quietTimes: [], timeZone: 'UTC' },
  ...{ groupMs: 10_000, failingSince: null, givenUpCount: 0, createdAt: '2026-01-01T00:00:00.000Z' },
  updatedAt: '2026-01-01T00:00:00.000Z',
};

test("an object's form loads although its first answers are lost, and keeps a secret while it can't be read again", async () => {
  const { page, open } = suite();
  let isLost = true;
  await fatesOf(page, ({ operation, before }) => {
    if (operation === 'AlertChannelOne') return before < 2 || (before > 2 && isLost) ? 'lost' : { found: channel };
    if (operation !== 'AlertChannelUpdate') return undefined;
    return { done: { made: channel, secret: 'shown-once', commit: null, userErrors: [] } };
  });
  await open('/form?edit=AlertChannel&id=ch1');
  await page.getByRole('heading', { name: /ops/ }).waitFor();
  await page.getByLabel('Time zone', { exact: true }).fill('Europe/Berlin');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The server does not answer.').first().waitFor();
  expect(await page.locator('[data-secret]').textContent()).toBe('shown-once');
  await page.getByText('Saved.').waitFor();
  isLost = false;
  await page.getByText('The server does not answer.').waitFor({ state: 'detached' });
  // Another change is entered before the secret is copied.
  await page.getByLabel('Time zone', { exact: true }).fill('Europe/Paris');
  await page.getByText('Saved.').waitFor({ state: 'detached' });
  expect(await page.locator('[data-secret]').textContent()).toBe('shown-once');
});

test('an earlier success is not shown again when the action is refused the next time', async () => {
  const { page, open } = suite();
  const refusal = {
    code: 'RATE_LIMITED',
    message: 'Too many tests.',
    field: [],
    retry: 'SAME_KEY',
    retryAfterMs: null,
  };
  await fatesOf(page, ({ operation, before }) => {
    if (operation === 'AlertChannelOne') return { found: channel };
    if (operation !== 'AlertChannelTest') return undefined;
    return { done: { made: channel, commit: null, userErrors: before === 0 ? [] : [refusal] } };
  });
  await open('/form?edit=AlertChannel&id=ch1');
  await page.getByText('Test…').click();
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.getByText('Done.', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.getByText('Too many tests.').waitFor();
  expect(await page.getByText('Done.', { exact: true }).count()).toBe(0);
});

test('a page opened in the background loads when it becomes visible, and again if the answer is lost', async () => {
  const { page, context, open } = suite();
  await context.addInitScript(`
    globalThis.seen = false;
    Object.defineProperty(document, 'visibilityState', { get: () => (globalThis.seen ? 'visible' : 'hidden') });
  `);
  const asked = await fatesOf(page, ({ operation, before }) =>
    operation === 'RegisterDrivers' && before === 0 ? 'lost' : undefined,
  );
  await open('/register');
  await page.locator('.skeleton').waitFor();
  expect(asked('RegisterDrivers')).toBe(0);
  await page.evaluate(`globalThis.seen = true; document.dispatchEvent(new Event('visibilitychange'));`);
  await page.getByLabel('Host name or address').waitFor();
  expect(asked('RegisterDrivers')).toBeGreaterThan(1);
});

test('a drawer loads its details again, and a backend missing from the list is not called deleted', async () => {
  const { page, world, server, open } = suite();
  world.addBackend({ name: 'edge-1' });
  const operation = world.addOperation({ name: 'rule.create', state: 'SUCCEEDED' });
  await fatesOf(page, ({ operation: name, before }) => {
    if (name === 'RelayBackends') return { backends: { nodes: [], pageInfo: { hasNextPage: true, endCursor: 'c' } } };
    return (name === 'RelayOperation' || name === 'RelayBackend') && before < 2 ? 'lost' : undefined;
  });
  await open(`/relay?operation=${operation.id}`);
  const drawer = page.locator('.drawer');
  await drawer.getByRole('heading', { name: 'Arguments' }).waitFor();
  await page.goto(`${server.url}/relay?show=b1`);
  await drawer.getByRole('heading', { name: /edge-1/ }).waitFor();
  await drawer.getByText('one at a time on one object').waitFor();
});

test('the start page shows the hosts although the query whether there are any was lost', async () => {
  const { page, world, open } = suite();
  world.hosts.begin();
  await fatesOf(page, ({ operation, before }) => (operation === 'HostsPresence' && before < 2 ? 'lost' : undefined));
  await open('/');
  await page.locator('[data-domain="hosts"]').waitFor();
});

test('stopped healing is shown although the query was lost', async () => {
  const { page, open } = suite();
  const stopped = { changedAt: now(-60_000), to: 'STOPPED', reason: '5 of 8 nodes are down.' };
  await fatesOf(page, ({ operation, before }) => {
    if (operation !== 'LoadbalancerBreaker') return undefined;
    return before < 1 ? 'lost' : { statusHistory: { nodes: [stopped] } };
  });
  await open('/loadbalancer');
  await page.getByRole('alert', { name: 'Healing has stopped' }).getByText('5 of 8 nodes are down.').waitFor();
});

test('Enter selects no object without the typed text', async () => {
  const { page, world, open } = suite();
  for (const name of ['alice', 'bob']) world.people.addUser(name);
  for (const name of ['edge-1', 'core-1']) world.addBackend({ name });
  const late = held();
  await fatesOf(page, ({ variables }) => {
    const { text } = variables;
    return text === 'bob' || text === 'core' ? late.until : undefined;
  });
  await open('/form?new=Membership');
  const user = page.getByRole('combobox', { name: 'User' });
  await user.focus();
  await page.getByRole('option', { name: 'alice' }).waitFor();
  await user.fill('bob');
  await user.press('Enter');
  await page.locator('.picked').getByText('bob').waitFor();
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: 'Search everything' });
  await box.fill('edge');
  await page.getByRole('option', { name: 'edge-1' }).waitFor();
  await box.fill('core');
  await box.press('Enter');
  await page.getByText('Searching…').waitFor();
  late.release();
  await page.getByRole('option', { name: 'core-1' }).waitFor();
  await box.press('Enter');
  await until(page, "location.search === '?show=b2'");
});

test('an open question does not turn into its opposite when someone else is faster', async () => {
  const { page, world, open } = suite();
  world.hosts.begin();
  await open('/hosts');
  await page.getByRole('button', { name: 'Pause…' }).click();
  await page.getByRole('dialog').getByText('Pause automatic failover?').waitFor();
  world.hosts.status = { ...world.hosts.status, paused: true };
  await page.getByText('automatic failover is paused').waitFor();
  await page.getByRole('button', { name: 'Resume…' }).waitFor();
  expect(await page.locator('dialog[open]').count()).toBe(0);
});

test('a call is carried out once, until another one is prepared', async () => {
  const { page, world, open } = suite();
  world.addBackend();
  const operation = { id: 'op1', state: 'SUCCEEDED', deviceError: null };
  const asked = await fatesOf(page, ({ operation: name }) =>
    name === 'RelayCall' ? { done: { operation, wireCall: null, deviceCheck: null, userErrors: [] } } : undefined,
  );
  await open('/form?call=relayCall&backend=b1&operation=set.create&arguments={}');
  const field = page.getByLabel(/^Operation/).first();
  const outcome = page.getByText('The call is succeeded');
  await field.press('Enter');
  await outcome.waitFor();
  await field.press('Enter');
  await page.getByRole('button', { name: 'Prepare another call' }).click();
  await outcome.waitFor({ state: 'detached' });
  expect(asked('RelayCall')).toBe(1);
  await field.press('Enter');
  await outcome.waitFor();
  expect(asked('RelayCall')).toBe(2);
});

test('a registration that ends after another device was selected is not attributed to that device', async () => {
  const { page, world, open } = suite();
  for (const name of ['first', 'second']) world.addBackend({ name });
  const late = held();
  const proof = {
    ...{ presented: { kind: 'HOST_KEY', sha256: 'SHA256:abc', hex: 'ab:c' }, keyAlgorithm: null, subject: null },
    ...{ issuer: null, validUntil: null, deviceError: null, userErrors: [] },
  };
  const asked = await fatesOf(page, async ({ operation, before }) => {
    if (operation === 'RegisterProof') return { backendProofRead: proof };
    if (operation !== 'RegisterBackend') return undefined;
    if (before === 0) await late.until;
    return { backendCreate: { backend: { id: before === 0 ? 'b1' : 'b2' }, userErrors: [] } };
  });
  await open('/register');
  const address = page.getByRole('listitem', { name: 'Address' });
  await address.getByLabel('Project').selectOption({ label: 'acme' });
  const accept = async (host: string): Promise<void> => {
    await address.getByLabel('Host name or address').fill(host);
    await address.getByRole('button', { name: 'Show its fingerprint' }).click();
    await page.getByLabel('I compared it and it matches').check();
    await page.getByRole('button', { name: 'Accept this fingerprint' }).click();
  };
  const logIn = page.getByRole('listitem', { name: 'Log-in' });
  const register = async (name: string): Promise<void> => {
    await logIn.getByLabel('Name', { exact: true }).fill(name);
    await logIn.getByLabel('Account').fill('root');
    await logIn.getByRole('button', { name: 'Register and log in' }).click();
  };
  await accept('192.0.2.1');
  await register('first');
  await page.getByRole('button', { name: 'Registering…' }).waitFor();
  const askedBefore = asked('RegisterProof');
  await address.getByRole('button', { name: 'Another address' }).click();
  await address.getByRole('button', { name: 'Show its fingerprint' }).waitFor();
  expect(asked('RegisterProof')).toBe(askedBefore);
  await accept('192.0.2.2');
  const ended = page.waitForResponse((response) => response.request().postData()?.includes('RegisterBackend') === true);
  late.release();
  await (await ended).finished();
  await register('second');
  const link = page.getByRole('link', { name: 'Open the backend' });
  await link.waitFor();
  expect(await link.getAttribute('href')).toBe('/backend?id=b2');
});
