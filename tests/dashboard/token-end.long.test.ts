// Access tokens valid for seconds, with the usual clients: the page in a browser and the command line. Their sockets are closed
// repeatedly while changes continue, and each change is seen once.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startCommand } from '../cli/commands/run-command.ts';
import { until } from '../support/machine/temporary-folder.ts';
import { Administrator } from '../support/product/administrator.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { launchBrowser, login, openPage, untilCount } from './support/browser.ts';

/** The minimum of the setting. */
const lifeSeconds = 5;
/** The number of closed sockets of each client to wait for. */
const rounds = 2;

let system: RunningSystem;
let browser: Browser;

beforeAll(async () => {
  system = await runningSystem({ settings: { 'sessions.accessTokenSeconds': String(lifeSeconds) } });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

let administrator: Administrator;
async function change(name: string, input: object): Promise<{ id: string }> {
  const { backend } = await administrator.change<{ backend: { id: string } }>(
    ...([`backend${name}`, input, 'backend { id }', system.token] as const),
  );
  return backend;
}

test('page and command line outlive their access tokens without a gap, a duplicate or a message', async () => {
  const passwordFile = join(system.folder, 'accounts', 'admin.password');
  const { origin } = new URL(system.url);
  administrator = await Administrator.of(system);
  const { page, errors } = await openPage(browser, origin);
  let pageSockets = 0;
  page.on('websocket', (socket) => socket.on('close', () => (pageSockets += 1)));
  const { id } = await change('Create', {
    name: 'changing',
    driver: 'linux-nftables',
    host: '192.0.2.1',
    credentials: { username: 'x', password: 'y' },
  });
  await login(page, { url: origin }, { user: administrator });
  await page.evaluate(`
    window.states = [];
    new MutationObserver(() => window.states.push(document.querySelector('.live')?.dataset.live))
      .observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-live'] });
  `);
  const before = await page.locator('.feed .subject').count();
  const filter = ['--subject', id];
  const follow = startCommand([
    ...['events', 'follow', '--json', '--user', 'admin', '--password-file', passwordFile, '--url', system.url],
    ...filter,
  ]);
  const seen = () =>
    follow
      .stdout()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { subjectVersion: number }).subjectVersion);

  let changes = 0;
  const changeOnce = async () => {
    changes += 1;
    await change('Update', { id, site: `site ${changes}` });
    // The page shows the newest few hundred.
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
  // The command line begins with the changes after it connected.
  while (seen().length === 0) await changeOnce();
  const first = seen()[0] ?? 0;
  while (pageSockets < rounds) await changeOnce();
  await untilCount(page, '.feed .subject', before + changes);
  await until(() => seen().at(-1) === 1 + changes);

  expect(seen()).toEqual(Array.from({ length: 2 + changes - first }, (_, index) => first + index));
  expect(await page.evaluate<string>('window.states.join()')).toBe('');
  expect(errors).toEqual([]);
  follow.interrupt();
  expect(await follow.exitCode).toBe(0);
  expect(follow.stderr()).not.toContain('connection lost');
});
