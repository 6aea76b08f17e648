// The input of an Open vSwitch over SSH: a constant command, and one transaction of RFC 7047 on standard input, parsed without
// the driver.
import type { JsonObject, JsonValue, WireCall } from '../../../subgraphs/relay/drivers/driver.ts';
import { openVswitch } from '../../../subgraphs/relay/drivers/openvswitch/driver.ts';
import { findingCommand } from '../../../subgraphs/relay/drivers/openvswitch/transact.ts';
import { hole, holesOf, type Pattern } from '../pattern.ts';
import { contextOf, difference, operationId, type Subject } from '../subject.ts';

const command = 'ovsdb-client transact "$(cat)"';
/** The id of the first row that is found takes its place. */
const found = '00000000-0000-0000-0000-000000000000';

type Where = readonly (readonly Pattern[])[];

const wait = (table: Pattern, where: Where, until: '==' | '!='): Pattern => ({
  ...{ op: 'wait', timeout: 0, table, where, columns: ['_uuid'], until, rows: [] },
});
const there = (table: Pattern, where: Where) => wait(table, where, '!=');
const notThere = (table: Pattern, name: Pattern) => wait(table, [['name', '==', name]], '==');
const insert = (table: string, row: Pattern): Pattern => ({
  ...{ op: 'insert', table, row, 'uuid-name': table.toLowerCase() },
});
const mutate = (table: Pattern, where: Where, mutations: readonly Pattern[]): Pattern => ({
  ...{ op: 'mutate', table, where, mutations },
});
const select = (table: string): Pattern => ({ op: 'select', table, where: [], columns: hole(`columns of ${table}`) });
const made = (name: string): Pattern => ['named-uuid', name];
const named = (name: string): Where => [['name', '==', hole(name)]];
const row = (name: string): Where => [
  ['name', '==', hole(name)],
  ['_uuid', '==', ['uuid', hole('uuid')]],
];
const written: readonly Pattern[] = [
  mutate('Open_vSwitch', [], [['next_cfg', '+=', 1]]),
  { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] },
  { op: 'comment', comment: `tidegate ${operationId}` },
  { op: 'commit', durable: true },
];
const ids: Pattern = ['map', hole('externalIds')];
const vlans = { vlan_mode: hole('mode'), tag: hole('vlan'), trunks: ['set', []] };

const itsPort: Pattern = { op: 'select', table: 'Port', where: named('bridge'), columns: ['_uuid'] };
const formsOf: Readonly<Record<string, readonly Pattern[]>> = {
  'switch.read': [select('Open_vSwitch')],
  'bridge.list': [select('Bridge')],
  'port.list': [select('Port'), select('Interface'), select('Bridge')],
  'bridge.create': [
    there('Open_vSwitch', []),
    ...['Bridge', 'Port', 'Interface'].map((table) => notThere(table, hole('bridge'))),
    insert('Interface', { name: hole('bridge'), type: 'internal' }),
    insert('Port', { name: hole('bridge'), interfaces: made('interface') }),
    insert('Bridge', {
      ...{ name: hole('bridge'), ports: made('port'), datapath_type: hole('datapathType'), external_ids: ids },
    }),
    mutate('Open_vSwitch', [], [['bridges', 'insert', made('bridge')]]),
    ...written,
  ],
  'bridge.delete': [
    there('Bridge', row('bridge')),
    {
      ...{ op: 'wait', timeout: 0, table: 'Bridge', where: row('bridge'), columns: ['ports'], until: '==' },
      rows: [{ ports: ['uuid', found] }],
    },
    mutate('Open_vSwitch', [], [['bridges', 'delete', ['uuid', hole('uuid')]]]),
    ...written,
  ],
  'port.add': [
    there('Bridge', named('bridge')),
    notThere('Port', hole('port')),
    notThere('Interface', hole('port')),
    insert('Interface', {
      name: hole('port'),
      type: hole('interfaceType'),
      options: ['map', hole('interfaceOptions')],
    }),
    insert('Port', { name: hole('port'), interfaces: made('interface'), ...vlans, external_ids: ids }),
    mutate('Bridge', named('bridge'), [['ports', 'insert', made('port')]]),
    ...written,
  ],
  'port.delete': [
    there('Port', row('port')),
    notThere('Bridge', hole('port')),
    mutate('Bridge', [['ports', 'includes', ['uuid', hole('uuid')]]], [['ports', 'delete', ['uuid', hole('uuid')]]]),
    ...written,
  ],
  'port.vlan.set': [
    there('Port', named('port')),
    there('Port', row('port')),
    there('Port', [
      ['name', '==', hole('port')],
      ['external_ids', 'includes', ['map', [['tidegate-bridge', hole('bridge')]]]],
    ]),
    { op: 'update', table: 'Port', where: row('port'), row: vlans },
    ...written,
  ],
  'externalIds.set': [
    there(hole('object'), named('name')),
    there(hole('object'), row('name')),
    mutate(hole('object'), row('name'), [
      ['external_ids', 'delete', ['set', hole('keys')]],
      ['external_ids', 'insert', ids],
    ]),
    ...written,
  ],
};

