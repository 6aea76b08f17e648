// Headless Chromium for page tests: records console errors and requests to other origins.
// needs: chromium, system
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { proofs } from '../../support/jest/proofs.ts';
import { patience } from '../../support/machine/patience.ts';

/** Generous, for a busy machine, but shorter than a test's own limit, so that a failure names its wait. */
const waitMs = 60_000 * patience;

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Console errors and uncaught exceptions. */
  readonly errors: string[];
  /** Requests to another origin. */
  readonly foreign: string[];
}

export async function openPage(browser: Browser, origin: string): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ignoreHTTPSErrors: true });
  context.setDefaultTimeout(waitMs);
  const errors: string[] = [];
  const foreign: string[] = [];
  context.on('console', (message) => {
    // Chromium aborts requests when a network interface of the machine appears or disappears, for example in other tests' labs.
    if (message.text().includes('net::ERR_NETWORK_CHANGED')) return;
    if (message.type() === 'error') errors.push(`${message.text()} at ${message.location().url}`);
  });
  context.on('weberror', (error) => errors.push(error.error().message));
  context.on('request', (request) => {
    const { protocol, origin: to } = new URL(request.url());
    if (to !== origin && protocol !== 'data:' && protocol !== 'blob:') foreign.push(request.url());
  });
  const page = await context.newPage();
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== new URL(origin).host) foreign.push(socket.url());
  });
  return { context, page, errors, foreign };
}

/** Works with the fake server and a real one, and with the fake world and a real account. */
export async function login(
  page: Page,
  server: { readonly url: string },
  world: { readonly user: { readonly name: string; readonly password: string } },
  path = '/relay',
): Promise<void> {
  await page.goto(`${server.url}${path}`);
  await page.getByLabel('Name').fill(world.user.name);
  await page.getByLabel('Password').fill(world.user.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await untilLive(page);
}

/** What a person does in the pages of a context. Typed fields do not count. */
export interface Presses {
  clicks: number;
  /** Choices from a list. */
  choices: number;
  /** Of the key Enter. */
  enters: number;
}

const countsPresses = `
addEventListener('pointerdown', () => countPress('clicks'), true);
addEventListener('change', ({ target }) => target.matches('select') && countPress('choices'), true);
addEventListener('keydown', ({ key }) => key === 'Enter' && countPress('enters'), true);`;

/** Counts from the next document on. */
export async function countPresses(context: BrowserContext): Promise<Presses> {
  const presses: Presses = { clicks: 0, choices: 0, enters: 0 };
  await context.exposeBinding('countPress', (_, what: keyof Presses) => {
    presses[what] += 1;
  });
  await context.addInitScript(countsPresses);
  return presses;
}

const pagesInMenu = ['CMP objects', 'People', 'Audit', 'GraphiQL'];

/** Clicks a link of the header. */
export async function openFromHeader(page: Page, name: string): Promise<void> {
  const links = page.getByRole('navigation', { name: 'Pages' });
  if (pagesInMenu.includes(name)) await links.getByRole('button', { name: 'More' }).click();
  await links.getByRole('link', { name, exact: true }).click();
}

export async function untilLive(page: Page): Promise<void> {
  try {
    await page.locator('.live[data-live="LIVE"]').waitFor();
  } catch (error) {
    const text = await page.locator('body').innerText();
    throw new Error(`never live at ${page.url()}, which says: ${text.slice(0, 1000)}`, { cause: error });
  }
}

/** Waits until an expression of the page is true. Playwright's own wait would need eval, which the page's policy forbids. */
export async function until(page: Page, expression: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < waitMs; waitedMs += 50) {
    if ((await page.evaluate(expression)) === true) {
      proofs.publish(expression);
      return;
    }
    await page.waitForTimeout(50);
  }
  throw new Error(`never true in the page: ${expression}`);
}

export async function untilCount(page: Page, selector: string, count: number): Promise<void> {
  await until(page, `document.querySelectorAll(${JSON.stringify(selector)}).length === ${count}`);
}

/** The `data-row` of the focused element; empty if it has none. */
export async function focusedRow(page: Page): Promise<string> {
  return await page.evaluate<string>('document.activeElement?.dataset?.row ?? ""');
}
