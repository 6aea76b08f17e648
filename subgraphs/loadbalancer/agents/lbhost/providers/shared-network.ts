// The network that the nodes of a host share: the bridges of the public and the management range, and for each subnet a bridge with its
// tunnels to other hosts. It exists as long as a node uses it. Every step can be repeated, even after a crash between two of them.
import { blockBytes, gatewayIn } from '../../../../../platform/net/address-block.ts';
import { Turns } from '../../../../../platform/work/turns.ts';
import type { Ip, Link } from './ip.ts';
import { JoinedRun } from './joined-run.ts';
import { type HostRanges, type LegName, subnetMtu } from './legs.ts';
import type { NetnsNames } from './netns-names.ts';

interface SharedOptions extends HostRanges {
  readonly publicInterface?: string | undefined;
  readonly tunnelAddress: string | null;
  readonly tunnelPort: number;
}

/** The shared parts that a node needs. */
interface SharedNeeds {
  readonly legs: readonly { readonly name: LegName }[];
  readonly subnet: { readonly vni: number; readonly peers: readonly string[] } | undefined;
  /** The shared address that this host routes to its public bridge. */
  readonly routed: string | undefined;
}

export interface Look {
  readonly atMs: number;
  readonly machine: ReadonlyMap<string, Link>;
  /** Bridges in the subnets' namespace. */
  readonly subnets: ReadonlyMap<string, Link>;
}

type MachineLeg = 'public' | 'management';

const noAddress = '00:00:00:00:00:00';

export class SharedNetwork {
  readonly #ip: Ip;
  readonly #names: NetnsNames;
  readonly #options: SharedOptions;
  readonly #nodes = new Map<string, SharedNeeds>();
  /** Serialises changes. */
  readonly #turn = new Turns(1);
  /** Parts that this process created or found complete. */
  readonly #complete = new Set<string>();
  readonly #looks: JoinedRun<Look>;
  readonly #prunes: JoinedRun<void>;

  constructor(ip: Ip, names: NetnsNames, options: SharedOptions) {
    this.#ip = ip;
    this.#names = names;
    this.#options = options;
    this.#looks = new JoinedRun(() => this.#look());
    this.#prunes = new JoinedRun(() => this.#turn.run(() => this.#prune()));
  }

  /** Reads the present state. Missing parts are created again when a node next needs them. */
  look(): Promise<Look> {
    return this.#looks.run();
  }

  /** Tunnels and routes are compared with the wanted state when a node next needs them. */
  compareAgain(): void {
    this.#complete.clear();
  }

