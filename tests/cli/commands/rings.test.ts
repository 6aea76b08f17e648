// `tidegate rings`, and the removal of a cluster that holds something, against a server with the real schema.
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
const inputs = () => server.requests.flatMap(({ input }) => (input === undefined ? [] : [input]));

const at = '2026-01-31T12:00:00.000Z';
const south = { name: 'south' };
const ring = (number: number, partitions: number) => ({
  ...{ __typename: 'ObjectRing', id: `R${number}`, number, epoch: 3, replicas: 3, createdAt: at },
  clusters: [
    { number: 0, weight: 100, zone: 'a', partitions: 4096, cluster: { name: 'north' } },
    { number: 1, weight: 100, zone: 'b', partitions, cluster: south },
  ],
});
const progress = {
  number: 1,
  partitions: 100,
  left: 7,
  movedBytes: 12,
  message: 'cluster 0: it is away',
  cluster: south,
};
const change = (state: string) => ({
  ...{
    __typename: 'ObjectRingChange',
    id: 'H1',
    number: 1,
    version: 1,
    state,
    stepCount: 2,
    stepsDone: 1,
    movedPercent: 25,
  },
  ...{ recoveredNumber: null, createdAt: at, finishedAt: state === 'RUNNING' ? null : at },
  gaining: state === 'RUNNING' ? [progress] : [],
});
const cluster = (clusterState: string) => ({
  ...{
    __typename: 'ObjectCluster',
    id: 'C1',
    name: 'south',
    number: 1,
    zone: 'b',
    weight: 100,
    site: null,
    version: 1,
  },
  ...{
    clusterState,
    presence: 'PRESENT',
    createdAt: at,
    peerUrls: [],
    controllerUrls: [],
    s3Urls: [],
    controllers: [],
  },
});
const done = (value: object) => ({ ...value, userErrors: [], commit: null });
const preview = (stepCount: number) => ({
  ...{ stepCount, movedPercent: stepCount * 12.5, ring: ring(1, 100) },
  shares: [{ number: 1, partitionsNow: 100, partitionsThen: 1024, cluster: south }],
});
const here = {
  objectClusters: (args: Page) => pageOf([cluster('ACTIVE')], args),
  objectCluster: ({ id }: { id: string }) => [cluster('ACTIVE')].find((each) => each.id === id) ?? null,
  objectOptions: (args: Page) => pageOf([{ __typename: 'ObjectOption', id: 'O1', number: 1, name: 'usual' }], args),
  objectRings: (args: Page) => pageOf([ring(0, 0), ring(1, 100)], args),
  objectRingChanges: (args: Page) => pageOf([], args),
  objectRingChangePreview: ({ number }: { number: number }) => preview(number),
  objectRingChangeStart: () => done({ objectRingChange: change('RUNNING') }),
  objectRingChange: () => change('SUCCEEDED'),
};

test('rings are listed, and what a change would move', async () => {
  server.answers = here;
  const list = await run('rings', 'list');
  expect([list.exitCode, list.stderr]).toEqual([0, '']);
  expect(list.stdout).toMatch(/^core +0 +3 +3 +north:4096 south:0$/m);
  expect(list.stdout).toMatch(/^usual +1 +3 +3 +north:4096 south:100$/m);
  const seen = await run('rings', 'preview', 'usual');
  expect(seen.stdout).toContain('ring usual: 1 step, 12.5 % of the replicas move');
  expect(seen.stdout).toMatch(/^south +100 +1024$/m);
  expect((await run('rings', 'preview', 'core')).stdout).toContain('nothing would move');
  const none = await run('rings', 'preview', 'other');
  expect([none.exitCode, none.stderr]).toEqual([
    1,
    "tidegate: there is no ring 'other': it is core, or the name of an option (tidegate rings list)\n",
  ]);
});

test('all that are not as wanted are changed; one is watched, paused and cancelled', async () => {
  server.answers = here;
  expect((await run('rings', 'change')).stdout).toBe('ring usual changes: tidegate rings changes\n');
  expect((await run('rings', 'change', 'usual', '--wait', '5')).stdout).toBe('ring usual is changed\n');
  expect((await run('rings', 'change', 'core', '--recover', 'south')).exitCode).toBe(0);
  expect(inputs()).toMatchObject([{ number: 1 }, { number: 1 }, { number: 0, recoveredClusterId: 'C1' }]);
  expect((await run('rings', 'pause', 'usual')).stderr).toContain('ring usual does not change');
  server.answers = {
    ...here,
    objectRingChanges: (args: Page) => pageOf([change('RUNNING'), change('SUCCEEDED')], { ...args, after: null }),
    objectRingChangePause: () => done({ objectRingChange: change('PAUSED') }),
    objectRingChangeCancel: () => done({ objectRingChange: change('CANCELLED') }),
  };
  const shown = await run('rings', 'changes');
  expect(shown.stdout).toContain('1 of 2 steps; south lacks 7 partitions (cluster 0: it is away)');
  expect((await run('rings', 'pause', 'usual')).stdout).toBe('the change of ring usual is paused\n');
  expect((await run('rings', 'cancel', '1')).stdout).toBe('the change of ring 1 is cancelled\n');
  server.answers = { ...server.answers, objectRingChange: () => change('RUNNING') };
  const late = await run('rings', 'change', 'usual', '--wait', '1');
  expect([late.exitCode, late.stderr]).toEqual([4, expect.stringContaining('south lacks 7 partitions')]);
});

test('a cluster that holds something is emptied first', async () => {
  server.answers = {
    ...here,
    objectClusterUpdate: () => done({ objectCluster: cluster('DRAINING') }),
    objectClusterDelete: () => done({ deletedId: 'C1' }),
  };
  expect((await run('clusters', 'remove', 'south')).stdout).toContain('south is being emptied');
  expect(inputs()).toMatchObject([{ id: 'C1', clusterState: 'DRAINING' }, { number: 1 }]);
  server.requests.length = 0;
  expect((await run('clusters', 'remove', 'south', '--wait', '5')).stdout).toContain('south is removed');
  expect(inputs()).toMatchObject([{ id: 'C1', clusterState: 'DRAINING' }, { number: 1 }, { id: 'C1' }]);
});
