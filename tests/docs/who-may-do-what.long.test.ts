// The table "Who may do what" of docs/security.md matches the gateway: each root field of the graph is called without a login, as
// a machine, in each role and as an administrator, on existing objects, and the answer is compared with the table. A field
// without a row, or a row without a field, fails.
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { Database } from '../../platform/database/database.ts';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import { apiSchemaOf } from '../../platform/graph/sdl.ts';
import { termsIn } from '../../platform/graph/terms.ts';
import { makeAuthority } from '../../platform/machines/authority.ts';
import { makeCertificate } from '../../platform/net/certificates.ts';
import { decodeUuid, encodeId, newUuid } from '../../platform/values/ids.ts';
import { createLocalWake } from '../../platform/work/wake.ts';
import { planNames } from '../../subgraphs/gslb/control/plans/planning.ts';
import { insertNode } from '../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { connectHost } from '../subgraphs/loadbalancer/support/host-records.ts';
import { NftDevice } from '../subgraphs/relay/support/nft-device.ts';
import { inputTypeOf, typedInputs } from '../subgraphs/relay/support/typed-inputs.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';

const columns = ['nobody', 'machine', 'viewer', 'member', 'operator', 'administrator'] as const;
type Caller = (typeof columns)[number] | 'operator by token';
type Cell = 'yes' | 'own' | '–';

interface Row {
  /** Names of root fields; `firewall*` stands for all typed mutations with this prefix. */
  readonly fields: readonly string[];
  readonly cells: readonly Cell[];
}

/** The first table under its heading. */
async function documented(): Promise<Row[]> {
  const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split('## Who may do what\n');
  const lines = section.split('\n## ')[0]?.split('\n') ?? [];
  const start = lines.findIndex((line) => line.startsWith('|---'));
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start + 1, start + length).map((line) => {
    const [, names = '', ...cells] = line.split('|').map((cell) => cell.trim());
    const fields = [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    return { fields, cells: cells.slice(0, columns.length) as Cell[] };
  });
}

let system: RunningSystem;
let device: NftDevice;
const bearers: Partial<Record<Caller, string>> = {};
const ids = { project: '', victim: '', backend: '', operation: '', mapping: '' };
/** IDs of a load balancer with one of each part. */
const balanced = {
  ...{
    loadBalancer: '',
    listener: '',
    pool: '',
    bare: '',
    poolMember: '',
    poolHealthMonitor: '',
    l7Policy: '',
    l7Rule: '',
  },
  ...{ subnet: '', certificate: '', node: '', host: '' },
};
/** IDs of a name with one of each object. */
const named = {
  ...{ gslb: '', gslbPool: '', gslbPoolMember: '', gslbMonitor: '' },
  ...{ gslbFlavor: '', gslbVantagePoint: '', dnsZone: '', dnsBackend: '' },
};
/** A checker machine by ID, and a vantage point by name. */
const checking = { machineId: '', vantagePoint: '' };
/** A name server machine by ID. */
const answering = { machineId: '', addresses: ['198.51.100.53'] };
/** IDs of object storage. */
const stored = { objectCluster: '', objectOption: '', objectRing: '' };
const opened = { objectAccount: '', objectAccessKey: '', objectRingChange: '' };
const answered = 'answered.gslb.test';
const kinds = Object.keys(named) as (keyof typeof named)[];
const parts = ['listener', 'pool', 'poolMember', 'poolHealthMonitor', 'l7Policy', 'l7Rule'] as const;
let keys: { readonly chain: string; readonly privateKey: string };
const users = new Map<Caller, string>();
let counter = 0;
const fresh = (): string => {
  counter += 1;
  return `n-${counter}`;
};

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

async function ask(as: Caller, query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
  const bearer = bearers[as];
  const headers = { 'content-type': 'application/json', ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) };
  const response = await fetch(system.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return (await response.json()) as Answer;
}

function fieldOf<Value>({ data, errors }: Answer, name: string): Value {
  if (data?.[name] == null) throw new Error(`${name}: ${JSON.stringify(errors ?? data)}`);
  return data[name] as Value;
}

/** Runs a mutation as an administrator. It must succeed. */
async function make<Payload>(name: string, input: Record<string, unknown>, selection: string): Promise<Payload> {
  const query = `mutation ($input: ${inputTypeOf(name)}!) { ${name}(input: $input) { ${selection} userErrors { code message } } }`;
  const payload = fieldOf<{ userErrors: readonly object[] }>(await ask('administrator', query, { input }), name);
  if (payload.userErrors.length > 0) throw new Error(JSON.stringify([name, payload]));
  return payload as Payload;
}

async function logIn(name: string, password: string): Promise<string> {
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  return fieldOf<{ accessToken: string }>(await ask('nobody', query, { input: { name, password } }), 'login')
    .accessToken;
}

const password = 'a password of some length';
const publicKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** Machines, tokens and anonymous callers have no session. */
async function freshSession(caller: Caller): Promise<void> {
  const adminFile = () => readFile(join(system.folder, 'accounts', 'admin.password'), 'utf8');
  if (caller === 'administrator') bearers[caller] = await logIn('admin', (await adminFile()).trim());
  else if (users.has(caller)) bearers[caller] = await logIn(caller, password);
}

async function makeMachine(
  wish: object = { machineRole: 'RELAY' },
): Promise<{ readonly id: string; readonly joinToken: string }> {
  const made = await make<{ machine: { id: string }; joinToken: string }>(
    ...(['machineCreate', { name: fresh(), ...wish }, 'machine { id } joinToken'] as const),
  );
  return { id: made.machine.id, joinToken: made.joinToken };
}

const newAlertRule = () => ({ projectId: ids.project, name: fresh(), condition: 'CHECK_IN_LATE' });
const newAlertChannel = () => ({
  ...{ projectId: ids.project, name: fresh(), target: { slack: { url: 'https://hooks.example.com/x' } } },
});

/** Replaces the previous one, because a project has a limited number of each. */
async function makeAlertRule(): Promise<string> {
  await ofDatabase((db) => db.execute('DELETE FROM alert_rule'));
  const { alertRule } = await make<{ alertRule: { id: string } }>(
    'alertRuleCreate',
    newAlertRule(),
    'alertRule { id }',
  );
  return alertRule.id;
}

