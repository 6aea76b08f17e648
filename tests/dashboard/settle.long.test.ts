// An operator settles unknown outcomes and closes circuits from the page.
import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { until } from './support/browser.ts';
import { now } from './support/fake-values.ts';
import type { FakeOperation, FakeWorld } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

function addUnknown(world: FakeWorld, patch: Partial<FakeOperation> = {}): FakeOperation {
  const operation = world.addOperation({ name: 'rule.create' });
  return world.updateOperation(operation.id, {
    state: 'UNKNOWN',
    deviceError: { code: 'NO_REPLY', message: 'No reply within 30000 ms.' },
    ...patch,
  });
}

async function openSettle(page: Page): Promise<void> {
  await page
    .locator('.strip-unknown')
    .getByRole('button', { name: /Settle/ })
    .first()
    .click();
  await page.getByRole('heading', { name: 'Settle it' }).waitFor();
}

describe('an unknown outcome', () => {
  test('stands out, and the probe settles it', async () => {
    const { page, world, open } = suite();
    addUnknown(world, { probeFinds: 'SUCCEEDED' });
    await open();
    await page.getByRole('heading', { name: '1 unknown outcome' }).waitFor();
    await until(page, 'document.title === "(1 unknown) Relay · Tidegate"');
    await openSettle(page);
    await page.getByText('NO_REPLY').first().waitFor();
    await page.getByRole('button', { name: 'Probe the device' }).click();
    await page.locator('.drawer-head').getByText('succeeded').waitFor();
    await page.locator('.evidence').getByText('from probe').waitFor();
    await page.locator('.strip-unknown').waitFor({ state: 'detached' });
  });

  test('an inconclusive probe is shown and leaves it unknown', async () => {
    const { page, world, open } = suite();
    addUnknown(world, { probeFinds: 'ABSENT_SO_FAR' });
    await open();
    await openSettle(page);
    await page.getByRole('button', { name: 'Probe the device' }).click();
    await page.getByText('The probe was inconclusive: absent so far.').waitFor();
    await page.locator('.evidence').getByText('absent so far').waitFor();
  });

  test('a refusal is shown with its code and the remedy, and a verdict then settles it', async () => {
    const { page, world, open } = suite();
    const operation = addUnknown(world);
    await open();
    await openSettle(page);
    await page.getByRole('button', { name: 'Probe the device' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('NO_PROBE').waitFor();
    expect(await alert.textContent()).toContain('give a verdict');
    await page.getByLabel('It happened').check();
    expect(await page.getByRole('button', { name: 'Record the verdict' }).isDisabled()).toBe(true);
    await page.getByLabel('Reason for the record').fill('Seen in nft list ruleset');
    await page.getByRole('button', { name: 'Record the verdict' }).click();
    await page.locator('.drawer-head').getByText('succeeded').waitFor();
    expect(world.mutations.at(-1)?.input).toMatchObject({
      id: operation.id,
      verdict: 'SUCCEEDED',
      note: 'Seen in nft list ruleset',
      force: false,
      idempotencyKey: expect.stringMatching(/^dashboard-[0-9a-f]{32}$/),
    });
    const keys = world.mutations.map(({ input }) => input.idempotencyKey);
    expect(new Set(keys).size).toBe(2);
  });

  test('before quietUntil a verdict must be confirmed', async () => {
    const { page, world, open } = suite();
    addUnknown(world, { quietUntil: now(600_000) });
    await open();
    await openSettle(page);
    await page.getByText('the call may still take effect').waitFor();
    const countdown = page.locator('.quiet-until .countdown');
    const first = await countdown.textContent();
    expect(first).toMatch(/^(10:00|9:5\d)$/);
    await until(page, `document.querySelector('.quiet-until .countdown').textContent !== '${first}'`);
    await page.locator('.strip-unknown .countdown').waitFor();
    await page.getByLabel('It happened').check();
    await page.getByLabel('Record it anyway').waitFor();
    await page.getByLabel('It did not happen').check();
    await page.getByLabel('Reason for the record').fill('The rule is not there');
    await page.keyboard.press('Escape');
    expect(await page.getByLabel('Reason for the record').inputValue()).toBe('The rule is not there');
    const record = page.getByRole('button', { name: 'Record the verdict' });
    expect(await record.isDisabled()).toBe(true);
    await page.getByLabel('Record it anyway').check();
    await record.click();
    await page.locator('.drawer-head').getByText('failed').waitFor();
    expect(world.mutations.at(-1)?.input).toMatchObject({ verdict: 'FAILED', force: true });
  });

  test('a viewer may not settle it; the member who made the call may have the device read', async () => {
    const { page, world, open } = suite();
    Object.assign(world.user, { admin: false, role: 'VIEWER' });
    const operation = addUnknown(world, { probeFinds: 'SUCCEEDED' });
    await open();
    await openSettle(page);
    await page.getByText('Only an operator of its project, or the member who made the call, can settle it.').waitFor();
    const probe = page.getByRole('button', { name: 'Probe the device' });
    expect(await probe.isDisabled()).toBe(true);
    Object.assign(world.user, { role: 'MEMBER' });
    world.updateOperation(operation.id, { requestedBy: { name: world.user.name } });
    await page.reload();
    await probe.waitFor();
    expect(await page.getByRole('button', { name: 'Record the verdict' }).count()).toBe(0);
    await probe.click();
    await page.locator('.drawer-head').getByText('succeeded').waitFor();
  });
});

describe('an accepted job', () => {
  function addJob(world: FakeWorld, patch: Partial<FakeOperation> = {}): FakeOperation {
    const operation = world.addOperation({ name: 'vlan.create' });
    return world.updateOperation(operation.id, { state: 'ACCEPTED', result: { jobId: 71 }, ...patch });
  }

  test('is read as often as necessary, and settled when it has ended', async () => {
    const { page, world, open } = suite();
    const job = addJob(world, { probeFinds: 'RUNNING' });
    await open();
    const row = page.locator(`.rows-operations [data-row="${job.id}"]`);
    await row.getByText('a job on the device').waitFor();
    await row.click();
    await page.getByRole('heading', { name: 'The device accepted it as a job' }).waitFor();
    await page.getByRole('button', { name: 'Check the job', exact: true }).click();
    await page.getByText('Not settled: running.').waitFor();
    await page.locator('.evidence').getByText('running').waitFor();
    world.operations.set(job.id, { ...(world.operations.get(job.id) ?? job), probeFinds: 'SUCCEEDED' });
    await page.getByRole('button', { name: 'Check the job', exact: true }).click();
    await page.locator('.drawer-head').getByText('succeeded').waitFor();
    await row.getByText('succeeded').waitFor();
    const [first, second] = world.mutations;
    expect(first).toEqual({
      name: 'relayOperationSettle',
      input: { id: job.id, force: false, idempotencyKey: expect.stringMatching(/^dashboard-/) },
    });
    expect(second?.input.idempotencyKey).not.toBe(first?.input.idempotencyKey);
  });

  test("that the driver can't read is settled by a user's finding", async () => {
    const { page, world, open } = suite();
    const job = addJob(world);
    await open(`/relay?operation=${job.id}`);
    await page.getByRole('button', { name: 'Check the job', exact: true }).click();
    await page.getByRole('alert').getByText('NO_PROBE').waitFor();
    await page.getByText('or, if you have checked the device yourself').click();
    await page.getByLabel('It happened').check();
    await page.getByLabel('Reason for the record').fill('VLAN 120 is on both leaves');
    await page.getByRole('button', { name: 'Record the verdict' }).click();
    await page.locator('.drawer-head').getByText('succeeded').waitFor();
  });
});

describe('an open circuit', () => {
  test("is closed from the backend's drawer", async () => {
    const { page, world, open } = suite();
    world.addBackend({ circuit: { state: 'OPEN', since: now(-60_000), reason: '5 calls in a row had no reply' } });
    await open();
    await page.locator('.rows-backends').getByText('circuit open').click();
    await page.getByText('5 calls in a row had no reply').waitFor();
    await page.getByRole('button', { name: 'Close the circuit' }).click();
    await page.locator('.rows-backends').getByText('circuit open').waitFor({ state: 'detached' });
    expect(world.mutations).toMatchObject([{ name: 'backendCircuitClose', input: { id: 'b1' } }]);
  });
});
