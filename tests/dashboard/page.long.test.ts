// The dashboard in a real browser: its content, its changes, and its keyboard control.
import { describe, expect, test } from '@jest/globals';
import { focusedRow, until, untilCount, untilLive } from './support/browser.ts';
import { now } from './support/fake-values.ts';
import { health } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

describe('the page', () => {
  test('a change appears without a reload, with no console error and no request to another origin', async () => {
    const { page, world, open } = suite();
    world.addBackend();
    await open();
    const operation = world.addOperation({ name: 'rule.create' });
    const row = page.locator(`.rows-operations [data-row="${operation.id}"]`);
    await row.getByText('sent').waitFor();
    world.updateOperation(operation.id, { state: 'SUCCEEDED', finishedAt: now(), stateSource: 'REPLY' });
    await row.getByText('succeeded').waitFor();
    world.updateBackend(
      'b1',
      { operatingStatus: 'OFFLINE', health: health({ message: 'connect ECONNREFUSED' }) },
      { kind: 'backend.operatingStatus', from: 'ONLINE', to: 'OFFLINE' },
    );
    await page.locator('.rows-backends').getByText('offline').waitFor();
    await page.locator('.rows-backends').getByText('connect ECONNREFUSED').waitFor();
    await untilCount(page, '.feed-line', 3);
    expect(await page.locator('.feed-line').first().textContent()).toContain('offline was online · operating status');
  });

  test('queues and checks are updated without a status change', async () => {
    const { page, world, open } = suite();
    world.addBackend();
    await open();
    await page.locator('.rows-backends').getByText('idle').waitFor();
    world.updateBackend('b1', { queue: { waiting: 7, inFlight: 2, limit: 100, holder: 'relay-1' } });
    await page.getByText('2 on the wire, 7 waiting, at most 100 may wait').waitFor({ state: 'attached' });
  });

  test('shows instructions when there is nothing, and when nothing matches', async () => {
    const { page, world, open } = suite();
    await open();
    await page.getByText('No backends yet').waitFor();
    await page.getByText('No calls yet').waitFor();
    world.addBackend();
    world.addOperation();
    await page.getByLabel('Filter').fill('zzz');
    await page.getByText('No operation matches the filters.').waitFor();
    await page.locator('.panel-operations').getByRole('button', { name: 'Clear the filters' }).click();
    await page.locator('.rows-operations .row').waitFor();
  });

  test('200 backends and thousands of operations: lists stay bounded, those with problems come first', async () => {
    const { page, world, open } = suite();
    for (let number = 1; number <= 200; number += 1) {
      world.addBackend(number === 150 ? { name: `fw-${'long-'.repeat(11)}150`, operatingStatus: 'OFFLINE' } : {});
    }
    for (let number = 0; number < 700; number += 1) world.addOperation({ state: 'SUCCEEDED' });
    await open();
    await untilCount(page, '.rows-backends .row', 200);
    expect(await page.locator('.rows-backends .row').first().getAttribute('data-row')).toBe('b150');
    for (let number = 0; number < 1500; number += 1)
      world.addOperation({ name: `burst-${number}`, state: 'SUCCEEDED' });
    await page.locator('.rows-operations').getByText('burst-1499', { exact: true }).waitFor();
    await untilCount(page, '.rows-operations .row', 500);
    await untilCount(page, '.feed li', 500);
    const overflow = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect(await page.evaluate(overflow)).toBe(false);
  });
});

