// Reads plans of zones and their changes from the link or the disk. Checks their shape and bounds, and refuses combinations that are invalid in DNS
// (a CNAME together with other records). Accepts loops of CNAMEs, because a server never follows them, and a loop must not block a zone's other
// names.
import { z } from 'zod';
import { canonicalAddressBlock } from '../../platform/net/address-block.ts';
import { positionShape } from '../../platform/values/positions.ts';
import { isOwnMapId } from './client-blocks.ts';
import { type ClientBlocks, mostOwnBlocks, type Name, type NamePlan, type ZoneChange, type ZonePlan } from './plan.ts';

/** Limits of a plan. The last step limits answers. */
export const planBounds = {
  names: 200_000,
  pools: 64,
  members: 1_000,
  addresses: 16,
  steps: 16,
  answered: 32,
  regions: 256,
  latencyMs: 3_600_000,
  blocks: 100_000,
  maps: 1_000,
  keys: 8,
  nameServers: 16,
  /** RFC 2181 section 8 allows 2^31 − 1. A week is long for an answer that changes. */
  ttlSeconds: 604_800,
} as const;

const label = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
/** RFC 1035 section 2.3.4: 253 characters and the final dot. */
const name = z
  .string()
  .max(254)
  .regex(new RegExp(`^(${label}\\.)+$`));
const owner = z
  .string()
  .max(254)
  .regex(new RegExp(`^(\\*\\.)?(${label}\\.)+$`));
const id = z.string().min(1).max(64);
const region = z.string().min(1).max(64);
const count = z.number().int().nonnegative();
const ttl = count.max(planBounds.ttlSeconds);
const canonical = (text: string) => canonicalAddressBlock(text) === text;
const address = z.union([z.ipv4(), z.ipv6()]).refine(canonical, 'the address is not canonical text');
const cidr = z.string().max(49).refine(canonical, 'the block is not canonical text');
const latitude = z.number().min(-90).max(90);
const longitude = z.number().min(-180).max(180);
const time = z.iso.datetime();

