// Resolvers of load balancers.
import type { Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { protectionField } from '../../../../platform/edge/deletion-protection.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { invariant } from '../../../../platform/errors/errors.ts';
import { uptimeField } from '../../../../platform/events/uptime/uptime-reads.ts';
import { cmpObjectLink, decodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import type { NodeReads } from '../nodes/node-reads.ts';
import type { PartRow } from '../stores/part-store.ts';
import type { SubnetReads } from '../subnets/subnet-reads.ts';
import type { BalancerReads } from './balancer-reads.ts';
import type { BalancerService } from './balancer-service.ts';
import type { PartReads } from './part-reads.ts';
import type { QuotaService } from './quota-service.ts';
import type { StatusReads } from './status-reads.ts';

interface BalancerResolverDependencies {
  readonly db: Database;
  readonly reads: BalancerReads;
  readonly service: BalancerService;
  readonly parts: PartReads;
  readonly nodes: NodeReads;
  readonly subnets: SubnetReads;
  readonly statuses: StatusReads;
  readonly quotas: QuotaService;
}

export function balancerResolvers(all: BalancerResolverDependencies): Resolvers {
  const { db, reads, service, parts, nodes, subnets, statuses, quotas } = all;
  const byPort = ({ spec }: PartRow) => Number(spec.port);
  return {
    Query: {
      loadBalancer: (_, args, context) => reads.find(context, args),
      loadBalancers: (_, args, context) => reads.page(context, args),
      loadBalancersAt: (_, args, context) => reads.at(context, args),
      loadBalancerQuotas: async (_, { projectId }, context) => [...(await quotas.ofProject(context, projectId))],
    },
    Mutation: {
      loadBalancerCreate: (_, { input }, context) => payload('loadBalancer', service.create(context, input)),
      loadBalancerUpdate: (_, { input }, context) => payload('loadBalancer', service.update(context, input)),
      loadBalancerDelete: (_, { input }, context) =>
        deletePayload('loadBalancer', input.id, service.delete(context, input)),
      loadBalancerQuotaSet: (_, { input }, context) => payload('loadBalancerQuota', quotas.set(context, input)),
    },
    LoadBalancer: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: ({ id }) => encodeId('LoadBalancer', id),
      uptime: uptimeField(db, {
        ...{ subjectType: 'LoadBalancer', kind: 'loadBalancer.operatingStatus', judge: 'loadbalancer' },
        of: ({ id, operatingStatus: status, createdAt }: BalancerRow) => ({ id, status, createdAt }),
      }),
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      deletionProtected: protectionField(db, 'LoadBalancer'),
      cmpObject: cmpObjectLink,
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
      operatingReason: async (row, _, context) => (await statuses.ofBalancer(context, row)).reason,
      fqdn: ({ hostName }) => hostName,
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
      loadBalancers: ({ id }, args, context) => reads.ofProject(context, decodeUuid('Project', id) ?? '', args),
      loadBalancerQuotas: async ({ id }, _, context) => {
        const uuid = decodeUuid('Project', id);
        const found = uuid === undefined ? undefined : await quotas.below(context, uuid);
        return found === undefined ? null : [...found];
      },
    },
    ProjectSubnet: { loadBalancers: ({ id }, args, context) => reads.ofSubnet(context, id, args) },
    CmpObject: {
      __resolveReference: ({ id }) => (decodeCmpObject(id) === undefined ? null : { id }),
      loadBalancers: ({ id }, args, context) => reads.ofCmpObject(context, id, args),
    },
  };
}

/** A caller who sees a node may see its load balancer, whose row outlives the node. */
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
