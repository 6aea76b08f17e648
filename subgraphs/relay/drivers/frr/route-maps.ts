// Entries of route maps. An entry's description has the mark of the call that set it.

import type { ExecReply, JsonObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, plainRead } from '../json.ts';
import { madeBy, markersOf, readMark, wordsOf, writeMark } from '../mark.ts';
import {
  type ConfigLine,
  checkOutcome,
  deleteOutcome,
  findingOf,
  listOutcome,
  type Shown,
  setOutcome,
} from './replies.ts';
import { description, identified, markLines, name, wasOf } from './schema.ts';
import { type Meant, quoted, run } from './scripts.ts';

type EntryKey = { routeMap: string; sequence: number };
type Settings = {
  action: 'permit' | 'deny';
  description?: string;
  matchPrefixList?: string;
  matchIpv6PrefixList?: string;
  localPreference?: number;
  metric?: number;
};
type Entry = EntryKey & Settings;
type DeleteArguments = EntryKey & { madeBy?: string[]; was?: Settings & { other?: string[] } };

const sequence = { type: 'integer', minimum: 1, maximum: 65_535, description: 'The place in the route map' };
const number32 = { type: 'integer', minimum: 0, maximum: 4_294_967_295 };

const object = ({ routeMap, sequence: place }: EntryKey) => ({
  ...{ resource: 'route-map-entry', scope: routeMap, key: String(place) },
});

/** The settings, and how the configuration writes them. */
const settings = {
  matchPrefixList: 'match ip address prefix-list',
  matchIpv6PrefixList: 'match ipv6 address prefix-list',
  localPreference: 'set local-preference',
  metric: 'set metric',
} as const;
const names = Object.keys(settings) as (keyof typeof settings)[];
const numbers: ReadonlySet<string> = new Set(['localPreference', 'metric']);

function linesOf(entry: Entry, operationId: string): string[] {
  return [
    `route-map ${entry.routeMap} ${entry.action} ${entry.sequence}`,
    ` description ${writeMark({ operationId, words: entry.description ?? '' })}`,
    ...names.flatMap((each) => (entry[each] === undefined ? [] : [` ${settings[each]} ${entry[each]}`])),
    'exit',
  ];
}

function desired(entry: Entry): JsonObject {
  return given({ ...entry, description: entry.description || undefined });
}

interface Found {
  readonly operationId?: string;
  readonly values: JsonObject;
}

function entries(have: readonly ConfigLine[]): Found[] {
  const heads = have.filter(({ head }) => head === '').map(({ line }) => line);
  return heads.flatMap((head) => {
    const found = /^route-map (\S+) (permit|deny) (\d+)$/.exec(head);
    if (found === null) return [];
    const inside = have.filter((each) => each.head === head).map(({ line }) => line);
    const text = (start: string) => inside.find((line) => line.startsWith(`${start} `))?.slice(start.length + 1);
    const known = ['description', ...Object.values(settings)];
    const other = inside.filter((line) => !known.some((start) => line.startsWith(`${start} `)));
    const mark = readMark(text('description'));
    const values = given({
      ...{ routeMap: found[1], action: found[2], sequence: Number(found[3]) },
      description: wordsOf(text('description')) || undefined,
      ...Object.fromEntries(
        names.map((each) => {
          const value = text(settings[each]);
          return [each, value !== undefined && numbers.has(each) && /^\d+$/.test(value) ? Number(value) : value];
        }),
      ),
      other: other.length === 0 ? undefined : other,
    });
    return [mark === undefined ? { values } : { operationId: mark.operationId, values }];
  });
}

function find({ routeMap, sequence: place }: EntryKey, have: readonly ConfigLine[]): Found | undefined {
  return entries(have).find(({ values }) => values.routeMap === routeMap && values.sequence === place);
}

function shown(entry: Entry, have: readonly ConfigLine[]): Shown {
  const found = find(entry, have);
  if (found === undefined) return 'ABSENT';
  return Object.entries(desired(entry)).every(([each, value]) => found.values[each] === value)
    ? 'AS_WANTED'
    : 'OTHERWISE';
}

function meant(verb: Meant['verb'], { routeMap, sequence: place }: EntryKey): Meant {
  const head = `route-map ${quoted(routeMap)} (permit|deny) ${place}`;
  return { verb, at: `^(${head}\t|\t${head}$)` };
}

