// The load balancer subgraph: its services and resolvers, and the place where hosts connect.
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
import { CertificateReads } from './certificates/certificate-reads.ts';
import { certificateResolvers } from './certificates/certificate-resolvers.ts';
import { CertificateService } from './certificates/certificate-service.ts';
import { HostSessions } from './hosts/host-sessions.ts';
import { NodeDocuments } from './hosts/node-documents.ts';
import { type QuotaDefaults, Quotas } from './model/quotas.ts';
import { NodeReads } from './nodes/node-reads.ts';
import { MemberAddresses } from './parts/member-addresses.ts';
import { ScalingReads } from './scaling/scaling-reads.ts';
import { scalingResolvers } from './scaling/scaling-resolvers.ts';
import { ScalingService } from './scaling/scaling-service.ts';
import { SubnetReads } from './subnets/subnet-reads.ts';
import { subnetResolvers } from './subnets/subnet-resolvers.ts';
import { SubnetService } from './subnets/subnet-service.ts';

export interface LoadBalancerSettings {
  readonly zone: string;
  readonly defaultCidr: string;
  readonly quotas: QuotaDefaults;
}

export interface LoadBalancerOptions extends SubgraphGround {
  readonly sealKeys: Sealer;
  readonly settings: LoadBalancerSettings;
  /** Where hosts connect; absent: none can. */
  readonly link?: { readonly host: string; readonly port: number; readonly tls: MutualTls };
}

export function createLoadBalancerSubgraph(options: LoadBalancerOptions): RunningSubgraph {
  const { db, wake, mutations, egress, commits, cursors, sdl, settings } = options;
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
    ...{ ...common, parts: partService, subnets: subnetService, memberAddresses },
    zone: settings.zone,
  });
  const resolvers = [
    balancerResolvers({ reads: balancers, service: balancerService, parts, nodes, subnets }),
    partResolvers({ reads: parts, service: partService, balancers, certificates, nodes }),
    certificateResolvers({ reads: certificates, service: certificateService }),
    subnetResolvers({ reads: subnets, service: subnetService }),
    scalingResolvers({
      reads: new ScalingReads(db),
      service: new ScalingService({ db, wake, mutations }),
      balancer: (context, id) => balancers.balancer(context, id),
    }),
  ];
  const { link, log } = options;
  let served: LinkServer | undefined;
  return {
    subgraph: createSubgraph({ name: 'loadbalancer', sdl, commits, cursors, resolvers }),
    async start() {
      if (link === undefined) return;
      const documents = new NodeDocuments({ db, sealer: options.sealKeys });
      const sessions = new HostSessions({ db, wake, log, documents });
      served = await LinkServer.listen({ ...link, role: 'lbhost', log, open: (peer) => sessions.open(peer) });
      log.info({ host: link.host, port: served.port }, 'load balancer hosts can connect');
    },
    drain: () => served?.drain(),
    stop: () => served?.stop(),
  };
}
