// A load balancer of the shared product, as its owner and its clients see it. Its clients run in the lab's host `client`.
// needs: curl, bind9-dnsutils
import { randomUUID } from 'node:crypto';
import { runProgram } from '../../../embedded/run-program.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import type { Product } from './product.ts';

interface Balancer {
  readonly id: string;
  readonly operatingStatus: string;
  readonly nodes: readonly { readonly name: string; readonly nodeState: string; readonly address: string | null }[];
}

export class LoadBalancer {
  readonly name: string;
  readonly url: string;
  readonly #product: Product;

  constructor(product: Product, name: string) {
    this.#product = product;
    this.name = `${name}-${randomUUID().slice(0, 8)}`;
    this.url = `http://${this.name}.default.lb.lab.test/`;
  }

  async read(): Promise<Balancer> {
    const query = `query ($names: [String!]) { loadBalancers(names: $names) { nodes {
      id operatingStatus nodes { name nodeState address } } } }`;
    const { loadBalancers: page } = await this.#product.ask<{ loadBalancers: { nodes: [Balancer] } }>(query, {
      names: [this.name],
    });
    return page.nodes[0];
  }

  /** Waits until this many nodes serve, and no others are in DNS. */
  async serves(count: number): Promise<void> {
    await waitFor(`${count} nodes to serve`, async () => {
      const { nodes, operatingStatus } = await this.read();
      const serving = nodes.filter(({ nodeState }) => nodeState === 'SERVING');
      if (operatingStatus !== 'ONLINE' || serving.length !== count) return false;
      return (await this.addresses()).length === count;
    });
  }

  /** The addresses of its name. */
  async addresses(): Promise<readonly string[]> {
    const { DNS, DNS_PORT = '' } = await this.#product.part('balancers');
    const { stdout } = await runProgram('dig', [`@${DNS}`, '-p', DNS_PORT, '+short', '+time=2', this.#host]);
    return stdout.split('\n').filter((line) => /^\d/.test(line));
  }

  async answers(count: number): Promise<readonly string[]> {
    const script = `for number in $(seq ${count}); do ${this.#question}; done`;
    return linesOf(await this.#product.lab('exec', 'client', '--', 'sh', '-c', script));
  }

  /** Sends one request after the other until `stop`, which returns all answers. */
  keepAsking(): { answers(): readonly string[]; stop(): Promise<readonly string[]> } {
    const script = `trap 'exit 0' TERM; while :; do ${this.#question}; done`;
    const { child, ended, output } = this.#product.start('lab', 'exec', 'client', '--', 'sh', '-c', script);
    return {
      answers: () => linesOf(output()),
      async stop() {
        child.kill('SIGTERM');
        await ended;
        return linesOf(output());
      },
    };
  }

  async decisions(): Promise<readonly { fromNodes: number; toNodes: number; reason: string }[]> {
    const query = `query ($names: [String!]) { loadBalancers(names: $names) { nodes {
      scalingDecisions(first: 50) { nodes { fromNodes toNodes reason } } } } }`;
    type Decisions = { nodes: { fromNodes: number; toNodes: number; reason: string }[] };
    const { loadBalancers: page } = await this.#product.ask<{
      loadBalancers: { nodes: [{ scalingDecisions: Decisions }] };
    }>(query, { names: [this.name] });
    return page.nodes[0].scalingDecisions.nodes;
  }

  async delete(): Promise<void> {
    const found = await this.read();
    if (found !== undefined) await this.#product.change('loadBalancerDelete', { id: found.id }, '');
  }

  get #host(): string {
    return new URL(this.url).hostname;
  }

  /**
   * The command of a client that tries the next address of a name, as most clients do. curl does so after two thirds of its connect timeout.
   */
  get #question(): string {
    return `curl -sS --retry 3 --connect-timeout 6 -m 20 ${this.url} || echo "failed: $?"`;
  }
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
