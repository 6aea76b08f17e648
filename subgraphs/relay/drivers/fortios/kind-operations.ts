// The operations that all kinds of firewall objects have: get, list, create, update and delete, each one request.

import type { JsonObject } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { writeMark } from '../mark.ts';
import { describe, fieldsOf, type Kind, namingOf, numberOf, objectOf, placeOf, tableOf } from './kind.ts';
import {
  get,
  keyIn,
  notFound,
  post,
  put,
  type RestOperation,
  readAnswer,
  readOutcome,
  remove,
  writeOutcome,
} from './rest.ts';
import { comment, page, vdom } from './schema.ts';

export function operationsOf(kind: Kind): readonly RestOperation[] {
  return [getOf(kind), listOf(kind), createOf(kind), updateOf(kind), deleteOf(kind)];
}

function getOf(kind: Kind): RestOperation {
  const naming = namingOf(kind, false);
  return {
    name: `${kind.prefix}.get`,
    summary: `Reads ${kind.one}.`,
    category: 'USER',
    effect: 'READ',
    argumentsSchema: argumentsSchema(naming.properties, naming.required),
    example: { name: kind.example.name },
    // By a filter, so that a name that is not there is an empty list and no error, and a number need not be known.
    render: (args) => get(tableOf(kind, args), { filter: `name==${String(args.name)}` }),
    interpret: (reply, args) =>
      readOutcome(reply, tableOf(kind, args), (entries) => {
        const entry = entries.find((each) => each.name === args.name);
        const isOther = (each: JsonObject) => String(each.name).toLowerCase() !== String(args.name).toLowerCase();
        if (!entry) return entries.some(isOther) ? undefined : notFound(kind.resource, String(args.name));
        return { result: { ...describe(kind, entry, String(args.vdom)), native: entry } };
      }),
  };
}

/** FortiOS REST API reference: `format`, `start` and `count`. */
function listOf(kind: Kind): RestOperation {
  return {
    name: `${kind.prefix}.list`,
    summary: `Lists ${kind.many}${kind.numbered === true ? ' in their order' : ''}, page by page.`,
    category: 'USER',
    effect: 'READ',
    argumentsSchema: argumentsSchema({ vdom, ...page }),
    example: {},
    render: (args) => {
      const { start, count } = args;
      return get(tableOf(kind, args), { format: fieldsOf(kind), start: Number(start), count: Number(count) });
    },
    interpret: (reply, args) =>
      readOutcome(reply, tableOf(kind, args), (entries) => ({
        result: { [kind.listKey]: entries.map((entry) => describe(kind, entry, String(args.vdom))) },
      })),
  };
}

function createOf(kind: Kind): RestOperation {
  const naming = namingOf(kind, false);
  return {
    name: `${kind.prefix}.create`,
    summary: `Makes ${kind.one}${kind.numbered === true ? ', after those that are there' : ''}.`,
    category: 'USER',
    // A second one of the same name is refused; it may be somebody else's.
    effect: 'NON_IDEMPOTENT',
    argumentsSchema: argumentsSchema({ ...naming.properties, ...kind.properties, comment }, [
      ...naming.required,
      ...kind.required,
    ]),
    example: kind.example,
    refine: (args) => kind.refine?.(args, true) ?? [],
    object: objectOf(kind),
    mapping: 'creates',
    desired: (args) => ({ ...settled(kind, args), comment: args.comment ?? '' }),
    render: (args, context) => {
      const words = String(args.comment ?? '');
      return post(tableOf(kind, args), {
        name: args.name,
        ...kind.toDevice(kind.settle(args), context),
        [kind.comment]: writeMark({ operationId: context.operationId, words }),
      });
    },
    interpret: (reply, args) =>
      writeOutcome(reply, tableOf(kind, args), (object) => {
        const key = keyIn(object);
        const result = { vdom: args.vdom, name: args.name };
        if (kind.numbered !== true) return key === args.name ? { state: 'SUCCEEDED', result } : undefined;
        const policyId = key !== undefined && /^[1-9]\d{0,9}$/.test(key) ? Number(key) : undefined;
        if (policyId === undefined) return undefined;
        return { state: 'SUCCEEDED', result: { ...result, policyId }, uuid: String(policyId) };
      }),
  };
}

