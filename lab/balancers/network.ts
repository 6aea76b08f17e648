// The network of the part `balancers`: a switch, and around it two hosts, the web servers and a client, each a network namespace. Nodes of
// load balancers are namespaces too, which their hosts make. This machine has one address on the switch.
import { randomInt } from 'node:crypto';
import { runProgram } from '../../embedded/run-program.ts';
import { isInBlock } from '../../platform/net/address-block.ts';
import { clientName, type Plan, planOf, tunnelPrefix, wirePrefix } from './plan.ts';

const tries = 20;
/** In a namespace: nothing passes but what stays inside. */
const cut = `table inet tidegate-lab {
  chain in { type filter hook input priority -300; policy drop; iif lo accept; }
  chain through { type filter hook forward priority -300; policy drop; }
  chain out { type filter hook output priority -300; policy drop; oif lo accept; }
}`;

export class BalancerNetwork {
  readonly #id: string;

  /** `id`: six hexadecimal digits, of the part's folder. */
  constructor(id: string) {
    this.#id = id;
  }

  namespace(name: string): string {
    return `tg-${this.#id}-${name}`;
  }

  get #switch(): string {
    return this.namespace('switch');
  }

  /** This machine's end of its line to the switch. */
  get #line(): string {
    return `tg${this.#id}-lb`;
  }

  /** `preferred`: the third number of an earlier start's addresses. */
  async layOut(preferred: number | undefined, signal: AbortSignal): Promise<Plan> {
    await ip([
      `netns add ${this.#switch}`,
      `link add ${this.#line} type veth peer name machine netns ${this.#switch}`,
      `link set ${this.#line} up`,
    ]);
    const plan = await this.#takeBlock(preferred, signal);
    await ip(
      [
        'link set lo up',
        ...['wire', 'tunnels'].flatMap((bridge) => [
          `link add ${bridge} type bridge mcast_snooping 0`,
          `link set ${bridge} up`,
        ]),
        'link set machine master wire up',
      ],
      this.#switch,
    );
    for (const [index, { managementRange, publicRange, address }] of plan.hosts.entries()) {
      await this.addHost(plan, index);
      await ip([managementRange, publicRange].map((range) => `route add ${range} via ${address} dev ${this.#line}`));
    }
    for (const { name, address } of [...plan.webs, { name: clientName, address: plan.client }])
      await this.#join(plan, name, address);
    return plan;
  }

  async addHost(plan: Plan, index: number): Promise<void> {
    const host = plan.hosts[index];
    if (host === undefined) return;
    await this.#join(plan, host.name, host.address);
    const space = this.namespace(host.name);
    await ip([`link add eth1 netns ${space} type veth peer name ${host.name}t netns ${this.#switch}`]);
    await ip([`link set ${host.name}t master tunnels up`], this.#switch);
    await ip([`address add ${host.tunnelAddress}/${tunnelPrefix} dev eth1`, 'link set eth1 up'], space);
    await run(['nsenter', `--net=/run/netns/${space}`, '--', 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
  }

  /** Its interfaces, too. */
  async removeSpace(namespace: string): Promise<void> {
    await runProgram('ip', ['netns', 'delete', namespace]);
  }

  /** What this machine has of an earlier or of this lab, without the nodes. */
  async present(): Promise<string[]> {
    return (await namespaces()).filter((name) => name.startsWith(`tg-${this.#id}-`));
  }

  async has(name: string): Promise<boolean> {
    return (await this.present()).includes(this.namespace(name));
  }

  /** `spaces`: all of them, and those of the nodes. */
  async remove(spaces: readonly string[]): Promise<void> {
    await runProgram('ip', ['link', 'delete', this.#line]);
    for (const name of spaces) await this.removeSpace(name);
  }

  /** Takes the line of a host, a web server or the client out of the switch, or puts it back. */
  async setPlugged(name: string, plugged: boolean): Promise<void> {
    const links = await runProgram('ip', ['-netns', this.#switch, '-o', 'link', 'show']);
    const lines = [name, `${name}t`].filter((port) => links.stdout.includes(` ${port}@`));
    await ip(
      lines.map((port) => `link set ${port} ${plugged ? 'up' : 'down'}`),
      this.#switch,
    );
  }

  async #join({ hosts }: Plan, name: string, address: string): Promise<void> {
    const space = this.namespace(name);
    await ip([`netns add ${space}`, `link add eth0 netns ${space} type veth peer name ${name} netns ${this.#switch}`]);
    await ip([`link set ${name} master wire up`], this.#switch);
    const others = hosts.filter((host) => host.name !== name);
    await ip(
      [
        'link set lo up',
        `address add ${address}/${wirePrefix} dev eth0`,
        'link set eth0 up',
        ...others.map((host) => `route add ${host.publicRange} via ${host.address}`),
      ],
      space,
    );
  }

  async #takeBlock(preferred: number | undefined, signal: AbortSignal): Promise<Plan> {
    for (let attempt = 0; attempt < tries; attempt += 1) {
      signal.throwIfAborted();
      const third = attempt === 0 && preferred !== undefined ? preferred : randomInt(256);
      const plan = planOf(`198.19.${third}`);
      if ((await interfacesIn(plan.net)).length > 0) continue;
      await ip([`address add ${plan.machine}/24 dev ${this.#line}`]);
      // Another lab may have looked at the same moment: then both see two interfaces, and both choose again.
      if ((await interfacesIn(plan.net)).length === 1) return plan;
      await ip([`address del ${plan.machine}/24 dev ${this.#line}`]);
    }
    throw new Error(`no free /24 was found in 198.19.0.0/16 after ${tries} tries`);
  }
}

export async function namespaces(): Promise<string[]> {
  const { stdout } = await runProgram('ip', ['netns', 'list']);
  return stdout.split('\n').flatMap((line) => line.split(' ')[0] || []);
}

/** For a node, whose host puts its lines back: everything from and to it is dropped. */
export async function setCut(namespace: string, isCut: boolean): Promise<void> {
  const nft = ['nsenter', `--net=/run/netns/${namespace}`, '--', 'nft'];
  await runProgram(nft[0] ?? '', [...nft.slice(1), 'delete', 'table', 'inet', 'tidegate-lab']);
  if (isCut) await run([...nft, '-f', '-'], cut);
}

/** Interfaces and routes of this machine in the block or around it (the default route does not count). */
async function interfacesIn(net: string): Promise<string[]> {
  const listed = JSON.parse(await run(['ip', '-json', '-4', 'route', 'show', 'table', 'all'])) as {
    dst?: string;
    dev?: string;
  }[];
  const touching = listed.filter(({ dst = 'default' }) => {
    if (dst === 'default') return false;
    const [first = '', prefix = '32'] = dst.split('/');
    return isInBlock(first, `${net}.0/24`) || (Number(prefix) > 0 && isInBlock(`${net}.0`, `${first}/${prefix}`));
  });
  return [...new Set(touching.map(({ dev }) => dev ?? 'route'))];
}

async function ip(lines: readonly string[], namespace?: string): Promise<void> {
  await run(['ip', ...(namespace === undefined ? [] : ['-netns', namespace]), '-batch', '-'], lines.join('\n'));
}

async function run([command = '', ...args]: readonly string[], input?: string): Promise<string> {
  const result = await runProgram(command, args, input === undefined ? {} : { input });
  if (result.exitCode === 0) return result.stdout;
  throw new Error(`${command} ${args.join(' ')} (${input ?? ''}) failed: ${result.stderr.trim()}`);
}
