// The page of load balancers in a real browser: the list, one load balancer with its parts, and manual actions.
import { describe, expect, test } from '@jest/globals';
import { focusedRow, login, until, untilCount, untilLive } from './support/browser.ts';
import { stepsTo } from './support/fake-balancers.ts';
import { now, uptime } from './support/fake-values.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

/** web-1 with two nodes on host-1, and app-1 to app-3. */
function addWeb({ loadBalancing }: ReturnType<typeof suite>['world']): void {
  loadBalancing.addHost();
  loadBalancing.addBalancer();
  loadBalancing.addNode('lb1');
  loadBalancing.addNode('lb1');
  for (let count = 0; count < 3; count += 1) loadBalancing.addMember('lb1');
}

describe('the list', () => {
  test('shows name, project, URL, statuses with reasons, nodes and requests a second, failing ones first', async () => {
    const { page, world, open } = suite();
    const { loadBalancing } = world;
    addWeb(world);
    loadBalancing.addBalancer({
      provisioningStatus: 'ERROR',
      provisioningReason: 'no host has a free address',
      operatingStatus: 'DEGRADED',
      operatingReason: '1 of 3 members serves',
      wantedNodes: 3,
    });
    loadBalancing.addNode('lb2', { nodeState: 'BUILDING', steps: stepsTo(2) });
    loadBalancing.traffic.set('lb1', [
      { startedAt: now(-1000), requests: 30, errors: 0, latencyMs: 4 },
      { startedAt: now(-2000), requests: 10, errors: 0, latencyMs: 4 },
    ]);
    loadBalancing.minutes.set('lb1', [
      { startedAt: now(-60_000), requests: 120, errors: 0, latencyMs: 4 },
      { startedAt: now(-120_000), requests: 30, errors: 0, latencyMs: 4 },
    ]);
    Object.assign(loadBalancing.balancers.get('lb1') ?? {}, { uptime: () => uptime('DAY', 1) });
    await page.setViewportSize({ width: 1440, height: 900 });
    await open('/loadbalancer');
    await untilCount(page, '.rows-balancers .row', 2);
    const rows = page.locator('.rows-balancers .row');
    const [first, second] = [rows.nth(0), rows.nth(1)];
    await first.getByText('change failed').waitFor();
    await first.getByText('degraded').waitFor();
    await first.getByText('1 of 3 members serves · no host has a free address').waitFor();
    await first.getByText('0/3 nodes').waitFor();
    for (const text of ['web-1', 'acme', 'http://web-1.acme.lb.example.net/', '2/2 nodes', 'online'])
      await second.getByText(text, { exact: true }).waitFor();
    await second.locator('.rate').getByText('20').waitFor();
    await second.locator('.latency').getByText('4 ms').waitFor();
    await second.getByRole('img', { name: '0.5 to 2.0 requests a second in the last hour' }).waitFor();
    await second.locator('.since').getByText('2 h').waitFor();
    await first.getByRole('img', { name: 'no traffic reported in the last hour' }).waitFor();
    expect((await rows.nth(0).boundingBox())?.height).toBeLessThan(36);
    loadBalancing.update(
      'lb1',
      { operatingStatus: 'ERROR', operatingReason: 'no member serves' },
      { kind: 'loadBalancer.operatingStatus', from: 'ONLINE', to: 'ERROR', reason: 'no member serves' },
    );
    await rows.nth(0).getByText('no member serves').waitFor();
    await until(page, 'document.title === "(2 not fully up) Load balancers · Tidegate"');
    loadBalancing.update(
      'n1',
      { nodeState: 'REPLACED' },
      { kind: 'loadBalancerNode.state', from: 'SERVING', to: 'REPLACED', reason: 'it does not answer' },
    );
    await rows.nth(0).getByText('1/2 nodes').waitFor();
    await page.locator('.feed-line').getByText('it does not answer').waitFor();
  });

  test('a load balancer whose first node is being created is neither up nor down', async () => {
    const { page, world, open } = suite();
    world.loadBalancing.addBalancer({
      ...{ provisioningStatus: 'PENDING', provisioningReason: '2 of 2 nodes are being created' },
      ...{ operatingStatus: 'UNKNOWN', operatingReason: 'none of its nodes has served yet' },
    });
    await open('/loadbalancer');
    await page.locator('.panel-balancers').getByText('1 being created').waitFor();
    const badges = page.locator('.balancer-row .badges');
    await badges.getByText('being created').waitFor();
    expect(await badges.locator('.badge').count()).toBe(1);
    await until(page, 'document.title === "Load balancers · Tidegate"');
    await page.locator('.balancer-row').click();
    const head = page.locator('.shown-head');
    await head.locator('.badge').getByText('being created').waitFor();
    await head.getByText('2 of 2 nodes are being created').waitFor();
  });

  test('is filtered, opened and left by keyboard, and the address reflects the view', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    world.loadBalancing.addBalancer({ name: 'mail', urls: [] });
    await open('/loadbalancer');
    await page.getByLabel('Filter').fill('web');
    await untilCount(page, '.rows-balancers .row', 1);
    await page.getByLabel('Filter').fill('');
    await page.keyboard.press('Escape');
    await page.keyboard.press('1');
    expect(await focusedRow(page)).toBe('lb2');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await until(page, "location.search === '?balancer=lb1'");
    await page.getByRole('heading', { name: 'web-1' }).waitFor();
    await untilCount(page, '.rows-members .row', 3);
    await page.keyboard.press('m');
    expect(await focusedRow(page)).toBe('mb1');
    await page.keyboard.press('Enter');
    await until(page, "location.search === '?balancer=lb1&member=mb1'");
    await page.keyboard.press('Escape');
    await until(page, "location.search === '?balancer=lb1'");
    expect(await focusedRow(page)).toBe('mb1');
    await page.reload();
    await untilLive(page);
    await page.getByRole('button', { name: '‹ All load balancers' }).click();
    await untilCount(page, '.rows-balancers .row', 2);
  });

  test('explains how to create the first one', async () => {
    const { page, open } = suite();
    await open('/loadbalancer');
    await page.getByText('No load balancers yet').waitFor();
    await page.getByText('No hosts yet.').waitFor();
  });
});

