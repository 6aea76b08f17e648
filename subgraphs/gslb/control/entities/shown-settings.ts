// The settings of an entity as the graph describes them (spec/), from its row; and the columns in which they are stored.
import type { SqlValue } from '../../../../platform/database/database.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { JsonObject, JsonValue } from '../../../../platform/values/json.ts';
import type { EntityRows, EntityType } from './entity-store.ts';

/** Shown for a zone without its own head. */
const usualHead = { nameServers: [], signed: false, secondaries: [] };

/** Settings whose names in the graph differ from those in a stored spec, by the graph's names. */
const storedNames: Readonly<Partial<Record<EntityType, Readonly<Record<string, string>>>>> = {
  GslbPool: { answerScope: 'scope' },
  GslbPoolMember: { memberType: 'type', servicePort: 'port', memberRegion: 'region' },
  GslbMonitor: { checkType: 'type', intervalMs: 'delayMs', fall: 'failures', rise: 'successes' },
  GslbFlavor: { shortestIntervalMs: 'shortestDelayMs', vantagePointNames: 'vantagePoints' },
};

/** Settings by the names of a stored spec. */
export function storedSettings(type: EntityType, settings: JsonObject): JsonObject {
  const names = storedNames[type] ?? {};
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [names[name] ?? name, value]));
}

function graphSettings(type: EntityType, spec: JsonObject): JsonObject {
  const names = new Map(Object.entries(storedNames[type] ?? {}).map(([shown, stored]) => [stored, shown]));
  return Object.fromEntries(Object.entries(spec).map(([name, value]) => [names.get(name) ?? name, value]));
}

/** `pools`: the pools of a name, in order. */
export function settingsOf<Type extends EntityType>(
  type: Type,
  row: EntityRows[Type],
  pools: readonly string[] = [],
): JsonObject {
  if (type === 'Gslb') {
    const { spec, fqdn, flavorId, applianceId } = row as EntityRows['Gslb'];
    return { ...spec.given, fqdn, flavor: flavorId, applianceId, pools: [...pools] };
  }
  if (type === 'DnsZone') {
    const { name, spec } = row as EntityRows['DnsZone'];
    const rights = spec.rights.map(({ suffix, projectId, allows = [] }) => ({
      suffix,
      allows: [...allows],
      ...(projectId === null ? {} : { projectId: encodeId('Project', projectId) }),
    }));
    return { ...usualHead, ...spec, name, rights, backend: (row as EntityRows['DnsZone']).backendId };
  }
  if (type === 'GslbFlavor') {
    const { name, spec } = row as EntityRows['GslbFlavor'];
    const { backendType: _, ...rest } = spec;
    return { ...graphSettings(type, rest as unknown as JsonObject), name };
  }
  const { name, spec, ...rest } = row as EntityRows['GslbVantagePoint'];
  const settings = graphSettings(type, spec as unknown as JsonObject);
  return { ...settings, name, ...(type === 'GslbVantagePoint' ? { region: rest.region } : {}) };
}

/** `settings`: valid. Names are columns; a vantage point's region too. */
export function columnsOf(type: EntityType, settings: JsonObject): Readonly<Record<string, SqlValue>> {
  const { name, region, ...rest } = settings;
  const named = { name: String(name) };
  switch (type) {
    // Its columns depend on more than its settings (handlers.ts).
    case 'Gslb':
      return {};
    case 'GslbPoolMember':
      return {
        ...named,
        unique_key: named.name,
        load_balancer_id: followedBalancer(rest),
        spec: text({ ...rest, region: region ?? null, ...placed(rest) }),
      };
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

/** UUID of the load balancer that it follows. */
function followedBalancer({ loadBalancerId: id }: JsonObject): string | null {
  return typeof id === 'string' ? (decodeUuid('LoadBalancer', id) ?? null) : null;
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
