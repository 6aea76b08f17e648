// Entries of prefix lists. Each daemon has its own copy of the lists. vtysh sends changes to all daemons, and shows their lists as
// one configuration.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, ExecReply, JsonObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, plainRead } from '../json.ts';
import {
  type ConfigLine,
  checkOutcome,
  deleteOutcome,
  findingOf,
  listOutcome,
  type Shown,
  setOutcome,
} from './replies.ts';
import { destination, isIpv6, name, withLength } from './schema.ts';
import { type Meant, quoted, run } from './scripts.ts';

type Version = 4 | 6;
type EntryKey = { list: string; ipVersion: Version; sequence: number };
type Settings = { action: 'permit' | 'deny'; prefix: string; minLength?: number; maxLength?: number };
type Entry = Settings & { list: string; sequence: number; replaces?: Settings };
type DeleteArguments = EntryKey & { was?: Settings };

const sequence = { type: 'integer', minimum: 1, maximum: 4_294_967_295, description: 'The place in the list' };
const length = { type: 'integer', minimum: 0, maximum: 128 };

function keyOf({ list, sequence: place, prefix }: Entry): EntryKey {
  return { list, ipVersion: isIpv6(prefix) ? 6 : 4, sequence: place };
}

const object = ({ list, ipVersion, sequence: place }: EntryKey) => ({
  resource: 'prefix-list-entry',
  scope: `ipv${ipVersion} ${list}`,
  key: String(place),
});

/** The beginning of the entry's line. */
function startOf({ list, ipVersion, sequence: place }: EntryKey): string {
  return `${ipVersion === 6 ? 'ipv6' : 'ip'} prefix-list ${list} seq ${place} `;
}

function blockOf(prefix: string): string {
  return withLength(canonicalText(prefix));
}

function commandOf(entry: Entry): string {
  const { action, prefix, minLength, maxLength } = entry;
  const ge = minLength === undefined ? '' : ` ge ${minLength}`;
  const le = maxLength === undefined ? '' : ` le ${maxLength}`;
  return `${startOf(keyOf(entry))}${action} ${blockOf(prefix)}${ge}${le}`;
}

/** Those of a replaced entry count, not those of the new one. */
const withoutLengths = { minLength: undefined, maxLength: undefined } as unknown as Pick<Entry, 'minLength'>;

function refine({ prefix, minLength, maxLength, replaces }: Entry): readonly ArgumentFault[] {
  const longest = isIpv6(prefix) ? 128 : 32;
  const own = Number(blockOf(prefix).split('/')[1]);
  const faults: ArgumentFault[] = [];
  let least = own;
  for (const [field, value] of Object.entries({ minLength, maxLength })) {
    if (value === undefined) continue;
    if (value < least || value > longest)
      faults.push({ path: [field], message: `${field} must be from ${least} to ${longest} with this prefix` });
    least = Math.max(least, value);
  }
  if (replaces !== undefined && isIpv6(replaces.prefix) !== isIpv6(prefix))
    faults.push({ path: ['replaces', 'prefix'], message: 'has another IP version than prefix' });
  return faults;
}

/** FRR leaves out a redundant length. */
function desired({ replaces: _before, ...entry }: Entry): JsonObject {
  return given({ ...entry, prefix: blockOf(entry.prefix) });
}

/** FRR keeps no mark of an entry, so that the whole line has to be one of these. */
function meant(verb: Meant['verb'], key: EntryKey, lines: readonly string[]): Meant {
  return { verb, at: `^\t${quoted(startOf(key))}`, own: lines.map((line) => [`\t${line}`]) };
}

function readEntry({ head, line }: ConfigLine): JsonObject | undefined {
  const form = /^ip(v6)? prefix-list (\S+) seq (\d+) (permit|deny) (\S+)(?: ge (\d+))?(?: le (\d+))?$/;
  const found = head === '' ? form.exec(line) : null;
  if (found === null) return undefined;
  const [, six, list = '', place, action = '', shown = '', ge, le] = found;
  // `any` is how FRR shows everything.
  const prefix = shown === 'any' ? (six === undefined ? '0.0.0.0/0' : '::/0') : shown;
  const any = shown === 'any' ? (six === undefined ? 32 : 128) : undefined;
  return given({
    ...{ list, sequence: Number(place), action, prefix },
    minLength: ge === undefined ? undefined : Number(ge),
    maxLength: le === undefined ? any : Number(le),
  });
}

function find(key: EntryKey, have: readonly ConfigLine[]): JsonObject | undefined {
  const line = have.find((each) => each.head === '' && each.line.startsWith(startOf(key)));
  return line && readEntry(line);
}

function shown(entry: Entry, have: readonly ConfigLine[]): Shown {
  const found = find(keyOf(entry), have);
  if (found === undefined) return 'ABSENT';
  const wanted = desired(entry);
  const names = ['action', 'prefix', 'minLength', 'maxLength'];
  return names.every((each) => found[each] === wanted[each]) ? 'AS_WANTED' : 'OTHERWISE';
}

