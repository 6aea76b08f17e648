// The zone of the trial: names of each kind with known records, and names with random policies that give clients different answers.

import { makeKey } from '../../dns/answerer/dnssec/keys.ts';
import type { ClientMap, MemberPlan, NamePlan, Place, PolicyStep, ZonePlan } from '../../dns/policy/plan.ts';
import { places } from '../../measure/made-up-places.ts';
import type { Random } from '../random.ts';

export const zone = 'gslb.trial.test.';
/** Both sides use this value, so that random policies give the same answers. */
export const drawn = 0.37;

/** The text of a record by type. All records are in the answer. */
export interface Known {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly CNAME?: readonly string[];
}

/** Names by their label below the zone. A name is empty if it only has names below it. */
export const knownNames: Readonly<Record<string, Known>> = {
  shop: { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'] },
  v4: { A: ['192.0.2.4'] },
  'a.b.deep': { A: ['192.0.2.5'] },
  deep: {},
  'b.deep': {},
  '*.wild': { A: ['192.0.2.6'] },
  wild: {},
  'x.here.wild': { A: ['192.0.2.7'] },
  'here.wild': {},
  alias: { CNAME: ['target.example.net.'] },
  large: { AAAA: Array.from({ length: 60 }, (_, index) => `2001:db8:1::${(index + 1).toString(16)}`) },
  ns1: { A: ['192.0.2.53'], AAAA: ['2001:db8::53'] },
};

const regions: ClientMap['regions'] = [
  { region: 'eu', latitude: 50, longitude: 8 },
  { region: 'us', latitude: 39, longitude: -77 },
  { region: 'ap', latitude: 35, longitude: 139 },
];
const clientMap: ClientMap = {
  mapId: 'map',
  blocks: [
    { cidr: '10.1.0.0/16', region: 'eu' },
    { cidr: '10.2.0.0/20', region: 'us' },
    { cidr: '2001:db8:a::/48', region: 'ap' },
  ],
  regions,
};

export function worldPlan(random: Random, policies: number): ZonePlan {
  const known = Object.entries(knownNames).filter(
    ([label, { A, AAAA, CNAME }]) => (A ?? AAAA ?? CNAME) && label !== 'ns1',
  );
  return {
    history: '0192d5a0-0000-7000-8000-000000000001',
    ...{ zone, generation: 1, ttlSeconds: 300, clientMaps: [clientMap] },
    soa: {
      ...{ mname: `ns1.${zone}`, rname: `hostmaster.${zone}` },
      ...{ refreshSeconds: 3_600, retrySeconds: 600, expireSeconds: 604_800, negativeTtlSeconds: 5 },
      serialBase: 0,
    },
    nameServers: [{ name: `ns1.${zone}`, addresses: ['192.0.2.53', '2001:db8::53'] }],
    keys: [makeKey(257, true), makeKey(256, true)],
    names: [
      ...known.map(([label, { A = [], AAAA = [], CNAME: [cname = null] = [] }]) =>
        nameOf(label, [memberOf('m', { addresses: [...A, ...AAAA], cname })], [{ step: 'FIRST', count: 8 }]),
      ),
      ...Array.from({ length: policies }, (_, index) => randomName(`p${index}`, random)),
    ],
  };
}

function nameOf(label: string, members: readonly MemberPlan[], steps: readonly PolicyStep[]): NamePlan {
  return {
    ...{ fqdn: `${label}.${zone}`, gslbId: label, version: 1, ttlSeconds: 30, degradedTtlSeconds: 10 },
    ...{ clientMapId: 'map', members, steps, noneUp: { do: 'NODATA' } },
    pools: [{ poolId: 'pool', minUp: 1, memberIds: members.map(({ memberId }) => memberId) }],
  };
}

function memberOf(memberId: string, parts: Partial<MemberPlan>): MemberPlan {
  return {
    ...{ memberId, region: null, addresses: [], cname: null, weight: 1, priority: 1, place: null, up: true, upIn: {} },
    ...{ withheld: false, latencyMs: {}, lastUpAt: null },
    ...parts,
  };
}

function randomName(label: string, random: Random): NamePlan {
  const members = Array.from({ length: random.integer(1, 6) }, (_, index) => {
    const at = random.integer(0, 2);
    const place = places[at] as Place;
    const latency = () => random.integer(5, 200);
    return memberOf(`${label}-${index}`, {
      region: regions[at]?.region ?? null,
      ...{ place, weight: random.integer(0, 10), priority: random.integer(1, 2), up: random.next() < 0.7 },
      addresses: [`198.51.100.${random.integer(1, 250)}`, ...(random.next() < 0.5 ? [`2001:db8::${index + 1}`] : [])],
      latencyMs: { eu: latency(), us: latency(), ap: latency() },
      upIn: random.next() < 0.2 ? { eu: random.next() < 0.5 } : {},
      lastUpAt: random.next() < 0.5 ? null : '2026-01-01T00:00:00Z',
    });
  });
  const step = random.pick<PolicyStep>([
    { step: 'PRIORITY' },
    { step: 'GEO', by: ['CIDR', 'COUNTRY', 'CONTINENT'] },
    { step: 'PROXIMITY', toleranceKm: 100 },
    { step: 'LATENCY', toleranceShare: 0.1 },
    { step: 'SHUFFLE' },
    { step: 'WEIGHTED' },
    { step: 'STICKY', ipv4Bits: 24, ipv6Bits: 56 },
  ]);
  const noneUp = random.pick<NamePlan['noneUp']>([
    ...([{ do: 'ALL' }, { do: 'LAST_KNOWN' }, { do: 'NODATA' }, { do: 'SERVFAIL' }] as const),
    { do: 'CNAME', target: 'sorry.example.net.' },
  ]);
  return { ...nameOf(label, members, [step, { step: 'FIRST', count: random.integer(1, 4) }]), noneUp };
}
