// Addresses and blocks in an address set.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, ExecReply, JsonObject, JsonValue, Probe, ResourceFinding } from '../driver.ts';
import { argumentsSchema, isObject } from '../json.ts';
import { readMark, writeMark } from '../mark.ts';
import { covers, fromElement, toExpression } from './address.ts';
import { maxWordsBytes } from './mark.ts';
import {
  apply,
  check,
  checkOutcome,
  isIn,
  list,
  type NftOperation,
  objectsOf,
  readAnswer,
  readOutcome,
  writeOutcome,
} from './nft.ts';
import { type AddressFamily, addressBlock, comment, family, name, table } from './schema.ts';

type SetArguments = { family: AddressFamily; table: string; set: string };
type ElementArguments = SetArguments & { address: string };
type AddArguments = ElementArguments & { comment?: string };

const listSet = (args: SetArguments) => list({ set: { family: args.family, table: args.table, name: args.set } });

const elementCommand = (args: ElementArguments, element: JsonValue) => ({
  element: { family: args.family, table: args.table, name: args.set, elem: [element] },
});

const addElement = (args: AddArguments, operationId: string): JsonObject => {
  const comment = writeMark({ operationId, words: args.comment ?? '' });
  return { add: elementCommand(args, { elem: { val: toExpression(args.address), comment } }) };
};

const deleteElement = (args: ElementArguments): JsonObject => ({
  delete: elementCommand(args, toExpression(args.address)),
});

const object = (args: ElementArguments) => ({
  resource: 'address-set-element',
  scope: `${args.family} ${args.table}`,
  key: `${args.set}/${canonicalText(args.address)}`,
});

/** An element is identified by its value only, and adding it is idempotent. One that was there before keeps its mark. */
const probe: Probe<ElementArguments, ExecReply> = {
  render: listSet,
  interpret(reply, args, { operationId }) {
    const found = findElement(reply, canonicalText(args.address));
    if (found.finding !== 'PRESENT') return found;
    return { finding: 'PRESENT', ...(found.operationId === operationId ? { own: true } : {}) };
  },
};

/** An address or block, in canonical text, in the listing of its set. */
export function findElement(reply: ExecReply, wanted: string): ResourceFinding {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused' && answer.absent) return { finding: 'ABSENT' };
  if (answer.kind !== 'objects') return { finding: 'UNREADABLE', message: answer.message };
  const [set] = objectsOf(answer.objects, 'set');
  if (!set) return { finding: 'UNREADABLE', message: 'nft did not return the set.' };
  const elements = elementsOf(set);
  const element = elements.find((one) => fromElement(one) === wanted);
  if (element !== undefined) {
    const { comment: words, operationId } = describe(element);
    const mark = typeof operationId === 'string' ? { operationId } : {};
    return { finding: 'PRESENT', ...mark, values: { set: set.name ?? null, address: wanted, comment: words ?? '' } };
  }
  // With auto-merge (not listed by nft 1.0.6) neighbours become one element that hides its parts.
  const wider = elements.find((one) => covers(one, wanted));
  if (wider !== undefined)
    return { finding: 'UNREADABLE', message: `${wanted} is part of the larger element ${JSON.stringify(wider)}.` };
  return { finding: 'ABSENT' };
}

function elementsOf(set: JsonObject): readonly JsonValue[] {
  return Array.isArray(set.elem) ? set.elem : [];
}

function resultOf(echoed: JsonObject, { family: of, table: within, set, address }: ElementArguments) {
  const isAbout = isIn(echoed, { family: of, table: within, name: set });
  const wanted = canonicalText(address);
  const [element, ...others] = elementsOf(echoed);
  if (!isAbout || others.length > 0 || element === undefined || fromElement(element) !== wanted) return undefined;
  return { result: { set, address: wanted } };
}

export const setElementAdd: NftOperation<AddArguments> = {
  name: 'setElement.add',
  summary: 'Adds an address or block to an address set.',
  category: 'USER',
  // `add` of an existing element succeeds and leaves it unchanged, including its comment.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      family,
      table,
      set: name,
      address: addressBlock,
      comment,
    },
    ['set', 'address'],
  ),
  example: { set: 'blocked', address: '203.0.113.7' },
  refine(args): readonly ArgumentFault[] {
    const bytes = Buffer.byteLength(args.comment ?? '');
    if (bytes <= maxWordsBytes) return [];
    return [
      { path: ['comment'], message: `is ${bytes} bytes long in UTF-8; at most ${maxWordsBytes} bytes are allowed` },
    ];
  },
  object,
  mapping: 'creates',
  // An element that existed before keeps its own comment.
  desired: ({ set, address }) => ({ set, address: canonicalText(address) }),
  render: (args, { operationId }) => apply(addElement(args, operationId)),
  renderDryRun: (args, { operationId }) => check(addElement(args, operationId)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) => writeOutcome(reply, 'add', 'element', (echoed) => resultOf(echoed, args)),
  probe,
};

export const setElementRemove: NftOperation<ElementArguments> = {
  name: 'setElement.remove',
  summary: 'Removes an address or block from an address set.',
  category: 'USER',
  // Removing a missing element fails and changes nothing.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ family, table, set: name, address: addressBlock }, ['set', 'address']),
  example: { set: 'blocked', address: '203.0.113.7' },
  object,
  mapping: 'deletes',
  render: (args) => apply(deleteElement(args)),
  renderDryRun: (args) => check(deleteElement(args)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) => writeOutcome(reply, 'delete', 'element', (echoed) => resultOf(echoed, args)),
  probe,
};

export const setElementList: NftOperation<SetArguments> = {
  name: 'setElement.list',
  summary: 'Lists the elements of an address set.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ family, table, set: name }, ['set']),
  example: { set: 'blocked' },
  render: listSet,
  interpret: (reply) =>
    readOutcome(reply, (objects) => ({ elements: objectsOf(objects, 'set').flatMap(elementsOf).map(describe) })),
};

/** `address` is null if the element is not a single address or block. `native` is nft's own form. */
function describe(element: JsonValue): JsonObject {
  const comment = isObject(element) && isObject(element.elem) ? element.elem.comment : undefined;
  const mark = readMark(comment);
  return {
    address: fromElement(element) ?? null,
    comment: mark?.words ?? (typeof comment === 'string' ? comment : null),
    operationId: mark?.operationId ?? null,
    native: element,
  };
}