const someId = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';
const bases: Readonly<Record<string, JsonObject>> = {
  'bridge.create': { bridge: 'br-tenants', datapathType: 'netdev', externalIds: { 'cmp-id': '42' } },
  'port.add': {
    ...{ bridge: 'br-lab', port: 'tenant42', interfaceType: 'internal', mode: 'access', vlan: 42 },
    ...{ interfaceOptions: { peer: 'patch-1' }, externalIds: { 'cmp-id': '42' } },
  },
  'port.vlan.set': { port: 'tenant42', uuid: someId, bridge: 'br-lab', mode: 'access', vlan: 42 },
  'externalIds.set': { object: 'port', name: 'tenant42', uuid: someId, externalIds: { 'cmp-id': '42' } },
};
/** A read returns all bridges' ports; the relay selects the wanted ones. */
const unsent: Readonly<Record<string, readonly string[]>> = { 'port.list': ['bridge'] };
/** Words of the operations and of the database. */
const objects: Readonly<Record<string, string>> = { Bridge: 'bridge', Port: 'port', Interface: 'interface' };
const modes: Readonly<Record<string, string>> = { access: 'access', trunk: 'trunk', 'native-untagged': 'hybrid' };

function toldArguments(operation: string, call: WireCall): JsonObject {
  const form = formsOf[operation];
  if (form === undefined) throw new Error(`nothing is known of ${operation}`);
  const isFinding = operation === 'bridge.delete';
  if (call.kind !== 'exec' || call.command !== (isFinding ? findingCommand : command))
    throw new Error('another command');
  const transactions = (call.stdin ?? '').split('\n').filter((line) => line !== '');
  const forms = isFinding ? [[itsPort], form] : [form];
  const holes = holesOf(
    forms.map((operations) => ['Open_vSwitch', ...operations]),
    transactions.map((line) => JSON.parse(line)),
  );
  const entries = Object.entries(holes).filter(([name]) => !name.startsWith('columns of '));
  const { keys, object, mode, interfaceType, interfaceOptions, externalIds, ...plain } = Object.fromEntries(entries);
  const marked = ['bridge.create', 'port.add'].includes(operation);
  return {
    ...plain,
    ...(object === undefined ? {} : { object: objects[String(object)] ?? object }),
    ...(mode === undefined ? {} : { mode: modes[String(mode)] ?? mode }),
    ...(interfaceType === undefined ? {} : { interfaceType: interfaceType === '' ? 'system' : interfaceType }),
    ...(interfaceOptions === undefined ? {} : { interfaceOptions: mapOf(interfaceOptions) }),
    ...(externalIds === undefined ? {} : { externalIds: externalIdsOf(externalIds, marked ? plain : undefined, keys) }),
  };
}

/** A repeated key would be ambiguous. */
function mapOf(entries: JsonValue): Record<string, JsonValue> {
  const pairs = entries as readonly (readonly [string, string])[];
  if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw new Error('a key is there twice');
  return Object.fromEntries(pairs);
}

/** `made`: for a new object, whose marks must be present and must differ from its own ids. */
function externalIdsOf(entries: JsonValue, made: JsonObject | undefined, keys: JsonValue | undefined): JsonObject {
  const all = mapOf(entries);
  if (made !== undefined) {
    const { 'tidegate-operation': mark, 'tidegate-bridge': bridge, ...others } = all;
    if (mark !== operationId || bridge !== (made.port === undefined ? undefined : made.bridge))
      throw new Error('no mark');
    return others;
  }
  const deleted = keys as readonly string[];
  if (Object.keys(all).some((key) => !deleted.includes(key))) throw new Error('a key would keep its old value');
  return Object.fromEntries(deleted.map((key) => [key, all[key] ?? null]));
}

export const openVswitchSubject: Subject = {
  driver: openVswitch,
  operations: [...openVswitch.operations.values()],
  context: contextOf(openVswitch, 'ssh'),
  base: (operation) => bases[operation] ?? openVswitch.operations.get(operation)?.example ?? {},
  misread(operation, args, call) {
    const sent = Object.entries(args).filter(([name]) => !unsent[operation]?.includes(name));
    return difference(Object.fromEntries(sent), toldArguments(operation, call));
  },
};
