// The packet filter of Linux by iptables 1.8 (either variant) over OpenSSH: rules of the table filter, which a comment names. Measured on
// Debian 12 (iptables 1.8.9, nf_tables).

import { type Refused, tooLong, type Unreadable, unknown, unreadable, writeFailure } from '../answer.ts';
import { defineDriver } from '../define-driver.ts';
import {
  type ArgumentFault,
  type ExecReply,
  type Health,
  type JsonObject,
  type JsonValue,
  type MappedObject,
  maxMessageLength,
  type OperationSpec,
  type Outcome,
  type ResourceReader,
  type TypedCall,
} from '../driver.ts';
import { argumentsSchema, given } from '../json.ts';
import { madeBy, markersOf } from '../mark.ts';
import { type Call, verdictOf } from '../script-input.ts';
import { desiredOf, type FoundRule, matchOf, type Rule, type RuleKey, readRule, ruleText } from './rule-text.ts';
import { run } from './scripts.ts';
import { typedObjects } from './typed-objects.ts';

type Answer =
  | { readonly kind: 'done'; readonly rules: readonly string[] }
  | { readonly kind: 'changed'; readonly exit: number; readonly said: string }
  | Refused
  | Unreadable;

const reasons: Readonly<Record<string, string>> = {
  CUT_SHORT: 'The call arrived in part; nothing was done.',
  NO_IPTABLES: 'The machine has no iptables-restore of this IP version.',
  NO_CHAIN: 'The table filter has no such chain.',
  UNREADABLE: 'The rules can not be read; nothing was done.',
  ALREADY_EXISTS: 'The chain has a rule of this name.',
  NOT_FOUND: 'The chain has no rule of this name.',
  CHANGED:
    'The rule of this name is not the one that was recorded: somebody else made it. Nothing was deleted: verify the mapping. To take over the rule that is there now, forget the mapping and adopt it.',
  SEVERAL: 'The chain has several rules of this name.',
};

/** `call`: the call that the reply answers. Absent for a reader. */
function readAnswer(reply: ExecReply, call?: Call): Answer {
  const { exitCode, stdout, stderr, truncated } = reply;
  if (truncated) return tooLong;
  const { verdict = '', before: lines = stdout.split('\n') } = verdictOf('iptables', reply, call) ?? {};
  const after = (word: string) =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  const said = after('said').join('; ').slice(0, maxMessageLength);
  const code = /^refused ([A-Z_]+)$/.exec(verdict)?.[1];
  if (code !== undefined) return { kind: 'refused', code, message: [reasons[code] ?? code, said].join(' ').trim() };
  const exit = /^exit (\d{1,3})$/.exec(verdict)?.[1];
  if (exit !== undefined) return { kind: 'changed', exit: Number(exit), said };
  if (verdict === 'done') return { kind: 'done', rules: after('rule') };
  const words = (said || stderr.trim() || stdout.trim()).slice(0, 1_024);
  return unreadable(`The script has no verdict for this call (exit code ${exitCode}): ${words}`);
}

/** iptables-restore changes a table as a whole: with the exit codes 1 to 4 (iptables(8)) nothing was done. */
function changeOutcome(reply: ExecReply, _args: unknown, call: Call): Outcome {
  const answer = readAnswer(reply, call);
  if (answer.kind === 'done') return unknown('The script has only read.');
  if (answer.kind !== 'changed') return writeFailure(answer, ['NOT_FOUND', 'NO_CHAIN'].includes(answer.code));
  const { exit, said } = answer;
  if (exit === 0) return { state: 'SUCCEEDED', result: null };
  const message = `iptables-restore ended with ${exit}: ${said}`.slice(0, maxMessageLength);
  if (exit > 4) return unknown(message, true);
  return { state: 'FAILED', code: exit === 4 ? 'DEVICE_BUSY' : 'DEVICE_REFUSED', message };
}

const ipVersion = {
  type: 'integer',
  enum: [4, 6],
  default: 4,
  description: 'Of the table: iptables or ip6tables.',
} as const;
const chain = {
  type: 'string',
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,27}$',
  default: 'FORWARD',
  description: 'The chain of the table filter: 1 to 28 letters, digits and . _ -',
} as const;
const name = {
  type: 'string',
  pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$',
  description: 'Its name, which is kept in its comment: 1 to 63 letters, digits and . _ -',
} as const;
const interfaceName = (side: string) =>
  ({
    type: 'string',
    pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,14}$',
    description: `The interface by which packets ${side}: 1 to 15 letters, digits and . _ -`,
  }) as const;
