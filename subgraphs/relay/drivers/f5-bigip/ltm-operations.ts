// What all kinds of LTM objects have in common: get, list, create, update and delete, each one request, and how to look at
// one. iControl REST User Guide 13.1, chapters REST operations and Partial updates.

import type { HttpReply, JsonObject, ResourceReader, TypedCall } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { readMark, writeMark } from '../mark.ts';
import { describe, isGone, isIt, isItself, type LtmKind, pathOf, valuesOf } from './ltm-kind.ts';
import {
  get,
  itemsOf,
  patch,
  post,
  type RestOperation,
  readAnswer,
  readOutcome,
  remove,
  writeOutcome,
} from './rest.ts';
import { comment, count } from './schema.ts';

export function operationsOf(kind: LtmKind): readonly RestOperation[] {
  return [getOf(kind), listOf(kind), createOf(kind), updateOf(kind), deleteOf(kind)];
}

const refinement = ({ refine }: LtmKind) => (refine ? { refine } : {});

const objectOf = (kind: LtmKind) => (args: JsonObject) => {
  const { scope, key } = kind.place(args);
  return { resource: kind.resource, scope, key };
};

function getOf(kind: LtmKind): RestOperation {
  return {
    name: `${kind.prefix}.get`,
    summary: `Reads ${kind.one}.`,
    category: 'USER',
    effect: 'READ',
    argumentsSchema: argumentsSchema(kind.naming.properties, kind.naming.required),
    example: kind.naming.example,
    ...refinement(kind),
    render: (args) => get(`${pathOf(kind.place(args))}${kind.query ?? ''}`),
    interpret: (reply, args) =>
      readOutcome(reply, (object) =>
        isIt(kind, object, kind.place(args)) ? { ...describe(kind, object, args), native: object } : undefined,
      ),
  };
}

/** iControl REST User Guide 13.1, section Query parameters: `$select`, and `$top` with `$skip` for pages. */
function listOf(kind: LtmKind): RestOperation {
  const page = {
    top: { ...count, minimum: 1, maximum: 1_000, default: 500, description: 'At most so many.' },
    skip: { ...count, default: 0, description: 'After so many.' },
  };
  const fields = ['name', 'partition', 'fullPath', 'generation', 'description', ...kind.reads].join(',');
  return {
    name: `${kind.prefix}.list`,
    summary: `Lists ${kind.many}, page by page.`,
    category: 'USER',
    effect: 'READ',
    argumentsSchema: argumentsSchema({ ...kind.listing.properties, ...page }, kind.listing.required),
    example: kind.listing.example,
    render: (args) => {
      const kept = kind.listing.byPartition && args.partition !== undefined;
      const filter = kept ? [['$filter', `partition eq ${String(args.partition)}`]] : [];
      const query = [...filter, ['$select', fields], ['$top', String(args.top)], ['$skip', String(args.skip)]];
      const text = query.map(([option, value = '']) => `${option}=${encodeURIComponent(value)}`).join('&');
      return get(`${kind.collection(args)}?${text}`);
    },
    interpret: (reply, args) =>
      readOutcome(reply, (object) => {
        const items = itemsOf(object);
        return items && { [kind.listKey]: items.map((item) => describe(kind, item, args)) };
      }),
  };
}

function createOf(kind: LtmKind): RestOperation {
  const { naming, settings } = kind;
  return {
    name: `${kind.prefix}.create`,
    summary: `Makes ${kind.one}.`,
    category: 'USER',
    effect: 'NON_IDEMPOTENT',
    argumentsSchema: argumentsSchema({ ...naming.properties, ...settings.properties, comment }, [
      ...naming.required,
      ...settings.required,
    ]),
    example: { ...naming.example, ...settings.example },
    ...refinement(kind),
    object: objectOf(kind),
    mapping: 'creates',
    desired: (args) => ({ ...kind.settle(args), comment: args.comment ?? '' }),
    render: (args, { operationId }) => {
      const { collection, fullPath } = kind.place(args);
      const [, partition = '', name = ''] = fullPath.split('/');
      const description = writeMark({ operationId, words: String(args.comment ?? '') });
      return post(collection, { name, partition, ...kind.toDevice(kind.settle(args)), description });
    },
    interpret: (reply, args) => {
      const place = kind.place(args);
      const answer = readAnswer(reply);
      // What a creation can't find is something that it refers to. Its own name there: it may well have been made
      // (openshift/origin-server#6439).
      if (answer.kind === 'refused' && isItself(answer.missing, place)) {
        return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: answer.message };
      }
      return writeOutcome(reply, (object) =>
        isIt(kind, object, place) ? { state: 'SUCCEEDED', result: describe(kind, object, args) } : undefined,
      );
    },
  };
}