describe('one load balancer', () => {
  test('has a tree with hundreds of members, failing ones first, changed by the feed', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    const { loadBalancing } = world;
    for (let number = 4; number <= 650; number += 1) loadBalancing.addMember('lb1');
    await open('/loadbalancer?balancer=lb1');
    await untilCount(page, '.rows-members .row', 650);
    await page.locator('.tree').getByText('650 of 650 members serve').waitFor();
    loadBalancing.update(
      'mb600',
      { operatingStatus: 'ERROR', operatingReason: 'HTTP status 503' },
      { kind: 'poolMember.operatingStatus', from: 'ONLINE', to: 'ERROR', reason: 'HTTP status 503' },
    );
    await page.locator('.rows-members .row').first().getByText('HTTP status 503').waitFor();
    await page.locator('.tree').getByText('649 of 650 members serve').waitFor();
    // Another user removed a member, so its load balancer has changed.
    loadBalancing.members.delete('mb600');
    loadBalancing.update('lb1', {}, { kind: 'loadBalancer.changed', from: 'ACTIVE', to: 'ACTIVE' });
    await untilCount(page, '.rows-members .row', 649);
    await page.getByLabel('Filter').fill('app-42');
    await untilCount(page, '.rows-members .row', 11);
  });

  test('has its members again after a break in the feed', async () => {
    const { page, world, server, open, tolerate } = suite();
    addWeb(world);
    await open('/loadbalancer?balancer=lb1');
    await untilCount(page, '.rows-members .row', 3);
    await server.kill();
    world.loadBalancing.update('lb1', {}, { kind: 'loadBalancer.changed', from: 'ACTIVE', to: 'ACTIVE' });
    world.loadBalancing.addMember('lb1');
    world.oldestSeq = world.changes.length;
    await server.start();
    await page.getByText('disconnected for longer than changes are kept').waitFor();
    await untilCount(page, '.rows-members .row', 4);
    tolerate(/WebSocket connection to|net::ERR_/);
  });

  test('shows a node through its steps, and replaces one manually after one confirmation', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    const { loadBalancing } = world;
    loadBalancing.addNode('lb1', { nodeState: 'BUILDING', steps: stepsTo(1), operatingStatus: 'UNKNOWN' });
    await open('/loadbalancer?balancer=lb1');
    const row = page.locator('.rows-nodes [data-row="n3"]');
    await row.getByText('1 of 5 steps: made is next').waitFor();
    loadBalancing.update(
      'n3',
      { steps: stepsTo(3) },
      { kind: 'loadBalancerNode.step', from: 'MADE', to: 'CONFIGURED' },
    );
    await row.getByText('3 of 5 steps: checked is next').waitFor();
    await page.locator('.rows-nodes [data-row="n1"]').click();
    const drawer = page.locator('.drawer');
    await untilCount(page, '.steps li[data-done="true"]', 5);
    await drawer.getByRole('button', { name: 'Replace…' }).click();
    expect(world.mutations).toEqual([]);
    loadBalancing.refusals.push({ code: 'LIMIT_REACHED', message: 'No host has room for another node.' });
    const dialog = page.getByRole('dialog', { name: 'Replace node-1?' });
    await dialog.getByRole('button', { name: 'Replace', exact: true }).click();
    await dialog.getByText('No host has room for another node. (id)').waitFor();
    await dialog.getByText('LIMIT_REACHED').waitFor();
    await dialog.getByRole('button', { name: 'Replace', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
    await drawer.getByRole('heading', { name: 'draining' }).waitFor();
    await page.locator('.feed-line').first().getByText('replaced by hand').waitFor();
    expect(await drawer.getByRole('button', { name: 'Replace…' }).isDisabled()).toBe(true);
    expect(world.mutations.map(({ name, input }) => [name, input.id])).toEqual([
      ['loadBalancerNodeReplace', 'n1'],
      ['loadBalancerNodeReplace', 'n1'],
    ]);
    // A refused key can't be used again.
    expect(new Set(world.mutations.map(({ input }) => input.idempotencyKey)).size).toBe(2);
  });

  test('counts down the last sessions of a draining node without events', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    const { loadBalancing } = world;
    const leaves = { nodeState: 'DRAINING', deleteAt: now(30_000) } as const;
    loadBalancing.update('n1', leaves, { kind: 'loadBalancerNode.state', from: 'SERVING', to: 'DRAINING' });
    await open('/loadbalancer?balancer=lb1&node=n1');
    const drawer = page.locator('.drawer');
    await drawer.getByText('after its last session, at the latest in').waitFor();
    const left = drawer.locator('div:has(> dt:text-is("Sessions left")) dd');
    expect(await left.count()).toBe(0);
    for (const sessions of [2, 0]) {
      Object.assign(loadBalancing.nodes.get('n1') ?? {}, { sessions });
      await left.getByText(String(sessions), { exact: true }).waitFor();
    }
  });

  test('drains a member and restores it, and enables a disabled one', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    world.loadBalancing.addMember('lb1', { enabled: false, operatingStatus: 'OFFLINE' });
    await open('/loadbalancer?balancer=lb1&member=mb2');
    const drawer = page.locator('.drawer');
    await drawer.getByRole('button', { name: 'Drain…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await drawer.getByRole('button', { name: 'Drain…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain', exact: true }).click();
    await page.locator('.rows-members [data-row="mb2"]').getByText('draining').waitFor();
    await page.locator('.feed-line').first().getByText('app-2').waitFor();
    await drawer.getByRole('button', { name: 'Stop draining…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop draining' }).click();
    await page.locator('.rows-members [data-row="mb2"]').getByText('online').waitFor();
    await page.locator('.rows-members [data-row="mb4"]').click();
    await drawer.getByRole('button', { name: 'Enable…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Enable', exact: true }).click();
    await drawer.getByRole('button', { name: 'Enable…' }).waitFor({ state: 'detached' });
    await drawer.getByRole('button', { name: 'Take out…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take out', exact: true }).click();
    await page.locator('.rows-members [data-row="mb4"]').getByText('disabled').waitFor();
    const sent = world.mutations.map(({ name, input: { idempotencyKey: _, ...input } }) => [name, input]);
    expect(sent).toEqual([
      ['poolMemberDrain', { id: 'mb2' }],
      ['poolMemberDrainCancel', { id: 'mb2' }],
      ['poolMemberUpdate', { id: 'mb4', enabled: true }],
      ['poolMemberUpdate', { id: 'mb4', enabled: false }],
    ]);
  });

  test('a member is drained as soon as it has no session left, or when its time is over', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    const { members } = world.loadBalancing;
    const drained = { operatingStatus: 'DRAINING', drainUntil: now(3_600_000) };
    world.loadBalancing.addMember('lb1', { ...drained, sessions: 2 });
    world.loadBalancing.addMember('lb1', { ...drained, drainUntil: now(-1_000) });
    await open('/loadbalancer?balancer=lb1');
    const row = page.locator('.rows-members [data-row="mb4"]');
    await row.getByText('2 sessions left, until').waitFor();
    await row.getByText('draining').waitFor();
    const pool = page.getByLabel('Pool shop');
    await pool.getByText('3 of 5 members serve (1 draining, 1 drained)').waitFor();
    Object.assign(members.get('mb4') ?? {}, { sessions: 0 });
    await row.getByText('no sessions left').waitFor();
    await row.getByText('drained').waitFor();
    await pool.getByText('3 of 5 members serve (2 drained)').waitFor();
  });

  test('a scaling is one line of the changes, which opens', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    const { loadBalancing } = world;
    await open('/loadbalancer?balancer=lb1');
    const to = (id: string, kind: string, from: string, state: string) =>
      loadBalancing.update(id, {}, { kind, from, to: state });
    to('lb1', 'loadBalancer.operatingStatus', 'ONLINE', 'DEGRADED');
    for (const id of ['n1', 'n2']) {
      to(id, 'loadBalancerNode.step', 'CHECKED', 'IN_DNS');
      to(id, 'loadBalancerNode.state', 'BUILDING', 'SERVING');
    }
    to('lb1', 'loadBalancer.operatingStatus', 'DEGRADED', 'ONLINE');
    const entry = page.locator('.fold > summary');
    await entry.getByText(/^2 nodes added, degraded for/).waitFor();
    await entry.getByText('6 changes').waitFor();
    await untilCount(page, '.feed-line', 1);
    await entry.click();
    await untilCount(page, '.fold ul .feed-line', 6);
  });

  test('shows traffic by second, minute and hour, and decisions with their basis', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    const { loadBalancing } = world;
    loadBalancing.traffic.set(
      'lb1',
      Array.from({ length: 60 }, (_, index) => ({
        startedAt: now(-1000 * index),
        requests: 120,
        errors: index === 0 ? 60 : 0,
        latencyMs: 12,
      })),
    );
    const decision = { fromNodes: 2, recommendedNodes: 4, dryRun: false, decidedAt: now(-5000) };
    loadBalancing.decisions.set('lb1', [
      {
        ...{ ...decision, id: 'd2', action: 'GROW', toNodes: 3, reason: 'load is 92 %' },
        figures: [
          { nodeName: 'node-1', loadPercent: 92.4, measuredAt: now(-6000), warmingUp: false },
          { nodeName: 'node-2', loadPercent: null, measuredAt: null, warmingUp: true },
        ],
      },
      { ...decision, id: 'd1', action: 'KEEP', toNodes: 2, reason: 'within the tolerance', figures: [] },
    ]);
    await open('/loadbalancer?balancer=lb1');
    const traffic = page.locator('.panel-traffic');
    await traffic.getByText('newest 120, of these 60.0 failed').waitFor();
    await traffic.getByText('newest 12 ms').waitFor();
    await untilCount(page, '.panel-traffic canvas', 4);
    // Errors are drawn only if there were some.
    const errors = traffic.locator('.legend').getByText('errors');
    await errors.waitFor();
    const seconds = loadBalancing.traffic.get('lb1') ?? [];
    loadBalancing.traffic.set(
      'lb1',
      seconds.map((second) => ({ ...second, errors: 0 })),
    );
    await errors.waitFor({ state: 'detached' });
    loadBalancing.traffic.set('lb1', seconds);
    await traffic.getByRole('button', { name: 'Minutes' }).click();
    await traffic.getByText('newest 2.0, of these 1.0 failed').waitFor();
    const decisions = page.locator('.panel-decisions');
    await decisions.getByText('grow 2 → 3').waitFor();
    await decisions.getByText('2 figures; they recommend 4').click();
    await decisions.getByText('92 %').first().waitFor();
    await decisions.getByText('warming up').waitFor();
    await decisions.getByRole('button', { name: 'Show unchanged' }).click();
    await decisions.getByText('keep 2').waitFor();
    const node = loadBalancing.nodes.get('n2');
    if (node !== undefined) world.tell(node, 'loadBalancerNode.decision', 'REPLACE', 'its process ended');
    await decisions.getByText('replace node-2').waitFor();
    await decisions.getByText('its process ended').waitFor();
  });

  test('shows all figures of a listener, a node and a member', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    const { loadBalancing } = world;
    const figures = (requests: number) => [
      { startedAt: now(), requests, errors: 1, latencyMs: 7, sessions: 3, bytesIn: 400, bytesOut: 12_000 },
    ];
    for (const [index, id] of ['lb1', 'l1', 'n1', 'mb1'].entries()) loadBalancing.traffic.set(id, figures(10 + index));
    await open('/loadbalancer?balancer=lb1');
    const traffic = page.locator('.panel-traffic');
    await traffic.getByText('newest 10.0, of these 1.0 failed').waitFor();
    await traffic.getByText('newest 3.0').waitFor();
    await traffic.getByText('newest 400 B in, 11.7 KiB out').waitFor();
    await traffic.getByLabel('Traffic of').selectOption({ label: 'port 80' });
    await traffic.getByText('newest 11.0, of these 1.0 failed').waitFor();
    const drawer = page.locator('.drawer');
    await page.locator('.rows-nodes [data-row="n1"]').click();
    await drawer.getByText('newest 12.0, of these 1.0 failed').waitFor();
    await page.locator('.rows-members [data-row="mb1"]').click();
    await drawer.getByText('newest 13.0, of these 1.0 failed').waitFor();
    await untilCount(page, '.drawer canvas', 4);
    await drawer.getByRole('button', { name: 'Minutes' }).click();
    await drawer.getByText('newest 0.2, of these 0.0 failed').waitFor();
  });

  test('replaces all nodes manually after one confirmation', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    await open('/loadbalancer?balancer=lb1');
    await page.getByRole('button', { name: 'Fail over…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replace all nodes of web-1?' });
    await dialog.getByRole('button', { name: 'Fail over', exact: true }).click();
    await page.locator('.feed-line').first().getByText('a failover was requested').waitFor();
    expect(world.mutations.map(({ name, input }) => [name, input.id])).toEqual([['loadBalancerNodesReplace', 'lb1']]);
  });

  test('charts use the time zone of all other times', async () => {
    const { page, world, server } = suite();
    addWeb(world);
    world.loadBalancing.traffic.set('lb1', [{ startedAt: now(), requests: 5, errors: 0, latencyMs: 3 }]);
    const context = await page.context().browser()?.newContext({ timezoneId: 'Asia/Kolkata' });
    await context?.addInitScript(`
      globalThis.drawn = [];
      const fill = CanvasRenderingContext2D.prototype.fillText;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
        globalThis.drawn.push(text);
        return fill.call(this, text, ...place);
      };
    `);
    const abroad = await context?.newPage();
    if (abroad === undefined) throw new Error('there is no browser');
    await login(abroad, server, world, '/loadbalancer?balancer=lb1');
    const hours = `globalThis.drawn.filter((text) => /^\\d\\d:/.test(text)).map((text) => Number(text.slice(0, 2)))`;
    await until(abroad, `${hours}.length > 0`);
    await abroad.getByRole('button', { name: /Switch to UTC/ }).click();
    await abroad.getByRole('button', { name: /Times are in UTC/ }).waitFor();
    await abroad.evaluate('globalThis.drawn = []');
    await until(abroad, `${hours}.length > 0`);
    const near = [-1, 0, 1].map((by) => (new Date().getUTCHours() + by + 24) % 24);
    for (const hour of await abroad.evaluate<number[]>(hours)) expect(near).toContain(hour);
    await context?.close();
  });

  test('charts follow the colours of the page', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    world.loadBalancing.traffic.set('lb1', [{ startedAt: now(), requests: 5, errors: 0, latencyMs: 3 }]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await open('/loadbalancer?balancer=lb1');
    await untilCount(page, '.panel-traffic canvas', 4);
    await page.evaluate('void (globalThis.firstCanvas = document.querySelector(".panel-traffic canvas"))');
    await page.emulateMedia({ colorScheme: 'light' });
    await until(page, '!globalThis.firstCanvas.isConnected');
    await untilCount(page, '.panel-traffic canvas', 4);
  });
});

