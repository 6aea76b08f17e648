// Nodes in network namespaces, as root. Each has a leg in the host's public range, one for management, and one in its project's subnet. A
// subnet is a bridge that spans hosts by VXLAN; the bridges are in their own namespace, without any address. The present state is read from
// the kernel: nothing is stored on disk.
import { readdir, readlink, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WantedNode } from '../../../wire/wanted-node.ts';
import { signalTo } from '../own-processes.ts';
import { Ip } from './ip.ts';
import { JoinedRun } from './joined-run.ts';
import { floatingLeg, type HostRanges, heredoc, type Leg, type LegName, legsOf, scriptOf, subnetMtu } from './legs.ts';
import { aliasOf, NetnsNames, nodeOfAlias } from './netns-names.ts';
import type { NodePlace, NodeProvider } from './provider.ts';
import { enter, type Look, SharedNetwork } from './shared-network.ts';

export interface NetnsOptions extends HostRanges {
  /** Real path of the host's own folder: names are derived from it. */
  readonly folder: string;
  /**
   * An interface of the machine, without addresses, that leads to the public range's own gateway. Undefined if the machine is the gateway.
   * The gateway has the second address of the range.
   */
  readonly publicInterface?: string | undefined;
  /** Its end of the tunnels between hosts. Null if subnets do not leave this host. */
  readonly tunnelAddress: string | null;
  /** UDP port of the tunnels. */
  readonly tunnelPort?: number;
  /** Default: acts in the namespace of this process. */
  readonly ip?: Ip;
}

interface Wish {
  readonly legs: readonly Leg[];
  readonly subnet: { readonly vni: number; readonly peers: readonly string[] } | undefined;
  /** The address that it shares with another node; it comes and goes. */
  readonly floating: string | undefined;
  /** The same address, if the machine routes it to the public bridge. */
  readonly routed: string | undefined;
}

interface Known {
  /** The wanted state, as text. */
  readonly text: string;
  /** Identifies the namespace itself, whatever its name. */
  readonly inode: number;
  readonly madeAtMs: number;
}

const folder = '/run/netns';
/** How often existing interfaces are checked. */
const lookAgainMs = 5_000;
const killTries = 100;
const killPauseMs = 20;
/** RFC 7348, section 5. */
const usualTunnelPort = 4789;
const legNames: readonly LegName[] = ['public', 'management', 'subnet'];

export class NetnsProvider implements NodeProvider {
  readonly name = 'NETNS';
  readonly #options: NetnsOptions;
  readonly #names: NetnsNames;
  readonly #ip: Ip;
  readonly #shared: SharedNetwork;
  readonly #known = new Map<string, Known>();
  readonly #processes = new JoinedRun(processesByNamespace);
  #recent: Promise<Look> | undefined;

  constructor(options: NetnsOptions) {
    const { tunnelPort = usualTunnelPort } = options;
    this.#options = options;
    this.#names = new NetnsNames(options.folder);
    this.#ip = options.ip ?? new Ip([]);
    this.#shared = new SharedNetwork(this.#ip, this.#names, { ...options, tunnelPort });
  }

