// Reads of hosts and their nodes for the graph. For administrators only: a host belongs to the installation, not to a project.

import type { QueryLoadBalancerHostsArgs } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { always, type Database } from '../../../../platform/database/database.ts';
import { adminCaller } from '../../../../platform/input/authorise.ts';
import type { Page, PageArguments } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { pageOf } from '../../../../platform/pages/page-loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { NodeRow } from '../../rules/rows.ts';
import { countHostNodes, pagesOfHostNodes } from '../nodes/node-store.ts';
import { countNodes, type HostRow, readHosts } from '../stores/host-store.ts';

const byId = Symbol('hosts by id');
const counts = Symbol('number of nodes by host');
const placed = Symbol('nodes by host');

const hostList: ListTable = {
  table: 'lb_host',
  name: 'name',
  shown: always,
  all: { time: 'PRIMARY', name: 'lb_host_name_idx' },
};

export class HostReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID. Null for callers who are not administrators. */
  async host(context: RequestContext, id: string): Promise<HostRow | null> {
    if (context.identity?.admin !== true) return null;
    return (await loader(context, byId, id, (ids) => readHosts(this.#db, ids))) ?? null;
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<HostRow | null> {
    const id = decodeUuid('LoadBalancerHost', globalId);
    return id === undefined ? null : this.host(context, id);
  }

  async page(context: RequestContext, args: Partial<QueryLoadBalancerHostsArgs>): Promise<Page<HostRow>> {
    adminCaller(context);
    const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'NAME', projects: 'all' };
    return pageOfList(this.#db, hostList, filter, (ids) => readHosts(this.#db, ids));
  }

  async nodeCount(context: RequestContext, id: string): Promise<number> {
    return (await loader(context, counts, id, (ids) => countNodes(this.#db, ids))) ?? 0;
  }

  nodes(context: RequestContext, id: string, args: PageArguments): Promise<Page<NodeRow>> {
    return pageOf(
      context,
      placed,
      id,
      args,
      (hosts, request) => pagesOfHostNodes(this.#db, hosts, request),
      (hosts) => countHostNodes(this.#db, hosts),
    );
  }
}
