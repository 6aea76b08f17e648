// Zones in the form for name servers: the whole plan, or the changes since a generation that they have.
import { mapIdOf } from '../../../../dns/policy/client-blocks.ts';
import {
  type ClientBlocks,
  type ClientMap,
  type NamePlan,
  regionsMapId,
  type ZoneChange,
  type ZoneHead,
  type ZonePlan,
} from '../../../../dns/policy/plan.ts';
import { planBounds } from '../../../../dns/policy/plan-schema.ts';
import type { Sql } from '../../../../platform/database/database.ts';
import { nameServerRecordsOf } from '../../../../platform/machines/name-server-record.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { comparePositions, type Position } from '../../../../platform/values/positions.ts';
import { readNameServers } from '../stores/name-server-store.ts';
import {
  type AnsweredName,
  answeredAmong,
  answeredOfZone,
  clientBlocksOfNames,
  clientBlocksOfZone,
} from '../stores/name-store.ts';
import { readVantagePoints } from '../stores/vantage-store.ts';
import { keyPlans } from '../stores/zone-keys.ts';
import { openZoneKeys, readZonesNamed, type ZoneRow, zoneChanges } from '../stores/zone-store.ts';
import { publishedAddresses } from './published-addresses.ts';

/** After more changes than this, the whole plan is sent. */
const mostChanges = 1_000;

const usualTtlSeconds = 300;
const usualSoa = {
  refreshSeconds: 3_600,
  retrySeconds: 600,
  expireSeconds: 1_209_600,
  negativeTtlSeconds: 5,
  serialBase: 0,
};

/** `maps`: the separate maps that the names refer to, by id. */
export type ZoneNews = (
  | { readonly kind: 'WHOLE'; readonly plan: ZonePlan }
  | { readonly kind: 'CHANGE'; readonly change: ZoneChange }
) & { readonly maps: ReadonlyMap<string, ClientBlocks> };

interface AskedNews {
  readonly zone: string;
  /** Position that the name server has. Undefined if it has none of the zone. */
  readonly has: Position | undefined;
  /** Whether it accepts separate maps. Older name servers get them in the head. */
  readonly ownMaps: boolean;
}

/**
 * The data that a name server lacks. Undefined if it lacks nothing, or if there is no such zone. The generation is read first, so names may be newer
 * and are then sent once more.
 */
export async function zoneNews(
  db: Sql,
  sealer: Sealer,
  { zone, has, ownMaps }: AskedNews,
): Promise<ZoneNews | undefined> {
  const row = (await readZonesNamed(db, [zone])).get(zone);
  if (row === undefined) return undefined;
  const { history, generation } = row;
  const compared = has && comparePositions(has, { history, number: generation });
  if (compared === 'SAME') return undefined;
  const change = has && compared === 'BEHIND' ? await changeSince(db, sealer, row, has.number, ownMaps) : undefined;
  if (change !== undefined) return change;
  const head = await headOf(db, sealer, row, ownMaps);
  const { names, maps } = sentNames(await answeredOfZone(db, zone), ownMaps);
  return { kind: 'WHOLE', plan: { ...head, history, generation, names }, maps };
}

/** Names in the form for name servers. */
function sentNames(
  answered: readonly AnsweredName[],
  ownMaps: boolean,
): { readonly names: readonly NamePlan[]; readonly maps: ReadonlyMap<string, ClientBlocks> } {
  const maps = new Map<string, ClientBlocks>();
  const names = answered.map(({ id, plan, blocks }) => {
    if (!ownMaps || plan.clientMapId !== id) return plan;
    const clientMapId = mapIdOf(blocks);
    maps.set(clientMapId, blocks);
    return { ...plan, clientMapId };
  });
  return { names, maps };
}