function updateOf(kind: LtmKind): RestOperation {
  const { naming, settings } = kind;
  const changeable = Object.entries(settings.properties).filter(([name]) => !settings.fixed.includes(name));
  const names = [...changeable.map(([name]) => name), 'comment'];
  const example = Object.entries(settings.example).filter(([name]) => names.includes(name));
  return {
    name: `${kind.prefix}.update`,
    summary: `Changes what is given of ${kind.one}.`,
    category: 'USER',
    effect: 'IDEMPOTENT',
    argumentsSchema: argumentsSchema(
      { ...naming.properties, ...Object.fromEntries(changeable), comment },
      naming.required,
    ),
    example: { ...naming.example, ...Object.fromEntries(example), comment: 'changed' },
    refine: (args) => {
      const given = names.some((name) => args[name] !== undefined);
      return given ? (kind.refine?.(args) ?? []) : [{ path: [], message: `give at least one of ${names.join(', ')}` }];
    },
    object: objectOf(kind),
    mapping: 'updates',
    desired: (args) => ({ ...kind.settle(args), ...(args.comment === undefined ? {} : { comment: args.comment }) }),
    render: (args, { operationId }) => {
      const words = args.comment;
      const described = words === undefined ? {} : { description: writeMark({ operationId, words: String(words) }) };
      return patch(pathOf(kind.place(args)), { ...kind.toDevice(kind.settle(args)), ...described });
    },
    interpret: (reply, args) =>
      writeOutcome(reply, (object) =>
        isIt(kind, object, kind.place(args)) ? { state: 'SUCCEEDED', result: describe(kind, object, args) } : undefined,
      ),
  };
}

function deleteOf(kind: LtmKind): RestOperation {
  return {
    name: `${kind.prefix}.delete`,
    summary: `Deletes ${kind.one}; refused while something refers to it.`,
    category: 'USER',
    effect: 'IDEMPOTENT',
    argumentsSchema: argumentsSchema(kind.naming.properties, kind.naming.required),
    example: kind.naming.example,
    ...refinement(kind),
    object: objectOf(kind),
    mapping: 'deletes',
    render: (args) => remove(pathOf(kind.place(args))),
    interpret: (reply, args) => {
      const place = kind.place(args);
      const answer = readAnswer(reply);
      if (answer.kind === 'refused' && isGone(answer.missing, place)) {
        return { state: 'FAILED', code: answer.code, message: answer.message, absent: true };
      }
      // A deletion is answered without a word; an object would be about something else.
      return writeOutcome(reply, (object) =>
        Object.keys(object).length === 0 ? { state: 'SUCCEEDED', result: { fullPath: place.fullPath } } : undefined,
      );
    },
  };
}

export function readerOf(kind: LtmKind): ResourceReader<HttpReply> {
  return {
    render: (object) => get(`${pathOf(kind.place(kind.named(object)))}${kind.query ?? ''}`),
    interpret: (reply, object) => {
      const place = kind.place(kind.named(object));
      const answer = readAnswer(reply);
      if (answer.kind === 'object' && isIt(kind, answer.object, place)) {
        const mark = readMark(answer.object.description);
        const operationId = mark ? { operationId: mark.operationId } : {};
        return { finding: 'PRESENT', ...operationId, values: valuesOf(kind, answer.object, kind.named(object)) };
      }
      if (answer.kind === 'refused' && isGone(answer.missing, place)) return { finding: 'ABSENT' };
      const message = answer.kind === 'object' ? 'The device answered with something else.' : answer.message;
      return { finding: 'UNREADABLE', message };
    },
    remove: (object): TypedCall => ({ operation: `${kind.prefix}.delete`, arguments: kind.named(object) }),
  };
}
