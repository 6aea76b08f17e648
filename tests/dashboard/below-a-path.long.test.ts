// Everything works below a path of a name, https://HOST/tidegate/: the dashboard, GraphiQL, the login and its cookie, sockets, event streams,
// objects, and the command line. nginx is in front, as docker/systemd/nginx.conf says.
// needs: dashboard, haproxy
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { request } from 'undici';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type Nginx, startNginx } from '../support/servers/nginx.ts';
import { launchBrowser, login, openPage, untilLive, type Watched } from './support/browser.ts';
import { ServingSystem } from './support/serving-system.ts';

const path = '/tidegate/';
const program = join(import.meta.dirname, '../../bin/tidegate');
const run = promisify(execFile);
let serving: ServingSystem;
let nginx: Nginx;
let browser: Browser;
let watched: Watched;
let page: Page;
/** With the path, without its last slash. */
let home: string;
let projectId: string;

beforeAll(async () => {
  serving = await ServingSystem.start();
  const { system } = serving;
  nginx = await startNginx({ folder: system.path('.'), gateway: new URL(system.url).host, path });
  home = `${nginx.origin}/tidegate`;
  browser = await launchBrowser();
  watched = await openPage(browser, nginx.origin);
  ({ page } = watched);
}, 180_000 * patience);

afterAll(async () => {
  await browser?.close();
  await nginx?.[Symbol.asyncDispose]();
  await serving?.stop();
}, 60_000 * patience);

const pathShown = () => new URL(page.url()).pathname;

test('a login stays below the path, and survives a reload; every page and link is there', async () => {
  await login(page, { url: home }, serving, '/');
  const cookies = await watched.context.cookies(`${home}/session/login`);
  expect(cookies).toMatchObject([{ path: '/tidegate/session', secure: true, httpOnly: true, sameSite: 'Strict' }]);
  expect(await watched.context.cookies(`${nginx.origin}/session/login`)).toEqual([]);
  await page.reload();
  await untilLive(page);

  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Relay', exact: true }).click();
  await page.getByRole('heading', { name: 'Backends' }).first().waitFor();
  expect(pathShown()).toBe('/tidegate/relay');
  await page.goBack();
  await page.getByRole('heading', { name: 'Start' }).or(page.locator('.tile')).first().waitFor();
  expect(pathShown()).toBe('/tidegate/');
  const links = await page.locator('a[href^="/"]').evaluateAll((all) => all.map((each) => each.getAttribute('href')));
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((link) => link?.startsWith('/tidegate/') !== true)).toEqual([]);
});

test('a change of somebody else appears by itself', async () => {
  await page.goto(`${home}/people`);
  await untilLive(page);
  projectId = await serving.system.make('projectCreate', { name: 'below' }, serving.token);
  await page.getByRole('link', { name: 'below', exact: true }).first().waitFor();
});

test('an object is uploaded and downloaded', async () => {
  await serving.system.make('objectContainerCreate', { name: 'photos', projectId }, serving.token);
  await page.goto(`${home}/objects`);
  await page.getByRole('link', { name: 'photos', exact: true }).click();
  await page.getByRole('heading', { name: 'photos' }).waitFor();
  expect(pathShown()).toBe('/tidegate/container');
  const file = serving.system.path('cat.txt');
  await writeFile(file, 'of a cat, ü');
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Upload files' }).click(),
  ]);
  await chooser.setFiles(file);
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download cat.txt', exact: true }).click(),
  ]);
  expect(await readFile(await saved.path(), 'utf8')).toBe('of a cat, ü');
});

test('a browser that opens the endpoint gets GraphiQL, which is logged in', async () => {
  await page.goto(`${home}/graphql`);
  await page.locator('.graphiql-container').waitFor();
  expect(pathShown()).toBe('/tidegate/graphiql');
  const asked = page.waitForResponse((each) => each.url() === `${home}/graphql` && each.request().method() === 'POST');
  expect((await asked).status()).toBe(200);
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await untilLive(page);
  expect(pathShown()).toBe('/tidegate/');
  expect(watched.errors).toEqual([]);
});

test('the command line lists, follows events and exports', async () => {
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    HOME: serving.system.path('.'),
    NODE_EXTRA_CA_CERTS: nginx.caFile,
    TIDEGATE_TOKEN: serving.token,
  };
  const tidegate = (...args: readonly string[]) => run(program, args, { env, cwd: serving.system.path('.') });
  for (const url of [home, `${home}/`, `${home}/graphql`]) {
    const { stdout } = await tidegate('projects', 'list', '-o', 'name', '--url', url);
    expect(stdout.split('\n')).toContain('below');
  }
  const file = serving.system.path('mappings.ndjson');
  await tidegate('mappings', 'export', '--file', file, '--url', home);
  expect(await readFile(file, 'utf8')).toContain('"after"');
  const followed = tidegate('events', 'follow', '--kind', 'project.created', '--url', home);
  let told = '';
  followed.child.stdout?.on('data', (part) => {
    told += part;
  });
  // Events from before it listens do not count.
  let made = 0;
  await waitFor('an event', async () => {
    made += 1;
    await serving.tidegate(`projects create followed-${made} --wait 10`);
    return told.includes('project.created');
  });
  followed.child.kill('SIGINT');
  await followed;
});

test('an event stream comes at once', async () => {
  const { body } = await request(`${home}/graphql`, {
    ...{ dispatcher: nginx.agent, method: 'POST' },
    headers: {
      authorization: `Bearer ${serving.token}`,
      accept: 'text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ query: 'subscription { statusChanges { change { id } } }' }),
  });
  let stream = '';
  for await (const part of body) {
    stream += String(part);
    if (stream.includes('event: next')) break;
  }
  expect(stream).toContain('event: next');
});
