// Address sets, which rules can refer to instead of single addresses.

import type { JsonObject } from '../driver.ts';
import { argumentsSchema, given } from '../json.ts';
import { dryRunOutcome } from './deletion.ts';
import {
  apply,
  check,
  checkOutcome,
  handleOf,
  isIn,
  list,
  type NftOperation,
  objectsOf,
  readOutcome,
  writeOutcome,
} from './nft.ts';
import { reservedWordFaults } from './reserved-words.ts';
import { type AddressFamily, family, ipVersion, name, table } from './schema.ts';
import { outcomeOf, run, setMatch } from './set-deletion.ts';

type TableArguments = { family: AddressFamily; table: string };
type SetArguments = TableArguments & { set: string };
type SetSettings = { ipVersion: 4 | 6; blocks: boolean };
type SetCreateArguments = SetArguments & SetSettings;
type SetDeleteArguments = SetArguments & Partial<SetSettings>;

const object = (args: SetArguments) => ({
  resource: 'address-set',
  scope: `${args.family} ${args.table}`,
  key: args.set,
});

const addSet = (args: SetCreateArguments) => ({
  add: {
    set: {
      family: args.family,
      table: args.table,
      name: args.set,
      type: args.ipVersion === 4 ? 'ipv4_addr' : 'ipv6_addr',
      ...(args.blocks ? { flags: ['interval'] } : {}),
    },
  },
});

const placeOf = (args: SetArguments) => ({ family: args.family, table: args.table, name: args.set });

export const setList: NftOperation<TableArguments> = {
  name: 'set.list',
  summary: 'Lists the sets of a table, without their elements.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ family, table }),
  example: { table: 'filter' },
  render: (args) => list({ table: { family: args.family, name: args.table } }),
  interpret: (reply) =>
    readOutcome(reply, (objects) => ({
      sets: objectsOf(objects, 'set').map(({ elem: _elements, ...set }) => set),
    })),
};

export const setCreate: NftOperation<SetCreateArguments> = {
  name: 'set.create',
  summary: 'Creates an address set.',
  category: 'USER',
  // `add` of an equal existing set succeeds; with another type it fails.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      family,
      table,
      set: name,
      ipVersion: { ...ipVersion, default: 4 },
      blocks: { type: 'boolean', default: true, description: 'Whether the set may contain CIDR blocks.' },
    },
    ['set'],
  ),
  example: { set: 'tenant-42' },
  refine: (args) => reservedWordFaults('set', args.set),
  object,
  mapping: 'creates',
  desired: ({ set, ipVersion, blocks }) => ({ set, ipVersion, blocks }),
  render: (args) => apply(addSet(args)),
  renderDryRun: (args) => check(addSet(args)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) =>
    writeOutcome(reply, 'add', 'set', (set) => {
      if (!isIn(set, placeOf(args))) return undefined;
      const uuid = handleOf(set);
      return { result: { set }, ...(uuid === undefined ? {} : { uuid }) };
    }),
};

const changed =
  'The set has another type, or an element without the mark of a call: somebody else made it, or uses it. Verify the mapping, or remove such elements first.';

export const setDelete: NftOperation<SetDeleteArguments> = {
  name: 'set.delete',
  summary:
    'Deletes an address set with its elements, if calls have made them all. nft refuses while a rule refers to it.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ family, table, set: name },
      ipVersion: { ...ipVersion, description: 'That of its addresses. Default: as recorded in its mapping, or any.' },
      blocks: {
        type: 'boolean',
        description: 'Whether it may contain CIDR blocks. Default: as recorded in its mapping, or either.',
      },
    },
    ['set'],
  ),
  example: { set: 'tenant-42' },
  object,
  mapping: 'deletes',
  recognised: ({ recorded }) => (isOfAddresses(recorded) ? settingsOf(recorded) : {}),
  render: (args, context) => run('delete', meant(args), context),
  renderDryRun: (args, context) => run('check', meant(args), context),
  interpretDryRun: (reply, args, context) => dryRunOutcome(outcomeOf(reply, { set: args.set }, changed, context)),
  interpret: (reply, args, context) => outcomeOf(reply, { set: args.set }, changed, context),
};

function meant(args: SetDeleteArguments) {
  return { ...placeOf(args), match: setMatch(args.ipVersion, args.blocks) };
}

/** Others make sets of other things, too. */
export function isOfAddresses(recorded: JsonObject | undefined): recorded is JsonObject {
  return typeof recorded?.ipVersion === 'number';
}

export function settingsOf({ ipVersion, blocks }: JsonObject): JsonObject {
  return given({ ipVersion, blocks });
}
