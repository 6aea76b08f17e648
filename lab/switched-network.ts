// A network of the lab, as root: a switch, around which each host is a network namespace, and on which this machine has one address. It
// uses one /24 of 198.19.0.0/16, which RFC 2544 reserves for tests.
// needs: iproute2, nftables, root
import { randomInt } from 'node:crypto';
import { runProgram } from '../embedded/run-program.ts';
import { isInBlock } from '../platform/net/address-block.ts';
import { type Claim, ownClaims } from './claims/claims.ts';
import { endProcessesIn } from './processes.ts';

const tries = 20;
/** Only traffic inside the namespace passes. */
const everything = `
  chain in { type filter hook input priority -300; policy drop; iif lo accept; }
  chain through { type filter hook forward priority -300; policy drop; }
  chain out { type filter hook output priority -300; policy drop; oif lo accept; }`;

export class SwitchedNetwork {
  readonly #id: string;
  readonly #line: string;

  /** `id`: six hexadecimal digits, from the device's folder. `kind`: two letters, from the device. */
  constructor(id: string, kind: string) {
    this.#id = id;
    this.#line = `tg${id}-${kind}`;
  }

  namespace(name: string): string {
    return `tg-${this.#id}-${name}`;
  }

  /** The command prefix that enters the network of a host. */
  entering(name: string): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.namespace(name)}`, '--'];
  }

  get switch(): string {
    return this.namespace('switch');
  }

  /** This machine's end of its line to the switch. */
  get line(): string {
    return this.#line;
  }

  /** `preferred`: the third number of an earlier start's addresses. Returns the first 24 bits, as `198.19.7`; this machine has `.1`. */
  async lay(preferred: number | undefined, signal: AbortSignal): Promise<string> {
    await ownClaims.claim(...this.#claims);
    await ip([
      `netns add ${this.switch}`,
      `link add ${this.line} type veth peer name machine netns ${this.switch}`,
      `link set ${this.line} up`,
    ]);
    const net = await this.#takeBlock(preferred, signal);
    await ip(['link set lo up', ...newBridge('wire'), 'link set machine master wire up'], this.switch);
    return net;
  }

  /** A host with a line to the switch. */
  async join(name: string, address: string, prefix: number): Promise<void> {
    const space = this.namespace(name);
    await ip([`netns add ${space}`, `link add eth0 netns ${space} type veth peer name ${name} netns ${this.switch}`]);
    await ip([`link set dev ${name} master wire up`], this.switch);
    await ip(['link set lo up', `address add ${address}/${prefix} dev eth0`, 'link set eth0 up'], space);
  }

  /** Includes its interfaces. */
  async removeSpace(namespace: string): Promise<void> {
    await runProgram('ip', ['netns', 'delete', namespace]);
  }

  /** Remains of an earlier network, or the present one, on this machine. */
  async present(): Promise<string[]> {
    return (await namespaces()).filter((name) => name.startsWith(`tg-${this.#id}-`));
  }

  async has(name: string): Promise<boolean> {
    return (await this.present()).includes(this.namespace(name));
  }

  /** Ends everything that runs in it, and removes it. */
  async end(): Promise<void> {
    const spaces = await this.present();
    await endProcessesIn(spaces);
    await this.remove(spaces);
  }

  /** `spaces`: all namespaces of the network. */
  async remove(spaces: readonly string[]): Promise<void> {
    await runProgram('ip', ['link', 'delete', this.line]);
    for (const name of spaces) await this.removeSpace(name);
    ownClaims.release(...this.#claims);
  }

  get #claims(): readonly Claim[] {
    return [
      { kind: 'namespaces', what: `tg-${this.#id}-` },
      { kind: 'interfaces', what: this.line },
    ];
  }

  /** Detaches the lines of a host from the switch, or attaches them again. */
  async setPlugged(ports: readonly string[], plugged: boolean): Promise<void> {
    const links = await runProgram('ip', ['-netns', this.switch, '-o', 'link', 'show']);
    const lines = ports.filter((port) => links.stdout.includes(` ${port}@`));
    await ip(
      lines.map((port) => `link set dev ${port} ${plugged ? 'up' : 'down'}`),
      this.switch,
    );
  }

  async #takeBlock(preferred: number | undefined, signal: AbortSignal): Promise<string> {
    for (let attempt = 0; attempt < tries; attempt += 1) {
      signal.throwIfAborted();
      const third = attempt === 0 && preferred !== undefined ? preferred : randomInt(256);
      const net = `198.19.${third}`;
      if ((await interfacesIn(net)).length > 0) continue;
      await ip([`address add ${net}.1/24 dev ${this.line}`]);
      // Another lab may have checked at the same moment: then both see two interfaces, and both choose again.
      if ((await interfacesIn(net)).length === 1) return net;
      await ip([`address del ${net}.1/24 dev ${this.line}`]);
    }
    throw new Error(`no free /24 was found in 198.19.0.0/16 after ${tries} tries`);
  }
}

export async function namespaces(): Promise<string[]> {
  const { stdout } = await runProgram('ip', ['netns', 'list']);
  return stdout.split('\n').flatMap((line) => line.split(' ')[0] || []);
}

export function newBridge(name: string): string[] {
  return [`link add ${name} type bridge mcast_snooping 0`, `link set ${name} up`];
}

/** Drops traffic to and from a namespace. `chains`: nftables chains with the traffic to drop. Default: everything. `name`: name of this cut. */
export async function setCut(
  namespace: string,
  isCut: boolean,
  chains = everything,
  name = 'tidegate-lab',
): Promise<void> {
  const nft = [`--net=/run/netns/${namespace}`, '--', 'nft'];
  const table = `table inet ${name}`;
  // In one transaction that works whether or not it was cut before: a deleted table must exist.
  if (isCut) await run(['nsenter', ...nft, '-f', '-'], `${table}\ndelete ${table}\n${table} {${chains}\n}`);
  else await runProgram('nsenter', [...nft, 'delete', 'table', 'inet', name]);
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

export async function ip(lines: readonly string[], namespace?: string): Promise<void> {
  await run(['ip', ...(namespace === undefined ? [] : ['-netns', namespace]), '-batch', '-'], lines.join('\n'));
}

export async function run([command = '', ...args]: readonly string[], input?: string): Promise<string> {
  const result = await runProgram(command, args, input === undefined ? {} : { input });
  if (result.exitCode === 0) return result.stdout;
  throw new Error(`${command} ${args.join(' ')} (${input ?? ''}) failed: ${result.stderr.trim()}`);
}
