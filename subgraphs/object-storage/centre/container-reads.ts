// Reads of containers and objects for the graph: asked of a cluster at the moment of the query, for who may see the project.
import { caller, maySee, oneProject, projectsFor } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { CodedError } from '../../../platform/errors.ts';
import type { CmpObjectKey } from '../../../platform/graph/cmp-object.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeId, decodeUuid, encodeId } from '../../../platform/ids.ts';
import type { AskedContainer, AskedObject, ClusterQuestion } from '../wire/cluster-questions.ts';
import { accountsOf } from './account-store.ts';
import { type Asked, type ClusterQuestions, NoAnswerError, RefusedByCluster } from './cluster-questions.ts';
import {
  type ContainerRow,
  containerId,
  containerRow,
  containersFor,
  containerUuid,
  type MadeContainer,
  readContainers,
} from './container-store.ts';

interface Named {
  readonly projectId: string;
  readonly name: string;
}

const madeById = Symbol('containers made in the graph by id');
const mostPrefix = 1_024;
const mostName = 63;

/** A container is named by its project and its name: only the clusters know others. */
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
    const named = decodeContainer(id);
    if (named === undefined || !maySee(context.identity, named.projectId)) return null;
    const { projectId, name } = named;
    const accountId = await this.#accountId(projectId);
    if (accountId === undefined) return null;
    const { containers } = await this.#ask({ ask: 'containersNamed', account: containerId(accountId), names: [name] });
    return containers[0] === undefined ? null : containerRow({ projectId, accountId }, containers[0]);
  }

  async ofProject(
    context: RequestContext,
    args: PageArguments & { readonly projectId?: string | null; readonly prefix?: string | null },
  ): Promise<Page<ContainerRow>> {
    const identity = caller(context);
    const request = pageRequest(args);
    const prefix = bounded('prefix', args.prefix, mostName);
    const [after = ''] = request.after ?? [];
    if (after.length > mostPrefix) throw notACursor();
    const nothing = page<ContainerRow>([], request.first, () => []);
    // What the caller may not see has nothing in it.
    const projects = args.projectId == null ? undefined : projectsFor(identity, args.projectId);
    if (projects !== undefined && projects.length === 0) return nothing;
    const projectId = oneProject(identity, args.projectId);
    const accountId = await this.#accountId(projectId);
    if (accountId === undefined) return nothing;
    const { take: limit } = request;
    const asked = await this.#ask({ ask: 'containers', account: containerId(accountId), prefix, after, limit });
    const rows = asked.containers.map((each) => containerRow({ projectId, accountId }, each));
    return page(rows, request.first, ({ name }) => [name]);
  }

  /** Null: it is deleted. Positions are the names in base64url: a name may be longer than other cursors. */
  async objects(
    { accountId, name }: ContainerRow,
    args: PageArguments & { readonly prefix?: string | null },
  ): Promise<Page<AskedObject> | null> {
    const { first, take: limit } = pageRequest({ ...args, after: null });
    const prefix = bounded('prefix', args.prefix, mostPrefix);
    const after = args.after == null ? '' : nameIn(args.after);
    const account = containerId(accountId);
    try {
      const { objects } = await this.#ask({ ask: 'objects', account, container: name, prefix, after, limit });
      const nodes = objects.slice(0, first);
      const last = nodes.at(-1);
      const endCursor = last === undefined ? null : Buffer.from(last.name).toString('base64url');
      return { nodes, pageInfo: { hasNextPage: objects.length > first, endCursor } };
    } catch (error) {
      if (error instanceof RefusedByCluster && error.code === 'NO_CONTAINER') return null;
      throw error;
    }
  }

  async cmpObjectOf(context: RequestContext, { id }: ContainerRow): Promise<CmpObjectKey | null> {
    return (await loader(context, madeById, id, (ids) => readContainers(this.#db, ids)))?.cmp ?? null;
  }

  /** What no cluster can be asked of is shown as it was made. */
  async forCmpObject(context: RequestContext, key: CmpObjectKey, args: PageArguments): Promise<Page<ContainerRow>> {
    const request = pageRequest(args);
    const rows = await containersFor(this.#db, key, projectsFor(caller(context), null), request);
    const { nodes, pageInfo } = page(rows, request.first, ({ id }) => [id]);
    const there = await Promise.all(
      [...Map.groupBy(nodes, ({ accountId }) => accountId)].map(([accountId, some]) => this.#there(accountId, some)),
    );
    const isThere = new Set(there.flat());
    return { nodes: nodes.filter(({ id }) => isThere.has(id)), pageInfo };
  }

  /** The UUIDs of those that are there, as far as it is known. */
  async #there(accountId: string, rows: readonly MadeContainer[]): Promise<readonly string[]> {
    const names = [...new Set(rows.map(({ name }) => name))];
    try {
      const { containers } = await this.#clusters.ask({
        ...{ ask: 'containersNamed', account: containerId(accountId), names },
      });
      return containers.map(({ id }: AskedContainer) => containerUuid(id));
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

function bounded(name: string, text: string | null | undefined, most: number): string {
  if (text == null) return '';
  if (text.length <= most && text.isWellFormed()) return text;
  throw new CodedError('INVALID_INPUT', `${name}: give at most ${most} characters.`);
}

function nameIn(cursor: string): string {
  const name = cursor.length > 2 * mostPrefix ? '' : Buffer.from(cursor, 'base64url').toString();
  if (name === '' || Buffer.from(name).toString('base64url') !== cursor) throw notACursor();
  return name;
}

function notACursor(): CodedError {
  return new CodedError(
    'INVALID_INPUT',
    'after: this is not an endCursor of this connection; omit it for the first page.',
  );
}
