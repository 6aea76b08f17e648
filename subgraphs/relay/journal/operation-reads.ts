// Reads of operations for the graph, outside of a call's path: one by its id, batched; pages; counts; evidence; and the length of queues.
// Only operations that the caller may see are returned, so that no resolver can forget the check.
import type { QueryRelayOperationCountsArgs, QueryRelayOperationsArgs } from '../../../generated/graph/relay.ts';
import type { Operation, OperationEvidence } from '../../../generated/prisma/client.ts';
import { maySee, projectsFor } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { type CmpObjectKey, cmpObjectOf } from '../../../platform/graph/cmp-object.ts';
import { type Page, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import type { OperationRow } from '../model/operation.ts';
import { operationStates } from '../model/states.ts';
import { countOperations, type OperationCount, type OperationFilter, searchOperations } from './operation-search.ts';

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
    of: OperationsOf = {},
  ): Promise<Page<OperationRow>> {
    const { first, take, after } = pageRequest(args, 2);
    const filter = filterOf(context, args, of);
    const states = args.states ?? operationStates;
    if (filter === undefined) return page<OperationRow>([], first, () => []);
    const [createdAt = '', id = ''] = after ?? [];
    const { places, lookedTo } = await searchOperations(
      this.#db,
      { ...filter, ...(args.states == null ? {} : { states }) },
      { limit: take, after: after === undefined ? undefined : { createdAt: new Date(createdAt), id } },
    );
    const found = page(places, first, (place) => [place.createdAt.toISOString(), place.id], lookedTo);
    const rows = await this.#byIds(found.nodes.map((place) => place.id));
    const nodes = found.nodes.map((place) => rows.get(place.id));
    // It may be in another state meanwhile, or deleted.
    return {
      ...found,
      nodes: nodes.filter((row) => row !== undefined && states.includes(row.state)) as OperationRow[],
    };
  }

  async counts(context: RequestContext, args: QueryRelayOperationCountsArgs): Promise<readonly OperationCount[]> {
    const filter = filterOf(context, args);
    return countOperations(this.#db, filter ?? { projects: [] });
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

/** Undefined: no call matches. */
function filterOf(
  { identity }: RequestContext,
  args: Partial<Omit<QueryRelayOperationsArgs, 'first' | 'after' | 'states'>>,
  of: OperationsOf = {},
): OperationFilter | undefined {
  const backendId = args.backendId == null ? of.backendId : decodeUuid('Backend', args.backendId);
  if (args.backendId != null && backendId === undefined) return undefined;
  return {
    projects: projectsFor(identity, args.projectId),
    backendId,
    cmp: args.cmpObject == null ? of.cmp : cmpObjectOf(args.cmpObject),
    name: args.name ?? undefined,
    text: args.text ?? undefined,
    createdFrom: args.createdFrom ?? undefined,
    createdBefore: args.createdBefore ?? undefined,
  };
}

/** The columns contain only words that the journal writes. */
function toRow(row: Operation): OperationRow {
  return row as OperationRow;
}
