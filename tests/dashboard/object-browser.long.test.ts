// The page of a container against a real cluster of object storage: files and folders are dropped, walked through, downloaded, shared and
// deleted, and an upload that is cut can be repeated.
// needs: dashboard
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { Database } from '../../platform/database/database.ts';
import { createLogger } from '../../platform/log/log.ts';
import { Keyring } from '../../platform/secrets/keyring.ts';
import { createSealer } from '../../platform/secrets/seal.ts';
import { Controller } from '../../subgraphs/object-storage/agents/controller/controller.ts';
import { ObjectServer } from '../../subgraphs/object-storage/agents/server/object-server.ts';
import { serverRole } from '../../subgraphs/object-storage/engine/peers/peer-wire.ts';
import { openClusterKey } from '../../subgraphs/object-storage/engine/store/cluster-key.ts';
import { controllerRole } from '../../subgraphs/object-storage/wire/controller-wire.ts';
import { storeDatabase } from '../subgraphs/object-storage/engine/store/store-database.ts';
import { freePort } from '../support/machine/free-port.ts';
import { patience } from '../support/machine/patience.ts';
import { temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { CutLink } from '../support/object-storage/cut-link.ts';
import { Administrator } from '../support/product/administrator.ts';
import { machineSettings, testAuthority, testMachine } from '../support/product/machines.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { launchBrowser, login, openPage, untilCount, type Watched } from './support/browser.ts';

const log = createLogger({ level: 'silent', pretty: false });
const cleanup = new AsyncDisposableStack();
let folder: string;
let system: RunningSystem;
let administrator: Administrator;
/** Between browsers and the cluster. */
let link: CutLink;
let browser: Browser;
let watched: Watched;
let page: Page;
let origin: string;

beforeAll(async () => {
  const temporary = await temporaryFolder();
  cleanup.defer(() => temporary.remove());
  folder = temporary.path;
  const authority = await testAuthority();
  const linkPort = await freePort();
  system = await runningSystem({
    settings: {
      ...{ roles: 'gateway,system,worker,object-storage', 'objectStorage.linkPort': String(linkPort) },
      ...(await machineSettings(await testMachine(authority, 'object-storage', 'control-plane', log), folder)),
    },
  });
  cleanup.defer(() => system.stop());
  administrator = await Administrator.of(system);
  const [peerPort, s3Port] = [await freePort(), await freePort()];
  link = await CutLink.to(s3Port);
  cleanup.defer(() => link.close());
  const urls = { peerUrls: [`https://127.0.0.1:${peerPort}`], s3Urls: [`http://127.0.0.1:${link.port}`] };
  await administrator.change('objectClusterCreate', { name: 'north', zone: 'attic', ...urls });
  await administrator.change('objectOptionCreate', { name: 'usual', replicas: 1 });
  const db = new Database({ connection: await storeDatabase(cleanup) });
  cleanup.defer(() => db.close());
  const keyring = new Keyring({ active: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } });
  const key = await openClusterKey(db, createSealer(keyring));
  const common = { db, key, log, version: 'test', name: 'north-1' };
  const server = new ObjectServer({
    ...{ ...common, cluster: 'north', folder: join(folder, 'north'), keepFreeBytes: 0 },
    peers: { host: '127.0.0.1', port: peerPort, tls: await testMachine(authority, serverRole, 'north-1', log) },
    s3: { host: '127.0.0.1', port: s3Port, region: 'us-east-1' },
  });
  server.start();
  cleanup.defer(() => server.stop());
  const tls = await testMachine(authority, controllerRole, 'north-1', log);
  const controller = new Controller({ ...common, tls, urls: [`wss://127.0.0.1:${linkPort}/link`] });
  await controller.start();
  cleanup.defer(() => controller.stop());
  await waitFor('the cluster to serve', () => server.s3Url !== undefined);
  browser = await launchBrowser();
  cleanup.defer(() => browser.close());
  ({ origin } = new URL(system.url));
  watched = await openPage(browser, origin);
  ({ page } = watched);
  await login(page, { url: origin }, { user: administrator }, '/form?new=ObjectContainer');
}, 180_000 * patience);

afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

/** Drops files and folders as a person does, from outside of the browser. */
async function drop(paths: readonly string[]): Promise<void> {
  const session: CDPSession = await watched.context.newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data });
  await session.detach();
}

const transfer = (name: string, state: string) =>
  page.locator(`[data-transfer="${name}"][data-state="${state}"]`).waitFor();
const object = (name: string) => page.locator(`[data-object="${name}"]`);

/** Opens the menu of an object by keyboard, and chooses an item. */
async function choose(name: string, item: string): Promise<void> {
  await page.getByRole('button', { name: `Actions of ${name}`, exact: true }).press('Enter');
  await page.getByRole('menuitem', { name: item }).press('Enter');
  await page.getByRole('dialog').waitFor();
}

async function download(name: string): Promise<string> {
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: `Download ${name}`, exact: true }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe(name.split('/').at(-1));
  return await readFile(await saved.path(), 'utf8');
}

