// The operations that every kind has: list, get, create, update and delete.

import type {
  ArgumentFault,
  DriverOperation,
  HttpReply,
  JsonObject,
  OperationSpec,
  Outcome,
  Probe,
} from '../driver.ts';
import { argumentsSchema, given, isObject } from '../json.ts';
import { readMark, writeMark } from '../mark.ts';
import { call, membersOf, queryOf, readAnswer, readOutcome, removalOutcome, writeOutcome } from './api.ts';
import { type Kind, keyArgument, keyOfNew, objectOf, scopeOf, shown, uuidOf } from './kind.ts';
import { description, name, uuid } from './schema.ts';

type Operation = OperationSpec<JsonObject, HttpReply>;

const exampleId = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';
const mostListed = 1_000;

export function operationsOf(kind: Kind): DriverOperation[] {
  const changes = Object.keys(kind.changeable).length > 0;
  const operations = [list(kind), get(kind), create(kind), ...(changes ? [update(kind)] : []), remove(kind)];
  return operations as DriverOperation[];
}

/** The arguments that say which one of those that are there. */
function naming(kind: Kind): { readonly properties: JsonObject; readonly required: string[] } {
  const { scope } = kind;
  const key = keyArgument(kind);
  const keySchema = kind.key.by === 'settings' ? { type: 'string', minLength: 1, maxLength: 200 } : name;
  return {
    properties: {
      id: uuid('The object'),
      ...(scope === undefined ? {} : { [scope.argument]: scope.schema }),
      [key]: { ...keySchema, description: `What ${kind.one} is called here, as its mapping has it for its key.` },
    },
    required: ['id', ...(scope === undefined ? [] : [scope.argument]), key],
  };
}

function exampleOf(kind: Kind): JsonObject {
  const { scope } = kind;
  return {
    id: exampleId,
    ...(scope === undefined ? {} : { [scope.argument]: exampleId }),
    [keyArgument(kind)]: keyOfNew(kind, kind.example),
  };
}

function list(kind: Kind): Operation {
  const { scope } = kind;
  const filters = {
    ...(scope === undefined ? {} : { [scope.argument]: scope.schema }),
    ...(kind.key.by === 'name' ? { name } : {}),
  };
  return {
    name: `${kind.prefix}.list`,
    summary: `Lists ${kind.path.replaceAll('-', ' ')} that the project can see, at most ${mostListed} at a time.`,
    category: 'USER',
    effect: 'READ',
    argumentsSchema: argumentsSchema({
      ...filters,
      limit: { type: 'integer', minimum: 1, maximum: mostListed, default: 200 },
      after: { ...uuid('The last of the page before'), description: 'The last id of the page before.' },
    }),
    example: { limit: 10 },
    render: (args, context) => {
      const scoped = scope === undefined ? {} : { [scope.attribute]: textOf(args[scope.argument]) };
      const query = { ...scoped, name: textOf(args.name), limit: textOf(args.limit), marker: textOf(args.after) };
      return call(context, 'GET', `${kind.path}${queryOf(query)}`);
    },
    interpret: (reply) =>
      readOutcome(reply, (object) => {
        const members = membersOf(object, kind.collection);
        return members && { [kind.collection]: members.map((native) => shown(kind, native)) };
      }),
  };
}

function get(kind: Kind): Operation {
  return {
    name: `${kind.prefix}.get`,
    summary: `Shows ${kind.one}.`,
    category: 'USER',
    effect: 'READ',
    argumentsSchema: argumentsSchema({ id: uuid('The object') }, ['id']),
    example: { id: exampleId },
    render: (args, context) => call(context, 'GET', `${kind.path}/${String(args.id)}`),
    interpret: (reply) => readOutcome(reply, (object) => memberOf(kind, object, (native) => shown(kind, native))),
  };
}

function create(kind: Kind): Operation {
  const { scope, key } = kind;
  const settings = key.by === 'name' ? { ...kind.properties, description } : kind.properties;
  return {
    name: `${kind.prefix}.create`,
    summary: `Makes ${kind.one}.`,
    category: 'USER',
    // Neutron makes a second one of the same name.
    effect: 'NON_IDEMPOTENT',
    argumentsSchema: argumentsSchema(
      {
        ...(scope === undefined ? {} : { [scope.argument]: scope.schema }),
        ...(key.by === 'settings' ? {} : { name }),
        ...settings,
      },
      [...(scope === undefined ? [] : [scope.argument]), ...(key.by === 'settings' ? [] : ['name']), ...kind.required],
    ),
    example: { ...(scope === undefined ? {} : { [scope.argument]: exampleId }), ...kind.example },
    ...(kind.refine === undefined ? {} : { refine: (args) => kind.refine?.(args) ?? [] }),
    object: (args) => ({ resource: kind.resource, scope: scopeOf(kind, args), key: keyOfNew(kind, args) }),
    mapping: 'creates',
    desired: (args) => settled(kind, args),
    render: (args, context) => {
      const words =
        key.by === 'name' ? (textOf(args.description) ?? '') : key.by === 'description' ? String(args.name) : '';
      const body = {
        ...(scope === undefined ? {} : { [scope.attribute]: args[scope.argument] }),
        ...(key.by === 'name' ? { name: args.name } : {}),
        ...kind.toNative(args),
        description: writeMark({ operationId: context.operationId, words }),
      };
      return call(context, 'POST', kind.path, { [kind.member]: body });
    },
    interpret: (reply) => madeOutcome(kind, reply),
    probe: markProbe(kind),
  };
}

