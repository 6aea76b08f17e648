// The GSLB subgraph: its services and resolvers.
import { noGeo } from '../../dns/policy/client.ts';
import type { Resolvers } from '../../generated/graph/gslb.ts';
import { entityFeed } from '../../platform/events/entity-feed.ts';
import { asMarked } from '../../platform/events/facets.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import { mapStream } from '../../platform/pull-stream.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import type { RunningSubgraph, SubgraphGround } from '../../platform/subgraph-row.ts';
import type { BalancerFollower } from './conductor/balancer-follower.ts';
import type { ConductorLinks } from './conductor/conductor-links.ts';
import { readObjects } from './conductor/object-store.ts';
import type { VotingParts } from './conductor/present-votes.ts';
import type { GslbQuotas } from './conductor/project-store.ts';
import { ServerAsker } from './explain/ask-servers.ts';
import { explainResolvers } from './explain/explain-resolvers.ts';
import { machineResolvers } from './machines/machine-resolvers.ts';
import type { GeoFile } from './nameserver/geo-file.ts';
import { dnsBackendResolvers } from './objects/dns-backend-resolvers.ts';
import { DnsBackendService } from './objects/dns-backend-service.ts';
import {
  flavorHandler,
  gslbHandler,
  memberHandler,
  monitorHandler,
  poolHandler,
  vantagePointHandler,
  zoneHandler,
} from './objects/handlers.ts';
import { MemberService } from './objects/member-service.ts';
import { ObjectReads } from './objects/object-reads.ts';
import { ObjectService } from './objects/object-service.ts';
import { objectResolvers } from './objects/resolvers.ts';
import { ZoneKeyService } from './objects/zone-key-service.ts';

export interface GslbOptions extends SubgraphGround {
  /** What decides which votes count. */
  readonly voting: Omit<VotingParts, 'egress'>;
  /** Where clients are; default: nowhere. */
  readonly geo?: GeoFile;
  readonly sealKeys: Sealer;
  readonly quotas: GslbQuotas;
  /** How often a checker is heard. */
  readonly heartbeatMs: number;
  readonly links: Pick<ConductorLinks, 'start' | 'drain' | 'stop'>;
  /** Absent: members that are load balancers are not followed here. */
  readonly follower?: Pick<BalancerFollower, 'start' | 'stop'>;
}

export function createGslbSubgraph(options: GslbOptions): RunningSubgraph {
  const { db, wake, mutations, egress, quotas, commits, cursors, sdl, feed, links, follower } = options;
  const { heartbeatMs } = options;
  const parts = { db, wake, mutations, egress, quotas, heartbeatMs, sealer: options.sealKeys };
  const pools = new ObjectService(parts, poolHandler(parts));
  const names = new ObjectService(parts, gslbHandler(parts));
  const monitors = new ObjectService(parts, monitorHandler(parts));
  const members = new ObjectService(
    parts,
    memberHandler(parts, async (attempt, context, input) => {
      const pool = await pools.find(attempt, context, (input as { readonly poolId: string }).poolId, 'poolId');
      return { poolId: pool.id, projectId: pool.projectId };
    }),
  );
  const zones = new ObjectService(parts, zoneHandler(parts));
  const { geo, voting } = options;
  const { silenceMs } = voting;
  const reads = new ObjectReads(db, { ...voting, egress });
  const backends = new DnsBackendService(parts);
  const asker = new ServerAsker(egress);
  const resolvers: Resolvers[] = [
    dnsBackendResolvers(backends, reads),
    explainResolvers({ db, reads, asker, geo: geo ?? noGeo }),
    machineResolvers({ db, reads, silenceMs, sealer: options.sealKeys }),
    objectResolvers({
      ...{ db, reads, backends },
      zoneKeys: new ZoneKeyService(parts, zones),
      members: new MemberService(parts, { names, pools, members, monitors }),
      services: {
        ...{ Gslb: names, GslbPool: pools, GslbPoolMember: members, GslbMonitor: monitors },
        GslbFlavor: new ObjectService(parts, flavorHandler(parts)),
        GslbVantagePoint: new ObjectService(parts, vantagePointHandler(parts)),
        DnsZone: zones,
      },
    }),
    {
      Subscription: {
        gslbChanges: {
          subscribe: (_, args, context) => {
            const read = async (id: string) => (await readObjects(db, 'Gslb', [id])).get(id);
            const changes = entityFeed({ feed, context, args, subjectType: 'Gslb', read });
            return mapStream(changes, (item) =>
              asMarked(item, { gslbChanges: { cursor: item.cursor, gslb: item.entity } }),
            );
          },
        },
      },
    },
  ];
  return {
    subgraph: createSubgraph({ name: 'gslb', sdl, commits, cursors, resolvers }),
    async start() {
      await geo?.start();
      await links.start();
      follower?.start();
    },
    async drain() {
      asker.stop();
      await follower?.stop();
      await links.drain();
    },
    async stop() {
      await follower?.stop();
      await links.stop();
      await geo?.stop();
    },
  };
}
