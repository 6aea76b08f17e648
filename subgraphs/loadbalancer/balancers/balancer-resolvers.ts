// Resolvers of load balancers.
import type { Resolvers } from '../../../generated/graph/loadbalancer.ts';
import { invariant } from '../../../platform/errors.ts';
import { decodeCmpObject, encodeCmpObject } from '../../../platform/graph/cmp-object.ts';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { NodeReads } from '../nodes/node-reads.ts';
import type { BalancerRow } from '../stores/balancer-store.ts';
import type { PartRow } from '../stores/part-store.ts';
import type { SubnetReads } from '../subnets/subnet-reads.ts';
import type { BalancerReads } from './balancer-reads.ts';
import type { BalancerService } from './balancer-service.ts';
import type { PartReads } from './part-reads.ts';
import type { QuotaService } from './quota-service.ts';
import type { StatusReads } from './status-reads.ts';

export interface BalancerResolverParts {
  readonly reads: BalancerReads;
  readonly service: BalancerService;
  readonly parts: PartReads;
  readonly nodes: NodeReads;
  readonly subnets: SubnetReads;
  readonly statuses: StatusReads;
  readonly quotas: QuotaService;
}

export function balancerResolvers(all: BalancerResolverParts): Resolvers {
  const { reads, service, parts, nodes, subnets, statuses, quotas } = all;
  const byPort = ({ spec }: PartRow) => Number(spec.port);
  return {
    Query: {
      loadBalancer: (_, { id }, context) => reads.byGlobalId(context, id),
      loadBalancers: (_, args, context) => reads.page(context, args),
      loadBalancerQuotas: async (_, { projectId }, context) => [...(await quotas.ofProject(context, projectId))],
    },
    Mutation: {
      loadBalancerCreate: (_, { input }, context) => payload('loadBalancer', service.create(context, input)),
      loadBalancerUpdate: (_, { input }, context) => payload('loadBalancer', service.update(context, input)),
      loadBalancerDelete: (_, { input }, context) => payload('loadBalancer', service.delete(context, input)),
      loadBalancerQuotaSet: (_, { input }, context) => payload('loadBalancerQuota', quotas.set(context, input)),
    },
    LoadBalancer: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: ({ id }) => encodeId('LoadBalancer', id),
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      cmpObject: ({ cmpNamespace: namespace, cmpType: type, cmpId: externalId }) =>
        namespace === null || type === null || externalId === null
          ? null
          : { id: encodeCmpObject({ namespace, type, externalId }) },
      urls: async (row, _, context) => {
        const listeners = await parts.children(context, 'Listener', row.id);
        return listeners.toSorted((a, b) => byPort(a) - byPort(b)).map((listener) => urlOf(row, listener));
      },
      addresses: async (row, _, context) => {
        const used = await nodes.ofBalancer(context, row.id);
        return used.flatMap(({ state, inDnsAt, address }) =>
          state === 'SERVING' && inDnsAt !== null && address !== null ? [address] : [],
        );
      },
      operatingStatus: async (row, _, context) => (await statuses.ofBalancer(context, row)).status,
      statusMessage: async (row, _, context) => (await statuses.ofBalancer(context, row)).message,
      subnet: (row, _, context) => subnets.subnet(context, row.subnetId),
      nodeSize: ({ nodeConnections: connections, nodeThreads: threads }) => ({ connections, threads }),
      listeners: async (row, _, context) =>
        (await parts.children(context, 'Listener', row.id)).toSorted((a, b) => byPort(a) - byPort(b)),
      pools: async (row, _, context) => [...(await parts.children(context, 'Pool', row.id))],
      nodes: async (row, _, context) => [...(await nodes.ofBalancer(context, row.id))],
    },
    LoadBalancerNode: {
      loadBalancer: ({ loadBalancerId }, _, context) => found(reads.balancer(context, loadBalancerId)),
    },
    Project: {
      __resolveReference: ({ id }) => ({ id }),
      loadBalancers: ({ id }, args, context) =>
        reads.page(context, args, { projectId: decodeUuid('Project', id) ?? '' }),
    },
    ProjectSubnet: { loadBalancers: ({ id }, args, context) => reads.page(context, args, { subnetId: id }) },
    CmpObject: {
      __resolveReference: ({ id }) => (decodeCmpObject(id) === undefined ? null : { id }),
      loadBalancers: async ({ id }, args, context) => {
        const cmp = decodeCmpObject(id);
        return reads.page(context, args, cmp === undefined ? { projectId: '' } : { cmp });
      },
    },
  };
}

/** Whoever sees a node sees its load balancer, whose row outlives it. */
async function found(reading: Promise<BalancerRow | null>): Promise<BalancerRow> {
  const row = await reading;
  invariant(row !== null, 'a node has a load balancer');
  return row;
}

const schemes: Readonly<Record<string, readonly [string, number]>> = {
  HTTP: ['http', 80],
  TERMINATED_HTTPS: ['https', 443],
  HTTPS: ['https', 443],
  TCP: ['tcp', 0],
};

function urlOf({ hostName }: BalancerRow, { spec }: PartRow): string {
  const [scheme, usual] = schemes[String(spec.protocol)] ?? ['tcp', 0];
  const port = Number(spec.port);
  return `${scheme}://${hostName}${port === usual ? '' : `:${port}`}/`;
}
