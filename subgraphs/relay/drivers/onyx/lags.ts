// Link aggregation: port-channels and their members (Mellanox Onyx User Manual 3.7 to 3.10, Link Aggregation Group).

import type { JsonObject, OperationSpec, ResourceFinding, ResourceReader } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
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
import { canonicalPort, ethernet, interfaceWords, lag as lagSchema } from './schema.ts';

type LagArguments = { lag: number };
type CreateArguments = LagArguments & { exists?: boolean };
type DeleteArguments = LagArguments & { members?: readonly string[] };
type MemberArguments = LagArguments & { port: string };
type AddArguments = MemberArguments & { mode: 'on' | 'active' | 'passive' };

const object = ({ lag }: LagArguments) => ({ resource: 'lag', scope: '', key: `Po${lag}` });
const memberObject = ({ lag, port }: MemberArguments) => ({
  resource: 'lag-member',
  scope: `Po${lag}`,
  key: canonicalPort(port),
});

const createLines = ({ lag }: LagArguments): readonly string[] => [`interface port-channel ${lag}`, 'exit'];
const deleteLines = ({ lag }: LagArguments): readonly string[] => [`no interface port-channel ${lag}`];
const addLines = ({ lag, port, mode }: AddArguments): readonly string[] => [
  `interface ${interfaceWords(port)} channel-group ${lag} mode ${mode}`,
];
const removeLines = ({ port }: MemberArguments): readonly string[] => [
  `interface ${interfaceWords(port)} no channel-group`,
];
const lacpLines = ['lacp'];
const show = 'show interfaces port-channel summary';

/** A port-channel has nothing of its own but its number: one with members that the call does not know is somebody else's. */
function guardOf(
  verb: 'create' | 'delete',
  { lag, exists, members = [] }: CreateArguments & DeleteArguments,
): SwitchGuard {
  const known = members.map(canonicalPort);
  return {
    show,
    obstacle(data) {
      const lags = lagsOf(data);
      if (lags === undefined) return unreadableGuard;
      const found = lags.find((each) => each.lag === lag);
      if (found === undefined)
        return verb === 'create' ? undefined : { code: 'NOT_FOUND', message: `The switch has no port-channel ${lag}.` };
      const others = found.members.filter((member) => !known.includes(member));
      if (others.length === 0 || exists === true) return undefined;
      const message = `Port-channel ${lag} has the members ${others.join(', ')}. ${notAsMeant}`;
      return { code: verb === 'create' ? 'ALREADY_EXISTS' : 'CHANGED', message };
    },
  };
}

/** A port is a member of one port-channel: it is neither taken from another one nor removed from it. */
function memberGuardOf(verb: 'create' | 'delete', { lag, port }: MemberArguments): SwitchGuard {
  const name = canonicalPort(port);
  return {
    show,
    obstacle(data) {
      const lags = lagsOf(data);
      if (lags === undefined) return unreadableGuard;
      const found = lags.find(({ members }) => members.includes(name));
      if (found?.lag === lag || (found === undefined && verb === 'create')) return undefined;
      if (found === undefined) return { code: 'NOT_FOUND', message: `${name} is not a member of port-channel ${lag}.` };
      const message = `${name} is a member of port-channel ${found.lag}. ${notAsMeant}`;
      return { code: verb === 'create' ? 'ALREADY_EXISTS' : 'CHANGED', message };
    },
  };
}

export const lagCreate: OperationSpec<CreateArguments, SwitchReply> = {
  name: 'lag.create',
  summary: 'Creates a port-channel without members. An existing one without members remains unchanged.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      lag: lagSchema,
      exists: {
        type: 'boolean',
        description: 'True: one with members remains unchanged, too. Default: whether it has a mapping.',
      },
    },
    ['lag'],
  ),
  example: { lag: 22 },
  object,
  mapping: 'creates',
  desired: ({ lag }) => ({ lag }),
  recognised: () => ({ exists: true }),
  render: (args, context) => write(createLines(args), context, guardOf('create', args)),
  interpret: (reply, args) =>
    writeOutcome(reply, createLines(args), { lag: args.lag }, { guard: guardOf('create', args) }),
};

export const lagDelete: OperationSpec<DeleteArguments, SwitchReply> = {
  name: 'lag.delete',
  summary: 'Deletes a port-channel, if it has no other members than the given ones, which become individual ports.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      lag: lagSchema,
      members: { type: 'array', items: ethernet, maxItems: 64, description: 'The members that it has. Default: none.' },
    },
    ['lag'],
  ),
  example: { lag: 22 },
  object,
  mapping: 'deletes',
  render: (args, context) => write(deleteLines(args), context, guardOf('delete', args)),
  interpret: (reply, args) =>
    writeOutcome(reply, deleteLines(args), { lag: args.lag }, { verb: 'delete', guard: guardOf('delete', args) }),
};

