// `tidegate clusters`, `options` and `access-keys`, against a server with the real schema.
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

const at = '2026-01-31T12:00:00.000Z';
const service = (role: string, name: string, more: object = {}) => ({
  ...{ role, name, ready: true, drained: false, message: null, version: '0.1.0', ...more },
});
const cluster = (name: string, number: number) => ({
  ...{ __typename: 'ObjectCluster', id: `C${number}`, name, number, zone: name, weight: 100, site: null, version: 1 },
  ...{
    clusterState: 'ACTIVE',
    presence: number === 0 ? 'PRESENT' : 'ABSENT',
    createdAt: at,
    peerUrls: ['https://n.example:7443'],
  },
  ...{ controllerUrls: [], s3Urls: ['https://s3.n.example'] },
  controllers: [
    {
      ...{
        name: `${name}-1`,
        presence: 'PRESENT',
        heardAt: at,
        version: '0.1.0',
        behindDocuments: 2,
        clockAheadMs: 12,
      },
      rings: [{ number: 0, epoch: 3 }],
      links: [{ number: 1, connected: true, behindPartitions: 7, lagMs: 250, cluster: { name: 'south' } }],
      services: [
        service('objectserver', 's1', { ready: false, message: 'no database' }),
        service('objectserver', 's2', {
          ready: false,
          drained: true,
          message: 'it is drained, and serves no users',
        }),
        service('objectcontroller', 's2'),
      ],
      disk: { usedBytes: 1.5e9, totalBytes: 4e9 },
    },
  ],
});
const clusters = [cluster('north', 0), cluster('south', 1)];
const here = {
  objectClusters: (args: Page) => pageOf(clusters, args),
  objectCluster: ({ id }: { id: string }) => clusters.find((each) => each.id === id) ?? null,
};
const done = (value: object) => ({ ...value, userErrors: [], commit: null });
const inputs = () => server.requests.flatMap(({ input }) => (input === undefined ? [] : [input]));

test('clusters are listed, and shown with what their controllers see', async () => {
  server.answers = here;
  const list = await run('clusters', 'list');
  expect([list.exitCode, list.stderr]).toEqual([0, '']);
  expect(list.stdout).toMatch(/^north +0 +ACTIVE +north +100 +https:\/\/s3\.n\.example +-$/m);
  expect(list.stdout).toMatch(/^south +1 +ACTIVE not heard/m);
  const { exitCode, stdout } = await run('clusters', 'show', 'north');
  expect(exitCode).toBe(0);
  for (const line of [
    ...[/^Cluster +north \(number 0\)$/m, /^Controller +north-1$/m, /^Lacks +2 documents$/m, /^Clock +12 ms ahead$/m],
    ...[/^Rings +0:3$/m, /^Disk +1\.5 of 4\.0 GB$/m, /^south +connected +7 +250 ms$/m],
    /^objectserver +s1 +not ready: no database +0\.1\.0$/m,
    /^objectserver +s2 +drained: it is drained, and serves no users +0\.1\.0$/m,
    /^objectcontroller +s2 +ready +0\.1\.0$/m,
  ])
    expect(stdout).toMatch(line);
  const lag = await run('clusters', 'lag');
  expect(lag.stdout).toMatch(/^north +south +connected +7 +250 ms$/m);
  const none = await run('clusters', 'show', 'west');
  expect([none.exitCode, none.stderr]).toEqual([1, "tidegate: there is no cluster 'west'\n"]);
});

