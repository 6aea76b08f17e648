// Named addresses: an address set with one address or block, made together in one batch, so that a rule refers to it by name as
// to an address object of other firewalls.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { JsonObject, ResourceFinding } from '../driver.ts';
import { argumentsSchema, given, isObject } from '../json.ts';
import { callId, readMark, writeMark } from '../mark.ts';
import { fromElement, ipVersionOf, toExpression } from './address.ts';
import { dryRunOutcome } from './deletion.ts';
import { maxWordsBytes } from './mark.ts';
import { applyAll, checkAll, checkOutcome, handleOf, isIn, type NftOperation, writeOutcome } from './nft.ts';
import { reservedWordFaults } from './reserved-words.ts';
import { type AddressFamily, addressBlock, comment, family, name, table } from './schema.ts';
import { addressMatch, outcomeOf, run } from './set-deletion.ts';

type Place = { family: AddressFamily; table: string };
type AddressArguments = Place & { name: string; address: string; comment?: string };
type Named = Place & { name: string };
type DeleteArguments = Named & { address: string; operationId?: string };

const object = (args: Named) => ({
  resource: 'address',
  scope: `${args.family} ${args.table}`,
  key: args.name,
});

const place = (args: Named) => ({ family: args.family, table: args.table, name: args.name });

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

const changed =
  'The set of this name has not the mark of the call that made it, or, if it was adopted, not this address alone: verify the mapping.';

export const addressDelete: NftOperation<DeleteArguments> = {
  name: 'address.delete',
  summary: 'Deletes a named address, if it has this address. nft refuses while a rule refers to it.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ family, table, name },
      address: { ...addressBlock, description: 'The address that it has. Default: as recorded in its mapping.' },
      operationId: {
        ...callId,
        description: 'The id of the call that made it. Only one with its mark is deleted. Default: any.',
      },
    },
    ['name', 'address'],
  ),
  example: { name: 'tenant-42-web', address: '203.0.113.80' },
  object,
  mapping: 'deletes',
  recognised: ({ recorded, madeBy }) => given({ address: addressIn(recorded), operationId: madeBy }),
  render: (args, context) => run('delete', meant(args), context),
  renderDryRun: (args, context) => run('check', meant(args), context),
  interpretDryRun: (reply, args, context) => dryRunOutcome(outcomeOf(reply, { name: args.name }, changed, context)),
  interpret: (reply, args, context) => outcomeOf(reply, { name: args.name }, changed, context),
};

function meant(args: DeleteArguments) {
  const { address, operationId } = args;
  return { ...place(args), match: addressMatch(address, operationId), element: toExpression(address) };
}

/** Undefined if it had several, or none. */
export function addressIn(recorded: JsonObject | undefined): string | undefined {
  return typeof recorded?.address === 'string' ? recorded.address : undefined;
}

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
