// Rules: appended to a chain, identified by the mark in their comment, deleted by the handle that the kernel assigned.

import type { ArgumentFault, ExecReply, JsonObject, MappedObject, ProbeFinding, ResourceFinding } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { readMark, writeMark } from '../mark.ts';
import {
  apply,
  check,
  checkOutcome,
  handleOf,
  list,
  type NftOperation,
  objectsOf,
  readAnswer,
  readOutcome,
  writeOutcome,
} from './nft.ts';
import { type Matching, matchFaults, statements } from './rule-statements.ts';
import { type AddressFamily, addressBlock, family, handle, ipVersion, name, table } from './schema.ts';

type ChainArguments = { family: AddressFamily; table: string; chain: string };
type CreateArguments = ChainArguments & Matching & { name: string };
type DeleteArguments = ChainArguments & { name: string; handle: number };

const chain = { ...name, default: 'forward' } as const;
const peer = {
  type: 'object',
  description: 'An address or a set. Give exactly one of the two.',
  properties: {
    address: addressBlock,
    set: name,
    setIpVersion: {
      ...ipVersion,
      description: "The IP version of the set's addresses. Default: that of the other side's address, else 4.",
    },
  },
  additionalProperties: false,
} as const;

const listChain = (args: ChainArguments) =>
  list({ chain: { family: args.family, table: args.table, name: args.chain } });

const object = (args: ChainArguments & { name: string }) => ({
  resource: 'rule',
  scope: `${args.family} ${args.table} ${args.chain}`,
  key: args.name,
});

const addRule = (args: CreateArguments, operationId: string): JsonObject => ({
  add: {
    rule: {
      family: args.family,
      table: args.table,
      chain: args.chain,
      comment: writeMark({ operationId, words: args.name }),
      expr: statements(args),
    },
  },
});

const deleteRule = (args: DeleteArguments): JsonObject => ({
  delete: { rule: { family: args.family, table: args.table, chain: args.chain, handle: args.handle } },
});

/** Finds a rule in the listing of its chain. */
function find(reply: ExecReply, isIt: (rule: JsonObject) => boolean, operationId: string): ProbeFinding {
  const found = look(reply, isIt);
  if ('finding' in found) return found;
  const uuid = handleOf(found.rule);
  const isOwn = readMark(found.rule.comment)?.operationId === operationId;
  return { finding: 'PRESENT', ...(uuid === undefined ? {} : { uuid }), ...(isOwn ? { own: true } : {}) };
}

/** The rule of a mapping: by its handle, and by the relay's name in its mark, because a new table may reuse a handle. */
export function findRule(reply: ExecReply, { key, uuid }: MappedObject): ResourceFinding {
  const isIt = ({ handle: own, comment }: JsonObject) =>
    (uuid === null || String(own) === uuid) && (readMark(comment)?.words ?? comment) === key;
  const found = look(reply, isIt);
  if ('finding' in found) return found;
  const handleText = handleOf(found.rule);
  const mark = readMark(found.rule.comment);
  return {
    finding: 'PRESENT',
    ...(handleText === undefined ? {} : { uuid: handleText }),
    ...(mark === undefined ? {} : { operationId: mark.operationId }),
    values: { name: key, statements: found.rule.expr ?? [] },
  };
}

function look(
  reply: ExecReply,
  isIt: (rule: JsonObject) => boolean,
): { readonly rule: JsonObject } | Exclude<ResourceFinding, { finding: 'PRESENT' }> {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused' && answer.absent) return { finding: 'ABSENT' };
  if (answer.kind !== 'objects') return { finding: 'UNREADABLE', message: answer.message };
  // A listing includes the chain itself; if that is missing, a missing rule is not an absence.
  if (objectsOf(answer.objects, 'chain').length === 0)
    return { finding: 'UNREADABLE', message: 'nft did not return the chain.' };
  const rule = objectsOf(answer.objects, 'rule').find(isIt);
  return rule === undefined ? { finding: 'ABSENT' } : { rule };
}

export const ruleCreate: NftOperation<CreateArguments> = {
  name: 'rule.create',
  summary: 'Creates a rule at the end of a chain.',
  category: 'USER',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      name,
      family,
      table,
      chain,
      source: peer,
      destination: peer,
      protocol: { type: 'string', enum: ['tcp', 'udp', 'icmp'] },
      destinationPort: { type: 'integer', minimum: 1, maximum: 65_535 },
      action: { type: 'string', enum: ['accept', 'drop', 'reject'] },
    },
    ['name', 'action'],
  ),
  example: { name: 'tenant-42-blocked', source: { set: 'blocked' }, action: 'drop' },
  refine: (args): readonly ArgumentFault[] => matchFaults(args),
  object,
  mapping: 'creates',
  desired: (args) => ({ name: args.name, statements: statements(args) }),
  render: (args, { operationId }) => apply(addRule(args, operationId)),
  renderDryRun: (args, { operationId }) => check(addRule(args, operationId)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) =>
    writeOutcome(reply, 'add', 'rule', (rule) => {
      const uuid = handleOf(rule);
      return uuid === undefined ? undefined : { result: { name: args.name, handle: Number(uuid) }, uuid };
    }),
  probe: {
    render: listChain,
    interpret: (reply, _args, { operationId }) =>
      find(reply, (rule) => readMark(rule.comment)?.operationId === operationId, operationId),
  },
};

export const ruleDelete: NftOperation<DeleteArguments> = {
  name: 'rule.delete',
  summary: 'Deletes a rule by its handle. The name is the one in its mapping.',
  category: 'USER',
  // The kernel does not reuse a handle while the table exists: deleting it again fails and changes nothing.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ name, family, table, chain, handle }, ['name', 'handle']),
  example: { name: 'tenant-42-blocked', handle: 7 },
  object,
  mapping: 'deletes',
  render: (args) => apply(deleteRule(args)),
  renderDryRun: (args) => check(deleteRule(args)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args) =>
    writeOutcome(reply, 'delete', 'rule', () => ({ result: { name: args.name, handle: args.handle } })),
  probe: {
    render: listChain,
    // After the table was made again, another rule may have the handle; the right one has the relay's name in its mark.
    interpret: (reply, args, { operationId }) =>
      find(
        reply,
        (rule) => rule.handle === args.handle && (readMark(rule.comment)?.words ?? args.name) === args.name,
        operationId,
      ),
  },
};

export const ruleList: NftOperation<ChainArguments> = {
  name: 'rule.list',
  summary: 'Lists the rules of a chain, in order.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ family, table, chain }),
  example: { chain: 'forward' },
  render: listChain,
  interpret: (reply) => readOutcome(reply, (objects) => ({ rules: objectsOf(objects, 'rule').map(describe) })),
};

function describe(rule: JsonObject): JsonObject {
  const mark = readMark(rule.comment);
  return {
    handle: rule.handle ?? null,
    name: mark?.words ?? null,
    operationId: mark?.operationId ?? null,
    comment: mark ? null : (rule.comment ?? null),
    statements: rule.expr ?? null,
  };
}