async function makeAlertChannel(): Promise<string> {
  await ofDatabase((db) => db.execute('DELETE FROM alert_channel'));
  const { alertChannel } = await make<{ alertChannel: { id: string } }>(
    ...(['alertChannelCreate', newAlertChannel(), 'alertChannel { id }'] as const),
  );
  return alertChannel.id;
}

async function makeAlert(): Promise<string> {
  const ruleId = decodeUuid('AlertRule', await makeAlertRule()) ?? '';
  const id = newUuid();
  const projectId = decodeUuid('Project', ids.project) ?? '';
  await ofDatabase((db) =>
    db.execute(
      `INSERT INTO alert (id, project_id, rule_id, rule_name, condition_name, severity, subject_type, subject_id, open_key, state,
        status, since_at, told_ms, cursor_text) VALUES (?, ?, ?, 'r', 'CHECK_IN_LATE', 'WARNING', 'AlertRule', ?, ?, 'FIRING', 'LATE',
        NOW(3), 0, '')`,
      [id, projectId, ruleId, ruleId, id],
    ),
  );
  return encodeId('Alert', id);
}

async function ofDatabase(run: (db: Database) => Promise<unknown>): Promise<void> {
  const db = new Database({ connection: system.database.connection });
  try {
    await run(db);
  } finally {
    await db.close();
  }
}

const newOperation = () => ({ text: `query Q${fresh().replace('-', '')} { me { name } }` });

async function makePublished(): Promise<string> {
  const input = { operations: [newOperation()] };
  const { publishedOperations } = await make<{ publishedOperations: readonly { id: string }[] }>(
    ...(['publishedOperationAdd', input, 'publishedOperations { id }'] as const),
  );
  return publishedOperations[0]?.id ?? '';
}

async function makeToken(role: string): Promise<{ readonly id: string; readonly secret: string }> {
  const input = { projectId: ids.project, name: fresh(), role };
  const made = await make<{ apiToken: { id: string }; secret: string }>(
    'apiTokenCreate',
    input,
    'apiToken { id } secret',
  );
  return { id: made.apiToken.id, secret: made.secret };
}

async function makeUser(name: string, role: string): Promise<string> {
  const { user } = await make<{ user: { id: string } }>('userCreate', { name, password }, 'user { id }');
  await make('membershipSet', { projectId: ids.project, userId: user.id, role }, 'membership { role }');
  return user.id;
}

beforeAll(async () => {
  device = await NftDevice.start();
  system = await runningSystem({
    settings: {
      roles: 'gateway,system,relay,loadbalancer,gslb,object-storage',
      'subgraphs.inventory.urls': 'http://127.0.0.1:9',
      'subgraphs.inventory.sdl': new URL('../../docs/examples/inventory-subgraph/inventory.graphql', import.meta.url)
        .pathname,
    },
  });
  await makeAuthority(join(system.folder, 'keys'));
  await freshSession('administrator');
  const projects = await ask('administrator', '{ projects { nodes { id } } }');
  ids.project = fieldOf<{ nodes: { id: string }[] }>(projects, 'projects').nodes[0]?.id ?? '';
  ids.victim = await makeUser('victim', 'VIEWER');
  for (const role of ['viewer', 'member', 'operator'] as const) {
    users.set(role, await makeUser(role, role.toUpperCase()));
    bearers[role] = await logIn(role, password);
  }
  bearers['operator by token'] = (await makeToken('OPERATOR')).secret;
  const { joinToken } = await makeMachine({ machineRole: 'SUBGRAPH', outsideSubgraph: { name: 'inventory' } });
  const joined = await make<{ token: string }>('machineJoin', { joinToken, publicKey: publicKey() }, 'token');
  bearers.machine = joined.token;
  const { host, port, hostKeySha256 } = device.ssh;
  const { backend } = await make<{ backend: { id: string } }>(
    ...(['backendCreate', { ...newBackend(), host, port, hostKeySha256 }, 'backend { id }'] as const),
  );
  ids.backend = backend.id;
  const made = await make<{ operation: { id: string }; mapping: { id: string } }>(
    'firewallRuleCreate',
    {
      ...{
        projectId: ids.project,
        backend: { id: ids.backend },
        idempotencyKey: fresh(),
        name: 'rule',
        action: 'DROP',
      },
      cmpObject: { type: 'tenant', externalId: '42' },
    },
    'operation { id } mapping { id }',
  );
  ids.operation = made.operation.id;
  ids.mapping = made.mapping.id;
  await makeBalancer();
  await makeName();
  await makeStorage();
}, 60_000);

async function makeStorage(): Promise<void> {
  const cluster = await make<{ objectCluster: { id: string } }>(
    ...(['objectClusterCreate', { name: fresh() }, 'objectCluster { id }'] as const),
  );
  await make('objectClusterCreate', { name: fresh() }, 'objectCluster { id }');
  const option = await make<{ objectOption: { id: string; ring: { id: string } } }>(
    ...(['objectOptionCreate', { name: fresh() }, 'objectOption { id ring { id } }'] as const),
  );
  stored.objectCluster = cluster.objectCluster.id;
  stored.objectOption = option.objectOption.id;
  stored.objectRing = option.objectOption.ring.id;
  const made = await make<{ objectAccessKey: { id: string; account: { id: string } } }>(
    ...([
      'objectAccessKeyCreate',
      { projectId: ids.project, name: fresh() },
      'objectAccessKey { id account { id } }',
    ] as const),
  );
  opened.objectAccessKey = made.objectAccessKey.id;
  opened.objectAccount = made.objectAccessKey.account.id;
  const change = await make<{ objectRingChange: { id: string } }>(
    ...([
      'objectRingChangeStart',
      { number: 0, recoveredClusterId: stored.objectCluster },
      'objectRingChange { id }',
    ] as const),
  );
  opened.objectRingChange = change.objectRingChange.id;
}

