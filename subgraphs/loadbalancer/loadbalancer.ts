// The load balancer subgraph: its services and resolvers, and the place where hosts connect.
import type { Resolvers } from '../../generated/graph/loadbalancer.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import type { MutualTls } from '../../platform/graph/tls.ts';
import { LinkServer } from '../../platform/link/link-server.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import type { RunningSubgraph, SubgraphGround } from '../../platform/subgraph-row.ts';
import { BalancerReads } from './balancers/balancer-reads.ts';
import { balancerResolvers } from './balancers/balancer-resolvers.ts';
import { BalancerService } from './balancers/balancer-service.ts';
import { PartReads } from './balancers/part-reads.ts';
import { partResolvers } from './balancers/part-resolvers.ts';
import { PartService } from './balancers/part-service.ts';
import { QuotaService } from './balancers/quota-service.ts';
import { StatusReads } from './balancers/status-reads.ts';
import { CertificateReads } from './certificates/certificate-reads.ts';
import { certificateResolvers } from './certificates/certificate-resolvers.ts';
import { CertificateService } from './certificates/certificate-service.ts';
import { feedResolvers } from './feeds.ts';
import { HostKeeper } from './hosts/host-keeper.ts';
import { HostReads } from './hosts/host-reads.ts';
import { hostResolvers } from './hosts/host-resolvers.ts';
import { HostService } from './hosts/host-service.ts';
import { HostSessions } from './hosts/host-sessions.ts';
import { NodeDocuments } from './hosts/node-documents.ts';
import { Previews } from './hosts/preview.ts';
import { type QuotaDefaults, Quotas } from './model/quotas.ts';
import { NodeReads } from './nodes/node-reads.ts';
import { nodeResolvers } from './nodes/node-resolvers.ts';
import { NodeService } from './nodes/node-service.ts';
import { MemberAddresses } from './parts/member-addresses.ts';
import { ScalingReads } from './scaling/scaling-reads.ts';
import { scalingResolvers } from './scaling/scaling-resolvers.ts';
import { ScalingService } from './scaling/scaling-service.ts';
import { dnsNames } from './stores/dns-names.ts';
import { SubnetReads } from './subnets/subnet-reads.ts';
import { subnetResolvers } from './subnets/subnet-resolvers.ts';
import { SubnetService } from './subnets/subnet-service.ts';
import { CollectdReceiver, type CollectdReceiverOptions } from './traffic/collectd/receiver.ts';
import { TrafficReads } from './traffic/traffic-reads.ts';
import { TrafficRecorder } from './traffic/traffic-recorder.ts';
import { trafficResolvers } from './traffic/traffic-resolvers.ts';
import { TrafficSeconds } from './traffic/traffic-seconds.ts';

export interface LoadBalancerSettings {
  readonly zone: string;
  readonly dnsTtlSeconds: number;
  readonly defaultCidr: string;
  readonly quotas: QuotaDefaults;
}

export interface LoadBalancerOptions extends SubgraphGround {
  readonly sealKeys: Sealer;
  readonly settings: LoadBalancerSettings;
  /** Where hosts connect; absent: none can. */
  readonly link?: { readonly host: string; readonly port: number; readonly tls: MutualTls };
  /** Where collectds send values; absent: nowhere. */
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
    names: dnsNames({ wake, ttlSeconds: settings.dnsTtlSeconds }),
  });
  const seconds = new TrafficSeconds(options);
  const statuses = new StatusReads(db, parts, nodes);
  const scaling = new ScalingService({ db, wake, mutations });
  const previews = new Previews({
    ...{ db, balancers, parts: partService, balancerService, certificates: certificateService, scaling },
  });
  const resolvers: Resolvers[] = [
    balancerResolvers({
      ...{ reads: balancers, service: balancerService, parts, nodes, subnets, statuses },
      quotas: new QuotaService(common),
    }),
    partResolvers({ reads: parts, service: partService, balancers, certificates, nodes, statuses }),
    certificateResolvers({ reads: certificates, service: certificateService }),
    subnetResolvers({ reads: subnets, service: subnetService }),
    nodeResolvers({ reads: nodes, service: new NodeService(common) }),
    hostResolvers({ reads: new HostReads(db), service: new HostService(common) }),
    { Query: { loadBalancerPreview: (_, args, context) => previews.preview(context, args) } },
    feedResolvers({ db, feed }),
    scalingResolvers({
      reads: new ScalingReads(db),
      service: scaling,
      balancer: (context, id) => balancers.balancer(context, id),
    }),
    trafficResolvers(new TrafficReads({ db, seconds })),
  ];
  const { link, log, collectd } = options;
  const keeper = new HostKeeper({ db, wake, log });
  let served: LinkServer | undefined;
  let receiver: CollectdReceiver | undefined;
  return {
    subgraph: createSubgraph({ name: 'loadbalancer', sdl, commits, cursors, resolvers }),
    async start() {
      keeper.start();
      if (collectd !== undefined) {
        receiver = await CollectdReceiver.listen({ ...options, ...collectd });
        log.info({ host: collectd.host, port: receiver.port, level: collectd.level }, 'collectds can send values');
      }
      if (link === undefined) return;
      const documents = new NodeDocuments({ db, sealer: options.sealKeys });
      const traffic = new TrafficRecorder({ ...options, seconds });
      const sessions = new HostSessions({ db, wake, log, documents, traffic });
      served = await LinkServer.listen({ ...link, role: 'lbhost', log, open: (peer) => sessions.open(peer) });
      log.info({ host: link.host, port: served.port }, 'load balancer hosts can connect');
    },
    async drain() {
      await receiver?.stop();
      await served?.drain();
      await keeper.stop();
    },
    async stop() {
      await receiver?.stop();
      await served?.stop();
      await keeper.stop();
    },
  };
}