const place = z
  .object({
    continent: z.enum(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA']).nullable(),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .nullable(),
    latitude: latitude.nullable(),
    longitude: longitude.nullable(),
  })
  .refine((given) => (given.latitude === null) === (given.longitude === null), 'it has one coordinate');

const member = z
  .object({
    memberId: id,
    region: region.nullable(),
    addresses: z.array(address).max(planBounds.addresses),
    cname: name.nullable(),
    weight: count.max(1_000),
    priority: count.max(65_535),
    place: place.nullable(),
    up: z.boolean(),
    upIn: byRegion(z.boolean()),
    withheld: z.boolean(),
    latencyMs: byRegion(z.number().nonnegative().max(planBounds.latencyMs)),
    lastUpAt: time.nullable(),
  })
  .refine((given) => (given.cname === null) !== (given.addresses.length === 0), 'it has addresses, or else a cname');

const pool = z.object({
  poolId: id,
  minUp: count.min(1).max(planBounds.members),
  memberIds: z.array(id).max(planBounds.members),
});

const step = z.discriminatedUnion('step', [
  z.object({ step: z.literal('PRIORITY') }),
  z.object({
    step: z.literal('GEO'),
    by: z
      .array(z.enum(['CIDR', 'COUNTRY', 'CONTINENT']))
      .min(1)
      .max(3),
  }),
  z.object({ step: z.literal('PROXIMITY'), toleranceKm: z.number().min(0).max(20_100) }),
  z.object({ step: z.literal('LATENCY'), toleranceShare: z.number().min(0).max(10) }),
  z.object({ step: z.literal('SHUFFLE') }),
  z.object({ step: z.literal('WEIGHTED') }),
  z.object({ step: z.literal('STICKY'), ipv4Bits: count.min(1).max(32), ipv6Bits: count.min(1).max(128) }),
  z.object({ step: z.literal('FIRST'), count: count.min(1).max(planBounds.answered) }),
]);

const noneUp = z.discriminatedUnion('do', [
  z.object({ do: z.literal('ALL') }),
  z.object({ do: z.literal('LAST_KNOWN') }),
  z.object({ do: z.literal('POOL'), pool }),
  z.object({ do: z.literal('CNAME'), target: name }),
  z.object({ do: z.literal('NODATA') }),
  z.object({ do: z.literal('SERVFAIL') }),
]);

const namePlan = z
  .object({
    fqdn: owner,
    gslbId: id,
    version: count,
    ttlSeconds: ttl,
    degradedTtlSeconds: ttl.nullable(),
    clientMapId: id.nullable(),
    pools: z.array(pool).max(planBounds.pools),
    members: z.array(member).max(planBounds.members),
    steps: z.array(step).min(1).max(planBounds.steps),
    noneUp,
  })
  .superRefine((plan, context) => {
    const fault = namePlanFault(plan);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

const block = z.object({ cidr, region });
const ownBlocks = z.array(block).max(mostOwnBlocks);

const clientMap = z.object({
  mapId: id,
  blocks: z.array(block).max(planBounds.blocks),
  regions: z.array(z.object({ region, latitude, longitude })).max(planBounds.regions),
});

const key = z.object({
  keyTag: count.max(0xff_ff),
  algorithm: z.literal(13),
  flags: z.union([z.literal(256), z.literal(257)]),
  publicKey: z.base64().length(88),
  privateKey: z.string().max(1_000),
  active: z.boolean(),
});

const head = z.object({
  zone: name,
  soa: z.object({
    mname: name,
    rname: name,
    refreshSeconds: ttl,
    retrySeconds: ttl,
    expireSeconds: count.max(2 ** 31 - 1),
    negativeTtlSeconds: ttl,
    serialBase: count.max(2 ** 32 - 1),
  }),
  ttlSeconds: ttl,
  nameServers: z.array(z.object({ name, addresses: z.array(address).max(16) })).max(planBounds.nameServers),
  keys: z.array(key).max(planBounds.keys),
  clientMaps: z.array(clientMap).max(planBounds.maps),
});

const names = z.array(namePlan).max(planBounds.names);

const { history } = positionShape.shape;
const zonePlan = head.extend({ history, generation: count, names });

const zoneChange = z.object({
  ...{ zone: name, history },
  from: count,
  to: count,
  head: head.optional(),
  names,
  removedNames: z.array(owner).max(planBounds.names),
});

/** Undefined if it is not the plan of a zone: `zonePlanFault` has the reason. */
export function readZonePlan(value: unknown): ZonePlan | undefined {
  const read = zonePlan.safeParse(value);
  return read.success && zoneFault(read.data) === undefined ? read.data : undefined;
}

/** Leaves out keys, which are secret. Undefined if it is a plan. */
export function zonePlanFault(value: unknown): string | undefined {
  const read = zonePlan.safeParse(value);
  return read.success ? zoneFault(read.data) : firstFault(read.error);
}

/** Reason why name servers would refuse the zone because of this name. Undefined if they would not. */
export function nameFault(zone: Name, plan: NamePlan): string | undefined {
  const read = namePlan.safeParse(plan);
  return read.success ? faultInZone(zone, read.data) : firstFault(read.error);
}

function firstFault({ issues: [first] }: z.ZodError): string {
  return `${first?.path.join('.') || 'it'}: ${first?.message}`;
}

/** Undefined if it is not a change. The resulting plan is valid only if `zoneFault` finds no fault. */
export function readZoneChange(value: unknown): ZoneChange | undefined {
  const read = zoneChange.safeParse(value);
  if (!read.success) return undefined;
  const { head: changed, ...rest } = read.data;
  return changed === undefined ? rest : { ...rest, head: changed };
}

/** Undefined if they are not the blocks of a map of its own. */
export function readClientBlocks(value: unknown): ClientBlocks | undefined {
  return ownBlocks.safeParse(value).data;
}

/** Faults that involve several names. Undefined if there are none. The server checks separate maps. */
export function zoneFault({ zone, names, clientMaps }: ZonePlan): string | undefined {
  const seen = new Set<string>();
  const maps = new Set(clientMaps.map(({ mapId }) => mapId));
  for (const plan of names) {
    const { fqdn, clientMapId } = plan;
    const fault = faultInZone(zone, plan);
    if (fault !== undefined) return fault;
    if (seen.has(fqdn)) return `${fqdn} is there twice`;
    seen.add(fqdn);
    if (clientMapId !== null && !maps.has(clientMapId) && !isOwnMapId(clientMapId))
      return `${fqdn} has a client map that is not there`;
  }
  return undefined;
}

function faultInZone(zone: Name, plan: NamePlan): string | undefined {
  const { fqdn } = plan;
  if (fqdn !== zone && !fqdn.endsWith(`.${zone}`)) return `${fqdn} is not in the zone ${zone}`;
  return fqdn === zone && cnamesOf(plan).length > 0 ? `${fqdn} is the zone itself: it can't be a CNAME` : undefined;
}

/** All possible CNAME targets of the name. */
function cnamesOf({ members, noneUp }: NamePlan): readonly string[] {
  const targets = members.flatMap(({ cname }) => (cname === null ? [] : [cname]));
  return noneUp.do === 'CNAME' ? [...targets, noneUp.target] : targets;
}

/** Faults that the schema can't express. Undefined if there are none. */
function namePlanFault({ pools, members, steps, noneUp }: NamePlan): string | undefined {
  if (steps.at(-1)?.step !== 'FIRST') return 'the last step is not FIRST';
  const byId = new Map(members.map((member) => [member.memberId, member]));
  if (byId.size < members.length) return 'a member is there twice';
  const left = new Map(byId);
  for (const { poolId, memberIds } of noneUp.do === 'POOL' ? [...pools, noneUp.pool] : pools) {
    for (const memberId of memberIds)
      if (!left.delete(memberId))
        return `the pool ${poolId} has the member ${memberId}, which is in another, or nowhere`;
    const kinds = new Set(memberIds.map((memberId) => byId.get(memberId)?.cname === null));
    if (kinds.size > 1) return `the pool ${poolId} has members with addresses and members with a CNAME`;
  }
  const [lone] = left.keys();
  return lone === undefined ? undefined : `the member ${lone} is in no pool`;
}

function byRegion<Value extends z.ZodType>(value: Value) {
  return z
    .record(region, value)
    .refine((given) => Object.keys(given).length <= planBounds.regions, `more than ${planBounds.regions} regions`);
}