async function makeName(): Promise<void> {
  const of = { projectId: ids.project };
  const one = async (kind: keyof typeof named, input: Record<string, unknown>): Promise<void> => {
    const made = await make<Record<string, { id: string }>>(`${kind}Create`, input, `${kind} { id }`);
    named[kind] = made[kind]?.id ?? '';
  };
  await one('dnsZone', { name: 'gslb.test', rights: [{ suffix: 'gslb.test', allows: ['OUTSIDE_PROJECT'] }] });
  await one('dnsBackend', { name: fresh(), backendType: 'ANSWERER' });
  const vantagePoint = newVantagePoint();
  await one('gslbVantagePoint', vantagePoint);
  checking.vantagePoint = vantagePoint.name;
  const checker = { name: fresh(), machineRole: 'CHECKER', gslbChecker: { vantagePoint: vantagePoint.name } };
  const { machine } = await make<{ machine: { id: string } }>('machineCreate', checker, 'machine { id }');
  checking.machineId = machine.id;
  const server = await make<{ machine: { id: string } }>(
    ...(['machineCreate', { name: fresh(), machineRole: 'DNS' }, 'machine { id }'] as const),
  );
  answering.machineId = server.machine.id;
  await one('gslbFlavor', { name: fresh() });
  await one('gslbMonitor', { ...of, name: fresh(), checkType: 'TCP' });
  await one('gslbPool', { ...of, name: fresh() });
  await one('gslbPoolMember', { poolId: named.gslbPool, ...newPoolMember() });
  await one('gslb', { ...newName(), fqdn: answered });
  await planName(named.gslb);
}

/** Like a worker. */
async function planName(id: string): Promise<void> {
  const db = new Database({ connection: system.database.connection });
  const wake = createLocalWake();
  await db.transaction((tx) => planNames(tx, { wake }, [decodeUuid('Gslb', id) ?? '']));
  await wake.close();
  await db.close();
}

const newVantagePoint = () => ({ name: fresh(), region: 'eu', latitude: 50, longitude: 8 });
const newPoolMember = () => ({ name: fresh(), addresses: [`203.0.113.${counter}`], servicePort: 80 });
const newName = () => ({
  ...{ projectId: ids.project, fqdn: `${fresh()}.gslb.test` },
  ...{ flavorId: named.gslbFlavor, poolIds: [named.gslbPool] },
});

