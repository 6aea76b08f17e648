// The GSLB subgraph: its services and resolvers.
import { noGeo } from '../../dns/policy/client.ts';
import type { Resolvers } from '../../generated/graph/gslb.ts';
import { attentionResolvers, measureAttention } from '../../platform/attention/attention.ts';
import { entityFeed, feedItem } from '../../platform/events/entity-feed.ts';
import { asMarked } from '../../platform/events/facets.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import { RunningTime } from '../../platform/leases/running-time.ts';
import type { RunningSubgraph, SubgraphContext } from '../../platform/process/subgraph-row.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import { mapStream } from '../../platform/work/pull-stream.ts';
import type { GeoFile } from './agents/nameserver/geo-file.ts';
import { gslbAttention } from './control/attention.ts';
import { dnsBackendResolvers } from './control/entities/dns-backend-resolvers.ts';
import { DnsBackendService } from './control/entities/dns-backend-service.ts';
import { EntityReads } from './control/entities/entity-reads.ts';
import { EntityService } from './control/entities/entity-service.ts';
import { type NameRow, readEntities } from './control/entities/entity-store.ts';
import {
  flavorHandler,
  gslbHandler,
  memberHandler,
  monitorHandler,
  poolHandler,
  vantagePointHandler,
  zoneHandler,
} from './control/entities/handlers.ts';
import { MemberService } from './control/entities/member-service.ts';
import type { GslbQuotas } from './control/entities/project-store.ts';
import { entityResolvers, gslbJudge } from './control/entities/resolvers.ts';
import { ZoneKeyService } from './control/entities/zone-key-service.ts';
import { AnswerPreviews } from './control/explain/answer-previews.ts';
import { ServerAsker } from './control/explain/ask-servers.ts';
import { explainResolvers } from './control/explain/explain-resolvers.ts';
import type { ConductorLinks } from './control/machines/conductor-links.ts';
import { machineResolvers } from './control/machines/machine-resolvers.ts';
import { RecordService } from './control/machines/record-service.ts';
import { hasHeardCheckers } from './control/stores/checker-store.ts';
import type { BalancerFollower } from './control/verdicts/balancer-follower.ts';
import type { VotingDependencies } from './control/verdicts/present-votes.ts';

export interface GslbOptions extends SubgraphContext {
  /** Settings that decide which votes count. */
  readonly voting: Omit<VotingDependencies, 'egress'>;
  /** Locates clients. Default: no client has a location. */
  readonly geo?: GeoFile;
  readonly sealKeys: Sealer;
  readonly quotas: GslbQuotas;
  /** Interval between batches of a checker. */
  readonly heartbeatMs: number;
  readonly links: Pick<ConductorLinks, 'start' | 'drain' | 'stop'>;
  /** If absent, members that are load balancers are not followed here. */
  readonly follower?: Pick<BalancerFollower, 'start' | 'stop'>;
}

export function createGslbSubgraph(options: GslbOptions): RunningSubgraph {
  const { db, wake, mutations, egress, quotas, commits, cursors, sdl, feed, links, follower } = options;
  const { heartbeatMs } = options;
  const dependencies = { db, wake, mutations, egress, quotas, heartbeatMs, sealer: options.sealKeys };
  const pools = new EntityService(dependencies, poolHandler(dependencies));
  const monitors = new EntityService(dependencies, monitorHandler(dependencies));
  const members = new EntityService(
    dependencies,
    memberHandler(dependencies, async (attempt, context, input) => {
      const pool = await pools.find(attempt, context, (input as { readonly poolId: string }).poolId, 'poolId');
      return { poolId: pool.id, projectId: pool.projectId };
    }),
  );
  const names = new EntityService(dependencies, gslbHandler(dependencies, { pools, members, monitors }));
  const zones = new EntityService(dependencies, zoneHandler(dependencies));
  const { geo, voting } = options;
  const { silenceMs } = voting;
  const reads = new EntityReads(db, { ...voting, egress });
  const backends = new DnsBackendService(dependencies);
  const asker = new ServerAsker(egress);
  const previews = new AnswerPreviews({
    ...{ db, egress, silenceMs, freshMs: voting.freshMs },
    services: { Gslb: names, GslbPool: pools, GslbPoolMember: members },
  });
  const attention = gslbAttention({ db, reads, silenceMs });
  measureAttention(options.registry, attention);
  const resolvers: Resolvers[] = [
    attentionResolvers(attention),
    dnsBackendResolvers(backends, reads),
    explainResolvers({ db, reads, asker, geo: geo ?? noGeo, previews }),
    machineResolvers({
      ...{ db, reads, silenceMs, sealer: options.sealKeys },
      records: new RecordService(dependencies),
    }),
    entityResolvers({
      ...{ db, reads, backends, quotas },
      zoneKeys: new ZoneKeyService(dependencies, zones),
      members: new MemberService(dependencies, { names, pools, members, monitors }),
      services: {
        ...{ Gslb: names, GslbPool: pools, GslbPoolMember: members, GslbMonitor: monitors },
        GslbFlavor: new EntityService(dependencies, flavorHandler(dependencies)),
        GslbVantagePoint: new EntityService(dependencies, vantagePointHandler(dependencies)),
        DnsZone: zones,
      },
    }),
    {
      Subscription: {
        gslbChanges: {
          subscribe: (_, args, context) => {
            const read = (ids: readonly string[]) => readEntities(db, 'Gslb', ids);
            const deleted = ({ deleted: isGone }: NameRow) => isGone;
            const changes = entityFeed({ feed, context, args, subjectType: 'Gslb', read, deleted });
            return mapStream(changes, (item) => asMarked(item, { gslbChanges: feedItem('gslb', item) }));
          },
        },
      },
    },
  ];
  const judged = new RunningTime({ db, log: options.log, roles: [gslbJudge], isJudging: () => hasHeardCheckers(db) });
  return {
    subgraph: createSubgraph({ name: 'gslb', sdl, commits, cursors, resolvers }),
    async start() {
      await geo?.start();
      await links.start();
      judged.start();
      follower?.start();
    },
    async drain() {
      asker.stop();
      await follower?.stop();
      await links.drain();
    },
    async stop() {
      await follower?.stop();
      await judged.stop();
      await links.stop();
      await geo?.stop();
    },
  };
}