const example = { list: 'customers', sequence: 5, action: 'permit', prefix: '192.0.2.0/24', maxLength: 32 };

const settings = {
  action: { type: 'string', enum: ['permit', 'deny'] },
  prefix: destination,
  minLength: { ...length, description: 'The shortest prefix length that matches' },
  maxLength: { ...length, description: 'The longest prefix length that matches' },
};
const whole = (what: string) => ({ ...argumentsSchema(settings, ['action', 'prefix']), description: what });

export const prefixListEntryCreate: OperationSpec<Entry, ExecReply> = {
  name: 'prefixListEntry.create',
  summary: 'Creates an entry of a prefix list, or replaces one that is as given. The list exists with its first entry.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ list: name, sequence, ...settings },
      replaces: whole(
        'The entry with this number that is replaced. Any other one there is left alone, and the call is refused.',
      ),
    },
    ['list', 'sequence', 'action', 'prefix'],
  ),
  example,
  refine,
  object: (entry) => object(keyOf(entry)),
  mapping: 'creates',
  desired,
  render: (entry, call) => {
    const key = keyOf(entry);
    const before = entry.replaces === undefined ? [] : [commandOf({ ...entry, ...withoutLengths, ...entry.replaces })];
    const object = meant('create', key, [commandOf(entry), ...before]);
    return run('change', { text: startOf(key), object, lines: [commandOf(entry)] }, call);
  },
  renderDryRun: (entry, call) => run('check', { lines: [commandOf(entry)] }, call),
  interpretDryRun: checkOutcome,
  interpret: (reply, entry, call) => setOutcome(reply, call, (have) => shown(entry, have), desired(entry)),
};

export const prefixListEntryDelete: OperationSpec<DeleteArguments, ExecReply> = {
  name: 'prefixListEntry.delete',
  summary: 'Deletes an entry of a prefix list, if it is as given.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ list: name, ipVersion: { type: 'integer', enum: [4, 6] }, sequence },
      was: whole('The entry. Another one with this number is left alone, and the call is refused.'),
    },
    ['list', 'ipVersion', 'sequence'],
  ),
  example: {
    ...{ list: 'customers', ipVersion: 4, sequence: 5 },
    was: { action: 'permit', prefix: '192.0.2.0/24', maxLength: 32 },
  },
  refine: ({ was, ipVersion }, backend) => {
    if (was === undefined)
      return backend === undefined
        ? []
        : [{ path: ['was'], message: 'is required: another entry may have this number' }];
    const isSix = isIpv6(was.prefix);
    return isSix === (ipVersion === 6) ? [] : [{ path: ['was', 'prefix'], message: 'has another IP version' }];
  },
  object,
  mapping: 'deletes',
  render: ({ was, ...key }, call) => {
    const lines = was === undefined ? [] : [commandOf({ ...key, ...was })];
    const object = meant('delete', key, lines);
    return run('change', { text: startOf(key), object, lines: [`no ${startOf(key).trim()}`] }, call);
  },
  interpret: (reply, key, call) => deleteOutcome(reply, call, (have) => find(key, have) !== undefined),
};

export const prefixListList: OperationSpec<JsonObject, ExecReply> = {
  name: 'prefixList.list',
  summary: 'Lists the entries of all prefix lists.',
  ...plainRead,
  render: (_args, call) => run('read', { text: ' prefix-list ' }, call),
  interpret: (reply, _args, call) =>
    listOutcome(reply, call, (have) => ({ entries: have.map(readEntry).filter((entry) => entry !== undefined) })),
};

export const prefixListEntry: ResourceReader<ExecReply> = {
  lists: {},
  own: [],
  render: ({ scope, key }) => {
    const at = entryOf(scope, key);
    return run('read', { text: at === undefined ? ' prefix-list ' : startOf(at) });
  },
  interpret(reply, { scope, key }) {
    const at = entryOf(scope, key);
    if (at === undefined) return { finding: 'UNREADABLE', message: 'The name of the entry is not one of this driver.' };
    return findingOf(reply, (have) => {
      const values = find(at, have);
      return values && { values };
    });
  },
  remove({ scope, key, recorded }) {
    const at = entryOf(scope, key);
    if (at === undefined) return undefined;
    const { list: _list, sequence: _place, ...was } = recorded ?? {};
    return { operation: 'prefixListEntry.delete', arguments: given({ ...at, was: recorded && was }) };
  },
};

/** From the names of `object`. */
function entryOf(scope: string, key: string): EntryKey | undefined {
  const found = /^ipv([46]) (\S+)$/.exec(scope);
  if (found?.[2] === undefined || !/^\d{1,10}$/.test(key)) return undefined;
  return { list: found[2], ipVersion: found[1] === '6' ? 6 : 4, sequence: Number(key) };
}
