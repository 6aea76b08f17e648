// Finds an object of any kind by name or id. A part may be named with its parent: POOL/MEMBER.
import { TypedDocumentString } from '../../generated/cli/graphql.ts';
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject } from '../../platform/values/json.ts';
import {
  childrenDocument,
  listDocument,
  namedDocument,
  namingSelection,
  oneDocument,
  selectionOf,
} from '../../schema/kinds/documents.ts';
import type { Kind } from '../../schema/kinds/kind.ts';
import { plain } from '../../schema/kinds/plain.ts';
import { pluralOf, wordsOf } from '../../schema/kinds/words.ts';
import { allAtOnce } from '../at-once.ts';
import { CommandFailure } from '../failures.ts';
import type { GraphClient, GraphqlDocument } from '../graph-client.ts';
import { readManyPages } from '../many-pages.ts';
import { type Connection, readAll, readPages } from '../pages.ts';
import { shownId } from '../short-id.ts';

type Variables = Readonly<Record<string, unknown>> & { readonly first?: number | null; readonly after?: string | null };

export function kindOf(type: string): Kind {
  const kind = registry.kinds[type];
  if (kind === undefined) throw new Error(`the registry has no kind ${type}`);
  return kind;
}

export { pluralOf, wordsOf };

export function documentOf<Data>(text: string): GraphqlDocument<Data, Variables> {
  return new TypedDocumentString<Data, Variables>(text) as GraphqlDocument<Data, Variables>;
}

async function* plainOf(kind: Kind, objects: AsyncIterable<JsonObject>): AsyncGenerator<JsonObject> {
  for await (const each of objects) yield plain(kind, each);
}

/** The objects of a kind with a list of its own. `filters`: arguments of the list. */
export function listObjects(
  client: GraphClient,
  kind: Kind,
  filters: JsonObject,
  selection?: string,
): AsyncIterable<JsonObject> {
  const names = Object.keys(filters).filter((name) => filters[name] !== undefined);
  const document = documentOf<{ found: Connection<JsonObject> }>(listDocument(registry, kind, names, selection));
  return plainOf(
    kind,
    readPages(client, document, filters as Variables, ({ found }) => found),
  );
}

/** The parts of the parent with the id. */
export async function listChildren(
  client: GraphClient,
  kind: Kind,
  parentId: string,
  selection?: string,
): Promise<readonly JsonObject[]> {
  const text = childrenDocument(registry, kind, selection);
  if (kind.parent?.has === 'pages') {
    const document = documentOf<{ of: { found?: Connection<JsonObject> } | null }>(text);
    return readAll(
      plainOf(
        kind,
        readPages(client, document, { id: parentId }, ({ of }) => of?.found),
      ),
    );
  }
  const document = documentOf<{ of: { found?: JsonObject | readonly JsonObject[] | null } | null }>(text);
  const { of } = await client.query(document, { id: parentId });
  const found = of?.found ?? [];
  return (Array.isArray(found) ? (found as readonly JsonObject[]) : [found as JsonObject]).map((each) =>
    plain(kind, each),
  );
}

/** The parts of many parents, by the parent's id. Takes few requests, even if parents have several pages of them. */
export async function listChildrenOfMany(
  client: GraphClient,
  kind: Kind,
  parentIds: Iterable<string>,
): Promise<ReadonlyMap<string, readonly JsonObject[]>> {
  const { parent } = kind;
  if (parent?.has !== 'pages')
    return new Map(await allAtOnce(parentIds, async (id) => [id, await listChildren(client, kind, id)] as const));
  const found = await readManyPages<JsonObject>(client, parentIds, {
    ...{ of: parent.kind, field: parent.children, selection: selectionOf(registry, kind) },
  });
  return new Map([...found].map(([id, children]) => [id, children.map((each) => plain(kind, each))]));
}

/** Null if there is none with that id. */
export async function readObject(
  client: GraphClient,
  kind: Kind,
  id: string,
  selection?: string,
): Promise<JsonObject | null> {
  if (!kind.node) return null;
  const document = documentOf<{ found: JsonObject | null }>(oneDocument(registry, kind, selection));
  const { found } = await client.query(document, { id });
  return found?.__typename === kind.type ? plain(kind, found) : null;
}

export interface Where {
  /** The id of the project. */
  readonly projectId?: string | undefined;
  /** For a part: its parent, by name or id. */
  readonly parent?: string | undefined;
}

/** The object's name for people. */
export function nameOf(kind: Kind, object: JsonObject): string {
  const { parent, key } = kind;
  if (parent?.has === 'one') {
    const of = object[parent.link];
    return isObject(of) ? nameOf(kindOf(parent.kind), of) : String(object.id);
  }
  if (key.length === 0) return String(object.id);
  const texts = key.map((each) => keyText(kind, object, each));
  return texts.map((each) => (texts.length > 1 && each.includes(':') ? `[${each}]` : each)).join(':');
}

function keyText(kind: Kind, object: JsonObject, field: string): string {
  const link = object[field] === undefined ? object[field.replace(/Id$/, '')] : object[field];
  if (!isObject(link)) return String(link ?? '');
  const type = kind.output.find(({ name }) => name === field.replace(/Id$/, ''))?.refersTo;
  return type === undefined ? String(link.id) : nameOf(kindOf(type), link);
}

