// Operations on Neutron's objects of any kind, over the wire.

import { canonicalJson } from '../../../../platform/values/json.ts';
import type { DriverOperation, HttpReply, JobFinding, JobReader, JsonObject, Outcome, Probe } from '../driver.ts';
import { given, isObject } from '../json.ts';
import { type Arguments, type KindVerbs, kindOperations } from '../kind-operations.ts';
import { readMark, writeMark } from '../mark.ts';
import {
  call,
  membersOf,
  nothingReadable,
  queryOf,
  readAnswer,
  readOutcome,
  removalOutcome,
  writeOutcome,
} from './api.ts';
import { type Kind, keyArgument, keyOfNew, objectOf, scopeOf, shown, uuidOf, valuesOf } from './kind.ts';
import { description, name, uuid } from './schema.ts';

const exampleId = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';
const mostListed = 1_000;

export function operationsOf(kind: Kind): readonly DriverOperation[] {
  const { scope, key } = kind;
  const scoped = scope === undefined ? {} : { [scope.argument]: scope.schema };
  const scopeNames = scope === undefined ? [] : [scope.argument];
  const named = key.by === 'settings' ? {} : { name };
  const described = key.by === 'name' ? { description } : {};
  const naming = namingOf(kind);
  return kindOperations<HttpReply>({
    prefix: kind.prefix,
    one: kind.one,
    get: {
      arguments: { properties: { id: uuid('the object') }, required: ['id'], example: { id: exampleId } },
      render: (args, context) => call(context, 'GET', `${kind.path}/${String(args.id)}`),
      interpret: (reply, args) =>
        readOutcome(reply, (found) =>
          memberOf(kind, found, (native) => (native.id === args.id ? shown(kind, native) : undefined)),
        ),
    },
    list: {
      summary: `Lists ${kind.collection.replaceAll('_', ' ')} that the project may see, at most ${mostListed} at a time.`,
      arguments: {
        properties: {
          ...scoped,
          ...(key.by === 'name' ? { name } : {}),
          limit: { type: 'integer', minimum: 1, maximum: mostListed, default: 200 },
          after: { ...uuid('the last object'), description: 'The id of the last object on the previous page.' },
        },
        required: [],
        example: { limit: 10 },
      },
      render: (args, context) => {
        const paged = { limit: textOf(args.limit), marker: textOf(args.after) };
        return call(
          context,
          'GET',
          `${kind.path}${queryOf({ ...placed(kind, args), name: textOf(args.name), ...paged })}`,
        );
      },
      interpret: (reply) =>
        readOutcome(reply, (found) => {
          const members = membersOf(found, kind.collection);
          return members && { [kind.collection]: members.map((native) => shown(kind, native)) };
        }),
    },
    // Neutron makes a second object with the same name.
    create: {
      arguments: {
        properties: { ...scoped, ...named, ...kind.properties, ...described },
        required: [...scopeNames, ...Object.keys(named), ...kind.required],
        example: { ...(scope === undefined ? {} : { [scope.argument]: exampleId }), ...kind.example },
      },
      refine: (args) => kind.refine?.(args) ?? [],
      object: (args) => ({ resource: kind.resource, scope: scopeOf(kind, args), key: keyOfNew(kind, args) }),
      desired: (args) => settled(kind, args),
      render: (args, context) => {
        const words = { name: args.description, description: args.name, settings: '' }[key.by];
        const body = {
          ...(scope === undefined ? {} : { [scope.attribute]: args[scope.argument] }),
          ...(key.by === 'name' ? { name: args.name } : {}),
          ...kind.toNative(args),
          description: writeMark({ operationId: context.operationId, words: textOf(words) ?? '' }),
        };
        return call(context, 'POST', kind.path, { [kind.member]: body });
      },
      interpret: (reply, _args, { operationId }) =>
        madeOutcome(kind, reply, ({ description: text }) => readMark(text)?.operationId === operationId),
      probe: markProbe(kind),
    },
    ...(isChangeable(kind) ? { update: updateOf(kind, naming) } : {}),
    delete: {
      arguments: naming,
      object: (args) => objectOf(kind, args),
      addressedId: (args) => String(args.id),
      render: (args, context) => call(context, 'DELETE', `${kind.path}/${String(args.id)}`),
      // Answered without a body.
      interpret: (reply, args) =>
        removalOutcome(reply, { id: args.id ?? null }, (answer) => Object.keys(answer).length === 0),
      probe: goneProbe(kind),
    },
  });
}

/** An object with a name has a description, which can always be changed. */
function isChangeable(kind: Kind): boolean {
  return kind.key.by === 'name' || Object.keys(kind.changeable).length > 0;
}

function updateOf(kind: Kind, naming: Arguments): NonNullable<KindVerbs<HttpReply>['update']> {
  const changeable = { ...kind.changeable, ...(kind.key.by === 'name' ? { description } : {}) };
  return {
    arguments: {
      properties: { ...naming.properties, ...changeable },
      required: naming.required,
      example: { ...naming.example, ...kind.changeExample },
    },
    changes: Object.keys(changeable),
    refine: (args) => kind.refine?.(args) ?? [],
    object: (args) => objectOf(kind, args),
    addressedId: (args) => String(args.id),
    desired: ({ id: _id, ...args }) => settled(kind, args),
    render: (args, context) => {
      const { operationId } = context;
      const words = textOf(args.description);
      const marked = words === undefined ? {} : { description: writeMark({ operationId, words }) };
      return call(context, 'PUT', `${kind.path}/${String(args.id)}`, {
        [kind.member]: { ...kind.toNative(args), ...marked },
      });
    },
    interpret: (reply, args) => {
      const outcome = madeOutcome(kind, reply, ({ id }) => id === args.id);
      const isProven = outcome.state !== 'SUCCEEDED' || kind.doubtful?.when(args) !== true;
      return isProven ? outcome : { state: 'ACCEPTED', result: { id: args.id ?? null } };
    },
    job: readBack(kind),
  };
}

