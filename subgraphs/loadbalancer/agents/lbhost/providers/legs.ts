// The legs of a node in its namespace, and the commands that create them. Pure: wanted state in, command lines out. Lines contain only
// parsed addresses and numbers, so nothing else can get into them.
import { blockBytes, canonicalAddressBlock, gatewayIn, isInBlock } from '../../../../../platform/net/address-block.ts';
import type { WantedNode } from '../../../wire/wanted-node.ts';

export type LegName = 'public' | 'management' | 'subnet';

export interface Leg {
  readonly name: LegName;
  readonly address: string;
  readonly prefix: number;
  /** Undefined if the leg reaches only its own block. */
  readonly gateway: string | undefined;
}

export interface HostRanges {
  readonly publicRange: string;
  readonly managementRange: string;
}

/** VXLAN's header over IPv4 is 50 bytes. */
export const subnetMtu = 1450;
/** Routing table for answers from the management address. */
const managementTable = 100;

/** Throws if an address is not in its block. */
export function legsOf(node: WantedNode, { publicRange, managementRange }: HostRanges): readonly Leg[] {
  const legs = [leg('public', node.address, publicRange, gatewayIn(publicRange))];
  if (node.managementAddress !== node.address)
    legs.push(leg('management', node.managementAddress, managementRange, gatewayIn(managementRange)));
  if (node.subnet !== null) legs.push(leg('subnet', node.subnet.address, node.subnet.cidr, undefined));
  return legs;
}

function leg(name: LegName, address: string, block: string, gateway: string | undefined): Leg {
  const read = blockBytes(canonicalAddressBlock(block) ?? '');
  if (read === undefined || !isInBlock(address, block))
    throw new Error(`the node's ${name} address ${address} is not in ${block.slice(0, 49)}`);
  return { name, address, prefix: read.prefix, gateway };
}

/** The leg with the address that two nodes share. */
export function floatingLeg({ floating, subnet }: Pick<WantedNode, 'floating' | 'subnet'>): 'public' | 'subnet' {
  return floating !== null && subnet !== null && isInBlock(floating.address, subnet.cidr) ? 'subnet' : 'public';
}

/**
 * A shell script for the node's namespace, which brings up its legs with their addresses and routes. It is idempotent. The management
 * address answers only on the management leg, and the answers leave through it. The node can listen on an address that another node has at
 * the moment. The node forwards nothing. `isNew`: the namespace has just been created and has no rules.
 */
export function scriptOf(legs: readonly Leg[], { isNew }: { readonly isNew: boolean }): string {
  return [
    'set -e',
    'cd /proc/sys/net',
    'echo 0 >ipv4/ip_forward',
    'echo 1 >ipv4/ip_nonlocal_bind',
    'if [ -d ipv6 ]; then echo 0 >ipv6/conf/all/forwarding; echo 1 >ipv6/ip_nonlocal_bind; fi',
    ...heredoc('ip -batch -', ['link set lo up', ...legs.flatMap(legLines)]),
    ...ruleLines(legs, isNew),
    '',
  ].join('\n');
}

function legLines({ name, address, prefix, gateway }: Leg): string[] {
  const detection = address.includes(':') ? ' nodad' : '';
  const lines = [`link set ${name} up`, `address replace ${address}/${prefix} dev ${name}${detection}`];
  if (gateway === undefined) return lines;
  const table = name === 'management' ? ` table ${managementTable}` : '';
  return [...lines, `route replace default via ${gateway} dev ${name}${table} onlink`];
}

/** Puts rules before those for local addresses, which therefore move from preference 0 to 10. */
function ruleLines(legs: readonly Leg[], isNew: boolean): string[] {
  const management = legs.find(({ name }) => name === 'management');
  if (management === undefined) return [];
  const { address } = management;
  const ip = address.includes(':') ? 'ip -6' : 'ip';
  const others = legs.filter(({ name }) => name !== 'management');
  const rules = [
    ...others.map(({ name }) => `rule add pref 5 iif ${name} to ${address} blackhole`),
    `rule add pref ${managementTable} from ${address} lookup ${managementTable}`,
    'rule add pref 10 lookup local',
    'rule del pref 0',
  ];
  const add = heredoc(`${ip} -batch -`, rules);
  // One compound command in both cases: a shell that gets only the beginning of it does nothing.
  if (isNew) return ['{', ...add, '}'];
  return [`if ! ${ip} rule list pref ${managementTable} | grep -qF 'from ${address} '; then`, ...add, 'fi'];
}

/** A command of a shell script with its input. `end`: a line that does not occur in it. */
export function heredoc(command: string, lines: readonly string[], end = 'END'): string[] {
  return [`${command} <<'${end}'`, ...lines, end];
}
