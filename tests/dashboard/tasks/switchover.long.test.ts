// By mouse, on three real hosts: a person watches a switchover, from the start page, without a reload.
// needs: chromium, dashboard, keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { runProgram } from '../../../embedded/run-program.ts';
import type { HostName } from '../../../lab/ha/plan.ts';
import { describeDemo, folder, namespaceOf, slowMs, tidegate, url, whole } from '../../bin/support/ha-demo.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { launchBrowser, login, openPage, until, untilLive } from '../support/browser.ts';

/** In milliseconds, seconds or minutes. */
const took = '(?:[\\d.]+ m?s|\\d+ min \\d+ s)';

describeDemo('by mouse', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** True if this host has the cluster's address. */
  async function holdsAddress(host: HostName, address: string): Promise<boolean> {
    const words = ['netns', 'exec', await namespaceOf(host), 'ip', '-o', 'address'];
    const { stdout } = await runProgram('ip', words, { timeoutMs: 10_000 });
    return stdout.includes(` ${address}/`);
  }

  test(
    'watch a switchover: the address, its steps, its duration, and the entry in the history',
    async () => {
      const { primary } = await whole();
      const [from, to] = primary === 'a' ? (['a', 'b'] as const) : (['b', 'a'] as const);
      const origin = new URL(await url()).origin;
      const { hostname } = new URL(origin);
      const { context, page, errors } = await openPage(browser, origin);
      const password = (await readFile(join(folder(), 'admin.password'), 'utf8')).trim();
      await login(page, { url: origin }, { user: { name: 'admin', password } }, '/');
      await page.evaluate('window.isFirstDocument = true');

      const tile = page.locator('[data-domain="hosts"]');
      await tile.getByText('3 hosts · 2 copies').waitFor();
      await tile.getByRole('link', { name: 'Hosts' }).click();
      const address = page.locator('[data-stop="address"]');
      await address.getByText(`now at ${from}`).waitFor();
      expect(await holdsAddress(from, hostname)).toBe(true);
      const hosts = page.locator('.hosts > li');
      await hosts.filter({ hasText: 'primary' }).getByText(from, { exact: true }).waitFor();
      await page.locator('.panel-moves .summary').getByText('newest').waitFor();
      const movesBefore = await page.locator('.moves > li').count();

      await hosts.getByRole('button', { name: /Switch over/ }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(`Make ${to} the primary?`).waitFor();
      await dialog.getByRole('button', { name: 'Switch over', exact: true }).click();

      await address.getByText(`now at ${to}`).waitFor();
      await waitFor('the address at the other host', () => holdsAddress(to, hostname));
      expect(await holdsAddress(from, hostname)).toBe(false);
      await hosts.filter({ hasText: 'primary' }).getByText(to, { exact: true }).waitFor();
      const move = page.locator('.moves > li').first();
      await move.getByText(`${from} → ${to}`).waitFor();
      const gap = move.getByText(new RegExp(`^${took} without a primary$`));
      await gap.waitFor();
      const steps = move.getByRole('list', { name: 'Steps of the move' }).getByRole('listitem');
      await steps.nth(0).getByText(`requested: ${to}`).waitFor();
      await steps
        .nth(1)
        .getByText(new RegExp(`no primary any more, ${took} later`))
        .waitFor();
      await steps
        .nth(2)
        .getByText(new RegExp(`${to} accepts writes, ${took} later`))
        .waitFor();
      expect(await page.locator('.moves > li').count()).toBe(movesBefore + 1);
      await page
        .locator('.feed-line')
        .getByText(new RegExp(`^${to} took over from ${from}`))
        .waitFor();
      await page.locator('.copies').getByText('2 copies').waitFor();
      await untilLive(page);
      expect(await page.evaluate('window.isFirstDocument')).toBe(true);

      const words = await gap.innerText();
      await page.reload();
      await move.getByText(words, { exact: true }).waitFor();
      await until(page, 'document.title === "Hosts · Tidegate"');
      const { stdout } = await tidegate(['ha', 'history', '--json']);
      const { moves } = JSON.parse(stdout) as { moves: readonly object[] };
      expect(moves.at(-1)).toMatchObject({ kind: 'SWITCHOVER', state: 'SUCCEEDED', previous: from, primary: to });
      // The address was gone for a moment. Over http, Chromium says of each page that it ignores one header.
      const expected = /net::ERR_|WebSocket|Cross-Origin-Opener-Policy header has been ignored/;
      expect(errors.filter((error) => !expected.test(error))).toEqual([]);
      await context.close();
    },
    slowMs,
  );
});
