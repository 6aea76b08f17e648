// The load balancer subgraph: its services and resolvers.
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import type { SubgraphGround } from '../../platform/subgraph-row.ts';
import { BalancerReads } from './balancers/balancer-reads.ts';
import { balancerResolvers } from './balancers/balancer-resolvers.ts';
import { BalancerService } from './balancers/balancer-service.ts';
import { PartReads } from './balancers/part-reads.ts';
import { partResolvers } from './balancers/part-resolvers.ts';
import { PartService } from './balancers/part-service.ts';
import { CertificateReads } from './certificates/certificate-reads.ts';
import { certificateResolvers } from './certificates/certificate-resolvers.ts';
import { CertificateService } from './certificates/certificate-service.ts';
import { type QuotaDefaults, Quotas } from './model/quotas.ts';
import { NodeReads } from './nodes/node-reads.ts';
import { MemberAddresses } from './parts/member-addresses.ts';
import { SubnetReads } from './subnets/subnet-reads.ts';
import { subnetResolvers } from './subnets/subnet-resolvers.ts';
import { SubnetService } from './subnets/subnet-service.ts';

export interface LoadBalancerSettings {
  readonly zone: string;
  readonly defaultCidr: string;
  readonly quotas: QuotaDefaults;
}

export interface LoadBalancerOptions extends SubgraphGround {
  readonly name: string;
  readonly sealKeys: Sealer;
  readonly settings: LoadBalancerSettings;
  readonly projectName: (projectId: string) => Promise<string>;
}

export function createLoadBalancerSubgraph(options: LoadBalancerOptions): Subgraph {
  const { db, wake, mutations, egress, commits, cursors, sdl, settings, projectName } = options;
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
    ...{ ...common, parts: partService, subnets: subnetService, memberAddresses, projectName },
    zone: settings.zone,
  });
  const resolvers = [
    balancerResolvers({ reads: balancers, service: balancerService, parts, nodes, subnets }),
    partResolvers({ reads: parts, service: partService, balancers, certificates, nodes }),
    certificateResolvers({ reads: certificates, service: certificateService }),
    subnetResolvers({ reads: subnets, service: subnetService }),
  ];
  return createSubgraph({ name: 'loadbalancer', sdl, commits, cursors, resolvers });
}
