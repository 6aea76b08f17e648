// The answer to bad input: for every mutation a coded entry of `userErrors` with the whole path of the field, and no change in any table.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { idFieldOf } from '../../../platform/graph/described/text.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { decodeUuid, encodeId, newUuid } from '../../../platform/values/ids.ts';
import { insertNode } from '../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { type PartName, partNames } from '../../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../../subgraphs/loadbalancer/spec/parts.ts';
import {
  BalancerGraph,
  type Ids,
  type Input,
  identity,
  makeTree,
  projectA,
  projectB,
  projectId,
} from './support/balancer-graph.ts';
import { connectHost } from './support/host-records.ts';
import { faultsOfKind } from './support/kinds.ts';

interface Case {
  readonly what: string;
  readonly change: () => Input;
  /** CODE and path. */
  readonly fault: string;
}

const control = 'a\u0007b';
const long = 'x'.repeat(2_000);
const lower = (name: string) => `${name.charAt(0).toLowerCase()}${name.slice(1)}`;

let graph: BalancerGraph;
let ids: Ids;
let foreign: Ids;
let certificate: { readonly id: string; readonly chain: string; readonly privateKey: string };
let other: { readonly cert: string; readonly key: string };
let foreignCertificate: string;
let tcpListener: string;
let host: string;
const nodes = { mine: newUuid(), theirs: newUuid() };

beforeAll(async () => {
  graph = await BalancerGraph.open();
  const stranger = identity('MEMBER', projectB);
  ids = await makeTree(graph, 'mine');
  foreign = await makeTree(graph, 'theirs', stranger);
  const made = await makeCertificate({ commonName: 'www.example.com' });
  other = await makeCertificate({ commonName: 'other.example.com' });
  const store = (name: string, who = identity('MEMBER')) =>
    graph.make('tlsCertificateCreate', { name, chain: made.cert, privateKey: made.key }, 'tlsCertificate { id }', who);
  certificate = { id: (await store('mine')).id, chain: made.cert, privateKey: made.key };
  foreignCertificate = (await store('theirs', stranger)).id;
  const listener = { loadBalancerId: ids.loadBalancer, protocol: 'TCP', port: 5_000 };
  tcpListener = (await graph.make('listenerCreate', listener, 'listener { id }')).id;
  host = newUuid();
  await graph.db.transaction((tx) =>
    connectHost(
      tx,
      graph.wake,
      { id: host, name: 'host' },
      {
        ...{ provider: 'LOOPBACK', site: null, tunnelAddress: null, maxNodes: 0, healthPort: 18_999 },
        ...{ publicRange: '198.51.100.0/24', managementRange: '198.51.100.0/24' },
      },
    ),
  );
  for (const [which, tree, project] of [['mine', ids, projectA] as const, ['theirs', foreign, projectB] as const]) {
    const owned = { projectId: project, loadBalancerId: decodeUuid('LoadBalancer', tree.loadBalancer) ?? '' };
    const addresses = { hostId: null, address: null, managementAddress: null };
    const size = { connections: 100, threads: 1 };
    await graph.db.transaction((tx) =>
      insertNode(tx, graph.wake, { ...owned, ...addresses, ...size, id: nodes[which], name: which }),
    );
  }
});
afterAll(async () => graph.stop());

/** Everything but what a refusal leaves: its audit entry. */
async function everything(): Promise<unknown> {
  const tables = [
    'lb_load_balancer',
    'lb_part',
    'lb_reference',
    'lb_subnet',
    'lb_certificate',
    'lb_host',
    'host_record',
    'lb_quota',
    'lb_node',
  ];
  const rows = await Promise.all([
    ...tables.map((table) => graph.db.query(`SELECT * FROM ${table} ORDER BY 1, 2`)),
    graph.db.query('SELECT COUNT(*) FROM status_change'),
    graph.db.query('SELECT COUNT(*) FROM idempotency_key'),
    graph.db.query('SELECT COUNT(*) FROM owed_work'),
  ]);
  return rows.map((each) => each.map((row) => JSON.stringify(row)));
}

