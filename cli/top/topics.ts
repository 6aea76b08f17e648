// Tables of `tidegate top`: every kind of the registry, and other tables such as calls and events.
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { nearestName } from '../../platform/values/nearest-name.ts';
import { namingSelection, selectionOf } from '../../schema/kinds/documents.ts';
import type { Kind } from '../../schema/kinds/kind.ts';
import { plain } from '../../schema/kinds/plain.ts';
import { cmpObjectText } from '../cmp-object.ts';
import { nameOf } from '../kinds/find-object.ts';
import { columnsOf } from '../kinds/shown.ts';
import { otherWordsFor } from '../noun-words.ts';
import type { Entry, Noun } from '../verb.ts';

export interface Topic {
  /** Plural noun. */
  readonly noun: string;
  readonly words: readonly string[];
  /** Type of the objects in its rows. */
  readonly type: string;
  /** Fields to read of a row. */
  readonly selection: string;
  readonly columns: Readonly<Record<string, (row: JsonObject) => string | null>>;
  name(row: JsonObject): string;
  /** Fields of the graph by their own names. */
  plain?(row: JsonObject): JsonObject;
  /** The type and id of a row's subject, if that is another object. */
  readonly about?: readonly [type: string, id: string];
  /** A root field. `orders`: the first is the default. */
  readonly list?: { readonly field: string; readonly takesText: boolean; readonly orders: readonly string[] };
  /** The field of the parent's type that has these parts. */
  readonly parent?: { readonly type: string; readonly children: string; readonly has: 'one' | 'list' | 'pages' };
}

/** Fields by column, in the form `backend.name`. */
type Fields = Readonly<Record<string, string>>;

interface PlainTopic extends Pick<Topic, 'noun' | 'type' | 'about' | 'parent'> {
  readonly field?: string;
  readonly takesText?: true;
  readonly selection: string;
  readonly fields: Fields;
  readonly nameField: string;
}

const cmpObject = 'cmpObject { namespace type externalId }';

/** People do not manage them, so they are missing from the registry. */
const plainTopics: readonly PlainTopic[] = [
  {
    ...{ noun: 'operations', type: 'RelayOperation', field: 'relayOperations', takesText: true, nameField: 'name' },
    selection: `id name state createdAt backend { name } ${cmpObject}`,
    fields: { OPERATION: 'name', BACKEND: 'backend.name', STATE: 'state', FOR: 'cmpObject', CREATED: 'createdAt' },
  },
  {
    ...{ noun: 'mappings', type: 'Mapping', field: 'mappings', nameField: 'objectKey' },
    selection: `id resource objectKey mappingState updatedAt backend { name } lastVerification { result } ${cmpObject}`,
    fields: {
      ...{ OBJECT: 'objectKey', RESOURCE: 'resource', BACKEND: 'backend.name', FOR: 'cmpObject' },
      ...{ STATE: 'mappingState', VERIFIED: 'lastVerification.result', UPDATED: 'updatedAt' },
    },
  },
  {
    ...{ noun: 'nodes', type: 'LoadBalancerNode', nameField: 'name' },
    parent: { type: 'LoadBalancer', children: 'nodes', has: 'list' },
    selection: 'id name nodeState operatingStatus address sessions nodeStateReason',
    fields: {
      ...{ NAME: 'name', STATE: 'nodeState', STATUS: 'operatingStatus', ADDRESS: 'address', SESSIONS: 'sessions' },
      REASON: 'nodeStateReason',
    },
  },
  {
    ...{ noun: 'rings', type: 'ObjectRing', field: 'objectRings', nameField: 'number' },
    selection: 'id number epoch replicas option { name } updatedAt',
    fields: { RING: 'number', OPTION: 'option.name', REPLICAS: 'replicas', EPOCH: 'epoch', UPDATED: 'updatedAt' },
  },
  {
    ...{ noun: 'alerts', type: 'Alert', field: 'alerts', nameField: 'ruleName' },
    selection: 'id ruleName severity alertState subjectName subjectType status since reason',
    fields: {
      ...{ RULE: 'ruleName', SEVERITY: 'severity', STATE: 'alertState', SUBJECT: 'subjectName', STATUS: 'status' },
      ...{ SINCE: 'since', REASON: 'reason' },
    },
  },
  {
    ...{ noun: 'events', type: 'StatusChange', field: 'statusHistory', nameField: 'kind' },
    about: ['subjectType', 'subjectId'],
    selection: 'id changedAt kind subjectType subjectId from to reason',
    fields: { KIND: 'kind', SUBJECT: 'subjectId', FROM: 'from', TO: 'to', CHANGED: 'changedAt', REASON: 'reason' },
  },
  {
    ...{ noun: 'audit', type: 'AuditEntry', field: 'auditEntries', nameField: 'action' },
    selection: 'id recordedAt action outcome code actor { name } project { name }',
    fields: {
      ...{ ACTION: 'action', OUTCOME: 'outcome', CODE: 'code', ACTOR: 'actor.name', PROJECT: 'project.name' },
      RECORDED: 'recordedAt',
    },
  },
  {
    ...{ noun: 'published', type: 'PublishedOperation', field: 'publishedOperations', nameField: 'name' },
    takesText: true,
    selection: 'id name createdAt',
    fields: { NAME: 'name', CREATED: 'createdAt' },
  },
];

