// Reads of containers and objects for the graph. Each query asks a cluster, for callers who may see the project.
import type { QueryObjectContainersArgs } from '../../../../generated/graph/object-storage.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { caller, maySee, oneProject, projectsFor } from '../../../../platform/input/authorise.ts';
import type { CmpObjectKey } from '../../../../platform/pages/cmp-object.ts';
import {
  emptyPage,
  type Page,
  type PageArguments,
  type PageRequest,
  pageItems,
  pageRequest,
} from '../../../../platform/pages/connection.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { pageOf } from '../../../../platform/pages/page-loader.ts';
import { decodeId, decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import {
  type AskedContainer,
  type AskedObject,
  type ClusterQuestion,
  mostDelimiter,
} from '../../wire/cluster-questions.ts';
import { type Asked, type ClusterQuestions, NoAnswerError, RefusedByCluster } from '../questions/cluster-questions.ts';
import { accountsOf } from '../stores/account-store.ts';
import {
  type ContainerRow,
  containerId,
  containerRow,
  containersFor,
  containersOfOptions,
  containerUuid,
  countOfOptions,
  type MadeContainer,
  readContainers,
} from '../stores/container-store.ts';
import type { OptionRow } from '../stores/option-store.ts';

interface Named {
  readonly projectId: string;
  readonly name: string;
}

interface EntriesArguments extends PageArguments {
  readonly prefix?: string | null;
  readonly delimiter?: string | null;
}

interface Entry {
  readonly name: string;
  /** Null for a common prefix. */
  readonly object: AskedObject | null;
}

const madeForCmpObject = Symbol('containers made for CMP objects');
const madeByOption = Symbol('containers made in the graph by option');
const madeById = Symbol('containers made in the graph by id');
const mostPrefix = 1_024;
const mostName = 63;
/** As many as one question takes. */
const mostNames = 100;
/** Most containers or objects that are counted by one question, and most rows of one page. */
const mostCounted = 100;

/**
 * A container is identified by its project and its name: containers made elsewhere are known only to the clusters. The audit trail and the lists of
 * sources know those made in the graph by UUID; that is read, too.
 */
export function encodeContainer({ projectId, name }: Named): string {
  return encodeId('ObjectContainer', `${encodeId('Project', projectId)}/${name}`);
}

export function decodeContainer(id: string): Named | undefined {
  const decoded = decodeId(id);
  if (decoded?.type !== 'ObjectContainer') return undefined;
  const [project = '', name = '', ...more] = decoded.key.split('/');
  const projectId = decodeUuid('Project', project);
  const fits = more.length === 0 && name.length > 0 && name.length <= mostName;
  return projectId !== undefined && fits ? { projectId, name } : undefined;
}

export class ContainerReads {
  readonly #db: Database;
  readonly #clusters: ClusterQuestions;

  constructor(db: Database, clusters: ClusterQuestions) {
    this.#db = db;
    this.#clusters = clusters;
  }

  async byGlobalId(context: RequestContext, id: string): Promise<ContainerRow | null> {
    const uuid = decodeUuid('ObjectContainer', id);
    const named = uuid === undefined ? decodeContainer(id) : (await readContainers(this.#db, [uuid])).get(uuid);
    if (named === undefined || !maySee(context.identity, named.projectId)) return null;
    const { projectId, name } = named;
    const accountId = await this.#accountId(projectId);
    if (accountId === undefined) return null;
    const { containers } = await this.#ask({ ask: 'containersNamed', account: containerId(accountId), names: [name] });
    const [found] = containers;
    // Another one may have the name of the one that was recorded.
    if (found === undefined || (uuid !== undefined && containerUuid(found.id) !== uuid)) return null;
    return containerRow({ projectId, accountId }, found);
  }

  async ofProject(context: RequestContext, args: Partial<QueryObjectContainersArgs>): Promise<Page<ContainerRow>> {
    const identity = caller(context);
    const request = pageRequest(args);
    const names = args.names == null ? undefined : possibleNames(args.names);
    const prefix = bounded('prefix', args.prefix, mostName);
    const [after = ''] = request.after ?? [];
    if (after.length > mostPrefix) throw notACursor();
    // The caller sees an empty list for a project that they may not see, and without any project.
    if (projectsFor(identity, args.projectId).length === 0) return emptyPage(args);
    const projectId = oneProject(identity, args.projectId);
    const accountId = await this.#accountId(projectId);
    if (accountId === undefined) return emptyPage(args);
    const account = containerId(accountId);
    const rowsOf = ({ containers }: Asked) => containers.map((each) => containerRow({ projectId, accountId }, each));
    const keyOf = ({ name }: ContainerRow) => [name];
    if (names !== undefined) {
      const named = names.length === 0 ? [] : rowsOf(await this.#ask({ ask: 'containersNamed', account, names }));
      const all = named
        .filter(({ name }) => name.startsWith(prefix))
        .sort((one, other) => (one.name < other.name ? -1 : 1));
      const rows = all.filter(({ name }) => name > after);
      return { ...pageItems(rows, request.first, keyOf), count: async () => all.length };
    }
    const question = { ask: 'containers', account, prefix } as const;
    const rows = rowsOf(await this.#ask({ ...question, after, limit: request.take }));
    const count = async () => {
      if (after === '' && rows.length <= request.first) return rows.length;
      const { containers } = await this.#ask({ ...question, after: '', limit: mostCounted + 1 });
      return containers.length > mostCounted ? null : containers.length;
    };
    return { ...pageItems(rows, request.first, keyOf), count };
  }

  /** Null if the container is deleted. */
  async objects(row: ContainerRow, args: EntriesArguments): Promise<Page<AskedObject> | null> {
    const page = await this.entries(row, { ...args, delimiter: '' });
    return page && { ...page, nodes: page.nodes.flatMap(({ object }) => object ?? []) };
  }

  /**
   * Null if the container is deleted. Cursors are names or common prefixes in base64url, and so may be longer than other
   * cursors.
   */
  async entries({ accountId, name }: ContainerRow, args: EntriesArguments): Promise<Page<Entry> | null> {
    const { first, take: limit } = pageRequest({ ...args, after: null });
    const prefix = bounded('prefix', args.prefix, mostPrefix);
    const delimiter = bounded('delimiter', args.delimiter, mostDelimiter);
    const after = args.after == null ? '' : nameIn(args.after);
    const account = containerId(accountId);
    try {
      const question = { ask: 'objects', account, container: name, prefix, delimiter } as const;
      const found = entriesIn(await this.#ask({ ...question, after, limit }));
      const nodes = found.slice(0, first);
      const last = nodes.at(-1);
      const endCursor = last === undefined ? null : Buffer.from(last.name).toString('base64url');
      const isWhole = after === '' && found.length <= first;
      const count = async () => {
        if (isWhole) return found.length;
        const some = entriesIn(await this.#ask({ ...question, after: '', limit: mostCounted + 1 }));
        return some.length > mostCounted ? null : some.length;
      };
      return { nodes, pageInfo: { hasNextPage: found.length > first, endCursor }, count };
    } catch (error) {
      if (error instanceof RefusedByCluster && error.code === 'NO_CONTAINER') return null;
      throw error;
    }
  }

  /** As recorded when they were created; null unless the caller is an administrator. */
  async ofOption(
    context: RequestContext,
    { id: optionId }: OptionRow,
    args: PageArguments,
  ): Promise<Page<ContainerRow> | null> {
    if (context.identity?.admin !== true) return null;
    const read = async (options: readonly string[], request: PageRequest) => {
      const rows = await containersOfOptions(this.#db, options, request);
      return new Map(
        [...rows].map(([option, own]) => [option, pageItems<ContainerRow>(own, request.first, ({ id }) => [id])]),
      );
    };
    return pageOf(context, madeByOption, optionId, args, read, (options) => countOfOptions(this.#db, options));
  }

  async cmpObjectOf(context: RequestContext, { id }: ContainerRow): Promise<CmpObjectKey | null> {
    return (await loader(context, madeById, id, (ids) => readContainers(this.#db, ids)))?.cmp ?? null;
  }

  /** If no cluster can be asked, the container is shown as it was created. */
  async forCmpObject(context: RequestContext, key: CmpObjectKey, args: PageArguments): Promise<Page<ContainerRow>> {
    const projects = projectsFor(caller(context), null);
    const pages = async (objects: readonly string[], request: PageRequest) => {
      const found = await containersFor(this.#db, objects, projects, request);
      const there = new Set(await this.#existing([...found.values()].flatMap(({ nodes }) => nodes)));
      return new Map(
        [...found].map(([object, page]) => [object, { ...page, nodes: page.nodes.filter((row) => there.has(row)) }]),
      );
    };
    const counts = async (objects: readonly string[]) => {
      const first = await pages(objects, pageRequest({ first: mostCounted }));
      return new Map(
        [...first].map(([object, { nodes, pageInfo }]) => [object, pageInfo.hasNextPage ? null : nodes.length]),
      );
    };
    return pageOf(context, madeForCmpObject, JSON.stringify(key), args, pages, counts);
  }

  async #existing(rows: readonly MadeContainer[]): Promise<readonly MadeContainer[]> {
    const there = await Promise.all(
      [...Map.groupBy(rows, ({ accountId }) => accountId)].map(([accountId, some]) => this.#there(accountId, some)),
    );
    const isThere = new Set(there.flat());
    return rows.filter(({ id }) => isThere.has(id));
  }

  /** The UUIDs of those that exist, as far as is known. */
  async #there(accountId: string, rows: readonly MadeContainer[]): Promise<readonly string[]> {
    const names = [...new Set(rows.map(({ name }) => name))];
    const found: AskedContainer[] = [];
    try {
      for (let from = 0; from < names.length; from += mostNames) {
        const some = names.slice(from, from + mostNames);
        const question = { ask: 'containersNamed', account: containerId(accountId), names: some } as const;
        found.push(...(await this.#clusters.ask(question)).containers);
      }
      return found.map(({ id }) => containerUuid(id));
    } catch (error) {
      if (error instanceof NoAnswerError || error instanceof RefusedByCluster) return rows.map(({ id }) => id);
      throw error;
    }
  }

  async #accountId(projectId: string): Promise<string | undefined> {
    return (await accountsOf(this.#db, [projectId])).get(projectId)?.id;
  }

  /** @throws CodedError UNAVAILABLE with the reason; RefusedByCluster NO_CONTAINER */
  async #ask(question: ClusterQuestion): Promise<Asked> {
    try {
      return await this.#clusters.ask(question);
    } catch (error) {
      const isGone = error instanceof RefusedByCluster && error.code === 'NO_CONTAINER';
      if (!isGone && (error instanceof NoAnswerError || error instanceof RefusedByCluster))
        throw new CodedError('UNAVAILABLE', error.message);
      throw error;
    }
  }
}

function bounded(name: string, text: string | null | undefined, mostBytes: number): string {
  if (text == null) return '';
  if (text.length <= mostBytes && text.isWellFormed() && Buffer.byteLength(text) <= mostBytes) return text;
  throw new CodedError('INVALID_INPUT', `${name}: give at most ${mostBytes} bytes of UTF-8.`);
}

/** In the order of UTF-8 bytes. */
function entriesIn({ objects, prefixes = [] }: Asked): readonly Entry[] {
  const all = [
    ...objects.map((object) => ({ name: object.name, object })),
    ...prefixes.map((name) => ({ name, object: null })),
  ];
  return all.toSorted((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)));
}

/** Without those that no container has. */
function possibleNames(names: readonly string[]): string[] {
  if (names.length <= mostNames) return [...new Set(names)].filter((name) => name !== '' && name.length <= mostName);
  throw new CodedError('INVALID_INPUT', `names: ${names.length} are too many; give at most ${mostNames}.`);
}

function nameIn(cursor: string): string {
  const name = cursor.length > 2 * mostPrefix ? '' : Buffer.from(cursor, 'base64url').toString();
  if (name === '' || Buffer.byteLength(name) > mostPrefix || Buffer.from(name).toString('base64url') !== cursor)
    throw notACursor();
  return name;
}

function notACursor(): CodedError {
  return new CodedError(
    'INVALID_INPUT',
    'after: this is not an endCursor of this connection; omit it for the first page.',
  );
}
