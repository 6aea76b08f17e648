// Checkers and name servers, and the keys of zones: for administrators.
import { nameOfPlace } from '../../../dns/servers/transport.ts';
import type { Resolvers } from '../../../generated/graph/gslb.ts';
import { adminCaller } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import { databaseNow } from '../conductor/checker-store.ts';
import { pageOfCheckers, pageOfNameServers, type ShownNameServer } from '../conductor/machine-pages.ts';
import { isSameType, readOwnTypes } from '../conductor/own-type-store.ts';
import { zoneDsTexts } from '../conductor/zone-key-keeper.ts';
import { openZoneKeys, readZonesNamed, type ZoneRow } from '../conductor/zone-store.ts';
import type { ObjectReads } from '../objects/object-reads.ts';
import type { OwnPlugin } from '../wire/checker-wire.ts';

export interface MachineParts {
  readonly db: Database;
  readonly reads: ObjectReads;
  readonly sealer: Sealer;
  readonly silenceMs: number;
}

const zonesByName = Symbol('zones by name');
const ownTypes = Symbol('own types');
const entryFlags = 257;

export function machineResolvers({ db, reads, sealer, silenceMs }: MachineParts): Resolvers {
  const zoneRow = (context: RequestContext, name: string): Promise<ZoneRow | undefined> =>
    loader(context, zonesByName, name, (names) => readZonesNamed(db, names));
  return {
    Query: {
      gslbCheckers: async (_, args, context) => {
        adminCaller(context);
        const request = pageRequest(args);
        const vantagePointId =
          args.vantagePointId == null ? undefined : decodeUuid('GslbVantagePoint', args.vantagePointId);
        const isUnknown = args.vantagePointId != null && vantagePointId === undefined;
        const filter = { silenceMs, ...(vantagePointId === undefined ? {} : { vantagePointId }) };
        const rows = isUnknown ? [] : await pageOfCheckers(db, filter, request);
        return page(rows, request.first, ({ id }) => [id]);
      },
      gslbNameServers: async (_, args, context) => {
        adminCaller(context);
        const request = pageRequest(args, 2);
        return page(await pageOfNameServers(db, request), request.first, ({ name, id }) => [name, id]);
      },
    },
    GslbChecker: {
      id: ({ id }) => encodeId('GslbChecker', id),
      vantagePoint: async ({ vantagePointId }, _, context) => {
        const row = await reads.object(context, 'GslbVantagePoint', vantagePointId);
        return row?.deleted === true ? null : row;
      },
      state: ({ present, abstains }) => (present ? (abstains ? 'ABSTAINING' : 'PRESENT') : 'ABSENT'),
      abstainsBecause: ({ abstains, load }) => (abstains ? (load.abstains ?? null) : null),
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
    },
    GslbNameServer: {
      id: ({ id }) => encodeId('GslbNameServer', id),
      state: ({ present }) => (present ? 'PRESENT' : 'ABSENT'),
      ageSeconds: ({ ageMs }) => (ageMs === null ? null : ageMs / 1_000),
      addresses: ({ facts }) => (facts.addresses ?? []).map(nameOfPlace),
      version: ({ facts }) => facts.version ?? null,
      queries: ({ state }) => state.queries ?? null,
      zones: zonesOf,
    },
    DnsZone: {
      ds: async ({ name }, _, context) => {
        const row = await zoneRow(context, name);
        return row === undefined ? [] : zoneDsTexts(row, sealer, await databaseNow(db));
      },
      keys: async ({ name }, _, context) => {
        const row = await zoneRow(context, name);
        return (row === undefined ? [] : openZoneKeys(row, sealer)).map(
          ({ keyTag, flags, state, sinceMs, namedSinceMs }) => ({
            ...{ keyTag, state, since: new Date(sinceMs) },
            namedSince: namedSinceMs === null ? null : new Date(namedSinceMs),
            use: flags === entryFlags ? 'ENTRY' : 'PLAIN',
          }),
        );
      },
    },
  };
}

/** Those that it has, refused, or is to have. */
function zonesOf({ state: { zones = {}, refused = {} }, newest }: ShownNameServer) {
  const wanted = new Map(newest.map(({ name, generation }) => [name, generation]));
  const has = Object.keys({ ...zones, ...refused }).map((zone) => zone.replace(/\.$/, ''));
  return [...new Set([...has, ...wanted.keys()])].sort().map((zone) => ({
    zone,
    generation: zones[`${zone}.`] ?? null,
    newest: wanted.get(zone) ?? null,
    refusedBecause: refused[`${zone}.`]?.why ?? null,
  }));
}
