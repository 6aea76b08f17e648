// Operations on LTM objects of any kind, over the wire, and reading one. iControl REST User Guide 13.1, chapters REST operations
// and Partial updates.

import type { DriverOperation, HttpReply, JsonObject, Outcome, ResourceReader } from '../driver.ts';
import { type KindVerbs, kindOperations } from '../kind-operations.ts';
import { readMark, writeMark } from '../mark.ts';
import { recognised, settingsSha256, sumOf } from '../meant-object.ts';
import { describe, isGone, isIt, isItself, type LtmKind, pathOf, readOf, valuesOf } from './ltm-kind.ts';
import { guardOf, refusedByGuard } from './object-guard.ts';
import { get, itemsOf, patch, post, readAnswer, readOutcome, remove, writeOutcome } from './rest.ts';
import { comment, count } from './schema.ts';

/** iControl REST User Guide 13.1, section Query parameters: `$top` with `$skip` for pages. */
const page = {
  top: { ...count, minimum: 1, maximum: 1_000, default: 500, description: 'The maximum number to return.' },
  skip: { ...count, default: 0, description: 'The number to skip.' },
};

type Operations = Required<KindVerbs<HttpReply>>;

export function operationsOf(kind: LtmKind): readonly DriverOperation[] {
  const refine = (args: JsonObject) => kind.refine?.(args) ?? [];
  const object = (args: JsonObject) => {
    const { scope, key } = kind.place(args);
    return { resource: kind.resource, scope, key };
  };
  const { naming } = kind;
  const madeOne = { ...naming, properties: { ...naming.properties, settingsSha256 } };
  return kindOperations<HttpReply>({
    prefix: kind.prefix,
    one: kind.one,
    get: { ...getOf(kind), refine },
    list: listOf(kind),
    create: { ...createOf(kind), refine, object },
    update: { ...updateOf(kind, madeOne), refine, object, recognised },
    delete: { ...deleteOf(kind, madeOne), refine, object, recognised },
  });
}

function getOf(kind: LtmKind): Operations['get'] {
  return {
    arguments: kind.naming,
    render: (args) => get(readOf(kind, args)),
    interpret: (reply, args) =>
      readOutcome(reply, (found) =>
        isIt(kind, found, kind.place(args))
          ? {
              ...describe(kind, found, args),
              settingsSha256: sumOf(valuesOf(kind, found, args)),
              native: found,
            }
          : undefined,
      ),
  };
}

function listOf(kind: LtmKind): Operations['list'] {
  const { listing } = kind;
  return {
    summary: `Lists ${kind.many}, page by page.`,
    arguments: { ...listing, properties: { ...listing.properties, ...page } },
    render: (args) => get(`${kind.collection(args)}?${listQuery(kind, args)}`),
    interpret: (reply, args) =>
      readOutcome(reply, (found) => {
        const items = itemsOf(found);
        return items && { [kind.listKey]: items.map((item) => describe(kind, item, args)) };
      }),
  };
}

function createOf(kind: LtmKind): Omit<Operations['create'], 'object'> {
  const { naming, settings } = kind;
  return {
    arguments: {
      properties: { ...naming.properties, ...settings.properties, comment },
      required: [...naming.required, ...settings.required],
      example: { ...naming.example, ...settings.example },
    },
    desired: (args) => ({ ...kind.settle(args), comment: args.comment ?? '' }),
    render: (args, { operationId }) => {
      const { collection, fullPath } = kind.place(args);
      const [, partition = '', name = ''] = fullPath.split('/');
      const description = writeMark({ operationId, words: String(args.comment ?? '') });
      return post(collection, { name, partition, ...kind.toDevice(kind.settle(args)), description });
    },
    interpret: (reply, args) => {
      const answer = readAnswer(reply);
      // "Not found" at a creation is about something that it refers to. If it names the object itself, the object may have been
      // made
      // (openshift/origin-server#6439).
      if (answer.kind === 'refused' && isItself(answer.missing, kind.place(args))) {
        return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: answer.message };
      }
      return shownOutcome(kind, reply, args);
    },
  };
}

