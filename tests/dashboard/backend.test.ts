// A backend's drawer: its details, and a device that presents a key or certificate other than the accepted one.
import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { until } from './support/browser.ts';
import { now } from './support/fake-values.ts';
import { type FakeWorld, health } from './support/fake-world.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();
const accepted = 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU';
const shown = 'SHA256:9k2b1sQ0sVxg8TqkUeYFz4nEo7aKcB5mH3wR6yJtLpI';
const other = 'SHA256:AAAA1sQ0sVxg8TqkUeYFz4nEo7aKcB5mH3wR6yJtLpI';

function addChanged(world: FakeWorld, patch: object = {}): void {
  world.addBackend({
    driverName: 'fortios',
    hostKeySha256: null,
    certificateSha256: accepted,
    presented: { kind: 'CERTIFICATE', sha256: shown },
    operatingStatus: 'OFFLINE',
    circuit: { state: 'OPEN', since: now(-60_000), reason: 'Another certificate than the accepted one' },
    ...patch,
  });
}

/** Names and values of the drawer's facts. */
async function facts(page: Page): Promise<Readonly<Record<string, string>>> {
  return await page.evaluate(
    'Object.fromEntries([...document.querySelectorAll(".drawer .facts-list > div")].map((row) => [row.querySelector("dt").textContent, row.querySelector("dd").textContent]))',
  );
}

test('shows everything that an operator needs to know about a backend, and stays current', async () => {
  const { page, world, open } = suite();
  world.addBackend({
    health: health({ softwareVersion: 'nftables 1.0.6', serial: '9f2c11d07f1b', latencyMs: 4 }),
    queue: { waiting: 7, inFlight: 2, limit: 100, holder: 'relay-1' },
    cryptoProfile: 'LEGACY',
    options: { vdom: 'edge' },
  });
  await open('/relay?show=b1');
  await until(page, 'document.querySelector(".drawer").textContent.includes("vdom")');
  expect(await facts(page)).toMatchObject({
    Family: 'firewall 1',
    Driver: 'linux-nftables',
    Software: 'nftables 1.0.6',
    Serial: '9f2c11d07f1b',
    Address: 'SSH 192.0.2.1 port 22',
    'Host key': accepted,
    Cryptography: 'legacy – weak algorithms are allowed',
    'Log in with': 'username, private key',
    Queue: '2 on the wire, 7 waitingof 100 that may wait',
    Concurrency: '4, one at a time on one object',
    'Held by': 'relay-1',
    Circuit: 'closed',
    Options: 'vdom="edge"',
  });
  world.updateBackend(
    'b1',
    { circuit: { state: 'HALF_OPEN', since: now(), reason: '5 calls in a row had no reply' } },
    { kind: 'backend.circuit', from: 'OPEN', to: 'HALF_OPEN' },
  );
  await page.getByRole('heading', { name: 'The circuit is half open' }).waitFor();
  await page.getByText('5 calls in a row had no reply').waitFor();
  await page.getByText('One trial call is allowed.').waitFor();
  await page.getByRole('button', { name: 'Filter by this backend' }).click();
  await until(page, "location.search === '?backend=b1'");
});

