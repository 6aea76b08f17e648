// Reads of subnets for the graph. Shows only what the caller may see.
import type { QueryProjectSubnetsArgs } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { maySee, projectsFor } from '../../../../platform/input/authorise.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { readSubnets, type SubnetRow } from './subnet-store.ts';

const byId = Symbol('subnets by id');

const subnetList: ListTable = {
  table: 'lb_subnet',
  name: 'live_name',
  all: { time: 'lb_subnet_time_idx', name: 'lb_subnet_name_idx' },
  ofProject: { time: 'lb_subnet_project_time_idx', name: 'lb_subnet_project_name_idx' },
};

export class SubnetReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID, including deleted ones. */
  async subnet(context: RequestContext, id: string): Promise<SubnetRow | null> {
    const row = await loader(context, byId, id, (ids) => readSubnets(this.#db, ids));
    return row !== undefined && maySee(context.identity, row.projectId) ? row : null;
  }

  /** Treats deleted subnets as missing. */
  async byGlobalId(context: RequestContext, globalId: string): Promise<SubnetRow | null> {
    const id = decodeUuid('ProjectSubnet', globalId);
    const row = id === undefined ? null : await this.subnet(context, id);
    return row?.deleted === true ? null : row;
  }

  /** Without deleted ones. */
  page(context: RequestContext, args: Partial<QueryProjectSubnetsArgs>): Promise<Page<SubnetRow>> {
    const projects = projectsFor(context.identity, args.projectId);
    const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'OLDEST', projects };
    return pageOfList(this.#db, subnetList, filter, (ids) => readSubnets(this.#db, ids));
  }
}