export const lagMemberAdd: OperationSpec<AddArguments, SwitchReply> = {
  name: 'lag.member.add',
  summary: 'Adds a port, which is in no other port-channel, to a port-channel.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      lag: lagSchema,
      port: ethernet,
      mode: {
        type: 'string',
        enum: ['on', 'active', 'passive'],
        default: 'active',
        description: 'on: without LACP; active, passive: with LACP, which must be enabled on the switch.',
      },
    },
    ['lag', 'port'],
  ),
  example: { lag: 22, port: '1/7', mode: 'on' },
  object: memberObject,
  mapping: 'creates',
  // The switch does not list the active members of a LACP group.
  desired: ({ lag, port, mode }) => ({ lag, port: canonicalPort(port), lacp: mode !== 'on' }),
  render: (args, context) => write(addLines(args), context, memberGuardOf('create', args)),
  interpret: (reply, args) => {
    const result = { lag: args.lag, port: canonicalPort(args.port) };
    return writeOutcome(reply, addLines(args), result, { guard: memberGuardOf('create', args) });
  },
};

export const lagMemberRemove: OperationSpec<MemberArguments, SwitchReply> = {
  name: 'lag.member.remove',
  summary: 'Removes a port from a port-channel.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ lag: lagSchema, port: ethernet }, ['lag', 'port']),
  example: { lag: 22, port: '1/7' },
  object: memberObject,
  mapping: 'deletes',
  render: (args, context) => write(removeLines(args), context, memberGuardOf('delete', args)),
  interpret: (reply, args) => {
    const result = { port: canonicalPort(args.port) };
    return writeOutcome(reply, removeLines(args), result, { verb: 'delete', guard: memberGuardOf('delete', args) });
  },
};

export const lacpEnable: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'lacp.enable',
  summary: 'Enables LACP on the switch.',
  category: 'INIT',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({}),
  example: {},
  object: () => ({ resource: 'lacp', scope: '', key: 'lacp' }),
  render: (_args, context) => write(lacpLines, context),
  interpret: (reply) => writeOutcome(reply, lacpLines, null),
};

/** From `show interfaces port-channel summary`, with entries like `1 Po22(D)`; Undefined if it is not such a summary. */
function lagsOf(data: JsonObject): readonly { lag: number; lacp: boolean; members: readonly string[] }[] | undefined {
  if (data.Flags === undefined) return undefined;
  return Object.entries(data).flatMap(([title, value]) => {
    const lag = /^\d+ Po(\d+)\(/.exec(title)?.[1];
    if (lag === undefined) return [];
    const { Type: type, 'Member Ports': ports } = onlyOf(value);
    const members = String(ports ?? '')
      .split(/[,\s]+/)
      .map((member) => member.replace(/\(.*$/, ''));
    return [{ lag: Number(lag), lacp: type === 'LACP', members: members.filter((member) => member !== '').sort() }];
  });
}

export const lagList: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'lag.list',
  summary: 'Lists the port-channels with their members.',
  ...plainRead,
  render: (_args, context) => read(show, context),
  interpret: (reply) =>
    readOutcome(reply, (data) => {
      const lags = lagsOf(data);
      return lags && { lags: lags.map(({ lag, lacp, members }) => ({ lag, lacp, members })) };
    }),
};

function look(
  reply: SwitchReply,
  name: string,
  found: (lag: NonNullable<ReturnType<typeof lagsOf>>[0]) => ResourceFinding,
) {
  const shown = shownIn(reply);
  if (shown.kind !== 'shown') return { finding: 'UNREADABLE', message: shown.message } as const;
  const lags = lagsOf(shown.data);
  if (lags === undefined)
    return { finding: 'UNREADABLE', message: "The switch's answer does not fit the request." } as const;
  const one = lags.find(({ lag }) => `Po${lag}` === name);
  return one === undefined ? ({ finding: 'ABSENT' } as const) : found(one);
}

export const lagReader: ResourceReader<SwitchReply> = {
  lists: {},
  own: [],
  render: (_object, context) => read(show, context),
  interpret: (reply, { key }) => look(reply, key, ({ lag }) => ({ finding: 'PRESENT', values: { lag } })),
  remove: ({ key }) => ({ operation: 'lag.delete', arguments: { lag: Number(key.slice(2)) } }),
};

export const lagMemberReader: ResourceReader<SwitchReply> = {
  lists: {},
  own: [],
  render: (_object, context) => read(show, context),
  interpret: (reply, { scope, key }) =>
    look(reply, scope, ({ lag, lacp, members }) =>
      members.includes(key) ? { finding: 'PRESENT', values: { lag, port: key, lacp } } : { finding: 'ABSENT' },
    ),
  remove: ({ scope, key }) => ({
    operation: 'lag.member.remove',
    arguments: { lag: Number(scope.slice(2)), port: key },
  }),
};
