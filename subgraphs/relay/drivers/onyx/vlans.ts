// VLANs: `vlan`, `name`, `no vlan`, `show vlan` (Mellanox Onyx User Manual 3.7 to 3.10, VLANs).

import type { JsonObject, MappedObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, plainRead } from '../json.ts';
import {
  notAsMeant,
  onlyOf,
  read,
  readOutcome,
  type SwitchGuard,
  type SwitchReply,
  shownIn,
  unreadableGuard,
  write,
  writeOutcome,
} from './commands.ts';
import { ownVlan, vlanName } from './schema.ts';

type Named = { vlan: number; name?: string };
type CreateArguments = Named & { replaces?: { name?: string } };

const object = ({ vlan }: Named) => ({ resource: 'vlan', scope: '', key: String(vlan) });

const createLines = ({ vlan, name }: CreateArguments): readonly string[] => [
  `vlan ${vlan}`,
  ...(name === undefined ? [] : [`name "${name}"`]),
  'exit',
];
const deleteLines = ({ vlan }: Named): readonly string[] => [`no vlan ${vlan}`];

/** A VLAN is recognised by its name. */
function guardOf(verb: 'create' | 'delete', { vlan, ...of }: CreateArguments): SwitchGuard {
  const names = [of.name ?? '', ...(of.replaces === undefined ? [] : [of.replaces.name ?? ''])];
  return {
    show: 'show vlan',
    obstacle(data) {
      const vlans = vlansOf(data);
      if (vlans === undefined) return unreadableGuard;
      const found = vlans.find((each) => each.vlan === vlan);
      if (found === undefined)
        return verb === 'create' ? undefined : { code: 'NOT_FOUND', message: `The switch has no VLAN ${vlan}.` };
      if (names.includes(String(found.name))) return undefined;
      const message = `VLAN ${vlan} has the name ${JSON.stringify(found.name)}. ${notAsMeant}`;
      return { code: verb === 'create' ? 'ALREADY_EXISTS' : 'CHANGED', message };
    },
  };
}

const nameOf = ({ recorded }: Pick<MappedObject, 'recorded'>) =>
  given({ name: recorded?.name === '' ? undefined : recorded?.name });

export const vlanCreate: OperationSpec<CreateArguments, SwitchReply> = {
  name: 'vlan.create',
  summary: 'Creates a VLAN, or gives one with the name in `replaces` another name: it keeps its ports.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ vlan: ownVlan, name: vlanName },
      replaces: {
        ...argumentsSchema({ name: vlanName }),
        description:
          'The VLAN of this number that gets another name; without `name` one that has none. Any other one is left alone, and the call is refused. Default: as recorded in its mapping.',
      },
    },
    ['vlan'],
  ),
  example: { vlan: 42, name: 'tenant-42' },
  object,
  mapping: 'creates',
  desired: ({ vlan, name }) => given({ vlan, name }),
  recognised: (object) => (object.recorded === undefined ? {} : { replaces: nameOf(object) }),
  render: (args, context) => write(createLines(args), context, guardOf('create', args)),
  interpret: (reply, args) =>
    writeOutcome(reply, createLines(args), { vlan: args.vlan }, { guard: guardOf('create', args) }),
};

export const vlanDelete: OperationSpec<Named, SwitchReply> = {
  name: 'vlan.delete',
  summary: 'Deletes a VLAN of this name from the switch and from its ports.',
  category: 'USER',
  // Deleting a missing VLAN fails and changes nothing.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ vlan: ownVlan, name: vlanName }, ['vlan']),
  example: { vlan: 42, name: 'tenant-42' },
  object,
  mapping: 'deletes',
  recognised: nameOf,
  render: (args, context) => write(deleteLines(args), context, guardOf('delete', args)),
  interpret: (reply, args) =>
    writeOutcome(reply, deleteLines(args), { vlan: args.vlan }, { verb: 'delete', guard: guardOf('delete', args) }),
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
  ...plainRead,
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
  remove: (object) => ({ operation: 'vlan.delete', arguments: { vlan: Number(object.key), ...nameOf(object) } }),
};
