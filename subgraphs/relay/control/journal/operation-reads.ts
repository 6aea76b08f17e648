// Reads of operations for the graph, outside of a call's path: one by its id, batched; pages; counts; evidence; and the length of queues.
// Only operations that the caller may see are returned, so that no resolver can forget the check.
import type { QueryRelayOperationCountsArgs, QueryRelayOperationsArgs } from '../../../../generated/graph/relay.ts';
import type { Operation, OperationEvidence } from '../../../../generated/prisma/client.ts';
import { always, type Database } from '../../../../platform/database/database.ts';
import { countsOfParents } from '../../../../platform/database/parent-rows.ts';
import { allOf, is, isOneOf } from '../../../../platform/database/range-search.ts';
import { maySee, projectsFor } from '../../../../platform/edge/authorise.ts';
import type { RequestContext } from '../../../../platform/edge/identity.ts';
import { type CmpObjectKey, cmpObjectOf } from '../../../../platform/graph/cmp-object.ts';
import {
  type Count,
  emptyPage,
  orderedRequest,
  type Page,
  pageItems,
  refuseCursor,
} from '../../../../platform/graph/connection.ts';
import { loader } from '../../../../platform/graph/loader.ts';
import { countOf, ownerOf } from '../../../../platform/graph/page-loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { operationStates } from '../../rules/states.ts';
import type { OperationRow } from '../model/operation.ts';
import {
  countAllOperations,
  countOperations,
  type OperationCount,
  type OperationFilter,
  type OperationPlace,
  searchOperations,
} from './operation-search.ts';

const operations = Symbol('operations by id');
const evidence = Symbol('evidence by operation');
const queues = Symbol('queues by backend');
const ofBackends = Symbol('operations of backends');
const ofCmpObjects = Symbol('operations of CMP objects');

/** Only calls to one backend (by UUID), or for one CMP object. */
interface OperationsOf {
  readonly backendId?: string;
  readonly cmp?: CmpObjectKey;
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
  async page(
    context: RequestContext,
    args: Partial<QueryRelayOperationsArgs>,
    of: OperationsOf = {},
  ): Promise<Page<OperationRow>> {
    const orderBy = args.orderBy ?? 'NEWEST';
    const { first, take, after } = orderedRequest(args, orderBy, 2);
    const filter = filterOf(context, args, of);
    const states = operationStates.filter((state) => args.states?.includes(state) ?? true);
    if (filter === undefined || states.length === 0) return emptyPage(args, 3);
    const [createdAt = '', id = ''] = after ?? [];
    const from = { createdAt: new Date(createdAt), id };
    if (after !== undefined && Number.isNaN(from.createdAt.getTime())) refuseCursor();
    const wanted = { ...filter, ...(args.states == null ? {} : { states }) };
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
      count: this.#countOf(context, of, wanted),
    };
  }

  /** Those of a backend or CMP object are counted together with those of the others in a list. */
  #countOf(context: RequestContext, of: OperationsOf, filter: OperationFilter): Count {
    const { projects, states } = filter;
    const inStates = states === undefined ? undefined : isOneOf('state', states);
    // In the order of operationStates, each once.
    const key = JSON.stringify(states ?? null);
    if (of.backendId !== undefined)
      return countOf(context, ownerOf(ofBackends, key), of.backendId, (backends) =>
        countsOfParents(this.#db, backends, {
          ...{ table: 'operation', index: 'operation_backend_state_idx' },
          ranges: (backend) => [allOf([is('backend_id', backend), inStates]) ?? always],
        }),
      );
    if (of.cmp !== undefined)
      return countOf(context, ownerOf(ofCmpObjects, key), JSON.stringify(of.cmp), (objects) =>
        countsOfParents(this.#db, objects, {
          ...{ table: 'operation', index: 'operation_cmp_idx' },
          ranges(object) {
            const { namespace, type, externalId } = JSON.parse(object) as CmpObjectKey;
            const inProjects = projects === 'all' ? undefined : isOneOf('project_id', projects);
            const ofCmp = [is('cmp_namespace', namespace), is('cmp_type', type), is('cmp_id', externalId)];
            return [allOf([...ofCmp, inProjects]) ?? always];
          },
        }),
      );
    return () => countAllOperations(this.#db, filter);
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

/** Undefined if no call matches. */
function filterOf(
  { identity }: RequestContext,
  args: Partial<Omit<QueryRelayOperationsArgs, 'first' | 'after' | 'orderBy' | 'states'>>,
  of: OperationsOf = {},
): OperationFilter | undefined {
  const backendId = args.backendId == null ? of.backendId : decodeUuid('Backend', args.backendId);
  if (args.backendId != null && backendId === undefined) return undefined;
  return {
    projects: projectsFor(identity, args.projectId),
    backendId,
    cmp: args.cmpObject == null ? of.cmp : cmpObjectOf(args.cmpObject),
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
