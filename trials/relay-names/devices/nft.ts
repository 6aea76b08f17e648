// The input of nft, parsed without the driver: its constant commands, and libnftables-json(5) on standard input.
import { canonicalAddressBlock } from '../../../platform/net/address-block.ts';
import type { JsonObject, JsonValue, WireCall } from '../../../subgraphs/relay/drivers/driver.ts';
import { linuxNftables } from '../../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import { hole, holesOf, type Pattern } from '../pattern.ts';
import { contextOf, difference, operationId, type Subject } from '../subject.ts';

const writeCommand = 'nft -j -e -a -f -';
const readCommand = 'nft -j -a -f -';

const family = hole('family');
const table = hole('table');
const inTable = { family, table };
const address = { elem: { val: hole('address'), comment: hole('mark') } };

interface Form {
  readonly command: typeof writeCommand | typeof readCommand;
  readonly nftables: readonly Pattern[];
  /** Values that are always sent, and arguments that are not sent. */
  readonly implied?: JsonObject;
}

const write = (nftables: readonly Pattern[], implied: JsonObject = {}): Form => ({
  command: writeCommand,
  nftables,
  implied,
});
const read = (list: Pattern): Form => ({ command: readCommand, nftables: [{ list }] });
const newSet = (name: Pattern): Pattern => ({ ...inTable, name, type: hole('type'), flags: ['interval'] });
const element = (elem: Pattern): Pattern => ({ element: { ...inTable, name: hole('set'), elem: [elem] } });
const side = (field: string, right: Pattern): Pattern => ({
  match: { op: '==', left: { payload: { protocol: hole('version'), field } }, right },
});
const toPort: Pattern = {
  match: {
    op: '==',
    left: { payload: { protocol: hole('protocol'), field: 'dport' } },
    right: hole('destinationPort'),
  },
};
const rule: Pattern = {
  ...{ ...inTable, chain: hole('chain'), comment: hole('mark') },
  expr: [side('saddr', hole('source')), side('daddr', hole('destination')), toPort, hole('action')],
};

const forms: Readonly<Record<string, Form>> = {
  'table.list': read({ tables: null }),
  'ruleset.read': read({ ruleset: null }),
  'chain.list': read({ table: { family, name: table } }),
  'set.list': read({ table: { family, name: table } }),
  'chain.create': write([
    {
      add: {
        chain: {
          ...{ ...inTable, name: hole('chain'), type: 'filter' },
          ...{ hook: hole('hook'), prio: hole('priority'), policy: hole('policy') },
        },
      },
    },
  ]),
  'set.create': write([{ add: { set: newSet(hole('set')) } }], { ipVersion: 4, blocks: true }),
  'address.create': write([
    { create: { set: newSet(hole('name')) } },
    { add: { element: { ...inTable, name: hole('name'), elem: [address] } } },
  ]),
  'setElement.list': read({ set: { ...inTable, name: hole('set') } }),
  'setElement.add': write([{ add: element(address) }]),
  'setElement.remove': write([{ delete: element(hole('address')) }]),
  'rule.list': read({ chain: { ...inTable, name: hole('chain') } }),
  'rule.create': write([{ add: { rule } }]),
};

/** Both sides are sets, so there is no address whose IP version could differ. */
const bases: Readonly<Record<string, JsonObject>> = {
  'chain.create': { chain: 'tenants', hook: 'forward', priority: 5, policy: 'drop' },
  'set.create': { set: 'tenant-42', ipVersion: 4, blocks: true },
  'address.create': { name: 'tenant-42-web', address: '203.0.113.80', comment: 'its web' },
  'setElement.add': { set: 'blocked', address: '203.0.113.7', comment: 'asked for' },
  'rule.delete': { name: 'tenant-42', handle: 7, statements: '[{"jump":{"target":"a.b"}},{"drop":null}]' },
  'rule.create': {
    ...{ name: 'tenant-42', source: { set: 'blocked' }, destination: { set: 'tenants' } },
    ...{ protocol: 'tcp', destinationPort: 443, action: 'drop' },
  },
};

const ofNoTable = ['table.list', 'ruleset.read'];

