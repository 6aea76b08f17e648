// Load balancers in the trial of restores: a control plane with a worker, and hosts with real HAProxies. After the restore each node serves
// according to the database, and nothing runs that the database does not know.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeId } from '../../platform/values/ids.ts';
import { LbWorld } from '../../tests/subgraphs/loadbalancer/support/lb-world.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import { backUp } from '../../tests/support/stores/backup.ts';
import { answerOf } from '../answer-of.ts';
import type { Random } from '../random.ts';
import { untilTrue } from '../until.ts';
import { type Found, guardOf, lift, mostMs, notice, type RestoredPlace, type TrialOfRestore } from './place.ts';

const port = 8_080;
/** Requests for finding a node's members: with equal weights they take turns. */
const requests = 9;
const servedMs = 20_000;

interface Member {
  readonly id: string;
  readonly web: string;
  readonly enabled: boolean;
}

export class BalancersPlace implements RestoredPlace {
  readonly #world: LbWorld;
  readonly #folder: string;

  private constructor(world: LbWorld, folder: string) {
    this.#world = world;
    this.#folder = folder;
  }

  static async open(folder: string): Promise<BalancersPlace> {
    const world = await LbWorld.open({ settings: { nodeDrainMs: 300, hostGoneMs: 3_000 } });
    for (const name of ['host-1', 'host-2']) await world.addHost(name);
    await waitFor('hosts', () => world.link.connected === 2);
    return new BalancersPlace(world, folder);
  }

  stop(): Promise<void> {
    return this.#world.close();
  }

  async trial({ number, random, most }: TrialOfRestore): Promise<Found> {
    const world = this.#world;
    const { db } = world.ground;
    const guard = await guardOf(world.ground, this.#folder);
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => guard.stop());
    const kept = await world.create(`kept-${number}`, 2, port);
    const deleted = await world.create(`deleted-${number}`, 1, port);
    await Promise.all([kept, deleted].map((id) => world.untilActive(id)));
    await waitFor('the nodes before the backup', () => this.#isRight());
    const backup = await backUp(world.database);
    cleanup.defer(() => backup.remove());

    // Changes of members, including a failure, a creation and a deletion.
    const changes = random.integer(1, Math.min(most, 30));
    for (let count = 0; count < changes; count += 1) await this.#toggle(kept, random);
    const [node] = await world.nodes(kept);
    if (node !== undefined && random.next() < 0.5) await world.signal(node, 'SIGKILL');
    const late = await world.create(`late-${number}`, 1, port);
    await world.untilActive(late);
    await this.#delete(deleted);
    await waitFor('the nodes after the backup', () => this.#isRight());

    const [away] = random.next() < 0.5 ? [...world.hosts.values()] : [];
    // Its nodes keep serving.
    if (away !== undefined) await world.stopHost(away);
    await backup.restore();
    const noticed = await notice(db);
    if (away !== undefined) await world.addHost(away.name);
    await waitFor('hosts', () => world.link.connected === 2);
    const sinceMs = performance.now();
    const isServed = await untilTrue(servedMs, () => this.#isRight());
    const staleAfterMs = Math.round(performance.now() - sinceMs);
    const wrong = isServed ? [] : await this.#wrong();
    await lift(db);
    for (const id of [kept, deleted]) await this.#delete(id);
    const isEmpty = await untilTrue(mostMs, async () => (await this.#running()).length === 0);
    return {
      ...{ changes, ...noticed, staleAfterMs, activeButNotServed: wrong.length },
      diverged: isServed && isEmpty ? 0 : 1,
    };
  }

  /** Disables an enabled member, or the other way round; one stays enabled. */
  async #toggle(balancer: string, random: Random): Promise<void> {
    const members = await this.#members(balancer);
    const one = members[random.integer(0, members.length - 1)];
    if (one === undefined) throw new Error('there is no member');
    const enabled = !one.enabled || members.every(({ id, enabled: on }) => id === one.id || !on);
    const { parts, context } = this.#world;
    const input: object = { id: encodeId('PoolMember', one.id), enabled };
    const { userErrors } = await parts.change(context, 'poolMemberUpdate', input);
    if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
  }

  async #delete(balancer: string): Promise<void> {
    const world = this.#world;
    await world.balancers.delete(world.context, { id: encodeId('LoadBalancer', balancer) });
    await waitFor('DELETED', async () => (await world.balancer(balancer)).provisioningStatus === 'DELETED');
  }

  async #members(balancer: string): Promise<readonly Member[]> {
    const rows = await this.#world.ground.db.query<{ id: string; spec: string }>(
      "SELECT id, spec FROM lb_part WHERE load_balancer_id = ? AND kind = 'PoolMember' AND deleted = 0 ORDER BY id",
      [balancer],
    );
    return rows.map(({ id, spec }) => {
      const { port: at, enabled } = JSON.parse(spec) as { port: number; enabled: boolean };
      const web = this.#world.webs.findIndex((each) => each.port === at);
      return { id, enabled, web: ['one', 'two', 'three'][web] ?? 'unknown' };
    });
  }

  async #isRight(): Promise<boolean> {
    return (await this.#wrong()).length === 0;
  }

  /** Nodes that serve according to the database but not with its members, and anything that runs without being in the database. */
  async #wrong(): Promise<readonly string[]> {
    const { db } = this.#world.ground;
    const balancers = await db.query<{ id: string }>(
      "SELECT id FROM lb_load_balancer WHERE provisioning_status <> 'DELETED'",
    );
    const wrong: string[] = [];
    const known = new Set<string>();
    for (const { id } of balancers) {
      const nodes = await this.#world.nodes(id);
      for (const { name } of nodes) known.add(name);
      const members = (await this.#members(id)).flatMap(({ web, enabled }) => (enabled ? [web] : [])).sort();
      const serving = nodes.filter(({ state }) => state === 'SERVING');
      if (serving.length === 0) wrong.push(`${id} has no serving node`);
      for (const { name, address } of serving) {
        const answers = await answersOf(address ?? '').catch((error: unknown) => [String(error)]);
        if (answers.join() !== members.join()) wrong.push(`${name} answers ${answers}, not ${members}`);
      }
    }
    for (const name of await this.#running()) if (!known.has(name)) wrong.push(`${name} runs`);
    return wrong;
  }

  /** Names of nodes on the hosts. */
  async #running(): Promise<readonly string[]> {
    const folders = [...this.#world.hosts.values()].map(({ folder }) => readdir(join(folder, 'nodes')).catch(() => []));
    return (await Promise.all(folders)).flat();
  }
}

/** The members that answer there. */
async function answersOf(address: string): Promise<readonly string[]> {
  const seen = new Set<string>();
  for (let count = 0; count < requests; count += 1) seen.add((await answerOf(address, port, 500)).text);
  return [...seen].sort();
}
