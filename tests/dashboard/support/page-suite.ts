// The common parts of page tests: pages built once per run, and a world, a server and a browser context for each test.
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage, type Watched } from './browser.ts';
import { builtPages } from './build-pages.ts';
import { FakeServer } from './fake-server.ts';
import { FakeWorld } from './fake-world.ts';

interface PageSuite extends Watched {
  readonly world: FakeWorld;
  readonly server: FakeServer;
}

/** Returns a getter of the running test's parts. */
export function describePages(): () => PageSuite {
  let folder: string;
  let browser: Browser;
  let current: PageSuite;

  beforeAll(async () => {
    folder = await builtPages();
    browser = await launchBrowser();
  });

  beforeEach(async () => {
    const world = new FakeWorld();
    const server = new FakeServer(world, folder);
    await server.start();
    current = { world, server, ...(await openPage(browser, server.url)) };
  });

  afterEach(async () => {
    await current.context.close();
    await current.server.kill();
  });

  afterAll(async () => {
    await browser?.close();
  });

  return () => current;
}
