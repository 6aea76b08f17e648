// Rules: appended to a chain, identified by the mark in their comment. Their deletion is in rule-deletion.ts.

import type { ArgumentFault, ExecReply, JsonObject, MappedObject, ProbeFinding, ResourceFinding } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { readMark, writeMark } from '../mark.ts';
import {
  apply,
  check,
  checkOutcome,
  handleOf,
  isIn,
  list,
  type NftOperation,
  objectsOf,
  readAnswer,
  readOutcome,
  writeOutcome,
} from './nft.ts';
import { type Matching, matchFaults, statements } from './rule-statements.ts';
import { type AddressFamily, addressBlock, family, ipVersion, name, table } from './schema.ts';

type ChainArguments = { family: AddressFamily; table: string; chain: string };
type CreateArguments = ChainArguments & Matching & { name: string };

export const chain = { ...name, default: 'forward' } as const;
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

export const listChain = (args: ChainArguments) =>
  list({ chain: { family: args.family, table: args.table, name: args.chain } });

export const ruleObject = (args: ChainArguments & { name: string }) => ({
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

/** Finds a rule in the listing of its chain. */
function find(reply: ExecReply, isIt: (rule: JsonObject) => boolean, operationId: string): ProbeFinding {
  const found = look(reply, isIt);
  if ('finding' in found) return found;
  const uuid = handleOf(found.rule);
  const isOwn = readMark(found.rule.comment)?.operationId === operationId;
  return { finding: 'PRESENT', ...(uuid === undefined ? {} : { uuid }), ...(isOwn ? { own: true } : {}) };
}

/**
 * Finds the rule of a mapping. The mark of the call that made it identifies it whatever its handle is now, because handles change
 * when the table is made again. Without that call (an adopted rule), its name and, if known, its handle identify it.
 */
export function findRule(reply: ExecReply, { key, uuid, madeBy }: MappedObject): ResourceFinding {
  const hasName = ({ comment }: JsonObject) => (readMark(comment)?.words ?? comment) === key;
  const isIt = (rule: JsonObject) =>
    hasName(rule) &&
    (madeBy === undefined
      ? uuid === null || String(rule.handle) === uuid
      : readMark(rule.comment)?.operationId === madeBy);
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
  object: ruleObject,
  mapping: 'creates',
  // The kernel counts handles in a table, not in a chain (net/netfilter/nf_tables_api.c, nf_tables_alloc_handle).
  idScopes: (scope) => scope.replace(/\S*$/, ''),
  desired: (args) => ({ name: args.name, statements: statements(args) }),
  render: (args, { operationId }) => apply(addRule(args, operationId)),
  renderDryRun: (args, { operationId }) => check(addRule(args, operationId)),
  interpretDryRun: checkOutcome,
  interpret: (reply, args, { operationId }) =>
    writeOutcome(reply, 'add', 'rule', (rule) => {
      const comment = writeMark({ operationId, words: args.name });
      if (!isIn(rule, { family: args.family, table: args.table, chain: args.chain, comment })) return undefined;
      const uuid = handleOf(rule);
      return uuid === undefined ? undefined : { result: { name: args.name, handle: Number(uuid) }, uuid };
    }),
  probe: {
    render: listChain,
    interpret: (reply, _args, { operationId }) =>
      find(reply, (rule) => readMark(rule.comment)?.operationId === operationId, operationId),
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
