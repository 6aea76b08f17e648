// Refusals of bad input: a code and the field, and nothing changed.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  GslbGraph,
  type Input,
  identity,
  makeWorld,
  openRight,
  projectB,
  type World,
} from '../../support/gslb-graph.ts';

let graph: GslbGraph;
let world: World;
let ids: Readonly<Record<string, string>>;
const admin = identity('ADMIN');
const owner = identity('MEMBER');

beforeAll(async () => {
  graph = await GslbGraph.open();
  world = await makeWorld(graph, owner);
  const pool = async (name: string, input: Input = {}) => graph.make('gslbPoolCreate', { name, ...input }, owner);
  const [names, regional, other, empty] = [
    await pool('names'),
    await pool('regional', { answerScope: 'REGION' }),
    await pool('other'),
    await pool('empty'),
  ];
  await graph.make(
    'gslbPoolMemberCreate',
    { poolId: names, name: 'one', memberType: 'FQDN', cname: 'loop.gslb.test' },
    owner,
  );
  await graph.make('gslbPoolMemberCreate', { poolId: other, name: 'one', addresses: ['203.0.113.8'] }, owner);
  await graph.make('gslbPoolMemberCreate', { poolId: other, name: 'two', addresses: ['203.0.113.9'] }, owner);
  const backend = (label: string) => ({
    ...{ name: label, backendType: 'RFC2136', rfc2136: { servers: ['203.0.113.53:53'], keyName: 'tidegate' } },
    credentials: { keySecret: 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=' },
  });
  const knot = await graph.make('dnsBackendCreate', backend('knot'), admin);
  const bind = await graph.make('dnsBackendCreate', backend('bind'), admin);
  await graph.make('dnsZoneCreate', { name: 'plain.test', backendId: knot, rights: [openRight('plain.test')] }, admin);
  const uuid = Buffer.from(`Project:${projectB}`).toString('base64url');
  await graph.make('dnsZoneCreate', { name: 'beta.test', rights: [{ suffix: 'beta.test', projectId: uuid }] }, admin);
  await graph.make('dnsZoneCreate', { name: 'part.test', rights: [{ suffix: 'a.part.test' }] }, admin);
  const plain = await graph.make('gslbFlavorCreate', { name: 'plain', backendId: knot, shortestTtlSeconds: 0 }, admin);
  const bound = await graph.make('gslbFlavorCreate', { name: 'bound', backendId: bind }, admin);
  const narrow = await graph.make(
    ...([
      'gslbFlavorCreate',
      {
        name: 'narrow',
        policies: ['FAILOVER'],
        shortestIntervalMs: 5_000,
        longestTtlSeconds: 60,
        mostMembers: 1,
        mostNames: 0,
      },
      admin,
    ] as const),
  );
  const hasty = await graph.make(
    'gslbMonitorCreate',
    { name: 'hasty', checkType: 'TCP', intervalMs: 100, timeoutMs: 100 },
    owner,
  );
  ids = { ...world, names, regional, other, empty, plain, narrow, hasty, knot, bound };
  await graph.make('gslbCreate', { fqdn: 'kept.plain.test', flavorId: plain, poolIds: [other] }, owner);
  await graph.make('gslbCreate', { fqdn: 'target.gslb.test', flavorId: world.flavor, poolIds: [names] }, owner);
});
afterAll(async () => graph.stop());

/** `$NAME` is the id of that name. */
const filled = (value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('$')
    ? ids[value.slice(1)]
    : Array.isArray(value)
      ? value.map(filled)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filled(each)]))
        : value;

const name = (change: Input): Input => ({ fqdn: 'new.gslb.test', flavorId: '$flavor', poolIds: ['$pool'], ...change });
const member = (change: Input): Input => ({ poolId: '$pool', name: 'new', addresses: ['203.0.113.20'], ...change });
const monitor = (change: Input): Input => ({ name: 'new', checkType: 'HTTP', ...change });
const long = 'a'.repeat(64);
const stack: Input = { url: 'https://192.0.2.1:9876', authUrl: 'https://192.0.2.1:5000/v3', project: 'web' };

