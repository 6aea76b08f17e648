// `tidegate cmp-objects show`: a section for each subgraph; one that is unavailable does not affect the others.
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
const show = (...args: string[]) => runCommand(['cmp-objects', 'show', ...args, '--url', server.url], { env });

const cmpObject = { namespace: 'default', type: 'tenant', externalId: '42' };
const mapping = (id: string) => ({
  ...{
    id,
    mappingState: 'ACTIVE',
    mappingRole: '',
    resource: 'rule',
    scope: 'inet filter forward',
    objectKey: `key-${id}`,
    uuid: null,
  },
  ...{
    shared: false,
    wantedSettings: null,
    createdAt: '2026-01-31T12:00:00.000Z',
    updatedAt: '2026-01-31T12:00:00.000Z',
  },
  ...{ backend: { id: 'id-fw', name: 'fw' }, cmpObject, lastVerification: null },
});
const balancer = {
  id: 'lb',
  name: 'web',
  urls: ['http://web.test/'],
  provisioningStatus: 'ACTIVE',
  operatingStatus: 'ONLINE',
};
const gslb = { id: 'g', fqdn: 'shop.test', policy: 'GEO', provisioningStatus: 'ACTIVE', operatingStatus: 'UNKNOWN' };
const container = {
  ...{ id: 'c', name: 'photos', option: { name: 'standard' }, createdAt: '2026-01-31T12:00:00.000Z' },
  project: { name: 'default' },
};
const operation = {
  ...{ id: 'op-1', name: 'rule.create', state: 'SUCCEEDED', createdAt: '2026-01-31T12:00:00.000Z', finishedAt: null },
  ...{
    quietUntil: null,
    stateSource: null,
    settledBy: null,
    requestedBy: { name: 'cmp', kind: 'API_TOKEN' },
    wireCall: null,
    backend: { name: 'fw' },
    cmpObject,
  },
  ...{ deviceError: null, evidence: [] },
};

test('shows everything that it became, and the newest calls for it', async () => {
  const all = Array.from({ length: 150 }, (_, index) => mapping(`m${index}`));
  server.answers = {
    cmpObject: () => ({
      mappings: (args: Page) => pageOf(all, args),
      relayOperations: () => ({ nodes: [operation] }),
      loadBalancers: (args: Page) => pageOf([balancer], args),
      gslbs: (args: Page) => pageOf([gslb], args),
      objectContainers: (args: Page) => pageOf([container], args),
    }),
  };
  const { exitCode, stdout } = await show('tenant/42');
  expect(exitCode).toBe(0);
  const [title, , section, head] = stdout.split('\n');
  expect([title, section]).toEqual(['tenant/42', 'relay']);
  expect(head).toMatch(/^ {2}ID +FOR +BACKEND/);
  expect(stdout).toMatch(/^ {2}m149 +tenant\/42 +fw +rule +inet filter forward +key-m149 +ACTIVE/m);
  expect(stdout).toMatch(/^ {2}op-1 +2026\S+ +fw +rule\.create +SUCCEEDED +tenant\/42 +cmp \(API token\)$/m);
  expect(stdout).toMatch(/^loadbalancer\n {2}NAME .*\n {2}web +ACTIVE +ONLINE +http:\/\/web\.test\/$/m);
  expect(stdout).toMatch(/^gslb\n {2}NAME .*\n {2}shop\.test +GEO +ACTIVE +UNKNOWN$/m);
  expect(stdout).toMatch(/^object-storage\n {2}CONTAINER .*\n {2}photos +default +standard +2026\S+$/m);
  const json = JSON.parse((await show('tenant/42', '--json')).stdout) as { relay: Record<string, unknown[]> };
  expect(json).toMatchObject({ ...cmpObject, relay: { operations: [{ id: 'op-1' }] } });
  expect(json.relay.mappings).toHaveLength(150);
});

test("another CMP's object, and one that has become nothing yet", async () => {
  server.answers = {
    cmpObject: () => ({
      mappings: (args: Page) => pageOf([], args),
      relayOperations: () => ({ nodes: [] }),
      loadBalancers: (args: Page) => pageOf([], args),
      gslbs: (args: Page) => pageOf([], args),
      objectContainers: (args: Page) => pageOf([], args),
    }),
  };
  const { exitCode, stdout } = await show('east:tenant/a/42');
  expect([exitCode, stdout]).toEqual([
    0,
    'east:tenant/a/42\n\nrelay\n  no backend object\n\nloadbalancer\n  no load balancer\n\ngslb\n  no GSLB\n\nobject-storage\n  no container\n',
  ]);
  expect(server.requests[0]).toMatchObject({ namespace: 'east', type: 'tenant', externalId: 'a/42' });
});

test('an unavailable subgraph is reported with exit code 1; one that is not in the graph is not a failure', async () => {
  server.answers = { cmpObject: () => null };
  const away = await show('tenant/42');
  expect([away.exitCode, away.stderr]).toEqual([
    1,
    'tidegate: incomplete: relay, loadbalancer, gslb, object-storage gave no answer\n',
  ]);
  expect(away.stdout).toContain('relay\n  no answer');
  const failing = (code: string) => () => {
    throw Object.assign(new Error('the relay is away'), { extensions: { code } });
  };
  server.answers = { cmpObject: failing('SUBGRAPH_UNAVAILABLE') };
  expect((await show('tenant/42')).stdout).toContain('relay\n  SUBGRAPH_UNAVAILABLE: the relay is away');
  server.answers = { cmpObject: failing('GRAPHQL_VALIDATION_FAILED') };
  const leftOut = await show('tenant/42');
  expect([leftOut.exitCode, leftOut.stdout]).toEqual([0, expect.stringContaining('not part of this deployment')]);
  server.answers = { cmpObject: failing('FORBIDDEN') };
  expect((await show('tenant/42')).exitCode).toBe(1);
});
