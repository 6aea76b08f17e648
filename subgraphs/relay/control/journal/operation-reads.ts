// Reads of operations for the graph, outside of a call's path: one by its id, batched; pages; counts; evidence; and the length of queues.
// Only operations that the caller may see are returned, so that no resolver can forget the check.
import type {
  BackendOperationsArgs,
  CmpObjectRelayOperationsArgs,
  QueryRelayOperationCountsArgs,
  QueryRelayOperationsArgs,
} from '../../../../generated/graph/relay.ts';
import type { Operation, OperationEvidence } from '../../../../generated/prisma/client.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { countsOfParents } from '../../../../platform/database/parent-rows.ts';
import { type IndexRange, searchParents } from '../../../../platform/database/range-search.ts';
import { maySee, projectsFor } from '../../../../platform/input/authorise.ts';
import { type CmpObjectKey, cmpObjectOf } from '../../../../platform/pages/cmp-object.ts';
import {
  emptyPage,
  noItems,
  onlyCounted,
  orderedRequest,
  type Page,
  type PageArguments,
  pageItems,
  refuseCursor,
  searchedItems,
} from '../../../../platform/pages/connection.ts';
import { isTime } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { ownerOf, pageOf } from '../../../../platform/pages/page-loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { type OperationState, operationStates } from '../../rules/states.ts';
import type { OperationRow } from '../model/operation.ts';
import {
  countAllOperations,
  countOperations,
  type OperationCount,
  type OperationFilter,
  type OperationPlace,
  rangesOfBackend,
  rangesOfCmpObjects,
  searchOperations,
} from './operation-search.ts';

const operations = Symbol('operations by id');
const evidence = Symbol('evidence by operation');
const queues = Symbol('queues by backend');
const ofBackends = Symbol('operations of backends');
const ofCmpObjects = Symbol('operations of CMP objects');

/** Which calls a parent has. */
interface Below {
  readonly states?: readonly OperationState[];
  /** Each in order of time. */
  readonly rangesOf: (parents: readonly string[]) => Promise<ReadonlyMap<string, readonly IndexRange[]>>;
}

interface QueueFigures {
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

  /** Default order: newest first. */
  async page(context: RequestContext, args: Partial<QueryRelayOperationsArgs>): Promise<Page<OperationRow>> {
    const orderBy = args.orderBy ?? 'NEWEST';
    const { first, take, after } = orderedRequest(args, orderBy, 2);
    const filter = filterOf(context, args);
    const states = statesOf(args);
    if (filter === undefined || states.length === 0) return emptyPage(args, 3);
    const [createdAt = '', id = ''] = after ?? [];
    const from = { createdAt: new Date(createdAt), id };
    if (after !== undefined && Number.isNaN(from.createdAt.getTime())) refuseCursor();
    const wanted = { ...filter, ...(args.states == null ? {} : { states }) };
    const count = () => countAllOperations(this.#db, wanted);
    if ((args as PageArguments)[onlyCounted] === true) return { ...noItems, count };
    const { places, lookedTo } = await searchOperations(this.#db, wanted, {
      ...{ order: orderBy, limit: take, after: after === undefined ? undefined : from },
    });
    const keyOf = (place: OperationPlace) => [orderBy, place.createdAt.toISOString(), place.id];
    const found = pageItems(places, first, keyOf, lookedTo);
    const rows = await this.#byIds(found.nodes.map((place) => place.id));
    const nodes = found.nodes.map((place) => rows.get(place.id));
    // A call may have changed its state or been deleted in the meantime.
    return {
      ...found,
      nodes: nodes.filter((row) => row !== undefined && states.includes(row.state)) as OperationRow[],
      count,
    };
  }

  /** Newest first, of a backend that the caller may see, by its UUID. */
  ofBackend(context: RequestContext, backendId: string, args: BackendOperationsArgs): Promise<Page<OperationRow>> {
    const states = statesOf(args);
    return this.#below(context, ownerOf(ofBackends, states.join()), backendId, args, {
      states,
      rangesOf: async (backends) => new Map(backends.map((each) => [each, rangesOfBackend(each, states)])),
    });
  }

  /** Newest first, in the caller's projects. */
  ofCmpObject(
    context: RequestContext,
    cmp: CmpObjectKey,
    args: CmpObjectRelayOperationsArgs,
  ): Promise<Page<OperationRow>> {
    const projects = projectsFor(context.identity, null);
    return this.#below(context, ofCmpObjects, JSON.stringify(cmp), args, {
      rangesOf: (objects) =>
        rangesOfCmpObjects(
          this.#db,
          objects.map((each) => [each, JSON.parse(each) as CmpObjectKey]),
          projects,
        ),
    });
  }

  /** Read and counted together with those of the other parents in a list. */
  #below(
    context: RequestContext,
    owner: symbol,
    parent: string,
    args: PageArguments,
    { states = operationStates, rangesOf }: Below,
  ): Promise<Page<OperationRow>> {
    type Key = readonly [string, string];
    return pageOf(
      ...([context, owner, parent, args] as const),
      async (parents, { first, take, after }) => {
        if (after !== undefined && !isTime(after[0])) refuseCursor();
        const ranges = await rangesOf(parents);
        const found = await searchParents<Key>(this.#db, parents, {
          ...{ table: 'operation o', key: ['created_at', 'id'], order: 'DESC', after, take },
          ranges: (each) => ranges.get(each) ?? [],
        });
        const rows = await this.#byIds(
          [...found.values()].flatMap(({ keys }) => keys.slice(0, first).map(([, id]) => id)),
        );
        const rowOf = ([, id]: Key) => {
          const row = rows.get(id);
          // A call may have changed its state in the meantime.
          return row !== undefined && states.includes(row.state) ? row : undefined;
        };
        return new Map([...found].map(([each, of]) => [each, searchedItems(of, first, rowOf)]));
      },
      async (parents) => {
        const ranges = await rangesOf(parents);
        const [one] = [...ranges.values()].flat();
        if (one === undefined) return new Map(parents.map((each) => [each, 0]));
        return countsOfParents(this.#db, parents, {
          ...{ table: 'operation o', index: one.index },
          ranges: (each) => (ranges.get(each) ?? []).map(({ condition }) => condition),
        });
      },
      2,
    );
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

/** In the order of operationStates, each once. */
function statesOf({ states }: Pick<QueryRelayOperationsArgs, 'states'>): readonly OperationState[] {
  return operationStates.filter((state) => states?.includes(state) ?? true);
}

/** Undefined if no call matches. */
function filterOf(
  { identity }: RequestContext,
  args: Partial<Omit<QueryRelayOperationsArgs, 'first' | 'after' | 'orderBy' | 'states'>>,
): OperationFilter | undefined {
  const backendId = args.backendId == null ? undefined : decodeUuid('Backend', args.backendId);
  if (args.backendId != null && backendId === undefined) return undefined;
  return {
    projects: projectsFor(identity, args.projectId),
    backendId,
    cmp: args.cmpObject == null ? undefined : cmpObjectOf(args.cmpObject),
    names: args.names ?? undefined,
    text: args.text ?? undefined,
    createdFrom: args.createdFrom ?? undefined,
    createdBefore: args.createdBefore ?? undefined,
  };
}

/** The columns contain only words that the journal writes. */
function toRow(row: Operation): OperationRow {
  return row as OperationRow;
}
