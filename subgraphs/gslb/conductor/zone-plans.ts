// Zones as name servers take them: the whole plan, or the changes after a generation that they have.
import type { ClientMap, ZoneChange, ZoneHead, ZonePlan } from '../../../dns/policy/plan.ts';
import type { Sql } from '../../../platform/database/database.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import { readNameServers } from './name-server-store.ts';
import { clientBlocksOfZone, plansOf, plansOfZone } from './name-store.ts';
import { regionsMapId } from './planning.ts';
import { readVantagePoints } from './vantage-store.ts';
import { keyPlans } from './zone-keys.ts';
import { openZoneKeys, readZonesNamed, type ZoneRow, zoneChanges } from './zone-store.ts';

/** With more changes than that between, the whole plan is sent. */
const mostChanges = 1_000;

const usualTtlSeconds = 300;
const usualSoa = { refreshSeconds: 3_600, retrySeconds: 600, expireSeconds: 1_209_600, negativeTtlSeconds: 5 };

export type ZoneNews =
  | { readonly kind: 'WHOLE'; readonly plan: ZonePlan }
  | { readonly kind: 'CHANGE'; readonly change: ZoneChange };

/**
 * What a name server lacks that has a zone's generation `has` (undefined: nothing of it); undefined: nothing, or there is no such zone.
 * The generation is read first: names may be newer than it says, and then come once more.
 */
export async function zoneNews(
  db: Sql,
  sealer: Sealer,
  { zone, has }: { readonly zone: string; readonly has: number | undefined },
): Promise<ZoneNews | undefined> {
  const row = (await readZonesNamed(db, [zone])).get(zone);
  if (row === undefined || row.generation === has) return undefined;
  const change = has === undefined || has > row.generation ? undefined : await changeSince(db, sealer, row, has);
  if (change !== undefined) return { kind: 'CHANGE', change };
  const head = await headOf(db, sealer, row);
  return { kind: 'WHOLE', plan: { ...head, generation: row.generation, names: await plansOfZone(db, zone) } };
}

async function changeSince(db: Sql, sealer: Sealer, row: ZoneRow, from: number): Promise<ZoneChange | undefined> {
  const { name, generation: to } = row;
  if (to - from > mostChanges) return undefined;
  const changes = await zoneChanges(db, { zone: name, from, to });
  // Some are no longer kept.
  if (changes.length !== to - from) return undefined;
  const fqdns = new Map(
    changes.flatMap(({ gslbId, fqdn }) => (gslbId === null || fqdn === null ? [] : [[gslbId, fqdn]])),
  );
  const plans = await plansOf(db, [...fqdns.keys()]);
  const answered = new Set([...plans.values()].map(({ fqdn }) => fqdn));
  return {
    ...{ zone: absolute(name), from, to },
    ...(changes.some(({ gslbId }) => gslbId === null) ? { head: await headOf(db, sealer, row) } : {}),
    names: [...plans.values()],
    // A name may have been deleted and made again meanwhile, as another GSLB.
    removedNames: [...new Set([...fqdns].flatMap(([id, fqdn]) => (plans.has(id) ? [] : [absolute(fqdn)])))].filter(
      (fqdn) => !answered.has(fqdn),
    ),
  };
}

async function headOf(db: Sql, sealer: Sealer, row: ZoneRow): Promise<ZoneHead> {
  const head = row.head ?? (await usualHead(db, row.name));
  return { ...head, keys: keyPlans(openZoneKeys(row, sealer)), clientMaps: await clientMapsOf(db, row.name) };
}

/** Our name servers are in the zone itself, each under the name of its machine. */
async function usualHead(db: Sql, zone: string): Promise<ZoneHead> {
  const servers = (await readNameServers(db)).map(({ name, facts }) => ({
    name: absolute(`${name}.${zone}`),
    addresses: (facts?.addresses ?? [])
      .map(({ address }) => address)
      .filter((each) => each !== '0.0.0.0' && each !== '::'),
  }));
  const [first] = servers;
  return {
    zone: absolute(zone),
    soa: { mname: first?.name ?? absolute(`ns.${zone}`), rname: absolute(`hostmaster.${zone}`), ...usualSoa },
    ttlSeconds: usualTtlSeconds,
    nameServers: servers,
    ...{ keys: [], clientMaps: [] },
  };
}

/** The regions of the vantage points for all; a name with blocks of its own has a map of its own. */
export async function clientMapsOf(db: Sql, zone: string): Promise<readonly ClientMap[]> {
  const regions = (await readVantagePoints(db)).map(({ region, spec: { latitude, longitude } }) => ({
    ...{ region, latitude, longitude },
  }));
  const own = await clientBlocksOfZone(db, zone);
  return [
    { mapId: regionsMapId, blocks: [], regions },
    ...[...own].map(([mapId, blocks]) => ({ mapId, blocks, regions })),
  ];
}

function absolute(name: string): string {
  return `${name}.`;
}
