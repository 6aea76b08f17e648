// `tidegate loadbalancers` and the nouns of its parts, against a server with the real schema.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

let server: GraphServer;
const env = { TIDEGATE_TOKEN: goodToken };
type Page = { first: number; after: string | null };

beforeAll(async () => {
  server = await GraphServer.start();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.stop());
const run = (...args: string[]) => runCommand([...args, '--url', server.url], { env });

const pool = {
  ...{ id: 'P1', name: 'default', memberProtocol: 'HTTP', algorithm: 'ROUND_ROBIN' },
  ...{ operatingStatus: 'ONLINE', operatingReason: null },
};
const balancer = (steps: readonly string[], nodeState = 'BUILDING', provisioningStatus = 'PENDING') => ({
  ...{ id: 'LB1', name: 'web', description: '', tags: [], fqdn: 'web.default.lb.test', addresses: [] },
  ...{ urls: ['http://web.default.lb.test/'], topology: 'SPREAD', enabled: true, minNodes: 2, maxNodes: 6 },
  ...{ wantedNodes: 2, generation: 1, provisioningStatus, provisioningReason: null, operatingStatus: 'ONLINE' },
  ...{ operatingReason: null, listeners: [], pools: [pool], scalingDecisions: () => ({ nodes: [] }) },
  nodes: [
    {
      ...{ id: 'N1', name: 'n1', nodeState, sessions: null, nodeStateReason: null, address: '192.0.2.9' },
      appliedGeneration: 1,
      ...{ operatingStatus: 'ONLINE', subnetAddress: null, deleteAt: null, createdAt: '2026-01-31T12:00:00.000Z' },
      ...{ loadBalancerHost: null, replaces: null },
      steps: steps.map((name) => ({ name, doneAt: '2026-01-31T12:00:00.000Z' })),
    },
  ],
});
const named = { loadBalancers: (args: Page) => pageOf([{ id: 'LB1', name: 'web' }], args) };
const done = (field: string, value: unknown) => ({ [field]: value, userErrors: [], commit: null });

test('create sends the whole tree, shows each step once, and prints the URL', async () => {
  const looks = [
    balancer(['PLACED']),
    balancer(['PLACED', 'MADE', 'CONFIGURED']),
    balancer(['PLACED', 'MADE', 'CONFIGURED', 'CHECKED', 'IN_DNS'], 'SERVING', 'ACTIVE'),
  ];
  server.answers = {
    loadBalancerCreate: () => done('loadBalancer', { id: 'LB1' }),
    loadBalancer: () => looks.shift() ?? null,
  };
  const { exitCode, stdout, stderr } = await run(
    ...['loadbalancers', 'create', 'web', '--http', '80', '--member', '192.0.2.10:80', '--member', '[2001:db8::1]:80'],
    ...['--check', 'http:/', '--nodes', '2..6', '--requests-per-node', '1000', '--cmp', 'tenant/42'],
  );
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout.split('\n')).toEqual([
    ...['n1 PLACED 192.0.2.9', 'n1 MADE', 'n1 CONFIGURED', 'n1 CHECKED', 'n1 IN_DNS', 'n1 SERVING'],
    ...['http://web.default.lb.test/', ''],
  ]);
  expect(server.requests[0]).toMatchObject({
    input: {
      ...{
        name: 'web',
        minNodes: 2,
        maxNodes: 6,
        autoscaling: { requestsPerNode: 1_000 },
        cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
      },
      listeners: [{ protocol: 'HTTP', port: 80, defaultPool: 'default' }],
      pools: [
        {
          ...{ name: 'default', memberProtocol: 'HTTP', healthMonitor: { monitorType: 'HTTP', path: '/' } },
          members: [
            { host: '192.0.2.10', port: 80 },
            { host: '2001:db8::1', port: 80 },
          ],
        },
      ],
    },
  });
});

test('create takes the topology and the size of nodes, update their size; list takes a tag', async () => {
  const made = balancer([], 'SERVING', 'ACTIVE');
  server.answers = {
    loadBalancers: (args: Page) => pageOf([{ ...made, tags: ['blue'] }], args),
    loadBalancer: () => made,
    loadBalancerCreate: () => done('loadBalancer', { id: 'LB1' }),
    loadBalancerUpdate: () => done('loadBalancer', made),
  };
  const size = ['--node-connections', '900', '--node-threads', '2'];
  await run('loadbalancers', 'create', 'web', '--topology', 'active_standby', ...size);
  expect(server.requests[0]).toMatchObject({
    input: { topology: 'ACTIVE_STANDBY', nodeSize: { connections: 900, threads: 2 } },
  });
  await run('loadbalancers', 'update', 'web', '--node-threads', '4');
  expect(server.requests.at(-1)).toMatchObject({ input: { id: 'LB1', nodeSize: { threads: 4 } } });
  expect((await run('loadbalancers', 'list', '--tag', 'blue')).stdout).toMatch(/^web +ACTIVE/m);
  expect(server.requests.at(-1)).toMatchObject({ tag: 'blue' });
});

