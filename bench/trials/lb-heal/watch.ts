// Looks at the trial from outside, all the time: what the name server answers, and which nodes there are.
import { setTimeout as sleep } from 'node:timers/promises';
import type { LbWorld } from '../../../tests/subgraphs/loadbalancer/support/lb-world.ts';

export class Watch {
  /** Answers without an address. */
  emptyDns = 0;
  /** Answers with an address that is no node's of the load balancer. */
  wrongDns = 0;
  /** Nodes that had two replacements at once. */
  readonly doubles = new Set<string>();
  readonly #world: LbWorld;
  readonly #balancerId: string;
  #watching: Promise<void> | undefined;
  #ended = false;

  constructor(world: LbWorld, balancerId: string) {
    this.#world = world;
    this.#balancerId = balancerId;
  }

  start(): void {
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#ended) {
      await this.#look();
      await sleep(100);
    }
  }

  async #look(): Promise<void> {
    // Read before: a node may be deleted only when its address has left DNS.
    const nodes = await this.#world.nodes(this.#balancerId);
    const after = new Set(nodes.map(({ address }) => address));
    const answer = await this.#world.answer(this.#balancerId).catch(() => undefined);
    for (const { address } of await this.#world.nodes(this.#balancerId)) after.add(address);
    // A server that does not run answers nothing, or with a line that begins with a semicolon.
    const answered = answer?.filter((line) => !line.startsWith(';'));
    if (answered !== undefined && answered.length > 0 && answered.some((address) => !after.has(address)))
      this.wrongDns += 1;
    if (answer !== undefined && answer.length === 0 && (await this.#isUp())) this.emptyDns += 1;
    const live = nodes.filter(({ state }) => state === 'BUILDING' || state === 'SERVING');
    const replaced = live.flatMap(({ replacesId }) => replacesId ?? []);
    for (const id of replaced) if (replaced.filter((each) => each === id).length > 1) this.doubles.add(id);
  }

  /** The server answers other questions, and still says that the name has no address. */
  async #isUp(): Promise<boolean> {
    const ask = async () => (await this.#world.answer(this.#balancerId).catch(() => undefined)) ?? [';'];
    const zone = (await this.#world.balancer(this.#balancerId)).hostName.split('.').slice(2).join('.');
    const soa = (await this.#world.dns?.dig(zone, 'SOA').catch(() => [])) ?? [];
    return soa.some((line) => !line.startsWith(';')) && (await ask()).length === 0;
  }
}