/** The arguments that nft received, in the operation's terms. */
function toldArguments(operation: string, call: WireCall): JsonObject {
  if (operation === 'rule.delete') return toldRuleDeletion(call);
  if (operation === 'address.delete' || operation === 'set.delete') return toldSetDeletion(operation, call);
  const form = forms[operation];
  if (form === undefined) throw new Error(`nothing is known of ${operation}`);
  if (call.kind !== 'exec' || call.command !== form.command) throw new Error('another command');
  const holes = holesOf({ nftables: form.nftables }, JSON.parse(call.stdin ?? ''));
  const { mark, type, version, source, destination, action, ...plain } = holes;
  const told: Record<string, JsonValue | undefined> = { ...plain, ...form.implied };
  if (told.address !== undefined) told.address = addressText(told.address);
  if (type !== undefined) checkType(type, told.address);
  if (source !== undefined) told.source = peer(source);
  if (destination !== undefined) told.destination = peer(destination);
  if (version !== undefined) checkVersion(version, [told.source, told.destination]);
  if (action !== undefined) told.action = actionWord(action);
  if (mark !== undefined) told[operation === 'rule.create' ? 'name' : 'comment'] = wordsAfterMark(mark);
  return told;
}

/** A script with its input as lines of a keyword and its text, each once. */
function toldLines(call: WireCall, keywords: readonly string[]): Partial<Record<string, string>> {
  if (call.kind !== 'exec' || !call.stdin?.endsWith('\nend\n')) throw new Error('another command');
  const lines = call.stdin
    .split('\n')
    .slice(0, -2)
    .map((line) => /^([a-z]+) (.*)$/.exec(line) ?? []);
  const { guard, ...told } = Object.fromEntries(lines.map(([, word, text]) => [word, text]));
  const words = Object.keys(told);
  if (lines.length !== words.length + 1 || words.some((word) => !keywords.includes(word)))
    throw new Error('lines that are not of the script');
  if (guard !== `tidegate-${operationId}`) throw new Error(`the guard ${guard}`);
  return told;
}

function toldRuleDeletion(call: WireCall): JsonObject {
  const told = toldLines(call, ['family', 'table', 'chain', 'handle', 'match', 'meant', 'moved']);
  const { handle, match, meant, moved, ...place } = told;
  const [, made, name = ''] =
    /"comment": \*"(?:\(tg:\[0-9a-f-\]\{36\} \)\?|tg:([0-9a-f-]{36}) )(.*)"\[,\}\]$/.exec(match ?? '') ?? [];
  if ((made === undefined) !== (moved === undefined)) throw new Error('a rule without a mark has one place');
  return {
    ...place,
    name: name.replaceAll('[.]', '.'),
    handle: Number(handle),
    ...(made === undefined ? {} : { operationId: made }),
    ...(meant === undefined ? {} : { statements: statementsIn(meant) }),
  } as JsonObject;
}

/** Made from the pattern of a rule's JSON: optional spaces follow commas and colons, and characters with another meaning there are escaped. */
function statementsIn(meant: string): string {
  const [, whole = '[]'] = /"(?:, \*"expr": \*(.*))?\\\}\\\}$/.exec(meant) ?? [];
  return whole.replaceAll(/([,:]) \*/g, '$1').replaceAll(/\\(.)/g, '$1');
}

