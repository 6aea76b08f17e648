// Named addresses: an address set with one address or block, made together in one batch, so that a rule refers to it by name as
// to an address object of other firewalls.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { JsonObject, ResourceFinding } from '../driver.ts';
import { argumentsSchema, isObject } from '../json.ts';
import { readMark, writeMark } from '../mark.ts';
import { fromElement, ipVersionOf, toExpression } from './address.ts';
import { maxWordsBytes } from './mark.ts';
import { applyAll, checkAll, checkOutcome, handleOf, isIn, type NftOperation, writeOutcome } from './nft.ts';
import { reservedWordFaults } from './reserved-words.ts';
import { type AddressFamily, addressBlock, comment, family, name, table } from './schema.ts';

type Place = { family: AddressFamily; table: string };
type AddressArguments = Place & { name: string; address: string; comment?: string };
type DeleteArguments = Place & { name: string };

const object = (args: DeleteArguments) => ({
  resource: 'address',
  scope: `${args.family} ${args.table}`,
  key: args.name,
});

const place = (args: DeleteArguments) => ({ family: args.family, table: args.table, name: args.name });

function commands(args: AddressArguments, operationId: string): readonly JsonObject[] {
  const type = ipVersionOf(args.address) === 6 ? 'ipv6_addr' : 'ipv4_addr';
  const words = writeMark({ operationId, words: args.comment ?? '' });
  const elem = [{ elem: { val: toExpression(args.address), comment: words } }];
  return [
    // `create` fails if the set exists: a second call would otherwise add its address to the first.
    { create: { set: { ...place(args), type, flags: ['interval'] } } },
    { add: { element: { ...place(args), elem } } },
  ];
}

export const addressCreate: NftOperation<AddressArguments> = {
  name: 'address.create',
  summary: 'Creates a named address or block, for use in rules.',
  category: 'USER',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema({ family, table, name, address: addressBlock, comment }, ['name', 'address']),
  example: { name: 'tenant-42-web', address: '203.0.113.80' },
  refine(args) {
    const bytes = Buffer.byteLength(args.comment ?? '');
    const tooLong = {
      path: ['comment'],
      message: `is ${bytes} bytes long in UTF-8; at most ${maxWordsBytes} bytes are allowed`,
    };
    return [...reservedWordFaults('name', args.name), ...(bytes > maxWordsBytes ? [tooLong] : [])];
  },
  object,
  mapping: 'creates',
  desired: ({ name: known, address }) => ({ name: known, address: canonicalText(address) }),
  render: (args, { operationId }) => applyAll(commands(args, operationId)),
  renderDryRun: (args, { operationId }) => checkAll(commands(args, operationId)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) =>
    writeOutcome(reply, 'create', 'set', (set) => {
      if (!isIn(set, place(args))) return undefined;
      const uuid = handleOf(set);
      const result = { name: args.name, address: canonicalText(args.address) };
      return { result, ...(uuid === undefined ? {} : { uuid }) };
    }),
};

export const addressDelete: NftOperation<DeleteArguments> = {
  name: 'address.delete',
  summary: 'Deletes a named address. nft refuses while a rule refers to it.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ family, table, name }, ['name']),
  example: { name: 'tenant-42-web' },
  object,
  mapping: 'deletes',
  render: (args) => applyAll([{ delete: { set: place(args) } }]),
  renderDryRun: (args) => checkAll([{ delete: { set: place(args) } }]),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) =>
    writeOutcome(reply, 'delete', 'set', (set) =>
      isIn(set, place(args)) ? { result: { name: args.name } } : undefined,
    ),
};

/** A set as a named address. */
export function addressSetOf(set: JsonObject): ResourceFinding {
  const elements = Array.isArray(set.elem) ? set.elem : [];
  const [first] = elements;
  const elem = isObject(first) && isObject(first.elem) ? first.elem : undefined;
  const mark = readMark(elem?.comment);
  const found = elements.map((element) => fromElement(element) ?? JSON.stringify(element));
  return {
    finding: 'PRESENT',
    ...(typeof set.handle === 'number' ? { uuid: String(set.handle) } : {}),
    ...(mark === undefined ? {} : { operationId: mark.operationId }),
    // A set with more elements, or none, no longer matches the address it was made for.
    values: { name: set.name ?? null, address: found.length === 1 ? (found[0] ?? null) : found },
  };
}
