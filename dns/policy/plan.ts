// The plan of a zone: the answers of all its names. The control plane sends it to the name servers, which keep it on disk: first
// a whole plan with a position (history and generation), then its changes. JSON only, validated by plan-schema.ts on arrival.

/** Absolute, in lower case, with a final dot. */
export type Name = string;

export interface Place {
  /** AF, AN, AS, EU, NA, OC or SA. */
  readonly continent: string | null;
  /** ISO 3166-1 alpha-2, in upper case. */
  readonly country: string | null;
  /** Degrees. Both are null if unknown. */
  readonly latitude: number | null;
  readonly longitude: number | null;
}

export interface ZonePlan extends ZoneHead {
  /** Generations of different histories can't be compared (platform/values/positions.ts). */
  readonly history: string;
  /** Rises with each change. */
  readonly generation: number;
  readonly names: readonly NamePlan[];
}

/** Everything except the names. It rarely changes. */
export interface ZoneHead {
  readonly zone: Name;
  readonly soa: {
    readonly mname: Name;
    readonly rname: Name;
    readonly refreshSeconds: number;
    readonly retrySeconds: number;
    readonly expireSeconds: number;
    readonly negativeTtlSeconds: number;
    /** The serial of the SOA record is this plus the generation, modulo 2^32. It rises when a new history begins. */
    readonly serialBase: number;
  };
  /** TTL of NS records, their addresses and keys. */
  readonly ttlSeconds: number;
  /** With their addresses if they are names of this zone, else without. */
  readonly nameServers: readonly { readonly name: Name; readonly addresses: readonly string[] }[];
  /** Empty if the zone is not signed. */
  readonly keys: readonly DnssecKeyPlan[];
  /** Maps that are stored in the head: the shared one, and for older name servers all others. */
  readonly clientMaps: readonly ClientMap[];
}

/** ECDSA P-256 (RFC 6605). */
export interface DnssecKeyPlan {
  readonly keyTag: number;
  readonly algorithm: 13;
  /** 256 signs the zone. 257 signs keys, and the parent has its digest. */
  readonly flags: 256 | 257;
  /** Base64 of the 64 bytes, as in DNSKEY. */
  readonly publicKey: string;
  /** PEM of PKCS #8. Sealed on disk. */
  readonly privateKey: string;
  /** Whether the key signs. False if it is only published. */
  readonly active: boolean;
}

/** The longest block that has a client's address counts. */
export type ClientBlocks = readonly { readonly cidr: string; readonly region: string }[];

/** Limit for a name's own map, which name servers apply in one step. */
export const mostOwnBlocks = 1_000;

/** The shared client map: the regions of the vantage points. */
export const regionsMapId = 'regions';

/** Regions of clients: by their blocks, or else the nearest region. */
export interface ClientMap {
  readonly mapId: string;
  readonly blocks: ClientBlocks;
  /** Positions of the vantage points. A client without a block is in the region of the nearest one. */
  readonly regions: readonly { readonly region: string; readonly latitude: number; readonly longitude: number }[];
}

export interface NamePlan {
  /** May begin with `*.`. */
  readonly fqdn: Name;
  readonly gslbId: string;
  readonly version: number;
  readonly ttlSeconds: number;
  /** TTL while a member that should serve is down. Null for `ttlSeconds`. */
  readonly degradedTtlSeconds: number | null;
  /**
   * Null if neither a step nor a verdict by region needs one. Refers to a map of the head, or to blocks by their content (client-blocks.ts), with the
   * shared regions.
   */
  readonly clientMapId: string | null;
  /** Hash of the blocks in the name's own map. The control plane sends the zone's maps when it changes. Name servers drop it. */
  readonly clientMapHash?: string;
  /** In order of preference. The first pool with `minUp` serving members is used. Each member is in one pool, or in the fallback's. */
  readonly pools: readonly PoolPlan[];
  readonly members: readonly MemberPlan[];
  /** Run in order over the pool's serving members with records of the requested type. The last step is FIRST, which limits answers. */
  readonly steps: readonly PolicyStep[];
  readonly noneUp: NoneUp;
}