test('what is not in effect in time is told with exit code 4, and what it waits for', async () => {
  server.answers = {
    loadBalancerCreate: () => done('loadBalancer', { id: 'LB1' }),
    loadBalancer: () => ({ ...balancer([]), provisioningReason: '2 of 2 nodes have no host' }),
  };
  const { exitCode, stderr } = await run('loadbalancers', 'create', 'web', '--wait', '1');
  expect([exitCode, stderr]).toEqual([4, expect.stringContaining('2 of 2 nodes have no host; it is tried on')]);
});

test.each([
  [['--tcp', '53', '--http', '80'], 'give --tcp, or --http and --https'],
  [['--https', '443'], '--https needs --tls-certificate'],
  [['--member', '192.0.2.1'], "--member takes HOST:PORT, not '192.0.2.1'"],
  [['--check', 'ping'], '--check takes http:PATH, https:PATH, tcp or tls'],
  [['--check', 'tcp:/x'], '--check takes http:PATH'],
  [['--nodes', '2', '--requests-per-node', '9'], '--requests-per-node needs --nodes MIN..MAX'],
  [['--nodes', '2-6'], '--nodes takes a number or MIN..MAX'],
  [['--cmp', 'tenant'], "'tenant' is not TYPE/ID"],
])('wrong use is told: %s', async (args, message) => {
  const { exitCode, stderr } = await run('loadbalancers', 'create', 'web', ...args);
  expect([exitCode, stderr]).toEqual([64, expect.stringContaining(message)]);
});

test('a refusal is told with its field', async () => {
  server.answers = {
    loadBalancerCreate: () => ({
      ...{ loadBalancer: null, commit: null },
      userErrors: [{ code: 'TOO_LONG', message: 'name has 64 characters', field: ['input', 'name'] }],
    }),
  };
  const { exitCode, stderr } = await run('loadbalancers', 'create', 'x'.repeat(64));
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('name has 64 characters')]);
});

test('members are named by host and port, in the only pool or a named one', async () => {
  const member = {
    ...{ id: 'M1', host: '192.0.2.10', port: 80, weight: 1, backup: false, enabled: true, drainUntil: null },
    ...{ provisioningStatus: 'ACTIVE', operatingStatus: 'ONLINE', operatingReason: null },
  };
  server.answers = {
    ...named,
    loadBalancer: () => balancer([], 'SERVING', 'ACTIVE'),
    pool: () => ({ members: (args: Page) => pageOf([member], args) }),
    poolMemberDrain: () => done('poolMember', { ...member, operatingStatus: 'DRAINING' }),
  };
  const listed = await run('members', 'list', '--pool', 'web');
  expect(listed.stdout).toMatch(/^192\.0\.2\.10:80 +1 +ACTIVE +ONLINE/m);
  const drained = await run('members', 'drain', '192.0.2.10:80', '--pool', 'web/default', '--deadline', '5');
  expect([drained.exitCode, drained.stdout]).toEqual([0, expect.stringMatching(/Operating +DRAINING/)]);
  expect(server.requests.at(-1)).toMatchObject({ input: { id: 'M1', deadlineMs: 5_000 } });
  const missing = await run('members', 'delete', '192.0.2.11:80', '--pool', 'web');
  expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining("no member '192.0.2.11:80'")]);
});

test('listeners are named by port, certificates by name or id; a pool that is not there is told', async () => {
  const byId = encodeId('TlsCertificate', newUuid());
  const certificate = { __typename: 'TlsCertificate', id: 'C1', name: 'shop', project: null };
  server.answers = {
    ...named,
    node: () => null,
    tlsCertificates: (args: Page) => pageOf([certificate], args),
    loadBalancer: () => balancer([], 'SERVING', 'ACTIVE'),
    listenerCreate: () => done('listener', { id: 'L1', port: 443, protocol: 'TERMINATED_HTTPS' }),
  };
  const options = [
    '--loadbalancer',
    'web',
    '--protocol',
    'terminated_https',
    '--tls-certificate',
    'shop',
    '--tls-certificate',
    byId,
  ];
  const { exitCode, stdout } = await run('listeners', 'create', '443', ...options, '--default-pool', 'default');
  expect([exitCode, stdout]).toEqual([0, 'web listens at port 443\n']);
  expect(server.requests.at(-1)).toMatchObject({
    input: {
      loadBalancerId: 'LB1',
      port: 443,
      protocol: 'TERMINATED_HTTPS',
      certificateIds: ['C1', byId],
      defaultPoolId: 'P1',
    },
  });
  const unknown = await run('listeners', 'create', '443', ...options, '--tls-certificate', 'none');
  expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining("there is no certificate 'none'")]);
  const other = await run('listeners', 'create', '80', '--loadbalancer', 'web', '--default-pool', 'none');
  expect(other.stderr).toContain("there is no pool 'none' in 'web'");
});