async function makeBalancer(): Promise<void> {
  type Named = { readonly id: string };
  const { loadBalancer: made } = await make<{
    loadBalancer: Named & {
      subnet: Named;
      listeners: (Named & { l7Policies: (Named & { l7Rules: Named[] })[] })[];
      pools: (Named & { name: string; members: { nodes: Named[] }; healthMonitor: Named | null })[];
    };
  }>(
    'loadBalancerCreate',
    {
      ...{ projectId: ids.project, name: 'web' },
      pools: [
        {
          name: 'web',
          memberProtocol: 'HTTP',
          members: [{ host: '192.0.2.1', port: 80 }],
          healthMonitor: { monitorType: 'HTTP' },
        },
        { name: 'bare', memberProtocol: 'TCP' },
      ],
      listeners: [
        {
          ...{ protocol: 'HTTP', port: 80, defaultPool: 'web' },
          l7Policies: [{ action: 'REJECT', l7Rules: [{ ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/x' }] }],
        },
      ],
    },
    `loadBalancer { id subnet { id } listeners { id l7Policies { id l7Rules { id } } }
      pools { id name members { nodes { id } } healthMonitor { id } } }`,
  );
  const pool = made.pools.find(({ name }) => name === 'web');
  const policy = made.listeners[0]?.l7Policies[0];
  const { cert, key } = await makeCertificate({ commonName: 'www.example.com' });
  keys = { chain: cert, privateKey: key };
  Object.assign(balanced, {
    ...{ loadBalancer: made.id, subnet: made.subnet.id, listener: made.listeners[0]?.id, pool: pool?.id },
    ...{ bare: made.pools.find(({ name }) => name === 'bare')?.id, poolMember: pool?.members.nodes[0]?.id },
    ...{ poolHealthMonitor: pool?.healthMonitor?.id, l7Policy: policy?.id, l7Rule: policy?.l7Rules[0]?.id },
    ...(await addNodeOnHost(made.id)),
    certificate: await makeStored(),
  });
}

/** Records a host and its node, as happens when the host connects. */
async function addNodeOnHost(balancer: string): Promise<{ readonly host: string; readonly node: string }> {
  const [hostId, nodeId, projectId] = [newUuid(), newUuid(), decodeUuid('Project', ids.project) ?? ''];
  const name = fresh();
  const db = new Database({ connection: system.database.connection });
  const wake = createLocalWake();
  await db.transaction(async (tx) => {
    await connectHost(...([tx, wake, { id: hostId, name }] as const), {
      ...{ provider: 'LOOPBACK', site: null, tunnelAddress: null, maxNodes: 1, healthPort: 9 },
      ...{ publicRange: '198.51.100.0/24', managementRange: '198.51.100.0/24' },
    });
    await insertNode(tx, wake, {
      ...{ id: nodeId, projectId, loadBalancerId: decodeUuid('LoadBalancer', balancer) ?? '', hostId, name },
      ...{ address: '198.51.100.2', managementAddress: '198.51.100.2', connections: 100, threads: 1 },
    });
  });
  await wake.close();
  await db.close();
  return { host: encodeId('LoadBalancerHost', hostId), node: encodeId('LoadBalancerNode', nodeId) };
}

async function makeStored(): Promise<string> {
  const input = { projectId: ids.project, name: fresh(), ...keys };
  return (await make<{ tlsCertificate: { id: string } }>('tlsCertificateCreate', input, 'tlsCertificate { id }'))
    .tlsCertificate.id;
}

afterAll(async () => {
  await system?.stop();
  await device?.ssh.stop();
});

let lastPort = 8;
/** Creates a backend with its own device. */
const newBackend = () => ({
  ...{ projectId: ids.project, name: fresh(), driver: 'linux-nftables', host: '127.0.0.1', port: ++lastPort },
  credentials: { username: 'netops', password: 'secret' },
});

interface Question {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  /** Part of the answer to a caller who may read it. */
  readonly shows?: string;
}

const read = (field: string, shows?: string, variables?: Record<string, unknown>): Question => ({
  query: field,
  ...(shows === undefined ? {} : { shows }),
  ...(variables === undefined ? {} : { variables }),
});

const change = (name: string, input: Record<string, unknown>): Question => ({
  query: `mutation ($input: ${inputTypeOf(name)}!) { ${name}(input: $input) { userErrors { code message } } }`,
  variables: { input },
});

const onBackend = () => ({ projectId: ids.project, backend: { id: ids.backend } });
const called = () => ({ ...onBackend(), idempotencyKey: fresh(), waitMs: 0 });

/**
 * Inputs with existing objects, so that only rights refuse. An allowed caller may be refused later, for another reason.
 */
const questions: Readonly<Record<string, (caller: Caller) => Question | Promise<Question>>> = {
  node: () => read(`{ node(id: "${ids.backend}") { id } }`, ids.backend),
  me: () => read('{ me { name } }'),
  project: () => read(`{ project(id: "${ids.project}") { id } }`, ids.project),
  projects: () => read('{ projects { nodes { id } } }', ids.project),
  users: () => read('{ users { nodes { id } } }'),
  apiTokens: () => read(`{ apiTokens(projectId: "${ids.project}") { nodes { id } } }`),
  machines: () => read('{ machines { nodes { id } } }'),
  processes: () => read('{ processes { nodes { name } } }'),
  publishedOperations: () => read('{ publishedOperations { nodes { id } } }'),
  publishedOperation: () => read(`{ publishedOperation(hash: "${'0'.repeat(64)}") { id } }`),
  alert: async () => {
    const id = await makeAlert();
    return read(`{ alert(id: "${id}") { id } }`, id);
  },
  alerts: async () => {
    const id = await makeAlert();
    return read('{ alerts(first: 100) { nodes { id } } }', id);
  },
  alertRule: async () => {
    const id = await makeAlertRule();
    return read(`{ alertRule(id: "${id}") { id } }`, id);
  },
  alertRules: async () => {
    const id = await makeAlertRule();
    return read('{ alertRules(first: 100) { nodes { id } } }', id);
  },
  alertChannel: async () => {
    const id = await makeAlertChannel();
    return read(`{ alertChannel(id: "${id}") { id } }`, id);
  },
  alertChannels: async () => {
    const id = await makeAlertChannel();
    return read('{ alertChannels(first: 100) { nodes { id } } }', id);
  },
  alertRuleCreate: () => change('alertRuleCreate', newAlertRule()),
  alertRuleUpdate: async () => change('alertRuleUpdate', { id: await makeAlertRule(), enabled: false }),
  alertRuleDelete: async () => change('alertRuleDelete', { id: await makeAlertRule() }),
  alertRuleCheckIn: async () => change('alertRuleCheckIn', { id: await makeAlertRule() }),
  alertChannelCreate: () => change('alertChannelCreate', newAlertChannel()),
  alertChannelUpdate: async () => change('alertChannelUpdate', { id: await makeAlertChannel(), enabled: false }),
  alertChannelDelete: async () => change('alertChannelDelete', { id: await makeAlertChannel() }),
  alertChannelTest: async () => change('alertChannelTest', { id: await makeAlertChannel(), idempotencyKey: fresh() }),
  // Nothing listens there.
  alertTargetTest: () =>
    change('alertTargetTest', {
      ...{ projectId: ids.project, target: { slack: { url: 'https://127.0.0.1:9/x' } }, idempotencyKey: fresh() },
    }),
  alertAcknowledge: async () => change('alertAcknowledge', { id: await makeAlert() }),
  alertEnd: async () => change('alertEnd', { id: await makeAlert() }),
  attention: () => read('{ attention { alerts { totalCount } } }'),
  appliedObjects: () => read('{ appliedObjects { nodes { subjectId } } }'),
  configurationVersions: () => read(`{ ${versionsOfBackend()} }`, ids.backend),
  configurationVersion: async () => {
    const { data } = await ask('administrator', `{ ${versionsOfBackend()} }`);
    const found = data?.configurationVersions as { nodes: readonly { id: string }[] } | undefined;
    return read(`{ configurationVersion(id: "${found?.nodes[0]?.id}") { subjectId } }`, ids.backend);
  },
  machineRevocations: () => read('{ machineRevocations }'),
  cmpObject: () => read('{ cmpObject(type: "tenant", externalId: "42") { id } }'),
  statusCursor: () => read('{ statusCursor }'),
  statusHistory: () => read(`{ statusHistory(subjectId: "${ids.backend}") { nodes { subjectId } } }`, ids.backend),
  auditEntries: () => read(`{ auditEntries(projectId: "${ids.project}") { nodes { action } } }`),
  auditVerification: () => read('{ auditVerification(limit: 1) { intact } }'),
  commit: () => read('{ commit(token: "x") { token } }'),
  health: () => read('{ health { name } }'),
  // This is a single machine, and callers with the right get that error.
  haStatus: () => read('{ haStatus { primaryName } haStatusReason }', 'on a single machine'),
  haStatusReason: () => read('{ haStatusReason }', 'on a single machine'),
  haMoves: () => read('{ haMoves { nodes { timelineEpoch } } }', '"NOT_CONFIGURED"'),
  haMove: () => read('{ haMove(id: "x") { timelineEpoch } }', '"NOT_CONFIGURED"'),
  haSwitchover: () => change('haSwitchover', { to: 'b' }),
  haHostJoin: () => change('haHostJoin', { host: 'b' }),
  haPause: () => change('haPause', {}),
  haResume: () => change('haResume', {}),
  backend: () => read(`{ backend(id: "${ids.backend}") { id } }`, ids.backend),
  backends: () => read('{ backends { nodes { id } } }', ids.backend),
  backendsAt: () => read('{ backendsAt(address: "127.0.0.1", limit: 50) { id } }', ids.backend),
  relayOperation: () => read(`{ relayOperation(id: "${ids.operation}") { id } }`, ids.operation),
  relayOperations: () => read('{ relayOperations { nodes { id } } }', ids.operation),
  relayOperationCounts: () => read(`{ relayOperationCounts(text: "${ids.operation}") { count } }`, '"count":1'),
  mapping: () => read(`{ mapping(id: "${ids.mapping}") { id } }`, ids.mapping),
  mappings: () => read('{ mappings { nodes { id } } }', ids.mapping),
  relayMappingChanges: () => read('{ relayMappingChanges { mappings { id } } }', ids.mapping),
  relayDrivers: () => read('{ relayDrivers { name } }'),
  // Nothing is dialled, because the driver does not exist.
  backendProofRead: () => ({
    query: 'query ($input: BackendProofReadInput!) { backendProofRead(input: $input) { userErrors { code message } } }',
    variables: { input: { projectId: ids.project, driver: 'none', host: '192.0.2.1' } },
  }),
  relayRead: () => ({
    query: 'query ($input: RelayReadInput!) { relayRead(input: $input) { userErrors { code message } } }',
    variables: { input: { ...onBackend(), operation: 'table.list', arguments: {} } },
  }),
  login: (caller) => change('login', { name: `unknown to ${caller}`, password: 'wrong' }),
  sessionStart: () => change('sessionStart', { code: 'wrong' }),
  sessionRefresh: () => change('sessionRefresh', { refreshToken: 'wrong' }),
  logout: () => ({ query: 'mutation { logout { userErrors { code message } } }' }),
  projectCreate: () => change('projectCreate', { name: fresh() }),
  projectUpdate: () => change('projectUpdate', { id: ids.project, description: 'changed' }),
  projectDelete: async () => {
    const { project } = await make<{ project: { id: string } }>('projectCreate', { name: fresh() }, 'project { id }');
    return change('projectDelete', { id: project.id });
  },
  userCreate: () => change('userCreate', { name: fresh(), password }),
  userUpdate: () => change('userUpdate', { id: ids.victim, password }),
  membershipSet: () => change('membershipSet', { projectId: ids.project, userId: ids.victim, role: 'VIEWER' }),
  membershipRemove: () => change('membershipRemove', { projectId: ids.project, userId: ids.victim }),
  apiTokenCreate: () => change('apiTokenCreate', { projectId: ids.project, name: fresh(), role: 'VIEWER' }),
  apiTokenRevoke: async () => change('apiTokenRevoke', { id: (await makeToken('VIEWER')).id }),
  machineCreate: () => change('machineCreate', { name: fresh(), machineRole: 'RELAY' }),
  machineJoin: async () =>
    change('machineJoin', { joinToken: (await makeMachine()).joinToken, publicKey: publicKey() }),
  statusEventsAdd: () => {
    const event = { projectId: ids.project, subjectId: encodeId('Rack', newUuid()), kind: 'state', to: 'INSTALLED' };
    return change('statusEventsAdd', { idempotencyKey: fresh(), events: [event] });
  },
  machineRenew: () => change('machineRenew', { publicKey: publicKey() }),
  publishedOperationAdd: () => change('publishedOperationAdd', { operations: [newOperation()] }),
  publishedOperationRemove: async () => change('publishedOperationRemove', { id: await makePublished() }),
  machineRevoke: async () => change('machineRevoke', { id: (await makeMachine()).id }),
  backendCreate: () => change('backendCreate', newBackend()),
  backendUpdate: () => change('backendUpdate', { id: ids.backend, site: fresh() }),
  backendHostKeyAccept: () =>
    change('backendHostKeyAccept', { id: ids.backend, hostKeySha256: device.ssh.hostKeySha256 }),
  backendCertificateAccept: () =>
    change('backendCertificateAccept', { id: ids.backend, certificateSha256: `SHA256:${'A'.repeat(43)}` }),
  backendCircuitClose: () => change('backendCircuitClose', { id: ids.backend }),
  backendReplayLift: () => change('backendReplayLift', { id: ids.backend }),
  backendDelete: () => change('backendDelete', { id: ids.backend, expectedVersion: 1_000_000 }),
  relayCall: () => change('relayCall', { ...called(), operation: 'set.delete', arguments: { set: fresh() } }),
  relayOperationSettle: () =>
    change('relayOperationSettle', { id: ids.operation, verdict: 'SUCCEEDED', note: 'looked at' }),
  mappingObjectDelete: () =>
    change('mappingObjectDelete', { mappingId: ids.mapping, idempotencyKey: fresh(), dryRun: true }),
  mappingAdopt: () =>
    change('mappingAdopt', {
      ...onBackend(),
      ...{ resource: 'set', scope: 'inet filter', objectKey: fresh(), cmpObject: { type: 'tenant', externalId: '42' } },
    }),
  mappingShare: () => change('mappingShare', { id: ids.mapping }),
  mappingUnshare: () => change('mappingUnshare', { id: ids.mapping }),
  mappingVerify: () => change('mappingVerify', { id: ids.mapping }),
  mappingForget: () => change('mappingForget', { id: ids.mapping }),
  ...Object.fromEntries(
    Object.entries(typedInputs).map(([name, own]) => [name, () => change(name, { ...called(), ...own })]),
  ),
};

const stale = { expectedVersion: 1_000_000 };
const byId = (field: string, id: string) => read(`{ ${field}(id: "${id}") { id } }`, id);

/** Those of load balancers. */
const balancing: Readonly<Record<string, () => Question | Promise<Question>>> = {
  loadBalancer: () => byId('loadBalancer', balanced.loadBalancer),
  ...Object.fromEntries(parts.map((part) => [part, () => byId(part, balanced[part])])),
  loadBalancerNode: () => byId('loadBalancerNode', balanced.node),
  loadBalancerHost: () => byId('loadBalancerHost', balanced.host),
  projectSubnet: () => byId('projectSubnet', balanced.subnet),
  tlsCertificate: () => byId('tlsCertificate', balanced.certificate),
  loadBalancers: () => read('{ loadBalancers { nodes { id } } }', balanced.loadBalancer),
  loadBalancersAt: () => read('{ loadBalancersAt(address: "192.0.2.") { id } }'),
  loadBalancerHosts: () => read('{ loadBalancerHosts { nodes { id } } }', balanced.host),
  projectSubnets: () => read('{ projectSubnets { nodes { id } } }', balanced.subnet),
  tlsCertificates: () => read('{ tlsCertificates { nodes { id } } }', balanced.certificate),
  loadBalancerQuotas: () => read(`{ loadBalancerQuotas(projectId: "${ids.project}") { kind } }`, 'LISTENERS'),
  loadBalancerPreview: () => ({
    query: `query ($id: ID!, $change: LoadBalancerChangeInput!) {
      loadBalancerPreview(id: $id, change: $change) { reloads userErrors { code } } }`,
    variables: { id: balanced.loadBalancer, change: { poolUpdate: { id: balanced.pool, description: 'seen' } } },
    shows: '"reloads":false',
  }),
  loadBalancerCreate: () => change('loadBalancerCreate', { projectId: ids.project, name: fresh() }),
  loadBalancerUpdate: () => change('loadBalancerUpdate', { id: balanced.loadBalancer, description: fresh() }),
  loadBalancerDelete: () => change('loadBalancerDelete', { id: balanced.loadBalancer, ...stale }),
  loadBalancerQuotaSet: () => change('loadBalancerQuotaSet', { projectId: ids.project, kind: 'SUBNETS', limit: 1_000 }),
  loadBalancerNodesReplace: () => change('loadBalancerNodesReplace', { id: balanced.loadBalancer }),
  loadBalancerNodeReplace: () => change('loadBalancerNodeReplace', { id: balanced.node }),
  loadBalancerHostCordonSet: () => change('loadBalancerHostCordonSet', { id: balanced.host }),
  loadBalancerHostCordonLift: () => change('loadBalancerHostCordonLift', { id: balanced.host }),
  loadBalancerHostUpdate: () => change('loadBalancerHostUpdate', { id: balanced.host, maxNodes: 2 }),
  // The host is connected, so callers with the right are refused for that.
  loadBalancerHostDelete: () => change('loadBalancerHostDelete', { id: balanced.host }),
  autoscalingPolicySet: () =>
    change('autoscalingPolicySet', { loadBalancerId: balanced.loadBalancer, policy: { enabled: false } }),
  autoscalingPolicyDelete: () => change('autoscalingPolicyDelete', { loadBalancerId: balanced.loadBalancer }),
  projectSubnetCreate: () =>
    change('projectSubnetCreate', { projectId: ids.project, name: fresh(), cidr: '10.1.0.0/24' }),
  projectSubnetUpdate: () => change('projectSubnetUpdate', { id: balanced.subnet }),
  projectSubnetDelete: () => change('projectSubnetDelete', { id: balanced.subnet, ...stale }),
  tlsCertificateCreate: () => change('tlsCertificateCreate', { projectId: ids.project, name: fresh(), ...keys }),
  tlsCertificateUpdate: () => change('tlsCertificateUpdate', { id: balanced.certificate, ...keys }),
  tlsCertificateDelete: () => change('tlsCertificateDelete', { id: balanced.certificate, ...stale }),
  poolMembersSet: () => change('poolMembersSet', { id: balanced.bare, members: [] }),
  poolMemberDrain: () => change('poolMemberDrain', { id: balanced.poolMember }),
  poolMemberDrainCancel: () => change('poolMemberDrainCancel', { id: balanced.poolMember }),
  poolCreate: () => change('poolCreate', { loadBalancerId: balanced.loadBalancer, memberProtocol: 'HTTP' }),
  poolMemberCreate: () => change('poolMemberCreate', { poolId: balanced.pool, host: `${fresh()}.example`, port: 80 }),
  // The pool already has one, so callers with the right are refused for that.
  poolHealthMonitorCreate: () => change('poolHealthMonitorCreate', { poolId: balanced.pool, monitorType: 'TCP' }),
  listenerCreate: () => change('listenerCreate', { loadBalancerId: balanced.loadBalancer, protocol: 'TCP', port: 80 }),
  l7PolicyCreate: () => change('l7PolicyCreate', { listenerId: balanced.listener, action: 'REJECT' }),
  l7RuleCreate: () =>
    change('l7RuleCreate', { l7PolicyId: balanced.l7Policy, ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/y' }),
  ...Object.fromEntries(
    parts.flatMap((part) =>
      ['Update', 'Delete'].map((verb) => [
        `${part}${verb}`,
        () => change(`${part}${verb}`, { id: balanced[part], ...stale }),
      ]),
    ),
  ),
};

/** Those of global server load balancing. */
const naming: Readonly<Record<string, () => Question>> = {
  ...Object.fromEntries(kinds.map((kind) => [kind, () => byId(kind, named[kind])])),
  ...Object.fromEntries(
    kinds
      .filter((kind) => kind !== 'gslbPoolMember')
      .map((kind) => [`${kind}s`, () => read(`{ ${kind}s { nodes { id } } }`, named[kind])]),
  ),
  gslbsAt: () => read('{ gslbsAt(address: "192.0.2.") { id } }'),
  gslbMonitorTypes: () => read('{ gslbMonitorTypes { checkType } }', 'TCP'),
  gslbHistory: () => read('{ gslbHistory { nodes { id } } }'),
  gslbExplain: () => read(`{ gslbExplain(name: "${answered}") { gslb { id } } }`, named.gslb),
  gslbPreview: () => ({
    query: 'query ($change: GslbChangeInput!) { gslbPreview(change: $change) { total userErrors { code } } }',
    variables: { change: { gslbPoolUpdate: { id: named.gslbPool, description: 'seen' } } },
    shows: '"userErrors":[]',
  }),
  gslbCheckers: () => read('{ gslbCheckers { nodes { id } } }'),
  gslbNameServers: () => read('{ gslbNameServers { nodes { id } } }'),
  gslbCheckerRecordSet: () => change('gslbCheckerRecordSet', checking),
  gslbNameServerRecordSet: () => change('gslbNameServerRecordSet', answering),
  gslbCreate: () => change('gslbCreate', newName()),
  gslbPoolCreate: () => change('gslbPoolCreate', { projectId: ids.project, name: fresh() }),
  gslbPoolMemberCreate: () => change('gslbPoolMemberCreate', { poolId: named.gslbPool, ...newPoolMember() }),
  gslbMonitorCreate: () => change('gslbMonitorCreate', { projectId: ids.project, name: fresh(), checkType: 'TCP' }),
  gslbFlavorCreate: () => change('gslbFlavorCreate', { name: fresh() }),
  gslbVantagePointCreate: () => change('gslbVantagePointCreate', newVantagePoint()),
  dnsBackendCreate: () => change('dnsBackendCreate', { name: fresh(), backendType: 'ANSWERER' }),
  dnsZoneCreate: () => change('dnsZoneCreate', { name: `${fresh()}.test` }),
  dnsZoneKeyRollBegin: () => change('dnsZoneKeyRollBegin', { id: named.dnsZone, ...stale }),
  dnsZoneKeyRollConfirm: () => change('dnsZoneKeyRollConfirm', { id: named.dnsZone, ...stale, keyTag: 1 }),
  dnsZoneKeyRollCancel: () => change('dnsZoneKeyRollCancel', { id: named.dnsZone, ...stale }),
  gslbPoolMonitorAttach: () =>
    change('gslbPoolMonitorAttach', { monitorId: named.gslbMonitor, target: { poolId: named.gslbPool } }),
  gslbPoolMonitorDetach: () =>
    change('gslbPoolMonitorDetach', { monitorId: named.gslbMonitor, target: { poolId: named.gslbPool } }),
  gslbPoolMemberAdminStateSet: () =>
    change('gslbPoolMemberAdminStateSet', { id: named.gslbPoolMember, state: 'DRAIN' }),
  gslbPoolMemberRelease: () => change('gslbPoolMemberRelease', { id: named.gslbPoolMember }),
  gslbFreeze: () => change('gslbFreeze', { id: named.gslb }),
  gslbUnfreeze: () => change('gslbUnfreeze', { id: named.gslb }),
  ...Object.fromEntries(
    kinds.flatMap((kind) =>
      ['Update', 'Delete'].map((verb) => [
        `${kind}${verb}`,
        () => change(`${kind}${verb}`, { id: named[kind], ...stale }),
      ]),
    ),
  ),
};

const containerId = () => encodeId('ObjectContainer', `${ids.project}/photos`);

const service = () => ({ clusterId: stored.objectCluster, role: 'objectserver', name: 'none' });

/** Those of object storage. */
const storing: Readonly<Record<string, () => Question>> = {
  ...Object.fromEntries(
    Object.keys(stored).flatMap((type) => [
      [type, () => byId(type, stored[type as keyof typeof stored])],
      [`${type}s`, () => read(`{ ${type}s { nodes { id } } }`, stored[type as keyof typeof stored])],
    ]),
  ),
  objectEndpoints: () => read('{ objectEndpoints { name urls } }', '"name":'),
  objectRingChangePreview: () => read('{ objectRingChangePreview(number: 0) { stepCount } }', '"stepCount":'),
  objectRingChange: () => byId('objectRingChange', opened.objectRingChange),
  objectRingChanges: () => read('{ objectRingChanges { nodes { id } } }', opened.objectRingChange),
  objectRingChangeStart: () => change('objectRingChangeStart', { number: 0 }),
  objectRingChangePause: () => change('objectRingChangePause', { id: opened.objectRingChange, ...stale }),
  objectRingChangeResume: () => change('objectRingChangeResume', { id: opened.objectRingChange, ...stale }),
  objectRingChangeCancel: () => change('objectRingChangeCancel', { id: opened.objectRingChange, ...stale }),
  objectAccount: () => byId('objectAccount', opened.objectAccount),
  objectAccessKey: () => byId('objectAccessKey', opened.objectAccessKey),
  objectAccessKeys: () => read(`{ objectAccessKeys(projectId: "${ids.project}") { nodes { id } } }`),
  objectAccessKeyCreate: () => change('objectAccessKeyCreate', { projectId: ids.project, name: fresh() }),
  objectAccessKeyRevoke: () => change('objectAccessKeyRevoke', { id: opened.objectAccessKey }),
  // Only callers with the right learn that no cluster is reachable.
  objectContainer: () => read(`{ objectContainer(id: "${containerId()}") { id } }`, '"UNAVAILABLE"'),
  objectContainers: () => read(`{ objectContainers(projectId: "${ids.project}") { nodes { id } } }`, '"UNAVAILABLE"'),
  objectContainerCreate: () => change('objectContainerCreate', { projectId: ids.project, name: fresh() }),
  objectUploadUrlCreate: () => change('objectUploadUrlCreate', { containerId: containerId(), name: 'cat.jpg' }),
  objectDeleteUrlCreate: () => change('objectDeleteUrlCreate', { containerId: containerId(), name: 'cat.jpg' }),
  objectDownloadUrlCreate: () => change('objectDownloadUrlCreate', { containerId: containerId(), name: 'cat.jpg' }),
  objectContainerDelete: () => change('objectContainerDelete', { id: containerId() }),
  objectClusterCreate: () => change('objectClusterCreate', { name: fresh() }),
  objectClusterUpdate: () => change('objectClusterUpdate', { id: stored.objectCluster, ...stale }),
  objectClusterDelete: () => change('objectClusterDelete', { id: stored.objectCluster, ...stale }),
  objectServiceDrain: () => change('objectServiceDrain', service()),
  objectServiceUndrain: () => change('objectServiceUndrain', service()),
  objectServiceRemove: () => change('objectServiceRemove', service()),
  objectOptionCreate: () => change('objectOptionCreate', { name: fresh() }),
  objectOptionUpdate: () => change('objectOptionUpdate', { id: stored.objectOption, ...stale }),
  objectOptionDelete: () => change('objectOptionDelete', { id: stored.objectOption, ...stale }),
  objectOptionDeleteCancel: () => change('objectOptionDeleteCancel', { id: stored.objectOption, ...stale }),
};

const subscriptions: Readonly<Record<string, string>> = {
  gslbChanges: 'gslbChanges(after: $after) { cursor }',
  loadBalancerChanges: 'loadBalancerChanges(after: $after) { cursor }',
  loadBalancerNodeChanges: 'loadBalancerNodeChanges(after: $after) { cursor }',
  statusChanges: 'statusChanges(after: $after) { cursor }',
  relayOperationChanges: 'relayOperationChanges(after: $after) { cursor }',
  backendChanges: 'backendChanges(after: $after) { cursor }',
  objectStatusChanges: 'objectStatusChanges(after: $after) { cursor }',
};

/** Refusals by rights; any other refusal means that the caller had the right. */
const refusals = new Set(['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND']);

async function may(caller: Caller, question: Question): Promise<boolean> {
  const answer = await ask(caller, question.query, question.variables);
  const text = JSON.stringify(answer);
  const codes = [...text.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code = '']) => code);
  if (codes.some((code) => refusals.has(code))) return false;
  // A fault of the request itself shows nothing about rights.
  if (/GRAPHQL_VALIDATION_FAILED|BAD_USER_INPUT|INTERNAL/.test(text)) throw new Error(`${question.query}: ${text}`);
  return question.shows === undefined || text.includes(question.shows);
}

/** An event must have happened since `after`. */
async function mayFollow(caller: Caller, selection: string, after: string): Promise<boolean> {
  const bearer = bearers[caller];
  const client = createClient({
    url: system.url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
  });
  try {
    const query = `subscription ($after: String) { ${selection} }`;
    for await (const item of client.iterate({ query, variables: { after } })) return item.errors === undefined;
    return false;
  } catch {
    return false;
  } finally {
    await client.dispose();
  }
}

async function cellOf(field: string, caller: Caller): Promise<Cell> {
  const question = questions[field] ?? balancing[field] ?? naming[field] ?? storing[field];
  if (question === undefined) throw new Error(`no question is asked with ${field}`);
  // An earlier request has ended the session.
  if (field === 'logout') await freshSession(caller);
  if (await may(caller, await question(caller))) {
    // It can end only the caller's own session.
    if (field === 'logout') return 'own';
    return 'yes';
  }
  const own = caller === 'nobody' || caller === 'machine' ? undefined : await ownQuestions[field]?.(caller);
  return own !== undefined && (await may(caller, own)) ? 'own' : '–';
}

/** Fields that other callers may use on their own objects. */
const ownQuestions: Readonly<Record<string, (caller: Caller) => Promise<Question | undefined>>> = {
  async userUpdate(caller) {
    const id = users.get(caller);
    await freshSession(caller);
    return change('userUpdate', { id, password, currentPassword: password });
  },
  async relayOperationSettle(caller) {
    const input = { ...called(), set: 'blocked', address: '192.0.2.10' };
    const type = inputTypeOf('firewallAddressSetElementAdd');
    const query = `mutation ($input: ${type}!) { call: firewallAddressSetElementAdd(input: $input) { operation { id } } }`;
    const { data } = await ask(caller, query, { input });
    const id = (data as { call?: { operation?: { id: string } | null } | null } | null)?.call?.operation?.id;
    return id === undefined ? undefined : change('relayOperationSettle', { id });
  },
};

/** After these the caller's session has ended, or its credential has changed. */
const last = ['machineRenew', 'userUpdate', 'logout'];

function leastRole([nobody, machine, viewer, member, operator]: readonly Cell[]): string {
  if (nobody === 'yes') return 'ANYONE';
  if (machine === 'yes') return 'MACHINE';
  if (viewer === 'own') return 'USER';
  if (viewer === 'yes') return 'VIEWER';
  if (member !== '–') return 'MEMBER';
  return operator === '–' ? 'ADMINISTRATOR' : 'OPERATOR';
}

function versionsOfBackend(): string {
  return `configurationVersions(subjectId: "${ids.backend}") { nodes { id subjectId } }`;
}

test('every root field is called by every kind of caller, and matches the table', async () => {
  const schema = apiSchemaOf(readSupergraph());
  const fieldsOf = (type: string) => Object.keys((schema.getType(type) as { getFields(): object }).getFields());
  const rows = await documented();
  const rowOf = (field: string) =>
    rows.filter(({ fields }) =>
      fields.some((name) => name === field || (name.endsWith('*') && field.startsWith(name.slice(0, -1)))),
    );
  const asked = [...fieldsOf('Query'), ...fieldsOf('Mutation')];
  expect([questions, balancing, naming, storing].flatMap((each) => Object.keys(each)).sort()).toEqual(
    [...asked].sort(),
  );
  expect(Object.keys(subscriptions).sort()).toEqual(fieldsOf('Subscription').sort());
  const ordered = [...asked.filter((field) => !last.includes(field)), ...last];
  const found = new Map<string, Cell[]>();
  const { data } = await ask('administrator', '{ statusCursor }');
  await make('backendUpdate', { id: ids.backend, site: 'moved' }, 'backend { id }');
  await make('loadBalancerUpdate', { id: balanced.loadBalancer, description: 'moved' }, 'loadBalancer { id }');
  await addNodeOnHost(balanced.loadBalancer);
  await make('gslbUpdate', { id: named.gslb, description: 'moved' }, 'gslb { id }');
  await make('objectClusterCreate', { name: fresh() }, 'objectCluster { id }');
  await make('firewallAddressSetElementAdd', { ...called(), set: 'blocked', address: '192.0.2.9' }, 'operation { id }');
  for (const [field, selection] of Object.entries(subscriptions)) {
    const cells: Cell[] = [];
    for (const caller of columns)
      cells.push((await mayFollow(caller, selection, String(data?.statusCursor))) ? 'yes' : '–');
    found.set(field, cells);
  }
  const byToken = new Map<string, Cell>();
  for (const field of ordered) {
    const cells: Cell[] = [];
    for (const caller of columns) cells.push(await cellOf(field, caller));
    found.set(field, cells);
    if (!last.includes(field)) byToken.set(field, await cellOf(field, 'operator by token'));
  }
  const wanted = [...found].map(([field, cells]) => `${field}: ${cells.join(' ')}`);
  const documentedCells = [...found.keys()].map((field) => {
    const mine = rowOf(field);
    return `${field}: ${mine.length === 1 ? mine[0]?.cells.join(' ') : `is in ${mine.length} rows`}`;
  });
  expect(documentedCells).toEqual(wanted);
  // The role in a mutation's description is the least one that may do it.
  const roleOf = (field: string) => termsIn(schema.getMutationType()?.getFields()[field]?.description)?.role;
  const mutations = fieldsOf('Mutation').map((field) => [field, found.get(field) ?? []] as const);
  expect(mutations.map(([field]) => [field, roleOf(field)])).toEqual(
    mutations.map(([field, cells]) => [field, leastRole(cells)]),
  );
  expect(rows.flatMap(({ fields }) => fields).filter((name) => !name.endsWith('*') && !found.has(name))).toEqual([]);
  // An API token has the rights of its role.
  const operator = columns.indexOf('operator');
  expect([...byToken]).toEqual(
    [...found].filter(([field]) => byToken.has(field)).map(([field, cells]) => [field, cells[operator]]),
  );
}, 120_000);

test('force requires an operator, for every mutation', async () => {
  const forced = (caller: Caller) =>
    may(
      caller,
      change('relayCall', { ...called(), operation: 'set.delete', arguments: { set: fresh() }, force: true }),
    );
  for (const caller of ['administrator', 'member'] as const) await freshSession(caller);
  expect([await forced('operator by token'), await forced('administrator')]).toEqual([true, true]);
  expect(await forced('member')).toBe(false);
});
