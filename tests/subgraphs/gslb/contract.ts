// GSLB's rows of the contract that every subgraph meets (../support/contract.ts).
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { planNames } from '../../../subgraphs/gslb/control/plans/planning.ts';
import type { Contract, World } from '../support/contract.ts';
import { projectId } from '../support/subgraph-graph.ts';
import {
  administered,
  GslbGraph,
  type Input,
  identity,
  makeWorld,
  openRight,
  projectA,
  projectB,
} from './support/gslb-graph.ts';

export const owner = identity('OPERATOR');
export const stranger = identity('OPERATOR', projectB);
export const stack: Input = { url: 'https://192.0.2.1:9876', authUrl: 'https://192.0.2.1:5000/v3', project: 'web' };

async function open() {
  const graph = await GslbGraph.open();
  const ids = await makeWorld(graph, owner);
  const pool = async (name: string, input: Input = {}, who = owner) =>
    graph.make('gslbPoolCreate', { name, ...input }, who);
  const member = async (poolId: string, name: string, input: Input) =>
    graph.make('gslbPoolMemberCreate', { poolId, name, ...input }, owner);
  const [names, regional, other, empty] = [
    await pool('names'),
    await pool('regional', { answerScope: 'REGION' }),
    await pool('other'),
    await pool('empty'),
  ];
  await member(names, 'one', { memberType: 'FQDN', cname: 'loop.gslb.test' });
  await member(other, 'one', { addresses: ['203.0.113.8'] });
  await member(other, 'two', { addresses: ['203.0.113.9'] });
  const rfc2136 = { servers: ['203.0.113.53:53'], keyName: 'tidegate' };
  const credentials = { keySecret: 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=' };
  const backend = (name: string) =>
    graph.make('dnsBackendCreate', { name, backendType: 'RFC2136', rfc2136, credentials });
  const [knot, bind] = [await backend('knot'), await backend('bind')];
  await graph.make('dnsZoneCreate', { name: 'plain.test', backendId: knot, rights: [openRight('plain.test')] });
  await graph.make('dnsZoneCreate', {
    name: 'beta.test',
    rights: [{ suffix: 'beta.test', projectId: projectId(projectB) }],
  });
  await graph.make('dnsZoneCreate', { name: 'part.test', rights: [{ suffix: 'a.part.test' }] });
  const flavor = (name: string, input: Input) => graph.make('gslbFlavorCreate', { name, ...input });
  const plain = await flavor('plain', { backendId: knot, shortestTtlSeconds: 0 });
  const bound = await flavor('bound', { backendId: bind });
  const limits = { shortestIntervalMs: 5_000, longestTtlSeconds: 60, mostMembers: 1, mostNames: 0 };
  const narrow = await flavor('narrow', { policies: ['FAILOVER'], ...limits });
  const hasty = await graph.make(
    'gslbMonitorCreate',
    { name: 'hasty', checkType: 'TCP', intervalMs: 100, timeoutMs: 100 },
    owner,
  );
  await graph.make('gslbCreate', { fqdn: 'kept.plain.test', flavorId: plain, poolIds: [other] }, owner);
  await graph.make('gslbCreate', { fqdn: 'target.gslb.test', flavorId: ids.flavor, poolIds: [names] }, owner);
  await graph.make('gslbCreate', { fqdn: '*.b.gslb.test', flavorId: ids.flavor, poolIds: [ids.pool] }, owner);
  const theirPool = await pool('own', {}, stranger);
  const theirMonitor = await graph.make('gslbMonitorCreate', { name: 'own', checkType: 'TCP' }, stranger);
  const theirGslb = await graph.make(
    'gslbCreate',
    { fqdn: 'own.plain.test', flavorId: plain, poolIds: [theirPool] },
    stranger,
  );
  const planned = await graph.db.query<{ id: string }>('SELECT id FROM gslb');
  await graph.db.transaction((tx) =>
    planNames(
      tx,
      graph,
      planned.map(({ id }) => id),
    ),
  );
  return {
    ...{
      schema: graph.schema,
      db: graph.db,
      feed: graph.feed,
      owner,
      admin: identity('ADMIN'),
      graph,
      stop: () => graph.stop(),
    },
    run: graph.run.bind(graph),
    strangers: { 'a stranger': stranger },
    names: {
      ...{ ...ids, names, regional, other, empty, plain, narrow, hasty, knot, bound, theirPool, theirMonitor },
      ...{
        project: projectId(projectA),
        machine: encodeId('Machine', newUuid()),
        stack,
        deniedStack: { ...stack, url: 'https://169.254.169.254' },
      },
      cmp: encodeCmpObject({ namespace: 'default', type: 'tenant', externalId: '42' }),
      ...{ rfc2136, credentials, nineServers: Array.from({ length: 9 }, (_, at) => `203.0.113.${at}:53`) },
      ...{ noBackend: encodeId('DnsBackend', projectB), fingerprint: `SHA256:${'A'.repeat(43)}` },
      theirBalancer: encodeId('LoadBalancer', newUuid()),
      ...{
        past: '2020-01-01T00:00:00.000Z',
        longLabel: `${'a'.repeat(64)}.gslb.test`,
        longName: `${'a.'.repeat(130)}gslb.test`,
      },
    },
    async changes(stream: string) {
      await graph.make('gslbUpdate', { id: ids.gslb, description: stream }, owner);
      await graph.make('gslbUpdate', { id: theirGslb, description: stream }, stranger);
    },
  };
}

export type GslbWorld = Awaited<ReturnType<typeof open>>;

export const gslb: Contract = {
  subgraph: 'gslb',
  open,
  administered,
  strangers: ['a stranger'],
  secret: /shop\.gslb\.test/,
  openTypes: ['GslbFlavor'],
  nobody: { changes: 'NOT_FOUND|PROJECT_REQUIRED|UNAUTHENTICATED|FORBIDDEN' },
  queries: `
    gslb              | gslb(id: <gslb>) { id fqdn }
    gslbPool          | gslbPool(id: <pool>) { id } | "id"
    gslbPoolMember    | gslbPoolMember(id: <member>) { id } | "id"
    gslbMonitor       | gslbMonitor(id: <monitor>) { id } | "id"
    gslbs             | all: gslbs { nodes { id fqdn } } theirs: gslbs(projectId: <project>) { nodes { id fqdn } }
    gslbPools         | all: gslbPools { nodes { id name } } theirs: gslbPools(projectId: <project>) { nodes { id name } } | regional
    gslbMonitors      | all: gslbMonitors { nodes { id name } } theirs: gslbMonitors(projectId: <project>) { nodes { id name } } | hasty
    gslbHistory       | all: gslbHistory { nodes { id } } theirs: gslbHistory(projectId: <project>) { nodes { id } } | -
    gslbsAt           | gslbsAt(address: "203.0.113.7") { id fqdn }
    gslbsAt           | gslbsAt(address: "203.") { id fqdn }
    gslbsAt           | gslbsAt(address: "20") { id fqdn }
    gslbExplain       | gslbExplain(name: "shop.gslb.test") { gslb { id fqdn } generation servers { name } }
    gslbExplain       | gslbExplain(name: "x.b.gslb.test") { gslb { id } generation servers { name } } | "id"
    gslbExplain       | gslbExplain(name: "nothing.gslb.test") { gslb { id } generation servers { name } } | -
    gslbPreview       | gslbPreview(change: {gslbUpdate: {id: <gslb>, ttlSeconds: 60}}) { total names { fqdn } userErrors { code } } | "userErrors":\\[\\]
    gslbPreview       | gslbPreview(change: {gslbPoolUpdate: {id: <pool>, minUp: 2}}) { total names { fqdn } userErrors { code } } | "userErrors":\\[\\]
    gslbPreview       | gslbPreview(change: {gslbPoolMemberDelete: {id: <member>}}) { total names { fqdn } userErrors { code } }
    gslbPreview       | gslbPreview(change: {gslbPoolMemberCreate: {poolId: <pool>, name: "mine", addresses: ["203.0.113.30"]}}) { total names { fqdn } userErrors { code } } | "userErrors":\\[\\]
    # Of everybody.
    gslbFlavor        | gslbFlavor(id: <flavor>) { name } | usual
    gslbFlavors       | gslbFlavors { nodes { name } } | usual
    gslbMonitorTypes  | gslbMonitorTypes { __typename } | -
    # Of administrators: one of them is null for others.
    gslbVantagePoint  | gslbVantagePoint(id: <vantagePoint>) { id } | -
    dnsZone           | dnsZone(id: <zone>) { id } | -
    dnsBackend        | dnsBackend(id: <knot>) { id } | -
    gslbVantagePoints | gslbVantagePoints { nodes { id } } | "id" | FORBIDDEN
    dnsZones          | dnsZones { nodes { id } } | "id" | FORBIDDEN
    dnsBackends       | dnsBackends { nodes { id } } | "id" | FORBIDDEN
    gslbCheckers      | gslbCheckers { nodes { id } } | - | FORBIDDEN
    gslbNameServers   | gslbNameServers { nodes { id } } | - | FORBIDDEN`,
  entities: `
    Gslb             | <gslb>          | id fqdn
    GslbPool         | <pool>          | id | "id"
    GslbPoolMember   | <member>        | id | "id"
    GslbMonitor      | <monitor>       | id | "id"
    GslbFlavor       | <flavor>        | name | usual
    GslbVantagePoint | <vantagePoint>  | id | -
    DnsZone          | <zone>          | id | -
    DnsBackend       | <knot>          | id | -
    Project          | <project>       | gslbs { nodes { fqdn } }
    CmpObject        | <cmp>           | gslbs { nodes { fqdn } }
    LoadBalancer     | <theirBalancer> | gslbPoolMembers { nodes { id } } | -
    Attention        | "now"           | gslb { totalCount needs { subjectName subjectId reason } } | -`,
  streams: {
    gslbChanges: {
      ...{ selection: '{ cursor gslb { id fqdn } }', theirs: /own\.plain/ },
      events: (world: World, stream: string) => (world as GslbWorld).changes(stream),
    },
  },
  mutations: `
    gslbCreate                  | {fqdn: new.gslb.test, flavorId: $flavor, poolIds: [$pool]}
    gslbUpdate                  | {id: $gslb, ttlSeconds: 60}
    gslbDelete                  | {id: $gslb}
    gslbFreeze                  | {id: $gslb}
    gslbUnfreeze                | {id: $gslb}
    gslbPoolCreate              | {name: new}
    gslbPoolUpdate              | {id: $pool, minUp: 2}
    gslbPoolDelete              | {id: $pool}
    gslbPoolMemberCreate        | {poolId: $pool, name: new, addresses: [203.0.113.20]}
    gslbPoolMemberUpdate        | {id: $member, weight: 2}
    gslbPoolMemberDelete        | {id: $member}
    gslbPoolMemberAdminStateSet | {id: $member, state: FORCED_DOWN}
    gslbPoolMemberRelease       | {id: $member}
    gslbMonitorCreate           | {name: new, checkType: HTTP}
    gslbMonitorUpdate           | {id: $monitor, fall: 3}
    gslbMonitorDelete           | {id: $monitor}
    gslbPoolMonitorAttach       | {monitorId: $hasty, target: {poolId: $pool}}
    gslbPoolMonitorDetach       | {monitorId: $monitor, target: {poolId: $pool}}
    gslbFlavorCreate            | {name: new}
    gslbFlavorUpdate            | {id: $flavor, shortestIntervalMs: 100}
    gslbFlavorDelete            | {id: $flavor}
    gslbVantagePointCreate      | {name: new, region: eu, latitude: 1, longitude: 0}
    gslbVantagePointUpdate      | {id: $vantagePoint}
    gslbVantagePointDelete      | {id: $vantagePoint}
    gslbCheckerRecordSet        | {machineId: $machine, vantagePoint: eu}
    gslbNameServerRecordSet     | {machineId: $machine, addresses: [192.0.2.53]}
    dnsZoneCreate               | {name: new.test}
    dnsZoneUpdate               | {id: $zone, description: mine}
    dnsZoneDelete               | {id: $zone}
    dnsZoneKeyRollBegin         | {id: $zone}
    dnsZoneKeyRollConfirm       | {id: $zone, keyTag: 1}
    dnsZoneKeyRollCancel        | {id: $zone}
    dnsBackendCreate            | {name: new, backendType: RFC2136, rfc2136: $rfc2136, credentials: $credentials}
    dnsBackendUpdate            | {id: $knot, name: mine}
    dnsBackendDelete            | {id: $knot}`,
  refused: `
    gslbCreate | a name outside of every zone | {fqdn: shop.example.com} | INVALID_INPUT fqdn
    gslbCreate | a name in another project's zone | {fqdn: shop.beta.test} | INVALID_INPUT fqdn
    gslbCreate | a name outside of the suffix | {fqdn: shop.b.part.test} | INVALID_INPUT fqdn
    gslbCreate | a taken name | {fqdn: SHOP.gslb.test.} | NAME_TAKEN fqdn
    gslbCreate | a wildcard inside | {fqdn: 'a.*.gslb.test'} | INVALID_INPUT fqdn
    gslbCreate | a wildcard that is part of a label | {fqdn: 'a*.gslb.test'} | INVALID_INPUT fqdn
    gslbCreate | a name that is not ASCII | {fqdn: 'bücher.gslb.test'} | INVALID_INPUT fqdn
    gslbCreate | a label that is no IDN | {fqdn: xn--a.gslb.test} | INVALID_INPUT fqdn
    gslbCreate | a label with a space | {fqdn: a b.gslb.test} | INVALID_INPUT fqdn
    gslbCreate | a label that is too long | {fqdn: $longLabel} | INVALID_INPUT fqdn
    gslbCreate | a name that is too long | {fqdn: $longName} | INVALID_INPUT fqdn
    gslbCreate | an empty label | {fqdn: a..gslb.test} | INVALID_INPUT fqdn
    gslbCreate | a CNAME at the apex | {fqdn: gslb.test, poolIds: [$names]} | INVALID_INPUT poolIds
    gslbCreate | a fallback CNAME at the apex | {fqdn: gslb.test, noneUp: CNAME, fallbackCname: www.example.com} | INVALID_INPUT fallbackCname
    gslbCreate | a fallback that leads back to itself | {noneUp: CNAME, fallbackCname: new.gslb.test} | INVALID_INPUT fallbackCname
    gslbCreate | a fallback that leads back over another name | {fqdn: loop.gslb.test, noneUp: CNAME, fallbackCname: target.gslb.test} | INVALID_INPUT fallbackCname
    gslbCreate | a member that leads back over a wildcard | {fqdn: '*.gslb.test', poolIds: [$names]} | INVALID_INPUT poolIds
    gslbCreate | a fallback pool that is one of the pools | {noneUp: POOL, fallbackPoolId: $pool} | INVALID_INPUT fallbackPoolId
    gslbCreate | no fallback pool | {noneUp: POOL} | INVALID_INPUT fallbackPoolId
    gslbCreate | a fallback that is not asked for | {fallbackCname: a.example} | INVALID_INPUT fallbackCname
    gslbCreate | no pool | {poolIds: []} | INVALID_INPUT pools
    gslbCreate | a pool twice | {poolIds: [$pool, $pool]} | INVALID_INPUT poolIds
    gslbCreate | an id of another type | {poolIds: [$monitor]} | NOT_FOUND poolIds.0
    gslbCreate | a TTL below the flavor | {ttlSeconds: 1} | INVALID_INPUT ttlSeconds
    gslbCreate | a TTL below all | {ttlSeconds: -1} | INVALID_INPUT ttlSeconds
    gslbCreate | a degraded TTL above the usual | {degradedTtlSeconds: 60} | INVALID_INPUT degradedTtlSeconds
    gslbCreate | what a flavor does not allow | {flavorId: $narrow, ttlSeconds: 61, poolIds: [$other]} | NOT_SUPPORTED policy, INVALID_INPUT ttlSeconds, LIMIT_REACHED poolIds
    gslbCreate | a monitor that is faster than the flavor | {flavorId: $narrow, policy: FAILOVER} | INVALID_INPUT poolIds
    gslbCreate | more names than the flavor allows | {flavorId: $narrow, policy: FAILOVER, poolIds: [$empty]} | QUOTA_EXCEEDED flavorId
    gslbCreate | a flavor of another backend than the zone | {flavorId: $plain} | INVALID_INPUT flavorId
    gslbCreate | what the backend can not express | {fqdn: new.plain.test, flavorId: $plain, policy: GEO} | NOT_SUPPORTED policy
    gslbCreate | a flavor of another backend of the same type | {fqdn: new.plain.test, flavorId: $bound} | INVALID_INPUT flavorId
    gslbCreate | a name at the apex of a zone whose backend publishes below it | {fqdn: plain.test, flavorId: $plain} | NOT_SUPPORTED fqdn
    gslbCreate | a label that a host name has not, at a backend of host names | {fqdn: _a.plain.test, flavorId: $plain} | NOT_SUPPORTED fqdn
    gslbCreate | a TTL of 0 at a backend that has none | {fqdn: new.plain.test, flavorId: $plain, ttlSeconds: 0} | NOT_SUPPORTED ttlSeconds
    gslbPoolUpdate | a policy that the backend can not express, for a name that it has | {id: $other, answerScope: REGION} | NOT_SUPPORTED id
    gslbCreate | verdicts by region at a backend that answers all alike | {fqdn: new.plain.test, flavorId: $plain, poolIds: [$regional]} | NOT_SUPPORTED poolIds
    gslbCreate | steps without CUSTOM | {steps: [{step: FIRST, count: 1}]} | INVALID_INPUT steps
    gslbCreate | CUSTOM without FIRST | {policy: CUSTOM, steps: [{step: SHUFFLE}]} | INVALID_INPUT steps
    gslbCreate | a setting of another step | {policy: CUSTOM, steps: [{step: SHUFFLE, toleranceKm: 1}, {step: FIRST, count: 1}]} | INVALID_INPUT steps.0.toleranceKm
    gslbUpdate | a change that the flavor forbids | {id: $gslb, ttlSeconds: 2} | INVALID_INPUT ttlSeconds
    gslbPoolMemberCreate | a taken name of a member | {name: one} | ALREADY_EXISTS name
    gslbPoolMemberCreate | a weight out of range | {weight: 1001} | INVALID_INPUT weight
    gslbPoolMemberCreate | a negative weight | {weight: -1} | INVALID_INPUT weight
    gslbPoolMemberCreate | a priority out of range | {priority: 65536} | INVALID_INPUT priority
    gslbPoolMemberCreate | no address | {addresses: []} | INVALID_INPUT addresses
    gslbPoolMemberCreate | the address of no machine | {addresses: [0.0.0.0]} | INVALID_INPUT addresses.0
    gslbPoolMemberCreate | a CNAME beside addresses | {memberType: FQDN, addresses: [], cname: a.example} | INVALID_INPUT memberType
    gslbPoolMemberCreate | addresses beside a CNAME | {poolId: $names} | INVALID_INPUT memberType
    gslbPoolMemberCreate | a CNAME with addresses | {memberType: FQDN, cname: a.example} | INVALID_INPUT addresses
    gslbPoolMemberCreate | an address as CNAME | {poolId: $names, memberType: FQDN, addresses: [], cname: 192.0.2.1} | INVALID_INPUT cname
    gslbPoolMemberCreate | half a place | {place: {latitude: 1}} | INVALID_INPUT place
    gslbPoolMemberCreate | a country in lower case | {place: {country: de}} | INVALID_INPUT place.country
    gslbPoolMemberCreate | an address that egress denies | {addresses: [169.254.169.254], servicePort: 80} | EGRESS_DENIED addresses.0
    gslbPoolMemberCreate | an address that no vantage point may check | {addresses: [203.0.113.200]} | EGRESS_DENIED addresses.0
    gslbPoolMemberUpdate | the same by a change | {id: $member, addresses: [203.0.113.200]} | EGRESS_DENIED addresses.0
    gslbPoolMemberAdminStateSet | an end that is past | {id: $member, state: DRAIN, until: $past} | INVALID_INPUT until
    gslbPoolMemberAdminStateSet | an end of AUTO | {id: $member, state: AUTO, until: $past} | INVALID_INPUT until, INVALID_INPUT until
    gslbMonitorCreate | a taken name of a monitor | {name: web} | ALREADY_EXISTS name
    gslbMonitorCreate | a name in upper case | {name: Web} | INVALID_INPUT name
    gslbMonitorCreate | a delay below all | {intervalMs: 99} | INVALID_INPUT intervalMs
    gslbMonitorCreate | a timeout above the delay | {intervalMs: 1000, timeoutMs: 1001} | INVALID_INPUT timeoutMs
    gslbMonitorCreate | parameters against the schema | {parameters: {http: {path: no-path}}} | INVALID_INPUT parameters.http.path
    gslbMonitorCreate | parameters that the graph names otherwise | {checkType: DNS, parameters: {dns: {name: a.example, expectedRecords: ['']}}} | INVALID_INPUT parameters.dns.expectedRecords.0
    gslbMonitorCreate | parameters of another type | {checkType: ICMP, parameters: {http: {path: /}}} | INVALID_INPUT parameters.http
    gslbMonitorCreate | parameters that are no object | {checkType: PLUGIN, plugin: NONE, parameters: {plugin: [1]}} | INVALID_INPUT parameters
    gslbPoolMemberCreate | a member in OpenStack without its id there | {memberType: NEUTRON_PORT} | INVALID_INPUT neutronId
    gslbMonitorCreate | an OpenStack that egress denies | {checkType: NEUTRON_PORT, parameters: {neutronPort: $deniedStack}} | EGRESS_DENIED parameters.neutronPort.url
    gslbMonitorCreate | empty credentials | {auth: {}} | INVALID_INPUT auth
    gslbMonitorCreate | a target that egress denies | {targetHost: 169.254.169.254, targetPort: 80} | EGRESS_DENIED targetHost
    gslbMonitorUpdate | a delay below the flavor, by a change | {id: $monitor, intervalMs: 499, timeoutMs: 100} | INVALID_INPUT intervalMs
    gslbPoolMonitorAttach | a monitor that is faster than the flavor | {monitorId: $hasty, target: {poolId: $pool}} | INVALID_INPUT monitorId
    gslbPoolCreate | a quorum that can not be met | {name: new, quorum: {downAtLeast: {count: 5}}} | INVALID_INPUT quorum
    gslbPoolCreate | a delay without DELAYED | {name: new, failback: {mode: MANUAL, delayMs: 1}} | INVALID_INPUT failback.delayMs
    gslbPoolCreate | DELAYED without a delay | {name: new, failback: {mode: DELAYED}} | INVALID_INPUT failback.delayMs
    dnsZoneCreate | a zone that is none | {name: a b.test} | INVALID_INPUT name
    dnsZoneCreate | a right outside of the zone | {name: new.test, rights: [{suffix: other.test}]} | INVALID_INPUT rights.0.suffix
    gslbVantagePointCreate | a vantage point off the globe | {name: new, region: eu, latitude: 91, longitude: 0} | INVALID_INPUT latitude
    gslbVantagePointCreate | a block with host bits | {name: new, region: eu, latitude: 1, longitude: 0, deniedBlocks: [192.0.2.1/24]} | INVALID_INPUT deniedBlocks.0
    gslbFlavorCreate | a vantage point that is not there | {name: new, vantagePointNames: [mars]} | NOT_FOUND vantagePointNames.0
    gslbFlavorCreate | a shortest TTL above the longest | {name: new, shortestTtlSeconds: 9, longestTtlSeconds: 8} | INVALID_INPUT shortestTtlSeconds
    dnsBackendCreate | a name of other letters         | {name: Knot} | INVALID_INPUT name
    dnsBackendCreate | a taken name                    | {name: knot} | ALREADY_EXISTS name
    dnsBackendCreate | no settings                     | {rfc2136: null} | INVALID_INPUT rfc2136
    dnsBackendCreate | no secret                       | {credentials: null} | CREDENTIALS_REQUIRED credentials
    dnsBackendCreate | the secret of another type      | {credentials: {keySecret: c2VjcmV0LXNlY3JldC1zZWNyZXQ=, apiKey: key}} | INVALID_INPUT credentials.apiKey
    dnsBackendCreate | an address that egress denies   | {rfc2136: {servers: ['169.254.169.254:53'], keyName: tidegate}} | EGRESS_DENIED rfc2136.servers.0
    dnsBackendCreate | more servers than are allowed   | {rfc2136: {servers: $nineServers, keyName: k}} | TOO_LONG rfc2136.servers
    dnsBackendCreate | an API that egress denies       | {backendType: POWERDNS, rfc2136: null, powerdns: {servers: [{url: 'https://169.254.169.254', dns: '203.0.113.54:53', certificateSha256: $fingerprint}]}, credentials: {apiKey: key}} | EGRESS_DENIED powerdns.servers.0.url
    dnsBackendCreate | a Keystone that egress denies   | {backendType: DESIGNATE, rfc2136: null, designate: {url: 'https://203.0.113.56:9001', authUrl: 'https://169.254.169.254/v3', username: dns, project: dns, certificateSha256: $fingerprint}, credentials: {password: password}} | EGRESS_DENIED designate.authUrl
    dnsBackendCreate | a name server that egress denies | {backendType: DESIGNATE, rfc2136: null, designate: {url: 'https://203.0.113.56:9001', authUrl: 'https://203.0.113.56:5000/v3', username: dns, project: dns, certificateSha256: $fingerprint, nameServers: ['169.254.169.254:53']}, credentials: {password: password}} | EGRESS_DENIED designate.nameServers.0
    dnsBackendCreate | a name server without a port    | {backendType: DESIGNATE, rfc2136: null, designate: {url: 'https://203.0.113.56:9001', authUrl: 'https://203.0.113.56:5000/v3', username: dns, project: dns, certificateSha256: $fingerprint, nameServers: [203.0.113.57]}, credentials: {password: password}} | INVALID_INPUT designate.nameServers.0
    dnsZoneCreate    | a backend that there is not     | {backendId: $noBackend} | NOT_FOUND backendId
    dnsZoneCreate    | an id of another type           | {backendId: $zone} | NOT_FOUND backendId
    dnsZoneCreate    | a head that our own name servers make | {nameServers: [ns.new.test], secondaries: ['203.0.113.1:53']} | INVALID_INPUT nameServers, NOT_SUPPORTED secondaries
    dnsZoneCreate    | a zone that its backend can not sign | {backendId: $knot, signed: true} | NOT_SUPPORTED signed
    gslbFlavorCreate | a backend that there is not     | {backendId: $noBackend} | NOT_FOUND backendId
    gslbCreate            | another project's pool | {poolIds: [$theirPool]} | NOT_FOUND poolIds.0
    gslbCreate            | another project's fallback pool | {noneUp: POOL, fallbackPoolId: $theirPool} | NOT_FOUND fallbackPoolId
    gslbPoolMonitorAttach | another project's monitor | {monitorId: $theirMonitor} | NOT_FOUND monitorId
    gslbPoolMonitorAttach | another project's target | {target: {poolId: $theirPool}} | NOT_FOUND target.poolId
`,
};
