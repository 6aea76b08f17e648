// Resolvers of GSLB entities, made from their descriptions where they only show settings.
import type { Resolvers } from '../../../../generated/graph/gslb.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { protectionField } from '../../../../platform/edge/deletion-protection.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { uptimeField } from '../../../../platform/events/uptime/uptime-reads.ts';
import { maySee } from '../../../../platform/input/authorise.ts';
import { cmpObjectLink, decodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import type { PageArguments } from '../../../../platform/pages/connection.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import { shownParameters, typeOfParameters } from '../../spec/check-parameters.ts';
import type { GslbKind } from '../../spec/kind.ts';
import { gslbKinds } from '../../spec/kinds.ts';
import type { BallotRow, FlipRow } from '../stores/history-store.ts';
import type { PresentVote } from '../verdicts/present-votes.ts';
import type { DnsBackendService } from './dns-backend-service.ts';
import type { EntityReads } from './entity-reads.ts';
import type { EntityService, ServiceDependencies } from './entity-service.ts';
import {
  childLists,
  type EntityRows,
  type EntityType,
  type ListedType,
  type MemberEntity,
  type MonitorEntity,
  type NameRow,
  type PoolEntity,
} from './entity-store.ts';
import { projectUuid } from './handlers.ts';
import type { MemberService } from './member-service.ts';
import { type KnownType, knownTypes } from './monitor-types.ts';
import { type GslbQuotas, readQuotas } from './project-store.ts';
import { settingsOf } from './shown-settings.ts';
import type { Use } from './use-store.ts';
import type { ZoneKeyService } from './zone-key-service.ts';

const namesOfPool: Use = {
  owner: Symbol('GSLBs by pool'),
  table: 'gslb_pool_use',
  index: 'gslb_pool_use_pool_idx',
  user: 'gslb_id',
  used: 'pool_id',
  // EXISTS could become a join that begins with all GSLBs.
  shown: '(SELECT g.deleted_at IS NULL FROM gslb g WHERE g.id = gslb_pool_use.gslb_id) = 1',
};
const poolsOfMonitor: Use = {
  owner: Symbol('pools by monitor'),
  table: 'gslb_monitor_use',
  index: 'gslb_monitor_use_pool_key',
  user: 'pool_id',
  used: 'monitor_id',
  // A deleted pool has no uses.
  shown: 'pool_id IS NOT NULL',
};
const membersOfMonitor: Use = {
  owner: Symbol('members by monitor'),
  table: 'gslb_monitor_use',
  index: 'gslb_monitor_use_member_key',
  user: 'member_id',
  used: 'monitor_id',
  // A deleted member has no uses.
  shown: 'member_id IS NOT NULL',
};

const quotasByProject = Symbol('quotas by project');

/** Verdicts change only while checkers report, whose times are recorded under this name. */
export const gslbJudge = 'gslb-checks';

type Context = RequestContext;
type AnyService = Pick<EntityService<EntityType>, 'create' | 'update' | 'delete'>;

interface ResolverDependencies {
  readonly db: ServiceDependencies['db'];
  readonly reads: EntityReads;
  readonly services: Readonly<Record<EntityType, AnyService>>;
  readonly members: MemberService;
  readonly zoneKeys: ZoneKeyService;
  readonly backends: DnsBackendService;
  readonly quotas: GslbQuotas;
}

export function entityResolvers(dependencies: ResolverDependencies): Resolvers {
  const { reads, services } = dependencies;
  const fields = kindFields(dependencies);
  const types = gslbKinds.map((kind) => [
    kind.name,
    { ...typeResolvers(reads, kind), ...fields[kind.name as EntityType] },
  ]);
  return {
    ...historyResolvers(reads),
    ...otherOwnersResolvers(dependencies),
    ...Object.fromEntries(types),
    Query: { ...kindQueries(reads), ...listQueries(dependencies) },
    Mutation: { ...kindMutations(services), ...furtherMutations(dependencies) },
  } as Resolvers;
}

function kindQueries(reads: EntityReads): object {
  const queries = gslbKinds.map(({ name }) => [
    lower(name),
    (_: unknown, args: { readonly id?: string | null; readonly projectId?: string | null }, context: Context) =>
      name === 'GslbPoolMember'
        ? reads.byGlobalId(context, name, args.id ?? '')
        : reads.byKey(context, name as ListedType, args),
  ]);
  return Object.fromEntries(queries);
}

function kindMutations(services: ResolverDependencies['services']): object {
  const mutations = gslbKinds.flatMap(({ name }) =>
    (['Create', 'Update', 'Delete'] as const).map((verb) => [
      `${lower(name)}${verb}`,
      (_: unknown, { input }: { input: never }, context: Context) =>
        verb === 'Delete'
          ? deletePayload(
              lower(name),
              (input as { readonly id: string }).id,
              services[name as EntityType].delete(context, input),
            )
          : payload(lower(name), services[name as EntityType][lower(verb) as 'create'](context, input)),
    ]),
  );
  return Object.fromEntries(mutations);
}

function listQueries({ reads, db }: ResolverDependencies): Required<Resolvers>['Query'] {
  return {
    gslbs: (_, args, context) => reads.page(context, 'Gslb', args),
    gslbsAt: (_, args, context) => reads.namesAt(context, args),
    gslbPools: (_, args, context) => reads.page(context, 'GslbPool', args),
    gslbMonitors: (_, args, context) => reads.page(context, 'GslbMonitor', args),
    gslbFlavors: (_, args, context) => reads.page(context, 'GslbFlavor', args),
    gslbVantagePoints: (_, args, context) => reads.page(context, 'GslbVantagePoint', args),
    dnsZones: (_, args, context) => reads.page(context, 'DnsZone', args),
    gslbHistory: (_, args, context) => reads.history(context, args),
    gslbMonitorTypes: () => knownTypes(db),
  };
}

function furtherMutations({ members, zoneKeys }: ResolverDependencies): Required<Resolvers>['Mutation'] {
  return {
    gslbPoolMonitorAttach: (_, { input }, context) => payload('gslbMonitor', members.attach(context, input)),
    gslbPoolMonitorDetach: (_, { input }, context) => payload('gslbMonitor', members.detach(context, input)),
    gslbPoolMemberAdminStateSet: (_, { input }, context) => payload('gslbPoolMember', members.setState(context, input)),
    gslbPoolMemberRelease: (_, { input }, context) => payload('gslbPoolMember', members.release(context, input)),
    dnsZoneKeyRollBegin: (_, { input }, context) => payload('dnsZone', zoneKeys.begin(context, input)),
    dnsZoneKeyRollConfirm: (_, { input }, context) => payload('dnsZone', zoneKeys.confirm(context, input)),
    dnsZoneKeyRollCancel: (_, { input }, context) => payload('dnsZone', zoneKeys.cancel(context, input)),
    gslbFreeze: (_, { input }, context) => payload('gslb', members.freeze(context, input)),
    gslbUnfreeze: (_, { input }, context) => payload('gslb', members.unfreeze(context, input)),
  };
}

/** What was voted and measured, and the types of checks. */
function historyResolvers(reads: EntityReads): object {
  return {
    GslbMonitorSchema: {
      checkType: ({ type }: KnownType) => type,
      vantagePointNames: ({ vantagePoints }: KnownType) => vantagePoints,
      vantagePoints: ({ vantagePoints }: KnownType, _: unknown, context: Context) =>
        vantagePoints === null ? null : reads.vantagePointsNamed(context, vantagePoints),
    },
    GslbPluginParameters: {
      schema: (shown: object, _: unknown, context: Context) => {
        const { plugin } = shown as { readonly plugin?: string | null };
        return plugin == null ? null : reads.schemaOfPlugin(context, plugin);
      },
    },
    GslbBallot: {
      vantagePointName: ({ vantagePoint }: BallotRow) => vantagePoint,
      vantagePoint: ({ vantagePoint }: BallotRow, _: unknown, context: Context) =>
        reads.vantagePointNamed(context, vantagePoint),
    },
    GslbFlip: {
      changedAt: ({ at }: FlipRow) => at,
      verdictBefore: ({ before }: FlipRow) => before,
      verdictAfter: ({ after }: FlipRow) => after,
      member: ({ memberId }: FlipRow, _: unknown, context: Context) =>
        alive(reads.entity(context, 'GslbPoolMember', memberId)),
    },
    GslbPoolMemberVote: {
      monitor: (vote: PresentVote, _: unknown, context: Context) =>
        reads.entity(context, 'GslbMonitor', vote.monitorId),
      verdictAt: ({ since }: PresentVote) => since,
      vantagePointName: ({ vantagePoint }: PresentVote) => vantagePoint,
      vantagePoint: ({ vantagePoint }: PresentVote, _: unknown, context: Context) =>
        reads.vantagePointNamed(context, vantagePoint),
    },
  };
}

/** Fields on types of other subgraphs. */
function otherOwnersResolvers({ reads, db, quotas }: ResolverDependencies): Resolvers {
  return {
    Project: {
      __resolveReference: ({ id }) => ({ __typename: 'Project', id }),
      gslbs: ({ id }, args, context) => reads.namesOfProject(context, decodeUuid('Project', id) ?? '', args),
      async gslbQuotas({ id }, _, context) {
        const uuid = decodeUuid('Project', id);
        if (uuid === undefined || !maySee(context.identity, uuid)) return null;
        const found = await loader(context, quotasByProject, uuid, (ids) => readQuotas(db, ids, quotas));
        return found === undefined ? null : [...found];
      },
    },
    LoadBalancer: {
      __resolveReference: ({ id }) => ({ __typename: 'LoadBalancer', id }),
      gslbPoolMembers: ({ id }, args, context) =>
        reads.followersOf(context, decodeUuid('LoadBalancer', id) ?? '', args),
    },
    CmpObject: {
      __resolveReference: ({ id }) => (decodeCmpObject(id) === undefined ? null : { __typename: 'CmpObject', id }),
      gslbs: ({ id }, args, context) => reads.namesOfCmpObject(context, id, args),
    },
  };
}

/** The fields of each kind that are no settings. */
function kindFields({ reads, db, backends }: ResolverDependencies): Readonly<Record<EntityType, object>> {
  const backend = (context: Context, id: string | null | undefined) => (id == null ? null : backends.one(context, id));
  return {
    Gslb: nameFields(reads, db),
    GslbPoolMember: memberFields(reads, db),
    GslbPool: {
      members: ({ id }: PoolEntity, args: PageArguments, context: Context) =>
        reads.pageOf(context, childLists.poolMembers, id, args),
      monitors: ({ id }: PoolEntity, _: unknown, context: Context) => reads.monitorsOf(context, 'pool_id', id),
      gslbs: async ({ id }: PoolEntity, args: PageArguments, context: Context) =>
        reads.pageOfUsers(context, 'Gslb', namesOfPool, id, args),
    },
    GslbMonitor: {
      parameters: ({ spec: { type, plugin, parameters } }: MonitorEntity) => {
        const shown = shownParameters(type, parameters, { filled: true });
        return shown === null ? null : { ...shown, plugin: plugin ?? null };
      },
      attachedPools: async ({ id }: MonitorEntity, args: PageArguments, context: Context) =>
        reads.pageOfUsers(context, 'GslbPool', poolsOfMonitor, id, args),
      poolMembers: async ({ id }: MonitorEntity, args: PageArguments, context: Context) =>
        reads.pageOfUsers(context, 'GslbPoolMember', membersOfMonitor, id, args),
    },
    GslbFlavor: {
      backend: ({ spec }: EntityRows['GslbFlavor'], _: unknown, context: Context) => backend(context, spec.backend),
      backendType: ({ spec }: EntityRows['GslbFlavor']) => spec.backendType ?? 'ANSWERER',
      vantagePoints: ({ spec }: EntityRows['GslbFlavor'], _: unknown, context: Context) =>
        reads.vantagePointsNamed(context, spec.vantagePoints),
    },
    GslbVantagePoint: {},
    DnsZone: {
      deletionProtected: protectionField(db, 'DnsZone'),
      backend: ({ backendId }: EntityRows['DnsZone'], _: unknown, context: Context) => backend(context, backendId),
      rights: ({ spec }: EntityRows['DnsZone']) =>
        spec.rights.map(({ suffix, projectId, allows = [] }) => ({
          ...{ allows, suffix },
          project: projectId === null ? null : { id: encodeId('Project', projectId) },
        })),
      gslbs: ({ name }: EntityRows['DnsZone'], args: PageArguments, context: Context) =>
        reads.pageOf(context, childLists.zoneGslbs, name, args),
    },
  };
}

function nameFields(reads: EntityReads, db: ServiceDependencies['db']): object {
  return {
    deletionProtected: protectionField(db, 'Gslb'),
    uptime: uptimeField(db, {
      ...{ subjectType: 'Gslb', kind: 'gslb.operatingStatus', judge: gslbJudge },
      of: ({ id, operatingStatus: status, createdAt }: NameRow) => ({ id, status, createdAt }),
    }),
    cmpObject: cmpObjectLink,
    zoneName: ({ zone }: NameRow) => zone,
    dnsZone: ({ zone }: NameRow, _: unknown, context: Context) => reads.zoneNamed(context, zone),
    pendingAction: ({ action }: NameRow) => action,
    operatingStatus: ({ operatingStatus }: NameRow) => operatingStatus ?? 'UNKNOWN',
    operatingReason: ({ statusMessage }: NameRow) => statusMessage,
    sharedWithProjects: ({ spec }: NameRow, _: unknown, { identity }: Context) =>
      (spec.given.sharedWithProjectIds as readonly string[]).flatMap((given) => {
        const uuid = projectUuid(given);
        return uuid !== undefined && maySee(identity, uuid) ? [{ id: encodeId('Project', uuid) }] : [];
      }),
    flavor: ({ flavorId }: NameRow, _: unknown, context: Context) => reads.entity(context, 'GslbFlavor', flavorId),
    pools: async ({ id }: NameRow, _: unknown, context: Context) =>
      present(
        await Promise.all(
          (await reads.poolsOf(context, id)).pools.map((pool) => reads.entity(context, 'GslbPool', pool)),
        ),
      ),
    fallbackPool: async ({ id }: NameRow, _: unknown, context: Context) => {
      const { fallback } = await reads.poolsOf(context, id);
      return fallback === null ? null : reads.entity(context, 'GslbPool', fallback);
    },
    history: ({ id }: NameRow, args: PageArguments, context: Context) => reads.historyOf(context, id, args),
  };
}

function memberFields(reads: EntityReads, db: ServiceDependencies['db']): object {
  return {
    uptime: uptimeField(db, {
      ...{ subjectType: 'GslbPoolMember', kind: 'gslbPoolMember.operatingStatus', judge: gslbJudge },
      of: ({ id, operatingStatus: status, createdAt }: MemberEntity) => ({ id, status, createdAt }),
    }),
    operatingStatus: ({ operatingStatus }: MemberEntity) => operatingStatus ?? 'UNKNOWN',
    operatingReason: ({ statusMessage }: MemberEntity) => statusMessage,
    followedLoadBalancer: ({ spec: { loadBalancerId: id } }: MemberEntity) =>
      id === null || decodeUuid('LoadBalancer', id) === undefined ? null : { id },
    pool: ({ poolId }: MemberEntity, _: unknown, context: Context) => reads.entity(context, 'GslbPool', poolId),
    monitors: ({ id }: MemberEntity, _: unknown, context: Context) => reads.monitorsOf(context, 'member_id', id),
    votes: ({ id }: MemberEntity, _: unknown, context: Context) => reads.votes(context, id),
    parameters: ({ spec: { parameters, parametersFor } }: MemberEntity) =>
      Object.keys(parameters).length === 0
        ? null
        : shownParameters(parametersFor ?? typeOfParameters(parameters), parameters, { filled: false }),
  };
}

function typeResolvers(reads: EntityReads, kind: GslbKind): object {
  const type = kind.name as EntityType;
  const settings = Object.entries(kind.fields)
    .filter(([, { refersTo, shownAs }]) => refersTo === undefined && shownAs === undefined)
    .map(([name]) => [name, (row: EntityRows[EntityType]) => settingsOf(type, row)[name] ?? null]);
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
