// Any data of a device's YANG modules: read by subtree, and made, changed, replaced and deleted by instance-identifier.

import type {
  ArgumentFault,
  BackendContext,
  JsonObject,
  JsonValue,
  MappedObject,
  NetconfReply,
  OperationSpec,
  Outcome,
  RenderContext,
  ResourceReader,
} from '../driver.ts';
import { argumentsSchema, given, isObject } from '../json.ts';
import { madeBy, markersOf, writeMark } from '../mark.ts';
import { notMeant } from '../meant-object.ts';
import { editOutcome, finding, firstDifference, leafValues, renderEdit, renderLook } from './edits.ts';
import { type Path, parsePath, path, pathText } from './instance-path.ts';
import { moduleName, modulesOf } from './modules.ts';
import { readOutcome } from './replies.ts';
import { comparable, content, jsonOf, valueFaults } from './values.ts';

type Meant = { madeBy?: string[]; settings: JsonObject };
type EntryArguments = { path: string; value?: JsonValue; mark?: string; meant?: Meant };

const value = {
  description:
    "The settings as JSON (RFC 7951): an object, or the value of a leaf. Not the entry's keys, which are in the path. Lists in it begin with their keys. Its texts and numbers may be secrets, so they are shown as ***.",
} as const;

const mark = {
  type: 'string',
  pattern: `^(?:${moduleName}:)?[A-Za-z_][A-Za-z0-9_.-]{0,63}$`,
  description:
    "A leaf of the entry for free text, for example description: it gets the call's id before its text, by which an unknown call is settled at once.",
} as const;

const meant = {
  type: 'object',
  properties: {
    madeBy: {
      ...madeBy,
      description: 'The ids of the calls that made or last changed the entry, whose mark it may have.',
    },
    settings: {
      type: 'object',
      description: 'Its settings as a mapping records them, with hashes in place of texts and numbers.',
    },
  },
  required: ['settings'],
  additionalProperties: false,
  description:
    'Which entry is meant: one with the mark of one of these calls, or with these settings. Another one at the path is not changed. Default: what the mapping of the path says, if there is one.',
} as const;

/** A path that was checked. */
function nodesOf({ path: text }: { path: string }): Path {
  const nodes = parsePath(text);
  return typeof nodes === 'string' ? [] : nodes;
}

const object = (args: EntryArguments) => ({ resource: 'entry', scope: '', key: pathText(nodesOf(args)) });

function pathFaults(args: EntryArguments, backend?: BackendContext): ArgumentFault[] {
  const nodes = parsePath(args.path, backend && modulesOf(backend));
  if (typeof nodes === 'string') return [{ path: ['path'], message: nodes }];
  if (pathText(nodes).length > path.maxLength)
    return [{ path: ['path'], message: `is longer than ${path.maxLength} characters in its usual spelling` }];
  return [];
}

function entryFaults(args: EntryArguments, backend?: BackendContext): ArgumentFault[] {
  const faults = pathFaults(args, backend);
  const { value: given = {}, mark: marked } = args;
  if (Array.isArray(given) && !(given.length === 1 && given[0] === null))
    faults.push({ path: ['value'], message: 'is a list: each of its entries is a call of its own' });
  else faults.push(...valueFaults(given, ['value'], backend && modulesOf(backend)));
  const last = nodesOf(args).at(-1);
  if (last?.value !== undefined && args.value !== undefined)
    faults.push({ path: ['value'], message: 'has no place: the path has the value of the leaf-list' });
  if (!isObject(given) && last !== undefined && last.keys.length > 0)
    faults.push({ path: ['value'], message: 'must be an object: the path leads to an entry of a list' });
  const key = isObject(given)
    ? last?.keys.find(({ node }) => named(given, node.name, node.module, last.module))
    : undefined;
  if (key !== undefined)
    faults.push({ path: ['value', key.node.name], message: 'is a key of the entry: it is in the path' });
  if (marked !== undefined && !isObject(given))
    faults.push({ path: ['mark'], message: 'needs a value that is an object' });
  else if (marked !== undefined && typeof ((given as JsonObject)[marked] ?? '') !== 'string')
    faults.push({ path: ['mark'], message: 'must name a text' });
  return faults;
}