async function changeSince(
  db: Sql,
  sealer: Sealer,
  row: ZoneRow,
  from: number,
  ownMaps: boolean,
): Promise<ZoneNews | undefined> {
  const { name, history, generation: to } = row;
  if (to - from > mostChanges) return undefined;
  const changes = await zoneChanges(db, { zone: name, from, to });
  // Some changes are no longer kept.
  if (changes.length !== to - from) return undefined;
  const fqdns = new Map(
    changes.flatMap(({ gslbId, fqdn }) => (gslbId === null || fqdn === null ? [] : [[gslbId, fqdn]])),
  );
  const there = await answeredAmong(db, [...fqdns.keys()]);
  const ids = new Set(there.map(({ id }) => id));
  const answered = new Set(there.map(({ plan }) => plan.fqdn));
  const { names, maps } = sentNames(there, ownMaps);
  const change: ZoneChange = {
    ...{ zone: absolute(name), history, from, to },
    ...(changes.some(({ gslbId }) => gslbId === null) ? { head: await headOf(db, sealer, row, ownMaps) } : {}),
    names,
    // A name may have been deleted and created again in the meantime, as another GSLB.
    removedNames: [...new Set([...fqdns].flatMap(([id, fqdn]) => (ids.has(id) ? [] : [absolute(fqdn)])))].filter(
      (fqdn) => !answered.has(fqdn),
    ),
  };
  return { kind: 'CHANGE', change, maps };
}

async function headOf(db: Sql, sealer: Sealer, row: ZoneRow, ownMaps: boolean): Promise<ZoneHead> {
  const head = row.head ?? (await usualHead(db, row.name));
  const soa = { ...head.soa, serialBase: row.serialBase };
  const clientMaps = ownMaps ? [await regionsMap(db)] : await clientMapsOf(db, row.name);
  return { ...head, soa, keys: keyPlans(openZoneKeys(row, sealer)), clientMaps };
}

/**
 * Our name servers are in the zone itself, each under the name of its machine, with the addresses that administrators gave to it. The number of
 * servers in a zone is limited. Those with addresses come first.
 */
async function usualHead(db: Sql, zone: string): Promise<ZoneHead> {
  const known = await readNameServers(db);
  const records = await nameServerRecordsOf(
    db,
    known.map(({ id }) => id),
  );
  const all = known.map(({ id, name, facts }) => ({
    name: absolute(`${name}.${zone}`),
    addresses: [...publishedAddresses(name, records.get(id), facts ?? {}).addresses],
  }));
  const servers = all
    .toSorted((one, other) => Number(one.addresses.length === 0) - Number(other.addresses.length === 0))
    .slice(0, planBounds.nameServers);
  const [first] = servers;
  return {
    zone: absolute(zone),
    soa: { mname: first?.name ?? absolute(`ns.${zone}`), rname: absolute(`hostmaster.${zone}`), ...usualSoa },
    ttlSeconds: usualTtlSeconds,
    nameServers: servers,
    ...{ keys: [], clientMaps: [] },
  };
}

/** The vantage points' regions in a shared map, and an own map for each name with blocks. */
async function clientMapsOf(db: Sql, zone: string): Promise<readonly ClientMap[]> {
  return withShared(await regionsMap(db), await clientBlocksOfZone(db, zone));
}

/** Client maps by id: the shared one, or the UUID of a name that has its own. Always includes the shared one. */
export async function clientMapsNamed(db: Sql, mapIds: readonly string[]): Promise<readonly ClientMap[]> {
  const names = mapIds.filter((id) => id !== regionsMapId);
  return withShared(await regionsMap(db), await clientBlocksOfNames(db, names));
}

/** The map that names without blocks of their own share. */
export async function regionsMap(db: Sql): Promise<ClientMap> {
  const regions = (await readVantagePoints(db)).map(({ region, spec: { latitude, longitude } }) => ({
    ...{ region, latitude, longitude },
  }));
  return { mapId: regionsMapId, blocks: [], regions };
}

function withShared(shared: ClientMap, own: Awaited<ReturnType<typeof clientBlocksOfNames>>): readonly ClientMap[] {
  return [shared, ...own.map(({ id: mapId, blocks }) => ({ mapId, blocks, regions: shared.regions }))];
}

function absolute(name: string): string {
  return `${name}.`;
}