const policy = {
  ...{ id: 'Y1', name: 'images', action: 'REDIRECT_TO_POOL', position: 5, redirectUrl: null, redirectPrefix: null },
  ...{ redirectCode: null, enabled: true, operatingStatus: 'ONLINE', redirectPool: { id: 'P1', name: 'default' } },
  l7Rules: [
    {
      ...{ id: 'R1', ruleType: 'PATH', compareType: 'STARTS_WITH', key: null, value: '/images' },
      ...{ invert: true, enabled: true },
    },
  ],
};
const withPolicies = (policies: readonly object[]) => ({
  ...named,
  loadBalancer: () => ({ ...balancer([]), listeners: [{ id: 'L1', port: 80, l7Policies: policies }] }),
});
const listenerStates = { name: '', protocol: 'HTTP', operatingStatus: 'ONLINE', defaultPool: null };
const atPort = ['--loadbalancer', 'web', '--listener', '80'];

test('L7 policies are named in their listener, rules by id', async () => {
  server.answers = {
    ...withPolicies([policy]),
    l7PolicyCreate: () => done('l7Policy', { id: 'Y2', name: 'old' }),
    l7PolicyUpdate: () => done('l7Policy', policy),
    l7PolicyDelete: () => done('l7Policy', policy),
    l7RuleCreate: () => done('l7Rule', { id: 'R2' }),
    l7RuleUpdate: () => done('l7Rule', { id: 'R1', loadBalancer: { id: 'LB1' } }),
    l7RuleDelete: () => done('l7Rule', { id: 'R1' }),
  };
  const listed = await run('l7policies', 'list', ...atPort);
  expect(listed.stdout).toMatch(/^images +5 +REDIRECT_TO_POOL +default +ONLINE +PATH STARTS_WITH \/images +Y1$/m);
  const rules = await run('l7rules', 'list', ...atPort, '--policy', 'images');
  expect(rules.stdout).toMatch(/^PATH +- +not STARTS_WITH +\/images +ON +R1$/m);
  const last = () => server.requests.at(-1);
  await run('l7policies', 'create', 'old', ...atPort, '--action', 'redirect_to_pool', '--redirect-pool', 'default');
  expect(last()).toMatchObject({ input: { listenerId: 'L1', name: 'old', redirectPoolId: 'P1' } });
  await run('l7policies', 'update', 'images', ...atPort, '--off', '--position', '1');
  expect(last()).toMatchObject({ input: { id: 'Y1', enabled: false, position: 1 } });
  const rule = ['--type', 'header', '--key', 'x-kind', '--compare', 'equal_to', '--value', 'a', '--invert'];
  const made = await run('l7rules', 'create', ...atPort, '--policy', 'Y1', ...rule);
  expect([made.exitCode, made.stdout]).toEqual([0, 'R2\n']);
  expect(last()).toMatchObject({
    input: { l7PolicyId: 'Y1', ruleType: 'HEADER', key: 'x-kind', value: 'a', invert: true },
  });
  await run('l7rules', 'update', 'R1', '--value', '/pictures');
  expect(last()).toMatchObject({ input: { id: 'R1', value: '/pictures' } });
  expect((await run('l7rules', 'delete', 'R1')).stdout).toBe('R1 is deleted\n');
  expect((await run('l7policies', 'delete', 'images', ...atPort)).stdout).toBe('images is deleted\n');
});

test.each([
  [['l7policies', 'delete', 'none', ...atPort], 1, "port 80 has no L7 policy 'none'"],
  [['l7policies', 'delete', 'images', ...atPort], 1, "several L7 policies have the name 'images'"],
  [['l7policies', 'list', '--loadbalancer', 'web', '--listener', '81'], 1, "'web' has no listener at port 81"],
  [['l7policies', 'update', 'Y1', ...atPort], 64, 'nothing to change was given'],
  [['l7rules', 'update', 'R1'], 64, 'nothing to change was given'],
  [['quotas', 'update', 'NODES', '--project', 'p'], 64, 'give --quota or --default'],
  [['quotas', 'update', 'cars', '--project', 'p', '--default'], 64, 'NAME must be one of LOAD_BALANCERS'],
])('told: %s', async (args, exitCode, message) => {
  server.answers = withPolicies([policy, { ...policy, id: 'Y2' }]);
  const told = await run(...args);
  expect([told.exitCode, told.stderr]).toEqual([exitCode, expect.stringContaining(message)]);
});

