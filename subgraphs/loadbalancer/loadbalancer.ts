// The load balancer subgraph: its services and resolvers, and the listener for hosts.
import type { Resolvers } from '../../generated/graph/loadbalancer.ts';
import { attentionResolvers, measureAttention } from '../../platform/attention/attention.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import { databaseClaims } from '../../platform/link/link-claims.ts';
import { LinkServer } from '../../platform/link/link-server.ts';
import type { MutualTls } from '../../platform/machines/tls.ts';
import type { RunningSubgraph, SubgraphContext } from '../../platform/process/subgraph-row.ts';
import { databaseMarks } from '../../platform/restore/marks.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import { balancerAttention } from './control/attention.ts';
import { BalancerReads } from './control/balancers/balancer-reads.ts';
import { balancerResolvers } from './control/balancers/balancer-resolvers.ts';
import { BalancerService } from './control/balancers/balancer-service.ts';
import { dnsNames } from './control/balancers/dns-names.ts';
import { PartReads } from './control/balancers/part-reads.ts';
import { partResolvers } from './control/balancers/part-resolvers.ts';
import { PartService } from './control/balancers/part-service.ts';
import { QuotaService } from './control/balancers/quota-service.ts';
import { StatusReads } from './control/balancers/status-reads.ts';
import { CertificateReads } from './control/certificates/certificate-reads.ts';
import { certificateResolvers } from './control/certificates/certificate-resolvers.ts';
import { CertificateService } from './control/certificates/certificate-service.ts';
import { feedResolvers } from './control/feeds.ts';
import { HostReads } from './control/hosts/host-reads.ts';
import { hostResolvers } from './control/hosts/host-resolvers.ts';
import { HostService } from './control/hosts/host-service.ts';
import { HostSessions } from './control/hosts/host-sessions.ts';
import { HostWatcher } from './control/hosts/host-watcher.ts';
import { NodeDocuments } from './control/hosts/node-documents.ts';
import { Previews } from './control/hosts/preview.ts';
import { NodeReads } from './control/nodes/node-reads.ts';
import { nodeResolvers } from './control/nodes/node-resolvers.ts';
import { NodeService } from './control/nodes/node-service.ts';
import { CollectdReceiver, type CollectdReceiverOptions } from './control/scaling/collectd/receiver.ts';
import { ScalingReads } from './control/scaling/scaling-reads.ts';
import { scalingResolvers } from './control/scaling/scaling-resolvers.ts';
import { ScalingService } from './control/scaling/scaling-service.ts';
import { type QuotaDefaults, Quotas } from './control/stores/quotas.ts';
import { SubnetReads } from './control/subnets/subnet-reads.ts';
import { subnetResolvers } from './control/subnets/subnet-resolvers.ts';
import { SubnetService } from './control/subnets/subnet-service.ts';
import { statisticsResolvers } from './control/traffic/statistics-resolvers.ts';
import { StatisticsStore } from './control/traffic/statistics-store.ts';
import { TrafficReads } from './control/traffic/traffic-reads.ts';
import { TrafficRecorder } from './control/traffic/traffic-recorder.ts';
import { trafficResolvers } from './control/traffic/traffic-resolvers.ts';
import { TrafficSeconds } from './control/traffic/traffic-seconds.ts';
import { MemberAddresses } from './spec/member-addresses.ts';

export interface LoadBalancerSettings {
  readonly zone: string;
  readonly dnsTtlSeconds: number;
  readonly nameRestMs: number;
  readonly defaultCidr: string;
  readonly quotas: QuotaDefaults;
}

export interface LoadBalancerOptions extends SubgraphContext {
  readonly sealKeys: Sealer;
  readonly settings: LoadBalancerSettings;
  /** Listener for hosts. Without it none can connect. */
  readonly link?: { readonly host: string; readonly port: number; readonly tls: MutualTls };
  /** Listener for collectds. Without it none can send values. */
  readonly collectd?: Pick<CollectdReceiverOptions, 'host' | 'port' | 'level' | 'authFile'>;
}

