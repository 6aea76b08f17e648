// Reads of load balancers for the graph: by id, in pages, and the children of one. Shows only what the caller may see.
import type {
  QueryLoadBalancerArgs,
  QueryLoadBalancersArgs,
  QueryLoadBalancersAtArgs,
} from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Condition, Database } from '../../../../platform/database/database.ts';
import { countsOfParents, rowsOfParents } from '../../../../platform/database/parent-rows.ts';
import { type AddressColumn, foundByAddress } from '../../../../platform/graph/found-by-address.ts';
import { findByKey } from '../../../../platform/graph/natural-key.ts';
import { maySee, projectsFor } from '../../../../platform/input/authorise.ts';
import { cmpObjectRanges } from '../../../../platform/pages/cmp-object.ts';
import { type Page, type PageArguments, type PageRequest, pageItems } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { pageOf } from '../../../../platform/pages/page-loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import { readBalancers } from '../stores/balancer-store.ts';

const byId = Symbol('load balancers by id');
const byProject = Symbol('load balancers by project');
const bySubnet = Symbol('load balancers by subnet');
const byCmpObject = Symbol('load balancers by CMP object');

const balancerList: ListTable = {
  table: 'lb_load_balancer',
  name: 'live_name',
  all: {
    time: 'lb_load_balancer_time_idx',
    name: 'lb_load_balancer_name_idx',
    status: 'lb_load_balancer_status_idx',
  },
  ofProject: {
    time: 'lb_load_balancer_project_time_idx',
    name: 'lb_load_balancer_project_name_idx',
    status: 'lb_load_balancer_project_status_idx',
  },
};

const addressColumns: readonly AddressColumn[] = [
  {
    ...{ table: 'lb_load_balancer', column: 'floating_address', id: 'id', where: 'deleted_at IS NULL' },
    ...{ index: 'lb_load_balancer_address_idx', ofProject: 'lb_load_balancer_project_address_idx' },
  },
  {
    ...{ table: 'lb_node', column: 'address', id: 'load_balancer_id', where: "state <> 'DELETED'" },
    ...{ index: 'lb_node_address_idx', ofProject: 'lb_node_project_address_idx' },
  },
  {
    ...{ table: 'lb_node', column: 'subnet_address', id: 'load_balancer_id', where: "state <> 'DELETED'" },
    ...{ index: 'lb_node_subnet_address_idx', ofProject: 'lb_node_project_subnet_address_idx' },
  },
  // The key of a member begins with its host. Deleted ones have none.
  {
    ...{ table: 'lb_part', column: 'unique_key', id: 'load_balancer_id', where: "kind = 'PoolMember'" },
    ...{ index: 'lb_part_key_idx', ofProject: 'lb_part_project_key_idx' },
  },
];

export class BalancerReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID, including deleted ones. */
  async balancer(context: RequestContext, id: string): Promise<BalancerRow | null> {
    const row = await loader(context, byId, id, (ids) => readBalancers(this.#db, ids));
    return row !== undefined && maySee(context.identity, row.projectId) ? row : null;
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<BalancerRow | null> {
    const id = decodeUuid('LoadBalancer', globalId);
    return id === undefined ? null : this.balancer(context, id);
  }

  /** By its id, or by its name in a project. Throws INVALID_INPUT. */
  find(context: RequestContext, args: QueryLoadBalancerArgs): Promise<BalancerRow | null> {
    return findByKey(context.identity, args, {
      byId: (id) => this.byGlobalId(context, id),
      page: (filter) => this.page(context, filter),
    });
  }

  /** Those of a project (UUID) that the caller may see, without deleted ones, oldest first. */
  ofProject(context: RequestContext, projectId: string, args: PageArguments): Promise<Page<BalancerRow>> {
    return this.#below(context, byProject, projectId, args, {
      index: 'lb_load_balancer_project_time_idx',
      ranges: (id) => (maySee(context.identity, id) ? [{ sql: 'project_id = ?', values: [id] }] : []),
    });
  }

  /** Those of a subnet (UUID) that the caller may see, without deleted ones, oldest first. */
  ofSubnet(context: RequestContext, subnetId: string, args: PageArguments): Promise<Page<BalancerRow>> {
    return this.#below(context, bySubnet, subnetId, args, {
      index: 'lb_load_balancer_subnet_idx',
      ranges: (id) => [{ sql: 'subnet_id = ?', values: [id] }],
    });
  }

  /** Those of a CMP object (global id) that the caller may see, without deleted ones, oldest first. */
  ofCmpObject(context: RequestContext, cmpObject: string, args: PageArguments): Promise<Page<BalancerRow>> {
    const projects = projectsFor(context.identity, null);
    return this.#below(context, byCmpObject, cmpObject, args, {
      index: projects === 'all' ? 'lb_load_balancer_cmp_idx' : 'lb_load_balancer_project_cmp_idx',
      ranges: (id) => cmpObjectRanges(id, projects),
    });
  }

  /** With a node, a shared address or a member there, without deleted ones. Throws INVALID_INPUT. */
  async at(context: RequestContext, { address, limit = 10 }: QueryLoadBalancersAtArgs): Promise<BalancerRow[]> {
    const wanted = { address, limit, projects: projectsFor(context.identity, null) };
    const ids = await foundByAddress(this.#db, addressColumns, wanted);
    const rows = await readBalancers(this.#db, ids);
    return ids.flatMap((id) => {
      const row = rows.get(id);
      return row === undefined || row.provisioningStatus === 'DELETED' ? [] : [row];
    });
  }

  #below(
    context: RequestContext,
    owner: symbol,
    parent: string,
    args: PageArguments,
    { index, ranges }: { readonly index: string; readonly ranges: (parent: string) => readonly Condition[] },
  ): Promise<Page<BalancerRow>> {
    const list = {
      ...{ table: 'lb_load_balancer', index },
      ranges: (each: string) =>
        ranges(each).map(({ sql, values }) => ({ sql: `${sql} AND deleted_at IS NULL`, values })),
    };
    const read = async (parents: readonly string[], { after, take, first }: PageRequest) => {
      const found = await rowsOfParents<{ readonly id: string }>(this.#db, parents, {
        ...{ ...list, columns: 'id', key: 'id', order: 'ASC', after: after?.[0], take },
      });
      const rows = await readBalancers(
        this.#db,
        [...found.values()].flatMap((own) => own.map((row) => row.id)),
      );
      return new Map(
        [...found].map(([each, own]) => {
          const shown = own.flatMap((row) => rows.get(row.id) ?? []).sort((a, b) => (a.id < b.id ? -1 : 1));
          return [each, pageItems(shown, first, (row) => [row.id])];
        }),
      );
    };
    return pageOf(context, owner, parent, args, read, (parents) => countsOfParents(this.#db, parents, list));
  }

  /** Without deleted ones. */
  page(context: RequestContext, args: Partial<QueryLoadBalancersArgs>): Promise<Page<BalancerRow>> {
    const filter: ListFilter = {
      ...args,
      orderBy: args.orderBy ?? 'OLDEST',
      projects: projectsFor(context.identity, args.projectId),
      rest: args.tag == null ? undefined : { sql: 'JSON_CONTAINS(tags, JSON_QUOTE(?))', values: [args.tag] },
    };
    return pageOfList(this.#db, balancerList, filter, (ids) => readBalancers(this.#db, ids));
  }
}