test('quotas are listed and changed; a subnet gets another name', async () => {
  const quota = { kind: 'NODES', limit: 9, used: 2 };
  const at = '2026-01-01T00:00:00.000Z';
  const subnet = {
    ...{ id: 'S1', name: 'inner', cidr: '10.0.0.0/24', provisioningStatus: 'ACTIVE', version: 1, createdAt: at },
    ...{ updatedAt: at, project: { id: 'PR1', name: 'p' } },
  };
  server.answers = {
    projects: (args: Page) => pageOf([{ id: 'PR1', name: 'p' }], args),
    loadBalancerQuotas: () => [quota],
    me: () => ({ projects: [{ project: { gslbQuotas: [{ kind: 'NAMES', limit: 100, used: 3 }] } }] }),
    project: ({ id }: { id: string }) =>
      id === 'PR1' ? { id, name: 'p', gslbQuotas: [{ kind: 'POOLS', limit: 5, used: 1 }] } : null,
    loadBalancerQuotaSet: () => done('loadBalancerQuota', quota),
    projectSubnets: (args: Page) => pageOf([subnet], args),
    node: () => null,
    projectSubnetUpdate: () => done('projectSubnet', { ...subnet, name: 'outer' }),
  };
  const { stdout: ofOwn } = await run('quotas', 'list');
  expect(ofOwn).toMatch(/^NODES +2 +9$/m);
  expect(ofOwn).toMatch(/^GSLB_NAMES +3 +100$/m);
  expect((await run('quotas', 'list', '--project', 'p')).stdout).toMatch(/^GSLB_POOLS +1 +5$/m);
  const set = await run('quotas', 'update', 'nodes', '--project', 'p', '--quota', '9');
  expect(set.stdout).toBe('NODES: at most 9, 2 used\n');
  expect(server.requests.at(-1)).toMatchObject({ input: { projectId: 'PR1', kind: 'NODES', limit: 9 } });
  await run('quotas', 'update', 'NODES', '--project', 'p', '--default');
  expect(server.requests.at(-1)).toMatchObject({ input: { limit: null } });
  expect((await run('subnets', 'update', 'inner', '--rename', 'outer')).stdout).toBe('inner is outer now\n');
  expect(server.requests.at(-1)).toMatchObject({ input: { id: 'S1', name: 'outer' } });
});

const onNodes = {
  ...{ configuration: '-  weight 1\n+  weight 5\n', commands: ['set server p/m weight 5'], reloads: false },
  ...{ reloadReason: null, replacesNodes: false, wantedNodes: 2, userErrors: [] },
};

