// The link that a start prints, in a real browser at a real system. It logs in once, and the code is stored nowhere.
// needs: dashboard
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { type AllInOne, allInOneConfig, startAllInOne } from '../../compose/all-in-one.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { launchBrowser, openPage, until, untilLive } from './support/browser.ts';

let folder: TemporaryFolder;
let system: AllInOne;
let browser: Browser;
let url: string;
const ending = new AbortController();

beforeAll(async () => {
  folder = await temporaryFolder();
  system = await startAllInOne({
    config: allInOneConfig({ flags: { 'listen.port': '0', 'log.level': 'silent' } }),
    ...{ dataPath: join(folder.path, 'data'), withLab: false, signal: ending.signal },
    ...{ stdout: new PassThrough().resume(), givesLoginCode: true },
  });
  url = system.process.url ?? '';
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await folder?.remove();
});

/** As printed in the summary. */
function printedLink(): string {
  const [link = ''] = /http\S+#code=\S+/.exec(system.summary) ?? [];
  return link;
}

test('opens the dashboard logged in, without the code in the address, in storage or in any request', async () => {
  const { page, context, errors } = await openPage(browser, url);
  const sent: string[] = [];
  context.on('request', (request) => sent.push(`${request.url()} ${JSON.stringify(request.headers())}`));
  const code = printedLink().split('#code=')[1] ?? '';
  expect(code).toMatch(/^tgc_/);
  await page.goto(printedLink());
  await untilLive(page);
  expect(page.url()).not.toContain('code');
  expect(
    await page.evaluate<string>(
      'JSON.stringify([{ ...sessionStorage }, { ...localStorage }, history.state, document.cookie])',
    ),
  ).not.toContain(code);
  // Only in the body of the one mutation.
  expect(sent.join('\n')).not.toContain(code);
  await page.reload();
  await untilLive(page);
  expect(errors).toEqual([]);
  await context.close();

  const other = await openPage(browser, url);
  await other.page.goto(printedLink());
  await other.page.getByText('the code was used before').waitFor();
  await other.page.getByLabel('Password').waitFor();
  expect(other.page.url()).not.toContain('code');
  expect(other.errors).toEqual([]);
  await other.context.close();
});

test('in a tab with a login, a link keeps that login, and the code is not used', async () => {
  const access = system.process.access;
  if (access === undefined) throw new Error('it has the role system');
  const [first, second] = [
    await access.firstStart.issueLoginCode('admin'),
    await access.firstStart.issueLoginCode('admin'),
  ];
  const { page, context } = await openPage(browser, url);
  await page.goto(`${url}/#code=${first}`);
  await untilLive(page);
  await page.goto(`${url}/relay#code=${second}`);
  // The document stays the same, and only a load reads the code.
  await page.reload();
  await until(page, "location.hash === ''");
  await untilLive(page);
  await context.close();
  const other = await openPage(browser, url);
  await other.page.goto(`${url}/#code=${second}`);
  await untilLive(other.page);
  await other.context.close();
});
