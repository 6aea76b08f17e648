// Resolvers of GSLB objects, made from their descriptions where they only show settings.
import type { Resolvers } from '../../../generated/graph/gslb.ts';
import { decodeCmpObject, encodeCmpObject } from '../../../platform/graph/cmp-object.ts';
import type { PageArguments } from '../../../platform/graph/connection.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { FlipRow } from '../conductor/history-store.ts';
import type {
  MemberObject,
  MonitorObject,
  NameRow,
  ObjectRows,
  ObjectType,
  PoolObject,
} from '../conductor/object-store.ts';
import type { PresentVote } from '../conductor/present-votes.ts';
import { monitorsFor, namesUsing, usesOf } from '../conductor/use-store.ts';
import type { GslbKind } from '../parts/kind.ts';
import { gslbKinds } from '../parts/kinds.ts';
import type { DnsBackendService } from './dns-backend-service.ts';
import type { MemberService } from './member-service.ts';
import { knownTypes } from './monitor-types.ts';
import type { ObjectReads } from './object-reads.ts';
import type { ObjectService, ServiceParts } from './object-service.ts';
import { settingsOf } from './shown-settings.ts';
import type { ZoneKeyService } from './zone-key-service.ts';

type Context = RequestContext;
type AnyService = Pick<ObjectService<ObjectType>, 'create' | 'update' | 'delete'>;

export interface ResolverParts {
  readonly db: ServiceParts['db'];
  readonly reads: ObjectReads;
  readonly services: Readonly<Record<ObjectType, AnyService>>;
  readonly members: MemberService;
  readonly zoneKeys: ZoneKeyService;
  readonly backends: DnsBackendService;
}

