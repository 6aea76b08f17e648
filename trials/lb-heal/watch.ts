// Observes the trial continuously from outside: the name server's answers, and the nodes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeRow } from '../../subgraphs/loadbalancer/rules/rows.ts';
import type { Site } from './site.ts';

const lookMs = 100;

export class Watch {
  /** Answers without an address. */
  emptyDns = 0;
  /** Answers with an address that belongs to no node that may be in DNS. */
  wrongDns = 0;
  readonly findings: string[] = [];
  readonly #site: Site;
  readonly #balancerId: string;
  readonly #name: string;
  #watching: Promise<void> | undefined;
  #ended = false;
  looks = 0;

  private constructor(site: Site, balancerId: string, name: string) {
    this.#site = site;
    this.#balancerId = balancerId;
    this.#name = name;
  }

  static async start(site: Site, balancerId: string): Promise<Watch> {
    const watch = new Watch(site, balancerId, (await site.balancer(balancerId)).hostName);
    watch.#watching = watch.#watch();
    return watch;
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#ended) {
      // The database may be away.
      await this.#look().catch(() => undefined);
      await sleep(lookMs);
    }
  }

  async #look(): Promise<void> {
    // Read before and after, because a node may be in the answer until the server has confirmed its removal.
    const before = await this.#addresses();
    const answer = await this.#site.ask(this.#name, 'A');
    if (answer === undefined) return;
    const after = await this.#addresses();
    const wrong = answer.filter((address) => !before.has(address) && !after.has(address));
    if (wrong.length > 0) {
      this.wrongDns += 1;
      this.findings.push(`${wrong.join()} was answered, which no node has`);
    }
    if (answer.length === 0) {
      this.emptyDns += 1;
      this.findings.push('no address was answered');
    }
    this.looks += 1;
  }

  /** Addresses of nodes that may be in DNS, or their shared address. */
  async #addresses(): Promise<ReadonlySet<string | null>> {
    const { floatingAddress } = await this.#site.balancer(this.#balancerId);
    if (floatingAddress !== null) return new Set([floatingAddress]);
    const mayBe = ({ state }: NodeRow) => state !== 'DELETING';
    return new Set((await this.#site.nodes(this.#balancerId)).filter(mayBe).map(({ address }) => address));
  }
}
