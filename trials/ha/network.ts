// The hosts of the trial as network namespaces: a and b with data, w the witness, c the client, and s, the switch between them.
// needs: iproute2, nftables, root

import { runProgram } from '../../embedded/run-program.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import { type Claim, ownClaims } from '../../lab/claims/claims.ts';

export const places = { a: '198.19.77.1', b: '198.19.77.2', w: '198.19.77.3', c: '198.19.77.4' } as const;
/** Address of the primary. */
export const virtualAddress = '198.19.77.10';
export type PlaceName = keyof typeof places;
export type DataHost = 'a' | 'b';

const killRounds = 3;

export class HaNetwork {
  readonly #id: string;
  readonly #spared = new Set<number>();
  /** Hosts whose processes are all stopped. On a real host the kernel is stopped too, so it does not answer for any of its addresses. */
  readonly frozen = new Set<PlaceName>();

  private constructor(id: string) {
    this.#id = id;
  }

  static async layOut(id: string): Promise<HaNetwork> {
    const network = new HaNetwork(id);
    const names = Object.keys(places) as PlaceName[];
    await ownClaims.claim(network.#claim);
    await ip([...names.map((name) => `netns add ${network.namespace(name)}`), `netns add ${network.#switch}`]);
    await ip([`-netns ${network.#switch} link add br0 type bridge`]);
    await network.#inside(network.#switch, ['link set br0 up']);
    for (const name of names) {
      await ip([
        `link add eth0 netns ${network.namespace(name)} type veth peer name ${name}0 netns ${network.#switch}`,
      ]);
      await network.#inside(network.#switch, [`link set ${name}0 master br0`, `link set ${name}0 up`]);
      await network.#inside(network.namespace(name), [
        ...['link set lo up', `address add ${places[name]}/24 dev eth0`, 'link set eth0 up'],
      ]);
    }
    return network;
  }

  namespace(name: PlaceName): string {
    return `tgha-${this.#id}-${name}`;
  }

  async processes(name: PlaceName): Promise<readonly number[]> {
    const { stdout } = await runProgram('ip', ['netns', 'pids', this.namespace(name)]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map(Number)
      .filter((pid) => !this.#spared.has(pid));
  }

  async unplug(name: PlaceName): Promise<void> {
    await this.#inside(this.#switch, [`link set ${name}0 down`]);
  }

  async plug(name: PlaceName): Promise<void> {
    await this.#inside(this.#switch, [`link set ${name}0 up`]);
  }

  /** A cut between two hosts. Each still reaches the others. */
  async cut(one: PlaceName, other: PlaceName): Promise<void> {
    await this.#drop(one, `ip saddr ${places[other]} drop`, `ip daddr ${places[other]} drop`);
  }

  /** Drops the packets that it sends, or those sent to it. */
  async cutOneWay(name: PlaceName, what: 'sent' | 'received'): Promise<void> {
    const drop = 'iifname != "lo" drop';
    await (what === 'received' ? this.#drop(name, drop, '') : this.#drop(name, '', 'oifname != "lo" drop'));
  }

  /** Also cuts off its own etcd: the others are not reached in either direction. */
  async cutPorts(name: PlaceName, ports: readonly number[]): Promise<void> {
    const rule = (end: 'sport' | 'dport') => `tcp ${end} { ${ports.join(', ')} } drop`;
    const outside = (device: string) => `${device} != "lo"`;
    const both = (device: string) => `${outside(device)} ${rule('sport')}; ADD ${outside(device)} ${rule('dport')}`;
    await this.#drop(name, both('iifname'), both('oifname'));
  }

  async join(one: PlaceName): Promise<void> {
    await runProgram('ip', ['netns', 'exec', this.namespace(one), 'nft', 'delete table inet cut']);
  }

  /** Like a power failure: all its processes have ended, and added addresses are gone. */
  async powerOff(name: PlaceName): Promise<void> {
    await this.unplug(name);
    // Catches processes that were just starting when the first ones were killed.
    for (let round = 0; round < killRounds; round += 1)
      for (const pid of await this.processes(name)) killQuietly(pid, 'SIGKILL');
    // A killed agent may have left a route.
    for (const place of Object.values(places))
      await runProgram('ip', ['-netns', this.namespace(name), 'route', 'delete', 'unreachable', `${place}/32`]);
    await this.#inside(this.namespace(name), ['address flush dev eth0', `address add ${places[name]}/24 dev eth0`]);
  }

  /** A client that no fault affects, because the address is at the switch. Returns its namespace. */
  async layClient(address: string): Promise<string> {
    await this.#inside(this.#switch, [`address add ${address}/24 dev br0`, 'link set lo up']);
    return this.#switch;
  }

  /** `pid` is in the host's network but is not part of the host: no fault affects it. */
  spare(pid: number): void {
    this.#spared.add(pid);
  }

  async remove(): Promise<void> {
    for (const name of Object.keys(places) as PlaceName[]) {
      this.#spared.clear();
      for (const pid of await this.processes(name)) killQuietly(pid, 'SIGKILL');
      await runProgram('ip', ['netns', 'delete', this.namespace(name)]);
    }
    const { stdout } = await runProgram('ip', ['netns', 'pids', this.#switch]);
    for (const pid of stdout.split('\n').filter((line) => line !== '')) killQuietly(Number(pid), 'SIGKILL');
    await runProgram('ip', ['netns', 'delete', this.#switch]);
    ownClaims.release(this.#claim);
  }

  get #claim(): Claim {
    return { kind: 'namespaces', what: `tgha-${this.#id}-` };
  }

  get #switch(): string {
    return `tgha-${this.#id}-s`;
  }

  async #drop(name: PlaceName, incoming: string, outgoing: string): Promise<void> {
    const chain = (hook: 'input' | 'output', rule: string) =>
      rule === ''
        ? ''
        : `add chain inet cut ${hook} { type filter hook ${hook} priority 0; }; add rule inet cut ${hook} ${rule.replaceAll('ADD', `add rule inet cut ${hook}`)};`;
    const rules = `add table inet cut; ${chain('input', incoming)} ${chain('output', outgoing)}`;
    const { exitCode, stderr } = await runProgram('ip', ['netns', 'exec', this.namespace(name), 'nft', rules]);
    if (exitCode !== 0) throw new Error(`nft: ${stderr}`);
  }

  async #inside(namespace: string, commands: readonly string[]): Promise<void> {
    await ip(commands.map((command) => `-netns ${namespace} ${command}`));
  }
}

async function ip(commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const { exitCode, stderr } = await runProgram('ip', command.split(' '));
    if (exitCode !== 0) throw new Error(`ip ${command}: ${stderr.trim()}`);
  }
}
