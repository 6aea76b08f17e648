// Reads of GSLB entities for the graph, limited to those that the caller may see. Vantage points and zones are for administrators.

import type { QueryGslbHistoryArgs, QueryGslbsAtArgs } from '../../../../generated/graph/gslb.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { mostCounted } from '../../../../platform/database/range-search.ts';
import { foundByAddress } from '../../../../platform/graph/found-by-address.ts';
import { naturalKey, projectOfName } from '../../../../platform/graph/natural-key.ts';
import { adminCaller, caller, maySee, projectsFor } from '../../../../platform/input/authorise.ts';
import {
  emptyPage,
  type ListOrder,
  type Page,
  type PageArguments,
  type PageRequest,
  pageItems,
  pageRequest,
  searchedItems,
} from '../../../../platform/pages/connection.ts';
import { pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { countOf, pageOf } from '../../../../platform/pages/page-loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { countsOfFlips, type FlipRow, flipsOfEach, pageOfFlips } from '../stores/history-store.ts';
import { type PresentVote, presentVotes, type VotingDependencies } from '../verdicts/present-votes.ts';
import {
  type ChildList,
  childLists,
  cmpObjectGslbs,
  countsOfChildren,
  type EntityRows,
  type EntityType,
  entityLists,
  followingMembers,
  type ListedType,
  pagesOfChildren,
  readEntities,
  readNamed,
  type VantagePointEntity,
  type ZoneEntity,
} from './entity-store.ts';
import { gslbsUsingMembers, memberAddresses } from './member-address-store.ts';
import { readOwnTypes } from './own-type-store.ts';
import { countsOfUsers, monitorsOfEach, poolUses, type Use, usersOfEach } from './use-store.ts';

const owners: Readonly<Record<EntityType, symbol>> = {
  Gslb: Symbol('GSLBs by id'),
  GslbPool: Symbol('pools by id'),
  GslbPoolMember: Symbol('members by id'),
  GslbMonitor: Symbol('monitors by id'),
  GslbFlavor: Symbol('flavors by id'),
  GslbVantagePoint: Symbol('vantage points by id'),
  DnsZone: Symbol('zones by id'),
};
const schemasByPlugin = Symbol('schemas by plugin');
const votes = Symbol('votes by member');
const vantagePointsByName = Symbol('vantage points by name');
const zonesByName = Symbol('zones by name');
const usesByName = Symbol('pool uses by name');
const monitorsByUse = { pool_id: Symbol('monitors by pool'), member_id: Symbol('monitors by member') };

const flipsByPool = Symbol('changes of verdicts by pool');

/** Pages of the same size after the same item are read together. */
function ownerOfHistory({ first, after }: PageArguments): symbol {
  return Symbol.for(`gslb: history ${first ?? ''} ${after ?? ''}`);
}

type Paged = PageArguments & { readonly projectId?: string | null | undefined };

interface Listed extends Paged {
  readonly orderBy?: ListOrder | null | undefined;
  readonly names?: readonly string[] | null | undefined;
  readonly text?: string | null | undefined;
  readonly operatingStatuses?: readonly string[] | null | undefined;
}

export class EntityReads {
  readonly #db: Database;
  readonly #voting: VotingDependencies;

  constructor(db: Database, voting: VotingDependencies) {
    this.#db = db;
    this.#voting = voting;
  }

  /** Finds an entity by UUID, even if it is deleted. */
  async entity<Type extends EntityType>(
    context: RequestContext,
    type: Type,
    id: string,
  ): Promise<EntityRows[Type] | null> {
    const read = (ids: readonly string[]) => readEntities(this.#db, type, ids);
    const row = await loader<string, EntityRows[Type]>(context, owners[type], id, read);
    return row !== undefined && this.#isVisible(context, type, row) ? row : null;
  }

  /** The present vantage point of that name. Null unless the caller is an administrator. */
  async vantagePointNamed(context: RequestContext, name: string): Promise<VantagePointEntity | null> {
    if (context.identity?.admin !== true) return null;
    const read = (names: readonly string[]) => readNamed(this.#db, 'GslbVantagePoint', names);
    return (await loader(context, vantagePointsByName, name, read)) ?? null;
  }

  /** The existing ones among these names. Null unless the caller is an administrator. */
  async vantagePointsNamed(
    context: RequestContext,
    names: readonly string[],
  ): Promise<readonly VantagePointEntity[] | null> {
    if (context.identity?.admin !== true) return null;
    const rows = await Promise.all(names.map((name) => this.vantagePointNamed(context, name)));
    return rows.filter((row) => row !== null);
  }

  /** JSON Schema of the parameters of a plugin. Null if no checker has it now. */
  async schemaOfPlugin(context: RequestContext, plugin: string): Promise<JsonObject | null> {
    const read = async () => new Map((await readOwnTypes(this.#db)).map(({ name, parameters }) => [name, parameters]));
    return (await loader<string, JsonObject>(context, schemasByPlugin, plugin, read)) ?? null;
  }

  /** Null unless the caller is an administrator. */
  async zoneNamed(context: RequestContext, name: string): Promise<ZoneEntity | null> {
    if (context.identity?.admin !== true) return null;
    return (await loader(context, zonesByName, name, (names) => readNamed(this.#db, 'DnsZone', names))) ?? null;
  }

  /** Deleted entities do not exist, except GSLBs, whose end is a state. */
  async byGlobalId<Type extends EntityType>(
    context: RequestContext,
    type: Type,
    globalId: string,
  ): Promise<EntityRows[Type] | null> {
    const id = decodeUuid(type, globalId);
    const row = id === undefined ? null : await this.entity(context, type, id);
    return row?.deleted === true && type !== 'Gslb' ? null : row;
  }

  /** Finds an entity by global id or name. Throws INVALID_INPUT unless exactly one is given. */
  async byKey<Type extends ListedType>(
    context: RequestContext,
    type: Type,
    args: { readonly id?: string | null; readonly projectId?: string | null },
  ): Promise<EntityRows[Type] | null> {
    const key = naturalKey({ ...args }, type === 'Gslb' ? 'fqdn' : 'name');
    if ('id' in key) return this.byGlobalId(context, type, key.id);
    const isOwned = type === 'GslbPool' || type === 'GslbMonitor';
    const projects = isOwned ? projectOfName(context.identity, args.projectId) : 'all';
    const names = [type === 'Gslb' ? key.name.toLowerCase().replace(/\.$/, '') : key.name];
    const filter = { orderBy: 'NAME', projects, names, first: 1 } as const;
    const { nodes } = await pageOfList(this.#db, entityLists[type], filter, (ids) => readEntities(this.#db, type, ids));
    const [row] = nodes;
    return row !== undefined && this.#isVisible(context, type, row) ? row : null;
  }

  /** Omits deleted entities. */
  async page<Type extends ListedType>(
    context: RequestContext,
    type: Type,
    { projectId, orderBy, ...args }: Listed,
  ): Promise<Page<EntityRows[Type]>> {
    if (type === 'GslbVantagePoint' || type === 'DnsZone') adminCaller(context);
    if (type === 'GslbFlavor') caller(context);
    const isShared = type === 'GslbVantagePoint' || type === 'DnsZone' || type === 'GslbFlavor';
    const projects = isShared ? 'all' : projectsFor(context.identity, projectId);
    return pageOfList(this.#db, entityLists[type], { ...args, orderBy: orderBy ?? 'OLDEST', projects }, (ids) =>
      readEntities(this.#db, type, ids),
    );
  }

  /** GSLBs with a member at that address, without deleted ones. Throws INVALID_INPUT. */
  async namesAt(context: RequestContext, { address, limit = 10 }: QueryGslbsAtArgs): Promise<EntityRows['Gslb'][]> {
    const wanted = { address, limit, projects: projectsFor(context.identity, null) };
    const ids = await gslbsUsingMembers(this.#db, await foundByAddress(this.#db, [memberAddresses], wanted), limit);
    const rows = await Promise.all(ids.map((id) => this.entity(context, 'Gslb', id)));
    return rows.flatMap((row) => (row === null || row.deleted ? [] : [row]));
  }

  /** GSLBs of a CMP object (global id) that the caller may see, oldest first. */
  namesOfCmpObject(context: RequestContext, id: string, args: PageArguments): Promise<Page<EntityRows['Gslb']>> {
    return this.pageOf(context, cmpObjectGslbs(projectsFor(context.identity, null)), id, args);
  }

  /** Members that follow a load balancer (UUID), which the caller may see, oldest first. */
  followersOf(context: RequestContext, id: string, args: PageArguments): Promise<Page<EntityRows['GslbPoolMember']>> {
    return this.pageOf(context, followingMembers(projectsFor(context.identity, null)), id, args);
  }

  /** GSLBs of a project (UUID), oldest first. Empty if the caller may not see it. */
  async namesOfProject(context: RequestContext, id: string, args: PageArguments): Promise<Page<EntityRows['Gslb']>> {
    if (maySee(context.identity, id)) return this.pageOf(context, childLists.projectGslbs, id, args);
    return emptyPage(args);
  }

  /** A page of the children of a parent that the caller may see. Pages of many parents are read together. */
  async pageOf<Type extends EntityType>(
    context: RequestContext,
    list: ChildList<Type>,
    parent: string,
    args: PageArguments,
  ): Promise<Page<EntityRows[Type]>> {
    return pageOf(
      ...([context, list.owner, parent, args] as const),
      (parents, request) => pagesOfChildren(this.#db, list, parents, request),
      (parents) => countsOfChildren(this.#db, list, parents),
    );
  }

  /** The entities of this type that use another one, oldest first. */
  async pageOfUsers<Type extends 'Gslb' | 'GslbPool' | 'GslbPoolMember'>(
    context: RequestContext,
    type: Type,
    use: Use,
    id: string,
    args: PageArguments,
  ): Promise<Page<EntityRows[Type]>> {
    const read = async (ids: readonly string[], request: PageRequest) => {
      const users = await usersOfEach(this.#db, use, ids, request);
      const pages = [...users].map(async ([of, found]) => {
        const rows = await Promise.all(found.slice(0, request.first).map((user) => this.entity(context, type, user)));
        const shown = new Map(rows.flatMap((row) => (row === null || row.deleted ? [] : [[row.id, row] as const])));
        const keys = found.map((user) => [user] as const);
        return [of, searchedItems({ keys, lookedTo: undefined }, request.first, ([user]) => shown.get(user))] as const;
      });
      return new Map(await Promise.all(pages));
    };
    return pageOf(context, use.owner, id, args, read, (ids) => countsOfUsers(this.#db, use, ids));
  }

  /** UUIDs of the pools of a name, in order, and of its fallback. */
  async poolsOf(
    context: RequestContext,
    gslbId: string,
  ): Promise<{ readonly pools: readonly string[]; readonly fallback: string | null }> {
    const read = async (ids: readonly string[]) => Map.groupBy(await poolUses(this.#db, ids), (use) => use.gslbId);
    const uses = (await loader(context, usesByName, gslbId, read)) ?? [];
    const fallback = uses.find((use) => use.fallback)?.poolId ?? null;
    return { pools: uses.filter((use) => !use.fallback).map(({ poolId }) => poolId), fallback };
  }

  /** Monitors that are attached to a pool or a member (UUID), oldest first. */
  async monitorsOf(
    context: RequestContext,
    column: 'pool_id' | 'member_id',
    id: string,
  ): Promise<readonly EntityRows['GslbMonitor'][]> {
    const read = (ids: readonly string[]) => monitorsOfEach(this.#db, column, ids);
    const monitorIds = (await loader(context, monitorsByUse[column], id, read)) ?? [];
    const rows = await Promise.all(monitorIds.map((monitorId) => this.entity(context, 'GslbMonitor', monitorId)));
    return rows.filter((row) => row !== null);
  }

  async votes(context: RequestContext, memberId: string): Promise<readonly PresentVote[]> {
    return (await loader(context, votes, memberId, (ids) => presentVotes(this.#db, this.#voting, ids))) ?? [];
  }

  async history(
    context: RequestContext,
    { projectId, gslbId, memberId, orderBy, ...args }: Partial<QueryGslbHistoryArgs>,
  ): Promise<Page<FlipRow>> {
    const projects = projectsFor(context.identity, projectId);
    const member = memberId == null ? undefined : await this.byGlobalId(context, 'GslbPoolMember', memberId);
    const gslb = gslbId == null ? undefined : await this.byGlobalId(context, 'Gslb', gslbId);
    const { pools, fallback } = gslb == null ? { pools: [], fallback: null } : await this.poolsOf(context, gslb.id);
    const isNone = member === null || gslb === null;
    const filter = {
      projects: isNone ? [] : projects,
      ...(gslb == null ? {} : { pools: fallback === null ? pools : [...pools, fallback] }),
      ...(member == null ? {} : { memberId: member.id }),
    };
    return pageOfFlips(this.#db, filter, args, orderBy ?? 'NEWEST');
  }

  /** Changes of verdicts of the members of a name (UUID), newest first. */
  async historyOf(context: RequestContext, gslbId: string, args: PageArguments): Promise<Page<FlipRow>> {
    const request = pageRequest(args);
    const { pools, fallback } = await this.poolsOf(context, gslbId);
    const read = (poolIds: readonly string[]) => flipsOfEach(this.#db, poolIds, request);
    const owner = ownerOfHistory(args);
    const poolIds = fallback === null ? pools : [...pools, fallback];
    const rows = await Promise.all(poolIds.map((poolId) => loader(context, owner, poolId, read)));
    const newest = rows.flatMap((found) => found ?? []).sort((one, other) => (one.id < other.id ? 1 : -1));
    const count = async () => {
      const counts = poolIds.map((id) => countOf(context, flipsByPool, id, (ids) => countsOfFlips(this.#db, ids))());
      const sum = (await Promise.all(counts)).reduce<number>((total, own) => total + (own ?? Infinity), 0);
      return sum > mostCounted ? null : sum;
    };
    return { ...pageItems(newest.slice(0, request.take), request.first, ({ id }) => [id]), count };
  }

  #isVisible({ identity }: RequestContext, type: EntityType, row: object): boolean {
    if ('projectId' in row) return maySee(identity, String(row.projectId));
    if (type === 'GslbFlavor') return identity !== null && identity.kind !== 'machine';
    return identity?.admin === true;
  }
}
