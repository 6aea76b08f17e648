// Resolvers of a node's statistics: HAProxy's table, with links to the parts of the load balancer that are still there.
import type { Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import type { PartName } from '../../spec/part-kind.ts';
import type { PartRow } from '../stores/part-store.ts';
import type { StatisticsStore } from './statistics-store.ts';

const byNode = Symbol('statistics by node');

type ReadPart = (context: RequestContext, kind: PartName, id: string) => Promise<PartRow | null>;

/** No table while Redis is not available, as without a report. */
export function statisticsResolvers(store: StatisticsStore, readPart: ReadPart): Resolvers {
  return {
    LoadBalancerNode: {
      statistics: async ({ id }, _, context) =>
        (await loader(context, byNode, id, (ids) => store.read(ids).catch(() => new Map()))) ?? null,
    },
    LoadBalancerNodeStatistics: {
      measuredAt: ({ at }) => new Date(at),
      countedSince: ({ countedSince }) => new Date(countedSince),
      leftOutCount: ({ leftOut }) => leftOut,
    },
    ListenerStatistics: {
      ...{ sessions: ({ open }) => open, mostSessions: ({ mostOpen }) => mostOpen, sessionLimit: limitOf },
      listener: ({ id }, _, context) => readPart(context, 'Listener', id),
    },
    PoolStatistics: {
      ...{ sessions: ({ open }) => open, mostSessions: ({ mostOpen }) => mostOpen, sessionLimit: limitOf },
      pool: ({ id }, _, context) => readPart(context, 'Pool', id),
    },
    PoolMemberStatistics: {
      ...{ sessions: ({ open }) => open, mostSessions: ({ mostOpen }) => mostOpen, sessionLimit: limitOf },
      poolMember: ({ id }, _, context) => readPart(context, 'PoolMember', id),
      statusSince: ({ changedAt }) => (changedAt === null ? null : new Date(changedAt)),
      checkCode: ({ check }) => check?.code ?? null,
      checkMessage: ({ check }) => check?.message ?? null,
      checkSince: ({ check }) => (check === null ? null : new Date(check.since)),
      checkDurationMs: ({ check }) => check?.durationMs ?? null,
      checkFailures: ({ check }) => check?.failures ?? 0,
    },
  };
}

function limitOf({ limit }: { readonly limit: number }): number | null {
  return limit === 0 ? null : limit;
}
