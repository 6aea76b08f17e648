// Ten everyday screens of a CMP (docs/examples/screens). Each is one request, with few subgraph fetches and few SQL
// statements, whatever it shows.
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { InProcessLink } from '../../gateway/supergraph/in-process-link.ts';
import { Database } from '../../platform/database/database.ts';
import { makeCertificate } from '../../platform/net/certificates.ts';
import { FortiGate } from '../../simulators/fortios/fortigate.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';
import { statementsOf } from '../support/stores/count-statements.ts';

const folder = 'docs/examples/screens';
const mostFetches = 6;
const mostStatements = 25;
const rows = 12;

interface Counted {
  readonly fetches: string[];
  readonly statements: string[];
}

let system: RunningSystem;
let gate: FortiGate;
let admin: string;
const ids: Record<string, string> = {};

beforeAll(async () => {
  system = await runningSystem();
  gate = await FortiGate.start();
  const password = (await readFile(join(system.folder, 'accounts/admin.password'), 'utf8')).trim();
  const login = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const { login: session } = await ask<{ login: { accessToken: string } }>(login, {
    input: { name: 'admin', password },
  });
  admin = session.accessToken;
  await fill();
}, 240_000);

afterAll(async () => {
  await gate?.stop();
  await system?.stop();
}, 60_000);

