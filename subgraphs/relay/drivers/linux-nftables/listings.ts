// Tables, chains and the whole ruleset: reading them, and creating the chains of a new firewall.

import type { JsonObject } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
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
import { type AddressFamily, family, name, table } from './schema.ts';

type TableArguments = { family: AddressFamily; table: string };
type ChainArguments = TableArguments & {
  chain: string;
  hook?: 'input' | 'forward' | 'output';
  priority: number;
  policy: 'accept' | 'drop';
};

export const tableList: NftOperation<JsonObject> = {
  name: 'table.list',
  summary: 'Lists the tables.',
  ...plainRead,
  render: () => list({ tables: null }),
  interpret: (reply) => readOutcome(reply, (objects) => ({ tables: objectsOf(objects, 'table') })),
};

export const rulesetRead: NftOperation<JsonObject> = {
  name: 'ruleset.read',
  summary: 'Reads the whole ruleset: tables, chains, sets with their elements, and rules.',
  ...plainRead,
  render: () => list({ ruleset: null }),
  interpret: (reply) => readOutcome(reply, (objects) => ({ nftables: objects })),
};

export const chainList: NftOperation<TableArguments> = {
  name: 'chain.list',
  summary: 'Lists the chains of a table.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ family, table }),
  example: { table: 'filter' },
  render: (args) => list({ table: { family: args.family, name: args.table } }),
  interpret: (reply) => readOutcome(reply, (objects) => ({ chains: objectsOf(objects, 'chain') })),
};

export const chainCreate: NftOperation<ChainArguments> = {
  name: 'chain.create',
  summary: 'Creates a chain. With a hook, it is a base chain through which packets pass.',
  category: 'INIT',
  // `add` of an existing chain succeeds and sets its policy.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      family,
      table,
      chain: name,
      hook: { type: 'string', enum: ['input', 'forward', 'output'] },
      priority: { type: 'integer', minimum: -1000, maximum: 1000, default: 0 },
      policy: { type: 'string', enum: ['accept', 'drop'], default: 'accept' },
    },
    ['chain'],
  ),
  example: { chain: 'tenants' },
  refine: (args) => reservedWordFaults('chain', args.chain),
  object: (args) => ({ resource: 'chain', scope: `${args.family} ${args.table}`, key: args.chain }),
  mapping: 'creates',
  render: (args) => apply(addChain(args)),
  renderDryRun: (args) => check(addChain(args)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) =>
    writeOutcome(reply, 'add', 'chain', (chain) => {
      if (!isIn(chain, { family: args.family, table: args.table, name: args.chain })) return undefined;
      const uuid = handleOf(chain);
      return { result: { chain }, ...(uuid === undefined ? {} : { uuid }) };
    }),
};

function addChain(args: ChainArguments): JsonObject {
  const { hook, priority, policy } = args;
  const base = hook === undefined ? {} : { type: 'filter', hook, prio: priority, policy };
  return { add: { chain: { family: args.family, table: args.table, name: args.chain, ...base } } };
}
