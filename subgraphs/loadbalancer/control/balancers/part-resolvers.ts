// Resolvers of all kinds of parts, generated from their descriptions.
import type { Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { uptimeField } from '../../../../platform/events/uptime/uptime-reads.ts';
import type { PageArguments } from '../../../../platform/pages/connection.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { ProvisioningStatus } from '../../rules/states.ts';
import { childFields, type PartKind, partNames } from '../../spec/part-kind.ts';
import { partKinds } from '../../spec/parts.ts';
import type { CertificateReads } from '../certificates/certificate-reads.ts';
import type { NodeReads } from '../nodes/node-reads.ts';
import type { PartRow } from '../stores/part-store.ts';
import type { BalancerReads } from './balancer-reads.ts';
import type { PartReads } from './part-reads.ts';
import type { PartService } from './part-service.ts';
import type { StatusReads } from './status-reads.ts';

interface PartResolverDependencies {
  readonly db: Database;
  readonly reads: PartReads;
  readonly service: PartService;
  readonly balancers: BalancerReads;
  readonly certificates: CertificateReads;
  readonly nodes: NodeReads;
  readonly statuses: StatusReads;
}

type Context = RequestContext;
type Resolver = (row: PartRow, args: PageArguments, context: Context) => unknown;

export function partResolvers(dependencies: PartResolverDependencies): Resolvers {
  const { reads, service } = dependencies;
  const query = partNames.map((name) => [
    lower(name),
    (_: unknown, { id }: { id: string }, context: Context) => reads.byGlobalId(context, name, id),
  ]);
  const changing = (field: string, name: string) => [
    name,
    (_: unknown, { input }: { input: object }, context: Context) =>
      payload(field, service.change(context, name, input)),
  ];
  const deleting = (field: string) => [
    `${field}Delete`,
    (_: unknown, { input }: { input: { readonly id: string } }, context: Context) =>
      deletePayload(field, input.id, service.change(context, `${field}Delete`, input)),
  ];
  const mutation = [
    ...partNames.flatMap((name) => {
      const field = lower(name);
      return [changing(field, `${field}Create`), changing(field, `${field}Update`), deleting(field)];
    }),
    changing('pool', 'poolMembersSet'),
    changing('poolMember', 'poolMemberDrain'),
    changing('poolMember', 'poolMemberDrainCancel'),
  ];
  return {
    Query: Object.fromEntries(query),
    Mutation: Object.fromEntries(mutation),
    ...Object.fromEntries(partNames.map((name) => [name, typeResolvers(dependencies, partKinds[name])])),
  } as Resolvers;
}

function typeResolvers(dependencies: PartResolverDependencies, kind: PartKind): Record<string, unknown> {
  const { reads, balancers } = dependencies;
  const settings = Object.keys(kind.fields).map((name) => [name, settingResolver(dependencies, kind, name)] as const);
  const belowIt = partNames.map((name) => partKinds[name]).filter(({ parent }) => parent === kind.name);
  const parent: Resolver = (row, _, context) =>
    kind.parent === 'LoadBalancer'
      ? balancers.balancer(context, row.parentId)
      : reads.part(context, kind.parent, row.parentId);
  return {
    __resolveReference: ({ id }: { id: string }, context: Context) => reads.byGlobalId(context, kind.name, id),
    id: ({ id }: PartRow) => encodeId(kind.name, id),
    loadBalancer: (row: PartRow, _: unknown, context: Context) => balancers.balancer(context, row.loadBalancerId),
    [lower(kind.parent)]: parent,
    provisioningStatus: (row: PartRow, _: unknown, context: Context) => provisioningOf(dependencies, context, row),
    operatingStatus: async (row: PartRow, _: unknown, context: Context) =>
      (await dependencies.statuses.ofPart(context, row)).status,
    operatingReason: async (row: PartRow, _: unknown, context: Context) =>
      (await dependencies.statuses.ofPart(context, row)).reason,
    ...(kind.name === 'Pool' ? poolUsers(reads) : {}),
    ...(kind.name === 'PoolMember' ? { uptime: uptimeOfMembers(dependencies.db) } : {}),
    ...Object.fromEntries(settings),
    ...Object.fromEntries(belowIt.map((child) => [childFields[child.name], childResolver(reads, child)])),
  };
}

function uptimeOfMembers(db: Database) {
  return uptimeField<PartRow>(db, {
    ...{ subjectType: 'PoolMember', kind: 'poolMember.operatingStatus', judge: 'loadbalancer' },
    of: ({ id, operatingStatus: status, createdAt }) => ({ id, status, createdAt }),
  });
}

/** What sends requests to a pool. */
function poolUsers(reads: PartReads): Record<string, Resolver> {
  return {
    listeners: async ({ id }, _, context) => [...(await reads.users(context, 'Listener', id))],
    l7Policies: async ({ id }, _, context) => [...(await reads.users(context, 'L7Policy', id))],
  };
}

function settingResolver({ reads, certificates }: PartResolverDependencies, kind: PartKind, name: string): Resolver {
  const { refersTo } = kind.fields[name] ?? {};
  if (refersTo === undefined) return ({ spec }) => spec[name];
  const read = (context: Context, id: string) =>
    refersTo === 'TlsCertificate' ? certificates.certificate(context, id) : reads.part(context, refersTo, id);
  return async ({ spec }, _, context) => {
    const value = spec[name] as string | readonly string[] | null;
    if (value === null) return null;
    if (typeof value === 'string') return read(context, value);
    const found = await Promise.all(value.map((id) => read(context, id)));
    return found.filter((each) => each !== null);
  };
}

function childResolver(reads: PartReads, child: PartKind): Resolver {
  if (child.most > 100) return (row, args, context) => reads.page(context, child.name, row.id, args);
  return async (row, _, context) => {
    const rows = await reads.children(context, child.name, row.id);
    if (child.most === 1) return rows[0] ?? null;
    const position = ({ spec }: PartRow) => Number(spec.position ?? 0);
    return rows.toSorted((a, b) => position(a) - position(b));
  };
}

/** The state of its load balancer, until all nodes have the generation of the part's last change. */
async function provisioningOf(
  { balancers, nodes }: PartResolverDependencies,
  context: Context,
  row: PartRow,
): Promise<ProvisioningStatus> {
  if (row.deleted) return 'DELETED';
  const balancer = await balancers.balancer(context, row.loadBalancerId);
  if (balancer === null || balancer.provisioningStatus === 'ACTIVE') return 'ACTIVE';
  if (balancer.provisioningStatus === 'DELETING' || balancer.provisioningStatus === 'DELETED')
    return balancer.provisioningStatus;
  const applied = await nodes.appliedGeneration(context, row.loadBalancerId);
  return row.generation <= applied ? 'ACTIVE' : balancer.provisioningStatus;
}

function lower<Name extends string>(name: Name): Uncapitalize<Name> {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}` as Uncapitalize<Name>;
}
