// Resolvers of all kinds of parts, made from their descriptions.
import type { Resolvers } from '../../../generated/graph/loadbalancer.ts';
import type { PageArguments } from '../../../platform/graph/connection.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { CertificateReads } from '../certificates/certificate-reads.ts';
import type { ProvisioningStatus } from '../model/states.ts';
import type { NodeReads } from '../nodes/node-reads.ts';
import { type PartKind, partNames } from '../parts/part-kind.ts';
import { partKinds } from '../parts/parts.ts';
import type { PartRow } from '../stores/part-store.ts';
import type { BalancerReads } from './balancer-reads.ts';
import type { PartReads } from './part-reads.ts';
import type { PartService } from './part-service.ts';
import type { StatusReads } from './status-reads.ts';

export interface PartResolverParts {
  readonly reads: PartReads;
  readonly service: PartService;
  readonly balancers: BalancerReads;
  readonly certificates: CertificateReads;
  readonly nodes: NodeReads;
  readonly statuses: StatusReads;
}

type Context = RequestContext;
type Resolver = (row: PartRow, args: PageArguments, context: Context) => unknown;

export function partResolvers(parts: PartResolverParts): Resolvers {
  const { reads, service } = parts;
  const query = partNames.map((name) => [
    lower(name),
    (_: unknown, { id }: { id: string }, context: Context) => reads.byGlobalId(context, name, id),
  ]);
  const changing = (field: string, name: string) => [
    name,
    (_: unknown, { input }: { input: object }, context: Context) =>
      payload(field, service.change(context, name, input)),
  ];
  const mutation = [
    ...partNames.flatMap((name) =>
      ['Create', 'Update', 'Delete'].map((verb) => changing(lower(name), `${lower(name)}${verb}`)),
    ),
    changing('pool', 'poolMembersSet'),
    changing('member', 'memberDrain'),
  ];
  return {
    Query: Object.fromEntries(query),
    Mutation: Object.fromEntries(mutation),
    ...Object.fromEntries(partNames.map((name) => [name, typeResolvers(parts, partKinds[name])])),
  } as Resolvers;
}

function typeResolvers(parts: PartResolverParts, kind: PartKind): Record<string, unknown> {
  const { reads, balancers } = parts;
  const settings = Object.keys(kind.fields).map((name) => [name, settingResolver(parts, kind, name)] as const);
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
    provisioningStatus: (row: PartRow, _: unknown, context: Context) => provisioningOf(parts, context, row),
    operatingStatus: async (row: PartRow, _: unknown, context: Context) =>
      (await parts.statuses.ofPart(context, row)).status,
    statusMessage: async (row: PartRow, _: unknown, context: Context) =>
      (await parts.statuses.ofPart(context, row)).message,
    ...Object.fromEntries(settings),
    ...Object.fromEntries(belowIt.map((child) => [childField(child), childResolver(reads, child)])),
  };
}

function settingResolver({ reads, certificates }: PartResolverParts, kind: PartKind, name: string): Resolver {
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
  if (child.most > 100) return (row, args) => reads.page(child.name, row.id, args);
  return async (row, _, context) => {
    const rows = await reads.children(context, child.name, row.id);
    if (child.most === 1) return rows[0] ?? null;
    const position = ({ spec }: PartRow) => Number(spec.position ?? 0);
    return rows.toSorted((a, b) => position(a) - position(b));
  };
}

/** Like its load balancer, until all nodes have the generation of its last change. */
async function provisioningOf(
  { balancers, nodes }: PartResolverParts,
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

function childField({ name, most }: PartKind): string {
  if (most === 1) return lower(name);
  return name === 'L7Policy' ? 'l7Policies' : `${lower(name)}s`;
}

function lower<Name extends string>(name: Name): Uncapitalize<Name> {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}` as Uncapitalize<Name>;
}