const block = (of: string) =>
  ({
    type: 'string',
    format: 'address-block',
    maxLength: 49,
    description: `The addresses of the ${of}. Default: any.`,
  }) as const;
const port = { type: 'integer', minimum: 1, maximum: 65_535 } as const;

const object = ({ ipVersion: version, chain: of, name: key }: RuleKey) => ({
  resource: 'rule',
  scope: `ipv${version} ${of}`,
  key,
});

function ruleFaults(rule: Rule): readonly ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  for (const side of ['source', 'destination'] as const)
    if (rule[side] !== undefined && rule[side].includes(':') !== (rule.ipVersion === 6))
      faults.push({ path: [side], message: `is no IPv${rule.ipVersion} address` });
  if (rule.firstPort !== undefined && rule.protocol !== 'tcp' && rule.protocol !== 'udp')
    faults.push({ path: ['firstPort'], message: 'requires the protocol tcp or udp' });
  if (rule.lastPort !== undefined && rule.lastPort < (rule.firstPort ?? Number.POSITIVE_INFINITY))
    faults.push({ path: ['lastPort'], message: 'requires firstPort, and must not be below it' });
  return faults;
}

const ruleCreate: OperationSpec<Rule, ExecReply> = {
  name: 'rule.create',
  summary: 'Adds a rule to a chain of the table filter.',
  category: 'USER',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ ipVersion, chain, name },
      position: { type: 'string', enum: ['first', 'last'], default: 'last', description: 'In the chain, now.' },
      source: block('sender'),
      destination: block('receiver'),
      inInterface: interfaceName('arrive'),
      outInterface: interfaceName('leave'),
      protocol: { type: 'string', enum: ['tcp', 'udp', 'icmp'], description: 'Default: any.' },
      firstPort: { ...port, description: "The receiver's port, or the first one of a range." },
      lastPort: { ...port, description: 'Default: firstPort.' },
      action: { type: 'string', enum: ['accept', 'drop', 'reject'] },
    },
    ['name', 'action'],
  ),
  example: { name: 'tenant-42-web', source: '192.0.2.0/24', protocol: 'tcp', firstPort: 443, action: 'accept' },
  refine: ruleFaults,
  object,
  mapping: 'creates',
  desired: desiredOf,
  render: (rule, call) => {
    const input = { version: rule.ipVersion, chain: rule.chain, match: matchOf(rule.name) };
    return run('create', { ...input, rule: ruleText(rule, call.operationId) }, call);
  },
  interpret: changeOutcome,
};

type DeleteArguments = RuleKey & { madeBy?: string[]; native?: string };

/** An earlier version adopted rules without their line: no rule is recognised then. */
function recognisedBy(object: MappedObject): JsonObject {
  const made = markersOf(object);
  if (made !== undefined) return { madeBy: made };
  return object.recorded === undefined ? {} : { native: object.recorded.native ?? '-A ' };
}

const ruleDelete: OperationSpec<DeleteArguments, ExecReply> = {
  name: 'rule.delete',
  summary: 'Deletes the rule of this name from a chain, if it has the given mark or line.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ ipVersion, chain, name, madeBy },
      native: {
        type: 'string',
        maxLength: 4_096,
        pattern: '^-A [^\\n\\r]*$',
        description: 'Its whole line, as rule.list shows it: only a rule with exactly this line is deleted',
      },
    },
    ['name'],
  ),
  example: { name: 'tenant-42-web' },
  object,
  mapping: 'deletes',
  recognised: recognisedBy,
  render: ({ ipVersion: version, chain: of, name: key, madeBy: made, native }, call) => {
    const meant = made === undefined ? {} : { meant: matchOf(key, made) };
    const whole = native === undefined ? {} : { native };
    return run('delete', { version, chain: of, match: matchOf(key), ...meant, ...whole }, call);
  },
  interpret: changeOutcome,
};

const ruleList: OperationSpec<Omit<RuleKey, 'name'>, ExecReply> = {
  name: 'rule.list',
  summary: 'Lists the rules of a chain, in order.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ ipVersion, chain }),
  example: {},
  render: (key, call) => run('read', { version: key.ipVersion, chain: key.chain }, call),
  interpret(reply, { ipVersion: version }, call) {
    const answer = readAnswer(reply, call);
    if (answer.kind === 'done')
      return {
        state: 'SUCCEEDED',
        result: { rules: answer.rules.map((native) => ({ native, ...readRule(native, version)?.values })) },
      };
    const code = answer.kind === 'refused' ? answer.code : 'UNREADABLE_REPLY';
    return { state: 'FAILED', code, message: answer.kind === 'changed' ? answer.said : answer.message };
  },
};