test('a container is made; a file and a folder are dropped, found in their places, downloaded, shared, and deleted', async () => {
  await page.getByLabel(/^Name/).fill('photos');
  await waitFor('the container', async () => {
    await page.locator('.kind-form button[type="submit"]').click();
    const done = page.locator('#form-title[role="status"]');
    await done.or(page.locator('.failures')).first().waitFor();
    return done.isVisible();
  });
  await page.goto(`${origin}/objects`);
  await page.getByRole('link', { name: 'photos', exact: true }).click();
  await page.getByRole('heading', { name: 'photos' }).waitFor();
  await page.getByText('No objects yet. Drop files here, or press Upload files.').waitFor();

  await writeFile(join(folder, 'notes.txt'), 'of the notes');
  await mkdir(join(folder, '2026', 'march'), { recursive: true });
  await writeFile(join(folder, '2026', 'march', 'cat & dog.txt'), 'of a cat, ü');
  await drop([join(folder, 'notes.txt'), join(folder, '2026')]);
  await transfer('notes.txt', 'done');
  await transfer('2026/march/cat & dog.txt', 'done');
  await object('notes.txt').getByText('notes.txt').waitFor();
  await page.getByRole('link', { name: '2026/' }).click();
  await page.getByRole('link', { name: 'march/' }).click();
  const name = '2026/march/cat & dog.txt';
  await object(name).getByText('cat & dog.txt', { exact: true }).waitFor();
  expect(new URL(page.url()).searchParams.get('prefix')).toBe('2026/march/');
  expect(await object('notes.txt').count()).toBe(0);
  expect(await download(name)).toBe('of a cat, ü');

  await choose(name, 'Share…');
  await page.getByLabel('Valid for').selectOption('15 minutes');
  await page.getByRole('button', { name: 'Create link' }).click();
  const url = await page.locator('.shared code').innerText();
  await page.locator('.shared').getByText('Valid until').waitFor();
  expect(await (await fetch(url)).text()).toBe('of a cat, ü');
  await page.keyboard.press('Escape');

  // The address leads to the folder, and the way up is there.
  await page.reload();
  await object(name).waitFor();
  await page.getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: '2026' }).click();
  await page.locator('[data-folder="2026/march/"]').waitFor();
  await page.goBack();
  await choose(name, 'Delete…');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('No objects yet.').waitFor();
  expect((await fetch(url)).status).toBe(404);
  expect(watched.errors).toEqual([]);
}, 180_000);

test('an upload that is cut midway says so at its file and can be repeated; an existing object is replaced only on request', async () => {
  const file = join(folder, 'film.bin');
  await writeFile(file, Buffer.alloc(48 * 1_024 ** 2, 'f'));
  await page.goto(`${origin}/objects`);
  await page.getByRole('link', { name: 'photos', exact: true }).click();
  await object('notes.txt').waitFor();
  link.holdAfter(256 * 1_024);
  await drop([file]);
  const bar = page.getByRole('progressbar', { name: 'Transfer of film.bin' });
  await waitFor('the upload to be under way', async () => Number(await bar.getAttribute('value')) > 0);
  link.cut();
  const failed = page.locator('[data-transfer="film.bin"][data-state="failed"]');
  await failed.getByText(/^The connection to the cluster at http:.* broke after \d/).waitFor();
  expect(await object('film.bin').count()).toBe(0);
  link.mend();
  await page.getByRole('button', { name: 'Try again film.bin' }).click();
  await transfer('film.bin', 'done');
  await object('film.bin').waitFor();
  // One that is cancelled stores nothing.
  link.holdAfter(256 * 1_024);
  await writeFile(join(folder, 'other.bin'), Buffer.alloc(16 * 1_024 ** 2, 'o'));
  await drop([join(folder, 'other.bin')]);
  await page.getByRole('button', { name: 'Cancel other.bin' }).click();
  await transfer('other.bin', 'cancelled');
  link.mend();

  await writeFile(join(folder, 'notes.txt'), 'of other notes');
  await drop([join(folder, 'notes.txt')]);
  await transfer('notes.txt', 'taken');
  expect(await download('notes.txt')).toBe('of the notes');
  await page.getByRole('button', { name: 'Replace notes.txt' }).click();
  await untilCount(page, '[data-transfer="notes.txt"][data-state="done"]', 2);
  expect(await download('notes.txt')).toBe('of other notes');
  expect(await object('other.bin').count()).toBe(0);
  // The cut is the only error.
  expect(watched.errors.filter((text) => !text.includes('net::ERR_'))).toEqual([]);
}, 180_000);

test('keys of signed URLs are shown on request only', async () => {
  await page.goto(`${origin}/objects`);
  await page.getByText('Show the 2 keys of signed URLs').waitFor();
  await untilCount(page, '[data-key]', 0);
  await page.getByLabel('Show the 2 keys of signed URLs').check();
  await untilCount(page, '[data-key]', 2);
  await page.locator('[data-key]').getByText('URLs for uploads').waitFor();
});