describe('--preview asks what the change does to the nodes, and sends no mutation', () => {
  const member = { id: 'M1', host: '192.0.2.1', port: 80, weight: 1, backup: false, enabled: true };
  const states = { drainUntil: null, provisioningStatus: 'ACTIVE', operatingStatus: 'ONLINE', operatingReason: null };
  const inPool = ['--pool', 'web'];
  const rule = ['--type', 'path', '--compare', 'equal_to', '--value', '/a'];
  test.each<[readonly string[], object]>([
    [
      ['loadbalancers', 'update', 'web', '--nodes', '3..4'],
      { loadBalancerUpdate: { id: 'LB1', minNodes: 3, maxNodes: 4 } },
    ],
    [['loadbalancers', 'delete', 'web'], { loadBalancerDelete: { id: 'LB1' } }],
    [
      ['loadbalancers', 'autoscale', 'web', '--target', '50'],
      { autoscalingPolicySet: { loadBalancerId: 'LB1', policy: { targetPercent: 50, dryRun: false } } },
    ],
    [['loadbalancers', 'autoscale', 'web', '--off'], { autoscalingPolicyDelete: { loadBalancerId: 'LB1' } }],
    [
      ['listeners', 'create', '81', '--loadbalancer', 'web'],
      { listenerCreate: { loadBalancerId: 'LB1', port: 81, protocol: 'HTTP' } },
    ],
    [
      ['listeners', 'update', '80', '--loadbalancer', 'web', '--connection-limit', '9'],
      { listenerUpdate: { id: 'L1', connectionLimit: 9 } },
    ],
    [['listeners', 'delete', '80', '--loadbalancer', 'web'], { listenerDelete: { id: 'L1' } }],
    [['pools', 'delete', 'default', '--loadbalancer', 'web'], { poolDelete: { id: 'P1' } }],
    [
      ['members', 'create', '192.0.2.2:80', ...inPool],
      { poolMemberCreate: { poolId: 'P1', host: '192.0.2.2', port: 80, backup: false } },
    ],
    [['members', 'update', '192.0.2.1:80', ...inPool, '--weight', '5'], { poolMemberUpdate: { id: 'M1', weight: 5 } }],
    [['members', 'drain', '192.0.2.1:80', ...inPool], { poolMemberDrain: { id: 'M1' } }],
    [['members', 'drain', '192.0.2.1:80', ...inPool, '--end'], { poolMemberDrainCancel: { id: 'M1' } }],
    [['members', 'delete', '192.0.2.1:80', ...inPool], { poolMemberDelete: { id: 'M1' } }],
    [
      ['l7policies', 'create', 'new', ...atPort, '--action', 'reject'],
      { l7PolicyCreate: { listenerId: 'L1', name: 'new', action: 'REJECT' } },
    ],
    [['l7policies', 'update', 'images', ...atPort, '--off'], { l7PolicyUpdate: { id: 'Y1', enabled: false } }],
    [['l7policies', 'delete', 'images', ...atPort], { l7PolicyDelete: { id: 'Y1' } }],
    [
      ['l7rules', 'create', ...atPort, '--policy', 'images', ...rule],
      { l7RuleCreate: { l7PolicyId: 'Y1', ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/a', invert: false } },
    ],
    [['l7rules', 'update', 'R1', '--value', '/b'], { l7RuleUpdate: { id: 'R1', value: '/b' } }],
    [['l7rules', 'delete', 'R1'], { l7RuleDelete: { id: 'R1' } }],
  ])('%j', async (args, change) => {
    server.answers = {
      ...withPolicies([policy]),
      loadBalancer: () => ({
        ...balancer([]),
        listeners: [{ id: 'L1', port: 80, l7Policies: [policy], ...listenerStates }],
      }),
      pool: () => ({ members: (page: Page) => pageOf([{ ...member, ...states }], page) }),
      l7Rule: () => ({ loadBalancer: { id: 'LB1' } }),
      loadBalancerPreview: () => onNodes,
    };
    const told = await run(...args, '--preview');
    expect([told.exitCode, told.stderr]).toEqual([0, '']);
    expect(told.stdout).toBe('2 nodes; HAProxy does not reload\n> set server p/m weight 5\n-  weight 1\n+  weight 5\n');
    expect(server.requests.at(-1)).toEqual({ id: 'LB1', change });
    expect(server.requests.filter((each) => 'input' in each)).toEqual([]);
  });

  test.each([
    [
      { ...onNodes, reloads: true, reloadReason: 'the listener l changed' },
      0,
      '2 nodes; HAProxy reloads: the listener l changed',
    ],
    [{ ...onNodes, wantedNodes: 0 }, 0, 'all nodes are deleted'],
    [{ ...onNodes, replacesNodes: true }, 0, '2 nodes, which are replaced one by one by nodes of another size'],
    [
      { ...onNodes, userErrors: [{ code: 'IN_USE', message: 'used', field: ['change', 'x'] }] },
      1,
      'IN_USE: used (change.x)',
    ],
    [null, 1, "there is no load balancer 'LB1'"],
  ])('told: %j', async (preview, exitCode, message) => {
    server.answers = { ...named, loadBalancerPreview: () => preview };
    const told = await run('loadbalancers', 'update', 'web', '--off', '--preview');
    expect(told.exitCode).toBe(exitCode);
    expect(`${told.stdout}${told.stderr}`).toContain(message);
  });
});

const figures = {
  ...{ startedAt: '2026-01-31T12:00:00.000Z', requests: 12, errors: 2, serverErrors: 1, sessions: 3 },
  ...{ bytesIn: 700, bytesOut: 9_000, latencyMs: 4 },
};
const trafficLine = /^2026-01-31T12:00:00.000Z +12 +2 +1 +3 +700 +9000 +4 ms$/m;

test('traffic of a load balancer, a listener, a node and a member is one table', async () => {
  const traffic = () => [figures];
  const listener = { id: 'L1', name: '', protocol: 'HTTP', port: 80, operatingStatus: 'ONLINE', defaultPool: null };
  const member = { id: 'M1', host: '2001:db8::1', port: 80 };
  server.answers = {
    ...named,
    loadBalancer: () => ({ ...balancer([], 'SERVING', 'ACTIVE'), listeners: [listener], traffic }),
    listener: () => ({ traffic }),
    loadBalancerNode: () => ({ traffic: () => [] }),
    pool: () => ({ members: (args: Page) => pageOf([{ ...noMember, ...member }], args) }),
    poolMember: () => ({ traffic }),
  };
  const period = ['--period', 'minute', '--periods', '5'];
  const ofBalancer = await run('loadbalancers', 'traffic', 'web', ...period);
  expect([ofBalancer.stderr, ofBalancer.stdout]).toEqual(['', expect.stringMatching(trafficLine)]);
  expect(server.requests.at(-1)).toEqual({ id: 'LB1', period: 'MINUTE', periods: 5 });
  expect((await run('listeners', 'traffic', '80', '--loadbalancer', 'web')).stdout).toMatch(trafficLine);
  expect(server.requests.at(-1)).toEqual({ id: 'L1', period: 'SECOND', periods: 10 });
  expect((await run('members', 'traffic', '[2001:db8::1]:80', '--pool', 'web')).stdout).toMatch(trafficLine);
  const none = await run('nodes', 'traffic', 'n1', '--loadbalancer', 'web');
  expect([none.stderr, none.stdout]).toEqual(['', 'no node reported in this time\n']);
  const wrong = await run('loadbalancers', 'traffic', 'web', '--period', 'day');
  expect([wrong.exitCode, wrong.stderr]).toEqual([64, expect.stringContaining('SECOND, MINUTE, HOUR')]);
});

const noMember = {
  ...{ weight: 1, backup: false, enabled: true, drainUntil: null },
  ...{ provisioningStatus: 'ACTIVE', operatingStatus: 'ONLINE', operatingReason: null },
};

test('the status tree has all members, more than a page of them', async () => {
  const ok = { provisioningStatus: 'ACTIVE', operatingStatus: 'ONLINE', operatingReason: null };
  const members = Array.from({ length: 130 }, (_, index) => ({
    ...{ ...noMember, id: `M${index}`, host: `192.0.2.${index}`, port: 80 },
    ...(index === 129 ? { operatingStatus: 'ERROR', operatingReason: 'the answer has status 503' } : {}),
  }));
  const policies = [{ ...ok, id: 'Y1', name: 'old', action: 'REJECT' }];
  server.answers = {
    ...named,
    loadBalancer: () => ({
      ...balancer([], 'REPLACED', 'ACTIVE'),
      ...{ operatingStatus: 'DEGRADED', operatingReason: '1 of 2 nodes serve' },
      listeners: [{ ...ok, id: 'L1', name: '', protocol: 'HTTP', port: 80, defaultPool: null, l7Policies: policies }],
      pools: [{ ...pool, ...ok, healthMonitor: { ...ok, id: 'H1', monitorType: 'HTTP' } }],
    }),
    pool: () => ({ members: (args: Page) => pageOf(members, args) }),
  };
  const { stdout, stderr } = await run('loadbalancers', 'status', 'web');
  expect(stderr).toBe('');
  const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trim());
  expect(lines.filter((line) => line.startsWith('member 192.0.2.'))).toHaveLength(130);
  for (const line of [
    ...[
      'web  ACTIVE  DEGRADED  1 of 2 nodes serve',
      'listener 80 HTTP  ACTIVE  ONLINE',
      'policy old REJECT  ACTIVE  ONLINE',
    ],
    ...['health monitor HTTP  ACTIVE  ONLINE', 'member 192.0.2.129:80  ACTIVE  ERROR  the answer has status 503'],
    'node n1 192.0.2.9  REPLACED  ONLINE',
  ])
    expect(lines).toContain(line);
});

test('all nodes, or one, are replaced; --wait ends when others serve in their place', async () => {
  const old = balancer([], 'SERVING', 'ACTIVE');
  const looks = [old, old, old, balancer([], 'DRAINING', 'ACTIVE')];
  server.answers = {
    ...named,
    loadBalancer: () => (looks.length > 1 ? looks.shift() : looks[0]),
    loadBalancerNodesReplace: () => done('loadBalancer', { id: 'LB1', name: 'web', provisioningStatus: 'ACTIVE' }),
    loadBalancerNodeReplace: () => done('loadBalancerNode', old.nodes[0]),
  };
  const all = await run('loadbalancers', 'failover', 'web', '--wait', '10');
  expect([all.stderr, all.stdout]).toEqual(['', 'the nodes of web are replaced\n']);
  expect(looks).toHaveLength(1);
  const one = await run('nodes', 'replace', 'n1', '--loadbalancer', 'web');
  expect([one.stderr, one.stdout]).toEqual(['', 'n1 is being replaced\n']);
  expect(server.requests.at(-1)).toMatchObject({ input: { id: 'N1' } });
  looks[0] = old;
  const late = await run('loadbalancers', 'failover', 'web', '--wait', '1');
  expect([late.exitCode, late.stderr]).toEqual([
    4,
    expect.stringContaining('1 of 1 nodes of web are not replaced yet'),
  ]);
});

test('a node is shown with its steps; its host only to those who see hosts', async () => {
  const of = balancer(['PLACED', 'MADE']);
  server.answers = { ...named, loadBalancer: () => of, loadBalancerNode: () => of.nodes[0] };
  expect((await run('nodes', 'show', 'n1', '--loadbalancer', 'web')).stdout).toMatch(/^Step MADE +2026-01-31T12/m);
  expect((await run('nodes', 'list', '--loadbalancer', 'web')).stdout).not.toContain('HOST');
  Object.assign(of.nodes[0] ?? {}, { loadBalancerHost: { name: 'host1' } });
  expect((await run('nodes', 'list', '--loadbalancer', 'web')).stdout).toMatch(/HOST.*\n.*host1/);
});

test('of a node that drains, the sessions that are left are told', async () => {
  const stats = { activeConnections: 0, totalRequests: 0, requestErrors: 0, bytesIn: 0, bytesOut: 0 };
  const of = { ...balancer(['PLACED'], 'DRAINING', 'ACTIVE'), stats };
  server.answers = { ...named, loadBalancer: () => of, loadBalancerNode: () => of.nodes[0] };
  const list = async () => (await run('nodes', 'list', '--loadbalancer', 'web')).stdout;
  expect(await list()).toMatch(/^n1 +DRAINING +ONLINE/m);
  Object.assign(of.nodes[0] ?? {}, { sessions: 1 });
  expect(await list()).toMatch(/^n1 +DRAINING, 1 session left +ONLINE/m);
  Object.assign(of.nodes[0] ?? {}, { sessions: 0 });
  const told = [['nodes', 'show', 'n1', '--loadbalancer', 'web'] as const, ['loadbalancers', 'show', 'web'] as const];
  for (const args of told) expect((await run(...args)).stdout).toContain('DRAINING, 0 sessions left');
});

test('decisions of healing and autoscaling are one list, newest first, without those of others', async () => {
  const scaling = { fromNodes: 2, recommendedNodes: 3, reason: 'load is 92 %', dryRun: true, figures: [] };
  const healed = (changedAt: string, name: string, id: string) => ({
    ...{ changedAt, to: 'REPLACE', reason: 'its health checks fail' },
    subject: { __typename: 'LoadBalancerNode', name, loadBalancer: { id } },
  });
  server.answers = {
    ...named,
    loadBalancer: () => ({
      ...{ id: 'LB1', name: 'web', project: { id: 'P' } },
      scalingDecisions: (args: Page) =>
        pageOf([{ ...scaling, decidedAt: '2026-01-31T12:00:01.000Z', action: 'GROW', toNodes: 3 }], args),
    }),
    statusHistory: (args: Page) =>
      pageOf([healed('2026-01-31T12:00:02.000Z', 'n1', 'LB1'), healed('2026-01-31T12:00:03.000Z', 'x1', 'LB2')], args),
  };
  const { stdout, stderr } = await run('loadbalancers', 'decisions', 'web');
  const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '));
  expect([stderr, lines.slice(1)]).toEqual([
    '',
    [
      '2026-01-31T12:00:02.000Z  healing  REPLACE n1  its health checks fail',
      '2026-01-31T12:00:01.000Z  autoscaling  GROW 2 → 3 (dry run)  load is 92 %',
      '',
    ],
  ]);
});

test('a range of nodes is for autoscaling also when it comes later; a policy that there is stays', async () => {
  const made = { ...balancer([], 'SERVING', 'ACTIVE'), autoscaling: null as object | null };
  const policy = { targetPercent: 60, dryRun: false, signal: 'LOAD', schedule: [] };
  server.answers = {
    ...named,
    loadBalancer: () => made,
    loadBalancerUpdate: () => done('loadBalancer', { ...made }),
    autoscalingPolicySet: () => {
      const at = { days: [1, 7], from: '08:00', to: '18:00', minNodes: 4, maxNodes: 5 };
      made.autoscaling = { ...policy, schedule: [at] };
      return done('loadBalancer', made);
    },
  };
  const policies = () => server.requests.filter((each) => 'policy' in ((each.input ?? {}) as object));
  await run('loadbalancers', 'update', 'web', '--nodes', '3');
  expect(policies()).toEqual([]);
  const set = await run('loadbalancers', 'update', 'web', '--nodes', '2..6');
  expect(policies()).toMatchObject([{ input: { loadBalancerId: 'LB1', policy: {} } }]);
  expect([set.stderr, set.stdout]).toEqual(['', expect.stringMatching(/^Autoscaling +for a load of 60 %$/m)]);
  expect(set.stdout).toMatch(/^ +4 to 5 from 08:00 to 18:00 on mon, sun$/m);
  await run('loadbalancers', 'update', 'web', '--nodes', '2..8');
  expect(policies()).toHaveLength(1);
});

test('autoscaling is set anew, and ended', async () => {
  const policy = { targetPercent: 50, dryRun: true, signal: 'LOAD' };
  const made = { id: 'LB1', name: 'web', minNodes: 2, maxNodes: 6 };
  server.answers = {
    ...named,
    autoscalingPolicySet: () => done('loadBalancer', { ...made, autoscaling: policy }),
    autoscalingPolicyDelete: () => done('loadBalancer', { ...made, autoscaling: null }),
  };
  const set = await run('loadbalancers', 'autoscale', 'web', '--target', '50', '--cooldown', '90', '--only-decide');
  expect([set.stderr, set.stdout]).toEqual(['', expect.stringContaining('2 to 6 nodes, for a load of 50 % (dry run')]);
  expect(server.requests.at(-1)).toMatchObject({
    input: { loadBalancerId: 'LB1', policy: { targetPercent: 50, cooldownMs: 90_000, dryRun: true } },
  });
  expect((await run('loadbalancers', 'autoscale', 'web', '--off')).stdout).toBe('web has 2 nodes\n');
  expect(server.requests.at(-1)).toEqual({
    input: { idempotencyKey: expect.any(String), loadBalancerId: 'LB1' },
  });
  const hours = ['--schedule', 'mon-wed,fri@08:00-18:00=4..10', '--schedule', 'sun-mon@22:00-06:00=1..2'];
  await run(
    'loadbalancers',
    'autoscale',
    'web',
    ...hours,
    '--schedule',
    'daily@00:00-00:00=2..3',
    '--time-zone',
    'CET',
  );
  const day = { from: '08:00', to: '18:00', minNodes: 4, maxNodes: 10 };
  expect(server.requests.at(-1)).toMatchObject({
    input: {
      policy: {
        timeZone: 'CET',
        schedule: [
          { ...day, days: [1, 2, 3, 5] },
          { days: [7, 1], from: '22:00', to: '06:00', minNodes: 1, maxNodes: 2 },
          { days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00', minNodes: 2, maxNodes: 3 },
        ],
      },
    },
  });
  for (const wrong of ['monday@08:00-18:00=4..10', 'mon-@08:00-18:00=4..10', 'mon@8-18=4..10', 'mon@08:00-18:00=4']) {
    const told = await run('loadbalancers', 'autoscale', 'web', '--schedule', wrong);
    expect([told.exitCode, told.stderr]).toEqual([64, expect.stringContaining('--schedule takes DAYS@FROM-TO')]);
  }
  const both = await run('loadbalancers', 'autoscale', 'web', '--off', '--target', '50');
  expect([both.exitCode, both.stderr]).toEqual([64, expect.stringContaining('--off takes no other settings')]);
});

test('events name their subjects; what can not be read keeps its id', async () => {
  const change = (subjectType: string, subjectId: string) => ({
    ...{ changedAt: '2026-01-31T12:00:00.000Z', kind: 'x.state', subjectType, subjectId, subjectVersion: 1 },
    ...{ from: null, to: 'ERROR', reason: 'no answer', requestId: null },
  });
  const of = { name: 'web' };
  const subjects: Record<string, object> = {
    N1: { __typename: 'LoadBalancerNode', name: 'n1', loadBalancer: of },
    M1: { __typename: 'PoolMember', name: '', host: '192.0.2.1', port: 80, loadBalancer: of },
    A1: { __typename: 'AutoscalingPolicy', loadBalancer: of },
    B1: { __typename: 'Backend', name: 'fw' },
  };
  const all = [
    ...[change('LoadBalancerNode', 'N1'), change('PoolMember', 'M1'), change('AutoscalingPolicy', 'A1')],
    ...[change('Backend', 'B1'), change('LoadBalancer', 'gone'), change('RelayOperation', 'O1')],
  ];
  server.answers = {
    statusHistory: (args: Page) => pageOf([...all, all[0]], args),
    node: ({ id }: { id: string }) => subjects[id] ?? null,
  };
  const { stdout, stderr } = await run('events', 'list');
  expect(stderr).toBe('');
  const told = stdout.split('\n').map((line) => line.split('  ')[2]);
  expect(told.slice(0, -1)).toEqual(['n1 of web', '192.0.2.1:80 of web', 'web', 'fw', 'gone', 'O1', 'n1 of web']);
  // Each subject was asked for once.
  expect(server.requests.filter(({ id }) => id === 'N1')).toHaveLength(1);
});