const namedOrders = ['NAME', 'NEWEST', 'OLDEST'] as const;
const timeOrders = ['NEWEST', 'OLDEST'] as const;

/** `nouns`: nouns of the command line, with their other words. */
export function topicsOf(nouns: Readonly<Record<string, Entry<Noun>>>): readonly Topic[] {
  const wordsFor = (noun: string) => (nouns[noun] === undefined ? [] : otherWordsFor(noun, nouns[noun]));
  return [
    ...Object.values(registry.kinds).map((kind) => kindTopic(kind, wordsFor(kind.noun))),
    ...plainTopics.map((plain) => plainTopic(plain, wordsFor(plain.noun))),
  ];
}

function kindTopic(kind: Kind, words: readonly string[]): Topic {
  const columns = kind.output.filter(({ name }) => kind.columns.includes(name) && name !== 'id');
  const { list, parent } = kind;
  const takesText = list?.filters.some(({ name }) => name === 'text') === true;
  return {
    ...{ noun: kind.noun, type: kind.type, words: [...new Set([kind.singular, ...kind.short, ...words])] },
    selection: `${namingSelection(registry, kind)} ${selectionOf(registry, kind, columns)}`,
    columns: Object.fromEntries(
      Object.entries(columnsOf(kind)).flatMap(([title, text]) =>
        title === 'ID' || typeof text !== 'function' ? [] : [[title, (row: JsonObject) => asText(text(row))]],
      ),
    ),
    name: (row) => nameOf(kind, row),
    plain: (row) => plain(kind, row),
    ...(list === undefined
      ? {}
      : { list: { field: list.field, takesText, orders: takesText ? namedOrders : ([] as const) } }),
    ...(list !== undefined || parent === undefined
      ? {}
      : { parent: { type: parent.kind, children: parent.children, has: parent.has } }),
  };
}

function plainTopic({ field, takesText, fields, nameField, ...topic }: PlainTopic, words: readonly string[]): Topic {
  return {
    ...{ ...topic, words },
    columns: Object.fromEntries(
      Object.entries(fields).map(([title, path]) => [title, (row: JsonObject) => fieldText(row, path)]),
    ),
    name: (row) => fieldText(row, nameField) ?? '-',
    ...(field === undefined
      ? {}
      : {
          list: {
            ...{ field, takesText: takesText === true },
            orders: field === 'publishedOperations' ? namedOrders : timeOrders,
          },
        }),
  };
}

function fieldText(row: JsonObject, path: string): string | null {
  let value: JsonValue | undefined = row;
  for (const name of path.split('.')) value = isObject(value) ? value[name] : undefined;
  if (path === 'cmpObject' && isObject(value))
    return cmpObjectText(value as unknown as Parameters<typeof cmpObjectText>[0]);
  return asText(value);
}

function asText(value: unknown): string | null {
  return value === null || value === undefined || value === '' ? null : String(value);
}

type FoundTopic = { readonly topic: Topic } | { readonly fault: string };

/** Finds a topic by its noun, another word for it, or a unique prefix. */
export function findTopic(topics: readonly Topic[], given: string): FoundTopic {
  const word = given.trim().toLowerCase();
  const exact = topics.find(({ noun, words }) => noun === word || words.includes(word));
  if (exact !== undefined) return { topic: exact };
  const begun = topics.filter(({ noun }) => noun.startsWith(word));
  if (begun.length === 1 && begun[0] !== undefined) return { topic: begun[0] };
  if (begun.length > 1) return { fault: `'${word}' may be ${begun.map(({ noun }) => noun).join(', ')}` };
  const near = nearestName(
    word,
    topics.flatMap(({ noun, words }) => [noun, ...words]),
  );
  return { fault: `there is no noun '${word}'${near === undefined ? '' : `; ${near} is near`}` };
}
