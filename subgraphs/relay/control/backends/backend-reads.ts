// Reads of backends for the graph, outside of a call's path: one by its id, batched; pages; and objects of one backend. Only
// objects that the caller may see are returned, so that no resolver can forget the check.
import type { QueryBackendArgs, QueryBackendsArgs, QueryBackendsAtArgs } from '../../../../generated/graph/relay.ts';
import type { Backend } from '../../../../generated/prisma/client.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { allOf, is, isOneOf } from '../../../../platform/database/range-search.ts';
import { type AddressColumn, foundByAddress } from '../../../../platform/graph/found-by-address.ts';
import { findByKey } from '../../../../platform/graph/natural-key.ts';
import { maySee, projectsFor } from '../../../../platform/input/authorise.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { BackendView } from './backend.ts';
import { type LabelRow, readReplayUncertain } from './backend-store.ts';

const backendList: ListTable = {
  table: 'backend',
  name: 'live_name',
  all: { name: 'backend_list_idx', time: 'backend_time_idx' },
  ofProject: { name: 'backend_project_list_idx', time: 'backend_project_time_idx' },
};

const hosts: AddressColumn = {
  ...{ table: 'backend', column: 'host', id: 'id', where: 'deleted_at IS NULL' },
  ...{ index: 'backend_host_idx', ofProject: 'backend_project_host_idx' },
};

const backends = Symbol('backends by id');
const labels = Symbol('labels by backend');
const uncertain = Symbol('replay uncertain by backend');
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

  /** By its id, or by its name in a project. Throws INVALID_INPUT. */
  find(context: RequestContext, args: QueryBackendArgs): Promise<BackendView | null> {
    return findByKey(context.identity, args, {
      byId: (id) => this.byGlobalId(context, id),
      page: (filter) => this.page(context, filter),
    });
  }

  /** Without deleted ones. */
  async page(
    context: RequestContext,
    args: Partial<QueryBackendsArgs> & { readonly onlyEnabled?: true },
  ): Promise<Page<BackendView>> {
    const { label } = args;
    const rest = allOf([
      args.onlyEnabled === true ? is('provisioning_status', 'ENABLED') : undefined,
      isOneOf('family', args.families ?? undefined),
      is('site', args.site ?? undefined),
      isOneOf('operating_status', args.operatingStatuses ?? undefined),
      label == null
        ? undefined
        : {
            sql: 'EXISTS (SELECT 1 FROM backend_label l WHERE l.backend_id = backend.id AND l.name = ? AND l.value = ?)',
            values: [label.name, label.value],
          },
    ]);
    const filter: ListFilter = {
      ...args,
      orderBy: args.orderBy ?? 'NAME',
      projects: projectsFor(context.identity, args.projectId),
      rest,
      // A label is read for each backend.
      ...(label == null ? {} : { mostLookedAt: 200 }),
    };
    return pageOfList(this.#db, backendList, filter, (ids) => this.#byIds(ids));
  }

  /** Whose host begins with the text, without deleted ones. Throws INVALID_INPUT. */
  async at(context: RequestContext, { address, limit = 10 }: QueryBackendsAtArgs): Promise<BackendView[]> {
    const wanted = { address, limit, projects: projectsFor(context.identity, null) };
    const ids = await foundByAddress(this.#db, [hosts], wanted);
    const rows = await this.#byIds(ids);
    return ids.flatMap((id) => rows.get(id) ?? []);
  }

  async labels(context: RequestContext, backendId: string): Promise<readonly LabelRow[]> {
    return (await loader(context, labels, backendId, (ids) => this.#labelsOf(ids))) ?? [];
  }

  async credentialFields(context: RequestContext, backendId: string): Promise<readonly string[]> {
    return (await loader(context, credentials, backendId, (ids) => this.#credentialFieldsOf(ids))) ?? [];
  }

  async replayUncertain(context: RequestContext, backendId: string): Promise<boolean | null> {
    return (await loader(context, uncertain, backendId, (ids) => readReplayUncertain(this.#db, ids))) ?? null;
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
