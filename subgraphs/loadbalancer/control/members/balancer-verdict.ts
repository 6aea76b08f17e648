// Computes whether a load balancer serves from all of its parts at once, for the reconciler. Pure.
import {
  balancerStatus,
  listenerStatus,
  type MemberTally,
  poolStatus,
  type Verdict,
} from '../../rules/operating-status.ts';
import type { OperatingStatus } from '../../rules/states.ts';
import type { PartRow } from '../stores/part-store.ts';

type Part = Pick<PartRow, 'id' | 'parentId' | 'kind' | 'spec' | 'drainUntil'>;

export interface Served {
  readonly balancer: {
    readonly enabled: boolean;
    readonly wantedNodes: number;
    readonly isFirstCreated: boolean;
    readonly isEnding: boolean;
  };
  /** Without deleted ones. */
  readonly parts: readonly Part[];
  /** The serving nodes' views of each member, by its id. */
  readonly seen: ReadonlyMap<string, OperatingStatus>;
  readonly servingNodes: number;
}

export function balancerVerdict({ balancer, parts, seen, servingNodes }: Served): Verdict {
  const below = Map.groupBy(parts, ({ parentId }) => parentId);
  const childrenOf = (id: string, kind: Part['kind']) => (below.get(id) ?? []).filter((each) => each.kind === kind);
  const pools = new Map(
    parts
      .filter(({ kind }) => kind === 'Pool')
      .map((pool) => {
        const tallies = childrenOf(pool.id, 'PoolMember').map((member): MemberTally => {
          const status = seen.get(member.id) ?? 'UNKNOWN';
          return { enabled: isEnabled(member), draining: member.drainUntil !== null, status, count: 1 };
        });
        return [
          pool.id,
          poolStatus(isEnabled(pool), tallies, childrenOf(pool.id, 'PoolHealthMonitor').some(isEnabled)),
        ];
      }),
  );
  const listeners = parts
    .filter(({ kind }) => kind === 'Listener')
    .map((listener) => {
      const policies = childrenOf(listener.id, 'L7Policy').filter(isEnabled);
      return listenerStatus({
        enabled: isEnabled(listener),
        defaultPool: pools.get(String(listener.spec.defaultPool)),
        otherPools: policies.flatMap(({ spec }) => pools.get(String(spec.redirectPool)) ?? []),
        hasPolicies: policies.length > 0,
      });
    });
  return balancerStatus({ ...balancer, listeners, servingNodes });
}

/** Nodes may disagree, because each reaches the member by another route. */
export function seenBy(views: readonly ('UP' | 'DOWN')[]): OperatingStatus {
  if (views.length === 0) return 'UNKNOWN';
  if (views.every((view) => view === 'UP')) return 'ONLINE';
  return views.some((view) => view === 'UP') ? 'DEGRADED' : 'ERROR';
}

function isEnabled({ spec }: Part): boolean {
  return spec.enabled !== false;
}
