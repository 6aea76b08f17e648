// Resolvers of the cluster of hosts that keeps the database. For administrators: it names hosts and their addresses.
import type { Resolvers } from '../../../generated/graph/system.ts';
import { adminCaller } from '../../../platform/authorise.ts';
import { CodedError } from '../../../platform/errors.ts';
import { page, pageRequest } from '../../../platform/graph/connection.ts';
import { type HaCluster, notConfigured } from '../../../platform/ha-cluster.ts';
import type { HaService } from './ha-service.ts';

type Outcome = Awaited<ReturnType<HaService['pause']>>;

export function haResolvers(options: { cluster: HaCluster | undefined; service: HaService }): Resolvers {
  const { cluster, service } = options;
  const mustBe = (): HaCluster => {
    if (cluster === undefined) throw new CodedError('NOT_CONFIGURED', notConfigured);
    return cluster;
  };
  return {
    Query: {
      haStatus(_, _args, context) {
        adminCaller(context);
        return mustBe().status();
      },
      async haTimeline(_, args, context) {
        adminCaller(context);
        const { first, take, after } = pageRequest(args);
        const before = after === undefined ? Number.POSITIVE_INFINITY : Number(after[0]);
        const changes = await mustBe().changes();
        const rows = changes.filter(({ epoch }) => epoch < before).slice(0, take);
        return page(rows, first, ({ epoch }) => [String(epoch)]);
      },
    },
    Mutation: {
      haSwitchover: async (_, { input }, context) => shown(await service.switchover(context, input)),
      haRejoin: async (_, { input }, context) => shown(await service.rejoin(context, input)),
      haPause: async (_, { input }, context) => shown(await service.pause(context, input ?? {})),
      haResume: async (_, { input }, context) => shown(await service.resume(context, input ?? {})),
    },
    HaPayload: {
      // Only if it is asked for: it takes a moment, in which a switchover ends the connections of clients.
      status: ({ accepted }) => (accepted === true ? mustBe().status() : null),
    },
    HaHost: {
      site: ({ site }) => site ?? null,
      keysDiffer: ({ keys }) => (keys === null ? null : keys === 'DIFFERENT'),
    },
  };
}

function shown({ entity, userErrors, commit }: Outcome) {
  return { accepted: entity === null ? null : true, userErrors, commit };
}
