// The common parts of page tests: pages built once per run, and a world, a server and a browser context for each test.
// No test leaves an error in the console, or contacts another origin.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, login, openPage, type Watched } from './browser.ts';
import { builtPages } from './build-pages.ts';
import { FakeServer } from './fake-server.ts';
import { FakeWorld } from './fake-world.ts';

interface PageSuite extends Watched {
  readonly world: FakeWorld;
  readonly server: FakeServer;
  /** Logs in at a path. */
  open(path?: string): Promise<void>;
  /** Console errors that the test causes. */
  tolerate(errors: RegExp): void;
}

/** Returns a getter of the running test's parts. `expected`: errors of the console that all tests of the file make. */
export function describePages(expected?: RegExp): () => PageSuite {
  let folder: string;
  let browser: Browser;
  let current: PageSuite;
  let tolerated: RegExp | undefined;

  beforeAll(async () => {
    folder = await builtPages();
    browser = await launchBrowser();
  });

  beforeEach(async () => {
    const world = new FakeWorld();
    const server = new FakeServer(world, folder);
    await server.start();
    const watched = await openPage(browser, server.url);
    tolerated = expected;
    current = {
      ...{ world, server, ...watched, open: (path) => login(watched.page, server, world, path) },
      tolerate(errors) {
        tolerated = errors;
      },
    };
  });

  afterEach(async () => {
    await current.context.close();
    await current.server.kill();
    const { errors, foreign } = current;
    expect({ errors: errors.filter((error) => tolerated?.test(error) !== true), foreign }).toEqual({
      ...{ errors: [], foreign: [] },
    });
  });

  afterAll(() => browser?.close());

  return () => current;
}