/** All lines of an entry without a mark. */
function wholeOf({ routeMap, sequence: place }: EntryKey, was: NonNullable<DeleteArguments['was']>): string[] {
  const head = `route-map ${routeMap} ${was.action} ${place}`;
  const inside = [
    ...(was.description === undefined ? [] : [`description ${was.description}`]),
    ...names.flatMap((each) => (was[each] === undefined ? [] : [`${settings[each]} ${was[each]}`])),
    ...(was.other ?? []),
  ];
  return [`\t${head}`, ...inside.map((line) => `${head}\t ${line}`)];
}

const textOf = ({ routeMap }: EntryKey) => ({ text: `route-map ${routeMap} `, deep: true });

const settingProperties = {
  action: { type: 'string', enum: ['permit', 'deny'] },
  description,
  matchPrefixList: { ...name, description: 'The name of an IPv4 prefix list' },
  matchIpv6PrefixList: { ...name, description: 'The name of an IPv6 prefix list' },
  localPreference: { ...number32, description: 'Sets the local preference' },
  metric: { ...number32, description: 'Sets the metric (MED)' },
};

export const routeMapEntryCreate: OperationSpec<Entry, ExecReply> = {
  name: 'routeMapEntry.create',
  summary:
    'Creates an entry of a route map, or sets the given settings of one that this relay made. The route map exists with its first entry.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ ...{ routeMap: name, sequence }, ...settingProperties }, [
    'routeMap',
    'sequence',
    'action',
  ]),
  example: { routeMap: 'from-customers', sequence: 10, action: 'permit', matchPrefixList: 'customers' },
  object,
  mapping: 'creates',
  desired,
  render: (entry, call) => {
    const one = { ...meant('create', entry), marks: markLines(' description') };
    return run('change', { ...textOf(entry), object: one, lines: linesOf(entry, call.operationId) }, call);
  },
  renderDryRun: (entry, call) => run('check', { lines: linesOf(entry, call.operationId) }, call),
  interpretDryRun: checkOutcome,
  interpret: (reply, entry, call) => setOutcome(reply, call, (have) => shown(entry, have), desired(entry)),
};

export const routeMapEntryDelete: OperationSpec<DeleteArguments, ExecReply> = {
  name: 'routeMapEntry.delete',
  summary: 'Deletes an entry of a route map, if it has the mark of the call that made it, or exactly these settings.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    { ...{ routeMap: name, sequence, madeBy }, was: wasOf(settingProperties, ['action']) },
    ['routeMap', 'sequence'],
  ),
  example: { routeMap: 'from-customers', sequence: 10, was: { action: 'permit', matchPrefixList: 'customers' } },
  refine: identified,
  object,
  mapping: 'deletes',
  // The word permit is needed; FRR deletes the entry with this number, whatever its action.
  render: (args, call) => {
    const { was } = args;
    const own = was === undefined ? [] : [wholeOf(args, was)];
    const one = { ...meant('delete', args), marks: markLines(' description', args.madeBy ?? []), own };
    const lines = [`no route-map ${args.routeMap} permit ${args.sequence}`];
    return run('change', { ...textOf(args), object: one, lines }, call);
  },
  interpret: (reply, key, call) => deleteOutcome(reply, call, (have) => find(key, have) !== undefined),
};

export const routeMapList: OperationSpec<JsonObject, ExecReply> = {
  name: 'routeMap.list',
  summary: 'Lists the entries of all route maps.',
  ...plainRead,
  render: (_args, call) => run('read', { text: 'route-map ', deep: true }, call),
  interpret: (reply, _args, call) =>
    listOutcome(reply, call, (have) => ({
      entries: entries(have).map(({ operationId = null, values }) => ({ operationId, ...values })),
    })),
};

export const routeMapEntry: ResourceReader<ExecReply> = {
  lists: { other: 'SET' },
  own: [],
  render: ({ scope, key }) => run('read', textOf({ routeMap: scope, sequence: Number(key) })),
  interpret: (reply, { scope, key }) =>
    findingOf(reply, (have) => find({ routeMap: scope, sequence: Number(key) }, have)),
  remove: ({ scope, key, ...object }) => {
    const { routeMap: _map, sequence: _place, ...was } = object.recorded ?? {};
    const made = markersOf(object);
    const which = made === undefined ? { was: object.recorded && was } : { madeBy: made };
    return {
      operation: 'routeMapEntry.delete',
      arguments: given({ routeMap: scope, sequence: Number(key), ...which }),
    };
  },
};
