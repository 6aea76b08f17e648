// The egress policy: the addresses to which this installation connects on behalf of its users, passed to everything that dials.
// It is built from plain data, so that a process without a database can have the same policy (decision 0023). It checks addresses
// at each connect, never names: dial.ts passes it the addresses that a name resolves to.
import { isIP } from 'node:net';
import { addressBytes, blockBytes, canonicalAddressBlock } from './address-block.ts';

/**
 * Rules in the form of the settings: an address or a CIDR block, with or without a port: `10.0.0.0/8`, `192.0.2.1:22`,
 * `[2001:db8::/32]:443`. If two rules match an address, the rule with the narrower block applies, then the rule with a port, then
 * the denial.
 */
interface EgressRules {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** The installation's own listeners, with ports: denied whatever `allow` contains. */
  readonly own?: readonly string[];
}

export interface EgressDenial {
  /** The dialled address. */
  readonly address: string;
  readonly port: number;
  /** The address, the reason, and the setting that can allow it; without a full stop. */
  readonly reason: string;
}

export interface EgressPolicy {
  /** The data from which another process makes the same policy: JSON. */
  readonly rules: Required<EgressRules>;
  /** Why this address (never a name) and port may not be dialled. Undefined if they may. Anything but an address is denied. */
  denial(address: string, port: number): EgressDenial | undefined;
  /** The source address of connections of its family (source-address.ts). If absent, the system chooses. */
  readonly source?: string;
}

/** The same policy, with this source address. */
export function egressFromSource(egress: EgressPolicy, source: string | undefined): EgressPolicy {
  if (source === undefined) return egress;
  return { rules: egress.rules, denial: (address, port) => egress.denial(address, port), source };
}

/**
 * @param own changes with the installation's own listeners; default: those in the rules, unchanging
 * @param lab changes with the devices of the lab, which are allowed whatever `deny` contains
 * @throws Error naming the invalid rule
 */
export function egressFrom(
  rules: EgressRules,
  own = new KnownListeners(rules.own),
  lab = new KnownListeners(),
): EgressPolicy {
  const { allow = [], deny = [] } = rules;
  const table = [
    ...deny.map((text) => readRule(text, 'deny')),
    ...allow.map((text) => readRule(text, 'allow')),
    ...builtIn,
  ].sort(byNarrowness);
  const [table4, table6] = [table.filter(({ bytes }) => bytes.length === 4), table.filter(isIPv6Rule)];
  return {
    get rules() {
      return { allow: [...allow, ...lab.listeners], deny, own: own.listeners };
    },
    denial(address, port) {
      const forms = formsOf(address);
      if (forms === undefined)
        return { address, port, reason: `connections to ${quote(address)} are denied: it is not an address` };
      for (const form of forms) {
        // 0: the port is not known yet.
        const subject = `connections to ${address}${form.stands} ${port === 0 ? '(no port is given)' : `port ${port}`}`;
        if (own.serves(form.bytes, port))
          return {
            address,
            port,
            reason: `${subject} are denied: they would reach this installation itself, and no setting allows that`,
          };
        if (lab.serves(form.bytes, port)) continue;
        const rules = form.bytes.length === 4 ? table4 : table6;
        const rule = ruleOf(rules, form, port);
        if (rule !== undefined && rule.kind !== 'allow') {
          const open = allowedPorts(rules, form).filter((each) => !own.serves(form.bytes, each));
          return { address, port, reason: `${subject} ${wordsOf(rule, form, port, portWords(open))}` };
        }
      }
      return undefined;
    },
  };
}

/** The rule in canonical notation; undefined when it is invalid. */
export function canonicalEgressRule(text: string): string | undefined {
  const parts = partsOf(text);
  if (parts === undefined) return undefined;
  const { block, port } = parts;
  if (port === undefined) return block;
  return block.includes(':') ? `[${block}]:${port}` : `${block}:${port}`;
}

/** Addresses with ports: a set that changes. */
export class KnownListeners {
  listeners: readonly string[] = [];
  #byPort = new Map<number, Rule[]>();

  /** Throws when one is not a rule with a port. */
  constructor(listeners: readonly string[] = []) {
    this.replace(listeners);
  }

