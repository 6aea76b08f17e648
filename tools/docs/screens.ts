// Pictures of every page of the dashboard of a running installation, at 1440 and 390 pixels, light and dark, for inspection by a person: sh
// bin/node24 tools/docs/screens.ts FOLDER [--url http://127.0.0.1:4000] [--data .tidegate]
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launch, logIn, settled } from './dashboard-browser.ts';

const sizes = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];
const colourSchemes = ['light', 'dark'] as const;
const waitMs = 30_000;

interface Place {
  /** Without a path. */
  readonly url: string;
  /** The administrator's password. */
  readonly password: string;
  /** API token, to find objects with. */
  readonly token: string;
  readonly folder: string;
}

/** Paths by name: the pages of this installation, and the details of its first objects. */
async function pathsOf(page: Page, { url, token }: Place): Promise<Readonly<Record<string, string>>> {
  const links = page.locator('nav.pages a');
  const paths: Record<string, string> = {};
  for (const link of await links.all()) {
    const path = (await link.getAttribute('href')) ?? '/';
    paths[path === '/' ? 'start' : path.slice(1)] = path;
  }
  for (const [name, [list, before]] of Object.entries(opened)) {
    const id = await firstIn(list, url, token);
    if (id !== undefined) paths[name] = `${before}${encodeURIComponent(id)}`;
  }
  const created = ['LoadBalancer', 'Gslb'].map((kind) => [`create-${kind.toLowerCase()}`, `/form?new=${kind}`]);
  return {
    ...paths,
    ...Object.fromEntries(created),
    ...{ register: '/register', cmp: '/cmp?object=tenant%2F42', graphiql: '/graphiql' },
  };
}

const opened: Readonly<Record<string, readonly [list: string, before: string]>> = {
  backend: ['backends', '/backend?id='],
  'relay-drawer': ['relayOperations', '/relay?operation='],
  'loadbalancer-drawer': ['loadBalancers', '/loadbalancer?balancer='],
  'gslb-drawer': ['gslbs', '/gslb?gslb='],
  'loadbalancer-history': ['loadBalancers', '/form?edit=LoadBalancer&id='],
  'people-drawer': ['projects', '/people?show='],
};

async function firstIn(list: string, url: string, token: string): Promise<string | undefined> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: `{ found: ${list}(first: 1) { nodes { id } } }` }),
    signal: AbortSignal.timeout(waitMs),
  });
  const { data } = (await response.json()) as { data?: { found: { nodes: readonly { id: string }[] } } | null };
  return data?.found.nodes[0]?.id;
}

async function takeAll(browser: Browser, place: Place): Promise<void> {
  const { url, password, folder } = place;
  for (const viewport of sizes)
    for (const colorScheme of colourSchemes) {
      const context = await browser.newContext({ viewport, colorScheme });
      context.setDefaultTimeout(waitMs);
      const page = await context.newPage();
      await page.goto(`${url}/relay`);
      const shoot = async (name: string) => {
        const path = join(folder, `${name}-${viewport.width}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: true });
        process.stdout.write(`${path}\n`);
      };
      await page.getByLabel('Name').waitFor();
      await shoot('login');
      await logIn(page, password);
      for (const [name, path] of Object.entries(await pathsOf(page, place))) {
        await page.goto(`${url}${path}`);
        await settled(page);
        await shoot(name);
      }
      await context.close();
    }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:4000' },
      data: { type: 'string', default: '.tidegate' },
      chromium: { type: 'string', default: '/usr/bin/chromium' },
    },
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error('give the folder for the pictures');
  await mkdir(folder, { recursive: true });
  const [password, token] = await Promise.all(
    ['admin.password', 'admin.token'].map(async (name) => (await readFile(join(values.data, name), 'utf8')).trim()),
  );
  if (password === undefined || token === undefined) throw new Error(`${values.data} has no login`);
  const browser = await launch(values.chromium);
  try {
    await takeAll(browser, { url: values.url.replace(/\/(?:graphql)?$/, ''), password, token, folder });
  } finally {
    await browser.close();
  }
}

await main();