function placeOf(scope: string): Omit<RuleKey, 'name'> | undefined {
  const [, version, of] = /^ipv([46]) (\S+)$/.exec(scope) ?? [];
  return of === undefined ? undefined : { ipVersion: version === '6' ? 6 : 4, chain: of };
}

const rule: ResourceReader<ExecReply> = {
  lists: {},
  // By its line an adopted rule is recognised.
  own: ['native'],
  render({ scope }) {
    const place = placeOf(scope) ?? { ipVersion: 4, chain: 'FORWARD' };
    return run('read', { version: place.ipVersion, chain: place.chain });
  },
  interpret(reply, { scope, key }) {
    const place = placeOf(scope);
    if (place === undefined) return { finding: 'UNREADABLE', message: `${scope} is no chain of this driver.` };
    const answer = readAnswer(reply);
    if (answer.kind === 'refused' && answer.code === 'NO_CHAIN') return { finding: 'ABSENT' };
    if (answer.kind !== 'done')
      return { finding: 'UNREADABLE', message: answer.kind === 'changed' ? answer.said : answer.message };
    const found = answer.rules
      .map((line) => readRule(line, place.ipVersion))
      .filter((each): each is FoundRule => each?.name === key);
    const [one, ...others] = found;
    if (one === undefined) return { finding: 'ABSENT' };
    if (others.length > 0) return { finding: 'UNREADABLE', message: `${found.length} rules have the name ${key}.` };
    const { name: _name, ...finding } = one;
    return { finding: 'PRESENT', ...finding };
  },
  remove(object) {
    const place = placeOf(object.scope);
    if (place === undefined) return undefined;
    return { operation: 'rule.delete', arguments: { ...place, name: object.key, ...recognisedBy(object) } };
  },
};

const health: Health<ExecReply> = {
  render: () => ({ kind: 'exec', command: 'iptables --version' }),
  interpret({ exitCode, stdout }) {
    const version = /^iptables v(\S+(?: \([a-z_]+\))?)\s*$/.exec(stdout)?.[1];
    return exitCode === 0 && version !== undefined
      ? { softwareVersion: `iptables ${version}`.slice(0, 255), serial: null }
      : undefined;
  },
};

/** Sets, services and tables of other names are none of iptables. */
function firewallRuleCreate(input: JsonObject): TypedCall | undefined {
  const { name, chain = 'FORWARD', source, destination, ingressInterface, egressInterface, destinationPort } = input;
  const [from, to] = [source ?? {}, destination ?? {}] as readonly { address?: string; set?: string }[];
  if (input.scope !== undefined || input.service !== undefined || (from?.set ?? to?.set) !== undefined)
    return undefined;
  const ipVersion = `${from?.address} ${to?.address}`.includes(':') ? 6 : 4;
  return {
    operation: 'rule.create',
    arguments: given({
      ...{ name, chain, ipVersion, source: from?.address, destination: to?.address },
      ...{ inInterface: ingressInterface, outInterface: egressInterface, firstPort: destinationPort },
      ...{ protocol: lower(input.protocol), action: lower(input.action) },
    }),
    fields: {
      ...{ source: 'source', destination: 'destination', firstPort: 'destinationPort' },
      ...{ inInterface: 'ingressInterface', outInterface: 'egressInterface' },
    },
  };
}

function lower(word: JsonValue | undefined): string | undefined {
  return typeof word === 'string' ? word.toLowerCase() : undefined;
}

export const linuxIptables = defineDriver({
  name: 'linux-iptables',
  family: 'FIREWALL',
  summary:
    'The packet filter of Linux by iptables, over SSH. Rules last until a restart, unless the machine saves them.',
  versions: 'iptables 1.8',
  triedAgainst: 'real iptables 1.8.9 (nf_tables) behind OpenSSH 9.2',
  ports: { ssh: 22 },
  credentialFields: ['username', 'password', 'privateKey', 'passphrase'],
  operations: [ruleList, ruleCreate, ruleDelete],
  resources: { rule },
  ownership: { rule: { by: 'MARK' } },
  health,
  typed: { firewallRuleCreate },
  objects: typedObjects,
});
