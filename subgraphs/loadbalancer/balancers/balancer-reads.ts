// Reads of load balancers for the graph: by id, in pages, and what belongs to one. Only what the caller may see.
import type { QueryLoadBalancersArgs } from '../../../generated/graph/loadbalancer.ts';
import { maySee, projectsFor } from '../../../platform/authorise.ts';
import type { Database, SqlValue } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import type { CmpObjectKey } from '../../../platform/graph/cmp-object.ts';
import { type Page, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { type BalancerRow, readBalancers, selectBalancers } from '../stores/balancer-store.ts';

const byId = Symbol('load balancers by id');

export interface BalancerFilter {
  readonly cmp?: CmpObjectKey;
  /** UUID. */
  readonly projectId?: string;
  /** UUID. */
  readonly subnetId?: string;
}

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

  /** Without deleted ones, oldest first. */
  async page(
    context: RequestContext,
    args: Partial<QueryLoadBalancersArgs>,
    filter: BalancerFilter = {},
  ): Promise<Page<BalancerRow>> {
    const { first, take, after } = pageRequest(args);
    const projects = projectsFor(context.identity, args.projectId);
    const visible =
      filter.projectId === undefined ? projects : [filter.projectId].filter((id) => maySee(context.identity, id));
    if (visible !== 'all' && visible.length === 0) return page<BalancerRow>([], first, ({ id }) => [id]);
    const where: string[] = ['live_name IS NOT NULL', 'id > ?'];
    const values: SqlValue[] = [after?.[0] ?? ''];
    const also = (sql: string, ...more: readonly SqlValue[]) => {
      where.push(sql);
      values.push(...more);
    };
    if (visible !== 'all') also(`project_id IN (${marksFor(visible)})`, ...visible);
    if (args.name != null) also('name = ?', args.name);
    if (args.tag != null) also('JSON_CONTAINS(tags, JSON_QUOTE(?))', args.tag);
    if (filter.subnetId !== undefined) also('subnet_id = ?', filter.subnetId);
    if (filter.cmp !== undefined)
      also(
        'cmp_namespace = ? AND cmp_type = ? AND cmp_id = ?',
        filter.cmp.namespace,
        filter.cmp.type,
        filter.cmp.externalId,
      );
    const rows = await selectBalancers(this.#db, `${where.join(' AND ')} ORDER BY id LIMIT ?`, [...values, take]);
    return page(rows, first, ({ id }) => [id]);
  }
}