/** Names in DNS have several notations. */
export function sameName(kind: Kind, a: string, b: string): boolean {
  return isDnsName(kind) ? inDns(a) === inDns(b) : a === b;
}

/** The server's form of a name. */
export function askedName(kind: Kind, name: string): string {
  return isDnsName(kind) ? inDns(name) : name;
}

function isDnsName({ key, type }: Kind): boolean {
  return key.includes('fqdn') || type === 'DnsZone';
}

function inDns(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** No object has that name. */
class NotFound extends CommandFailure {}

/** Reads `selection`. Default: id, key and place. Throws CommandFailure if there is none, or if there are several. */
export async function findObject(
  client: GraphClient,
  kind: Kind,
  nameOrId: string,
  where: Where = {},
  selection: string = namingSelection(registry, kind),
): Promise<JsonObject> {
  const { byId, named } = await lookUp(client, kind, nameOrId, where, selection);
  if (byId !== null && isIn(byId, where)) return byId;
  // Any number of revoked objects may have the name.
  const working = named.filter(({ revokedAt }) => revokedAt === undefined || revokedAt === null);
  const [first, ...others] = working.length > 0 ? working : named;
  if (first === undefined) throw new NotFound(notFound(kind, nameOrId, where));
  if (others.length === 0) return first;
  const ids = [first, ...others].map(({ id }) => shownId(String(id)));
  throw new CommandFailure(
    `several ${pluralOf(kind)} have the name '${nameOrId}'; use one of these ids: ${ids.join(', ')}`,
  );
}

function notFound(kind: Kind, nameOrId: string, { parent }: Where): string {
  const text = `there is no ${wordsOf(kind)} '${nameOrId}'`;
  if (parent !== undefined) return `${text} in '${parent}'`;
  const of = kind.parent;
  if (of === undefined || nameOrId.includes('/') || of.has === 'one') return text;
  const word = kindOf(of.kind).singular.split('-').at(-1)?.toUpperCase() ?? 'PARENT';
  return `${text}: name it as ${word}/NAME, or by its id`;
}

export function isIn(object: JsonObject, { projectId }: Where): boolean {
  const { project } = object;
  return projectId === undefined || !isObject(project) || project.id === projectId;
}

interface Found {
  readonly byId: JsonObject | null;
  readonly named: readonly JsonObject[];
}

async function lookUp(
  client: GraphClient,
  kind: Kind,
  nameOrId: string,
  where: Where,
  selection: string,
): Promise<Found> {
  if (kind.list !== undefined && kind.key.length > 0) return lookUpInList(client, kind, nameOrId, where, selection);
  const named = await namedParts(client, kind, nameOrId, where, selection);
  return { named, byId: named.length > 0 ? null : await readObject(client, kind, nameOrId, selection) };
}

async function lookUpInList(
  client: GraphClient,
  kind: Kind,
  nameOrId: string,
  { projectId }: Where,
  selection: string,
): Promise<Found> {
  const inProject = projectId !== undefined && kind.list?.filters.some(({ name }) => name === 'projectId') === true;
  const isRevocable = kind.output.some(({ name }) => name === 'revokedAt');
  const text = namedDocument(kind, {
    inProject,
    selection: isRevocable ? `${selection} revokedAt` : selection,
  });
  const document = documentOf<{ byId: JsonObject | null; found: Connection<JsonObject> }>(text);
  const variables = { id: nameOrId, names: [askedName(kind, nameOrId)], ...(inProject ? { projectId } : {}) };
  let byId: JsonObject | null = null;
  const pages = readPages(client, document, variables, (data) => {
    if (data.byId?.__typename === kind.type) byId = plain(kind, data.byId);
    return data.found;
  });
  const named = (await readAll(plainOf(kind, pages))).filter((each) => sameName(kind, nameOf(kind, each), nameOrId));
  return { byId, named };
}

async function namedParts(
  client: GraphClient,
  kind: Kind,
  nameOrId: string,
  { projectId, parent: within }: Where,
  selection: string,
): Promise<readonly JsonObject[]> {
  const { parent } = kind;
  if (parent === undefined) return [];
  const slash = nameOrId.lastIndexOf('/');
  // The one part of a parent has the parent's name.
  const path = parent.has === 'one' ? [nameOrId, ''] : [nameOrId.slice(0, slash), nameOrId.slice(slash + 1)];
  const [parentName = '', name = ''] = within === undefined ? path : [within, nameOrId];
  if (within === undefined && slash < 0 && parent.has !== 'one') return [];
  const of = await findParent(client, kindOf(parent.kind), parentName, { projectId });
  if (of === undefined) return [];
  const children = await listChildren(client, kind, String(of.id), selection);
  return parent.has === 'one' ? children : children.filter((each) => sameName(kind, nameOf(kind, each), name));
}

/** An id with a slash is not a path. No parent then has that name. */
async function findParent(
  client: GraphClient,
  kind: Kind,
  name: string,
  where: Where,
): Promise<JsonObject | undefined> {
  try {
    return await findObject(client, kind, name, where);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/** The id of the object that an input refers to. Throws like `findObject`. */
export async function idOf(client: GraphClient, type: string, nameOrId: string, where: Where): Promise<string> {
  const kind = kindOf(type);
  const found = await findObject(client, kind, nameOrId, kind.scope === 'installation' ? {} : where);
  return String(found.id);
}