const parentOf: Readonly<Record<PartName, () => Input>> = {
  Pool: () => ({ loadBalancerId: ids.loadBalancer }),
  PoolMember: () => ({ poolId: ids.pool }),
  PoolHealthMonitor: () => ({ poolId: ids.rawPool }),
  Listener: () => ({ loadBalancerId: ids.loadBalancer }),
  L7Policy: () => ({ listenerId: ids.listener }),
  L7Rule: () => ({ l7PolicyId: ids.l7Policy }),
};
const settings: Readonly<Record<PartName, Input>> = {
  Pool: { name: 'new', memberProtocol: 'HTTP' },
  PoolMember: { host: '192.0.2.99', port: 99 },
  PoolHealthMonitor: { monitorType: 'HTTP' },
  Listener: { protocol: 'HTTP', port: 99 },
  L7Policy: { action: 'REJECT' },
  L7Rule: { ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/' },
};
const idOf = (name: PartName) => ids[lower(name) as keyof Ids];

/** Valid input of every mutation. */
function valid(mutation: string): Input {
  for (const name of partNames) {
    if (mutation === `${lower(name)}Create`) return { ...parentOf[name](), ...settings[name] };
    if (mutation === `${lower(name)}Update` || mutation === `${lower(name)}Delete`) return { id: idOf(name) };
  }
  const inputs: Record<string, Input> = {
    loadBalancerCreate: { name: 'new' },
    loadBalancerUpdate: { id: ids.loadBalancer },
    loadBalancerDelete: { id: ids.loadBalancer },
    loadBalancerQuotaSet: { projectId: projectId(projectA), kind: 'POOLS', limit: 5 },
    loadBalancerHostCordonSet: { id: encodeId('LoadBalancerHost', host) },
    loadBalancerHostCordonLift: { id: encodeId('LoadBalancerHost', host) },
    loadBalancerHostUpdate: { id: encodeId('LoadBalancerHost', host), maxNodes: 9 },
    loadBalancerHostDelete: { id: encodeId('LoadBalancerHost', host) },
    loadBalancerNodesReplace: { id: ids.loadBalancer },
    loadBalancerNodeReplace: { id: encodeId('LoadBalancerNode', nodes.mine) },
    projectSubnetCreate: { name: 'new', cidr: '10.1.0.0/24' },
    projectSubnetUpdate: { id: ids.subnet, name: 'other' },
    projectSubnetDelete: { id: ids.subnet },
    tlsCertificateCreate: { name: 'new', chain: certificate.chain, privateKey: certificate.privateKey },
    tlsCertificateUpdate: { id: certificate.id, chain: certificate.chain, privateKey: certificate.privateKey },
    tlsCertificateDelete: { id: certificate.id },
    autoscalingPolicySet: { loadBalancerId: ids.loadBalancer, policy: {} },
    autoscalingPolicyDelete: { loadBalancerId: ids.loadBalancer },
    poolMembersSet: { id: ids.pool, members: [] },
    poolMemberDrain: { id: ids.poolMember },
    poolMemberDrainCancel: { id: ids.poolMember },
  };
  return inputs[mutation] ?? {};
}

const one = (what: string, change: Input | (() => Input), fault: string): Case => ({
  ...{ what, fault },
  change: typeof change === 'function' ? change : () => change,
});
const keyCases: readonly Case[] = [
  one('an endless key', { idempotencyKey: long }, 'TOO_LONG input.idempotencyKey'),
  one('a key with a control', { idempotencyKey: control }, 'INVALID_INPUT input.idempotencyKey'),
];
const idCases = (type: string, theirs: () => string, field = 'id'): readonly Case[] => [
  one('an unknown id', () => ({ [field]: encodeId(type, newUuid()) }), `NOT_FOUND input.${field}`),
  one("another project's id", () => ({ [field]: theirs() }), `NOT_FOUND input.${field}`),
  one('no id at all', { [field]: control }, `NOT_FOUND input.${field}`),
  one('an id of another type', () => ({ [field]: encodeId('Backend', newUuid()) }), `NOT_FOUND input.${field}`),
];
const staleCases: readonly Case[] = [
  one('a stale version', { expectedVersion: 999 }, 'STALE_VERSION input.expectedVersion'),
];
const projectCases: readonly Case[] = [
  one("another project's id", { projectId: projectId(projectB) }, 'NOT_FOUND input.projectId'),
  one('no project id', { projectId: control }, 'NOT_FOUND input.projectId'),
];
const nameCases = (taken: string): readonly Case[] => [
  one('a name with capitals', { name: 'Web' }, 'INVALID_INPUT input.name'),
  one('a name with a dot', { name: 'a.b' }, 'INVALID_INPUT input.name'),
  one('a name with a control', { name: control }, 'INVALID_INPUT input.name'),
  one('an empty name', { name: '' }, 'INVALID_INPUT input.name'),
  one('a name that is no label', { name: 'x'.repeat(64) }, 'TOO_LONG input.name'),
  one('a name that is taken', { name: taken }, 'ALREADY_EXISTS input.name'),
];

/** Faults of a part's fields in an input, with the path of the part. */
const fieldCases = (name: PartName, which: (field: string) => boolean = () => true): readonly Case[] =>
  faultsOfKind(name)
    .filter(({ change }) => which(Object.keys(change)[0] ?? ''))
    .map(({ what, change, code, field }) => one(what, change, `${code} input.${field}`));

const foreignOf: Readonly<Record<string, () => string>> = {
  LoadBalancer: () => foreign.loadBalancer,
  Pool: () => foreign.pool,
  PoolMember: () => foreign.poolMember,
  PoolHealthMonitor: () => foreign.poolHealthMonitor,
  Listener: () => foreign.listener,
  L7Policy: () => foreign.l7Policy,
  L7Rule: () => foreign.l7Rule,
};

/** Beyond single fields: input that the parts' own descriptions refuse, and values that are in use or do not fit. */
const ownCases: Readonly<Partial<Record<PartName, readonly Case[]>>> = {
  Pool: [
    one('a name that is taken', { name: 'raw' }, 'ALREADY_EXISTS input.name'),
    one(
      'a cookie in TCP',
      { memberProtocol: 'TCP', persistence: { type: 'HTTP_COOKIE' } },
      'INVALID_INPUT input.persistence.type',
    ),
    one(
      'an application cookie without name',
      { persistence: { type: 'APP_COOKIE' } },
      'INVALID_INPUT input.persistence.cookieName',
    ),
    one(
      'a cookie name with a semicolon',
      { persistence: { type: 'APP_COOKIE', cookieName: 'a;b' } },
      'INVALID_INPUT input.persistence.cookieName',
    ),
    one('ciphers without TLS', { tlsCiphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'INVALID_INPUT input.tlsCiphers'),
    one('a weak cipher', { tls: true, tlsCiphers: 'DES-CBC3-SHA' }, 'INVALID_INPUT input.tlsCiphers'),
    one('a cipher string', { tls: true, tlsCiphers: 'ALL:!aNULL' }, 'INVALID_INPUT input.tlsCiphers'),
    one('a bad server name', { tls: true, tlsServerName: 'no host' }, 'INVALID_INPUT input.tlsServerName'),
    one(
      'authorities that are none',
      { tls: true, authorities: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      'INVALID_INPUT input.authorities',
    ),
    one(
      'a private key among authorities',
      () => ({ tls: true, authorities: `${other.cert}${other.key}` }),
      'INVALID_INPUT input.authorities',
    ),
    one(
      "another project's certificate",
      () => ({ tls: true, clientCertificateId: foreignCertificate }),
      'NOT_FOUND input.clientCertificateId',
    ),
  ],
  PoolMember: [
    one('a bad host', { host: 'no host' }, 'INVALID_INPUT input.host'),
    one('an address that is none', { host: '300.1.1.1' }, 'INVALID_INPUT input.host'),
    one('an unusual notation of an address', { host: '0x7f.1' }, 'INVALID_INPUT input.host'),
    one('no address in particular', { host: '0.0.0.0' }, 'INVALID_INPUT input.host'),
    one('no address in particular as what is checked', { monitorHost: '::' }, 'INVALID_INPUT input.monitorHost'),
    one('a cloud metadata service', { host: '169.254.169.254' }, 'EGRESS_DENIED input.host'),
    one('the same in IPv6', { host: '::ffff:169.254.169.254' }, 'EGRESS_DENIED input.host'),
    one('a network of the hosts', { host: '198.51.100.7' }, 'EGRESS_DENIED input.host'),
    one('a host as what is checked', { monitorHost: '198.51.100.7' }, 'EGRESS_DENIED input.monitorHost'),
    one('one that is there', { host: '192.0.2.10', port: 80 }, 'ALREADY_EXISTS input.host'),
  ],
  PoolHealthMonitor: [
    one('a second one', () => ({ poolId: ids.pool }), 'LIMIT_REACHED '),
    one('a timeout longer than the interval', { intervalMs: 500, timeoutMs: 501 }, 'INVALID_INPUT input.timeoutMs'),
    one('a path for TCP', { monitorType: 'TCP', path: '/' }, 'INVALID_INPUT input.path'),
    one('a path without slash', { path: 'health' }, 'INVALID_INPUT input.path'),
    one('a path with a space', { path: '/a b' }, 'INVALID_INPUT input.path'),
    one('a code that is none', { expectedCodes: '700' }, 'INVALID_INPUT input.expectedCodes'),
    one('a range backwards', { expectedCodes: '200,204-200' }, 'INVALID_INPUT input.expectedCodes'),
    one('a bad Host header', { hostHeader: 'a\r\nX: y' }, 'INVALID_INPUT input.hostHeader'),
  ],
  Listener: [
    one('a port that is taken', { port: 80 }, 'ALREADY_EXISTS input.port'),
    one('the port of health checks', { port: 18_999 }, 'IN_USE input.port'),
    one('no certificate', { protocol: 'TERMINATED_HTTPS' }, 'INVALID_INPUT input.certificateIds'),
    one(
      'a certificate without TLS',
      () => ({ certificateIds: [certificate.id] }),
      'INVALID_INPUT input.certificateIds',
    ),
    one(
      "another project's certificate",
      () => ({ protocol: 'TERMINATED_HTTPS', certificateIds: [certificate.id, foreignCertificate] }),
      'NOT_FOUND input.certificateIds.1',
    ),
    one("another project's pool", () => ({ defaultPoolId: foreign.pool }), 'NOT_FOUND input.defaultPoolId'),
    one('a pool of TCP', () => ({ defaultPoolId: ids.rawPool }), 'INVALID_INPUT input.defaultPoolId'),
    one('headers in TCP', { protocol: 'TCP', insertHeaders: ['X_FORWARDED_FOR'] }, 'INVALID_INPUT input.insertHeaders'),
    one('TLS headers without TLS', { insertHeaders: ['X_SSL_CLIENT_CN'] }, 'INVALID_INPUT input.insertHeaders'),
    one(
      'clients without authorities',
      () => ({ protocol: 'TERMINATED_HTTPS', certificateIds: [certificate.id], clientAuthentication: 'MANDATORY' }),
      'INVALID_INPUT input.clientAuthorities',
    ),
    one(
      'client certificates without TLS',
      { clientAuthentication: 'OPTIONAL' },
      'INVALID_INPUT input.clientAuthentication',
    ),
    one('HSTS without an age', { hstsPreload: true }, 'INVALID_INPUT input.hstsPreload'),
    one('a block with host bits', { allowedCidrs: ['10.0.0.0/8', '10.0.0.1/8'] }, 'INVALID_INPUT input.allowedCidrs.1'),
    one(
      'a revocation list that is none',
      () => ({
        ...{ protocol: 'TERMINATED_HTTPS', certificateIds: [certificate.id], clientAuthentication: 'OPTIONAL' },
        ...{ clientAuthorities: other.cert },
        clientRevocations: '-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n',
      }),
      'INVALID_INPUT input.clientRevocations',
    ),
  ],
  L7Policy: [
    one('a listener of TCP', () => ({ listenerId: tcpListener }), 'INVALID_INPUT input.action'),
    one('no pool', { action: 'REDIRECT_TO_POOL' }, 'INVALID_INPUT input.redirectPoolId'),
    one(
      "another project's pool",
      () => ({ action: 'REDIRECT_TO_POOL', redirectPoolId: foreign.pool }),
      'NOT_FOUND input.redirectPoolId',
    ),
    one(
      'a pool of TCP',
      () => ({ action: 'REDIRECT_TO_POOL', redirectPoolId: ids.rawPool }),
      'INVALID_INPUT input.redirectPoolId',
    ),
    one('no URL', { action: 'REDIRECT_TO_URL' }, 'INVALID_INPUT input.redirectUrl'),
    one(
      'another scheme',
      { action: 'REDIRECT_TO_URL', redirectUrl: 'javascript:alert(1)' },
      'INVALID_INPUT input.redirectUrl',
    ),
    one(
      'a URL with a user',
      { action: 'REDIRECT_TO_URL', redirectUrl: 'https://a@b/' },
      'INVALID_INPUT input.redirectUrl',
    ),
    one(
      'a URL without host',
      { action: 'REDIRECT_TO_URL', redirectUrl: 'https://-/' },
      'INVALID_INPUT input.redirectUrl',
    ),
    one(
      'a prefix with a bad port',
      { action: 'REDIRECT_PREFIX', redirectPrefix: 'https://a:99999' },
      'INVALID_INPUT input.redirectPrefix',
    ),
    one(
      'a code that is no redirect',
      { action: 'REDIRECT_TO_URL', redirectUrl: 'https://a/', redirectCode: 304 },
      'INVALID_INPUT input.redirectCode',
    ),
  ],
  L7Rule: [
    one('no key', { ruleType: 'HEADER' }, 'INVALID_INPUT input.key'),
    one('a key for the path', { key: 'x' }, 'INVALID_INPUT input.key'),
    one('a header that is no token', { ruleType: 'HEADER', key: 'a b' }, 'INVALID_INPUT input.key'),
    one('a cookie that is no token', { ruleType: 'COOKIE', key: 'a)' }, 'INVALID_INPUT input.key'),
    one('a cookie with a comma', { ruleType: 'COOKIE', key: 'a', value: 'b,c' }, 'INVALID_INPUT input.value'),
    one('a space at the end', { value: '/a ' }, 'INVALID_INPUT input.value'),
    one('another alphabet', { value: '/é' }, 'INVALID_INPUT input.value'),
    one(
      'a comparison that has no meaning',
      { ruleType: 'FILE_TYPE', compareType: 'CONTAINS' },
      'INVALID_INPUT input.compareType',
    ),
    one('an expression that does not compile', { compareType: 'REGEX', value: '(a' }, 'INVALID_INPUT input.value'),
    one('an expression of exponential time', { compareType: 'REGEX', value: '^(a+)+$' }, 'INVALID_INPUT input.value'),
    one('a back reference', { compareType: 'REGEX', value: '(a)\\1' }, 'INVALID_INPUT input.value'),
    one('too many repetitions', { compareType: 'REGEX', value: '(a{50}){50}' }, 'INVALID_INPUT input.value'),
  ],
};

const partCases = partNames.flatMap((name): [string, readonly Case[]][] => {
  const { parent, fields } = partKinds[name];
  const parentField = `${lower(parent)}Id`;
  const changeable = new Set(
    Object.entries(fields)
      .filter(([, field]) => field.fixed !== true)
      .flatMap(([field, described]) => [field, described.refersTo === undefined ? field : idFieldOf(field, described)]),
  );
  const theirs = foreignOf[name] ?? (() => '');
  return [
    [
      `${lower(name)}Create`,
      [
        ...keyCases,
        ...idCases(parent, foreignOf[parent] ?? theirs, parentField),
        ...fieldCases(name),
        ...(ownCases[name] ?? []),
      ],
    ],
    [
      `${lower(name)}Update`,
      [...keyCases, ...idCases(name, theirs), ...staleCases, ...fieldCases(name, (field) => changeable.has(field))],
    ],
    [`${lower(name)}Delete`, [...keyCases, ...idCases(name, theirs), ...staleCases]],
  ];
});

/** In the tree of a new load balancer, the whole path. References to pools are by name there. */
const treeCases: readonly Case[] = partNames.flatMap((name) => {
  const item = (change: Input): Input => ({ ...settings[name], ...change });
  const places: Readonly<Record<PartName, (change: Input) => Input>> = {
    Pool: (change) => ({ pools: [item(change)] }),
    PoolMember: (change) => ({
      pools: [{ ...settings.Pool, members: [settings.PoolMember, item({ port: 98, ...change })] }],
    }),
    PoolHealthMonitor: (change) => ({ pools: [{ ...settings.Pool, healthMonitor: item(change) }] }),
    Listener: (change) => ({ listeners: [item(change)] }),
    L7Policy: (change) => ({ listeners: [{ ...settings.Listener, l7Policies: [item(change)] }] }),
    L7Rule: (change) => ({
      listeners: [{ ...settings.Listener, l7Policies: [{ ...settings.L7Policy, l7Rules: [item(change)] }] }],
    }),
  };
  const paths: Readonly<Record<PartName, string>> = {
    Pool: 'pools.0',
    PoolMember: 'pools.0.members.1',
    PoolHealthMonitor: 'pools.0.healthMonitor',
    Listener: 'listeners.0',
    L7Policy: 'listeners.0.l7Policies.0',
    L7Rule: 'listeners.0.l7Policies.0.l7Rules.0',
  };
  const pools = new Set(['defaultPoolId', 'redirectPoolId']);
  return faultsOfKind(name)
    .filter(({ change }) => !pools.has(Object.keys(change)[0] ?? ''))
    .map(({ what, change, code, field }) =>
      one(`${name} in the tree: ${what}`, places[name](change), `${code} input.${paths[name]}.${field}`),
    );
});

const balancerCases: readonly Case[] = [
  one('a long description', { description: long }, 'TOO_LONG input.description'),
  one('a description with a control', { description: control }, 'INVALID_INPUT input.description'),
  one('a tag with a control', { tags: ['a', control] }, 'INVALID_INPUT input.tags.1'),
  one('too many tags', { tags: Array.from({ length: 33 }, String) }, 'TOO_LONG input.tags'),
  one('no node', { minNodes: 0 }, 'INVALID_INPUT input.minNodes'),
  one('too many nodes', { maxNodes: 65 }, 'INVALID_INPUT input.maxNodes'),
  one('fewer than the least', { minNodes: 3, maxNodes: 2 }, 'INVALID_INPUT input.maxNodes'),
  one('too few connections', { nodeSize: { connections: 99 } }, 'INVALID_INPUT input.nodeSize.connections'),
  one(
    'more connections than a process may have files for',
    { nodeSize: { connections: 500_001 } },
    'INVALID_INPUT input.nodeSize.connections',
  ),
  one('too many threads', { nodeSize: { threads: 65 } }, 'INVALID_INPUT input.nodeSize.threads'),
];

const chainCases: readonly Case[] = [
  one('no PEM', { chain: 'x' }, 'INVALID_INPUT input.chain'),
  one('an endless chain', { chain: 'x'.repeat(70_000) }, 'TOO_LONG input.chain'),
  one(
    'a damaged certificate',
    () => ({ chain: certificate.chain.replace(/\n.{8}/, '\nAAAAAAAA') }),
    'INVALID_INPUT input.chain',
  ),
  one(
    'a chain in the wrong order',
    () => ({ chain: `${certificate.chain}${other.cert}` }),
    'INVALID_INPUT input.chain',
  ),
  one(
    'a key in the chain',
    () => ({ chain: `${certificate.chain}${certificate.privateKey}` }),
    'INVALID_INPUT input.chain',
  ),
  one('no key', { privateKey: 'x' }, 'INVALID_INPUT input.privateKey'),
  one('an endless key', { privateKey: 'x'.repeat(9_000) }, 'TOO_LONG input.privateKey'),
  one('the key of another certificate', () => ({ privateKey: other.key }), 'INVALID_INPUT input.privateKey'),
];

const hostCases: readonly Case[] = [
  ...keyCases,
  one('no id at all', { id: control }, 'NOT_FOUND input.id'),
  one('an unknown id', () => ({ id: encodeId('LoadBalancerHost', newUuid()) }), 'NOT_FOUND input.id'),
];
const cases: Readonly<Record<string, readonly Case[]>> = {
  ...Object.fromEntries(partCases),
  loadBalancerCreate: [
    ...[...keyCases, ...projectCases, ...nameCases('mine'), ...balancerCases, ...treeCases],
    one('ACTIVE_STANDBY with three', { topology: 'ACTIVE_STANDBY', minNodes: 3 }, 'INVALID_INPUT input.maxNodes'),
    one("another project's subnet", () => ({ subnetId: foreign.subnet }), 'NOT_FOUND input.subnetId'),
    one('no subnet id', { subnetId: control }, 'NOT_FOUND input.subnetId'),
    one(
      'a CMP type with a control',
      { cmpObject: { type: control, externalId: '1' } },
      'INVALID_INPUT input.cmpObject.type',
    ),
    one('a long CMP id', { cmpObject: { type: 't', externalId: long } }, 'TOO_LONG input.cmpObject.externalId'),
    one(
      'too many pools',
      { pools: Array.from({ length: 51 }, () => ({ memberProtocol: 'HTTP' })) },
      'TOO_LONG input.pools',
    ),
    one('a port twice', { listeners: [settings.Listener, settings.Listener] }, 'INVALID_INPUT input.listeners.1.port'),
    one('a pool name twice', { pools: [settings.Pool, settings.Pool] }, 'INVALID_INPUT input.pools.1.name'),
    one(
      'a member twice',
      { pools: [{ ...settings.Pool, members: [settings.PoolMember, settings.PoolMember] }] },
      'INVALID_INPUT input.pools.0.members.1.host',
    ),
    one(
      'a pool that is not there',
      { listeners: [{ ...settings.Listener, defaultPool: 'none' }] },
      'INVALID_INPUT input.listeners.0.defaultPool',
    ),
    one(
      'a pool that does not fit',
      { pools: [{ name: 'p', memberProtocol: 'TCP' }], listeners: [{ ...settings.Listener, defaultPool: 'p' }] },
      'INVALID_INPUT input.listeners.0.defaultPool',
    ),
    one(
      "another project's certificate",
      () => ({ listeners: [{ protocol: 'TERMINATED_HTTPS', port: 443, certificateIds: [foreignCertificate] }] }),
      'NOT_FOUND input.listeners.0.certificateIds.0',
    ),
    one(
      'a member where egress forbids',
      { pools: [{ ...settings.Pool, members: [{ host: '169.254.169.254', port: 80 }] }] },
      'EGRESS_DENIED input.pools.0.members.0.host',
    ),
    one(
      'a policy of TCP',
      { listeners: [{ protocol: 'TCP', port: 1, l7Policies: [{ action: 'REJECT' }] }] },
      'INVALID_INPUT input.listeners.0.l7Policies.0.action',
    ),
  ],
  loadBalancerUpdate: [
    ...keyCases,
    ...idCases('LoadBalancer', () => foreign.loadBalancer),
    ...staleCases,
    ...balancerCases,
  ],
  loadBalancerDelete: [...keyCases, ...idCases('LoadBalancer', () => foreign.loadBalancer), ...staleCases],
  projectSubnetCreate: [
    ...[...keyCases, ...projectCases, ...nameCases('default')],
    one('no block', { cidr: '1.2.3' }, 'INVALID_INPUT input.cidr'),
    one('host bits', { cidr: '10.0.0.1/24' }, 'INVALID_INPUT input.cidr'),
    one('too large', { cidr: '10.0.0.0/7' }, 'INVALID_INPUT input.cidr'),
    one('too small', { cidr: '10.0.0.0/29' }, 'INVALID_INPUT input.cidr'),
    one('an address', { cidr: '10.0.0.1' }, 'INVALID_INPUT input.cidr'),
    one('loopback', { cidr: '127.1.0.0/16' }, 'INVALID_INPUT input.cidr'),
    one('link-local', { cidr: '169.254.0.0/16' }, 'INVALID_INPUT input.cidr'),
    one("the hosts' network", { cidr: '198.51.100.0/25' }, 'INVALID_INPUT input.cidr'),
  ],
  projectSubnetUpdate: [
    ...[...keyCases, ...idCases('ProjectSubnet', () => foreign.subnet), ...staleCases],
    ...nameCases('default').filter(({ fault }) => !fault.startsWith('ALREADY')),
  ],
  projectSubnetDelete: [
    ...[...keyCases, ...idCases('ProjectSubnet', () => foreign.subnet), ...staleCases],
    one('one in use', {}, 'IN_USE input.id'),
  ],
  tlsCertificateCreate: [...keyCases, ...projectCases, ...nameCases('mine'), ...chainCases],
  tlsCertificateUpdate: [
    ...[...keyCases, ...idCases('TlsCertificate', () => foreignCertificate), ...staleCases, ...chainCases],
  ],
  tlsCertificateDelete: [...keyCases, ...idCases('TlsCertificate', () => foreignCertificate), ...staleCases],
  poolMembersSet: [
    ...[...keyCases, ...idCases('Pool', () => foreign.pool), ...staleCases],
    ...faultsOfKind('PoolMember').map(({ what, change, code, field }) =>
      one(what, { members: [{ ...settings.PoolMember, ...change }] }, `${code} input.members.0.${field}`),
    ),
    one('a member twice', { members: [settings.PoolMember, settings.PoolMember] }, 'INVALID_INPUT input.members.1'),
    one(
      'too many',
      { members: Array.from({ length: 1_001 }, (_, at) => ({ host: 'a', port: at + 1 })) },
      'TOO_LONG input.members',
    ),
    one(
      'a network of the hosts',
      { members: [{ host: '198.51.100.7', port: 80 }] },
      'EGRESS_DENIED input.members.0.host',
    ),
  ],
  poolMemberDrain: [
    ...[...keyCases, ...idCases('PoolMember', () => foreign.poolMember)],
    one('a deadline before now', { deadlineMs: -1 }, 'INVALID_INPUT input.deadlineMs'),
    one('a deadline without end', { deadlineMs: 86_400_001 }, 'INVALID_INPUT input.deadlineMs'),
  ],
  loadBalancerQuotaSet: [
    ...keyCases,
    one('no project id', { projectId: control }, 'NOT_FOUND input.projectId'),
    one('a negative limit', { limit: -1 }, 'INVALID_INPUT input.limit'),
    one('a limit without end', { limit: 100_001 }, 'INVALID_INPUT input.limit'),
  ],
  // Its policy has tests of its own.
  autoscalingPolicySet: [...keyCases, ...idCases('LoadBalancer', () => foreign.loadBalancer, 'loadBalancerId')],
  autoscalingPolicyDelete: [...keyCases, ...idCases('LoadBalancer', () => foreign.loadBalancer, 'loadBalancerId')],
  poolMemberDrainCancel: [...keyCases, ...idCases('PoolMember', () => foreign.poolMember)],
  loadBalancerNodesReplace: [...keyCases, ...idCases('LoadBalancer', () => foreign.loadBalancer)],
  loadBalancerNodeReplace: [
    ...[...keyCases, ...idCases('LoadBalancerNode', () => encodeId('LoadBalancerNode', nodes.theirs))],
  ],
  loadBalancerHostCordonSet: hostCases,
  loadBalancerHostCordonLift: hostCases,
  loadBalancerHostUpdate: [
    ...hostCases,
    one('a stale version', { expectedVersion: 99 }, 'STALE_VERSION input.expectedVersion'),
    one('no room', { maxNodes: 0 }, 'INVALID_INPUT input.maxNodes'),
    one('room without end', { maxNodes: 1_001 }, 'INVALID_INPUT input.maxNodes'),
    one('room that is taken away', { maxNodes: null }, 'INVALID_INPUT input.maxNodes'),
    one('the whole Internet', { publicRange: '0.0.0.0/0' }, 'INVALID_INPUT input.publicRange'),
    one('half of it', { managementRange: '128.0.0.0/1' }, 'INVALID_INPUT input.managementRange'),
    one('that of IPv6', { publicRange: '::/0' }, 'INVALID_INPUT input.publicRange'),
    one('a single address', { publicRange: '192.0.2.1' }, 'INVALID_INPUT input.publicRange'),
    one('a block with host bits', { publicRange: '192.0.2.1/24' }, 'INVALID_INPUT input.publicRange'),
    one('no block at all', { managementRange: control }, 'INVALID_INPUT input.managementRange'),
    one('a bad site', { site: control }, 'INVALID_INPUT input.site'),
    one('an endless site', { site: 'x'.repeat(64) }, 'TOO_LONG input.site'),
  ],
  loadBalancerHostDelete: [...hostCases, one('a host that is connected', {}, 'WRONG_STATE input.id')],
};
const ofAdministrators = [
  'loadBalancerQuotaSet',
  'loadBalancerHostCordonSet',
  'loadBalancerHostCordonLift',
  'loadBalancerHostUpdate',
  'loadBalancerHostDelete',
];

test('every mutation has its cases', () => {
  const names = Object.keys(graph.schema.getMutationType()?.getFields() ?? {});
  expect(Object.keys(cases).sort()).toEqual(names.sort());
});

describe.each(Object.entries(cases))('%s', (mutation, own) => {
  const who = identity(ofAdministrators.includes(mutation) ? 'ADMIN' : 'MEMBER');
  let before: unknown;
  beforeEach(async () => {
    before = await everything();
  });
  afterEach(async () => {
    expect(await everything()).toEqual(before);
  });

  test.each(own.map((each) => [each.what, each] as const))('%s', async (_what, { change, fault }) => {
    const { faults, told } = await graph.mutate(mutation, { ...valid(mutation), ...change() }, who);
    expect(faults).toContain(fault);
    // No value is repeated whole, and no secret at all.
    for (const { message } of told) {
      expect(message.length).toBeLessThan(500);
      expect(message).not.toMatch(/PRIVATE KEY|must match|\p{Cc}/u);
    }
  });

  test('a viewer may not call it', async () => {
    const { faults } = await graph.mutate(mutation, valid(mutation), identity('VIEWER'));
    expect(faults).toEqual(['FORBIDDEN ']);
  });

  test('a caller without login may not call it', async () => {
    const asking = graph.mutate(mutation, valid(mutation), null);
    expect(await asking.then(({ faults }) => faults.join(), String)).toMatch(
      /NOT_FOUND|PROJECT_REQUIRED|UNAUTHENTICATED/,
    );
  });
});

test('all errors of a tree are reported at once, and nothing is created', async () => {
  const before = await everything();
  const { faults } = await graph.mutate('loadBalancerCreate', {
    ...{ name: 'Bad', minNodes: 0, subnetId: control },
    pools: [{ name: 'p', memberProtocol: 'HTTP', drainMs: -1, members: [{ host: 'no host', port: 80, weight: 300 }] }],
    listeners: [{ protocol: 'HTTP', port: 80, defaultPool: 'q', connectionLimit: 0 }],
  });
  expect([...faults].sort()).toEqual([
    'INVALID_INPUT input.listeners.0.connectionLimit',
    'INVALID_INPUT input.listeners.0.defaultPool',
    'INVALID_INPUT input.minNodes',
    'INVALID_INPUT input.name',
    'INVALID_INPUT input.pools.0.drainMs',
    'INVALID_INPUT input.pools.0.members.0.host',
    'INVALID_INPUT input.pools.0.members.0.weight',
    'NOT_FOUND input.subnetId',
  ]);
  expect(await everything()).toEqual(before);
});

test('the same key with another input is a conflict; with the same input it has the first answer', async () => {
  const input = { loadBalancerId: ids.loadBalancer, memberProtocol: 'HTTP', name: 'keyed', idempotencyKey: 'k' };
  const first = await graph.mutate('poolCreate', input, undefined, 'pool { id }');
  expect(first.faults).toEqual([]);
  const again = await graph.mutate('poolCreate', input, undefined, 'pool { id }');
  expect(again.entity).toEqual(first.entity);
  const changed = await graph.mutate('poolCreate', { ...input, name: 'other' });
  expect(changed.faults).toEqual(['KEY_CONFLICT input.idempotencyKey']);
  // Also for a part that has been deleted since.
  const removal = { id: String(first.entity?.id), idempotencyKey: 'd' };
  expect((await graph.mutate('poolDelete', removal)).faults).toEqual([]);
  expect((await graph.mutate('poolDelete', removal)).faults).toEqual([]);
});
