// The page of GSLBs in a real browser: names with their answers, one name with the votes on its members, its history,
// the explanation of a client's answer, and manual actions.
import { expect, test } from '@jest/globals';
import { focusedRow, until, untilCount } from './support/browser.ts';
import { checker, nameServer, vote } from './support/fake-names.ts';
import { now, uptime } from './support/fake-values.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

/** shop-1 with two members, and a name server. */
function addShop({ naming }: ReturnType<typeof suite>['world']): void {
  naming.addName();
  naming.addMember('g1');
  naming.addMember('g1');
  naming.nameServers.push(nameServer('ns1'));
  naming.checkers.push(checker('eu-1'));
}

const down = {
  ...{ verdict: 'DOWN', serving: false, operatingStatus: 'OFFLINE', operatingReason: 'connection refused' },
  votes: [
    vote('eu', { verdict: 'DOWN', message: 'connection refused' }),
    vote('us', { dissents: true }),
    vote('ap', { verdict: null, count: 'ABSENT', ageMs: null, latencyMs: null }),
  ],
};

test('names show their answers, which follow their members; machines show the age of their data', async () => {
  const { page, world, open } = suite();
  addShop(world);
  world.naming.addName({ operatingStatus: 'OFFLINE', operatingReason: 'none of 1 members serves' });
  world.naming.nameServers.push(nameServer('ns2', { presence: 'ABSENT', ageMs: 400_000, linkedTo: null }));
  world.naming.checkers.push(checker('ap-1', { presence: 'ABSTAINING', presenceReason: '0 of 2 beacons answer' }));
  Object.assign(world.naming.names.get('g1') ?? {}, { uptime: () => uptime('DAY', 1) });
  await page.setViewportSize({ width: 1440, height: 900 });
  await open('/gslb');
  await untilCount(page, '.rows-names .row', 2);
  const rows = page.locator('.rows-names .row');
  await rows
    .nth(1)
    .getByRole('img', { name: /^Last 24 hours: 24 bars, .* with downtime$/ })
    .waitFor();
  await rows.nth(1).locator('.since').getByText('2 h').waitFor();
  expect((await rows.nth(0).boundingBox())?.height).toBeLessThan(36);
  await rows.nth(0).getByText('none of 1 members serves').waitFor();
  await rows.nth(1).getByText('203.0.113.1 203.0.113.2').waitFor();
  await until(page, 'document.title === "(1 not fully up, 1 name server not connected) GSLBs · Tidegate"');
  const servers = page.locator('.panel-nameservers');
  await servers.getByText('2, 1 not connected').waitFor();
  await servers.locator('li').nth(0).getByText('ns2').waitFor();
  await servers.locator('li').nth(0).getByText('6 min 40 s old').waitFor();
  // An age is shown only when it is old.
  await servers.locator('li').nth(1).getByText('1 zone').waitFor();
  expect(
    await servers
      .locator('li')
      .nth(1)
      .getByText(/old|seen/)
      .count(),
  ).toBe(0);
  await page.locator('.panel-checkers').getByText('0 of 2 beacons answer').waitFor();
  world.naming.update('gm1', down, { kind: 'gslbPoolMember.verdict', from: 'UP', to: 'DOWN', reason: 'all say so' });
  world.naming.update('g1', {}, { kind: 'gslb.answer', from: null, to: 'CHANGED', reason: '1 of 2 members serve' });
  await rows.nth(1).locator('code').getByText('203.0.113.2', { exact: true }).waitFor();
  await page.locator('.feed-line').getByText('1 of 2 members serve').waitFor();
});

test('a name is a matrix of votes, and its history has every vote', async () => {
  const { page, world, open } = suite();
  addShop(world);
  await open('/gslb');
  await page.keyboard.press('1');
  expect(await focusedRow(page)).toBe('g1');
  await page.keyboard.press('Enter');
  await until(page, "location.search === '?gslb=g1'");
  await untilCount(page, '.matrix [data-verdict="UP"]', 4);
  await page.locator('.panel-matrix').getByText('2 of 2 members serve · 2 vantage points').waitFor();
  await page.locator('.panel-history').getByText('No verdict changes yet.').waitFor();
  const ballot = { region: 'eu', verdict: 'DOWN', ageMs: 40, count: 'COUNTED', latencyMs: null };
  world.naming.flips.set('g1', [
    {
      ...{
        id: 'f1',
        changedAt: now(),
        member: { id: 'gm1', name: 'site-1' },
        region: null,
        verdictBefore: 'UP',
        verdictAfter: 'DOWN',
      },
      ...{ reason: '1 of 3 vantage points vote DOWN', late: false },
      ballots: [
        { ...ballot, vantagePointName: 'eu', message: 'connection refused' },
        { ...ballot, vantagePointName: 'ap', verdict: null, ageMs: null, count: 'ABSENT', message: null },
      ],
    },
  ]);
  world.naming.update('gm1', down, { kind: 'gslbPoolMember.verdict', from: 'UP', to: 'DOWN' });
  await untilCount(page, '.matrix [data-verdict="DOWN"]', 1);
  await untilCount(page, '.matrix [data-dissents="true"]', 1);
  await untilCount(page, '.matrix [data-count="ABSENT"]', 1);
  await page.locator('.matrix').getByText('does not count: checker not connected').waitFor({ state: 'attached' });
  const flip = page.locator('.flips li');
  await flip.getByText('1 of 3 vantage points vote DOWN').click();
  await flip.getByText('connection refused').waitFor();
});

