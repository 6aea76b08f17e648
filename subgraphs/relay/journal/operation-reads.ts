// Reads of operations for the graph, outside of a call's path: one by its id, batched; pages; evidence; and the length of queues.
// Only operations that the caller may see are returned, so that no resolver can forget the check.
import type { QueryRelayOperationsArgs } from '../../../generated/graph/relay.ts';
import type { Operation, OperationEvidence, Prisma } from '../../../generated/prisma/client.ts';
import { maySee, projectsFor } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { CmpObjectKey } from '../../../platform/graph/cmp-object.ts';
import { type Page, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import type { OperationRow } from '../model/operation.ts';

const operations = Symbol('operations by id');
const evidence = Symbol('evidence by operation');
const queues = Symbol('queues by backend');

/** Only calls to one backend (by UUID), or for one CMP object. */
export interface OperationsOf {
  readonly backendId?: string;
  readonly cmp?: CmpObjectKey;
}

export interface QueueFigures {
  readonly waiting: number;
  readonly inFlight: number;
}

export class OperationReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID. */
  async operation(context: RequestContext, id: string): Promise<OperationRow | null> {
    const row = await loader(context, operations, id, (ids) => this.#byIds(ids));
    return row !== undefined && maySee(context.identity, row.projectId) ? row : null;
  }

  /** By UUID, for any caller. */
  async byId(id: string): Promise<OperationRow | undefined> {
    return (await this.#byIds([id])).get(id);
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<OperationRow | null> {
    const id = decodeUuid('RelayOperation', globalId);
    return id === undefined ? null : this.operation(context, id);
  }

  /** Newest first. */
  async page(
    context: RequestContext,
    args: Partial<QueryRelayOperationsArgs>,
    { backendId, cmp }: OperationsOf = {},
  ): Promise<Page<OperationRow>> {
    const { first, take, after } = pageRequest(args);
    const projects = projectsFor(context.identity, args.projectId);
    const on = args.backendId == null ? backendId : decodeUuid('Backend', args.backendId);
    if (args.backendId != null && on === undefined) return page<OperationRow>([], first, () => []);
    const where: Prisma.OperationWhereInput = {
      ...(projects === 'all' ? {} : { projectId: { in: [...projects] } }),
      ...(on === undefined ? {} : { backendId: on }),
      ...(args.states == null ? {} : { state: { in: [...args.states] } }),
      ...(cmp === undefined ? {} : { cmpNamespace: cmp.namespace, cmpType: cmp.type, cmpId: cmp.externalId }),
      ...(after?.[0] === undefined ? {} : { id: { lt: after[0] } }),
    };
    const rows = await this.#db.prisma.operation.findMany({ where, orderBy: { id: 'desc' }, take });
    return page(rows.map(toRow), first, (row) => [row.id]);
  }

  /** Oldest first. */
  async evidence(context: RequestContext, operationId: string): Promise<readonly OperationEvidence[]> {
    return (await loader(context, evidence, operationId, (ids) => this.#evidenceOf(ids))) ?? [];
  }

  async queue(context: RequestContext, backendId: string): Promise<QueueFigures> {
    const figures = await loader(context, queues, backendId, (ids) => this.#queuesOf(ids));
    return figures ?? { waiting: 0, inFlight: 0 };
  }

  async #byIds(ids: readonly string[]): Promise<ReadonlyMap<string, OperationRow>> {
    const rows = await this.#db.prisma.operation.findMany({ where: { id: { in: [...ids] } } });
    return new Map(rows.map((row) => [row.id, toRow(row)]));
  }

  async #evidenceOf(ids: readonly string[]): Promise<ReadonlyMap<string, OperationEvidence[]>> {
    const rows = await this.#db.prisma.operationEvidence.findMany({
      where: { operationId: { in: [...ids] } },
      orderBy: [{ operationId: 'asc' }, { id: 'asc' }],
    });
    return Map.groupBy(rows, (row) => row.operationId);
  }

  async #queuesOf(backendIds: readonly string[]): Promise<ReadonlyMap<string, QueueFigures>> {
    const counts = await this.#db.prisma.operation.groupBy({
      by: ['backendId', 'state'],
      where: { backendId: { in: [...backendIds] }, state: { in: ['PENDING', 'SENT'] } },
      _count: true,
    });
    const of = (id: string, wanted: string) =>
      counts.find(({ backendId, state }) => backendId === id && state === wanted)?._count ?? 0;
    return new Map(backendIds.map((id) => [id, { waiting: of(id, 'PENDING'), inFlight: of(id, 'SENT') }]));
  }
}

/** The columns contain only words that the journal writes. */
function toRow(row: Operation): OperationRow {
  return row as OperationRow;
}