const cases: readonly (readonly [string, string, Input, readonly string[]])[] = [
  // Names
  ['a name outside of every zone', 'gslbCreate', name({ fqdn: 'shop.example.com' }), ['INVALID_INPUT input.fqdn']],
  ["a name in another project's zone", 'gslbCreate', name({ fqdn: 'shop.beta.test' }), ['INVALID_INPUT input.fqdn']],
  ['a name outside of the suffix', 'gslbCreate', name({ fqdn: 'shop.b.part.test' }), ['INVALID_INPUT input.fqdn']],
  ['a taken name', 'gslbCreate', name({ fqdn: 'SHOP.gslb.test.' }), ['NAME_TAKEN input.fqdn']],
  ['a wildcard inside', 'gslbCreate', name({ fqdn: 'a.*.gslb.test' }), ['INVALID_INPUT input.fqdn']],
  ['a wildcard that is part of a label', 'gslbCreate', name({ fqdn: 'a*.gslb.test' }), ['INVALID_INPUT input.fqdn']],
  ['a name that is not ASCII', 'gslbCreate', name({ fqdn: 'bücher.gslb.test' }), ['INVALID_INPUT input.fqdn']],
  ['a label that is no IDN', 'gslbCreate', name({ fqdn: 'xn--a.gslb.test' }), ['INVALID_INPUT input.fqdn']],
  ['a label with a space', 'gslbCreate', name({ fqdn: 'a b.gslb.test' }), ['INVALID_INPUT input.fqdn']],
  ['a label that is too long', 'gslbCreate', name({ fqdn: `${long}.gslb.test` }), ['INVALID_INPUT input.fqdn']],
  [
    'a name that is too long',
    'gslbCreate',
    name({ fqdn: `${'a.'.repeat(130)}gslb.test` }),
    ['INVALID_INPUT input.fqdn'],
  ],
  ['an empty label', 'gslbCreate', name({ fqdn: 'a..gslb.test' }), ['INVALID_INPUT input.fqdn']],
  [
    'a CNAME at the apex',
    'gslbCreate',
    name({ fqdn: 'gslb.test', poolIds: ['$names'] }),
    ['INVALID_INPUT input.poolIds'],
  ],
  [
    'a fallback CNAME at the apex',
    'gslbCreate',
    name({ fqdn: 'gslb.test', noneUp: 'CNAME', fallbackCname: 'www.example.com' }),
    ['INVALID_INPUT input.fallbackCname'],
  ],
  [
    'a fallback that leads back to itself',
    'gslbCreate',
    name({ noneUp: 'CNAME', fallbackCname: 'new.gslb.test' }),
    ['INVALID_INPUT input.fallbackCname'],
  ],
  [
    'a fallback that leads back over another name',
    'gslbCreate',
    name({ fqdn: 'loop.gslb.test', noneUp: 'CNAME', fallbackCname: 'target.gslb.test' }),
    ['INVALID_INPUT input.fallbackCname'],
  ],
  [
    'a member that leads back over a wildcard',
    'gslbCreate',
    name({ fqdn: '*.gslb.test', poolIds: ['$names'] }),
    ['INVALID_INPUT input.poolIds'],
  ],
  [
    'a fallback pool that is one of the pools',
    'gslbCreate',
    name({ noneUp: 'POOL', fallbackPoolId: '$pool' }),
    ['INVALID_INPUT input.fallbackPoolId'],
  ],
  ['no fallback pool', 'gslbCreate', name({ noneUp: 'POOL' }), ['INVALID_INPUT input.fallbackPoolId']],
  [
    'a fallback that is not asked for',
    'gslbCreate',
    name({ fallbackCname: 'a.example' }),
    ['INVALID_INPUT input.fallbackCname'],
  ],
  ['no pool', 'gslbCreate', name({ poolIds: [] }), ['INVALID_INPUT input.pools']],
  ['a pool twice', 'gslbCreate', name({ poolIds: ['$pool', '$pool'] }), ['INVALID_INPUT input.poolIds']],
  ['an id of another type', 'gslbCreate', name({ poolIds: ['$monitor'] }), ['NOT_FOUND input.poolIds.0']],
  ['a TTL below the flavor', 'gslbCreate', name({ ttlSeconds: 1 }), ['INVALID_INPUT input.ttlSeconds']],
  ['a TTL below all', 'gslbCreate', name({ ttlSeconds: -1 }), ['INVALID_INPUT input.ttlSeconds']],
  [
    'a degraded TTL above the usual',
    'gslbCreate',
    name({ degradedTtlSeconds: 60 }),
    ['INVALID_INPUT input.degradedTtlSeconds'],
  ],
  [
    'what a flavor does not allow',
    'gslbCreate',
    name({ flavorId: '$narrow', ttlSeconds: 61, poolIds: ['$other'] }),
    ['NOT_SUPPORTED input.policy', 'INVALID_INPUT input.ttlSeconds', 'LIMIT_REACHED input.poolIds'],
  ],
  [
    'a monitor that is faster than the flavor',
    'gslbCreate',
    name({ flavorId: '$narrow', policy: 'FAILOVER' }),
    ['INVALID_INPUT input.poolIds'],
  ],
  [
    'more names than the flavor allows',
    'gslbCreate',
    name({ flavorId: '$narrow', policy: 'FAILOVER', poolIds: ['$empty'] }),
    ['QUOTA_EXCEEDED input.flavorId'],
  ],
  [
    'a flavor of another backend than the zone',
    'gslbCreate',
    name({ flavorId: '$plain' }),
    ['INVALID_INPUT input.flavorId'],
  ],
  [
    'what the backend can not express',
    'gslbCreate',
    name({ fqdn: 'new.plain.test', flavorId: '$plain', policy: 'GEO' }),
    ['NOT_SUPPORTED input.policy'],
  ],
  [
    'a flavor of another backend of the same type',
    'gslbCreate',
    name({ fqdn: 'new.plain.test', flavorId: '$bound' }),
    ['INVALID_INPUT input.flavorId'],
  ],
  [
    'a name at the apex of a zone whose backend publishes below it',
    'gslbCreate',
    name({ fqdn: 'plain.test', flavorId: '$plain' }),
    ['NOT_SUPPORTED input.fqdn'],
  ],
  [
    'a label that a host name has not, at a backend of host names',
    'gslbCreate',
    name({ fqdn: '_a.plain.test', flavorId: '$plain' }),
    ['NOT_SUPPORTED input.fqdn'],
  ],
  [
    'a TTL of 0 at a backend that has none',
    'gslbCreate',
    name({ fqdn: 'new.plain.test', flavorId: '$plain', ttlSeconds: 0 }),
    ['NOT_SUPPORTED input.ttlSeconds'],
  ],
  [
    'a policy that the backend can not express, for a name that it has',
    'gslbPoolUpdate',
    { id: '$other', answerScope: 'REGION' },
    ['NOT_SUPPORTED input.id'],
  ],
  [
    'verdicts by region at a backend that answers all alike',
    'gslbCreate',
    name({ fqdn: 'new.plain.test', flavorId: '$plain', poolIds: ['$regional'] }),
    ['NOT_SUPPORTED input.poolIds'],
  ],
  ['steps without CUSTOM', 'gslbCreate', name({ steps: [{ step: 'FIRST', count: 1 }] }), ['INVALID_INPUT input.steps']],
  [
    'CUSTOM without FIRST',
    'gslbCreate',
    name({ policy: 'CUSTOM', steps: [{ step: 'SHUFFLE' }] }),
    ['INVALID_INPUT input.steps'],
  ],
  [
    'a setting of another step',
    'gslbCreate',
    name({
      policy: 'CUSTOM',
      steps: [
        { step: 'SHUFFLE', toleranceKm: 1 },
        { step: 'FIRST', count: 1 },
      ],
    }),
    ['INVALID_INPUT input.steps.0.toleranceKm'],
  ],
  [
    'a CMP object without an id',
    'gslbCreate',
    name({ cmpObject: { type: 'tenant', externalId: '' } }),
    ['INVALID_INPUT input.cmpObject.externalId'],
  ],
  [
    'a change with another version',
    'gslbUpdate',
    { id: '$gslb', expectedVersion: 99 },
    ['STALE_VERSION input.expectedVersion'],
  ],
  [
    'a change that the flavor forbids',
    'gslbUpdate',
    { id: '$gslb', ttlSeconds: 2 },
    ['INVALID_INPUT input.ttlSeconds'],
  ],
  // Members
  ['a taken name of a member', 'gslbPoolMemberCreate', member({ name: 'one' }), ['ALREADY_EXISTS input.name']],
  ['a weight out of range', 'gslbPoolMemberCreate', member({ weight: 1_001 }), ['INVALID_INPUT input.weight']],
  ['a negative weight', 'gslbPoolMemberCreate', member({ weight: -1 }), ['INVALID_INPUT input.weight']],
  ['a priority out of range', 'gslbPoolMemberCreate', member({ priority: 65_536 }), ['INVALID_INPUT input.priority']],
  ['no address', 'gslbPoolMemberCreate', member({ addresses: [] }), ['INVALID_INPUT input.addresses']],
  [
    'the address of no machine',
    'gslbPoolMemberCreate',
    member({ addresses: ['0.0.0.0'] }),
    ['INVALID_INPUT input.addresses.0'],
  ],
  [
    'a CNAME beside addresses',
    'gslbPoolMemberCreate',
    member({ memberType: 'FQDN', addresses: [], cname: 'a.example' }),
    ['INVALID_INPUT input.memberType'],
  ],
  [
    'addresses beside a CNAME',
    'gslbPoolMemberCreate',
    member({ poolId: '$names' }),
    ['INVALID_INPUT input.memberType'],
  ],
  [
    'a CNAME with addresses',
    'gslbPoolMemberCreate',
    member({ memberType: 'FQDN', cname: 'a.example' }),
    ['INVALID_INPUT input.addresses'],
  ],
  [
    'an address as CNAME',
    'gslbPoolMemberCreate',
    member({ poolId: '$names', memberType: 'FQDN', addresses: [], cname: '192.0.2.1' }),
    ['INVALID_INPUT input.cname'],
  ],
  ['half a place', 'gslbPoolMemberCreate', member({ place: { latitude: 1 } }), ['INVALID_INPUT input.place']],
  [
    'a country in lower case',
    'gslbPoolMemberCreate',
    member({ place: { country: 'de' } }),
    ['INVALID_INPUT input.place.country'],
  ],
  [
    'an address that egress denies',
    'gslbPoolMemberCreate',
    member({ addresses: ['169.254.169.254'], servicePort: 80 }),
    ['EGRESS_DENIED input.addresses.0'],
  ],
  [
    'an address that no vantage point may check',
    'gslbPoolMemberCreate',
    member({ addresses: ['203.0.113.200'] }),
    ['EGRESS_DENIED input.addresses.0'],
  ],
  [
    'the same by a change',
    'gslbPoolMemberUpdate',
    { id: '$member', addresses: ['203.0.113.200'] },
    ['EGRESS_DENIED input.addresses.0'],
  ],
  [
    'an end that is past',
    'gslbPoolMemberAdminStateSet',
    { id: '$member', state: 'DRAIN', until: '2020-01-01T00:00:00.000Z' },
    ['INVALID_INPUT input.until'],
  ],
  [
    'an end of AUTO',
    'gslbPoolMemberAdminStateSet',
    { id: '$member', state: 'AUTO', until: '2020-01-01T00:00:00.000Z' },
    ['INVALID_INPUT input.until', 'INVALID_INPUT input.until'],
  ],
  // Monitors
  ['a taken name of a monitor', 'gslbMonitorCreate', monitor({ name: 'web' }), ['ALREADY_EXISTS input.name']],
  ['a name in upper case', 'gslbMonitorCreate', monitor({ name: 'Web' }), ['INVALID_INPUT input.name']],
  ['a delay below all', 'gslbMonitorCreate', monitor({ intervalMs: 99 }), ['INVALID_INPUT input.intervalMs']],
  [
    'a timeout above the delay',
    'gslbMonitorCreate',
    monitor({ intervalMs: 1_000, timeoutMs: 1_001 }),
    ['INVALID_INPUT input.timeoutMs'],
  ],
  [
    'parameters against the schema',
    'gslbMonitorCreate',
    monitor({ parameters: { http: { path: 'no-path' } } }),
    ['INVALID_INPUT input.parameters.http.path'],
  ],
  [
    'parameters that the graph names otherwise',
    'gslbMonitorCreate',
    monitor({ checkType: 'DNS', parameters: { dns: { name: 'a.example', expectedRecords: [''] } } }),
    ['INVALID_INPUT input.parameters.dns.expectedRecords.0'],
  ],
  [
    'parameters of another type',
    'gslbMonitorCreate',
    monitor({ checkType: 'ICMP', parameters: { http: { path: '/' } } }),
    ['INVALID_INPUT input.parameters.http'],
  ],
  [
    'parameters that are no object',
    'gslbMonitorCreate',
    monitor({ checkType: 'PLUGIN', plugin: 'NONE', parameters: { plugin: [1] } }),
    ['INVALID_INPUT input.parameters'],
  ],
  [
    'a member in OpenStack without its id there',
    'gslbPoolMemberCreate',
    member({ memberType: 'NEUTRON_PORT' }),
    ['INVALID_INPUT input.neutronId'],
  ],
  [
    'an OpenStack that egress denies',
    'gslbMonitorCreate',
    monitor({ checkType: 'NEUTRON_PORT', parameters: { neutronPort: { ...stack, url: 'https://169.254.169.254' } } }),
    ['EGRESS_DENIED input.parameters.neutronPort.url'],
  ],
  ['empty credentials', 'gslbMonitorCreate', monitor({ auth: {} }), ['INVALID_INPUT input.auth']],
  [
    'a target that egress denies',
    'gslbMonitorCreate',
    monitor({ targetHost: '169.254.169.254', targetPort: 80 }),
    ['EGRESS_DENIED input.targetHost'],
  ],
  [
    'a delay below the flavor, by a change',
    'gslbMonitorUpdate',
    { id: '$monitor', intervalMs: 499, timeoutMs: 100 },
    ['INVALID_INPUT input.intervalMs'],
  ],
  [
    'a monitor that is faster than the flavor',
    'gslbPoolMonitorAttach',
    { monitorId: '$hasty', target: { poolId: '$pool' } },
    ['INVALID_INPUT input.monitorId'],
  ],
  // Pools
  [
    'a quorum that can not be met',
    'gslbPoolCreate',
    { name: 'new', quorum: { downAtLeast: { count: 5 } } },
    ['INVALID_INPUT input.quorum'],
  ],
  [
    'a delay without DELAYED',
    'gslbPoolCreate',
    { name: 'new', failback: { mode: 'MANUAL', delayMs: 1 } },
    ['INVALID_INPUT input.failback.delayMs'],
  ],
  [
    'DELAYED without a delay',
    'gslbPoolCreate',
    { name: 'new', failback: { mode: 'DELAYED' } },
    ['INVALID_INPUT input.failback.delayMs'],
  ],
  // An administrator's
  ['a zone that is none', 'dnsZoneCreate', { name: 'a b.test' }, ['INVALID_INPUT input.name']],
  [
    'a right outside of the zone',
    'dnsZoneCreate',
    { name: 'new.test', rights: [{ suffix: 'other.test' }] },
    ['INVALID_INPUT input.rights.0.suffix'],
  ],
  [
    'a vantage point off the globe',
    'gslbVantagePointCreate',
    { name: 'new', region: 'eu', latitude: 91, longitude: 0 },
    ['INVALID_INPUT input.latitude'],
  ],
  [
    'a block with host bits',
    'gslbVantagePointCreate',
    { name: 'new', region: 'eu', latitude: 1, longitude: 0, deniedBlocks: ['192.0.2.1/24'] },
    ['INVALID_INPUT input.deniedBlocks.0'],
  ],
  [
    'a vantage point that is not there',
    'gslbFlavorCreate',
    { name: 'new', vantagePointNames: ['mars'] },
    ['NOT_FOUND input.vantagePointNames.0'],
  ],
  [
    'a shortest TTL above the longest',
    'gslbFlavorCreate',
    { name: 'new', shortestTtlSeconds: 9, longestTtlSeconds: 8 },
    ['INVALID_INPUT input.shortestTtlSeconds'],
  ],
];