  replace(listeners: readonly string[]): void {
    const byPort = new Map<number, Rule[]>();
    for (const text of listeners) {
      const rule = readRule(text, 'own');
      if (rule.port === undefined) throw new Error(`${text} is not a listener: it has no port`);
      byPort.set(rule.port, [...(byPort.get(rule.port) ?? []), rule]);
    }
    this.listeners = [...listeners];
    this.#byPort = byPort;
  }

  serves(bytes: readonly number[], port: number): boolean {
    return this.#byPort.get(port)?.some((rule) => isIn(bytes, rule)) ?? false;
  }
}

interface Rule {
  readonly kind: 'deny' | 'allow' | 'own' | 'built in';
  /** For messages. */
  readonly text: string;
  readonly bytes: readonly number[];
  readonly prefix: number;
  readonly port: number | undefined;
  /** For built-in rules: a description. */
  readonly what?: string;
}

const builtIn: readonly Rule[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
  // Here clouds give a machine its credentials: allowing the link-local block does not allow these.
  ['169.254.169.253', 'cloud metadata: DNS of AWS'],
  ['169.254.169.254', 'cloud metadata: AWS, Azure, Google, OpenStack and others'],
  ['169.254.170.2', 'cloud metadata: AWS ECS'],
  ['169.254.170.23', 'cloud metadata: AWS EKS'],
  ['100.100.100.200', 'cloud metadata: Alibaba'],
  ['168.63.129.16', 'cloud metadata: Azure'],
  ['192.0.0.192', 'cloud metadata: Oracle'],
  ['fd00:ec2::/32', 'cloud metadata: AWS'],
  ['fd20:ce::254', 'cloud metadata: Google'],
  ['fd00:42::42', 'cloud metadata: Scaleway'],
  ['fe80::a9fe:a9fe', 'cloud metadata: OpenStack'],
  // These reach IPv4 addresses that can't be read from them with certainty.
  ['2001::/32', 'Teredo'],
  ['64:ff9b:1::/48', 'local-use NAT64'],
].map(([text = '', what = '']) => ({ ...readRule(text, 'built in'), what }));

function readRule(text: string, kind: Rule['kind']): Rule {
  const parts = partsOf(text);
  const block = parts && blockBytes(parts.block);
  if (parts === undefined || block === undefined) throw new Error(`${quote(text)} is not an egress rule`);
  return { kind, text: canonicalEgressRule(text) ?? text, ...block, port: parts.port };
}

/** `BLOCK`, `BLOCK:PORT` (IPv4) or `[BLOCK]:PORT`. IPv4-mapped blocks count as IPv4 blocks. */
function partsOf(text: string): { readonly block: string; readonly port: number | undefined } | undefined {
  const [, inner, innerPort] = /^\[([^[\]]*)\](?::(\d{1,5}))?$/.exec(text) ?? [];
  const [, plain, plainPort] = /^([\d./]+):(\d{1,5})$/.exec(text) ?? [];
  const [host, digits] = [inner ?? plain ?? text, innerPort ?? plainPort];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const parsed = blockBytes(host);
  if (parsed === undefined) return undefined;
  if (parsed.prefix >= 96 && isMapped(parsed.bytes)) {
    const block = canonicalAddressBlock(`${textOf4(parsed.bytes.slice(12))}/${parsed.prefix - 96}`);
    return block === undefined ? undefined : { block, port };
  }
  const block = canonicalAddressBlock(host);
  return block === undefined ? undefined : { block, port };
}

const order: Readonly<Record<Rule['kind'], number>> = { own: 0, deny: 1, allow: 2, 'built in': 3 };

/** The deciding rule comes first; a setting takes precedence over a built-in rule for an equal block. */
function byNarrowness(one: Rule, other: Rule): number {
  const ports = Number(other.port !== undefined) - Number(one.port !== undefined);
  return other.prefix - one.prefix || ports || order[one.kind] - order[other.kind];
}

function isIPv6Rule({ bytes }: Rule): boolean {
  return bytes.length === 16;
}