export interface PoolPlan {
  readonly poolId: string;
  readonly minUp: number;
  readonly memberIds: readonly string[];
}

export interface MemberPlan {
  readonly memberId: string;
  readonly region: string | null;
  /** IPv4 and IPv6, canonical text. Empty if there is a `cname`. */
  readonly addresses: readonly string[];
  readonly cname: Name | null;
  /** 0 means only if no other member is left. */
  readonly weight: number;
  /** Smaller is preferred. */
  readonly priority: number;
  readonly place: Place | null;
  /** Also false before the first verdict. */
  readonly up: boolean;
  /**
   * Verdicts for the clients of particular regions. `up` is the verdict for all other clients. Empty if one verdict applies to
   * all.
   */
  readonly upIn: Readonly<Record<string, boolean>>;
  /** An administrator drains it or forced it down. It is never answered, even if no member is up. */
  readonly withheld: boolean;
  /** Latency from the vantage points of each region. */
  readonly latencyMs: Readonly<Record<string, number>>;
  /** RFC 3339 in UTC. Null for never. */
  readonly lastUpAt: string | null;
}

/** Reduces the candidates, orders them (SHUFFLE, WEIGHTED, STICKY), or truncates the list (FIRST). No step leaves nothing. */
export type PolicyStep =
  /** Keeps the smallest priority. */
  | { readonly step: 'PRIORITY' }
  /** Keeps members in the client's region (CIDR), country or continent, by the first criterion with any match. Keeps all if nothing matches. */
  | { readonly step: 'GEO'; readonly by: readonly GeoWay[] }
  /** Keeps the nearest members, and members that are farther by at most this distance. */
  | { readonly step: 'PROXIMITY'; readonly toleranceKm: number }
  /** Keeps the members with the lowest latency from the client's region, and members that are slower by at most this share. */
  | { readonly step: 'LATENCY'; readonly toleranceShare: number }
  | { readonly step: 'SHUFFLE' }
  /** In random order by weight. */
  | { readonly step: 'WEIGHTED' }
  /** In an order specific to the client's prefix, by weight (rendezvous hashing): a lost member moves only its own clients. */
  | { readonly step: 'STICKY'; readonly ipv4Bits: number; readonly ipv6Bits: number }
  /** Keeps the first `count`. */
  | { readonly step: 'FIRST'; readonly count: number };

export type GeoWay = 'CIDR' | 'COUNTRY' | 'CONTINENT';

/** Answer while no pool has `minUp` serving members. It never contains withheld members. */
export type NoneUp =
  /** Treats all members as UP. */
  | { readonly do: 'ALL' }
  /** Treats the members that are UP as such, else the members that were UP last. If none ever was: all. */
  | { readonly do: 'LAST_KNOWN' }
  /** A fallback pool: its UP members, or all members if none is UP. It has no fallback itself, so there is no loop. */
  | { readonly do: 'POOL'; readonly pool: PoolPlan }
  | { readonly do: 'CNAME'; readonly target: Name }
  | { readonly do: 'NODATA' }
  | { readonly do: 'SERVFAIL' };

/** Leads from one generation of a zone's plan to a later one. */
export interface ZoneChange {
  readonly zone: Name;
  readonly history: string;
  readonly from: number;
  readonly to: number;
  /** Omitted if the head did not change. */
  readonly head?: ZoneHead;
  readonly names: readonly NamePlan[];
  readonly removedNames: readonly Name[];
}

/** Undefined if the change does not follow this plan, so that the whole plan is needed. */
export function applyZoneChange(plan: ZonePlan, change: ZoneChange): ZonePlan | undefined {
  if (
    change.zone !== plan.zone ||
    change.history !== plan.history ||
    change.from !== plan.generation ||
    change.to <= change.from
  )
    return undefined;
  const byName = new Map(plan.names.map((name) => [name.fqdn, name]));
  for (const name of change.names) byName.set(name.fqdn, name);
  for (const fqdn of change.removedNames) byName.delete(fqdn);
  return { ...plan, ...change.head, generation: change.to, names: [...byName.values()] };
}