function toldSetDeletion(operation: string, call: WireCall): JsonObject {
  const { set, match = '', element, ...place } = toldLines(call, ['family', 'table', 'set', 'match', 'element']);
  if (operation === 'set.delete') {
    const [, version, flags = ''] =
      /"type": \*"ipv(\S+)_addr", \*"handle": \*\[0-9\]\+(.*?)\(, \*"elem"/.exec(match) ?? [];
    return {
      ...place,
      set,
      ...(version === '4' || version === '6' ? { ipVersion: Number(version) } : {}),
      ...(flags.endsWith('?') ? {} : { blocks: flags !== '' }),
    } as JsonObject;
  }
  const address = addressText(JSON.parse(element ?? 'null') as JsonValue);
  const value = address.split('/').map((part) => part.replaceAll('.', '[.]'));
  if (!value.every((part) => match.includes(part))) throw new Error('two addresses');
  const [, made] = /"tg:([0-9a-f-]{36})\(/.exec(match) ?? [];
  return { ...place, name: set, address, ...(made === undefined ? {} : { operationId: made }) } as JsonObject;
}

/** Exactly `{"drop": null}`. */
function actionWord(statement: JsonValue): string {
  const [word = ''] = Object.keys(statement as JsonObject);
  holesOf({ [word]: null }, statement);
  return word;
}

function addressText(value: JsonValue): string {
  if (typeof value === 'string') return canonical(value);
  const { addr, len } = holesOf({ prefix: { addr: hole('addr'), len: hole('len') } }, value);
  return canonical(`${String(addr)}/${String(len)}`);
}

/** Everything except an address stays unchanged, and then differs. */
function canonical(text: string): string {
  return canonicalAddressBlock(text) ?? text;
}

function peer(value: JsonValue): JsonObject {
  if (typeof value === 'string' && value.startsWith('@')) return { set: value.slice(1) };
  return { address: addressText(value) };
}

function checkType(type: JsonValue, inIt: JsonValue | undefined): void {
  const wanted = String(inIt ?? '').includes(':') ? 'ipv6_addr' : 'ipv4_addr';
  if (type !== wanted) throw new Error(`a set of ${String(type)}`);
}

function checkVersion(version: JsonValue, peers: readonly (JsonValue | undefined)[]): void {
  const text = peers.map((each) => String((each as JsonObject | undefined)?.address ?? '')).join('');
  if (version !== (text.includes(':') ? 'ip6' : 'ip')) throw new Error(`addresses of ${String(version)}`);
}

function wordsAfterMark(mark: JsonValue): string {
  const start = `tg:${operationId} `;
  if (typeof mark !== 'string' || !mark.startsWith(start)) throw new Error('no mark before the words');
  return mark.slice(start.length);
}

/** In the device's form: canonical addresses. */
function wantedArguments(args: JsonObject): JsonObject {
  const wanted: Record<string, JsonValue | undefined> = { ...args };
  if (typeof wanted.address === 'string') wanted.address = canonical(wanted.address);
  for (const each of ['source', 'destination'] as const) {
    const given = (wanted[each] as JsonObject | undefined)?.address;
    if (typeof given === 'string') wanted[each] = { address: canonical(given) };
  }
  return wanted;
}

export const nftSubject: Subject = {
  driver: linuxNftables,
  operations: [...linuxNftables.operations.values()],
  context: contextOf(linuxNftables, 'ssh'),
  base: (operation, serial) => {
    const base = bases[operation] ?? linuxNftables.operations.get(operation)?.example ?? {};
    return ofNoTable.includes(operation) ? base : { ...base, table: `t${serial}` };
  },
  misread: (operation, args, call) => difference(wantedArguments(args), toldArguments(operation, call)),
};

/** Objects that must exist for the device to accept the call, as commands of the same batch. */
export function prerequisites(operation: string, args: JsonObject): readonly JsonObject[] {
  const place = { family: args.family ?? null, table: args.table ?? null };
  const version6 = [args, args.source, args.destination].some((each) =>
    String((each as JsonObject | undefined)?.address ?? '').includes(':'),
  );
  const type = version6 ? 'ipv6_addr' : 'ipv4_addr';
  const set = (name: JsonValue | undefined): JsonObject => ({
    add: { set: { ...place, name: name ?? null, type, flags: ['interval'] } },
  });
  const sets = [args.source, args.destination].flatMap((each) => {
    const name = (each as JsonObject | undefined)?.set;
    return name === undefined ? [] : [set(name)];
  });
  const before: Readonly<Record<string, readonly JsonObject[]>> = {
    'setElement.add': [set(args.set)],
    'setElement.remove': [
      set(args.set),
      { add: { element: { ...place, name: args.set ?? null, elem: [toElement(args.address)] } } },
    ],
    'rule.create': [{ add: { chain: { ...place, name: args.chain ?? null } } }, ...sets],
  };
  return [{ add: { table: { family: place.family, name: place.table } } }, ...(before[operation] ?? [])];
}

/** Operations tested with a real nft: writes whose prerequisites fit in one batch. */
export const isForRealNft = (operation: string): boolean => forms[operation]?.command === writeCommand;

function toElement(address: JsonValue | undefined): JsonValue {
  const [addr = '', length] = canonical(String(address)).split('/');
  return length === undefined ? addr : { prefix: { addr, len: Number(length) } };
}
