// Objects changed or deleted without the relay: shown with their differences, verified again, and filtered.
import { describe, expect, test } from '@jest/globals';
import { focusedRow, until, untilCount, untilLive } from './support/browser.ts';
import { now } from './support/fake-values.ts';
import { type FakeWorld, verification } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

const differences = [
  { path: 'action', wanted: 'ACCEPT', found: 'DROP' },
  { path: 'source.address', wanted: '192.0.2.0/24', found: null },
  { path: 'destinationPort', wanted: '443', found: '8443' },
];
const matches = { result: 'MATCHES', differences: [] } as const;

/** m1 is missing, m2 and m3 have drifted, in this order on the page. */
function addDrift(world: FakeWorld): void {
  world.addMapping({ objectKey: 'gone', ...verification('MISSING', [], now(-60_000)), nextLook: matches });
  world.addMapping({ objectKey: 'web', ...verification('DRIFTED', differences, now(-120_000)), nextLook: matches });
  const other = { backend: { id: 'b2', name: 'fw-2' }, project: { id: 'p2', name: 'globex' } };
  world.addMapping({
    objectKey: 'other',
    ...other,
    ...verification('DRIFTED', differences.slice(0, 1), now(-180_000)),
  });
}

describe('the panel', () => {
  test('shows desired and found values, missing objects first', async () => {
    const { page, world, open } = suite();
    addDrift(world);
    world.addMapping({ objectKey: 'fine', ...verification('MATCHES') });
    await open();
    await untilCount(page, '.rows-drift .row', 3);
    const rows = page.locator('.rows-drift .row');
    const order = await page.evaluate(
      '[...document.querySelectorAll(".rows-drift .row")].map((row) => row.dataset.row)',
    );
    expect(order).toEqual(['m1', 'm2', 'm3']);
    expect(await rows.nth(1).locator('.difference').allTextContents()).toEqual([
      'action wanted ACCEPT→ found DROP',
      'source.address wanted 192.0.2.0/24→ found nothing',
    ]);
    await rows.nth(1).getByText('and 1 more').waitFor();
    await until(page, 'document.title === "(3 drifted) Relay · Tidegate"');
    await rows.nth(1).click();
    await page.getByRole('heading', { name: 'Differs on the device' }).waitFor();
    const cells = await page.locator('.difference-table tbody tr').allTextContents();
    expect(cells).toEqual(['actionACCEPTDROP', 'source.address192.0.2.0/24nothing', 'destinationPort4438443']);
  });

  test('says that nothing was verified, rather than that all is well, until something was', async () => {
    const { page, world, open } = suite();
    world.addMapping({ objectKey: 'web', nextLook: matches });
    await open();
    await page.locator('.panel-drift .summary').getByText('unknown: no object has been verified yet').waitFor();
    world.updateMapping('m1', verification('MATCHES'));
    await page.locator('.panel-drift .summary').getByText('none: all verified objects match').waitFor();
    world.updateMapping('m1', { mappingState: 'DELETED' });
    await page.locator('.panel-drift .summary').getByText('unknown: no object has been verified yet').waitFor();
  });

  test('a verification before the page was opened counts', async () => {
    const { page, world, open } = suite();
    world.addMapping({ objectKey: 'web' });
    world.addMapping({ objectKey: 'fine', ...verification('MATCHES') });
    await open();
    await page.locator('.panel-drift .summary').getByText('none: all verified objects match').waitFor();
  });

  test('is hidden while empty, and fills and empties by itself', async () => {
    const { page, world, open } = suite();
    world.addMapping({ objectKey: 'web', nextLook: matches });
    world.addMapping({ objectKey: 'fine', ...verification('MATCHES') });
    await open();
    await page.locator('.panel-drift').getByText('none: all verified objects match').waitFor();
    world.updateMapping('m1', verification('DRIFTED', differences));
    await page.locator('.rows-drift').getByText('web').waitFor();
    await page.locator('.feed-line').first().getByText('drifted').waitFor();
    // A call that changes it clears its finding.
    world.updateMapping('m1', { lastVerification: null });
    await page.locator('.rows-drift').waitFor({ state: 'detached' });
  });

  test('a finding that a call cleared without a status change disappears at the next read', async () => {
    const { page, world, open } = suite();
    addDrift(world);
    await page.clock.install();
    await open();
    await untilCount(page, '.rows-drift .row', 3);
    const old = world.mappings.get('m2');
    if (old !== undefined) world.mappings.set('m2', { ...old, version: 9, lastVerification: null });
    // Each round begins when the previous one has its answer.
    for (let round = 1; round <= 20 && (await page.locator('.rows-drift .row').count()) > 2; round += 1) {
      await page.clock.runFor(5_000);
      await page.waitForTimeout(100);
    }
    await untilCount(page, '.rows-drift .row', 2);
  });
});

