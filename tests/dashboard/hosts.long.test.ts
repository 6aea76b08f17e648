// The page of the database's hosts in a real browser: hosts, copies, lag, each change with its cause and gap; ONE COPY stands out.
import { expect, test } from '@jest/globals';
import { until, untilCount } from './support/browser.ts';
import { hostMove, hostProcess } from './support/fake-hosts.ts';
import { describePages } from './support/page-suite.ts';

const suite = describePages();

test('hosts, their missing writes, and every move of the primary are shown; the loss of a copy stands out', async () => {
  const { page, world, open } = suite();
  world.hosts.begin();
  const leftBehind = [{ hostName: 'a', transactions: '2', folder: '/ha/saved/3' }];
  world.hosts.moves.push(
    hostMove({}),
    hostMove({
      timelineEpoch: 3,
      primaryName: 'b',
      previousName: 'a',
      reason: 'a did not renew its lease',
      gapMs: 1_234,
      leftBehind,
    }),
    hostMove({
      ...{ timelineEpoch: null, state: 'FAILED', startedAt: null, gapMs: null },
      reason: 'it was taken back',
    }),
  );
  await open('/hosts');
  const hosts = page.locator('.hosts > li');
  await hosts.nth(0).getByText('primary', { exact: true }).waitFor();
  await hosts.nth(1).getByText('no lag').waitFor();
  await page.locator('.copies').getByText('2 copies').waitFor();
  const moves = page.locator('.moves > li');
  await moves.nth(0).getByText('87 ms without a primary').waitFor();
  const steps = moves.nth(0).getByRole('list', { name: 'Steps of the move' }).getByRole('listitem');
  await steps.nth(0).getByText('requested: a').waitFor();
  await steps.nth(2).getByText('a accepts writes, 87 ms later').waitFor();
  await moves.nth(1).getByText('1234 ms without a primary').waitFor();
  await moves.nth(1).getByText('a did not renew its lease').waitFor();
  await moves.nth(1).getByText('a had 2 transactions that b lacks').waitFor();
  await moves.nth(2).getByText('failed').waitFor();
  await moves.nth(2).getByText('it was taken back').waitFor();
  await untilCount(page, '.strip-stale', 0);

  const [first, second, witness] = (world.hosts.status?.hosts ?? []) as object[];
  const behind = { ...second, state: 'FOLLOWS', behindTransactions: '17', clockAheadMs: -2_500, keysDiffer: true };
  world.hosts.update(
    { copies: 1, hosts: [first, behind, witness] },
    { kind: 'ha.copies', to: 'ONE_COPY', reason: 'a' },
  );
  await page.getByRole('alert').getByText('ONE COPY').waitFor();
  await until(page, 'document.title === "(1 without a second copy) Hosts · Tidegate"');
  await page.locator('.copies[data-copies="1"]').getByText('ONE COPY').waitFor();
  await hosts.nth(1).getByText('17 transactions behind').waitFor();
  await hosts.nth(1).getByText('Its clock is 2500 ms behind.').waitFor();
  await hosts.nth(1).getByText("Its key files differ from the primary's.").waitFor();
  await page.locator('.feed-line').getByText('one copy').waitFor();

  const returning = {
    ...second,
    site: 'east',
    state: 'RETURNING',
    behindTransactions: null,
    stateReason: 'a copy: 40 %',
  };
  world.hosts.update({ hosts: [first, returning, witness] });
  await hosts.nth(1).getByText('site east').waitFor();
  await hosts.nth(1).getByText('It returns: a copy: 40 %').waitFor();
});

