// The page of object storage against a whole process with a connected controller. The controller's reports are shown, a
// change of presence arrives through the feed, and a deployment without object storage has no link to the page.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { createLogger } from '../../platform/log/log.ts';
import type { JsonValue } from '../../platform/values/json.ts';
import { controllerRole } from '../../subgraphs/object-storage/wire/controller-wire.ts';
import { ScriptedController } from '../subgraphs/object-storage/support/scripted-controller.ts';
import { freePort } from '../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { Administrator } from '../support/product/administrator.ts';
import { machineSettings, testAuthority, testMachine } from '../support/product/machines.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { launchBrowser, login, openPage, until, untilCount } from './support/browser.ts';

const log = createLogger({ level: 'silent', pretty: false });
const roles = 'gateway,system,worker,relay,loadbalancer,gslb';
let folder: TemporaryFolder;
let system: RunningSystem;
let north: ScriptedController;
let authority: Awaited<ReturnType<typeof testAuthority>>;
let linkPort = 0;
let browser: Browser;
let administrator: Administrator;

beforeAll(async () => {
  folder = await temporaryFolder();
  authority = await testAuthority();
  const tls = await testMachine(authority, 'object-storage', 'control-plane', log);
  linkPort = await freePort();
  system = await runningSystem({
    settings: {
      ...{ roles: `${roles},object-storage`, 'objectStorage.linkPort': String(linkPort) },
      ...(await machineSettings(tls, folder.path)),
    },
  });
  north = new ScriptedController(await testMachine(authority, controllerRole, 'north', log), linkPort, log);
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await north?.stop();
  await system?.stop();
  await folder?.remove();
});

const ask = <Data>(query: string, input: object = {}) => administrator.ask<Data>(query, { input });
const make = (name: string, input: object) => administrator.change(name, input);

const state = {
  links: [{ cluster: 1, connected: true, behindPartitions: 7, lagMs: 12_000 }],
  services: [
    { role: 'objectserver', name: 'north-1', isReady: true, version: 'test', message: null },
    {
      role: 'objectserver',
      name: 'north-2',
      isReady: false,
      isDrained: true,
      version: 'test',
      message: 'it is drained',
    },
  ],
  disk: { usedBytes: 3 * 1024 ** 3, totalBytes: 10 * 1024 ** 3 },
} as const;

/** Refusals after which a user would press the button again, because the missing part may be there a moment later. */
const passing = /UNAVAILABLE|OUTCOME_UNCERTAIN|BUSY|IN_PROGRESS|UNREACHABLE/;
const mostPresses = 20;
const pauseMs = 1_000;

/** Presses the button of the dialog that is open, until that is closed. */
async function confirm(page: Page, label: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  for (let presses = 1; ; presses += 1) {
    await dialog.getByRole('button', { name: label, exact: true }).click();
    await until(page, 'document.querySelectorAll("dialog[open]:not(:has([role=alert]))").length === 0');
    if (!(await dialog.isVisible())) return;
    const refusal = await dialog.getByRole('alert').innerText();
    if (!passing.test(refusal) || presses === mostPresses) throw new Error(`${label}: ${refusal}`);
    await page.waitForTimeout(pauseMs);
  }
}

/** Chooses an action in the menu of a cluster. */
async function choose(page: Page, cluster: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions of ${cluster}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** A refusal stays visible, and then the question is cancelled. */
async function refused(page: Page, label: string, because: RegExp): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: label, exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: because }).waitFor();
  await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
}

test('while nothing is stored, an administrator changes the default option, deletes one, and removes and adds a cluster', async () => {
  administrator = await Administrator.of(system);
  for (const name of ['north', 'south', 'east']) await make('objectClusterCreate', { name, zone: 'attic' });
  for (const name of ['usual', 'spare']) await make('objectOptionCreate', { name, replicas: 2 });
  const { origin } = new URL(system.url);
  const { page, errors } = await openPage(browser, origin);
  await login(page, { url: origin }, { user: administrator }, '/objects');
  const option = (name: string) => page.locator(`[data-option="${name}"]`);
  const press = (name: string) => page.getByRole('button', { name }).click();

  await option('usual').getByText('2 replicas · default').waitFor();
  await press('Make it the default… storage class spare');
  await confirm(page, 'Make it the default');
  await option('spare').getByText('2 replicas · default').waitFor();
  await press('Delete… storage class spare');
  await refused(page, 'Delete', /make another option the default first/);
  await press('Make it the default… storage class usual');
  await confirm(page, 'Make it the default');
  await option('usual').getByText('2 replicas · default').waitFor();
  await press('Delete… storage class spare');
  await confirm(page, 'Delete');
  await option('spare').waitFor({ state: 'detached' });

  const east = page.locator('[data-cluster="east"]');
  await option('usual').getByText('east: ').waitFor();
  await choose(page, 'east', 'Evacuate…');
  await confirm(page, 'Evacuate');
  await option('usual').getByText('east: ').waitFor({ state: 'detached' });
  await choose(page, 'east', 'Return to the rings…');
  await confirm(page, 'Return to the rings');
  await option('usual').getByText('east: ').waitFor();
  await choose(page, 'east', 'Evacuate…');
  await confirm(page, 'Evacuate');
  await choose(page, 'east', 'Remove…');
  await confirm(page, 'Remove');
  await east.waitFor({ state: 'detached' });
  expect(errors).toEqual([]);
}, 180_000);