test.each(cases)('%s: %s', async (_what, mutation, input, faults) => {
  const before = await graph.everything();
  const refused = await graph.mutate(mutation, filled(input) as Input);
  expect(refused.faults).toEqual(faults);
  expect(refused.entity).toBeNull();
  expect(await graph.everything()).toBe(before);
});

test.each([{}, { poolId: 'a', memberId: 'b' }])('a monitor is attached to one thing: %j', async (target) => {
  const attach = graph.mutate('gslbPoolMonitorAttach', { monitorId: world.monitor, target }, owner);
  await expect(attach).rejects.toThrow(/xactly one/);
});

test("an administrator's objects are changed by nobody else", async () => {
  const before = await graph.everything();
  for (const [mutation, input] of [
    ['gslbFlavorCreate', { name: 'mine' }],
    ['gslbFlavorUpdate', { id: world.flavor, shortestIntervalMs: 100 }],
    ['gslbVantagePointDelete', { id: world.vantagePoint }],
    ['dnsZoneUpdate', { id: world.zone, rights: [] }],
    ['dnsBackendUpdate', { id: ids.knot ?? '', name: 'mine' }],
    ['dnsBackendDelete', { id: ids.knot ?? '' }],
  ] as const)
    expect((await graph.mutate(mutation, input, owner)).faults).toEqual(['FORBIDDEN ']);
  expect(await graph.everything()).toBe(before);
});

