// Resolvers of the cluster of hosts that keeps the database. Only for administrators, because it names hosts and their addresses.
import type { Resolvers, TimeOrder } from '../../../../generated/graph/system.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { adminCaller, caller } from '../../../../platform/input/authorise.ts';
import { orderedRequest, pageItems } from '../../../../platform/pages/connection.ts';
import { type HaCluster, type HaMove, notConfigured } from '../../../../platform/process/ha-cluster.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import type { HaService } from './ha-service.ts';

type Outcome = Awaited<ReturnType<HaService['pause']>>;

export function haResolvers(options: {
  cluster: HaCluster | undefined;
  entities: Entities;
  service: HaService;
}): Resolvers {
  const { cluster, entities, service } = options;
  const mustBe = (): HaCluster => {
    if (cluster === undefined) throw new CodedError('NOT_CONFIGURED', notConfigured);
    return cluster;
  };
  const moveById = async (context: RequestContext, id: string): Promise<HaMove | null> => {
    const uuid = decodeUuid('HaMove', id);
    return uuid === undefined ? null : ((await entities.haMove(context, uuid)) ?? null);
  };
  return {
    Query: {
      haStatus(_, _args, context) {
        adminCaller(context);
        return cluster?.status() ?? null;
      },
      haStatusReason(_, _args, context) {
        adminCaller(context);
        return cluster === undefined ? notConfigured : null;
      },
      async haMoves(_, args, context) {
        adminCaller(context);
        const { orderBy, states } = args;
        const { first, take, after } = orderedRequest(args, orderBy, 2);
        const all = await mustBe().moves();
        const moves = all.filter(({ state }) => states == null || states.includes(state));
        const ordered = orderBy === 'NEWEST' ? moves : moves.toReversed();
        const rest = after === undefined ? ordered : ordered.slice(placeAfter(ordered, after, orderBy));
        const keyOf = ({ id, createdAt }: HaMove) => [orderBy, String(createdAt.getTime()), id];
        return { ...pageItems(rest.slice(0, take), first, keyOf), count: async () => moves.length };
      },
      haMove(_, { id }, context) {
        adminCaller(context);
        mustBe();
        return moveById(context, id);
      },
    },
    Mutation: {
      haSwitchover: (_, { input }, context) => service.switchover(context, input),
      haHostJoin: async (_, { input }, context) => shown(await service.rejoin(context, input)),
      haPause: async (_, { input }, context) => shown(await service.pause(context, input ?? {})),
      haResume: async (_, { input }, context) => shown(await service.resume(context, input ?? {})),
    },
    HaSwitchoverPayload: {
      haMove: async ({ entity }, _, context) =>
        entity === null ? null : ((await entities.haMove(context, entity.id)) ?? null),
      // Read only if the field is selected, because it takes a moment, in which a switchover ends the connections of clients.
      status: ({ entity }) => (entity === null ? null : mustBe().status()),
    },
    HaPayload: {
      status: ({ accepted }) => (accepted === true ? mustBe().status() : null),
    },
    HaStatus: {
      primary: ({ primary, hosts }) => hosts.find(({ name }) => name === primary) ?? null,
      primaryName: ({ primary }) => primary,
      move: async () => (await mustBe().moves()).find(({ finishedAt }) => finishedAt === null) ?? null,
    },
    HaMove: {
      async __resolveReference({ id }, context) {
        caller(context);
        return moveById(context, id);
      },
      id: ({ id }) => encodeId('HaMove', id),
      moveKind: ({ kind }) => kind,
      timelineEpoch: ({ epoch }) => epoch,
      primaryName: ({ primary }) => primary,
      previousName: ({ previous }) => previous,
      progressPercent: ({ state }) => (state === 'SUCCEEDED' ? 100 : null),
      leftBehind: ({ leftBehind }) => leftBehind.map(({ host, ...rest }) => ({ ...rest, hostName: host })),
    },
    HaHost: {
      presence: ({ state }) => (state === 'SILENT' ? 'ABSENT' : 'PRESENT'),
      behindTransactions: ({ behind }) => behind,
      stateReason: ({ returning }) => returning,
      site: ({ site }) => site ?? null,
      keysDiffer: ({ keys }) => (keys === null ? null : keys === 'DIFFERENT'),
    },
  };
}

function shown({ entity, userErrors, commit }: Outcome) {
  return { accepted: entity === null ? null : true, userErrors, commit };
}

/** The number of moves up to the cursor. A move that is no longer kept leaves its position. */
function placeAfter(moves: readonly HaMove[], [atText, id = '']: readonly string[], orderBy: TimeOrder): number {
  const at = Number(atText);
  const sign = orderBy === 'NEWEST' ? 1 : -1;
  const isBeyond = (move: HaMove) => {
    const ahead = at - move.createdAt.getTime() || (move.id < id ? 1 : move.id > id ? -1 : 0);
    return ahead * sign > 0;
  };
  const found = moves.findIndex(isBeyond);
  return found === -1 ? moves.length : found;
}