export function createLoadBalancerSubgraph(options: LoadBalancerOptions): RunningSubgraph {
  const { db, wake, feed, mutations, egress, commits, cursors, sdl, settings } = options;
  const quotas = new Quotas(settings.quotas);
  const memberAddresses = new MemberAddresses(egress);
  const common = { db, wake, mutations, quotas };
  const balancers = new BalancerReads(db);
  const parts = new PartReads(db);
  const certificates = new CertificateReads(db);
  const nodes = new NodeReads(db);
  const subnets = new SubnetReads(db);
  const partService = new PartService({ ...common, memberAddresses });
  const subnetService = new SubnetService({ ...common, defaultCidr: settings.defaultCidr });
  const certificateService = new CertificateService({ ...common, sealer: options.sealKeys });
  const balancerService = new BalancerService({
    ...{ ...common, subnets: subnetService, memberAddresses },
    zone: settings.zone,
    names: dnsNames({ wake, ttlSeconds: settings.dnsTtlSeconds, nameRestMs: settings.nameRestMs }),
  });
  const seconds = new TrafficSeconds(options);
  const statistics = new StatisticsStore(options);
  const statuses = new StatusReads(db, parts, nodes);
  const scaling = new ScalingService({ db, wake, mutations });
  const previews = new Previews({
    ...{ db, balancers, parts: partService, balancerService, certificates: certificateService, scaling },
  });
  const attention = balancerAttention({ db, balancers, statuses, certificates });
  measureAttention(options.registry, attention);
  const resolvers: Resolvers[] = [
    attentionResolvers(attention),
    balancerResolvers({
      ...{ db, reads: balancers, service: balancerService, parts, nodes, subnets, statuses },
      quotas: new QuotaService(common),
    }),
    partResolvers({ db, reads: parts, service: partService, balancers, certificates, nodes, statuses }),
    certificateResolvers({ reads: certificates, service: certificateService, parts }),
    subnetResolvers({ reads: subnets, service: subnetService }),
    nodeResolvers({ reads: nodes, service: new NodeService(common) }),
    hostResolvers({ reads: new HostReads(db), service: new HostService(common) }),
    { Query: { loadBalancerPreview: (_, args, context) => previews.preview(context, args) } },
    feedResolvers({ db, feed }),
    scalingResolvers({
      reads: new ScalingReads(db),
      service: scaling,
      balancer: (context, id) => balancers.balancer(context, id),
      node: (context, id) => nodes.node(context, id),
    }),
    trafficResolvers(new TrafficReads({ db, seconds })),
    statisticsResolvers(statistics, (context, kind, id) => parts.part(context, kind, id)),
  ];
  const { link, log, collectd } = options;
  const watcher = new HostWatcher({ db, wake, log });
  let served: LinkServer | undefined;
  let receiver: CollectdReceiver | undefined;
  return {
    subgraph: createSubgraph({ name: 'loadbalancer', sdl, commits, cursors, resolvers }),
    async start() {
      watcher.start();
      if (collectd !== undefined) {
        receiver = await CollectdReceiver.listen({ ...options, ...collectd });
        log.info({ host: collectd.host, port: receiver.port, level: collectd.level }, 'collectds can send values');
      }
      if (link === undefined) return;
      const documents = new NodeDocuments({ db, sealer: options.sealKeys });
      const traffic = new TrafficRecorder({ ...options, seconds, statistics });
      const sessions = new HostSessions({ db, wake, log, documents, traffic });
      const marks = databaseMarks({ db, log, sealer: options.sealKeys });
      const claims = databaseClaims(options);
      const open = sessions.open.bind(sessions);
      served = await LinkServer.listen({ ...link, role: 'lbhost', log, marks, claims, open });
      log.info({ host: link.host, port: served.port }, 'load balancer hosts can connect');
    },
    async drain() {
      await receiver?.stop();
      await served?.drain();
      await watcher.stop();
    },
    async stop() {
      await receiver?.stop();
      await served?.stop();
      await watcher.stop();
    },
  };
}
