// One name with its pools, members and their votes. Votes have no change of their own as long as no verdict changes: they are read again
// every few seconds.
import { useCallback } from 'react';
import {
  GslbMembersDocument,
  GslbNameDocument,
  type GslbNameQuery,
  type GslbVotedMemberFragment,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, usePage } from '../../context.ts';
import { readPages } from '../../graph/read-pages.ts';
import type { Requester } from '../../graph/request.ts';
import { entitiesOf } from '../../live/live-state.ts';
import type { LiveStore } from '../../live/live-store.ts';
import type { Failure } from '../../view/refusal.tsx';
import { useReading } from '../../view/use-reading.ts';
import { memberKind } from './kinds/member.ts';
import { nameKind } from './kinds/name.ts';

type Read = NonNullable<GslbNameQuery['gslb']>;
type ReadPool = Read['pools'][number];
export type Vote = GslbVotedMemberFragment['votes'][number];

export interface Pool extends Omit<ReadPool, 'members'> {
  readonly isFallback: boolean;
  readonly memberIds: readonly string[];
}

export interface NameDetails extends Omit<Read, 'pools' | 'fallbackPool'> {
  readonly pools: readonly Pool[];
  /** By member. */
  readonly votes: ReadonlyMap<string, readonly Vote[]>;
  /** By member: the load balancer whose addresses it has. Null: it has its own, or the caller may not see it. */
  readonly followed: ReadonlyMap<string, GslbVotedMemberFragment['followedLoadBalancer']>;
}

interface NameReading {
  /** Null until it is read, and when it is gone. */
  readonly details: NameDetails | null;
  readonly isGone: boolean;
  readonly failure: Failure | null;
}

const everyMs = 3_000;
/** Of one pool, 100 in each; a name has at most 1000 members. */
const maxMemberPages = 10;

/** `news` is another text after each of its changes. */
export function useName(id: string, news: string | undefined): NameReading {
  const { requester } = useDependencies();
  const { store } = usePage();
  const read = useCallback(() => readName(requester, store, id), [requester, store, id]);
  const { value: details, failure } = useReading(read, news, everyMs);
  return { details: details ?? null, isGone: details === null, failure };
}

/** Its members go into the store, where the feed changes them. */
async function readName(requester: Requester, store: LiveStore, id: string): Promise<NameDetails | null> {
  const { gslb } = await requester.request(GslbNameDocument, { id });
  if (gslb === null) return null;
  const { pools, fallbackPool, ...name } = gslb;
  const all = [
    ...pools.map((pool) => ({ pool, isFallback: false })),
    ...(fallbackPool === null ? [] : [{ pool: fallbackPool, isFallback: true }]),
  ];
  const poolIds = new Set(all.map(({ pool }) => pool.id));
  const isOwn = ({ pool }: Pick<GslbVotedMemberFragment, 'pool'>) => poolIds.has(pool.id);
  const known = [...entitiesOf(store.state, memberKind).values()].filter(isOwn).map((member) => member.id);
  const read = await Promise.all(all.map(async (each) => ({ ...each, page: await readMembers(requester, each.pool) })));
  const members = read.flatMap(({ page }) => page.nodes);
  const { zoneName: _zoneName, noneUp: _noneUp, ...listed } = name;
  // The answer may change without a change of the name: by the client, or while the feed is away.
  store.take(nameKind, [listed]);
  store.prefer(memberKind, isOwn);
  store.take(
    memberKind,
    members.map(({ votes: _votes, followedLoadBalancer: _followed, ...member }) => member),
    read.some(({ page }) => page.pageInfo.hasNextPage) ? [] : known,
  );
  return {
    ...name,
    pools: read.map(({ pool: { members: _, ...pool }, isFallback, page }) => ({
      ...{ ...pool, isFallback },
      memberIds: page.nodes.map((member) => member.id),
    })),
    votes: new Map(members.map((member) => [member.id, member.votes])),
    followed: new Map(members.map((member) => [member.id, member.followedLoadBalancer])),
  };
}

/** The first page came with the pool. */
async function readMembers(requester: Requester, { id, members }: ReadPool) {
  if (!members.pageInfo.hasNextPage) return members;
  const rest = await readPages<GslbVotedMemberFragment>(
    maxMemberPages - 1,
    members.pageInfo.endCursor,
    async (after) => {
      const { gslbPool } = await requester.request(GslbMembersDocument, { id, after });
      return gslbPool?.members ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
    },
  );
  return { nodes: [...members.nodes, ...rest.nodes], pageInfo: rest.pageInfo };
}