function updateOf(kind: Kind): RestOperation {
  const naming = namingOf(kind, true);
  const names = [...Object.keys(kind.properties), 'comment'];
  return {
    name: `${kind.prefix}.update`,
    summary: `Changes what is given of ${kind.one}.`,
    category: 'USER',
    effect: 'IDEMPOTENT',
    argumentsSchema: argumentsSchema({ ...naming.properties, ...kind.properties, comment }, naming.required),
    example: exampleOf(kind, { comment: 'changed' }),
    refine: (args) => {
      const isGiven = names.some((name) => args[name] !== undefined);
      return isGiven
        ? (kind.refine?.(args, false) ?? [])
        : [{ path: [], message: `give at least one of ${names.join(', ')}` }];
    },
    object: objectOf(kind),
    mapping: 'updates',
    desired: (args) => ({ ...settled(kind, args), ...(args.comment === undefined ? {} : { comment: args.comment }) }),
    render: (args, context) => {
      const { operationId } = context;
      const marked = args.comment === undefined ? {} : writeMark({ operationId, words: String(args.comment) });
      const body = kind.toDevice(kind.settle(args), context);
      return put(placeOf(kind, args), typeof marked === 'string' ? { ...body, [kind.comment]: marked } : body);
    },
    interpret: (reply, args) => writeOutcome(reply, placeOf(kind, args), (object) => doneIfSame(kind, args, object)),
  };
}

function deleteOf(kind: Kind): RestOperation {
  const naming = namingOf(kind, true);
  return {
    name: `${kind.prefix}.delete`,
    summary: `Deletes ${kind.one}; refused while something refers to it.`,
    category: 'USER',
    effect: 'IDEMPOTENT',
    argumentsSchema: argumentsSchema(naming.properties, naming.required),
    example: exampleOf(kind, {}),
    object: objectOf(kind),
    mapping: 'deletes',
    render: (args) => remove(placeOf(kind, args)),
    interpret: (reply, args) => {
      const place = placeOf(kind, args);
      const answer = readAnswer(reply, place);
      if (answer.kind === 'refused' && answer.missing) {
        return { state: 'FAILED', code: answer.code, message: answer.message, absent: true };
      }
      return writeOutcome(reply, place, (object) => doneIfSame(kind, args, object));
    },
    ...(kind.numbered === true ? { probe: goneProbe(kind) } : {}),
  };
}

/** A number can have been given to another policy since: gone is what has neither this number nor this name. */
function goneProbe(kind: Kind): NonNullable<RestOperation['probe']> {
  return {
    render: (args) =>
      get(tableOf(kind, args), { filter: `policyid==${String(args.policyId)}`, format: fieldsOf(kind) }),
    interpret: (reply, args) => {
      const answer = readAnswer(reply, tableOf(kind, args));
      const entries =
        answer.kind === 'done' && Array.isArray(answer.object.results) ? answer.object.results : undefined;
      if (!entries)
        return { finding: 'UNREADABLE', message: 'message' in answer ? answer.message : 'no list of policies' };
      const [entry] = entries as readonly JsonObject[];
      if (!entry) return { finding: 'ABSENT' };
      if (numberOf(entry) !== args.policyId)
        return { finding: 'UNREADABLE', message: 'The device listed another policy.' };
      if (entry.name === args.name) return { finding: 'PRESENT', uuid: String(args.policyId) };
      const now = String(entry.name).slice(0, 80);
      return {
        finding: 'UNREADABLE',
        message: `Number ${args.policyId} is now the policy ${now}: renamed, or another one.`,
      };
    },
  };
}

function doneIfSame(kind: Kind, args: JsonObject, object: JsonObject) {
  if (keyIn(object) !== placeOf(kind, args).key) return undefined;
  const { vdom: where, name, policyId } = args;
  const result = kind.numbered === true ? { vdom: where, name, policyId } : { vdom: where, name };
  return { state: 'SUCCEEDED', result } as const;
}

function settled(kind: Kind, args: JsonObject): JsonObject {
  const { vdom: where, name, policyId } = args;
  return { vdom: where, name, ...(policyId === undefined ? {} : { policyId }), ...kind.settle(args) };
}

function exampleOf(kind: Kind, more: JsonObject): JsonObject {
  return { name: kind.example.name, ...(kind.numbered === true ? { policyId: 1 } : {}), ...more };
}