describe('hosts', () => {
  test('are cordoned, released and evacuated by administrators', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    world.loadBalancing.addHost({ presence: 'ABSENT' });
    await open('/loadbalancer');
    const rows = page.locator('.rows-hosts .row');
    await rows.nth(0).getByText('host-2').waitFor();
    await page.keyboard.press('2');
    expect(await focusedRow(page)).toBe('h2');
    await rows.nth(1).getByText('2/300 nodes').waitFor();
    await rows.nth(1).click();
    const drawer = page.locator('.drawer');
    await drawer.getByText('node-2').waitFor();
    await drawer.getByRole('button', { name: 'Cordon…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cordon', exact: true }).click();
    await page.locator('.rows-hosts [data-row="h1"]').getByText('cordoned').waitFor();
    await drawer.getByRole('button', { name: 'Release…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release', exact: true }).click();
    await page.locator('.rows-hosts [data-row="h1"]').getByText('cordoned').waitFor({ state: 'detached' });
    await drawer.getByRole('button', { name: 'Evacuate…' }).click();
    await page.getByRole('dialog').getByText('its 2 nodes are replaced by nodes on other hosts').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Evacuate', exact: true }).click();
    await page.locator('.rows-hosts [data-row="h1"]').getByText('cordoned').waitFor();
    world.loadBalancing.update(
      'h1',
      { removing: true },
      { kind: 'loadBalancerHost.changed', from: 'PRESENT', to: 'PRESENT' },
    );
    await page.locator('.rows-hosts [data-row="h1"]').getByText('removing').waitFor();
    await drawer.getByText('It is being removed.').waitFor();
    const sent = world.mutations.map(({ name, input: { idempotencyKey: _, ...input } }) => [name, input]);
    expect(sent).toEqual([
      ['loadBalancerHostCordonSet', { id: 'h1', evacuate: false }],
      ['loadBalancerHostCordonLift', { id: 'h1' }],
      ['loadBalancerHostCordonSet', { id: 'h1', evacuate: true }],
    ]);
  });

  test("are not shown to others, who can't perform actions as viewers either", async () => {
    const { page, world, open } = suite();
    Object.assign(world.user, { admin: false, role: 'VIEWER' });
    addWeb(world);
    await open('/loadbalancer?balancer=lb1&member=mb1');
    await page.locator('.drawer').getByText('Only members of its project can do this.').waitFor();
    expect(await page.locator('.drawer').getByRole('button', { name: 'Drain…' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: '‹ All load balancers' }).click();
    await untilCount(page, '.rows-balancers .row', 1);
    expect(await page.locator('.panel-hosts').count()).toBe(0);
  });

  test('that fail together stop healing, which is shown above everything until it is over', async () => {
    const { page, world, open } = suite();
    addWeb(world);
    const healing = { __typename: 'LoadBalancerHealing', id: 'healing', version: 1 };
    world.tell(healing, 'loadBalancerHealing.state', 'STOPPED', '5 of 8 nodes on 3 hosts are down.');
    await open('/loadbalancer');
    await page.getByRole('alert').getByText('5 of 8 nodes on 3 hosts are down.').waitFor();
    world.tell(healing, 'loadBalancerHealing.state', 'WORKING', 'Nodes are back.');
    await page.locator('.strip-stale').waitFor({ state: 'detached' });
  });
});
