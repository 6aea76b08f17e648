// Reads of mappings for the graph, outside of a call's path: one by its id, batched; pages; by operation; and all of them, in the
// order of ids. Only mappings that the caller may see are returned, so that no resolver can forget the check.
import type { QueryMappingsArgs } from '../../../generated/graph/relay.ts';
import type { Mapping, Prisma } from '../../../generated/prisma/client.ts';
import { maySee, projectsFor } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { CmpObjectKey } from '../../../platform/graph/cmp-object.ts';
import { type Page, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { objectHash } from '../model/backend-object.ts';
import { cmpReferenceOf } from '../model/cmp-reference.ts';
import type { MappingRow } from './mapping.ts';

const mappings = Symbol('mappings by id');
const operationMappings = Symbol('mappings by operation');

/** Only mappings of one backend (by UUID) or CMP object. */
export interface MappingsOf {
  readonly backendId?: string;
  readonly cmp?: CmpObjectKey;
}

export class MappingReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<MappingRow | null> {
    const id = decodeUuid('Mapping', globalId);
    const row = id === undefined ? undefined : await loader(context, mappings, id, (ids) => this.byIds(ids));
    return row !== undefined && maySee(context.identity, row.projectId) ? row : null;
  }

  /** Mappings that the operation created or was the last to change. */
  async ofOperation(context: RequestContext, operationId: string): Promise<readonly MappingRow[]> {
    const rows = await loader(context, operationMappings, operationId, (ids) => this.#ofOperations(ids));
    return (rows ?? []).filter((row) => maySee(context.identity, row.projectId));
  }

  /** Newest first. */
  async page(
    context: RequestContext,
    args: Partial<QueryMappingsArgs>,
    { backendId, cmp }: MappingsOf = {},
  ): Promise<Page<MappingRow>> {
    const { first, take, after } = pageRequest(args);
    const projects = projectsFor(context.identity, args.projectId);
    const { resource, scope, key, cmpObject, verification, updatedFrom, updatedBefore } = args;
    const on = args.backendId == null ? backendId : decodeUuid('Backend', args.backendId);
    if (args.backendId != null && on === undefined) return page<MappingRow>([], first, () => []);
    const object = cmpObject == null ? cmp : cmpReferenceOf(cmpObject);
    const where: Prisma.MappingWhereInput = {
      ...(projects === 'all' ? {} : { projectId: { in: [...projects] } }),
      ...(on === undefined ? {} : { backendId: on }),
      ...(args.states == null ? {} : { state: { in: [...args.states] } }),
      ...(object === undefined ? {} : { namespace: object.namespace, cmpType: object.type, cmpId: object.externalId }),
      ...(resource == null ? {} : { resource }),
      ...(scope == null ? {} : { scope }),
      ...(key == null ? {} : { objectKey: key }),
      // All three identify the object: mappings are indexed by their hash.
      ...(resource == null || scope == null || key == null ? {} : { objectHash: objectHash({ resource, scope, key }) }),
      ...(verification == null ? {} : { verifyResult: { in: [...verification] } }),
      ...(updatedFrom == null && updatedBefore == null
        ? {}
        : {
            updatedAt: {
              ...(updatedFrom == null ? {} : { gte: updatedFrom }),
              ...(updatedBefore == null ? {} : { lt: updatedBefore }),
            },
          }),
      ...(after?.[0] === undefined ? {} : { id: { lt: after[0] } }),
    };
    const rows = await this.#db.prisma.mapping.findMany({ where, orderBy: { id: 'desc' }, take });
    return page(rows.map(toRow), first, (row) => [row.id]);
  }

  /** By UUID, for any caller. */
  async byId(id: string): Promise<MappingRow | undefined> {
    return (await this.byIds([id])).get(id);
  }

  /** Like `byId`. */
  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, MappingRow>> {
    const rows = await this.#db.prisma.mapping.findMany({ where: { id: { in: [...ids] } } });
    return new Map(rows.map((row) => [row.id, toRow(row)]));
  }

  /** All that are not deleted, in the order of their ids, for readers of everything. */
  async livesAfter(options: {
    readonly projects: 'all' | readonly string[];
    readonly afterId: string;
    readonly take: number;
  }): Promise<MappingRow[]> {
    const { projects, afterId, take } = options;
    const rows = await this.#db.prisma.mapping.findMany({
      where: {
        ...(projects === 'all' ? {} : { projectId: { in: [...projects] } }),
        id: { gt: afterId },
        state: { not: 'DELETED' },
      },
      orderBy: { id: 'asc' },
      take,
    });
    return rows.map(toRow);
  }

  async #ofOperations(ids: readonly string[]): Promise<ReadonlyMap<string, MappingRow[]>> {
    const rows = await this.#db.prisma.mapping.findMany({
      where: { OR: [{ operationId: { in: [...ids] } }, { lastOperationId: { in: [...ids] } }] },
      take: 10_000,
    });
    const result = new Map<string, MappingRow[]>(ids.map((id) => [id, []]));
    for (const row of rows)
      for (const id of new Set([row.operationId, row.lastOperationId])) result.get(id ?? '')?.push(toRow(row));
    return result;
  }
}

/** The columns contain only words that the store writes. */
function toRow(row: Mapping): MappingRow {
  return row as MappingRow;
}
