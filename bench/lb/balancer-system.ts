// A load balancer in the system of `npm start`. Its hosts, members and name server belong to the lab. As root, each host and each node
// is a network namespace; otherwise they are processes on loopback addresses.
// needs: system, root
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AllInOneSystem } from '../../measure/all-in-one.ts';
import { type Ask, GraphClient, type MutationAnswer, notRefused } from '../../measure/graph-client.ts';

export interface BalancerNode {
  readonly id: string;
  readonly name: string;
  readonly nodeState: string;
  readonly operatingStatus: string;
  readonly address: string;
}

export interface Balancer {
  readonly id: string;
  readonly provisioningStatus: string;
  readonly nodes: readonly BalancerNode[];
  readonly pools: readonly [{ readonly id: string; readonly members: { readonly nodes: readonly Member[] } }];
}

interface Member {
  readonly id: string;
  readonly host: string;
}

export const balancerPort = 80;
/** A port that a user may open who can't open port 80. */
const plainPort = 8080;
const waitMs = 120_000;
const pollMs = 20;
const fields = `id provisioningStatus nodes { id name nodeState operatingStatus address }
  pools { id members { nodes { id host } } }`;

export class BalancerSystem {
  readonly system: AllInOneSystem;
  readonly client: GraphClient;
  readonly ask: Ask;
  readonly #signal: AbortSignal;

  private constructor(system: AllInOneSystem, client: GraphClient, signal: AbortSignal) {
    this.system = system;
    this.client = client;
    this.ask = client.as(system.started.token);
    this.#signal = signal;
  }

  static async start(stack: AsyncDisposableStack, signal: AbortSignal): Promise<BalancerSystem> {
    const system = await AllInOneSystem.start(stack, { withLab: true, labDevices: ['balancers'] });
    const client = new GraphClient(system.started.url, 4);
    stack.defer(() => client.close());
    return new BalancerSystem(system, client, signal);
  }

  /** The lab's addresses, by name. */
  async places(): Promise<Readonly<Record<string, string>>> {
    const text = await readFile(join(this.system.dataPath, 'balancers.env'), 'utf8');
    return Object.fromEntries(text.split('\n').map((line) => line.split('=')));
  }

  /** An HTTP load balancer with the lab's three web servers as members. Resolves when that many nodes serve. */
  async create(nodes: number): Promise<Balancer> {
    const places = await this.#until('the lab', () => this.places().catch(() => undefined));
    const members = [places.WEB1, places.WEB2, places.WEB3].map((host) => ({ host, port: Number(places.WEB_PORT) }));
    const pools = [{ name: 'web', memberProtocol: 'HTTP', members, healthMonitor: { monitorType: 'HTTP', path: '/' } }];
    const port = process.getuid?.() === 0 ? balancerPort : plainPort;
    const listeners = [{ protocol: 'HTTP', port, defaultPool: 'web' }];
    await this.change('loadBalancerCreate', 'LoadBalancerCreateInput', {
      ...{ name: 'web', minNodes: nodes, maxNodes: nodes, pools, listeners },
    });
    return this.until('the nodes', (now) => serving(now).length === nodes && now.provisioningStatus === 'ACTIVE');
  }

  /** Throws if the request is refused. */
  async change<Chosen = object>(
    mutation: string,
    inputType: string,
    input: object,
    chosen = '',
  ): Promise<MutationAnswer & Chosen> {
    const query = `mutation ($input: ${inputType}!) { done: ${mutation}(input: $input) { ${chosen} userErrors { code message } } }`;
    return notRefused((await this.ask<{ done: MutationAnswer & Chosen }>(query, { input })).done);
  }

  async balancer(): Promise<Balancer> {
    const query = `{ loadBalancers { nodes { ${fields} } } }`;
    const { loadBalancers: page } = await this.ask<{ loadBalancers: { nodes: [Balancer] } }>(query, {});
    return page.nodes[0];
  }

  until(what: string, is: (balancer: Balancer) => boolean): Promise<Balancer> {
    return this.#until(what, async () => {
      const balancer = await this.balancer();
      return is(balancer) ? balancer : undefined;
    });
  }

  async #until<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
    for (const end = performance.now() + waitMs; ; await sleep(pollMs, undefined, { signal: this.#signal })) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`not in time: ${what}`);
    }
  }
}

export function serving({ nodes }: Balancer): readonly BalancerNode[] {
  return nodes.filter(({ nodeState, operatingStatus }) => nodeState === 'SERVING' && operatingStatus === 'ONLINE');
}

/** The folder of a node's HAProxy, wherever its host stores it. */
export async function folderOfNode(name: string): Promise<string> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const words = (await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const file = words.find((word) => word.endsWith(`/nodes/${name}/haproxy.cfg`));
    if (words[0]?.endsWith('haproxy') === true && file !== undefined) return dirname(file);
  }
  throw new Error(`the HAProxy of ${name} is not running`);
}
