// What administrators give to machines of GSLB: `tidegate machines create` and `machines update`, against a server with the real schema.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

let server: GraphServer;
let told: object[] = [];
const at = '2026-01-31T12:00:00.000Z';
const machine = (name: string, machineRole: string) => ({
  ...{ __typename: 'Machine', id: `M-${name}`, name, machineRole, machineState: 'JOINED', version: 1, createdAt: at },
  ...{ joinedAt: at, expiresAt: at, revokedAt: null },
});
const machines = [
  { ...machine('eu-1', 'CHECKER'), id: 'M-revoked', machineState: 'REVOKED' },
  machine('eu-1', 'CHECKER'),
  machine('ns1', 'DNS'),
];
const take =
  (payload: object) =>
  ({ input: { idempotencyKey: _, ...input } }: { input: Record<string, unknown> }) => {
    told.push(input);
    return { ...payload, userErrors: [], commit: null };
  };

beforeAll(async () => {
  server = await GraphServer.start();
  server.answers = {
    machines: (args: { first: number; after: string | null }) => pageOf(machines, args),
    node: ({ id }: { id: string }) => machines.find((each) => each.id === id) ?? null,
    machineCreate: take({ machine: machines[0], joinToken: 'tgj_token', joinTokenExpiresAt: at }),
    gslbNameServerRecordSet: take({ gslbNameServerRecord: { machine: { id: 'M-ns1' }, addresses: [] } }),
    gslbCheckerRecordSet: take({ gslbCheckerRecord: { machine: { id: 'M-eu-1' }, vantagePointName: 'us' } }),
  };
});
beforeEach(() => {
  told = [];
  server.requests.length = 0;
});
afterAll(() => server.stop());
const run = (...args: string[]) =>
  runCommand(['machines', ...args, '--url', server.url], { env: { TIDEGATE_TOKEN: goodToken } });

test('a checker is created with its vantage point, and gets another one', async () => {
  expect(await run('create', 'eu-1', '--role', 'checker', '--vantage-point', 'eu')).toMatchObject({ exitCode: 0 });
  expect(await run('update', 'eu-1', '--vantage-point', 'us')).toMatchObject({
    exitCode: 0,
    stdout: 'eu-1 votes for us once its setting checker.vantagePoint says so too\n',
  });
  expect(told).toEqual([
    { name: 'eu-1', machineRole: 'CHECKER', gslbChecker: { vantagePoint: 'eu' } },
    { machineId: 'M-eu-1', vantagePoint: 'us' },
  ]);
  for (const more of [[], ['--vantage-point', 'us', '--address', '198.51.100.53']])
    expect(await run('update', 'eu-1', ...more)).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('either --vantage-point'),
    });
});

test('a name server is created with its addresses, and gets others', async () => {
  const [one, other] = ['198.51.100.53', '2001:db8::53'];
  const created = await run('create', 'ns1', '--role', 'dns', '--address', one, '--address', other);
  expect(created).toMatchObject({ exitCode: 0, stdout: 'tgj_token\n' });
  expect(await run('update', 'ns1', '--address', other)).toMatchObject({
    exitCode: 0,
    stdout: `zones publish those of ${other} at which ns1 answers\n`,
  });
  expect(told).toEqual([
    { name: 'ns1', machineRole: 'DNS', gslbNameServer: { addresses: [one, other] } },
    { machineId: 'M-ns1', addresses: [other] },
  ]);
});

test("a machine of another team's subgraph is created with the subgraph's name", async () => {
  const created = await run('create', 'rack-1', '--role', 'subgraph', '--subgraph', 'inventory');
  expect(created).toMatchObject({ exitCode: 0, stdout: 'tgj_token\n' });
  expect(told).toEqual([{ name: 'rack-1', machineRole: 'SUBGRAPH', outsideSubgraph: { name: 'inventory' } }]);
});

test('a machine is found by its name, unless it is revoked, or by its id, in one request', async () => {
  for (const [given, id] of [
    ['eu-1', 'M-eu-1'],
    ['M-ns1', 'M-ns1'],
    ['M-revoked', 'M-revoked'],
  ] as const) {
    const { stdout } = await run('show', given, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ id });
  }
  expect(await run('show', 'us-1')).toMatchObject({ exitCode: 1, stderr: "tidegate: there is no machine 'us-1'\n" });
  // The last one looks for near names, too.
  expect(server.requests.filter(({ names }) => names !== undefined)).toEqual(
    ['eu-1', 'M-ns1', 'M-revoked', 'us-1'].map((given) => ({ id: given, names: [given], first: 100, after: null })),
  );
});