async function ask<Data>(query: string, variables: object, token?: string): Promise<Data> {
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(system.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = (await response.json()) as { readonly data: Data; readonly errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

/** Runs a mutation that must succeed, and returns the ID. */
async function make(mutation: string, input: object, token: string): Promise<string> {
  const field = mutation.replace(/Create$/, '');
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const text = `mutation ($input: ${type}!) { made: ${mutation}(input: $input) { made: ${field} { id } userErrors { code message field } } }`;
  type Made = { readonly made: { readonly made: { readonly id: string } | null; readonly userErrors: unknown } };
  const { made } = await ask<Made>(text, { input }, token);
  expect(made.userErrors).toEqual([]);
  return made.made?.id ?? '';
}

/** Several rows of everything that the screens show, for tenant 42. */
async function fill(): Promise<void> {
  const token = system.token;
  const cmpObject = { type: 'tenant', externalId: '42' };
  const { projects } = await ask<{ projects: { nodes: { id: string }[] } }>('{ projects { nodes { id } } }', {}, token);
  ids.project = projects.nodes[0]?.id ?? '';
  for (let at = 0; at < rows; at += 1) {
    const id = await make(
      'loadBalancerCreate',
      {
        ...{ name: `web-${at}`, cmpObject },
        pools: [
          {
            name: 'web',
            memberProtocol: 'HTTP',
            members: [1, 2, 3].map((host) => ({ host: `192.0.2.${host}`, port: 80 })),
            healthMonitor: { monitorType: 'HTTP' },
          },
          { name: 'other', memberProtocol: 'HTTP' },
        ],
        listeners: [
          {
            ...{ protocol: 'HTTP', port: 80, defaultPool: 'web' },
            l7Policies: [
              { action: 'REJECT', l7Rules: [{ ruleType: 'PATH', compareType: 'STARTS_WITH', value: '/private' }] },
            ],
          },
        ],
      },
      token,
    );
    ids.loadBalancer ??= id;
  }
  const shown = 'query ($id: ID!) { loadBalancer(id: $id) { pools { members { nodes { id } } } } }';
  const { loadBalancer } = await ask<{ loadBalancer: { pools: { members: { nodes: { id: string }[] } }[] } }>(
    ...([shown, { id: ids.loadBalancer }, token] as const),
  );
  ids.member = loadBalancer.pools.flatMap(({ members }) => members.nodes)[0]?.id ?? '';
  await fillNames(cmpObject);
  await fillFirewalls(cmpObject);
  await fillCertificates();
  await failAll();
}

async function fillCertificates(): Promise<void> {
  const listener = `mutation ($input: ListenerCreateInput!) { listenerCreate(input: $input) { userErrors { code message } } }`;
  for (let at = 0; at < 3; at += 1) {
    const { cert, key } = await makeCertificate({ commonName: `www${at}.shop.test`, names: [`www${at}.shop.test`] });
    const input = { name: `c-${at}`, chain: cert, privateKey: key };
    const id = await make('tlsCertificateCreate', input, system.token);
    const use = {
      loadBalancerId: ids.loadBalancer,
      protocol: 'TERMINATED_HTTPS',
      port: 443 + at,
      certificateIds: [id],
    };
    const made = await ask<{ listenerCreate: { userErrors: unknown } }>(listener, { input: use }, system.token);
    expect(made.listenerCreate.userErrors).toEqual([]);
  }
}

/** No nodes or checkers run here that could find out. */
async function failAll(): Promise<void> {
  const db = new Database({ connection: system.database.connection });
  for (const table of ['lb_load_balancer', 'gslb', 'backend'])
    await db.execute(`UPDATE ${table} SET operating_status = 'ERROR'`);
  await db.close();
}

async function fillNames(cmpObject: object): Promise<void> {
  for (const name of ['eu', 'us'])
    await make('gslbVantagePointCreate', { name, region: name, latitude: 50, longitude: 8 }, admin);
  await make('gslbFlavorCreate', { name: 'usual', vantagePointNames: ['eu', 'us'] }, admin);
  const rights = [{ suffix: 'shop.test', allows: ['APEX', 'OUTSIDE_PROJECT'] }];
  await make('dnsZoneCreate', { name: 'shop.test', rights }, admin);
  for (let at = 0; at < rows; at += 1) {
    const members = [
      { name: 'followed', memberType: 'LOADBALANCER', loadBalancerId: ids.loadBalancer },
      { name: 'own', addresses: ['192.0.2.9'], servicePort: 80 },
    ];
    const monitors = [{ name: `m${at}`, checkType: 'TCP' }];
    const pools = [{ name: `p${at}`, members, monitors }];
    await make('gslbCreate', { fqdn: `www${at}.shop.test`, pools, cmpObject }, system.token);
  }
}

async function fillFirewalls(cmpObject: object): Promise<void> {
  const digest = Buffer.from(gate.https.certificate.sha256, 'hex').toString('base64');
  const pin = `SHA256:${digest.replace(/=+$/, '')}`;
  for (let at = 0; at < 3; at += 1) {
    const name = `firewall-${at}`;
    const backend = { name };
    await make(
      'backendCreate',
      {
        ...{ name, driver: 'fortios', host: '127.0.0.1', port: gate.https.port, separateObjects: true },
        ...{
          credentials: { username: 'admin', password: 'secret' },
          certificateSha256: pin,
        },
        projectId: ids.project,
      },
      admin,
    );
    for (let rule = 0; rule < 4; rule += 1) {
      const create = `mutation ($input: FirewallAddressCreateInput!) { firewallAddressCreate(input: $input) {
        operation { state } userErrors { code message } } }`;
      const input = {
        backend,
        cmpObject,
        name: `a-${at}-${rule}`,
        content: { address: `192.0.2.${rule}` },
        idempotencyKey: `${at}-${rule}`,
      };
      const answer = await ask<{ firewallAddressCreate: { operation: { state: string } | null } }>(
        ...([create, { input }, system.token] as const),
      );
      expect(answer.firewallAddressCreate).toMatchObject({ operation: { state: 'SUCCEEDED' } });
    }
  }
}

/** By file name: the variables of a screen's request, and the place of the rows in its answer. */
const screens: Readonly<Record<string, () => { variables: Record<string, unknown>; rows: string }>> = {
  overview: () => ({ variables: {}, rows: 'failedLoadBalancers.nodes' }),
  'load-balancers': () => ({ variables: { projectId: ids.project }, rows: 'loadBalancers.nodes' }),
  'load-balancer': () => ({ variables: { id: ids.loadBalancer }, rows: 'loadBalancer.pools' }),
  'pool-member': () => ({ variables: { id: ids.member }, rows: 'poolMember.pool.listeners' }),
  'global-name': () => ({ variables: { fqdn: 'www0.shop.test' }, rows: 'gslb.pools.0.members.nodes' }),
  'firewall-rules': () => ({ variables: { externalId: '42' }, rows: 'cmpObject.mappings.nodes' }),
  tenant: () => ({ variables: { externalId: '42' }, rows: 'cmpObject.gslbs.nodes' }),
  'expiring-certificates': () => ({
    variables: { expiresBefore: '2099-01-01T00:00:00Z' },
    rows: 'tlsCertificates.nodes',
  }),
  containers: () => ({ variables: { projectId: ids.project }, rows: '' }),
  project: () => ({ variables: { id: ids.project }, rows: 'project.loadBalancerQuotas' }),
};

test('there are ten screens, and each is tested', () => {
  const files = readdirSync(folder).map((file) => file.replace(/\.graphql$/, ''));
  expect(files.sort()).toEqual(Object.keys(screens).sort());
  expect(files).toHaveLength(10);
});

describe('a screen is one request with few fetches and statements', () => {
  let counted: Counted = { fetches: [], statements: [] };

  beforeAll(() => {
    const { execute } = InProcessLink.prototype;
    jest.spyOn(InProcessLink.prototype, 'execute').mockImplementation(async function (this: InProcessLink, request) {
      counted.fetches.push(this.name);
      const [statements, answer] = await statementsOf(() => execute.call(this, request));
      counted.statements.push(...statements);
      return answer;
    });
  });

  afterAll(() => {
    jest.restoreAllMocks();
  });

  test.each(Object.keys(screens))('%s', async (name) => {
    const { variables, rows: place } = screens[name]?.() ?? { variables: {}, rows: '' };
    const text = readFileSync(join(folder, `${name}.graphql`), 'utf8');
    // The first request fills caches of the process.
    await ask(text, variables, admin);
    counted = { fetches: [], statements: [] };
    const data = await ask<object>(text, variables, admin);
    if (place !== '') expect(at(data, place)).not.toHaveLength(0);
    expect(counted.fetches.length).toBeLessThanOrEqual(mostFetches);
    // All statements, to see which one was too many.
    expect(counted.statements.length > mostStatements ? counted.statements : []).toEqual([]);
  });
});

function at(data: object, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], data);
}