  /** The node's needs exist from here on, until `drop`. */
  async take(name: string, needs: SharedNeeds): Promise<void> {
    this.#nodes.set(name, needs);
    if (this.#keysOf(needs).every((key) => this.#complete.has(key))) return;
    await this.#turn.run(() => this.#make(needs));
  }

  /** Removes parts that no other node needs. */
  async drop(name: string): Promise<void> {
    this.#nodes.delete(name);
    await this.#prunes.run();
  }

  async #look(): Promise<Look> {
    const atMs = performance.now();
    const [machine, subnets] = await Promise.all([this.#ip.links(), this.#ip.links(this.#names.switch)]);
    for (const key of this.#complete) {
      const [kind = '', bridge = ''] = key.split(' ');
      const links = kind === 'subnet' ? subnets : machine;
      if (!links.has(bridge)) this.#complete.delete(key);
    }
    return { atMs, machine, subnets };
  }

  /** Each key begins with a kind and the bridge that it depends on. */
  #keysOf({ legs, subnet, routed }: SharedNeeds): string[] {
    return [
      ...machineLegs(legs).map((leg) => `leg ${this.#names.bridge(leg)}`),
      ...(routed === undefined ? [] : [`route ${this.#names.bridge('public')} ${routed}`]),
      ...(subnet === undefined ? [] : [this.#subnetKey(subnet.vni)]),
    ];
  }

  #subnetKey(vni: number): string {
    return `subnet ${this.#names.subnetBridge(vni)} ${this.#peersOf(vni).join()}`;
  }

  /** Peers of all nodes in the subnet, because their documents do not change at the same moment. */
  #peersOf(vni: number): string[] {
    const all = [...this.#nodes.values()].flatMap(({ subnet }) => (subnet?.vni === vni ? subnet.peers : []));
    return [...new Set(all)].filter((peer) => peer !== this.#options.tunnelAddress).sort();
  }

  async #make(needs: SharedNeeds): Promise<void> {
    const look = await this.look();
    for (const leg of machineLegs(needs.legs)) await this.#makeBridge(leg, look);
    const { publicInterface } = this.#options;
    if (needs.routed !== undefined && publicInterface === undefined)
      await this.#ip.batch([`route replace ${needs.routed} dev ${this.#names.bridge('public')}`]);
    const keys = this.#keysOf(needs);
    if (needs.subnet !== undefined) await this.#makeSubnet(needs.subnet.vni, look);
    for (const key of keys) this.#complete.add(key);
  }

  async #makeBridge(leg: MachineLeg, { machine }: Look): Promise<void> {
    const bridge = this.#names.bridge(leg);
    if (this.#complete.has(`leg ${bridge}`)) return;
    const { publicInterface, publicRange, managementRange } = this.#options;
    const lines = machine.has(bridge)
      ? []
      : [`link add name ${bridge} address ${this.#names.bridgeMac(leg)} type bridge mcast_snooping 0`];
    lines.push(`link set ${bridge} up`);
    if (leg === 'public' && publicInterface !== undefined) {
      await this.#ip.batch([...lines, `link set ${publicInterface} master ${bridge} up`]);
      return;
    }
    const range = leg === 'public' ? publicRange : managementRange;
    const gateway = gatewayIn(range);
    const prefix = blockBytes(range)?.prefix;
    if (gateway === undefined || prefix === undefined) throw new Error(`${range} is not a block with a second address`);
    const isSix = gateway.includes(':');
    lines.push(`address replace ${gateway}/${prefix} dev ${bridge}${isSix ? ' nodad' : ''}`);
    await this.#ip.batch(lines);
    // Answers of nodes to hosts other than this machine are forwarded.
    const forwarding = `/proc/sys/net/${isSix ? 'ipv6' : 'ipv4'}/conf/${bridge}/forwarding`;
    await this.#ip.run(['sh', '-c', `echo 1 >${forwarding}`]);
  }

  async #makeSubnet(vni: number, { subnets }: Look): Promise<void> {
    const { switch: space } = this.#names;
    const bridge = this.#names.subnetBridge(vni);
    if (!this.#complete.has(this.#subnetKey(vni))) {
      // An empty answer may also mean that the namespace does not exist.
      if (subnets.size === 0) await this.#ip.run(['ip', 'netns', 'add', space]);
      await this.#ip.run([...enter(space), 'sh', '-c', quiet]);
      const add = subnets.has(bridge) ? [] : [`link add name ${bridge} type bridge mcast_snooping 0`];
      await this.#ip.batch([...add, `link set ${bridge} up`], space);
      if (this.#options.tunnelAddress !== null) await this.#makeTunnel(vni, this.#options.tunnelAddress, subnets);
    }
  }

  async #makeTunnel(vni: number, local: string, subnets: Look['subnets']): Promise<void> {
    const { switch: space } = this.#names;
    const tunnel = this.#names.tunnel(vni);
    const present = subnets.has(tunnel) ? await this.#localOf(tunnel) : undefined;
    if (present !== local) {
      if (subnets.has(tunnel)) await this.#ip.force([`link del ${tunnel}`], space);
      // Created from here, so that its packets leave through this machine's network.
      await this.#ip.batch([
        `link add name ${tunnel} netns ${space} type vxlan id ${vni} local ${local} dstport ${this.#options.tunnelPort}`,
      ]);
    }
    await this.#ip.batch([`link set ${tunnel} mtu ${subnetMtu} master ${this.#names.subnetBridge(vni)} up`], space);
    await this.#copyTo(tunnel, this.#peersOf(vni));
  }

  async #localOf(tunnel: string): Promise<unknown> {
    const [found] = await this.#ip.show([
      ...['ip', '-json', '-details', '-netns', this.#names.switch, 'link', 'show', tunnel],
    ]);
    const { info_data: data } = (found?.linkinfo ?? {}) as { info_data?: { local?: unknown; local6?: unknown } };
    return data?.local ?? data?.local6;
  }

  /** Frames for unknown destinations, and broadcasts, go to each of these hosts (head-end replication). */
  async #copyTo(tunnel: string, peers: readonly string[]): Promise<void> {
    const inSwitch = ['bridge', '-json', '-netns', this.#names.switch];
    const entries = await this.#ip.show([...inSwitch, 'fdb', 'show', 'dev', tunnel]);
    const present = entries
      .filter(({ mac, dst }) => mac === noAddress && typeof dst === 'string')
      .map(({ dst }) => dst);
    const lines = [
      ...peers
        .filter((peer) => !present.includes(peer))
        .map((peer) => `fdb append ${noAddress} dev ${tunnel} dst ${peer}`),
      ...present
        .filter((dst) => !peers.includes(String(dst)))
        .map((dst) => `fdb del ${noAddress} dev ${tunnel} dst ${String(dst)}`),
    ];
    if (lines.length > 0)
      await this.#ip.run(['bridge', '-netns', this.#names.switch, '-batch', '-'], `${lines.join('\n')}\n`);
  }

  async #prune(): Promise<void> {
    const { machine, subnets } = await this.look();
    await this.#pruneSubnets(subnets);
    await this.#pruneMachine(machine);
  }

  async #pruneSubnets(subnets: Look['subnets']): Promise<void> {
    const used = new Set([...this.#nodes.values()].map(({ subnet }) => subnet?.vni));
    const vnis = [...subnets.keys()].flatMap((name) => this.#names.vniOf(name) ?? []);
    const unused = vnis.filter((vni) => {
      const [bridge, tunnel] = [this.#names.subnetBridge(vni), this.#names.tunnel(vni)];
      return !used.has(vni) && !hasPorts(subnets, bridge, tunnel);
    });
    const bridges = unused.map((vni) => this.#names.subnetBridge(vni));
    this.#forget(bridges);
    const devices = [...bridges, ...unused.map((vni) => this.#names.tunnel(vni))];
    if (devices.length > 0) await this.#ip.force(deletions(devices), this.#names.switch);
    const isNeeded = [...used].some((vni) => vni !== undefined) || unused.length < vnis.length;
    if (!isNeeded && subnets.size > 0) await this.#ip.run(['ip', 'netns', 'del', this.#names.switch]);
  }

  async #pruneMachine(machine: Look['machine']): Promise<void> {
    const needs = [...this.#nodes.values()];
    const bridge = this.#names.bridge('public');
    if (machine.has(bridge)) {
      const routed = new Set(needs.map((need) => need.routed));
      // Routes of single addresses: the range's own route has a prefix.
      const routes = (await this.#ip.show(['ip', '-json', 'route', 'show', 'dev', bridge])).map(({ dst }) =>
        String(dst),
      );
      const stale = routes.filter((to) => /^[0-9a-f.:]+$/.test(to) && !routed.has(to));
      for (const to of stale) this.#complete.delete(`route ${bridge} ${to}`);
      if (stale.length > 0) await this.#ip.force(stale.map((to) => `route del ${to} dev ${bridge}`));
    }
    const unused = (['public', 'management'] as const).filter((leg) => {
      const isUsed = needs.some(({ legs }) => legs.some(({ name }) => name === leg));
      const name = this.#names.bridge(leg);
      return machine.has(name) && !isUsed && !hasPorts(machine, name, this.#options.publicInterface);
    });
    const bridges = unused.map((leg) => this.#names.bridge(leg));
    this.#forget(bridges);
    if (bridges.length > 0) await this.#ip.force(deletions(bridges));
  }

  /** Called before they are deleted, so that a node that needs one creates it again. */
  #forget(bridges: readonly string[]): void {
    for (const key of this.#complete) if (bridges.includes(key.split(' ')[1] ?? '')) this.#complete.delete(key);
  }
}

function deletions(interfaces: readonly string[]): string[] {
  return interfaces.map((name) => `link del ${name}`);
}

/** For the namespace of bridges: they have no addresses, not even automatic ones. */
const quiet = 'cd /proc/sys/net; echo 0 >ipv4/ip_forward; [ ! -d ipv6 ] || echo 1 >ipv6/conf/default/disable_ipv6';

export function enter(namespace: string): readonly string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`, '--'];
}

function machineLegs(legs: SharedNeeds['legs']): MachineLeg[] {
  return legs.flatMap(({ name }) => (name === 'subnet' ? [] : [name]));
}

/** Whether the bridge has a port other than that one. */
function hasPorts(links: ReadonlyMap<string, Link>, bridge: string, except: string | undefined): boolean {
  return [...links.values()].some(({ name, master }) => master === bridge && name !== except);
}
