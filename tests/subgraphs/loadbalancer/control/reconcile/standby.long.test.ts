// ACTIVE_STANDBY as the reconciler creates it. Two nodes on two hosts share an address, which DNS always answers,
// whatever happens to the node that has it. With real hosts, namespaces, keepalived and name server.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NodeRow } from '../../../../../subgraphs/loadbalancer/rules/rows.ts';
import { Site } from '../../../../../trials/lb-heal/site.ts';
import { faultsNow } from '../../../../../trials/lb-heal/verdict.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { timeIsOver } from '../../support/time-is-over.ts';
import { canHaveNamespaces } from '../../support/two-hosts.ts';

(canHaveNamespaces ? describe : describe.skip)('two nodes with one address', () => {
  let site: Site;
  let balancerId: string;
  let floating: string;

  beforeAll(async () => {
    site = await Site.open('netns', true);
    balancerId = await site.create(2, { topology: 'ACTIVE_STANDBY' });
    floating = (await site.balancer(balancerId)).floatingAddress ?? '';
  }, 120_000);
  afterAll(() => site.close(), 60_000);

  /** The node that has the address, if exactly one has it. */
  async function holder(): Promise<NodeRow | undefined> {
    const found = await site.holdersOf(floating, await site.nodes(balancerId));
    return found.length === 1 ? found[0] : undefined;
  }

  const untilHeld = (by: (node: NodeRow) => boolean) =>
    waitFor('the address at one node', async () => {
      const found = await holder();
      return found !== undefined && by(found) && found;
    });

  /** Two nodes serve on two hosts, and nothing else is left. The answer is, and always was, the shared address. */
  async function expectWhole(): Promise<void> {
    await waitFor('two nodes', async () => (await faultsNow(site, [balancerId])).length === 0);
    const nodes = await site.nodes(balancerId);
    expect(new Set(nodes.map(({ hostId }) => hostId)).size).toBe(2);
    expect(new Set(nodes.map(({ floatingPriority }) => floatingPriority)).size).toBe(2);
    expect(await answer()).toEqual([floating]);
  }

  const answer = async () => site.ask((await site.balancer(balancerId)).hostName, 'A');
  const replaced = (node: NodeRow) =>
    waitFor('the replacement', async () => {
      const nodes = await site.nodes(balancerId);
      const isServing = nodes.filter(({ state }) => state === 'SERVING').length === 2;
      return isServing && nodes.some(({ id, state }) => id === node.id && state === 'REPLACED');
    });

  test('one of them has it', async () => {
    expect(floating).not.toBe('');
    await untilHeld(() => true);
    await expectWhole();
  }, 120_000);

  test("when the holder's HAProxy hangs, the other takes the address, a new one stands by, and the old one comes back", async () => {
    const first = await untilHeld(() => true);
    await site.hostOf(first).signal(first, 'SIGSTOP');
    await untilHeld(({ id }) => id !== first.id);
    await replaced(first);
    expect(await answer()).toEqual([floating]);
    await site.hostOf(first).signal(first, 'SIGCONT');
    await expectWhole();
    expect((await site.nodes(balancerId)).map(({ id }) => id)).toContain(first.id);
    await untilHeld(() => true);
  }, 180_000);

  test("the holder's host is lost, and comes back too late", async () => {
    const first = await untilHeld(() => true);
    const host = site.hostOf(first);
    await host.lose();
    await untilHeld(({ id }) => id !== first.id);
    await replaced(first);
    expect(await answer()).toEqual([floating]);
    await timeIsOver(site.ground, first);
    await host.process.start();
    await expectWhole();
    expect((await site.nodes(balancerId)).map(({ id }) => id)).not.toContain(first.id);
    await untilHeld(() => true);
  }, 180_000);

  test('its deletion leaves neither nodes nor addresses', async () => {
    await site.delete(balancerId);
    expect(await answer()).toEqual([]);
    const sql = 'SELECT 1 FROM lb_address WHERE freed_at IS NULL';
    expect(await site.ground.db.query(sql)).toEqual([]);
    for (const host of site.hosts) await waitFor('nothing is left', async () => (await host.present()).length === 0);
  }, 120_000);
});
