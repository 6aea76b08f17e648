// Two hosts for nodes: namespaces of this machine with a link between them, each the root of its own network.
// needs: iproute2, root
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { type Claim, ownClaims } from '../../../../lab/claims/claims.ts';
import { claimsOfHost } from '../../../../lab/claims/host-claims.ts';
import { Ip, type Ran } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/ip.ts';
import { NetnsProvider } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/netns.ts';
import { NetnsNames } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/netns-names.ts';
import { enter } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/shared-network.ts';
import type { WantedNode } from '../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { wantedNode } from './wanted.ts';

export const canHaveNamespaces = process.getuid?.() === 0;

export class TestHost {
  readonly index: number;
  readonly namespace: string;
  /** The folder is only a name here. */
  readonly folder: string;
  readonly names: NetnsNames;
  readonly via: readonly string[];
  readonly ip: Ip;
  readonly tunnelAddress: string;
  readonly publicRange: string;
  readonly managementRange: string;

  constructor(id: string, index: number) {
    this.index = index;
    this.namespace = `lbtest-${id}-${index}`;
    this.folder = `/test/${id}/${index}`;
    this.names = new NetnsNames(this.folder);
    this.via = enter(this.namespace);
    this.ip = new Ip(this.via);
    this.tunnelAddress = `172.31.255.${index}`;
    this.publicRange = `198.18.${index}.0/24`;
    this.managementRange = `198.19.${index}.0/24`;
  }

  open(ip = this.ip, folder = this.folder, publicInterface?: string): NetnsProvider {
    const { publicRange, managementRange, tunnelAddress } = this;
    return new NetnsProvider({ folder, publicRange, managementRange, tunnelAddress, publicInterface, ip });
  }

  node(name: string, index: number, more: Partial<WantedNode> = {}): WantedNode {
    return {
      ...wantedNode('b', []),
      name,
      address: `198.18.${this.index}.${index + 10}`,
      managementAddress: `198.19.${this.index}.${index + 10}`,
      ...more,
    };
  }

  /** The names of all namespaces and interfaces that exist because of this host. */
  async left(): Promise<readonly string[]> {
    const spaces = (await readdir('/run/netns')).filter((name) => name.startsWith(this.names.switch));
    const links = [...(await this.ip.links()).keys()];
    return [...spaces, ...links.filter((name) => name !== 'lo' && name !== 'line' && name !== 'sit0')];
  }
}

/** Stops working after this many command lines, as if its process had ended. */
export class EndingIp extends Ip {
  #left: number;

  constructor(via: readonly string[], lines: number) {
    super(via);
    this.#left = lines;
  }

  override async try(command: readonly string[], input = ''): Promise<Ran> {
    if (command.includes('show')) return super.try(command, input);
    const lines = input === '' ? [''] : input.trimEnd().split('\n');
    const done = lines.slice(0, this.#left);
    this.#left -= lines.length;
    if (done.length > 0) await super.try(command, `${done.join('\n')}\n`);
    if (this.#left < 0) throw new Error('the process ended');
    return { code: 0, stdout: '', stderr: '' };
  }

  /** The number of unused lines. */
  get left(): number {
    return this.#left;
  }
}

export class TwoHosts {
  readonly one: TestHost;
  readonly two: TestHost;
  readonly #ip = new Ip([]);

  constructor() {
    const id = randomBytes(3).toString('hex');
    this.one = new TestHost(id, 1);
    this.two = new TestHost(id, 2);
  }

  async start(): Promise<void> {
    const [a, b] = [this.one.namespace, this.two.namespace];
    await ownClaims.claim(...this.#claims);
    await this.#ip.batch([
      `netns add ${a}`,
      `netns add ${b}`,
      `link add name line netns ${a} type veth peer name line netns ${b}`,
    ]);
    for (const { namespace, tunnelAddress } of [this.one, this.two])
      await this.#ip.batch(
        [`link set lo up`, `address add ${tunnelAddress}/24 dev line`, 'link set line up'],
        namespace,
      );
  }

  async stop(): Promise<void> {
    for (const host of [this.one, this.two]) {
      const provider = host.open();
      for (const name of await provider.list()) await provider.remove(name);
      await this.#ip.force([`netns del ${host.names.switch}`, `netns del ${host.namespace}`]);
    }
    ownClaims.release(...this.#claims);
  }

  get #claims(): readonly Claim[] {
    return [this.one, this.two].flatMap(({ namespace, folder }) => [
      { kind: 'namespaces', what: namespace },
      ...claimsOfHost(folder),
    ]);
  }
}
