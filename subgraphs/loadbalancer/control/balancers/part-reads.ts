// Batched reads of parts for the graph: by id, and the children of one. Shows only what the caller may see.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { maySee } from '../../../../platform/input/authorise.ts';
import { type Page, type PageArguments, type PageRequest, pageItems } from '../../../../platform/pages/connection.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { pageOf } from '../../../../platform/pages/page-loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { type PartName, partNames } from '../../spec/part-kind.ts';
import {
  countChildren,
  type PartRow,
  pagesOfChildren,
  readChildren,
  readParts,
  usersOf,
} from '../stores/part-store.ts';

const byId = Symbol('parts by id');
const children: Readonly<Record<PartName, symbol>> = {
  Pool: Symbol('pools by load balancer'),
  PoolMember: Symbol('members by pool'),
  PoolHealthMonitor: Symbol('health monitors by pool'),
  Listener: Symbol('listeners by load balancer'),
  L7Policy: Symbol('L7 policies by listener'),
  L7Rule: Symbol('L7 rules by policy'),
};

const pages = symbols('pages');
const users = symbols('users of pools and certificates');

function symbols(what: string): Readonly<Record<PartName, symbol>> {
  return Object.fromEntries(partNames.map((name) => [name, Symbol(`${name}: ${what}`)])) as Record<PartName, symbol>;
}

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

  /** Treats deleted parts as missing. */
  async byGlobalId(context: RequestContext, kind: PartName, globalId: string): Promise<PartRow | null> {
    const id = decodeUuid(kind, globalId);
    const row = id === undefined ? null : await this.part(context, kind, id);
    return row?.deleted === true ? null : row;
  }

  /** Children of a parent that the caller may see, without deleted ones, oldest first. */
  async children(context: RequestContext, kind: PartName, parentId: string): Promise<readonly PartRow[]> {
    return (await loader(context, children[kind], parentId, (ids) => readChildren(this.#db, kind, ids))) ?? [];
  }

  /** Children of a parent that the caller may see, without deleted ones, oldest first. */
  page(context: RequestContext, kind: PartName, parentId: string, args: PageArguments): Promise<Page<PartRow>> {
    const read = async (parents: readonly string[], request: PageRequest) => {
      const rows = await pagesOfChildren(this.#db, kind, parents, request);
      return new Map([...rows].map(([parent, own]) => [parent, pageItems(own, request.first, ({ id }) => [id])]));
    };
    return pageOf(context, pages[kind], parentId, args, read, (parents) => countChildren(this.#db, kind, parents));
  }

  /** Live parts that refer to a pool or certificate that the caller may see, oldest first. */
  async users(context: RequestContext, kind: PartName, targetId: string): Promise<readonly PartRow[]> {
    return (await loader(context, users[kind], targetId, (ids) => usersOf(this.#db, kind, ids))) ?? [];
  }
}