export function objectResolvers(parts: ResolverParts): Resolvers {
  const { reads, services, members, zoneKeys, db, backends } = parts;
  const backend = (context: Context, id: string | null | undefined) => (id == null ? null : backends.one(context, id));
  const query = gslbKinds.map(({ name }) => [
    lower(name),
    (_: unknown, { id }: { id: string }, context: Context) => reads.byGlobalId(context, name as ObjectType, id),
  ]);
  const mutation = gslbKinds.flatMap(({ name }) =>
    (['Create', 'Update', 'Delete'] as const).map((verb) => [
      `${lower(name)}${verb}`,
      (_: unknown, { input }: { input: never }, context: Context) =>
        payload(lower(name), services[name as ObjectType][lower(verb) as 'create'](context, input)),
    ]),
  );
  const written: Resolvers = {
    Query: {
      gslbs: ((_: unknown, args: PageArguments & { fqdn?: string | null }, context: Context) =>
        reads.page(context, 'Gslb', args, args.fqdn == null ? {} : { equal: { fqdn: args.fqdn } })) as never,
      gslbPools: (_, args, context) => reads.page(context, 'GslbPool', args),
      gslbMonitors: (_, args, context) => reads.page(context, 'GslbMonitor', args),
      gslbFlavors: (_, args, context) => reads.page(context, 'GslbFlavor', args),
      gslbVantagePoints: (_, args, context) => reads.page(context, 'GslbVantagePoint', args),
      dnsZones: (_, args, context) => reads.page(context, 'DnsZone', args),
      gslbHistory: (_, args, context) => reads.history(context, args),
      gslbMonitorTypes: () => knownTypes(db),
    },
    Mutation: {
      gslbPoolMonitorAttach: (_, { input }, context) => payload('gslbMonitor', members.attach(context, input)),
      gslbPoolMonitorDetach: (_, { input }, context) => payload('gslbMonitor', members.detach(context, input)),
      gslbPoolMemberAdminStateSet: (_, { input }, context) =>
        payload('gslbPoolMember', members.setState(context, input)),
      gslbPoolMemberRelease: (_, { input }, context) => payload('gslbPoolMember', members.release(context, input)),
      dnsZoneKeyRollBegin: (_, { input }, context) => payload('dnsZone', zoneKeys.begin(context, input)),
      dnsZoneKeyRollConfirm: (_, { input }, context) => payload('dnsZone', zoneKeys.confirm(context, input)),
      dnsZoneKeyRollCancel: (_, { input }, context) => payload('dnsZone', zoneKeys.cancel(context, input)),
      gslbFreeze: (_, { input }, context) => payload('gslb', members.freeze(context, input)),
    },
    GslbFlip: {
      member: ({ memberId }: FlipRow, _: unknown, context: Context) =>
        alive(reads.object(context, 'GslbPoolMember', memberId)),
    },
    GslbPoolMemberVote: {
      monitor: (vote: PresentVote, _: unknown, context: Context) =>
        reads.object(context, 'GslbMonitor', vote.monitorId),
      ageSeconds: ({ ageMs }: PresentVote) => (ageMs === null ? null : ageMs / 1_000),
    },
    Project: {
      __resolveReference: ({ id }) => ({ id }),
      gslbs: ({ id }, args, context) => reads.page(context, 'Gslb', { ...args, projectId: id }),
    },
    CmpObject: {
      __resolveReference: ({ id }) => (decodeCmpObject(id) === undefined ? null : { id }),
      gslbs: ({ id }, args, context) => {
        const cmp = decodeCmpObject(id);
        const equal = {
          cmp_namespace: cmp?.namespace ?? null,
          cmp_type: cmp?.type ?? null,
          cmp_id: cmp?.externalId ?? null,
        };
        return reads.page(context, 'Gslb', args, { equal });
      },
    },
  };
  const extra: Readonly<Record<ObjectType, object>> = {
    Gslb: {
      cmpObject: ({ cmpNamespace: namespace, cmpType: type, cmpId: externalId }: NameRow) =>
        namespace === null || type === null || externalId === null
          ? null
          : { id: encodeCmpObject({ namespace, type, externalId }) },
      flavor: ({ flavorId }: NameRow, _: unknown, context: Context) => reads.object(context, 'GslbFlavor', flavorId),
      pools: async ({ id }: NameRow, _: unknown, context: Context) =>
        present(
          await Promise.all((await reads.poolsOf(id)).pools.map((pool) => reads.object(context, 'GslbPool', pool))),
        ),
      fallbackPool: async ({ id }: NameRow, _: unknown, context: Context) => {
        const { fallback } = await reads.poolsOf(id);
        return fallback === null ? null : reads.object(context, 'GslbPool', fallback);
      },
      history: ({ id }: NameRow, args: PageArguments, context: Context) =>
        reads.history(context, { ...args, gslbId: encodeId('Gslb', id) }),
    },
    GslbPool: {
      members: ({ id }: PoolObject, args: PageArguments, context: Context) =>
        reads.page(context, 'GslbPoolMember', args, { equal: { pool_id: id } }),
      monitors: ({ id }: PoolObject, _: unknown, context: Context) => monitors(context, { poolId: id }),
      gslbs: async ({ id }: PoolObject, args: PageArguments, context: Context) =>
        reads.page(context, 'Gslb', args, { among: await namesUsing(db, [id]) }),
    },
    GslbPoolMember: {
      pool: ({ poolId }: MemberObject, _: unknown, context: Context) => reads.object(context, 'GslbPool', poolId),
      monitors: ({ id }: MemberObject, _: unknown, context: Context) => monitors(context, { memberId: id }),
      votes: ({ id }: MemberObject, _: unknown, context: Context) => reads.votes(context, id),
    },
    GslbMonitor: {
      pools: async ({ id }: MonitorObject, args: PageArguments, context: Context) =>
        reads.page(context, 'GslbPool', args, { among: (await usesOf(db, id)).poolIds }),
      poolMembers: async ({ id }: MonitorObject, args: PageArguments, context: Context) =>
        reads.page(context, 'GslbPoolMember', args, { among: (await usesOf(db, id)).memberIds }),
    },
    GslbFlavor: {
      backend: ({ spec }: ObjectRows['GslbFlavor'], _: unknown, context: Context) => backend(context, spec.backend),
      backendType: ({ spec }: ObjectRows['GslbFlavor']) => spec.backendType ?? 'ANSWERER',
    },
    GslbVantagePoint: {},
    DnsZone: {
      backend: ({ backendId }: ObjectRows['DnsZone'], _: unknown, context: Context) => backend(context, backendId),
      rights: ({ spec }: ObjectRows['DnsZone']) =>
        spec.rights.map(({ suffix, projectId }) => ({
          suffix,
          projectId: projectId === null ? null : encodeId('Project', projectId),
        })),
    },
  };
  const types = gslbKinds.map((kind) => [
    kind.name,
    { ...typeResolvers(reads, kind), ...extra[kind.name as ObjectType] },
  ]);
  return {
    ...written,
    ...Object.fromEntries(types),
    Query: { ...Object.fromEntries(query), ...written.Query },
    Mutation: { ...Object.fromEntries(mutation), ...written.Mutation },
  } as Resolvers;

  async function monitors(context: Context, used: Parameters<typeof monitorsFor>[1]) {
    const ids = await monitorsFor(db, used);
    return present(await Promise.all(ids.map((id) => reads.object(context, 'GslbMonitor', id))));
  }
}

function typeResolvers(reads: ObjectReads, kind: GslbKind): object {
  const type = kind.name as ObjectType;
  const settings = Object.entries(kind.fields)
    .filter(([, { refersTo }]) => refersTo === undefined)
    .map(([name]) => [name, (row: ObjectRows[ObjectType]) => settingsOf(type, row)[name] ?? null]);
  const project = { project: ({ projectId }: { projectId: string }) => ({ id: encodeId('Project', projectId) }) };
  return {
    __resolveReference: ({ id }: { id: string }, context: Context) => reads.byGlobalId(context, type, id),
    id: ({ id }: { id: string }) => encodeId(type, id),
    ...(kind.owner === 'PROJECT' ? project : {}),
    ...Object.fromEntries(settings),
  };
}

async function alive<Row extends { readonly deleted: boolean }>(reading: Promise<Row | null>): Promise<Row | null> {
  const row = await reading;
  return row?.deleted === true ? null : row;
}

function present<Row>(rows: readonly (Row | null)[]): Row[] {
  return rows.filter((row) => row !== null);
}

function lower(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}
