// Ports of bridges, each with one interface: made, deleted, assigned to VLANs, listed.

import type { ArgumentFault, JsonObject, JsonValue, OperationSpec, RenderContext } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { type PortVlans, portVlanFaults, portVlans } from '../port-vlans.ts';
import { nameIsFree } from './bridges.ts';
import { bridgeKey, readMarks, withMarks } from './marks.ts';
import { changedUuid, externalIds, name, uuid as uuidSchema } from './schema.ts';
import {
  checkOutcome,
  exists,
  existsNot,
  type Guard,
  isMeant,
  recognised,
  renderWrite,
  renderWriteCheck,
  rowOf,
  type SwitchReply,
  writeOutcome,
} from './transact.ts';
import { map, mapOf, namedUuid, optional, set, setOf, uuid, uuidOf } from './values.ts';

type AddArguments = PortVlans & {
  bridge: string;
  port: string;
  interfaceType: string;
  interfaceOptions?: Readonly<Record<string, string>>;
  externalIds?: Readonly<Record<string, string>>;
};
type DeleteArguments = { port: string; uuid: string };
type VlanSetArguments = PortVlans & { port: string; uuid?: string; bridge?: string };

/** Port names are unique on the switch. */
const object = ({ port }: { port: string }) => ({ resource: 'port', scope: '', key: port });

/** ovs-vswitchd.conf.db(5), table Port: the meaning of the three modes. */
function vlanColumns({ mode, vlan, allowedVlans = [] }: PortVlans): JsonObject {
  const modes = { access: 'access', trunk: 'trunk', hybrid: 'native-untagged' } as const;
  return {
    vlan_mode: mode === undefined ? set([]) : modes[mode],
    tag: vlan ?? set([]),
    trunks: set([...allowedVlans].sort((a, b) => a - b)),
  };
}

/** A tag without a mode means access, and trunks without a mode mean trunk. With neither, every VLAN passes. */
function vlanSettingsOf(row: JsonObject): JsonObject {
  const tag = optional(row.tag);
  const trunks = [...setOf(row.trunks)].map(Number).sort((a, b) => a - b);
  const told = optional(row.vlan_mode);
  const implied = tag !== null ? 'access' : trunks.length > 0 ? 'trunk' : null;
  const mode = told === 'native-untagged' ? 'hybrid' : (told ?? implied);
  return {
    mode,
    ...(mode === 'trunk' || tag === null ? {} : { vlan: tag }),
    ...(mode === 'access' || trunks.length === 0 ? {} : { allowedVlans: trunks }),
  };
}

const addGuards = ({ bridge, port }: AddArguments): readonly Guard[] => [
  exists('Bridge', [['name', '==', bridge]], { code: 'NOT_FOUND', message: `There is no bridge ${bridge}.` }),
  nameIsFree('Port', port),
  nameIsFree('Interface', port),
];

function addChanges(args: AddArguments, { operationId }: RenderContext): readonly JsonObject[] {
  const { bridge, port, interfaceType } = args;
  const row = {
    name: port,
    // The database has no word for the default type.
    type: interfaceType === 'system' ? '' : interfaceType,
    options: map(args.interfaceOptions ?? {}),
  };
  return [
    { op: 'insert', table: 'Interface', row, 'uuid-name': 'interface' },
    {
      op: 'insert',
      table: 'Port',
      row: {
        name: port,
        interfaces: namedUuid('interface'),
        ...vlanColumns(args),
        external_ids: map(withMarks(args.externalIds, operationId, bridge)),
      },
      'uuid-name': 'port',
    },
    {
      op: 'mutate',
      table: 'Bridge',
      where: [['name', '==', bridge]],
      mutations: [['ports', 'insert', namedUuid('port')]],
    },
  ];
}

