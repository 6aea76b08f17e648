// Reads of GSLB objects for the graph. Only what the caller may see; vantage points and zones are administrators'.
import { adminCaller, caller, maySee, projectsFor } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { type FlipRow, pageOfFlips } from '../conductor/history-store.ts';
import {
  type ObjectFilter,
  type ObjectRows,
  type ObjectType,
  pageOfObjects,
  readObjects,
} from '../conductor/object-store.ts';
import { type PresentVote, presentVotes, type VotingParts } from '../conductor/present-votes.ts';
import { poolUses } from '../conductor/use-store.ts';

const owners: Readonly<Record<ObjectType, symbol>> = {
  Gslb: Symbol('GSLBs by id'),
  GslbPool: Symbol('pools by id'),
  GslbPoolMember: Symbol('members by id'),
  GslbMonitor: Symbol('monitors by id'),
  GslbFlavor: Symbol('flavors by id'),
  GslbVantagePoint: Symbol('vantage points by id'),
  DnsZone: Symbol('zones by id'),
};
const votes = Symbol('votes by member');

type Paged = PageArguments & { readonly projectId?: string | null };

export class ObjectReads {
  readonly #db: Database;
  readonly #voting: VotingParts;

  constructor(db: Database, voting: VotingParts) {
    this.#db = db;
    this.#voting = voting;
  }

  /** By UUID, including deleted ones. */
  async object<Type extends ObjectType>(
    context: RequestContext,
    type: Type,
    id: string,
  ): Promise<ObjectRows[Type] | null> {
    const read = (ids: readonly string[]) => readObjects(this.#db, type, ids);
    const row = await loader<string, ObjectRows[Type]>(context, owners[type], id, read);
    return row !== undefined && this.#isVisible(context, type, row) ? row : null;
  }

  /** Deleted ones do not exist, but for a GSLB: its end is a state. */
  async byGlobalId<Type extends ObjectType>(
    context: RequestContext,
    type: Type,
    globalId: string,
  ): Promise<ObjectRows[Type] | null> {
    const id = decodeUuid(type, globalId);
    const row = id === undefined ? null : await this.object(context, type, id);
    return row?.deleted === true && type !== 'Gslb' ? null : row;
  }

  async page<Type extends ObjectType>(
    context: RequestContext,
    type: Type,
    args: Paged,
    filter: Omit<ObjectFilter, 'projects'> = {},
  ): Promise<Page<ObjectRows[Type]>> {
    if (type === 'GslbVantagePoint' || type === 'DnsZone') adminCaller(context);
    if (type === 'GslbFlavor') caller(context);
    const isShared = type === 'GslbVantagePoint' || type === 'DnsZone' || type === 'GslbFlavor';
    const projects = isShared ? 'all' : projectsFor(context.identity, args.projectId);
    const request = pageRequest(args);
    const rows = await pageOfObjects(this.#db, type, { ...filter, projects }, request);
    return page(rows, request.first, ({ id }) => [id]);
  }

  /** UUIDs of the pools of a name, in order, and of its fallback. */
  async poolsOf(gslbId: string): Promise<{ readonly pools: readonly string[]; readonly fallback: string | null }> {
    const uses = await poolUses(this.#db, [gslbId]);
    const fallback = uses.find((use) => use.fallback)?.poolId ?? null;
    return { pools: uses.filter((use) => !use.fallback).map(({ poolId }) => poolId), fallback };
  }

  async votes(context: RequestContext, memberId: string): Promise<readonly PresentVote[]> {
    return (await loader(context, votes, memberId, (ids) => presentVotes(this.#db, this.#voting, ids))) ?? [];
  }

  async history(
    context: RequestContext,
    args: Paged & { readonly gslbId?: string | null; readonly memberId?: string | null },
  ): Promise<Page<FlipRow>> {
    const request = pageRequest(args);
    const projects = projectsFor(context.identity, args.projectId);
    const none = page<FlipRow>([], request.first, ({ id }) => [id]);
    const member = args.memberId == null ? undefined : await this.byGlobalId(context, 'GslbPoolMember', args.memberId);
    const gslb = args.gslbId == null ? undefined : await this.byGlobalId(context, 'Gslb', args.gslbId);
    if (member === null || gslb === null) return none;
    const { pools, fallback } = gslb === undefined ? { pools: undefined, fallback: null } : await this.poolsOf(gslb.id);
    const filter = {
      projects,
      ...(pools === undefined ? {} : { pools: fallback === null ? pools : [...pools, fallback] }),
      ...(member === undefined ? {} : { memberId: member.id }),
    };
    return page(await pageOfFlips(this.#db, filter, request), request.first, ({ id }) => [id]);
  }

  #isVisible({ identity }: RequestContext, type: ObjectType, row: object): boolean {
    if ('projectId' in row) return maySee(identity, String(row.projectId));
    if (type === 'GslbFlavor') return identity !== null && identity.kind !== 'machine';
    return identity?.admin === true;
  }
}
