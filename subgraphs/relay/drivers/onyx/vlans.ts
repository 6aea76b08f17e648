// VLANs: `vlan`, `name`, `no vlan`, `show vlan` (Mellanox Onyx User Manual 3.7 to 3.10, VLANs).

import type { JsonObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { onlyOf, read, readOutcome, type SwitchReply, shownIn, write, writeOutcome } from './commands.ts';
import { ownVlan, vlanName } from './schema.ts';

type CreateArguments = { vlan: number; name?: string };
type DeleteArguments = { vlan: number };

const object = ({ vlan }: DeleteArguments) => ({ resource: 'vlan', scope: '', key: String(vlan) });

const createLines = ({ vlan, name }: CreateArguments): readonly string[] => [
  `vlan ${vlan}`,
  ...(name === undefined ? [] : [`name "${name}"`]),
  'exit',
];
const deleteLines = ({ vlan }: DeleteArguments): readonly string[] => [`no vlan ${vlan}`];

export const vlanCreate: OperationSpec<CreateArguments, SwitchReply> = {
  name: 'vlan.create',
  summary: 'Creates a VLAN. An existing VLAN keeps its ports and gets the name.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ vlan: ownVlan, name: vlanName }, ['vlan']),
  example: { vlan: 42, name: 'tenant-42' },
  object,
  mapping: 'creates',
  render: (args, context) => write(createLines(args), context),
  interpret: (reply, args) => writeOutcome(reply, createLines(args), { vlan: args.vlan }),
};

export const vlanDelete: OperationSpec<DeleteArguments, SwitchReply> = {
  name: 'vlan.delete',
  summary: 'Deletes a VLAN from the switch and from its ports.',
  category: 'USER',
  // Deleting a missing VLAN fails and changes nothing.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ vlan: ownVlan }, ['vlan']),
  example: { vlan: 42 },
  object,
  mapping: 'deletes',
  render: (args, context) => write(deleteLines(args), context),
  interpret: (reply, args) => writeOutcome(reply, deleteLines(args), { vlan: args.vlan }, 'delete'),
};

/** From `show vlan`; undefined when it shows no VLAN, not even the one that always exists. */
function vlansOf(data: JsonObject): readonly JsonObject[] | undefined {
  const vlans = Object.entries(data)
    .filter(([key]) => /^\d{1,4}$/.test(key))
    .map(([key, value]) => describe(Number(key), onlyOf(value)));
  return vlans.length === 0 ? undefined : vlans.sort((a, b) => Number(a.vlan) - Number(b.vlan));
}

function describe(vlan: number, { Name: name, Ports: ports }: JsonObject): JsonObject {
  const members = String(ports ?? '').split(/[,\s]+/);
  return { vlan, name: String(name ?? ''), ports: members.filter((member) => member !== '').sort() };
}

export const vlanList: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'vlan.list',
  summary: 'Lists the VLANs with the ports that carry them.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({}),
  example: {},
  render: (_args, context) => read('show vlan', context),
  interpret: (reply) =>
    readOutcome(reply, (data) => {
      const vlans = vlansOf(data);
      return vlans && { vlans };
    }),
};

/** All are listed, because the switch's answer for a missing one is not documented. */
export const vlanReader: ResourceReader<SwitchReply> = {
  lists: {},
  own: ['name'],
  render: (_object, context) => read('show vlan', context),
  interpret(reply, { key }) {
    const shown = shownIn(reply);
    if (shown.kind !== 'shown') return { finding: 'UNREADABLE', message: shown.message };
    const vlans = vlansOf(shown.data);
    if (vlans === undefined) return { finding: 'UNREADABLE', message: 'The switch returned no VLANs.' };
    const found = vlans.find(({ vlan }) => String(vlan) === key);
    if (found === undefined) return { finding: 'ABSENT' };
    return { finding: 'PRESENT', values: { vlan: found.vlan ?? null, name: found.name ?? null } };
  },
  remove: ({ key }) => ({ operation: 'vlan.delete', arguments: { vlan: Number(key) } }),
};
