// Plans for tests: typical ones, and random ones from a seed.

import { clientAddress, type GeoSource } from '../../../dns/policy/client.ts';
import type { ClientMap, MemberPlan, NamePlan, NoneUp, Place, PolicyStep } from '../../../dns/policy/plan.ts';
import { presetSteps, presets } from '../../../dns/policy/presets.ts';
import type { Random } from '../../../trials/random.ts';

export const places: Readonly<Record<string, Place>> = {
  berlin: { continent: 'EU', country: 'DE', latitude: 52.5, longitude: 13.4 },
  paris: { continent: 'EU', country: 'FR', latitude: 48.9, longitude: 2.4 },
  boston: { continent: 'NA', country: 'US', latitude: 42.4, longitude: -71.1 },
  tokyo: { continent: 'AS', country: 'JP', latitude: 35.7, longitude: 139.7 },
};

export function member(memberId: string, change: Partial<MemberPlan> = {}): MemberPlan {
  return {
    ...{ memberId, region: null, addresses: [`192.0.2.${Number(memberId.replaceAll(/\D/g, '')) % 256}`], cname: null },
    ...{ weight: 1, priority: 1, place: null, up: true, upIn: {}, withheld: false, latencyMs: {}, lastUpAt: null },
    ...change,
  };
}

export function plan(
  members: readonly MemberPlan[],
  steps: readonly PolicyStep[],
  change: Partial<NamePlan> = {},
): NamePlan {
  return {
    ...{ fqdn: 'shop.gslb.lab.test.', gslbId: 'g1', version: 1, ttlSeconds: 30, degradedTtlSeconds: 5 },
    ...{ clientMapId: 'map', members, steps, noneUp: { do: 'ALL' } },
    pools: [{ poolId: 'p1', minUp: 1, memberIds: members.map(({ memberId }) => memberId) }],
    ...change,
  };
}

export const clientMap: ClientMap = {
  mapId: 'map',
  blocks: [
    { cidr: '10.1.0.0/16', region: 'eu' },
    { cidr: '10.2.0.0/16', region: 'us' },
    { cidr: '10.2.3.0/24', region: 'ap' },
    { cidr: '2001:db8:1::/48', region: 'eu' },
  ],
  regions: [
    { region: 'eu', latitude: 50, longitude: 8 },
    { region: 'us', latitude: 40, longitude: -75 },
    { region: 'ap', latitude: 35, longitude: 139 },
  ],
};

/** By the first octet of an IPv4 address. The result depends on this many bits. */
function geoOf(found: Readonly<Record<number, Place>>, bits = 8): GeoSource {
  return { find: (bytes) => ({ place: (bytes.length === 4 && found[bytes[0] ?? 0]) || null, bits }) };
}

export const worldGeo = geoOf({
  81: places.berlin as Place,
  90: places.paris as Place,
  12: places.boston as Place,
  133: places.tokyo as Place,
});

const regions = ['eu', 'us', 'ap'];

export function randomPlan(random: Random): NamePlan {
  const some = <Value>(value: Value, other: Value) => (random.next() < 0.5 ? value : other);
  const poolCount = random.integer(1, 3);
  const cnames = random.next() < 0.15;
  const byRegion = random.next() < 0.3;
  const withFallback = random.next() < 0.2;
  const members = Array.from({ length: random.integer(1, 9) }, (_, at) =>
    member(`m${at}`, {
      region: some(null, random.pick(regions)),
      addresses: cnames
        ? []
        : random.pick([[`192.0.2.${at}`], [`192.0.2.${at}`, `2001:db8::${at + 1}`], [`2001:db8::${at + 1}`]]),
      cname: cnames ? `m${at}.example.test.` : null,
      weight: random.pick([0, 1, 1, 5, 100]),
      priority: random.integer(1, 3),
      place: some(null, random.pick(Object.values(places))),
      up: random.next() < 0.6,
      upIn: byRegion ? Object.fromEntries(regions.map((region) => [region, random.next() < 0.6])) : {},
      withheld: random.next() < 0.15,
      latencyMs: Object.fromEntries(regions.flatMap((region) => some([[region, random.integer(1, 300)]], []))),
      lastUpAt: some(null, new Date(random.integer(1, 3) * 1_000).toISOString()),
    }),
  );
  const pools = Array.from({ length: poolCount }, (_, at) => ({
    poolId: `p${at}`,
    minUp: random.integer(1, 3),
    memberIds: members.filter((_, index) => index % poolCount === at).map(({ memberId }) => memberId),
  }));
  const fallback = withFallback ? pools.pop() : undefined;
  const noneUp: NoneUp =
    fallback !== undefined
      ? { do: 'POOL', pool: fallback }
      : random.pick<NoneUp>([
          ...[
            { do: 'ALL' } as const,
            { do: 'LAST_KNOWN' } as const,
            { do: 'NODATA' } as const,
            { do: 'SERVFAIL' } as const,
          ],
          { do: 'CNAME', target: 'sorry.example.test.' },
        ]);
  return plan(members, randomSteps(random), { pools, noneUp, degradedTtlSeconds: some(null, 5) });
}

function randomSteps(random: Random): readonly PolicyStep[] {
  if (random.next() < 0.5) return presetSteps(random.pick(presets), { count: random.integer(1, 4) });
  const steps: readonly PolicyStep[] = [
    { step: 'PRIORITY' },
    { step: 'GEO', by: random.shuffle(['CIDR', 'COUNTRY', 'CONTINENT'] as const).slice(0, random.integer(1, 3)) },
    { step: 'PROXIMITY', toleranceKm: random.pick([0, 500, 5_000]) },
    { step: 'LATENCY', toleranceShare: random.pick([0, 0.2, 1]) },
    { step: 'SHUFFLE' },
    { step: 'WEIGHTED' },
    { step: 'STICKY', ipv4Bits: random.integer(8, 32), ipv6Bits: random.integer(16, 64) },
  ];
  return [...random.shuffle(steps).slice(0, random.integer(0, 5)), { step: 'FIRST', count: random.integer(1, 4) }];
}

export function randomClient(random: Random) {
  const octet = () => random.integer(0, 255);
  if (random.next() < 0.25)
    return clientAddress(random.pick(['2001:db8:1::5', '2001:db8:2::7']), random.integer(0, 128));
  const first = random.pick([10, 12, 81, 90, 133, octet()]);
  const text =
    first === 10 ? `10.${random.integer(1, 3)}.${random.integer(2, 4)}.${octet()}` : `${first}.${octet()}.0.1`;
  return clientAddress(text, random.integer(0, 32));
}