test('a client is explained, also at a past moment; a member is drained and a name frozen by hand', async () => {
  const { page, world, open } = suite();
  addShop(world);
  await open('/gslb?gslb=g1');
  const explain = page.locator('.panel-explain');
  await explain.getByText('203.0.113.1 203.0.113.2 (30 s)').first().waitFor();
  await explain.getByText('no connection (ECONNREFUSED)').waitFor();
  await explain.getByLabel('Client', { exact: true }).fill('198.51.100.7');
  await explain.getByLabel(/^At \(/).fill('2026-01-31T12:00:00');
  await explain.getByRole('button', { name: 'Explain' }).click();
  await untilCount(page, '.servers', 0);
  expect(world.naming.questions.at(-1)).toMatchObject({ name: 'shop-1.gslb.example.net', client: '198.51.100.7' });
  expect(world.naming.questions.at(-1)?.at).toBeTruthy();
  await explain.getByLabel('Name', { exact: true }).fill('nothing.example.net');
  await explain.getByRole('button', { name: 'Explain' }).click();
  await explain.getByText('No answer found').waitFor();
  await page.keyboard.press('Escape');

  await page.locator('.matrix').getByRole('button', { name: 'site-1' }).click();
  await until(page, "location.search === '?gslb=g1&member=gm1'");
  await page.locator('.drawer').getByRole('button', { name: 'Drain…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Until').fill('2099-01-31T12:00');
  await dialog.getByLabel('Reason').fill('a new kernel');
  await dialog.getByRole('button', { name: 'Drain', exact: true }).click();
  await page.locator('.drawer').getByRole('heading').getByText('drain').waitFor();
  await page.locator('.drawer').getByRole('button', { name: 'Return to its checks…' }).waitFor();
  await page.keyboard.press('Escape');
  await untilCount(page, '.drawer', 0);
  await page.locator('.name-head').getByRole('button', { name: 'Freeze…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Freeze', exact: true }).click();
  await page.locator('.name-head').getByText('frozen since').waitFor();
  expect(world.mutations.map(({ name, input }) => [name, input.state, input.reason])).toEqual([
    ['gslbPoolMemberAdminStateSet', 'DRAIN', 'a new kernel'],
    ['gslbFreeze', undefined, null],
  ]);
  const [drained, frozen] = world.mutations;
  expect(String(drained?.input.until)).toMatch(/^2099-0[12]-\d\dT/);
  expect(frozen?.input.until).toBeNull();
});

test('the key-signing key of a signed zone is rolled over: started, withdrawn, started again, and published by the parent', async () => {
  const { page, world, open } = suite();
  addShop(world);
  world.naming.addZone('gslb.example.net');
  await open('/gslb');
  const zones = page.locator('.panel-zones');
  await zones.getByText('key tag (KSK) 7219').waitFor();
  const confirmed = async (action: string, about: string) => {
    await zones.getByRole('button', { name: `${action}… ${about}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();
  };
  await confirmed('Roll over key', 'gslb.example.net');
  await zones.getByText('key tags (KSK) 7219 and 4711').waitFor();
  await confirmed('Withdraw the new key', '4711 of gslb.example.net');
  await zones.getByText('key tag (KSK) 7219').waitFor();
  await confirmed('Roll over key', 'gslb.example.net');
  await confirmed('The parent publishes it', '4711 of gslb.example.net');
  await zones.getByText('4711 published by the parent since').waitFor();
  // The remaining steps only take time.
  await untilCount(page, '.panel-zones button', 0);
  expect(world.mutations.map(({ name, input }) => [name, input.id, input.keyTag])).toEqual([
    ['dnsZoneKeyRollBegin', 'z1', undefined],
    ['dnsZoneKeyRollCancel', 'z1', undefined],
    ['dnsZoneKeyRollBegin', 'z1', undefined],
    ['dnsZoneKeyRollConfirm', 'z1', 4_711],
  ]);
});

test("a viewer sees no machines and no zones, and can't change anything", async () => {
  const { page, world, open } = suite();
  addShop(world);
  Object.assign(world.user, { admin: false, role: 'VIEWER' });
  await open('/gslb');
  await untilCount(page, '.rows-names .row', 1);
  await untilCount(page, '.panel-nameservers, .panel-checkers, .panel-zones', 0);
  await page.locator('.rows-names .row').click();
  await page.locator('.name-head').getByRole('button', { name: 'Freeze…' }).waitFor();
  expect(await page.locator('.name-head').getByRole('button', { name: 'Freeze…' }).isDisabled()).toBe(true);
});