describe('filters', () => {
  test('are in the URL: they survive a reload, and the back button removes them', async () => {
    const { page, world, open } = suite();
    world.addBackend();
    world.addOperation({ name: 'good', state: 'SUCCEEDED' });
    world.addOperation({ name: 'refused', state: 'FAILED' });
    await open();
    await page.locator('.states').getByRole('button', { name: 'failed' }).click();
    await until(page, "location.search === '?state=failed'");
    await untilCount(page, '.rows-operations .row', 1);
    await page.reload();
    await untilLive(page);
    await page.locator('.rows-operations').getByText('refused').waitFor();
    await untilCount(page, '.rows-operations .row', 1);
    await page.getByLabel('Filter').fill('ref');
    await until(page, "location.search === '?state=failed&q=ref'");
    await page.goBack();
    await page.locator('.rows-operations').getByText('good').waitFor();
    await until(page, "location.search === ''");
  });

  test('text and counts cover all operations, not only the loaded ones', async () => {
    const { page, world, open } = suite();
    world.addBackend();
    for (let number = 0; number < 19; number += 1) world.addOperation({ name: 'needle', state: 'FAILED' });
    for (let number = 0; number < 600; number += 1) world.addOperation({ state: 'SUCCEEDED' });
    await open();
    const states = page.locator('.panel-operations .states');
    const count = (state: string) => states.getByRole('button', { name: state }).locator('.count');
    const summary = (text: string) =>
      page.locator('.panel-operations .summary').getByText(text, { exact: true }).waitFor();
    await count('failed').getByText('19', { exact: true }).waitFor();
    await count('succeeded').getByText('600', { exact: true }).waitFor();
    await summary('200 shown of 619');
    await page.getByLabel('Filter').fill('needle');
    await summary('19 shown of 19');
    // States without operations are not shown.
    await count('succeeded').waitFor({ state: 'detached' });
    await untilCount(page, '.rows-operations .row', 19);
    await states.getByRole('button', { name: 'failed' }).click();
    await until(page, "location.search === '?state=failed&q=needle'");
    await page.reload();
    await summary('19 shown of 19');
    world.addOperation({ name: 'needle', state: 'FAILED' });
    await summary('20 shown of 20');
  });

  test('counts follow changes, and show when there are more than were counted', async () => {
    const { page, world, open } = suite();
    world.addBackend();
    world.countedAtMost = 300;
    for (let number = 0; number < 299; number += 1) world.addOperation({ state: 'SUCCEEDED' });
    await open();
    const count = page
      .locator('.panel-operations .states')
      .getByRole('button', { name: 'succeeded' })
      .locator('.count');
    await count.getByText('299', { exact: true }).waitFor();
    for (let number = 0; number < 2; number += 1) world.addOperation({ state: 'SUCCEEDED' });
    await count.getByText('300+', { exact: true }).waitFor();
  });

  test('find operations older than the loaded ones, and by project and backend', async () => {
    const { page, world, server, open } = suite();
    world.addBackend();
    world.addBackend({ project: { id: 'p2', name: 'globex' } });
    const project = { id: 'p2', name: 'globex' };
    const backend = { id: 'b2', name: 'fw-2' };
    world.addOperation({ name: 'ancient', state: 'REJECTED', project, backend });
    for (let number = 0; number < 600; number += 1) world.addOperation({ state: 'SUCCEEDED' });
    await open();
    expect(await page.locator('.rows-operations').getByText('ancient').count()).toBe(0);
    await page.locator('.states').getByRole('button', { name: 'rejected' }).click();
    await page.locator('.rows-operations').getByText('ancient').waitFor();
    await page.getByLabel('Project').selectOption('p1');
    await page.getByText('No operation matches the filters.').waitFor();
    await page.goto(`${server.url}/relay?project=p2&backend=b2`);
    await page.locator('.rows-operations').getByText('ancient').waitFor();
    await untilCount(page, '.rows-operations .row', 1);
    await page.getByRole('button', { name: 'Remove the filter: backend fw-2' }).click();
    await until(page, "location.search === '?project=p2'");
  });
});

describe('the keyboard', () => {
  test('moves, opens, closes, filters and helps, and never loses the focus', async () => {
    const { page, world, open } = suite();
    world.addBackend();
    for (const name of ['third', 'second', 'first']) world.addOperation({ name });
    await open();
    await page.locator('.rows-operations .row').nth(2).waitFor();

    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    expect(await focusedRow(page)).toBe('o000002');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'second' }).waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('drawer-title');
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'third' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.drawer').waitFor({ state: 'detached' });
    expect(await focusedRow(page)).toBe('o000001');

    await page.keyboard.press('1');
    expect(await focusedRow(page)).toBe('b1');
    await page.keyboard.press('/');
    await page.keyboard.type('j second');
    expect(await page.getByLabel('Filter').inputValue()).toBe('j second');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  test('the focused element is visibly focused', async () => {
    const { page, world, open } = suite();
    world.addBackend();
    world.addOperation();
    await open();
    await page.keyboard.press('j');
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).toBe('solid');
  });
});
