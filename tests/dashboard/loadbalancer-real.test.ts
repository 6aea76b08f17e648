// The page of load balancers against a whole process. Every requested field is answered within the cost limits, and
// manual actions return through the feed. The host and the nodes are only rows.
// needs: dashboard
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Connection, createConnection } from 'mariadb';
import type { Browser } from 'playwright-core';
import { decodeId } from '../../platform/values/ids.ts';
import { Administrator } from '../support/product/administrator.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { launchBrowser, login, openPage, until, untilCount } from './support/browser.ts';

let system: RunningSystem;
let browser: Browser;
let db: Connection;
let administrator: Administrator;

beforeAll(async () => {
  system = await runningSystem();
  administrator = await Administrator.of(system);
  browser = await launchBrowser();
  db = await createConnection({ ...system.database.connection });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await db?.end();
  await system?.stop();
});

async function create(members: number): Promise<string> {
  const input = {
    name: 'web',
    listeners: [{ protocol: 'HTTP', port: 80, defaultPool: 'shop' }],
    pools: [
      {
        name: 'shop',
        memberProtocol: 'HTTP',
        members: Array.from({ length: members }, (_, index) => ({ host: `192.0.2.${index + 1}`, port: 80 })),
        healthMonitor: { monitorType: 'HTTP' },
      },
    ],
  };
  const made = await administrator.change<{ loadBalancer: { id: string } }>(
    ...(['loadBalancerCreate', input, 'loadBalancer { id }', system.token] as const),
  );
  return made.loadBalancer.id;
}

async function insert(table: string, row: Readonly<Record<string, unknown>>): Promise<void> {
  const names = Object.keys(row);
  await db.query(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    Object.values(row),
  );
}

/** A host, a half-created node, a serving node, and a minute of traffic. */
async function insertRows(balancerId: string): Promise<void> {
  const hostId = randomUUID();
  const facts = {
    ...{ provider: 'NETNS', public_range: '198.51.100.0/24', management_range: '10.200.0.0/16' },
    ...{ max_nodes: 300, health_port: 9000 },
  };
  await insert('host_record', { machine_id: hostId, released: true, ...facts });
  await insert('lb_host', { id: hostId, name: 'host-1', presence: 'PRESENT', ...facts });
  const [{ project_id: projectId }] = await db.query('SELECT project_id FROM lb_load_balancer WHERE id = ?', [
    balancerId,
  ]);
  const node = { project_id: projectId, load_balancer_id: balancerId, host_id: hostId, connections: 100, threads: 1 };
  const placed = new Date();
  await insert('lb_node', {
    ...{ ...node, id: randomUUID(), name: 'web-a', state: 'SERVING', operating_status: 'ONLINE' },
    ...{ address: '198.51.100.1', placed_at: placed, made_at: placed, configured_at: placed, checked_at: placed },
    in_dns_at: placed,
  });
  await insert('lb_node', { ...node, id: randomUUID(), name: 'web-b', state: 'BUILDING', placed_at: placed });
  await insert('lb_traffic', {
    ...{ subject_id: balancerId, period: 'MINUTE', at: new Date(Math.floor(Date.now() / 60_000) * 60_000 - 60_000) },
    ...{ requests: 120, errors: 60, server_errors: 60, sessions: 2, bytes_in: 1, bytes_out: 6_000, latency_ms: 9 },
  });
}

test('list, parts, nodes, traffic, a drain by hand, a replacement and a cordon', async () => {
  const id = await create(150);
  await insertRows(decodeId(id)?.key ?? '');
  const { origin } = new URL(system.url);
  const { page, errors, foreign } = await openPage(browser, origin);
  await login(page, { url: origin }, { user: administrator }, '/loadbalancer');

  const row = page.locator('.rows-balancers .row');
  await row.getByText('http://web.default.lb.internal/').or(row.getByText('being created')).first().waitFor();
  await row.getByText('1/2 nodes').waitFor();
  await page.locator('.rows-hosts').getByText('2/300 nodes').waitFor();
  await row.click();
  await untilCount(page, '.rows-members .row', 150);
  await page.locator('.rows-nodes').getByText('1 of 5 steps: made is next').waitFor();
  await page.locator('.panel-traffic').getByText('No traffic reported in this period.').waitFor();
  await page.locator('.panel-traffic').getByRole('button', { name: 'Minutes' }).click();
  await page.locator('.panel-traffic').getByText('newest 2.0, of these 1.0 failed').waitFor();
  await page.locator('.panel-traffic').getByText('newest 0 B in, 100 B out').waitFor();
  await page.locator('.panel-traffic').getByLabel('Traffic of').selectOption({ index: 1 });
  await page.locator('.panel-traffic').getByText('No traffic reported in this period.').waitFor();
  await page.locator('.panel-decisions').getByText('No decisions yet.').waitFor();

  await page
    .getByLabel('Uptime of web')
    .getByRole('img', { name: /^24 bars/ })
    .waitFor();
  await page.getByRole('button', { name: 'HAProxy’s statistics' }).click();
  await page.getByLabel('Statistics of web-a').getByText('No statistics in the last day.').waitFor();
  await page.getByRole('button', { name: 'Path of a request' }).click();
  await page.locator('.stop').getByText('198.51.100.1').waitFor();
  await page.locator('.stop').getByText('139 more members').waitFor();
  await page.getByRole('button', { name: 'Parts' }).click();

  const drawer = page.locator('.drawer');
  await page.locator('.rows-members .row').first().click();
  await drawer.getByText('No traffic reported in this period.').waitFor();
  await drawer.getByRole('button', { name: 'Drain…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Drain', exact: true }).click();
  await page.locator('.rows-members').getByText('its sessions end by').waitFor();
  await page.locator('.feed-line').getByText('web', { exact: true }).first().waitFor();

  await page.locator('.rows-nodes').getByText('web-a').click();
  await drawer.getByRole('button', { name: 'Replace…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replace', exact: true }).click();
  // The changes of a load balancer and its parts are folded.
  await until(
    page,
    '[...document.querySelectorAll(".fold")].forEach((fold) => { fold.open = true; }) ?? document.querySelector(".feed").textContent.includes("its replacement was requested")',
  );

  await drawer.getByRole('button', { name: 'host-1' }).click();
  await drawer.getByRole('button', { name: 'web-b' }).waitFor();
  await drawer.getByRole('button', { name: 'Cordon…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cordon', exact: true }).click();
  await drawer.getByRole('heading').getByText('cordoned').waitFor();
  expect(errors).toEqual([]);
  expect(foreign).toEqual([]);
});