function named(value: JsonObject, name: string, module: string, around: string): boolean {
  return Object.hasOwn(value, `${module}:${name}`) || (module === around && Object.hasOwn(value, name));
}

/** The value with the call's mark in the leaf chosen for it. */
function marked({ value: given = {}, mark: leaf }: EntryArguments, operationId: string): JsonValue {
  if (leaf === undefined || !isObject(given)) return given;
  return { ...given, [leaf]: writeMark({ operationId, words: String(given[leaf] ?? '') }) };
}

function desired(args: EntryArguments): JsonObject {
  const last = nodesOf(args).at(-1);
  const { value: given = {}, mark: leaf } = args;
  // An empty text beside a mark is no text.
  const said = leaf !== undefined && isObject(given) && given[leaf] === '' ? { ...given, [leaf]: [] } : given;
  const made = comparable(said, last?.module ?? '');
  if (last?.value !== undefined) return leafValues(comparable(last.value, ''));
  return isObject(made) ? made : leafValues(made);
}

/** What the mapping of an entry adds to a call that acts on it. */
function recognised(object: MappedObject): JsonObject {
  return object.recorded === undefined
    ? {}
    : { meant: given({ madeBy: markersOf(object), settings: object.recorded }) };
}

/**
 * Why the entry that is there is not the meant one. The session's lock keeps it until the edit. An entry that a call made may have more
 * settings than the call gave it, because devices add their own, unless the call gave it none.
 */
function obstacle(args: EntryArguments, reply: NetconfReply, { recordedAs }: RenderContext): Outcome | undefined {
  if (args.meant === undefined) return undefined;
  const { settings, madeBy: calls } = args.meant;
  const look = finding(reply, nodesOf(args));
  if (look.finding === 'ABSENT') return undefined;
  if (look.finding === 'UNREADABLE') {
    const message = `It could not be read, so nothing was sent. ${look.message}`;
    return { state: 'FAILED', code: 'DEVICE_BUSY', message };
  }
  if (look.operationId !== undefined && calls?.includes(look.operationId) === true) return undefined;
  const found = recordedAs?.(look.values, settings) ?? look.values;
  const mayHaveMore = calls !== undefined && Object.keys(settings).length > 0;
  const isMeant =
    firstDifference(settings, found) === undefined &&
    (mayHaveMore || Object.keys(found).every((name) => Object.hasOwn(settings, name)));
  return isMeant ? undefined : { state: 'FAILED', code: 'CHANGED', message: notMeant };
}

/** Undefined if the edit was sent. */
function unsent(args: EntryArguments, reply: NetconfReply, context: RenderContext): Outcome | undefined {
  if (reply.unsent !== true) return undefined;
  const again = { code: 'DEVICE_BUSY', message: 'The device answered differently when asked again.' };
  return obstacle(args, reply, context) ?? { state: 'FAILED', ...again };
}

/** Only where there is something to compare: an edit without a guard needs no read before it. */
function guardOf(args: EntryArguments, context: RenderContext) {
  return args.meant === undefined
    ? undefined
    : { allows: (reply: NetconfReply) => obstacle(args, reply, context) === undefined };
}

