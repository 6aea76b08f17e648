// The parts of the shown load balancer: read again after its changes, and from time to time, because a pool's or listener's status follows its members without a change of its own.
import { useCallback, useMemo } from 'react';
import {
  type LoadBalancerTreeFieldsFragment,
  LoadbalancerMembersDocument,
  LoadbalancerTreeDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useEntities, usePage } from '../../context.ts';
import { readPages } from '../../graph/read-pages.ts';
import type { Requester } from '../../graph/request.ts';
import { entitiesOf } from '../../live/live-state.ts';
import type { LiveStore } from '../../live/live-store.ts';
import type { Failure } from '../../view/refusal.tsx';
import { useReading } from '../../view/use-reading.ts';
import { drainOf, type Member, memberKind } from './kinds/member.ts';
import { nodeKind } from './kinds/node.ts';

export type Tree = LoadBalancerTreeFieldsFragment;

interface TreeReading {
  /** Null until it is read, and when it is gone. */
  readonly tree: Tree | null;
  readonly isGone: boolean;
  readonly failure: Failure | null;
}

const everyMs = 15_000;
/** The sessions of a member that drains have no change of their own. */
const drainEveryMs = 3_000;
/** Of one pool, 100 in each; as many as a pool may have. */
const maxMemberPages = 10;

/** `news` is another text after each of its changes. */
export function useTree(id: string, news: string | undefined): TreeReading {
  const { requester } = useDependencies();
  const { store } = usePage();
  const read = useCallback(() => readTree(requester, store, id), [requester, store, id]);
  const members = useEntities(memberKind);
  const isDraining = useMemo(
    () => [...members.values()].some((each) => each.loadBalancer.id === id && drainOf(each, Date.now()) === 'draining'),
    [members, id],
  );
  const { value: tree, failure } = useReading(read, news, isDraining ? drainEveryMs : everyMs);
  return { tree: tree ?? null, isGone: tree === null, failure };
}

/** Its members and nodes go into the store, where the feed changes them. */
async function readTree(requester: Requester, store: LiveStore, id: string): Promise<Tree | null> {
  const { loadBalancer: tree } = await requester.request(LoadbalancerTreeDocument, { id });
  if (tree === null) return null;
  const known = [...entitiesOf(store.state, memberKind).values()]
    .filter(({ loadBalancer }) => loadBalancer.id === id)
    .map((member) => member.id);
  const pools = await Promise.all(tree.pools.map((pool) => readMembers(requester, pool)));
  const isPart = pools.some(({ pageInfo }) => pageInfo.hasNextPage);
  store.prefer(memberKind, ({ loadBalancer }) => loadBalancer.id === id);
  store.take(
    memberKind,
    pools.flatMap(({ nodes }) => nodes),
    isPart ? [] : known,
  );
  store.take(nodeKind, tree.nodes);
  return tree;
}

/** The first page came with the pool. */
async function readMembers(requester: Requester, { id, members }: Tree['pools'][number]) {
  if (!members.pageInfo.hasNextPage) return members;
  const rest = await readPages<Member>(maxMemberPages - 1, members.pageInfo.endCursor, async (after) => {
    const { pool } = await requester.request(LoadbalancerMembersDocument, { id, after });
    return pool?.members ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
  });
  return { nodes: [...members.nodes, ...rest.nodes], pageInfo: rest.pageInfo };
}
