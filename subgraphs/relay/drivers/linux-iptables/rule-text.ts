// A rule as `iptables -S` shows it and iptables-restore takes it (iptables 1.8, iptables(8) and iptables-extensions(8)).
import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { JsonObject } from '../driver.ts';
import { given } from '../json.ts';
import { readMark, wordsOf, writeMark } from '../mark.ts';

export type RuleKey = { ipVersion: 4 | 6; chain: string; name: string };
export type Rule = RuleKey & {
  position: 'first' | 'last';
  source?: string;
  destination?: string;
  inInterface?: string;
  outInterface?: string;
  protocol?: 'tcp' | 'udp' | 'icmp';
  firstPort?: number;
  lastPort?: number;
  action: 'accept' | 'drop' | 'reject';
};

const targets = { accept: 'ACCEPT', drop: 'DROP', reject: 'REJECT' } as const;
const icmpv6 = 'ipv6-icmp';

/** For iptables-restore. */
export function ruleText(rule: Rule, operationId: string): string {
  const { chain, name, position, source, destination, protocol, firstPort, lastPort = firstPort, action } = rule;
  const words: string[] = [position === 'first' ? '-I' : '-A', chain];
  if (source !== undefined) words.push('-s', canonicalText(source));
  if (destination !== undefined) words.push('-d', canonicalText(destination));
  if (rule.inInterface !== undefined) words.push('-i', rule.inInterface);
  if (rule.outInterface !== undefined) words.push('-o', rule.outInterface);
  if (protocol !== undefined) words.push('-p', protocol === 'icmp' && rule.ipVersion === 6 ? icmpv6 : protocol);
  if (firstPort !== undefined)
    words.push('-m', String(protocol), '--dport', firstPort === lastPort ? `${firstPort}` : `${firstPort}:${lastPort}`);
  words.push('-m', 'comment', '--comment', `"${writeMark({ operationId, words: name })}"`, '-j', targets[action]);
  return words.join(' ');
}

/** An extended regular expression for lines with the rule of this name: with the mark of one of the calls, or with any and without one. */
export function matchOf(name: string, calls?: readonly string[]): string {
  const text = name.replaceAll('.', '[.]');
  if (calls !== undefined) return ` --comment "tg:(${calls.join('|')}) ${text}"( |$)`;
  return ` --comment ("?${text}"?|"tg:[0-9a-f-]{36} ${text}")( |$)`;
}

export interface FoundRule {
  readonly name: string;
  readonly operationId?: string;
  readonly values: JsonObject;
}

/** Undefined if the line is not a rule with a comment. `other`: words that this driver does not write. */
export function readRule(line: string, ipVersion: 4 | 6): FoundRule | undefined {
  const [verb, chain = '', ...words] = wordsIn(line);
  if (verb !== '-A') return undefined;
  const found = new Map<string, string>();
  const other: string[] = [];
  const known = new Set(['-s', '-d', '-i', '-o', '-p', '--dport', '--comment', '-j']);
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const value = words[at + 1] ?? '';
    if (known.has(word) && words[at - 1] !== '!' && !found.has(word)) {
      found.set(word, value);
      at += 1;
    } else if (word === '-m' && ['tcp', 'udp', 'comment'].includes(value)) at += 1;
    // The default of REJECT.
    else if (word === '--reject-with' && /^icmp6?-port-unreachable$/.test(value)) at += 1;
    else other.push(word);
  }
  const comment = found.get('--comment');
  if (comment === undefined) return undefined;
  const [first, last = first] = found.get('--dport')?.split(':') ?? [];
  const protocol = found.get('-p');
  const target = found.get('-j') ?? '';
  const action = Object.entries(targets).find(([, each]) => each === target)?.[0];
  const name = wordsOf(comment);
  const mark = readMark(comment);
  const values = given({
    ...{ ipVersion, chain, name },
    source: addressOf(found.get('-s')),
    destination: addressOf(found.get('-d')),
    inInterface: found.get('-i'),
    outInterface: found.get('-o'),
    protocol: protocol === icmpv6 ? 'icmp' : protocol,
    firstPort: first === undefined ? undefined : Number(first),
    lastPort: last === undefined ? undefined : Number(last),
    action: action ?? target,
    other: other.length === 0 ? undefined : other.join(' '),
    native: line,
  });
  return mark === undefined ? { name, values } : { name, operationId: mark.operationId, values };
}

/** As it will be read back. */
export function desiredOf({ position: _once, ...rule }: Rule): JsonObject {
  return given({
    ...rule,
    source: rule.source === undefined ? undefined : canonicalText(rule.source),
    destination: rule.destination === undefined ? undefined : canonicalText(rule.destination),
    lastPort: rule.lastPort ?? rule.firstPort,
  });
}

function addressOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : canonicalText(text);
}

/** Words of a line of iptables-save: those in quotes may have blanks, and a backslash before a quote or another one. */
function wordsIn(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare = '']) => quoted?.replaceAll(/\\(.)/g, '$1') ?? bare,
  );
}
