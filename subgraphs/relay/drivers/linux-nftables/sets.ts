// Address sets, which rules can refer to instead of single addresses.

import { argumentsSchema } from '../json.ts';
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

type TableArguments = { family: AddressFamily; table: string };
type SetArguments = TableArguments & { set: string };
type SetCreateArguments = SetArguments & { ipVersion: 4 | 6; blocks: boolean };

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

const deleteSet = (args: SetArguments) => ({ delete: { set: placeOf(args) } });

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

export const setDelete: NftOperation<SetArguments> = {
  name: 'set.delete',
  summary: 'Deletes an address set with its elements. nft refuses while a rule refers to it.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ family, table, set: name }, ['set']),
  example: { set: 'tenant-42' },
  object,
  mapping: 'deletes',
  render: (args) => apply(deleteSet(args)),
  renderDryRun: (args) => check(deleteSet(args)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) =>
    writeOutcome(reply, 'delete', 'set', (set) => (isIn(set, placeOf(args)) ? { result: { set } } : undefined)),
};