function write(
  operation: 'create' | 'merge' | 'replace',
  words: Pick<OperationSpec<EntryArguments>, 'summary' | 'effect' | 'mapping'>,
): OperationSpec<EntryArguments, NetconfReply> {
  return {
    name: `entry.${operation}`,
    category: 'USER',
    ...words,
    argumentsSchema: argumentsSchema({ path, value, mark, ...(operation === 'create' ? {} : { meant }) }, ['path']),
    example: {
      path: "/lab-vpn:vpn/tunnel[site='berlin'][peer='paris']",
      value: { mtu: 1_400, prefix: ['192.0.2.0/24'], enabled: true, keepalive: { interval: 10 } },
      mark: 'description',
    },
    refine: entryFaults,
    object,
    desired,
    ...(operation === 'create' ? {} : { recognised }),
    render: (args, context) => {
      const nodes = nodesOf(args);
      const modules = modulesOf(context.backend);
      const inner = content(marked(args, context.operationId), nodes.at(-1)?.module ?? '', modules);
      return renderEdit(operation, nodes, inner, context, guardOf(args, context));
    },
    interpret: (reply, args, context) =>
      unsent(args, reply, context) ?? editOutcome(reply, nodesOf(args), desired(args)),
  };
}

export const entryCreate = write('create', {
  summary: 'Creates an entry: of a list, a container or a leaf. It must not exist. What is around it comes with it.',
  effect: 'NON_IDEMPOTENT',
  mapping: 'creates',
});

export const entryMerge = write('merge', {
  summary: 'Sets settings of an entry. Others keep their values; an entry that does not exist is created.',
  effect: 'IDEMPOTENT',
  mapping: 'updates',
});

export const entryReplace = write('replace', {
  summary: 'Makes an entry exactly what is given, or creates it.',
  effect: 'IDEMPOTENT',
  mapping: 'creates',
});

export const entryDelete: OperationSpec<EntryArguments, NetconfReply> = {
  name: 'entry.delete',
  summary: 'Deletes an entry with all that is in it.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ path, meant }, ['path']),
  example: { path: "/lab-vpn:vpn/tunnel[site='berlin'][peer='paris']" },
  refine: pathFaults,
  object,
  mapping: 'deletes',
  recognised,
  render: (args, context) => renderEdit('delete', nodesOf(args), '', context, guardOf(args, context)),
  interpret: (reply, args, context) => unsent(args, reply, context) ?? editOutcome(reply, nodesOf(args), undefined),
};

type ReadArguments = { source: 'running' | 'candidate' | 'startup' | 'state'; subtree?: JsonObject };

export const dataRead: OperationSpec<ReadArguments, NetconfReply> = {
  name: 'data.read',
  summary: 'Reads a part of the configuration, or of configuration and state. NETCONF has no types: leaves are texts.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({
    source: {
      type: 'string',
      enum: ['running', 'candidate', 'startup', 'state'],
      default: 'running',
      description: 'The datastore; state: the running configuration and the state.',
    },
    subtree: {
      type: 'object',
      description:
        'The part (RFC 6241, section 6), as JSON: {} chooses a node with all in it, a value chooses entries with it. Its first names have their modules. Default: all.',
    },
  }),
  example: { subtree: { 'lab-vpn:vpn': { tunnel: { site: 'berlin' } } } },
  refine: ({ subtree = {} }, backend) => [
    ...valueFaults(subtree, ['subtree'], backend && modulesOf(backend)),
    ...Object.keys(subtree).flatMap((name) =>
      name.includes(':') ? [] : [{ path: ['subtree', name], message: 'has no module' }],
    ),
  ],
  render: ({ source, subtree }, { backend }) => {
    const modules = modulesOf(backend);
    return { kind: 'netconf', source, filter: subtree === undefined ? null : content(subtree, '', modules), modules };
  },
  interpret: (reply) => readOutcome(reply, () => ({ data: reply.data === null ? null : dataOf(reply) })),
};

function dataOf({ data, modules }: NetconfReply): JsonValue {
  const read = data === null ? '' : jsonOf(data, modules);
  return isObject(read) ? read : {};
}

export const entry: ResourceReader<NetconfReply> = {
  lists: {},
  own: [],
  freeForm: 'all',
  render: ({ key }, context) => renderLook(nodesOf({ path: key }), context),
  interpret: (reply, { key }) => finding(reply, nodesOf({ path: key })),
  remove: (object) =>
    object.scope === ''
      ? { operation: 'entry.delete', arguments: { path: object.key, ...recognised(object) } }
      : undefined,
};
