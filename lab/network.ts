// The lab's network: a firewall, a client and a server as network namespaces, joined by veth pairs, and another pair between the
// machine and the firewall for its management (SSH). Addresses are from 198.18.0.0/15, which RFC 2544 reserves for tests; they
// are fixed inside the namespaces, and in a free /30 outside.
// needs: iproute2

import { createHash, randomInt } from 'node:crypto';
import { runProgram } from '../embedded/run-program.ts';
import { type Claim, ownClaims } from './claims/claims.ts';

export interface LabNames {
  readonly firewall: string;
  readonly client: string;
  readonly server: string;
  /** The machine's end of the management pair; at most 15 bytes, like every interface name (IFNAMSIZ). */
  readonly managementInterface: string;
}

export const CLIENT_ADDRESS = '198.19.1.10';
export const SERVER_ADDRESS = '198.19.2.10';
export const CLIENT_ADDRESS6 = 'fd19:1::10';
export const SERVER_ADDRESS6 = 'fd19:2::10';

/** Number of /30 subnets in 198.18.0.0/16. */
const MANAGEMENT_SUBNETS = 16_384;
const TRIES = 20;

function labNames(id: string): LabNames {
  return {
    firewall: `tg-${id}-firewall`,
    client: `tg-${id}-client`,
    server: `tg-${id}-server`,
    managementInterface: `tg-${id}`,
  };
}

/** Names of the namespaces and links of a lab in this folder. */
export function namesFor(folder: string): LabNames {
  return labNames(createHash('sha256').update(folder).digest('hex').slice(0, 6));
}

/**
 * Creates the network. `preferred` is the subnet of an earlier start (0 to 16383).
 *
 * @returns the chosen subnet and the firewall's address in it
 */
export async function layOutNetwork(
  names: LabNames,
  preferred: number | undefined,
  signal?: AbortSignal,
): Promise<{ subnet: number; managementAddress: string }> {
  const { firewall, client, server } = names;
  await ownClaims.claim(...claimsOf(names));
  await ip([`netns add ${firewall}`, `netns add ${client}`, `netns add ${server}`], signal);
  await setKernelOptions(names);
  await ip(
    [
      `link add eth0 netns ${client} type veth peer name client0 netns ${firewall}`,
      `link add eth0 netns ${server} type veth peer name server0 netns ${firewall}`,
      `link add ${names.managementInterface} type veth peer name mgmt0 netns ${firewall}`,
    ],
    signal,
  );
  await ipIn(client, [
    'link set lo up',
    `address add ${CLIENT_ADDRESS}/24 dev eth0`,
    `address add ${CLIENT_ADDRESS6}/64 dev eth0 nodad`,
    'link set eth0 up',
    'route add default via 198.19.1.1',
    'route add default via fd19:1::1',
  ]);
  await ipIn(server, [
    'link set lo up',
    `address add ${SERVER_ADDRESS}/24 dev eth0`,
    `address add ${SERVER_ADDRESS6}/64 dev eth0 nodad`,
    'link set eth0 up',
    'route add default via 198.19.2.1',
    'route add default via fd19:2::1',
  ]);
  await ipIn(firewall, [
    'link set lo up',
    'address add 198.19.1.1/24 dev client0',
    'address add fd19:1::1/64 dev client0 nodad',
    'link set client0 up',
    'address add 198.19.2.1/24 dev server0',
    'address add fd19:2::1/64 dev server0 nodad',
    'link set server0 up',
    'link set mgmt0 up',
  ]);
  await ip([`link set ${names.managementInterface} up`], signal);
  return takeManagementSubnet(names, preferred, signal);
}

/**
 * Removes all of this lab's network. Deleting the machine's end first cuts it off even when a shell that somebody opened inside
 * keeps a namespace alive.
 */
export async function removeNetwork(names: LabNames): Promise<void> {
  const commands = [
    `link delete ${names.managementInterface}`,
    `netns delete ${names.firewall}`,
    `netns delete ${names.client}`,
    `netns delete ${names.server}`,
  ];
  await runProgram('ip', ['-force', '-batch', '-'], { input: commands.join('\n') });
  ownClaims.release(...claimsOf(names));
}

function claimsOf({ firewall, client, server, managementInterface }: LabNames): readonly Claim[] {
  return [
    ...[firewall, client, server].map((what) => ({ kind: 'namespaces', what }) as const),
    { kind: 'interfaces', what: managementInterface },
  ];
}

