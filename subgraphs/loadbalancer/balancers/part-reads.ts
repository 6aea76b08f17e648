// Reads of parts for the graph, batched: by id, and the children of one. Only what the caller may see.
import { maySee } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import type { PartName } from '../parts/part-kind.ts';
import { type PartRow, pageOfChildren, readChildren, readParts } from '../stores/part-store.ts';

const byId = Symbol('parts by id');
const children: Readonly<Record<PartName, symbol>> = {
  Pool: Symbol('pools by load balancer'),
  Member: Symbol('members by pool'),
  HealthMonitor: Symbol('health monitors by pool'),
  Listener: Symbol('listeners by load balancer'),
  L7Policy: Symbol('L7 policies by listener'),
  L7Rule: Symbol('L7 rules by policy'),
};

export class PartReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID, including deleted ones. */
  async part(context: RequestContext, kind: PartName, id: string): Promise<PartRow | null> {
    const row = await loader(context, byId, id, (ids) => readParts(this.#db, ids));
    return row?.kind === kind && maySee(context.identity, row.projectId) ? row : null;
  }

  /** Deleted ones do not exist. */
  async byGlobalId(context: RequestContext, kind: PartName, globalId: string): Promise<PartRow | null> {
    const id = decodeUuid(kind, globalId);
    const row = id === undefined ? null : await this.part(context, kind, id);
    return row?.deleted === true ? null : row;
  }

  /** Of a parent that the caller sees, without deleted ones, oldest first. */
  async children(context: RequestContext, kind: PartName, parentId: string): Promise<readonly PartRow[]> {
    return (await loader(context, children[kind], parentId, (ids) => readChildren(this.#db, kind, ids))) ?? [];
  }

  /** Of a parent that the caller sees, without deleted ones, oldest first. */
  async page(kind: PartName, parentId: string, args: PageArguments): Promise<Page<PartRow>> {
    const request = pageRequest(args);
    return page(await pageOfChildren(this.#db, kind, parentId, request), request.first, ({ id }) => [id]);
  }
}