  async make(node: WantedNode, pid?: number): Promise<NodePlace> {
    const { name } = node;
    const wish = this.#wish(node);
    const text = JSON.stringify(wish);
    const place = { wrapper: enter(this.#names.namespace(name)) };
    const known = this.#known.get(name);
    const inode = await this.#inode(name);
    await this.#shared.take(name, wish);
    if (known?.text === text && known.inode === inode && (await this.#isWhole(name, wish, known))) return place;
    this.#known.delete(name);
    const madeAtMs = performance.now();
    if (inode !== undefined || (await this.#attach(name, pid))) {
      await this.#mend(name, wish);
      await this.#ip.run([...place.wrapper, 'sh', '-s'], scriptOf(wish.legs, { isNew: false }));
    } else
      await this.#makeNew(name, wish).catch(async () => {
        // Remains of an earlier place whose removal has not finished, or whose bridge was removed by hand.
        await this.#removePlace(name);
        await this.#shared.look();
        await this.#shared.take(name, wish);
        await this.#makeNew(name, wish);
      });
    const made = await this.#inode(name);
    if (made !== undefined) this.#known.set(name, { text, inode: made, madeAtMs });
    return place;
  }

  async remove(name: string): Promise<void> {
    this.#known.delete(name);
    await this.#endProcesses(name);
    await this.#removePlace(name);
    if ((await this.#inode(name)) !== undefined) throw new Error(`the namespace of node ${name} was not removed`);
    await this.#shared.drop(name);
  }

  async list(): Promise<readonly string[]> {
    const found = (await readdir(folder).catch(() => [])).map((each) => this.#names.nodeOf(each));
    this.#shared.compareAgain();
    const { machine, subnets } = await this.#shared.look();
    for (const { name, alias } of [...machine.values(), ...subnets.values()]) {
      const node = nodeOfAlias(alias ?? '');
      // The alias alone might belong to another installation.
      if (node !== undefined && this.#ports(node).includes(name)) found.push(node);
    }
    return [...new Set(found.filter((each) => each !== undefined))].sort();
  }

  #wish(node: WantedNode): Wish {
    const { tunnelAddress } = this.#options;
    const { subnet, floating } = node;
    if (tunnelAddress === null && (subnet?.peers.length ?? 0) > 0)
      throw new Error(
        'the subnet has nodes on other hosts, but this host has no tunnel address (lbhost.tunnelAddress)',
      );
    const isRouted = floating !== null && floatingLeg(node) === 'public';
    return {
      legs: legsOf(node, this.#options),
      subnet: subnet === null ? undefined : { vni: subnet.vni, peers: subnet.peers },
      floating: floating?.address,
      routed: isRouted ? floating.address : undefined,
    };
  }

  /** Whether its interfaces are still as they were created. */
  async #isWhole(name: string, { legs, subnet }: Wish, { madeAtMs }: Known): Promise<boolean> {
    const look = await this.#recentLook();
    if (look.atMs < madeAtMs) return true;
    return legs.every((leg) => {
      const link = (leg.name === 'subnet' ? look.subnets : look.machine).get(this.#names.port(name, leg.name));
      return link?.isUp === true && link.master === this.#bridgeOf(leg.name, subnet?.vni);
    });
  }

  #recentLook(): Promise<Look> {
    if (this.#recent !== undefined) return this.#recent;
    const recent = this.#shared.look();
    this.#recent = recent;
    const forget = () => {
      this.#recent = undefined;
    };
    recent.then(() => setTimeout(forget, lookAgainMs).unref(), forget);
    return recent;
  }

  /** One shell does all of it: starting a process from here takes longer than most of these commands. */
  async #makeNew(name: string, wish: Wish): Promise<void> {
    const space = this.#names.namespace(name);
    const script = [
      'set -e',
      ...heredoc('ip -batch -', [
        `netns add ${space}`,
        ...wish.legs.map((leg) => this.#pair(name, leg)),
        ...this.#plugs(name, wish, 'machine'),
      ]),
      ...(wish.subnet === undefined
        ? []
        : heredoc(`ip -netns ${this.#names.switch} -batch -`, this.#plugs(name, wish, 'switch'))),
      ...heredoc(`${enter(space).join(' ')} sh -s`, [scriptOf(wish.legs, { isNew: true })], 'INSIDE'),
      '',
    ];
    await this.#ip.run(['sh', '-s'], script.join('\n'));
  }

  /** Adds what an existing place lacks, and removes everything else. */
  async #mend(name: string, wish: Wish): Promise<void> {
    const space = this.#names.namespace(name);
    const inside = await this.#ip.links(space);
    const { machine, subnets } = await this.#shared.look();
    const outside = new Map([...machine, ...subnets]);
    const isPaired = (leg: LegName) => inside.has(leg) && outside.has(this.#names.port(name, leg));
    const wanted = new Map(wish.legs.map((leg) => [leg.name, leg]));
    const wrong = legNames.filter((leg) => !wanted.has(leg) || !isPaired(leg));
    const ends = wrong.filter((leg) => outside.has(this.#names.port(name, leg)));
    await this.#unplug(name, ends);
    const left = wrong.filter((leg) => inside.has(leg) && !ends.includes(leg));
    if (left.length > 0)
      await this.#ip.force(
        left.map((leg) => `link del ${leg}`),
        space,
      );
    await this.#ip.batch([
      ...wish.legs.filter(({ name: leg }) => wrong.includes(leg)).map((leg) => this.#pair(name, leg)),
      ...this.#plugs(name, wish, 'machine'),
    ]);
    if (wish.subnet !== undefined) await this.#ip.batch(this.#plugs(name, wish, 'switch'), this.#names.switch);
    await this.#removeAddresses(space, wish);
  }

  async #removeAddresses(space: string, { legs, floating }: Wish): Promise<void> {
    const kept = new Set([...legs.map(({ address }) => address), floating]);
    const links = await this.#ip.show(['ip', '-json', '-netns', space, 'address', 'show', 'scope', 'global']);
    const lines = links.flatMap(({ ifname, addr_info: entries }) =>
      (Array.isArray(entries) ? entries : []).flatMap(({ local, prefixlen }: Record<string, unknown>) =>
        kept.has(String(local)) ? [] : [`address del ${String(local)}/${String(prefixlen)} dev ${String(ifname)}`],
      ),
    );
    if (lines.length > 0) await this.#ip.force(lines, space);
  }

  /** The host's end and the node's end. */
  #pair(name: string, { name: leg, address }: Leg): string {
    const port = this.#names.port(name, leg);
    const peer = `type veth peer name ${leg} address ${this.#names.macOf(address)} netns ${this.#names.namespace(name)}`;
    if (leg !== 'subnet') return `link add name ${port} ${peer}`;
    return `link add name ${port} mtu ${subnetMtu} netns ${this.#names.switch} ${peer} mtu ${subnetMtu}`;
  }

  /** Attaches the host's ends to their bridges. */
  #plugs(name: string, { legs, subnet }: Wish, where: 'machine' | 'switch'): string[] {
    return legs
      .filter((leg) => (leg.name === 'subnet') === (where === 'switch'))
      .map((leg) => {
        const bridge = this.#bridgeOf(leg.name, subnet?.vni);
        return `link set ${this.#names.port(name, leg.name)} master ${bridge} up alias ${aliasOf(name)}`;
      });
  }

  #bridgeOf(leg: LegName, vni = 0): string {
    return leg === 'subnet' ? this.#names.subnetBridge(vni) : this.#names.bridge(leg);
  }

  #ports(name: string): readonly string[] {
    return legNames.map((leg) => this.#names.port(name, leg));
  }

  /** A namespace whose name was removed lives on with its processes: gives it its name again. */
  async #attach(name: string, pid: number | undefined): Promise<boolean> {
    if (pid === undefined) return false;
    const [its, ours] = await Promise.all(
      [pid, process.pid].map((each) => readlink(`/proc/${each}/ns/net`).catch(() => '')),
    );
    if (its === '' || its === ours) return false;
    const { code } = await this.#ip.try(['ip', 'netns', 'attach', this.#names.namespace(name), String(pid)]);
    return code === 0;
  }

  /** The interfaces first: a namespace disappears some time after its name. */
  async #removePlace(name: string): Promise<void> {
    await this.#unplug(name, legNames);
    if ((await this.#inode(name)) !== undefined)
      await this.#ip.try(['ip', 'netns', 'del', this.#names.namespace(name)]);
  }

  /** Removing the host's ends removes the node's ends too. */
  async #unplug(name: string, legs: readonly LegName[]): Promise<void> {
    const lines = legs.filter((leg) => leg !== 'subnet').map((leg) => `link del ${this.#names.port(name, leg)}`);
    if (lines.length > 0) await this.#ip.force(lines);
    if (legs.includes('subnet') && (await inodeOf(`${folder}/${this.#names.switch}`)) !== undefined)
      await this.#ip.force([`link del ${this.#names.port(name, 'subnet')}`], this.#names.switch);
  }

  async #endProcesses(name: string): Promise<void> {
    const inode = await this.#inode(name);
    if (inode === undefined) return;
    for (let tries = 0; tries < killTries; tries += 1) {
      const pids = (await this.#processes.run()).get(inode) ?? [];
      if (pids.length === 0) return;
      for (const pid of pids) signalTo(pid, 'SIGKILL');
      await sleep(killPauseMs);
    }
    throw new Error(`processes of node ${name} do not end`);
  }

  #inode(name: string): Promise<number | undefined> {
    return inodeOf(`${folder}/${this.#names.namespace(name)}`);
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );
}

/** Process ids by the inode of their network namespace. */
async function processesByNamespace(): Promise<ReadonlyMap<number, readonly number[]>> {
  const found = new Map<number, number[]>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [, inode] = /^net:\[(\d+)\]$/.exec(await readlink(`/proc/${entry}/ns/net`).catch(() => '')) ?? [];
    if (inode !== undefined) found.set(Number(inode), [...(found.get(Number(inode)) ?? []), Number(entry)]);
  }
  return found;
}