function isIn(bytes: readonly number[], rule: Rule): boolean {
  if (bytes.length !== rule.bytes.length) return false;
  for (let index = 0, left = rule.prefix; left > 0; index += 1, left -= 8) {
    const mask = left >= 8 ? 0xff : 0xff & ~(0xff >> left);
    if ((((bytes[index] ?? 0) ^ (rule.bytes[index] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

interface Form {
  readonly bytes: readonly number[];
  /** For messages about an address that contains another. */
  readonly stands: string;
}

/** The address, and each IPv4 address at which a packet to it can arrive; Undefined if the text is not an address. */
function formsOf(text: string): readonly Form[] | undefined {
  // A zone names the interface, not the destination (RFC 4007).
  const bytes = addressBytes(isIP(text) === 6 ? (text.split('%', 1)[0] ?? '') : text);
  if (bytes === undefined) return undefined;
  const itself = { bytes, stands: '' };
  if (bytes.length === 4) return [itself];
  const inside = embeddedIn(bytes);
  if (inside === undefined) return [itself];
  const meant = { bytes: inside, stands: ` (that is ${textOf4(inside)})` };
  return isMapped(bytes) ? [meant] : [itself, meant];
}

/** The IPv4 address contained in an IPv6 address. */
function embeddedIn(bytes: readonly number[]): readonly number[] | undefined {
  const group = (index: number) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0);
  const last = bytes.slice(12);
  const zeroes = (from: number, to: number) => bytes.slice(from * 2, to * 2).every((byte) => byte === 0);
  if (isMapped(bytes)) return last;
  // IPv4-compatible (RFC 4291 section 2.5.5.1), except `::` and `::1`.
  if (zeroes(0, 6)) return zeroes(6, 7) && group(7) <= 1 ? undefined : last;
  // IPv4-translated (RFC 2765).
  if (zeroes(0, 4) && group(4) === 0xffff && group(5) === 0) return last;
  // 6to4 (RFC 3056).
  if (group(0) === 0x2002) return bytes.slice(2, 6);
  // NAT64 (RFC 6052), also for local use (RFC 8215) with the usual length.
  if (group(0) === 0x64 && group(1) === 0xff9b) return last;
  // ISATAP (RFC 5214 section 6.1).
  if ((group(4) & 0xfdff) === 0 && group(5) === 0x5efe) return last;
  return undefined;
}

/** `::ffff:0:0/96` (RFC 4291 section 2.5.5.2): the kernel dials the IPv4 address. */
function isMapped(bytes: readonly number[]): boolean {
  return (
    bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  );
}

function textOf4(bytes: readonly number[]): string {
  return bytes.join('.');
}

/** The rule that decides. `rules`: narrowest first. */
function ruleOf(rules: readonly Rule[], { bytes }: Form, port: number): Rule | undefined {
  return rules.find((each) => (each.port ?? port) === port && isIn(bytes, each));
}

/** Ports of the address that rules allow by their number. Who asks could find each of them by trying it. */
function allowedPorts(rules: readonly Rule[], form: Form): readonly number[] {
  const ports = rules.flatMap(({ kind, port }) => (kind === 'allow' && port !== undefined ? [port] : []));
  return [...new Set(ports)].filter((port) => ruleOf(rules, form, port)?.kind === 'allow').sort((a, b) => a - b);
}

const mostPorts = 5;

/** `its ports 80 and 443 are allowed; `. Empty if there are none. */
function portWords(ports: readonly number[]): string {
  if (ports.length === 0) return '';
  if (ports.length === 1) return `its port ${ports[0]} is allowed; `;
  const shown = ports.slice(0, mostPorts).map(String);
  const last = ports.length > mostPorts ? `${ports.length - mostPorts} more` : (shown.pop() ?? '');
  return `its ports ${shown.join(', ')} and ${last} are allowed; `;
}

/** `port`: 0 if it is not known yet. `open`: the ports that are allowed, in words. */
function wordsOf({ kind, text, what }: Rule, { bytes }: Form, port: number, open: string): string {
  if (kind === 'built in')
    return `are denied by the built-in rule ${text} (${what}); ${open}the setting egress.allow can allow them`;
  // The rule itself is not revealed: it could show networks that the caller may not reach.
  const example = ruleFor(bytes, port);
  return `are denied by the setting egress.deny; ${open}a narrower rule can allow them, for example egress.allow: ["${example}"]`;
}

/** The narrowest rule that matches the address and the port. */
function ruleFor(bytes: readonly number[], port: number): string {
  if (bytes.length === 4) return port === 0 ? textOf4(bytes) : `${textOf4(bytes)}:${port}`;
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  const text = groups.join(':');
  return canonicalEgressRule(port === 0 ? text : `[${text}]:${port}`) ?? text;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