describe('verify again', () => {
  test('by keyboard only, a matching object disappears and the focus moves to the next', async () => {
    const { page, world, open } = suite();
    addDrift(world);
    await open();
    await untilCount(page, '.rows-drift .row', 3);
    await page.keyboard.press('4');
    expect(await focusedRow(page)).toBe('m1');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await untilCount(page, '.rows-drift .row', 2);
    await until(page, 'document.activeElement.dataset.row === "m2"');
    await page.keyboard.press('j');
    expect(await focusedRow(page)).toBe('m3');
    await page.keyboard.press('Tab');
    await page.keyboard.press('k');
    expect(await focusedRow(page)).toBe('m2');
    expect(world.mutations).toMatchObject([{ name: 'mappingVerify', input: { id: 'm1' } }]);
  });

  test('the drawer shows drift that remains, and a failed read with its code', async () => {
    const { page, world, open } = suite();
    world.addMapping({
      ...verification('DRIFTED', differences, now(-600_000)),
      nextLook: { result: 'DRIFTED', differences: differences.slice(0, 1) },
    });
    world.addMapping({ objectKey: 'dark', ...verification('MISSING') });
    await open('/relay?mapping=m1');
    await page.locator('.drawer').getByText('Verified 10 min ago').waitFor();
    await page.locator('.drawer').getByRole('button', { name: 'Verify again' }).click();
    await page.getByText('Still drifted.').waitFor();
    await page.locator('.drawer').getByText('Verified just now').waitFor();
    await untilCount(page, '.difference-table tbody tr', 1);
    await page.keyboard.press('Escape');
    await page.locator('.rows-drift [data-row="m2"] + .again').click();
    await page.locator('.row-failure').getByText('UNAVAILABLE').waitFor();
  });

  test('only members of its project may verify', async () => {
    const { page, world, open } = suite();
    Object.assign(world.user, { admin: false, role: 'VIEWER' });
    addDrift(world);
    await open();
    const button = page.locator('.rows-drift .again').first();
    await button.waitFor();
    expect(await button.isDisabled()).toBe(true);
    await page.locator('.rows-drift .row').first().click();
    await page.locator('.drawer').getByText('Only members of its project can verify it.').waitFor();
  });
});

describe('filters', () => {
  test('are in the URL, survive a reload, and combine with those of the other panels', async () => {
    const { page, world, open } = suite();
    addDrift(world);
    await open();
    await page.locator('.panel-drift .states').getByRole('button', { name: 'drifted' }).click();
    await until(page, "location.search === '?found=drifted'");
    await untilCount(page, '.rows-drift .row', 2);
    await page.reload();
    await untilLive(page);
    await untilCount(page, '.rows-drift .row', 2);
    await page.getByLabel('Project').selectOption('p2');
    await untilCount(page, '.rows-drift .row', 1);
    await page.locator('.rows-drift').getByText('other').waitFor();
    await page.getByLabel('Filter').fill('zzz');
    await page.getByText('No drifted object matches the filters.').waitFor();
    await page.locator('.panel-drift').getByRole('button', { name: 'Clear the filters' }).click();
    await untilCount(page, '.rows-drift .row', 3);
    await until(page, "location.search === ''");
  });
});
