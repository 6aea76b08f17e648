// Reads of hosts and their nodes for the graph. Administrators only: a host is the installation's, not a project's.
import { adminCaller } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { countNodes, type HostRow, pageOfHosts, readHosts } from '../stores/host-store.ts';
import { type NodeRow, pageOfHostNodes } from '../stores/node-store.ts';

const byId = Symbol('hosts by id');
const counts = Symbol('nodes by host');

export class HostReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID; null for others than administrators. */
  async host(context: RequestContext, id: string): Promise<HostRow | null> {
    if (context.identity?.admin !== true) return null;
    return (await loader(context, byId, id, (ids) => readHosts(this.#db, ids))) ?? null;
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<HostRow | null> {
    const id = decodeUuid('LoadBalancerHost', globalId);
    return id === undefined ? null : this.host(context, id);
  }

  /** By name. */
  async page(context: RequestContext, args: PageArguments): Promise<Page<HostRow>> {
    adminCaller(context);
    const request = pageRequest(args);
    return page(await pageOfHosts(this.#db, request), request.first, ({ name }) => [name]);
  }

  async nodeCount(context: RequestContext, id: string): Promise<number> {
    return (await loader(context, counts, id, (ids) => countNodes(this.#db, ids))) ?? 0;
  }

  async nodes(id: string, args: PageArguments): Promise<Page<NodeRow>> {
    const request = pageRequest(args);
    return page(await pageOfHostNodes(this.#db, id, request), request.first, (node) => [node.id]);
  }
}