test('a viewer changes nothing', async () => {
  const viewer = identity('VIEWER');
  for (const [mutation, input] of [
    ['gslbPoolCreate', { name: 'mine' }],
    ['gslbUpdate', { id: world.gslb, ttlSeconds: 60 }],
    ['gslbPoolMemberAdminStateSet', { id: world.member, state: 'FORCED_DOWN' }],
    ['gslbFreeze', { id: world.gslb }],
    ['gslbUnfreeze', { id: world.gslb }],
  ] as const)
    expect((await graph.mutate(mutation, input, viewer)).faults).toEqual(['FORBIDDEN ']);
});

test('a share of two kinds, or of none, is no share', async () => {
  const quorum = (upAtLeast: object) => ({ name: 'new', quorum: { upAtLeast } });
  for (const share of [{}, { count: 1, percent: 1 }, { count: null }])
    await expect(graph.mutate('gslbPoolCreate', quorum(share), owner)).rejects.toThrow(/OneOf|must be non-null/);
});

test('votes stay fresh for two heartbeats of a checker at least', async () => {
  const quorum = (freshMs: number) => ({ quorum: { freshMs } });
  const refused = ['INVALID_INPUT input.quorum.freshMs'];
  expect((await graph.mutate('gslbPoolCreate', { name: 'stale', ...quorum(1_199) }, owner)).faults).toEqual(refused);
  const id = await graph.make('gslbPoolCreate', { name: 'stale', ...quorum(1_200) }, owner);
  expect((await graph.mutate('gslbPoolUpdate', { id, ...quorum(1_000) }, owner)).faults).toEqual(refused);
});

test('an account of OpenStack is not sent elsewhere by who does not know it', async () => {
  const auth = { username: 'ann', password: 'a-password-of-the-test' };
  const given = { name: 'octavia', checkType: 'NEUTRON_LBAAS_V2', parameters: { neutronLbaasV2: stack }, auth };
  const id = await graph.make('gslbMonitorCreate', given, owner);
  const faults = async (input: Input) => (await graph.mutate('gslbMonitorUpdate', { id, ...input }, owner)).faults;
  for (const field of ['url', 'authUrl']) {
    const parameters = { neutronLbaasV2: { ...stack, [field]: 'https://192.0.2.66' } };
    expect(await faults({ parameters })).toEqual(['CREDENTIALS_REQUIRED input.auth']);
    expect(await faults({ parameters, auth })).toEqual([]);
    expect(await faults({ parameters: { neutronLbaasV2: stack }, auth })).toEqual([]);
  }
  expect(await faults({ fall: 3 })).toEqual([]);
});