test('a switchover is followed without a reload: its steps as they happen, the address, and its duration', async () => {
  const { page, world, open } = suite();
  const { hosts } = world;
  hosts.begin();
  await open('/hosts');
  const address = page.locator('[data-stop="address"]');
  await address.getByText('now at a').waitFor();
  await page.getByText('No primary changes yet.').waitFor();
  const askedMs = Date.now() - 2_000;
  const at = (ms: number) => new Date(askedMs + ms).toISOString();
  const asked = { timelineEpoch: null, primaryName: 'b', previousName: 'a', reason: null, createdAt: at(0) };
  const waiting = { ...asked, id: 'move-1', state: 'PENDING', startedAt: null, finishedAt: null, gapMs: null };
  hosts.moves.unshift(hostMove(waiting));
  hosts.update({ move: { id: 'move-1', state: 'PENDING', primaryName: 'b' } });
  const steps = page.getByRole('list', { name: 'Steps of the move' }).getByRole('listitem');
  await steps.nth(1).getByText('now b takes over').waitFor();
  expect(await steps.count()).toBe(2);
  hosts.moves[0] = hostMove({ ...waiting, state: 'RUNNING', startedAt: at(500) });
  hosts.update({ move: { id: 'move-1', state: 'RUNNING', primaryName: 'b' } });
  await steps.nth(1).getByText('no primary any more, 500 ms later').waitFor();
  await steps.nth(2).getByText('now b starts accepting writes').waitFor();
  hosts.moves[0] = hostMove({
    ...{ ...asked, id: 'move-1', timelineEpoch: 5 },
    ...{ startedAt: at(500), finishedAt: at(587) },
  });
  const [first, second, witness] = (hosts.status?.hosts ?? []) as object[];
  hosts.update({
    ...{ primaryName: 'b', epoch: 5, move: null },
    hosts: [{ ...first, state: 'IN_SYNC' }, { ...second, state: 'PRIMARY' }, witness],
  });
  await address.getByText('now at b').waitFor();
  await steps.nth(2).getByText('b accepts writes, 87 ms later').waitFor();
  await page.locator('.moves > li').getByText('87 ms without a primary').waitFor();
});

test('a switchover and a pause each need one confirmation', async () => {
  const { page, world, open } = suite();
  world.hosts.begin();
  await open('/hosts');
  const dialog = page.getByRole('dialog');
  await page
    .locator('.hosts')
    .getByRole('button', { name: /Switch over/ })
    .click();
  await dialog.getByText('Make b the primary?').waitFor();
  await dialog.getByRole('button', { name: 'Switch over', exact: true }).click();
  await page.locator('.copies').getByText('moving to b').waitFor();
  await page.getByRole('button', { name: 'Pause…' }).click();
  await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.locator('.copies').getByText('automatic failover is paused').waitFor();
  await page.getByRole('button', { name: 'Resume…' }).click();
  await dialog.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.getByRole('button', { name: 'Pause…' }).waitFor();
  expect(world.mutations.map(({ name }) => name)).toEqual(['haSwitchover', 'haPause', 'haResume']);
  expect(world.mutations[0]?.input).toMatchObject({ to: 'b', idempotencyKey: expect.stringMatching(/^dashboard-/) });
});

test('the page of a single machine explains this, without an error, and has the processes with their versions', async () => {
  const { page, world, open } = suite();
  const old = { programVersion: null, commitHash: null, roles: [], hostName: null };
  world.hosts.processes.push(
    hostProcess({}),
    hostProcess({ ...old, name: 'relay-1' }),
    hostProcess({ name: 'worker-1', live: false }),
  );
  await open('/hosts');
  const processes = page.locator('.panel-processes li');
  await processes.nth(0).getByText('0.3.0 0123abcd').waitFor();
  await processes.nth(0).getByText('system · worker').waitFor();
  await processes.nth(1).getByText('0.2.0', { exact: true }).waitFor();
  await processes.nth(2).getByText('silent').waitFor();
  await page.locator('.panel-processes .summary').getByText('3 · 2 versions').waitFor();
  await page.getByRole('heading', { name: 'This installation has one data host.' }).waitFor();
  expect(await page.locator('.failures').count()).toBe(0);
  expect(await page.getByText(/INTERNAL|NOT_CONFIGURED/).count()).toBe(0);
});

test('a single machine has no link to the page', async () => {
  const { page, open } = suite();
  await open('/relay');
  const links = page.getByRole('navigation', { name: 'Pages' });
  await links.getByText('Load balancers').waitFor();
  expect(await links.getByText('Hosts', { exact: true }).count()).toBe(0);
});
