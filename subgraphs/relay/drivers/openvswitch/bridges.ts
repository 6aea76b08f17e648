// Bridges: made and deleted as ovs-vsctl(8) does it, in one transaction each.

import { foundRow, type JsonObject, type OperationSpec, type RenderContext } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
import { readMarks, withMarks } from './marks.ts';
import { externalIds, name, uuid as uuidSchema } from './schema.ts';
import {
  checkOutcome,
  exists,
  existsNot,
  type Guard,
  readOutcome,
  render,
  renderWrite,
  renderWriteCheck,
  rowOf,
  type SwitchReply,
  select,
  writeOutcome,
} from './transact.ts';
import { map, namedUuid, optional, setOf, uuid, uuidOf } from './values.ts';

type CreateArguments = {
  bridge: string;
  datapathType?: 'system' | 'netdev';
  externalIds?: Readonly<Record<string, string>>;
};
type DeleteArguments = { bridge: string; uuid: string };

const object = ({ bridge }: { bridge: string }) => ({ resource: 'bridge', scope: '', key: bridge });

/** A bridge can't be added without the row of the switch itself, which ovs-vsctl init writes. */
const switchIsThere = exists('Open_vSwitch', [], {
  code: 'DEVICE_REFUSED',
  message: 'The database was never initialised: it has no row for the switch itself.',
});

export const nameIsFree = (table: string, taken: string): Guard =>
  existsNot(table, [['name', '==', taken]], {
    code: 'ALREADY_EXISTS',
    message: `The table ${table} already has a row named ${taken}.`,
  });

const createGuards = ({ bridge }: CreateArguments): readonly Guard[] => [
  switchIsThere,
  ...['Bridge', 'Port', 'Interface'].map((table) => nameIsFree(table, bridge)),
];

/** A bridge has a port with its own name. */
function createChanges(args: CreateArguments, { operationId, backend }: RenderContext): readonly JsonObject[] {
  const { bridge } = args;
  const datapathType = args.datapathType ?? String(backend.options.datapathType ?? 'system');
  const insert = (table: string, row: JsonObject) => ({ op: 'insert', table, row, 'uuid-name': table.toLowerCase() });
  return [
    insert('Interface', { name: bridge, type: 'internal' }),
    insert('Port', { name: bridge, interfaces: namedUuid('interface') }),
    insert('Bridge', {
      name: bridge,
      ports: namedUuid('port'),
      datapath_type: datapathType,
      external_ids: map(withMarks(args.externalIds, operationId)),
    }),
    { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', namedUuid('bridge')]] },
  ];
}

export const bridgeCreate: OperationSpec<CreateArguments, SwitchReply> = {
  name: 'bridge.create',
  summary: 'Creates a bridge.',
  category: 'INIT',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      bridge: name,
      datapathType: {
        type: 'string',
        enum: ['system', 'netdev'],
        description:
          "The datapath: system in the kernel, netdev in user space. Default: that of the backend's options.",
      },
      externalIds,
    },
    ['bridge'],
  ),
  example: { bridge: 'br-tenants' },
  object,
  mapping: 'creates',
  render: (args, context) => renderWrite(createGuards(args), createChanges(args, context), context),
  renderDryRun: (args, context) => renderWriteCheck(createGuards(args), createChanges(args, context), context),
  interpretDryRun: (reply, args) => checkOutcome(reply, createGuards(args)),
  interpret: (reply, args) =>
    writeOutcome(reply, createGuards(args), ([, , made]) => {
      const id = uuidOf(made?.uuid);
      return id === undefined ? undefined : { result: { bridge: args.bridge, uuid: id }, uuid: id };
    }),
};

const deleteGuards = ({ bridge, uuid: id }: DeleteArguments): readonly Guard[] => [
  exists('Bridge', rowOf(bridge, id), {
    code: 'NOT_FOUND',
    message: `There is no bridge ${bridge} with the uuid ${id}.`,
    absent: true,
  }),
  {
    wait: {
      ...{ op: 'wait', timeout: 0, table: 'Bridge', where: rowOf(bridge, id) },
      ...{ columns: ['ports'], until: '==', rows: [{ ports: uuid(foundRow) }] },
    },
    refusal: { code: 'IN_USE', message: `The bridge ${bridge} has other ports than its own: delete them first.` },
  },
];

/** A port of the bridge's name can be on no other bridge. */
const itsOwnPort = ({ bridge }: DeleteArguments) => select('Port', [['name', '==', bridge]], ['_uuid']);

/** Its port and interface, then without references, are deleted with it (RFC 7047 section 3.1, tables that are not root). */
const deleteChanges = ({ uuid: id }: DeleteArguments): readonly JsonObject[] => [
  { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'delete', uuid(id)]] },
];

export const bridgeDelete: OperationSpec<DeleteArguments, SwitchReply> = {
  name: 'bridge.delete',
  summary: 'Deletes a bridge that has no ports but its own.',
  category: 'INIT',
  // A uuid is never reused: deleting it again fails and changes nothing.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ bridge: name, uuid: uuidSchema }, ['bridge', 'uuid']),
  example: { bridge: 'br-tenants', uuid: '00000000-0000-4000-8000-000000000000' },
  object,
  mapping: 'deletes',
  render: (args, context) => renderWrite(deleteGuards(args), deleteChanges(args), context, itsOwnPort(args)),
  renderDryRun: (args, context) => renderWriteCheck(deleteGuards(args), deleteChanges(args), context, itsOwnPort(args)),
  interpretDryRun: (reply, args) => checkOutcome(reply, deleteGuards(args)),
  interpret: (reply, args) =>
    writeOutcome(reply, deleteGuards(args), ([mutated]) =>
      mutated?.count === 1 ? { result: { bridge: args.bridge, uuid: args.uuid } } : undefined,
    ),
};

export const bridgeColumns = ['_uuid', 'name', 'datapath_type', 'datapath_id', 'fail_mode', 'external_ids', 'ports'];

/** A row of Bridge in the terms of `bridge.create`, with the switch's own data. */
export function describeBridge(row: JsonObject): JsonObject {
  const { externalIds: others, operationId } = readMarks(row.external_ids);
  return {
    bridge: row.name ?? null,
    uuid: uuidOf(row._uuid) ?? null,
    datapathType: row.datapath_type === '' ? 'system' : (row.datapath_type ?? null),
    externalIds: others,
    operationId: operationId ?? null,
    datapathId: optional(row.datapath_id),
    failMode: optional(row.fail_mode),
    ports: setOf(row.ports).length,
  };
}

export const bridgeList: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'bridge.list',
  summary: 'Lists the bridges.',
  ...plainRead,
  render: (_args, context) => render([select('Bridge', [], bridgeColumns)], context),
  interpret: (reply) => readOutcome(reply, ([bridges = []]) => ({ bridges: bridges.map(describeBridge) })),
};