test('clusters with links, lag, services and disk; options with rings; access keys; containers, or the reason why they are unknown', async () => {
  const { projects } = await ask<{ projects: { nodes: { id: string }[] } }>('{ projects { nodes { id } } }', {});
  await make('objectAccessKeyCreate', { projectId: projects.nodes[0]?.id, name: 'backup' });

  const { origin } = new URL(system.url);
  const { page, errors, foreign } = await openPage(browser, origin);
  await login(page, { url: origin }, { user: administrator }, '/objects');
  await untilCount(page, '[data-cluster]', 2);
  await page.getByRole('navigation', { name: 'Pages' }).getByText('Object storage').waitFor();
  const first = page.locator('[data-cluster="north"]');
  await first.getByText('no controller has connected yet').waitFor();

  // It connects. The feed reports that, and its report a moment later.
  north.start();
  await waitFor('the link', () => north.connected);
  north.keepSaying({ ...state, links: [...state.links], services: [...state.services] });
  await page.locator('.feed-line').getByText('north').first().waitFor();
  await first.getByText('connected', { exact: true }).waitFor();
  await first.getByText('south: 7 partitions behind, 12').waitFor();
  await first.getByText('3.0 GiB of 10.0 GiB').waitFor();
  await first.getByText('objectserver north-1', { exact: true }).waitFor();
  await first.getByText('drained', { exact: true }).waitFor();
  await page.locator('[data-option="usual"]').getByText('ring of epoch').waitFor();
  await page.locator('[data-option="usual"]').getByText('north: 4096 partitions').waitFor();
  await untilCount(page, '[data-key]', 1);
  await page.getByRole('link', { name: /^Revoke / }).click();
  await page.getByText('Revoke…').click();
  await page.getByRole('button', { name: 'Revoke backup' }).click();
  await page.getByText('The access key backup is revoked.').waitFor();
  await page.goBack();
  await page.locator('[data-key]').getByText('revoked').waitFor();
  expect(await page.getByRole('link', { name: /^Revoke / }).count()).toBe(0);
  await choose(page, 'north', 'Change or delete');
  await page.getByRole('heading', { name: 'Cluster north' }).waitFor();
  await page.goBack();
  // The scripted controller answers no questions.
  await page.locator('.panel-containers').getByText('Not known: no cluster of object storage answered').waitFor();
  // It has disconnected.
  await north.stop();
  await page.locator('[data-cluster="north"]').getByText('not connected').waitFor({ timeout: 60_000 });
  expect(foreign).toEqual([]);
  expect(errors.filter((error) => !error.includes('UNAVAILABLE'))).toEqual([]);
}, 180_000);

