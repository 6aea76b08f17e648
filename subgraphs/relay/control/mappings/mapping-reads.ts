// Reads of mappings for the graph, outside of a call's path: one by its id (batched), pages, by operation, and all mappings in the
// order of ids. Only mappings that the caller may see are returned, so no resolver can forget the check.
import type {
  BackendMappingsArgs,
  CmpObjectMappingsArgs,
  QueryMappingsArgs,
} from '../../../../generated/graph/relay.ts';
import type { Mapping } from '../../../../generated/prisma/client.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { always, type Condition, type Database } from '../../../../platform/database/database.ts';
import { countsOfParents } from '../../../../platform/database/parent-rows.ts';
import {
  allOf,
  inEachProject,
  is,
  isOneOf,
  type RangeSearch,
  searchParents,
} from '../../../../platform/database/range-search.ts';
import { maySee, projectsFor } from '../../../../platform/input/authorise.ts';
import type { CmpObjectKey } from '../../../../platform/pages/cmp-object.ts';
import { emptyPage, type Page, type PageArguments, searchedItems } from '../../../../platform/pages/connection.ts';
import { pageOfRanges } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { ownerOf, pageOf } from '../../../../platform/pages/page-loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { mappingStates } from '../../rules/states.ts';
import { objectHash } from '../model/backend-object.ts';
import { cmpReferenceOf } from '../model/cmp-reference.ts';
import type { MappingRow } from './mapping.ts';