/** ovs-vswitchd.conf.db(5), table Interface: options of tunnels and patch ports that are no secrets. */
export const plainOptions = [
  ...['remote_ip', 'local_ip', 'key', 'in_key', 'out_key', 'dst_port', 'peer', 'tos', 'ttl', 'df_default', 'csum'],
  ...['exts', 'gbp', 'packet_type', 'seq', 'egress_pkt_mark'],
] as const;

const optionText = {
  type: 'string',
  pattern: '^[\\x21-\\x7e]{1,255}$',
  description: '1 to 255 printable ASCII characters without spaces.',
} as const;

export const portAdd: OperationSpec<AddArguments, SwitchReply> = {
  name: 'port.add',
  summary: 'Creates a port on a bridge. Without a mode, the port carries every VLAN.',
  category: 'USER',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      bridge: name,
      port: name,
      interfaceType: {
        type: 'string',
        enum: ['system', 'internal', 'patch', 'vxlan', 'geneve', 'gre'],
        default: 'system',
        description:
          'system: the existing network interface with this name; internal: an interface that the switch creates.',
      },
      interfaceOptions: {
        type: 'object',
        propertyNames: {
          type: 'string',
          pattern: '^[a-z][a-z0-9_-]{0,31}$',
          description: '1 to 32 lower case letters, digits, hyphens and underscores, a letter first.',
        },
        properties: Object.fromEntries(plainOptions.map((option) => [option, optionText])),
        additionalProperties: optionText,
        maxProperties: 20,
        description:
          'Options of tunnels (for example remote_ip, key) and patch ports (peer). Others than the listed ones may be secrets, so they are shown as ***.',
      },
      ...portVlans,
      externalIds,
    },
    ['bridge', 'port'],
  ),
  example: { bridge: 'br-lab', port: 'tenant42', interfaceType: 'internal', mode: 'access', vlan: 42 },
  refine: (args): readonly ArgumentFault[] => portVlanFaults(args),
  object,
  mapping: 'creates',
  render: (args, context) => renderWrite(addGuards(args), addChanges(args, context), context),
  renderDryRun: (args, context) => renderWriteCheck(addGuards(args), addChanges(args, context), context),
  interpretDryRun: (reply, args) => checkOutcome(reply, addGuards(args)),
  interpret: (reply, args) =>
    writeOutcome(reply, addGuards(args), ([, made, mutated]) => {
      const id = uuidOf(made?.uuid);
      if (id === undefined || mutated?.count !== 1) return undefined;
      return { result: { port: args.port, uuid: id }, uuid: id };
    }),
};

const deleteGuards = ({ port, uuid: id }: DeleteArguments): readonly Guard[] => [
  exists('Port', rowOf(port, id), {
    code: 'NOT_FOUND',
    message: `There is no port ${port} with the uuid ${id}.`,
    absent: true,
  }),
  existsNot('Bridge', [['name', '==', port]], {
    code: 'DEVICE_REFUSED',
    message: `${port} is the bridge's own port, which is deleted only with the bridge.`,
  }),
];

/** Rows without references are deleted automatically (RFC 7047 section 3.1, tables that are not root): port and interface. */
const deleteChanges = ({ uuid: id }: DeleteArguments): readonly JsonObject[] => [
  {
    op: 'mutate',
    table: 'Bridge',
    where: [['ports', 'includes', uuid(id)]],
    mutations: [['ports', 'delete', uuid(id)]],
  },
];

export const portDelete: OperationSpec<DeleteArguments, SwitchReply> = {
  name: 'port.delete',
  summary: 'Deletes a port from its bridge.',
  category: 'USER',
  // A uuid is never reused: deleting it again fails and changes nothing.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ port: name, uuid: uuidSchema }, ['port', 'uuid']),
  example: { port: 'tenant42', uuid: '00000000-0000-4000-8000-000000000000' },
  object,
  mapping: 'deletes',
  render: (args, context) => renderWrite(deleteGuards(args), deleteChanges(args), context),
  renderDryRun: (args, context) => renderWriteCheck(deleteGuards(args), deleteChanges(args), context),
  interpretDryRun: (reply, args) => checkOutcome(reply, deleteGuards(args)),
  interpret: (reply, args) =>
    writeOutcome(reply, deleteGuards(args), ([mutated]) =>
      mutated?.count === 1 ? { result: { port: args.port, uuid: args.uuid } } : undefined,
    ),
};

