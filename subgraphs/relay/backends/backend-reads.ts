// Reads of backends for the graph, outside of a call's path: one by its id, batched; pages; and objects of one backend. Only
// objects that the caller may see are returned, so that no resolver can forget the check.
import type { QueryBackendsArgs } from '../../../generated/graph/relay.ts';
import type { Backend, Prisma } from '../../../generated/prisma/client.ts';
import { maySee, projectsFor } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { type Page, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import type { BackendView } from './backend.ts';
import type { LabelRow } from './backend-store.ts';

const backends = Symbol('backends by id');
const labels = Symbol('labels by backend');
const credentials = Symbol('credential fields by backend');

export class BackendReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID, including deleted ones. */
  async backend(context: RequestContext, id: string): Promise<BackendView | null> {
    const row = await loader(context, backends, id, (ids) => this.#byIds(ids));
    return row !== undefined && maySee(context.identity, row.projectId) ? row : null;
  }

  /** By UUID, for any caller. */
  async byId(id: string): Promise<BackendView | undefined> {
    return (await this.#byIds([id])).get(id);
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<BackendView | null> {
    const id = decodeUuid('Backend', globalId);
    return id === undefined ? null : this.backend(context, id);
  }

  /** By name; without deleted ones. */
  async page(context: RequestContext, args: Partial<QueryBackendsArgs>): Promise<Page<BackendView>> {
    const { first, take, after } = pageRequest(args, 2);
    const projects = projectsFor(context.identity, args.projectId);
    const [name = '', id = ''] = after ?? [];
    const where: Prisma.BackendWhereInput = {
      provisioningStatus: { not: 'DELETED' },
      ...(projects === 'all' ? {} : { projectId: { in: [...projects] } }),
      ...(args.name == null ? {} : { name: args.name }),
      ...(args.family == null ? {} : { family: args.family }),
      ...(args.site == null ? {} : { site: args.site }),
      ...(args.operatingStatus == null ? {} : { operatingStatus: args.operatingStatus }),
      ...(args.label == null ? {} : { labels: { some: { name: args.label.name, value: args.label.value } } }),
      ...(after === undefined ? {} : { OR: [{ name: { gt: name } }, { name, id: { gt: id } }] }),
    };
    const rows = await this.#db.prisma.backend.findMany({ where, orderBy: [{ name: 'asc' }, { id: 'asc' }], take });
    return page(rows.map(toView), first, (row) => [row.name, row.id]);
  }

  async labels(context: RequestContext, backendId: string): Promise<readonly LabelRow[]> {
    return (await loader(context, labels, backendId, (ids) => this.#labelsOf(ids))) ?? [];
  }

  async credentialFields(context: RequestContext, backendId: string): Promise<readonly string[]> {
    return (await loader(context, credentials, backendId, (ids) => this.#credentialFieldsOf(ids))) ?? [];
  }

  async #byIds(ids: readonly string[]): Promise<ReadonlyMap<string, BackendView>> {
    const rows = await this.#db.prisma.backend.findMany({ where: { id: { in: [...ids] } } });
    return new Map(rows.map((row) => [row.id, toView(row)]));
  }

  async #labelsOf(ids: readonly string[]): Promise<ReadonlyMap<string, LabelRow[]>> {
    const rows = await this.#db.prisma.backendLabel.findMany({
      where: { backendId: { in: [...ids] } },
      orderBy: [{ backendId: 'asc' }, { name: 'asc' }],
    });
    return Map.groupBy(rows, (row) => row.backendId);
  }

  async #credentialFieldsOf(ids: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
    const rows = await this.#db.prisma.backendCredential.findMany({
      where: { backendId: { in: [...ids] } },
      select: { backendId: true, field: true },
      orderBy: [{ backendId: 'asc' }, { field: 'asc' }],
    });
    const grouped = Map.groupBy(rows, (row) => row.backendId);
    return new Map([...grouped].map(([id, of]) => [id, of.map((row) => row.field)]));
  }
}

/** The columns contain only words that the store writes. */
function toView(row: Backend): BackendView {
  return row as BackendView;
}