const mappings = Symbol('mappings by id');
const operationMappings = Symbol('mappings by operation');
const ofBackends = Symbol('mappings of backends');
const ofCmpObjects = Symbol('mappings of CMP objects');

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

  /** Default order: newest first. */
  async page(context: RequestContext, args: Partial<QueryMappingsArgs>): Promise<Page<MappingRow>> {
    const orderBy = args.orderBy ?? 'NEWEST';
    const on = args.backendId == null ? undefined : decodeUuid('Backend', args.backendId);
    if (args.backendId != null && on === undefined) return emptyPage(args, 2);
    const filter = {
      projects: projectsFor(context.identity, args.projectId),
      backendId: on,
      cmp: args.cmpObject == null ? undefined : cmpReferenceOf(args.cmpObject),
    };
    const search = { table: 'mapping', key: ['id'], ...rangesOf(filter, args) };
    return pageOfRanges(this.#db, search, { ...args, orderBy }, (ids) => this.byIds(ids));
  }

  /** Newest first, of a backend that the caller may see, by its UUID. */
  ofBackend(context: RequestContext, backendId: string, args: BackendMappingsArgs): Promise<Page<MappingRow>> {
    const states = [...new Set(args.mappingStates ?? mappingStates)].sort();
    return this.#below(context, ownerOf(ofBackends, states.join()), backendId, args, {
      index: 'mapping_backend_state_idx',
      conditionsOf: (backend) =>
        states.map((state) => allOf([is('backend_id', backend), is('state', state)]) ?? always),
    });
  }

  /** Newest first, in the caller's projects. */
  ofCmpObject(context: RequestContext, cmp: CmpObjectKey, args: CmpObjectMappingsArgs): Promise<Page<MappingRow>> {
    const projects = projectsFor(context.identity, null);
    const states = args.mappingStates == null ? undefined : [...new Set(args.mappingStates)].sort();
    return this.#below(context, ownerOf(ofCmpObjects, states?.join() ?? ''), JSON.stringify(cmp), args, {
      index: projects === 'all' ? 'mapping_cmp_idx' : 'mapping_project_cmp_idx',
      conditionsOf: (object) => inEachProject(projects, conditionOf(JSON.parse(object) as CmpObjectKey)),
      rest: isOneOf('state', states),
    });
  }

  /** Read and counted together with those of the other parents in a list. */
  #below(
    context: RequestContext,
    owner: symbol,
    parent: string,
    args: PageArguments,
    { index, conditionsOf, rest }: Below,
  ): Promise<Page<MappingRow>> {
    const rangesOfParent = (each: string) => conditionsOf(each).map((condition) => ({ index, condition }));
    return pageOf(
      ...([context, owner, parent, args] as const),
      async (parents, { first, take, after }) => {
        const search = {
          table: 'mapping',
          key: ['id'],
          order: 'DESC',
          ranges: rangesOfParent,
          rest,
          after,
          take,
        } as const;
        const found = await searchParents<readonly [string]>(this.#db, parents, search);
        const rows = await this.byIds(
          [...found.values()].flatMap(({ keys }) => keys.slice(0, first).map(([id]) => id)),
        );
        return new Map([...found].map(([each, of]) => [each, searchedItems(of, first, ([id]) => rows.get(id))]));
      },
      (parents) => countsOfParents(this.#db, parents, { table: 'mapping', index, ranges: conditionsOf, rest }),
    );
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

/** Which mappings a parent has. */
interface Below {
  readonly index: string;
  /** Of one parent: each of a range of the index in order of time. */
  readonly conditionsOf: (parent: string) => readonly Condition[];
  /** A further condition, which the index does not serve. */
  readonly rest?: Condition | undefined;
}

interface MappingFilter {
  readonly projects: 'all' | readonly string[];
  /** UUID. */
  readonly backendId: string | undefined;
  readonly cmp: CmpObjectKey | undefined;
}

/**
 * If there are several filters, the most selective one with an index in the order of ids chooses the ranges. The other filters are
 * checked on the rows of these ranges.
 */
function rangesOf(
  { projects, backendId, cmp }: MappingFilter,
  args: Partial<QueryMappingsArgs>,
): Pick<RangeSearch, 'ranges' | 'rest'> {
  const { resource, scope, objectKey: key, updatedFrom, updatedBefore } = args;
  const states = [...new Set(args.mappingStates ?? mappingStates)];
  const verified = args.verifications == null ? undefined : [...new Set(args.verifications)];
  const inProjects = projects === 'all' ? undefined : isOneOf('project_id', projects);
  const inStates = args.mappingStates == null ? undefined : isOneOf('state', states);
  const isVerified = isOneOf('verify_result', verified);
  const onBackend = is('backend_id', backendId);
  const ofCmp = cmp === undefined ? undefined : conditionOf(cmp);
  const others = [
    is('resource', resource ?? undefined),
    is('scope', scope ?? undefined),
    is('object_key', key ?? undefined),
    updatedFrom == null ? undefined : { sql: 'updated_at >= ?', values: [updatedFrom] },
    updatedBefore == null ? undefined : { sql: 'updated_at < ?', values: [updatedBefore] },
  ];
  const search = (index: string, conditions: readonly Condition[], ...rest: readonly (Condition | undefined)[]) => ({
    ranges: conditions.map((condition) => ({ index, condition })),
    rest: allOf([...rest, ...others]),
  });
  if (resource != null && scope != null && key != null) {
    const ofObject = { sql: 'object_hash = ?', values: [objectHash({ resource, scope, key })] };
    const index = projects === 'all' ? 'mapping_object_idx' : 'mapping_project_object_idx';
    return search(index, inEachProject(projects, ofObject), onBackend, inStates, isVerified, ofCmp);
  }
  if (ofCmp !== undefined) {
    const index = projects === 'all' ? 'mapping_cmp_idx' : 'mapping_project_cmp_idx';
    return search(index, inEachProject(projects, ofCmp), onBackend, inStates, isVerified);
  }
  const each = (condition: Condition, column: string, values: readonly string[]): Condition[] =>
    values.map((value) => ({ sql: `${condition.sql} AND ${column} = ?`, values: [...condition.values, value] }));
  if (onBackend !== undefined)
    return search('mapping_backend_state_idx', each(onBackend, 'state', states), inProjects, isVerified);
  if (projects === 'all') return search('PRIMARY', [always], inStates, isVerified);
  const ofProjects = projects.map((project) => ({ sql: 'project_id = ?', values: [project] }));
  if (verified !== undefined)
    return search(
      'mapping_verify_idx',
      ofProjects.flatMap((one) => each(one, 'verify_result', verified)),
      inStates,
    );
  return search('mapping_project_idx', ofProjects, inStates);
}

function conditionOf({ namespace, type, externalId }: CmpObjectKey): Condition | undefined {
  return allOf([is('namespace', namespace), is('cmp_type', type), is('cmp_id', externalId)]);
}

/** The columns contain only words that the store writes. */
function toRow(row: Mapping): MappingRow {
  return row as MappingRow;
}