/** What was asked for as it reads back: the API words some of it in its own way. */
function settled(kind: Kind, args: JsonObject): JsonObject {
  const wanted = kind.values(kind.toNative(args));
  const isSetting = (name: string) => name in kind.properties || name in kind.changeable;
  return given(
    Object.fromEntries(Object.entries(args).map(([name, value]) => [name, isSetting(name) ? wanted[name] : value])),
  );
}

function madeOutcome(kind: Kind, reply: HttpReply): Outcome {
  return writeOutcome(reply, (object) =>
    memberOf(kind, object, (native): Outcome | undefined => {
      const id = uuidOf(native);
      return id === undefined ? undefined : { state: 'SUCCEEDED', result: shown(kind, native), uuid: id };
    }),
  );
}

/** Whether the object with this call's mark is among those that it could be. */
function markProbe(kind: Kind): Probe<JsonObject, HttpReply> {
  const { scope } = kind;
  return {
    render: (args, context) => {
      const scoped = scope === undefined ? {} : { [scope.attribute]: textOf(args[scope.argument]) };
      const named = kind.key.by === 'name' ? { name: textOf(args.name) } : {};
      return call(context, 'GET', `${kind.path}${queryOf({ ...scoped, ...named })}`);
    },
    interpret: (reply, _args, { operationId }) => {
      const answer = readAnswer(reply);
      if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
      const members = membersOf(answer.object, kind.collection);
      if (!members) return { finding: 'UNREADABLE', message: 'Neutron listed nothing that can be read.' };
      const ours = members.find((native) => readMark(native.description)?.operationId === operationId);
      if (!ours) return { finding: 'ABSENT' };
      const id = uuidOf(ours);
      return { finding: 'PRESENT', ...(id === undefined ? {} : { uuid: id }) };
    },
  };
}

function update(kind: Kind): Operation {
  const { properties, required } = naming(kind);
  const settings = kind.key.by === 'name' ? { ...kind.changeable, description } : kind.changeable;
  return {
    name: `${kind.prefix}.update`,
    summary: `Changes ${kind.one}; what is left out stays as it is.`,
    category: 'USER',
    effect: 'IDEMPOTENT',
    argumentsSchema: argumentsSchema({ ...properties, ...settings }, required),
    example: { ...exampleOf(kind), ...kind.changeExample },
    refine: (args): readonly ArgumentFault[] => {
      if (Object.keys(settings).some((name) => args[name] !== undefined)) return kind.refine?.(args) ?? [];
      return [{ path: [], message: `changes nothing: give at least one of ${Object.keys(settings).join(', ')}` }];
    },
    object: (args) => objectOf(kind, args),
    mapping: 'updates',
    desired: ({ id: _id, ...args }) => settled(kind, args),
    render: (args, context) => {
      const { operationId } = context;
      const words = textOf(args.description);
      const marked = words === undefined ? {} : { description: writeMark({ operationId, words }) };
      const body = { ...kind.toNative(args), ...marked };
      return call(context, 'PUT', `${kind.path}/${String(args.id)}`, { [kind.member]: body });
    },
    interpret: (reply) => madeOutcome(kind, reply),
  };
}

function remove(kind: Kind): Operation {
  const { properties, required } = naming(kind);
  return {
    name: `${kind.prefix}.delete`,
    summary: `Deletes ${kind.one}.`,
    category: 'USER',
    // Deleting it again is refused and changes nothing.
    effect: 'IDEMPOTENT',
    argumentsSchema: argumentsSchema(properties, required),
    example: exampleOf(kind),
    object: (args) => objectOf(kind, args),
    mapping: 'deletes',
    render: (args, context) => call(context, 'DELETE', `${kind.path}/${String(args.id)}`),
    interpret: (reply, args) => removalOutcome(reply, { id: args.id ?? null }),
    probe: {
      render: (args, context) => call(context, 'GET', `${kind.path}/${String(args.id)}`),
      interpret: (reply) => {
        const answer = readAnswer(reply);
        if (answer.kind === 'refused' && answer.absent) return { finding: 'ABSENT' };
        if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
        return (
          memberOf(kind, answer.object, () => ({ finding: 'PRESENT' as const })) ?? {
            finding: 'UNREADABLE',
            message: 'Neutron showed nothing that can be read.',
          }
        );
      },
    },
  };
}

/** What `read` makes of the one object in a body; undefined when there is none. */
export function memberOf<T>(kind: Kind, object: JsonObject, read: (native: JsonObject) => T): T | undefined {
  const native = object[kind.member];
  return isObject(native) ? read(native) : undefined;
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}
