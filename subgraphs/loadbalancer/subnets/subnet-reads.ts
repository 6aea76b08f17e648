// Reads of subnets for the graph. Only what the caller may see.
import { maySee, projectsFor } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { pageOfSubnets, readSubnets, type SubnetRow } from '../stores/subnet-store.ts';

const byId = Symbol('subnets by id');

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

  /** Deleted ones do not exist. */
  async byGlobalId(context: RequestContext, globalId: string): Promise<SubnetRow | null> {
    const id = decodeUuid('ProjectSubnet', globalId);
    const row = id === undefined ? null : await this.subnet(context, id);
    return row?.deleted === true ? null : row;
  }

  async page(
    context: RequestContext,
    args: PageArguments & { readonly projectId?: string | null },
  ): Promise<Page<SubnetRow>> {
    const request = pageRequest(args);
    const projects = projectsFor(context.identity, args.projectId);
    return page(await pageOfSubnets(this.#db, projects, request), request.first, ({ id }) => [id]);
  }
}