/** Forwarding in the firewall; no duplicate address detection, which would delay IPv6 by two seconds. */
async function setKernelOptions(names: LabNames): Promise<void> {
  const noDetection = 'for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/accept_dad; done 2>/dev/null';
  const forward = 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding 2>/dev/null; echo 1 >/proc/sys/net/ipv4/ip_forward';
  for (const [namespace, script] of [
    [names.client, `${noDetection}; :`],
    [names.server, `${noDetection}; :`],
    [names.firewall, `${noDetection}; ${forward}`],
  ] as const) {
    await run('ip', ['netns', 'exec', namespace, 'sh', '-c', script]);
  }
}

/** The lab's existing namespaces. */
export async function presentNamespaces(names: LabNames): Promise<string[]> {
  const listed = await runProgram('ip', ['netns', 'list']);
  const found = new Set(listed.stdout.split('\n').map((line) => line.split(' ')[0]));
  return [names.firewall, names.client, names.server].filter((name) => found.has(name));
}

async function takeManagementSubnet(
  names: LabNames,
  preferred: number | undefined,
  signal: AbortSignal | undefined,
): Promise<{ subnet: number; managementAddress: string }> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    signal?.throwIfAborted();
    const subnet = attempt === 0 && preferred !== undefined ? preferred : randomInt(MANAGEMENT_SUBNETS);
    if ((await interfacesIn(subnet)).length > 0) continue;
    await ip([`address add ${hostOf(subnet, 1)}/30 dev ${names.managementInterface}`], signal);
    // Another lab may have checked at the same moment: then both see two interfaces, and both choose again.
    if ((await interfacesIn(subnet)).length === 1) {
      await ipIn(names.firewall, [`address add ${hostOf(subnet, 2)}/30 dev mgmt0`]);
      return { subnet, managementAddress: hostOf(subnet, 2) };
    }
    await ip([`address del ${hostOf(subnet, 1)}/30 dev ${names.managementInterface}`], signal);
  }
  throw new Error(`No free management subnet was found in 198.18.0.0/16 after ${TRIES} attempts.`);
}

/** Interfaces and routes of this machine that overlap the /30 (the default route does not count). */
async function interfacesIn(subnet: number): Promise<string[]> {
  const start = subnet * 4;
  const listed = JSON.parse((await run('ip', ['-json', '-4', 'route', 'show', 'table', 'all'])).stdout) as {
    dst?: string;
    dev?: string;
  }[];
  const overlapping = listed.filter((route) => {
    const range = rangeOf(route.dst ?? '');
    return range !== undefined && range.from <= start + 3 && range.to >= start;
  });
  return [...new Set(overlapping.map((route) => route.dev ?? 'route'))];
}

/** The part of a route inside 198.18.0.0/16, as offsets from its start. Undefined if there is none. */
function rangeOf(destination: string): { from: number; to: number } | undefined {
  const [address = '', length = '32'] = destination.split('/');
  const octets = address.split('.').map(Number);
  if (octets.length !== 4 || octets.some((octet) => !Number.isInteger(octet))) return undefined;
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const base = (198 * 256 + 18) * 65_536;
  const size = 2 ** (32 - Number(length));
  if (value + size <= base || value >= base + 65_536) return undefined;
  return { from: value - base, to: value - base + size - 1 };
}

function hostOf(subnet: number, host: number): string {
  const offset = subnet * 4 + host;
  return `198.18.${offset >> 8}.${offset & 255}`;
}

async function ip(commands: readonly string[], signal?: AbortSignal): Promise<void> {
  await run('ip', ['-batch', '-'], { input: commands.join('\n'), ...(signal === undefined ? {} : { signal }) });
}

async function ipIn(namespace: string, commands: readonly string[]): Promise<void> {
  await run('ip', ['-netns', namespace, '-batch', '-'], { input: commands.join('\n') });
}

async function run(
  command: string,
  args: readonly string[],
  options: Parameters<typeof runProgram>[2] = {},
): Promise<{ stdout: string }> {
  const result = await runProgram(command, args, options);
  if (result.exitCode !== 0) {
    const input = options.input === undefined ? '' : ` (${options.input.replaceAll('\n', '; ')})`;
    throw new Error(`${command} ${args.join(' ')}${input} failed: ${result.stderr.trim()}`);
  }
  return result;
}
