// Checkers and name servers, and the keys of zones: for administrators.
import { nameOfPlace } from '../../../../dns/servers/transport.ts';
import type { Resolvers } from '../../../../generated/graph/gslb.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { isOneOf } from '../../../../platform/database/range-search.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { adminCaller } from '../../../../platform/input/authorise.ts';
import { type ListFilter, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Position } from '../../../../platform/values/positions.ts';
import type { OwnPlugin } from '../../wire/checker-wire.ts';
import type { EntityReads } from '../entities/entity-reads.ts';
import { isSameType, readOwnTypes } from '../entities/own-type-store.ts';
import { zoneDsTexts } from '../entities/zone-key-rollover.ts';
import { databaseNow } from '../stores/checker-store.ts';
import { openZoneKeys, readZonesNamed, type ZoneRow } from '../stores/zone-store.ts';
import { checkerList, nameServerList, readCheckers, readNameServers, type ShownNameServer } from './machine-pages.ts';
import type { RecordService } from './record-service.ts';

interface MachineDependencies {
  readonly db: Database;
  readonly reads: EntityReads;
  readonly sealer: Sealer;
  readonly silenceMs: number;
  readonly records: RecordService;
}

const zonesByName = Symbol('zones by name');
const ownTypes = Symbol('own types');
const clock = Symbol('time of the database');
const entryFlags = 257;

export function machineResolvers(dependencies: MachineDependencies): Resolvers {
  const { reads, records } = dependencies;
  return {
    Query: machineLists(dependencies),
    Mutation: {
      gslbCheckerRecordSet: (_, { input }, context) => payload('gslbCheckerRecord', records.setChecker(context, input)),
      gslbNameServerRecordSet: (_, { input }, context) =>
        payload('gslbNameServerRecord', records.setNameServer(context, input)),
    },
    GslbCheckerRecord: {
      machine: ({ machineId }) => ({ id: encodeId('Machine', machineId) }),
      vantagePointName: ({ vantagePoint }) => vantagePoint,
      vantagePoint: ({ vantagePoint }, _, context) => reads.vantagePointNamed(context, vantagePoint),
    },
    GslbNameServerRecord: {
      machine: ({ machineId }) => ({ id: encodeId('Machine', machineId) }),
    },
    GslbNameServerZone: {
      zone: ({ zoneName }, _, context) => reads.zoneNamed(context, zoneName),
    },
    GslbChecker: checkerFields(dependencies),
    GslbNameServer: {
      id: ({ id }) => encodeId('GslbNameServer', id),
      presence: ({ present }) => (present ? 'PRESENT' : 'ABSENT'),
      addresses: ({ facts }) => (facts.addresses ?? []).map(nameOfPlace),
      record: ({ id, record }) => (record === undefined ? null : { ...record, machineId: id }),
      publishedAddresses: ({ published }) => published.addresses,
      noAddressesReason: ({ published }) => published.reason,
      version: ({ facts }) => facts.version ?? null,
      queries: ({ state }) => state.queries ?? null,
      zones: zonesOf,
    },
    DnsZone: zoneKeyFields(dependencies),
  };
}

function machineLists({ db, silenceMs }: MachineDependencies): Required<Resolvers>['Query'] {
  return {
    gslbCheckers: async (_, args, context) => {
      adminCaller(context);
      const { vantagePointId: id, ...list } = args;
      const vantagePoints =
        id == null ? undefined : [decodeUuid('GslbVantagePoint', id)].filter((uuid) => uuid !== undefined);
      const filter: ListFilter = {
        ...{ ...list, orderBy: args.orderBy ?? 'OLDEST', projects: 'all' },
        rest: isOneOf('vantage_point_id', vantagePoints),
      };
      return pageOfList(db, checkerList, filter, (ids) => readCheckers(db, ids, silenceMs));
    },
    gslbNameServers: async (_, args, context) => {
      adminCaller(context);
      const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'NAME', projects: 'all' };
      return pageOfList(db, nameServerList, filter, (ids) => readNameServers(db, ids));
    },
  };
}

function checkerFields({ db, reads }: MachineDependencies): Required<Resolvers>['GslbChecker'] {
  return {
    id: ({ id }) => encodeId('GslbChecker', id),
    vantagePoint: async ({ vantagePointId }, _, context) => {
      const row = await reads.entity(context, 'GslbVantagePoint', vantagePointId);
      return row?.deleted === true ? null : row;
    },
    record: ({ id, record }) => (record === undefined ? null : { ...record, machineId: id }),
    presence: ({ present, abstains }) => (present ? (abstains ? 'ABSTAINING' : 'PRESENT') : 'ABSENT'),
    presenceReason: ({ abstains, load }) => (abstains ? (load.abstains ?? null) : null),
    targets: ({ load }) => load.targets ?? null,
    lateMs: ({ load }) => load.lateMs ?? null,
    dropped: ({ load }) => load.dropped ?? null,
    version: ({ facts }) => facts.version ?? null,
    plugins: ({ facts }) => facts.plugins ?? [],
    differingPlugins: async ({ facts: { own = [] } }, _, context) => {
      if (own.length === 0) return [];
      const types = await loader(context, ownTypes, 'all', async () => new Map([['all', await readOwnTypes(db)]]));
      const differs = (plugin: OwnPlugin) =>
        types?.some((type) => type.name === plugin.name && !isSameType(type, plugin)) === true;
      return own.filter(differs).map(({ name }) => name);
    },
  };
}

function zoneKeyFields({ db, sealer }: MachineDependencies): Required<Resolvers>['DnsZone'] {
  const now = async (context: RequestContext): Promise<number> =>
    (await loader(context, clock, 'now', async () => new Map([['now', await databaseNow(db)]]))) ?? databaseNow(db);
  const zoneRow = (context: RequestContext, name: string): Promise<ZoneRow | undefined> =>
    loader(context, zonesByName, name, (names) => readZonesNamed(db, names));
  return {
    ds: async ({ name }, _, context) => {
      const row = await zoneRow(context, name);
      return row === undefined ? [] : zoneDsTexts(row, sealer, await now(context));
    },
    keys: async ({ name }, _, context) => {
      const row = await zoneRow(context, name);
      return (row === undefined ? [] : openZoneKeys(row, sealer)).map(
        ({ keyTag, flags, state, sinceMs, namedSinceMs }) => ({
          ...{ keyTag, keyState: state, since: new Date(sinceMs) },
          namedSince: namedSinceMs === null ? null : new Date(namedSinceMs),
          use: flags === entryFlags ? 'ENTRY' : 'PLAIN',
        }),
      );
    },
  };
}

/** Null if the positions belong to different histories, and can't be compared. */
function numberIn(wanted: Position | undefined, has: Position | undefined): number | null {
  return has !== undefined && (wanted === undefined || wanted.history === has.history) ? has.number : null;
}

/** Zones that the server has, has refused, or should have. */
function zonesOf({ state: { zones = {}, refused = {} }, newest }: ShownNameServer) {
  const wanted = new Map(newest.map(({ name, position }) => [name, position]));
  const has = Object.keys({ ...zones, ...refused }).map((zone) => zone.replace(/\.$/, ''));
  return [...new Set([...has, ...wanted.keys()])].sort().map((zone) => ({
    zoneName: zone,
    generation: numberIn(wanted.get(zone), zones[`${zone}.`]),
    newestGeneration: wanted.get(zone)?.number ?? null,
    refusedReason: refused[`${zone}.`]?.why ?? null,
  }));
}
