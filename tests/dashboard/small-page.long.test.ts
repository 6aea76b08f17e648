// A page is a folder and one line. A copy of the dashboard gets both, and everything else works by itself.
// needs: dashboard
import { execFile } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { hashesPath } from '../../platform/graph/generated-schema.ts';
import { patience } from '../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { focusedRow, launchBrowser, login, openPage, until, untilLive, type Watched } from './support/browser.ts';
import { FakeServer } from './support/fake-server.ts';
import { FakeWorld } from './support/fake-world.ts';

const rootFolder = join(import.meta.dirname, '../..');
const line = "  { name: 'sites', title: 'Sites', load: () => import('./pages/sites/page.tsx') },\n";
const world = new FakeWorld();

let folder: TemporaryFolder;
let browser: Browser;
let server: FakeServer;
let watched: Watched;

beforeAll(async () => {
  folder = await temporaryFolder();
  await copyDashboard(folder.path);
  const source = join(folder.path, 'dashboard/src');
  await cp(join(import.meta.dirname, 'page/sites'), join(source, 'pages/sites'), { recursive: true });
  const list = await readFile(join(source, 'pages.ts'), 'utf8');
  await writeFile(join(source, 'pages.ts'), list.replace('];', `${line}];`));
  await run(folder.path, 'tools/generate/graph.ts');
  await run(folder.path, 'node_modules/typescript/bin/tsc', '--noEmit', '-p', 'dashboard');
  await run(folder.path, 'dashboard/node_modules/vite/bin/vite.js', 'build', 'dashboard', '--logLevel', 'error');
  server = new FakeServer(world, join(folder.path, 'dashboard/dist'));
  await server.start();
  browser = await launchBrowser();
  watched = await openPage(browser, server.url);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.kill();
  await folder?.remove();
});

/** The files that a build needs; packages as links. */
async function copyDashboard(to: string): Promise<void> {
  for (const path of [
    'dashboard',
    'tools/generate',
    'platform/attention',
    'platform/graph',
    'platform/secrets',
    'platform/values',
    'cli/kinds',
    'schema',
    'docs/examples',
    'tsconfig.json',
  ]) {
    await cp(join(rootFolder, path), join(to, path), {
      recursive: true,
      filter: (from) => !/\/(node_modules|dist)$/.test(from),
    });
  }
  for (const path of ['node_modules', 'dashboard/node_modules', 'tools/generate/node_modules'])
    await symlink(join(rootFolder, path), join(to, path));
  const hashes = await readFile(join(rootFolder, hashesPath), 'utf8');
  for (const path of [hashesPath, ...Object.keys(JSON.parse(hashes))])
    await cp(join(rootFolder, path), join(to, path), { recursive: true });
  const { generates } = parse(await readFile(join(rootFolder, 'codegen.yml'), 'utf8'), { merge: true });
  const types = 'generated/dashboard/';
  await writeFile(join(to, 'codegen.yml'), stringify({ generates: { [types]: generates[types] } }));
}

async function run(cwd: string, program: string, ...args: readonly string[]): Promise<void> {
  const env = { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, [join(cwd, program), ...args], { cwd, env, timeout: 90_000 * patience });
}

test('it has its own path, live data, a filter, a drawer, keys and a subscription', async () => {
  const { page, errors, foreign } = watched;
  const sent: string[] = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(String(payload))));
  world.addBackend({ site: 'fra1' });
  world.addBackend({ site: 'ams2' });
  await login(page, server, world, '/sites');
  const rows = page.locator('.rows-sites .row');
  await rows.getByText('fw-2 in ams2: ONLINE').waitFor();
  world.updateBackend(
    'b2',
    { operatingStatus: 'OFFLINE' },
    { kind: 'backend.operatingStatus', from: 'ONLINE', to: 'OFFLINE' },
  );
  await rows.getByText('fw-2 in ams2: OFFLINE').waitFor();
  await page.locator('.feed-line').getByText('fw-2').waitFor();
  await page.getByLabel('Filter').fill('ams2');
  await until(page, "location.pathname + location.search === '/sites?q=ams2'");
  await rows.getByText('fra1').waitFor({ state: 'detached' });
  await page.getByLabel('Filter').blur();
  await page.keyboard.press('1');
  expect(await focusedRow(page)).toBe('b2');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'fw-2' }).waitFor();
  await until(page, "location.search === '?q=ams2&show=b2'");
  const [subscription] = sent.filter((text) => text.includes('statusChanges'));
  expect(subscription).toContain('subscription SitesChanges(');
  expect(subscription).toContain('...SiteBackendFields');
  expect(subscription).not.toMatch(/OperationFields|MappingFields/);
  expect(errors).toEqual([]);
  expect(foreign).toEqual([]);
});

test('the header leads from one page to the other and back, without another login', async () => {
  const { page, errors } = watched;
  world.addOperation({ name: 'rule.create' });
  await page.getByRole('navigation', { name: 'Pages' }).getByText('Relay').click();
  await until(page, "location.pathname + location.search === '/relay'");
  await untilLive(page);
  await page.locator('.rows-operations').getByText('rule.create').waitFor();
  await page.goBack();
  await page.locator('.rows-sites').getByText('fw-2').waitFor();
  await page.goto(`${server.url}/`);
  await page.getByRole('navigation', { name: 'Pages' }).getByText('Sites').waitFor();
  await page.locator('[data-domain="relay"]').getByText('2 backends').waitFor();
  expect(errors).toEqual([]);
});
