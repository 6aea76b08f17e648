// The virtual address of a pair of switches (Mellanox Onyx User Manual 3.7 to 3.10, MLAG), which needs `protocol mlag`.

import { sameJson } from '../../../../platform/values/json.ts';
import type { JsonObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, isObject, plainRead } from '../json.ts';
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

type Vip = { group: string; address: string; prefixLength: number };
type SetArguments = Vip & { replaces?: Vip };

const object = () => ({ resource: 'mlag-vip', scope: '', key: 'mlag-vip' });
/** The pair comes up with the second line only: Ansible's onyx_mlag_vip and NVIDIA's examples give both. */
const setLines = ({ group, address, prefixLength }: Vip): readonly string[] => [
  `mlag-vip ${group} ip ${address} /${prefixLength} force`,
  'no mlag shutdown',
];
const deleteLines = ['no mlag-vip'];
const show = 'show mlag-vip';
/** Without leading zeros, which some parsers read as octal. */
const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';

const vip: JsonObject = {
  group: {
    type: 'string',
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$',
    description: '1 to 64 letters, digits, dots, hyphens and underscores; a letter, digit or underscore first.',
  },
  address: {
    type: 'string',
    pattern: `^${octet}(\\.${octet}){3}$`,
    description: 'An IPv4 address without leading zeros.',
  },
  prefixLength: { type: 'integer', minimum: 1, maximum: 32 },
};
const example = { group: 'pair-1', address: '192.0.2.1', prefixLength: 24 };

/** The pair has one address, which is one of these or none. */
function guardOf(verb: 'create' | 'delete', own: readonly Vip[]): SwitchGuard {
  return {
    show,
    obstacle(data) {
      const found = vipOf(data);
      if (found === undefined) return unreadableGuard;
      if (found === null)
        return verb === 'create' ? undefined : { code: 'NOT_FOUND', message: 'The pair has no virtual IP address.' };
      if (own.some((each) => sameJson(vipIn(each), found))) return undefined;
      const message = `The pair has the group ${found.group} and the address ${found.address}/${found.prefixLength}. ${notAsMeant}`;
      return { code: verb === 'create' ? 'ALREADY_EXISTS' : 'CHANGED', message };
    },
  };
}

const ownGuard = ({ replaces, ...args }: SetArguments) =>
  guardOf('create', replaces === undefined ? [args] : [args, replaces]);

function vipIn(values: Partial<Vip> | JsonObject = {}): JsonObject {
  const { group, address, prefixLength } = values;
  return given({ group, address, prefixLength });
}

export const mlagVipSet: OperationSpec<SetArguments, SwitchReply> = {
  name: 'mlag.vip.set',
  summary: "Sets the MLAG pair's group and virtual IP address, and enables MLAG.",
  category: 'INIT',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...vip,
      replaces: {
        ...argumentsSchema(vip, ['group', 'address', 'prefixLength']),
        description:
          'The virtual IP address that is replaced. Any other one is left alone, and the call is refused. Default: as recorded in its mapping.',
      },
    },
    ['group', 'address', 'prefixLength'],
  ),
  example,
  object,
  mapping: 'creates',
  desired: ({ replaces: _before, ...args }) => args,
  recognised: ({ recorded }) => (recorded === undefined ? {} : { replaces: vipIn(recorded) }),
  render: (args, context) => write(setLines(args), context, ownGuard(args)),
  interpret: (reply, args) => writeOutcome(reply, setLines(args), { group: args.group }, { guard: ownGuard(args) }),
};

export const mlagVipDelete: OperationSpec<Vip, SwitchReply> = {
  name: 'mlag.vip.delete',
  summary: 'Removes this virtual IP address of the MLAG pair.',
  category: 'INIT',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(vip, ['group', 'address', 'prefixLength']),
  example,
  object,
  mapping: 'deletes',
  recognised: ({ recorded }) => vipIn(recorded),
  render: (args, context) => write(deleteLines, context, guardOf('delete', [args])),
  interpret: (reply, args) =>
    writeOutcome(reply, deleteLines, null, { verb: 'delete', guard: guardOf('delete', [args]) }),
};

/** From `show mlag-vip`. Null if none is set, undefined if the data is not such a table. */
function vipOf(data: JsonObject): JsonObject | null | undefined {
  const vip = onlyOf(data['MLAG-VIP']);
  const group = vip['MLAG group name'];
  const [address = '', length = ''] = String(vip['MLAG VIP address'] ?? '').split('/');
  if (group === undefined || address === '') return undefined;
  if (group === '' || Number(length) === 0) return null;
  return { group, address, prefixLength: Number(length) };
}

/** Every node of the pair is listed under its name. */
function nodesOf(data: JsonObject): readonly JsonObject[] {
  return Object.entries(data)
    .filter(([name, value]) => name !== 'MLAG-VIP' && (Array.isArray(value) || isObject(value)))
    .map(([name, value]) => ({
      name,
      address: onlyOf(value)['IP Address'] ?? null,
      state: onlyOf(value)['VIP-State'] ?? null,
    }));
}

export const mlagVipRead: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'mlag.vip.read',
  summary: "Reads the MLAG pair's virtual IP address and its nodes.",
  ...plainRead,
  render: (_args, context) => read(show, context),
  interpret: (reply) =>
    readOutcome(reply, (data) => {
      const vip = vipOf(data);
      return vip === undefined ? undefined : { vip, nodes: nodesOf(data) };
    }),
};

export const mlagVipReader: ResourceReader<SwitchReply> = {
  lists: {},
  own: [],
  render: (_object, context) => read(show, context),
  interpret(reply) {
    const shown = shownIn(reply);
    if (shown.kind !== 'shown') return { finding: 'UNREADABLE', message: shown.message };
    const vip = vipOf(shown.data);
    if (vip === undefined) return { finding: 'UNREADABLE', message: "The switch's answer does not fit the request." };
    return vip === null ? { finding: 'ABSENT' } : { finding: 'PRESENT', values: vip };
  },
  remove: ({ recorded }) =>
    recorded === undefined ? undefined : { operation: 'mlag.vip.delete', arguments: vipIn(recorded) },
};