test('a cluster is added with a token for its controller, changed and removed', async () => {
  server.answers = {
    ...here,
    objectClusterCreate: () => done({ objectCluster: cluster('west', 2) }),
    machineCreate: () => done({ joinToken: 'tgj_token', joinTokenExpiresAt: at }),
    objectClusterUpdate: () => done({ objectCluster: cluster('north', 0) }),
    objectClusterDelete: () => done({ deletedId: 'C1' }),
    objectRings: (args: Page) => pageOf([], args),
  };
  const given = [
    '--zone',
    'attic',
    '--weight',
    '50',
    '--peer-url',
    'https://a.example',
    '--peer-url',
    'https://b.example',
  ];
  const added = await run('clusters', 'add', 'west', ...given);
  expect([added.exitCode, added.stdout]).toEqual([0, 'tgj_token\n']);
  expect(added.stderr).toContain('west is cluster 2.');
  expect((await run('clusters', 'update', 'north', '--state', 'draining', '--rename', 'nord')).exitCode).toBe(0);
  expect((await run('clusters', 'remove', 'south')).stdout).toContain('south is removed');
  expect(inputs()).toMatchObject([
    { name: 'west', zone: 'attic', weight: 50, peerUrls: ['https://a.example', 'https://b.example'] },
    { name: 'west', machineRole: 'OBJECTCONTROLLER' },
    { id: 'C0', name: 'nord', clusterState: 'DRAINING' },
    { id: 'C1' },
  ]);
  expect(inputs()[0]).not.toHaveProperty('s3Urls');
  const refused = { code: 'INVALID_INPUT', message: 'no authority', field: [], retry: 'NEW_KEY', retryAfterMs: null };
  server.answers = {
    ...server.answers,
    machineCreate: () => ({ joinToken: null, joinTokenExpiresAt: null, commit: null, userErrors: [refused] }),
  };
  const without = await run('clusters', 'add', 'west');
  expect([without.exitCode, without.stdout]).toEqual([1, '']);
  expect(without.stderr).toContain('the cluster west is added, but no token was made');
  expect(without.stderr).toContain('tidegate machines create west-1 --role objectcontroller');
});

test('a service of a cluster is drained, serves again and is forgotten, by its name and, where several have it, its role', async () => {
  server.answers = {
    ...here,
    objectServiceDrain: () => done({ objectCluster: clusters[0] }),
    objectServiceUndrain: () => done({ objectCluster: clusters[0] }),
    objectServiceRemove: () => done({ objectCluster: clusters[0] }),
  };
  const drained = await run('clusters', 'drain-service', 'north', 's1');
  expect([drained.exitCode, drained.stdout]).toEqual([
    0,
    'objectserver s1 is drained: users are served by the others\n',
  ]);
  const again = await run('clusters', 'drain-service', 'north', 's2', '--role', 'objectcontroller', '--undo');
  expect(again.stdout).toBe('objectcontroller s2 serves users again\n');
  expect((await run('clusters', 'remove-service', 'north', 's1')).stdout).toBe('objectserver s1 is forgotten\n');
  expect(inputs()).toMatchObject([
    { clusterId: 'C0', role: 'objectserver', name: 's1' },
    { clusterId: 'C0', role: 'objectcontroller', name: 's2' },
    { clusterId: 'C0', role: 'objectserver', name: 's1' },
  ]);
  const both = await run('clusters', 'drain-service', 'north', 's2');
  expect([both.exitCode, both.stderr]).toEqual([
    64,
    expect.stringContaining('--role objectserver or objectcontroller'),
  ]);
  const none = await run('clusters', 'remove-service', 'north', 's3');
  expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("no such service 's3'")]);
});

