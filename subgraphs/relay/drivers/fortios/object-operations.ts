// Operations on firewall objects of any kind, over the wire.

import type { DriverOperation, HttpReply, JsonObject } from '../driver.ts';
import { type KindVerbs, kindOperations } from '../kind-operations.ts';
import { writeMark } from '../mark.ts';
import { sumOf } from '../meant-object.ts';
import { describe, fieldsOf, type Kind, namingOf, numberOf, objectOf, placeOf, tableOf, valuesOf } from './kind.ts';
import { guardOf, recognisedBy, refusedByGuard } from './object-guard.ts';
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

type Operations = Required<KindVerbs<HttpReply>>;

export function operationsOf(kind: Kind): readonly DriverOperation[] {
  return kindOperations<HttpReply>({
    ...{ prefix: kind.prefix, one: kind.one, get: getOf(kind), list: listOf(kind) },
    ...{ create: createOf(kind), update: updateOf(kind), delete: deleteOf(kind) },
  });
}

function getOf(kind: Kind): Operations['get'] {
  return {
    arguments: { ...namingOf(kind, false), example: { name: kind.example.name } },
    // With a filter a missing name gives an empty list and no error, and the number is not needed.
    render: (args) => get(tableOf(kind, args), { filter: `name==${String(args.name)}` }),
    interpret: (reply, args) =>
      readOutcome(reply, tableOf(kind, args), (entries) => {
        const entry = entries.find((each) => each.name === args.name);
        const isOther = (each: JsonObject) => String(each.name).toLowerCase() !== String(args.name).toLowerCase();
        if (!entry) return entries.some(isOther) ? undefined : notFound(kind.resource, String(args.name));
        const vdomOfIt = String(args.vdom);
        const settingsSha256 = sumOf(valuesOf(kind, entry, vdomOfIt));
        return { result: { ...describe(kind, entry, vdomOfIt), settingsSha256, native: entry } };
      }),
  };
}

function listOf(kind: Kind): Operations['list'] {
  return {
    summary: `Lists ${kind.many}${kind.numbered === true ? ' in order' : ''}, page by page.`,
    arguments: { properties: { vdom, ...page }, required: [], example: {} },
    // FortiOS REST API reference: `format`, `start` and `count`.
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

function createOf(kind: Kind): Operations['create'] {
  const isNumbered = kind.numbered === true;
  const newOne = namingOf(kind, false);
  return {
    summary: `Creates ${kind.one}${isNumbered ? ' after the existing ones' : ''}.`,
    arguments: {
      properties: { ...newOne.properties, ...kind.properties, comment },
      required: [...newOne.required, ...kind.required],
      example: kind.example,
    },
    refine: (args) => kind.refine?.(args, true) ?? [],
    object: objectOf(kind),
    desired: (args) => ({ ...settled(kind, args), comment: args.comment ?? '' }),
    render: (args, context) => {
      const words = String(args.comment ?? '');
      return post(tableOf(kind, args), {
        name: args.name,
        ...kind.toDevice(kind.settle(args), context, true),
        [kind.comment]: writeMark({ operationId: context.operationId, words }),
      });
    },
    interpret: (reply, args) =>
      writeOutcome(reply, tableOf(kind, args), (object) => {
        const key = keyIn(object);
        const result = { vdom: args.vdom, name: args.name };
        if (!isNumbered) return key === args.name ? { state: 'SUCCEEDED', result } : undefined;
        const policyId = key !== undefined && /^[1-9]\d{0,9}$/.test(key) ? Number(key) : undefined;
        if (policyId === undefined) return undefined;
        return { state: 'SUCCEEDED', result: { ...result, policyId }, uuid: String(policyId) };
      }),
  };
}

function updateOf(kind: Kind): Operations['update'] {
  const madeOne = namingOf(kind, true);
  return {
    arguments: {
      properties: { ...madeOne.properties, ...kind.properties, comment },
      required: madeOne.required,
      example: exampleOf(kind, { comment: 'changed' }),
    },
    changes: [...Object.keys(kind.properties), 'comment'],
    refine: (args) => kind.refine?.(args, false) ?? [],
    object: objectOf(kind),
    recognised: (object) => recognisedBy(kind, object),
    desired: (args) => ({ ...settled(kind, args), ...(args.comment === undefined ? {} : { comment: args.comment }) }),
    render: (args, context) => {
      const { operationId } = context;
      const words = args.comment;
      const marked = words === undefined ? {} : { [kind.comment]: writeMark({ operationId, words: String(words) }) };
      const body = { ...kind.toDevice(kind.settle(args), context, false), ...marked };
      return guardOf(kind, args, put(placeOf(kind, args), body));
    },
    interpret: (reply, args) =>
      refusedByGuard(kind, args, reply) ??
      writeOutcome(reply, placeOf(kind, args), (object) => doneIfSame(kind, args, object)),
  };
}

function deleteOf(kind: Kind): Operations['delete'] {
  return {
    summary: `Deletes ${kind.one}. The device refuses while another object refers to it.`,
    arguments: { ...namingOf(kind, true), example: exampleOf(kind, {}) },
    object: objectOf(kind),
    recognised: (object) => recognisedBy(kind, object),
    render: (args) => guardOf(kind, args, remove(placeOf(kind, args))),
    interpret: (reply, args) => {
      const refused = refusedByGuard(kind, args, reply);
      if (refused) return refused;
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

/** The number may belong to another policy since: the object is gone if no entry has this number and this name. */
function goneProbe(kind: Kind): NonNullable<RestOperation['probe']> {
  return {
    render: (args) =>
      get(tableOf(kind, args), { filter: `policyid==${String(args.policyId)}`, format: fieldsOf(kind) }),
    interpret: (reply, args) => {
      const answer = readAnswer(reply, tableOf(kind, args));
      const entries =
        answer.kind === 'done' && Array.isArray(answer.object.results) ? answer.object.results : undefined;
      if (!entries)
        return {
          finding: 'UNREADABLE',
          message: 'message' in answer ? answer.message : 'The device did not return a list of policies.',
        };
      const [entry] = entries as readonly JsonObject[];
      if (!entry) return { finding: 'ABSENT' };
      if (numberOf(entry) !== args.policyId)
        return { finding: 'UNREADABLE', message: 'The device returned another policy.' };
      if (entry.name === args.name) return { finding: 'PRESENT', uuid: String(args.policyId) };
      const now = String(entry.name).slice(0, 80);
      return {
        finding: 'UNREADABLE',
        message: `Number ${args.policyId} now belongs to the policy ${now}: it was renamed, or it is another one.`,
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