const vlanSetGuards = ({ port, uuid: id, bridge }: VlanSetArguments): readonly Guard[] => [
  ...isMeant('Port', port, id),
  ...(bridge === undefined ? [] : [isOnBridge(port, bridge)]),
];

const isOnBridge = (port: string, bridge: string): Guard =>
  exists(
    'Port',
    [
      ['name', '==', port],
      ['external_ids', 'includes', map({ [bridgeKey]: bridge })],
    ],
    {
      code: 'NOT_FOUND',
      message: `This relay did not create the port ${port} on ${bridge}. Omit bridge to change a port of any bridge.`,
    },
  );

const vlanSetChanges = (args: VlanSetArguments): readonly JsonObject[] => [
  { op: 'update', table: 'Port', where: rowOf(args.port, args.uuid), row: vlanColumns(args) },
];

export const portVlanSet: OperationSpec<VlanSetArguments, SwitchReply> = {
  name: 'port.vlan.set',
  summary: 'Sets the VLANs that a port carries.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      port: name,
      uuid: changedUuid,
      bridge: { ...name, description: 'The bridge of the port. Refused for a port that this relay did not create.' },
      ...portVlans,
    },
    ['port', 'mode'],
  ),
  example: { port: 'tenant42', mode: 'trunk', allowedVlans: [42, 43] },
  refine: (args): readonly ArgumentFault[] => portVlanFaults(args),
  object,
  mapping: 'updates',
  recognised,
  // Settings of the previous mode that the new one lacks are removed.
  desired: ({ port, mode, vlan, allowedVlans }) => ({
    ...{ port, mode: mode ?? null, vlan: vlan ?? null },
    allowedVlans: allowedVlans === undefined ? null : [...allowedVlans].sort((a, b) => a - b),
  }),
  render: (args, context) => renderWrite(vlanSetGuards(args), vlanSetChanges(args), context),
  renderDryRun: (args, context) => renderWriteCheck(vlanSetGuards(args), vlanSetChanges(args), context),
  interpretDryRun: (reply, args) => checkOutcome(reply, vlanSetGuards(args)),
  interpret: (reply, args) =>
    writeOutcome(reply, vlanSetGuards(args), ([updated]) =>
      updated?.count === 1 ? { result: { port: args.port } } : undefined,
    ),
};

export const portColumns = ['_uuid', 'name', 'interfaces', 'tag', 'trunks', 'vlan_mode', 'external_ids'];
export const interfaceColumns = ['_uuid', 'name', 'type', 'options', 'external_ids', 'ofport', 'error', 'link_state'];

/** A row of Port in the terms of `port.add`, with the switch's own data. */
export function describePort(
  row: JsonObject,
  bridge: JsonValue,
  ofInterface: ReadonlyMap<string, JsonObject>,
): JsonObject {
  const { externalIds: others, operationId } = readMarks(row.external_ids);
  const [first] = setOf(row.interfaces);
  const described = ofInterface.get(uuidOf(first) ?? '') ?? {};
  return {
    port: row.name ?? null,
    bridge,
    uuid: uuidOf(row._uuid) ?? null,
    ...vlanSettingsOf(row),
    interfaceType: described.type === '' ? 'system' : (described.type ?? null),
    interfaceOptions: mapOf(described.options),
    externalIds: others,
    operationId: operationId ?? null,
    openFlowPort: optional(described.ofport),
    linkState: optional(described.link_state),
    error: optional(described.error),
  };
}