/** Whether a change that Neutron has confirmed was made. */
function readBack(kind: Kind): JobReader<JsonObject, HttpReply> {
  return {
    render: (_accepted, args, context) => call(context, 'GET', `${kind.path}/${String(args.id)}`),
    interpret(reply, _accepted, args) {
      const answer = readAnswer(reply);
      if (answer.kind === 'refused' && answer.absent)
        return { finding: 'FAILED', code: answer.code, message: answer.message };
      if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
      return (
        memberOf(kind, answer.object, (native) =>
          native.id === args.id ? jobFinding(kind, native, args) : nothingReadable,
        ) ?? nothingReadable
      );
    },
  };
}

function jobFinding(kind: Kind, native: JsonObject, { id: _id, ...changes }: JsonObject): JobFinding {
  const found = valuesOf(kind, native);
  const wrong = Object.entries(settled(kind, changes)).find(
    ([name, value]) => canonicalJson(value ?? null) !== canonicalJson(found[name] ?? null),
  );
  if (wrong === undefined) return { finding: 'SUCCEEDED', result: shown(kind, native) };
  const [name] = wrong;
  const now = JSON.stringify(found[name] ?? null).slice(0, 2_000);
  return {
    finding: 'FAILED',
    code: 'NOT_TAKEN',
    message: `Neutron said yes, but ${name} is ${now}. ${kind.doubtful?.hint ?? ''}`.trim(),
  };
}

/** The arguments that select an existing object. */
function namingOf(kind: Kind): Arguments {
  const { scope } = kind;
  const key = keyArgument(kind);
  const keySchema = kind.key.by === 'settings' ? { type: 'string', minLength: 1, maxLength: 200 } : name;
  return {
    properties: {
      id: uuid('the object'),
      ...(scope === undefined ? {} : { [scope.argument]: scope.schema }),
      [key]: { ...keySchema, description: `The name of ${kind.one}, which is the key of its mapping.` },
    },
    required: ['id', ...(scope === undefined ? [] : [scope.argument]), key],
    example: {
      id: exampleId,
      ...(scope === undefined ? {} : { [scope.argument]: exampleId }),
      [key]: keyOfNew(kind, kind.example),
    },
  };
}

/** A filter by its container. */
function placed({ scope }: Kind, args: JsonObject): Record<string, string | undefined> {
  return scope === undefined ? {} : { [scope.attribute]: textOf(args[scope.argument]) };
}

/** The requested settings as they will be read back, because the API rewrites some settings. */
function settled(kind: Kind, args: JsonObject): JsonObject {
  const wanted = kind.values(kind.toNative(args));
  const isSetting = (name: string) => name in kind.properties || name in kind.changeable;
  return given(
    Object.fromEntries(Object.entries(args).map(([name, value]) => [name, isSetting(name) ? wanted[name] : value])),
  );
}

/** `isIt`: whether the object in the answer is the call's object. */
function madeOutcome(kind: Kind, reply: HttpReply, isIt: (native: JsonObject) => boolean): Outcome {
  return writeOutcome(reply, (object) =>
    memberOf(kind, object, (native): Outcome | undefined => {
      const id = uuidOf(native);
      if (id === undefined || !isIt(native)) return undefined;
      return { state: 'SUCCEEDED', result: shown(kind, native), uuid: id };
    }),
  );
}

/** Whether the object with this call's mark is among the candidates. */
function markProbe(kind: Kind): Probe<JsonObject, HttpReply> {
  return {
    render: (args, context) => {
      const named = kind.key.by === 'name' ? { name: textOf(args.name) } : {};
      return call(context, 'GET', `${kind.path}${queryOf({ ...placed(kind, args), ...named })}`);
    },
    interpret: (reply, _args, { operationId }) => {
      const answer = readAnswer(reply);
      if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
      const members = membersOf(answer.object, kind.collection);
      if (!members) return nothingReadable;
      const ours = members.find((native) => readMark(native.description)?.operationId === operationId);
      if (!ours) return { finding: 'ABSENT' };
      const id = uuidOf(ours);
      return { finding: 'PRESENT', own: true, ...(id === undefined ? {} : { uuid: id }) };
    },
  };
}

function goneProbe(kind: Kind): Probe<JsonObject, HttpReply> {
  return {
    render: (args, context) => call(context, 'GET', `${kind.path}/${String(args.id)}`),
    interpret: (reply, args) => {
      const answer = readAnswer(reply);
      if (answer.kind === 'refused' && answer.absent) return { finding: 'ABSENT' };
      if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
      const isIt = memberOf(kind, answer.object, ({ id }) => id === args.id) === true;
      return isIt ? { finding: 'PRESENT' } : nothingReadable;
    },
  };
}

/** Applies `read` to the one object in a body; undefined when there is none. */
export function memberOf<T>(kind: Kind, object: JsonObject, read: (native: JsonObject) => T): T | undefined {
  const native = object[kind.member];
  return isObject(native) ? read(native) : undefined;
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}