describe('a device that presents another certificate', () => {
  test('is accepted after a question that shows both, and exactly the presented one', async () => {
    const { page, world, open } = suite();
    addChanged(world);
    await open();
    await page.locator('.rows-backends').getByText('certificate changed').click();
    await page
      .getByRole('heading', { name: 'The device shows a different certificate than the accepted one' })
      .waitFor();
    await page.getByRole('button', { name: 'Accept it' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Accept this certificate of fw-1?').waitFor();
    expect(await dialog.locator('.fingerprints dd').allTextContents()).toEqual([shown, accepted]);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Accept it' }).click();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(world.mutations).toEqual([]);

    await page.getByRole('button', { name: 'Accept it' }).click();
    // The stored credentials were given for the other certificate.
    await dialog.getByLabel('Account').fill('netops');
    await dialog.getByLabel('Private key').fill('PRIVATE\nKEY\n');
    await dialog.getByRole('button', { name: 'Accept this certificate' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(world.mutations).toEqual([
      {
        name: 'backendCertificateAccept',
        input: {
          ...{ id: 'b1', certificateSha256: shown, idempotencyKey: expect.stringMatching(/^dashboard-/) },
          credentials: { username: 'netops', privateKey: 'PRIVATE\nKEY\n' },
        },
      },
    ]);
    await page.locator('.rows-backends').getByText('certificate changed').waitFor({ state: 'detached' });
    await page.locator('.rows-backends').getByText('circuit open').waitFor({ state: 'detached' });
    expect((await facts(page)).Certificate).toBe(shown);
  });

  test('that presents another one while the question is open is not accepted', async () => {
    const { page, world, open } = suite();
    addChanged(world);
    await open('/relay?show=b1');
    await page.getByRole('button', { name: 'Accept it' }).click();
    world.updateBackend(
      'b1',
      { presented: { kind: 'CERTIFICATE', sha256: other } },
      { kind: 'backend.identity', from: null, to: 'CERTIFICATE_PRESENTED' },
    );
    const dialog = page.getByRole('dialog');
    await dialog.getByText("The device's answer has changed.").waitFor();
    expect(await dialog.locator('.fingerprints dd').first().textContent()).toBe(shown);
    expect(await dialog.getByRole('button', { name: 'Accept this certificate' }).isDisabled()).toBe(true);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('.drawer').getByText(other).waitFor();
    expect(world.mutations).toEqual([]);
  });

  test('can be accepted only by an operator', async () => {
    const { page, world, open } = suite();
    Object.assign(world.user, { admin: false, role: 'MEMBER' });
    addChanged(world);
    await open('/relay?show=b1');
    await page.getByText('Only an operator of its project can accept it.').first().waitFor();
    expect(await page.getByRole('button', { name: 'Accept it' }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Close the circuit' }).isDisabled()).toBe(true);
  });
});

test('a host key that was never accepted appears by itself and can be accepted', async () => {
  const { page, world, open } = suite();
  const nothing = { hostKeySha256: null, operatingStatus: 'UNKNOWN', health: health({ checkedAt: null }) };
  world.addBackend(nothing);
  await open('/relay?show=b1');
  await page.locator('.rows-backends').getByText('nothing accepted').waitFor();
  expect((await facts(page)).Accepted).toBe('none yet: no calls can be made');
  world.updateBackend(
    'b1',
    { presented: { kind: 'HOST_KEY', sha256: shown } },
    { kind: 'backend.identity', from: null, to: 'HOST_KEY_PRESENTED' },
  );
  await page.locator('.rows-backends').getByText('unknown host key').waitFor();
  await page.getByRole('button', { name: 'Accept it' }).click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.locator('.fingerprints dd').allTextContents()).toEqual([shown, 'none yet']);
  await dialog.getByRole('button', { name: 'Accept this host key' }).click();
  await dialog.waitFor({ state: 'hidden' });
  expect(world.mutations).toMatchObject([{ name: 'backendHostKeyAccept', input: { id: 'b1', hostKeySha256: shown } }]);
  await page.locator('.rows-backends').getByText('unknown host key').waitFor({ state: 'detached' });
});

test('a backend whose certificate an authority signed needs no accepted certificate', async () => {
  const { page, world, open } = suite();
  world.addBackend({ hostKeySha256: null, caCertificates: '-----BEGIN CERTIFICATE-----' });
  await open('/relay?show=b1');
  await page.locator('.drawer').getByText('those registered with it may sign its certificate').waitFor();
  expect(await page.locator('.rows-backends .badge').count()).toBe(1);
  expect((await facts(page)).Accepted).toBeUndefined();
});
