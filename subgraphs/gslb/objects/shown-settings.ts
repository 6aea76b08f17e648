// The settings of an object as the graph describes them (parts/), from its row; and the columns in which they are stored.
import type { SqlValue } from '../../../platform/database/database.ts';
import type { JsonObject, JsonValue } from '../../../platform/json.ts';
import type { ObjectRows, ObjectType } from '../conductor/object-store.ts';

/** Of a zone that says nothing of it. */
const usualHead = { nameServers: [], signed: false, secondaries: [] };

/** `pools`: of a name, in order. */
export function settingsOf<Type extends ObjectType>(
  type: Type,
  row: ObjectRows[Type],
  pools: readonly string[] = [],
): JsonObject {
  if (type === 'Gslb') {
    const { spec, fqdn, flavorId, applianceId } = row as ObjectRows['Gslb'];
    return { ...spec.given, fqdn, flavor: flavorId, applianceId, pools: [...pools] };
  }
  if (type === 'DnsZone') {
    const { name, spec } = row as ObjectRows['DnsZone'];
    const rights = spec.rights.map(({ suffix, projectId }) => ({
      suffix,
      ...(projectId === null ? {} : { projectId }),
    }));
    return { ...usualHead, ...spec, name, rights, backend: (row as ObjectRows['DnsZone']).backendId };
  }
  if (type === 'GslbFlavor') {
    const { name, spec } = row as ObjectRows['GslbFlavor'];
    const { backendType: _, ...rest } = spec;
    return { ...(rest as unknown as JsonObject), name };
  }
  const { name, spec, ...rest } = row as ObjectRows['GslbVantagePoint'];
  return { ...(spec as unknown as JsonObject), name, ...(type === 'GslbVantagePoint' ? { region: rest.region } : {}) };
}

/** `settings`: valid. Names are columns; a vantage point's region too. */
export function columnsOf(type: ObjectType, settings: JsonObject): Readonly<Record<string, SqlValue>> {
  const { name, region, ...rest } = settings;
  const named = { name: String(name) };
  switch (type) {
    // Its columns follow from more than its settings (handlers.ts).
    case 'Gslb':
      return {};
    case 'GslbPoolMember':
      return { ...named, unique_key: named.name, spec: text({ ...rest, region: region ?? null, ...placed(rest) }) };
    case 'GslbMonitor':
      return { ...named, live_name: named.name, type: String(rest.type), spec: text(rest) };
    case 'GslbVantagePoint':
      return { ...named, live_name: named.name, region: String(region), spec: text(rest) };
    case 'DnsZone':
      return { ...named, spec: text(rest) };
    default:
      return { ...named, live_name: named.name, spec: text(rest) };
  }
}

function placed({ place, cname, addresses }: JsonObject): JsonObject {
  const where = place as JsonObject | null | undefined;
  const full = { continent: null, country: null, latitude: null, longitude: null };
  return {
    place: where === null || where === undefined ? null : { ...full, ...where },
    cname: typeof cname === 'string' ? cname.toLowerCase().replace(/\.$/, '') : null,
    addresses: addresses as JsonValue,
  };
}

function text(spec: JsonObject): string {
  return JSON.stringify(spec);
}