test('options are listed and changed, with clusters by name', async () => {
  const option = {
    ...{ __typename: 'ObjectOption', id: 'O1', number: 1, name: 'usual', replicas: 3, default: true },
    ...{ nearestReads: false, clusters: [], ring: { epoch: 2, replicas: 2 }, ending: false, endingReason: null },
  };
  const ending = { ...option, id: 'O3', name: 'o3', ending: true, endingReason: 'north is not heard' };
  let left = [option, { ...option, name: 'o2', clusters: null, ring: null }, ending];
  server.answers = {
    ...here,
    objectOptions: (args: Page) => pageOf(left, args),
    objectOption: ({ id }: { id: string }) => left.find((each) => each.id === id) ?? null,
    objectOptionCreate: () => done({ objectOption: option }),
    objectOptionUpdate: () => done({ objectOption: option }),
    objectOptionDelete: () => done({ objectOption: null, deletedId: 'O1' }),
    objectOptionDeleteCancel: () => done({ objectOption: option }),
  };
  const list = await run('options', 'list');
  expect(list.stdout).toMatch(/^usual +1 +3 +default +newest +all +epoch 2, 2 replicas$/m);
  expect(list.stdout).toMatch(/^o2 .* - +-$/m);
  expect(list.stdout).toMatch(/^o3 .* 2 replicas; is being deleted: north is not heard$/m);
  const made = await run('options', 'create', 'small', '--replicas', '2', '--cluster', 'south', '--nearest-reads');
  expect([made.exitCode, made.stdout]).toEqual([0, 'usual has ring 1\n']);
  expect((await run('options', 'update', 'usual', '--as-default')).exitCode).toBe(0);
  expect((await run('options', 'keep', 'o3')).stdout).toBe('o3 is kept\n');
  expect((await run('options', 'delete', 'usual')).stdout).toBe('usual is deleted\n');
  expect(inputs()).toMatchObject([
    { name: 'small', replicas: 2, clusterIds: ['C1'], nearestReads: true },
    { id: 'O1', default: true },
    { id: 'O3' },
    { id: 'O1' },
  ]);
  expect((await run('options', 'create', 'x', '--cluster', 'west')).stderr).toContain("there is no cluster 'west'");
  server.answers = { ...server.answers, objectOptionDelete: () => done({ objectOption: ending }) };
  expect((await run('options', 'delete', 'o3')).stdout).toContain('o3 is being deleted');
  const waited = await run('options', 'delete', 'o3', '--wait', '1');
  expect([waited.exitCode, waited.stderr]).toEqual([4, expect.stringContaining('north is not heard')]);
  const kept = { ...ending, ending: false, endingReason: 'the container a/b has it' };
  server.answers = {
    ...server.answers,
    objectOptionDelete: () => {
      left = [option, kept];
      return done({ objectOption: ending });
    },
  };
  const refused = await run('options', 'delete', 'o3', '--wait', '5');
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('the container a/b has it')]);
  server.answers = {
    ...server.answers,
    objectOptionDelete: () => {
      left = [option];
      return done({ objectOption: ending });
    },
  };
  expect((await run('options', 'delete', 'o3', '--wait', '5')).stdout).toBe('o3 is deleted\n');
});

test('an access key is printed once as clients read it, and revoked by its own name', async () => {
  const key = {
    ...{ __typename: 'ObjectAccessKey', id: 'K1', accessKeyId: 'TGAAAA', name: 'backup', canWrite: false },
    ...{ createdAt: at, revokedAt: null, project: { name: 'default' } },
  };
  server.answers = {
    projects: (args: Page) => pageOf([{ id: 'P1', name: 'default' }], args),
    objectAccessKeys: (args: Page) => pageOf([key], args),
    objectAccessKeyCreate: () => done({ objectAccessKey: key, secret: 'shown once' }),
    objectAccessKeyRevoke: () => done({ objectAccessKey: key }),
  };
  const made = await run('access-keys', 'create', 'backup', '--read-only', '--project', 'default');
  expect(made.stdout).toBe('AWS_ACCESS_KEY_ID=TGAAAA\nAWS_SECRET_ACCESS_KEY=shown once\n');
  expect((await run('access-keys', 'list')).stdout).toMatch(/^TGAAAA +backup +default +read +2026\S+ +works$/m);
  expect((await run('access-keys', 'revoke', 'TGAAAA')).stdout).toBe('TGAAAA is revoked\n');
  expect((await run('access-keys', 'revoke', 'TGB')).stderr).toContain("there is no access key 'TGB'");
  expect(inputs()).toMatchObject([{ name: 'backup', canWrite: false, projectId: 'P1' }, { id: 'K1' }]);
});
