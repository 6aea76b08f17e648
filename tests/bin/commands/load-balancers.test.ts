// `tidegate loadbalancers` and the nouns of its parts, against a server with the real schema.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
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
  ...{ id: 'P1', name: 'default', protocol: 'HTTP', algorithm: 'ROUND_ROBIN' },
  ...{ operatingStatus: 'ONLINE', statusMessage: null },
};
const balancer = (steps: readonly string[], state = 'BUILDING', provisioningStatus = 'PENDING') => ({
  ...{ id: 'LB1', name: 'web', description: '', tags: [], hostName: 'web.default.lb.test', addresses: [] },
  ...{ urls: ['http://web.default.lb.test/'], topology: 'SPREAD', enabled: true, minNodes: 2, maxNodes: 6 },
  ...{ wantedNodes: 2, generation: 1, provisioningStatus, provisioningReason: null, operatingStatus: 'ONLINE' },
  ...{ statusMessage: null, listeners: [], pools: [pool] },
  nodes: [
    {
      ...{ id: 'N1', name: 'n1', state, reason: null, address: '192.0.2.9', appliedGeneration: 1 },
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
    ...['--check', 'http:/', '--nodes', '2..6', '--cmp', 'tenant/42'],
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
        cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
      },
      listeners: [{ protocol: 'HTTP', port: 80, defaultPool: 'default' }],
      pools: [
        {
          ...{ name: 'default', protocol: 'HTTP', healthMonitor: { type: 'HTTP', path: '/' } },
          members: [
            { host: '192.0.2.10', port: 80 },
            { host: '2001:db8::1', port: 80 },
          ],
        },
      ],
    },
  });
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
  [['--nodes', '2-6'], '--nodes takes a number or MIN..MAX'],
  [['--cmp', 'tenant'], "'tenant' is not TYPE/ID"],
])('wrong use is told: %s', async (args, message) => {
  const { exitCode, stderr } = await run('loadbalancers', 'create', 'web', ...args);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
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
    ...{ provisioningStatus: 'ACTIVE', operatingStatus: 'ONLINE', statusMessage: null },
  };
  server.answers = {
    ...named,
    loadBalancer: () => balancer([], 'SERVING', 'ACTIVE'),
    pool: () => ({ members: (args: Page) => pageOf([member], args) }),
    memberDrain: () => done('member', { ...member, operatingStatus: 'DRAINING' }),
  };
  const listed = await run('members', 'list', '--pool', 'web');
  expect(listed.stdout).toMatch(/^192\.0\.2\.10:80 +1 +ACTIVE +ONLINE/m);
  const drained = await run('members', 'drain', '192.0.2.10:80', '--pool', 'web/default', '--deadline', '5');
  expect([drained.exitCode, drained.stdout]).toEqual([0, expect.stringMatching(/Operating +DRAINING/)]);
  expect(server.requests.at(-1)).toMatchObject({ input: { id: 'M1', deadlineMs: 5_000, drain: true } });
  const missing = await run('members', 'delete', '192.0.2.11:80', '--pool', 'web');
  expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining("no member '192.0.2.11:80'")]);
});

test('listeners are named by port; a pool that is not there is told', async () => {
  server.answers = {
    ...named,
    loadBalancer: () => balancer([], 'SERVING', 'ACTIVE'),
    listenerCreate: () => done('listener', { id: 'L1', port: 443, protocol: 'TERMINATED_HTTPS' }),
  };
  const options = ['--loadbalancer', 'web', '--protocol', 'terminated_https', '--tls-certificate', 'C1'];
  const { exitCode, stdout } = await run('listeners', 'create', '443', ...options, '--default-pool', 'default');
  expect([exitCode, stdout]).toEqual([0, 'web listens at port 443\n']);
  expect(server.requests.at(-1)).toMatchObject({
    input: {
      loadBalancerId: 'LB1',
      port: 443,
      protocol: 'TERMINATED_HTTPS',
      certificateIds: ['C1'],
      defaultPoolId: 'P1',
    },
  });
  const other = await run('listeners', 'create', '80', '--loadbalancer', 'web', '--default-pool', 'none');
  expect(other.stderr).toContain("there is no pool 'none' in 'web'");
});