function updateOf(kind: LtmKind, madeOne: LtmKind['naming']): Omit<Operations['update'], 'object'> {
  const { naming, settings } = kind;
  const isChangeable = ([name]: readonly [string, unknown]) => !settings.fixed.includes(name);
  const changeable = Object.fromEntries(Object.entries(settings.properties).filter(isChangeable));
  const changedExample = Object.fromEntries(Object.entries(settings.example).filter(isChangeable));
  return {
    arguments: {
      properties: { ...madeOne.properties, ...changeable, comment },
      required: naming.required,
      example: { ...naming.example, ...changedExample, comment: 'changed' },
    },
    changes: [...Object.keys(changeable), 'comment'],
    desired: (args) => ({ ...kind.settle(args), ...(args.comment === undefined ? {} : { comment: args.comment }) }),
    render: (args, { operationId }) => {
      const words = args.comment;
      const described = words === undefined ? {} : { description: writeMark({ operationId, words: String(words) }) };
      const body = { ...kind.toDevice(kind.settle(args)), ...described };
      return guardOf(kind, args, patch(pathOf(kind.place(args)), body));
    },
    interpret: (reply, args) => refusedByGuard(kind, args, reply) ?? shownOutcome(kind, reply, args),
  };
}

function deleteOf(kind: LtmKind, madeOne: LtmKind['naming']): Omit<Operations['delete'], 'object'> {
  return {
    summary: `Deletes ${kind.one}. The device refuses while another object refers to it.`,
    arguments: madeOne,
    render: (args) => guardOf(kind, args, remove(pathOf(kind.place(args)))),
    interpret: (reply, args) => {
      const refused = refusedByGuard(kind, args, reply);
      if (refused) return refused;
      const place = kind.place(args);
      const answer = readAnswer(reply);
      if (answer.kind === 'refused' && isGone(answer.missing, place)) {
        return { state: 'FAILED', code: answer.code, message: answer.message, absent: true };
      }
      // A deletion has an empty reply; an object in the reply would be about something else.
      return writeOutcome(reply, (found) =>
        Object.keys(found).length === 0 ? { state: 'SUCCEEDED', result: { fullPath: place.fullPath } } : undefined,
      );
    },
  };
}

/** iControl REST User Guide 13.1, section Query parameters. */
function listQuery(kind: LtmKind, args: JsonObject): string {
  const fields = ['name', 'partition', 'fullPath', 'generation', 'description', ...kind.reads].join(',');
  const kept = kind.listing.byPartition && args.partition !== undefined;
  const filter = kept ? [['$filter', `partition eq ${String(args.partition)}`]] : [];
  const query = [...filter, ['$select', fields], ['$top', String(args.top)], ['$skip', String(args.skip)]];
  return query.map(([option, value = '']) => `${option}=${encodeURIComponent(value)}`).join('&');
}

/** Succeeded when the device shows the requested object. */
function shownOutcome(kind: LtmKind, reply: HttpReply, args: JsonObject): Outcome {
  return writeOutcome(reply, (found) =>
    isIt(kind, found, kind.place(args)) ? { state: 'SUCCEEDED', result: describe(kind, found, args) } : undefined,
  );
}

export function readerOf(kind: LtmKind): ResourceReader<HttpReply> {
  return {
    lists: kind.lists,
    own: kind.own,
    render: (object) => get(readOf(kind, kind.named(object))),
    interpret: (reply, object) => {
      const place = kind.place(kind.named(object));
      const answer = readAnswer(reply);
      if (answer.kind === 'object' && isIt(kind, answer.object, place)) {
        const mark = readMark(answer.object.description);
        const operationId = mark ? { operationId: mark.operationId } : {};
        return { finding: 'PRESENT', ...operationId, values: valuesOf(kind, answer.object, kind.named(object)) };
      }
      if (answer.kind === 'refused' && isGone(answer.missing, place)) return { finding: 'ABSENT' };
      const message = answer.kind === 'object' ? "The device's answer does not fit the request." : answer.message;
      return { finding: 'UNREADABLE', message };
    },
    remove: (object) => ({
      operation: `${kind.prefix}.delete`,
      arguments: { ...kind.named(object), ...recognised(object) },
    }),
  };
}