test('an administrator adds a cluster, changes a ring, drains a service and creates an option, also by keyboard', async () => {
  const asked: JsonValue[] = [];
  const west = new ScriptedController(
    await testMachine(authority, controllerRole, 'west', log),
    ...([linkPort, log] as const),
    async (question) => {
      asked.push(question);
      return { containers: [], objects: [] };
    },
  );
  try {
    const { origin } = new URL(system.url);
    const { page, errors } = await openPage(browser, origin);
    const user = administrator;
    await login(page, { url: origin }, { user }, '/objects');
    const dialog = page.getByRole('dialog');

    // By keyboard alone: the button, the fields in order, and the button of the question.
    await page.getByRole('button', { name: 'Add a cluster…' }).focus();
    await page.keyboard.press('Enter');
    await dialog.getByRole('heading', { name: 'Add a cluster?' }).waitFor();
    await dialog.getByLabel('Name').focus();
    await page.keyboard.type('west');
    await page.keyboard.press('Tab');
    await page.keyboard.type('cellar');
    await dialog.getByRole('button', { name: 'Add a cluster', exact: true }).focus();
    await page.keyboard.press('Enter');
    const invitation = page.getByRole('status').filter({ hasText: 'west is added' });
    await invitation.waitFor();
    // With a token, or with the command that makes one if no machine can enroll.
    expect(await invitation.textContent()).toMatch(/joins with this token|tidegate machines create west-1/);
    await invitation.getByRole('button', { name: 'I have saved it' }).click();
    const item = page.locator('[data-cluster="west"]');
    await item.getByText('zone cellar').waitFor();

    west.start();
    await waitFor('the link', () => west.connected);
    const service = { role: 'objectserver', name: 'west-1', isReady: true, version: 'test', message: null } as const;
    west.keepSaying({ services: [service] });
    await item.getByText('objectserver west-1', { exact: true }).waitFor();
    await item.getByText('connected', { exact: true }).waitFor();

    // A ring change: first the data that it would move, then its progress.
    const ring = page.locator('[data-ring="usual"]');
    await page.getByRole('button', { name: 'Change… ring usual' }).click();
    await dialog.getByRole('row', { name: /^west 0 \d+$/ }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Change… ring usual' }).press('Enter');
    await confirm(page, 'Change');
    await ring.getByRole('progressbar', { name: 'Change of ring usual' }).waitFor();
    const { objectRings } = await ask<{ objectRings: { nodes: { number: number; epoch: number }[] } }>(
      ...(['{ objectRings { nodes { number epoch } } }', {}] as const),
    );
    const { number = 0, epoch = 0 } = objectRings.nodes[1] ?? {};
    await ring.getByText('west no report for this step yet').waitFor();
    const takeOver = { ring: number, epoch: epoch + 1, partitions: 80, left: 60, movedBytes: 0, message: null };
    west.keepSaying({ services: [service], takeOvers: [takeOver] });
    await ring.getByText('west lacks 60 of 80 partitions').waitFor();
    await page.getByRole('button', { name: 'Pause… the change of ring usual' }).click();
    await confirm(page, 'Pause');
    await ring.getByText(/paused/i).waitFor();
    await page.getByRole('button', { name: 'Resume… the change of ring usual' }).click();
    await confirm(page, 'Resume');
    await ring.getByText(/running/i).waitFor();
    await page.getByRole('button', { name: 'Cancel the change… of ring usual' }).click();
    await confirm(page, 'Cancel the change');
    await page
      .getByRole('list', { name: 'Changes that have ended' })
      .getByText(/usual: cancelled/i)
      .waitFor();

    await choose(page, 'west', 'Drain objectserver west-1…');
    await confirm(page, 'Drain');
    expect(asked).toContainEqual({ ask: 'drainService', role: 'objectserver', name: 'west-1', isDrained: true });
    west.keepSaying({ services: [{ ...service, isReady: false, isDrained: true, message: 'it is drained' }] });
    await choose(page, 'west', 'Return to service objectserver west-1…');
    await confirm(page, 'Return to service');
    expect(asked).toContainEqual({ ask: 'drainService', role: 'objectserver', name: 'west-1', isDrained: false });
    west.keepSaying({ services: [{ ...service, isReady: false, message: 'it is silent' }] });
    await choose(page, 'west', 'Forget objectserver west-1…');
    await confirm(page, 'Forget');
    expect(asked).toContainEqual({ ask: 'removeService', role: 'objectserver', name: 'west-1' });
    west.keepSaying({ services: [] });
    await item.getByText('objectserver west-1', { exact: true }).waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Create a storage class…' }).click();
    await dialog.getByLabel('Name').fill('small');
    await dialog.getByLabel('Replicas').fill('1');
    await dialog.getByRole('checkbox', { name: 'west' }).check();
    await confirm(page, 'Create a storage class');
    await page.locator('[data-option="small"]').getByText('west: 4096 partitions').waitFor();
    await page.getByRole('link', { name: 'Change or delete storage class small' }).click();
    await page.getByLabel('Replicas').fill('2');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.goBack();
    await page.locator('[data-option="small"]').getByText('2 replicas').waitFor();

    await choose(page, 'west', 'Remove…');
    await refused(page, 'Remove', /small/);
    expect(errors.filter((error) => !error.includes('UNAVAILABLE'))).toEqual([]);
  } finally {
    await west.stop();
  }
}, 240_000);

test("a viewer sees the project's objects, and neither clusters nor keys", async () => {
  const { projects } = await ask<{ projects: { nodes: { id: string }[] } }>('{ projects { nodes { id } } }', {});
  const password = 'a password of some length';
  const { userCreate } = await ask<{ userCreate: { user: { id: string } } }>(
    'mutation ($input: UserCreateInput!) { userCreate(input: $input) { user { id } userErrors { message } } }',
    { name: 'viewer', password },
  );
  await make('membershipSet', { projectId: projects.nodes[0]?.id, userId: userCreate.user.id, role: 'VIEWER' });
  const { origin } = new URL(system.url);
  const { page } = await openPage(browser, origin);
  await login(page, { url: origin }, { user: { name: 'viewer', password } }, '/objects');
  await page.locator('[data-option="usual"]').getByText('2 replicas').waitFor();
  await page.locator('.panel-containers').getByText('Not known: no cluster of object storage').waitFor();
  await untilCount(page, '.panel-clusters', 0);
  await untilCount(page, '.panel-rings', 0);
  expect(await page.getByRole('button', { name: /option/ }).count()).toBe(0);
  await untilCount(page, '.panel-accesskeys', 0);
  await untilCount(page, '[data-option="usual"] .line', 1);
}, 180_000);

test('a deployment without object storage has no link to the page', async () => {
  const other = await runningSystem({ settings: { roles } });
  try {
    const { origin } = new URL(other.url);
    const { page } = await openPage(browser, origin);
    await login(page, { url: origin }, { user: await Administrator.of(other) }, '/relay');
    const links = page.getByRole('navigation', { name: 'Pages' });
    await links.getByText('GSLBs').waitFor();
    expect(await links.getByText('Object storage').count()).toBe(0);
  } finally {
    await other.stop();
  }
}, 180_000);
