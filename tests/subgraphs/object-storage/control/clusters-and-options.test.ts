// The desired clusters and options, and the rings that follow from them, through the graph on a real database.
import { expect, test } from '@jest/globals';
import { clustersOfPartition, partitionCount, type Ring } from '../../../../platform/rings/ring.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import { presentRings } from '../../../../subgraphs/object-storage/control/stores/ring-store.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { ControlGraph, identity } from '../support/control-graph.ts';

const graph = forTest(() => ControlGraph.open());

const ring = async (number: number) => {
  const found = (await presentRings(graph.db, [number])).get(number);
  if (found === undefined) throw new Error(`no ring ${number}`);
  return found;
};

const numbersIn = ({ clusters }: Ring) => [...new Set(clusters)].sort();

test('a cluster has a number that is never reused, and the core ring follows', async () => {
  const north = await graph.make('objectClusterCreate', { name: 'north' });
  expect(await ring(0)).toMatchObject({ epoch: 1, replicas: 1, members: [{ cluster: 0, weight: 100, zone: 'north' }] });
  const south = await graph.make('objectClusterCreate', { name: 'south' });
  await graph.make('objectClusterDelete', { id: south });
  const { entity } = await graph.mutate('objectClusterCreate', { name: 'south', zone: 'attic' }, '{ id number zone }');
  expect(entity).toMatchObject({ number: 2, zone: 'attic' });
  const core = await ring(0);
  expect([core.epoch, core.replicas, numbersIn(core)]).toEqual([4, 2, [0, 2]]);
  const shown = await graph.ask(
    `{ objectClusters { nodes { name number clusterState } }
      objectRings { nodes { number epoch clusters { number partitions cluster { name } } clustersOf(partition: 4095) { number } none: clustersOf(partition: 4096) { number } } } }`,
  );
  expect(shown).toEqual({
    objectClusters: {
      nodes: [
        { name: 'north', number: 0, clusterState: 'ACTIVE' },
        { name: 'south', number: 2, clusterState: 'ACTIVE' },
      ],
    },
    objectRings: {
      nodes: [
        {
          ...{
            number: 0,
            epoch: 4,
            none: null,
            clustersOf: clustersOfPartition(core, 4_095).map((number) => ({ number })),
          },
          clusters: [
            { number: 0, partitions: partitionCount, cluster: { name: 'north' } },
            { number: 2, partitions: partitionCount, cluster: { name: 'south' } },
          ],
        },
      ],
    },
  });
  const page = await graph.ask<{ objectClusters: { pageInfo: { endCursor: string } } }>(
    '{ objectClusters(first: 1) { nodes { id } pageInfo { endCursor hasNextPage } totalCount } }',
  );
  expect(page).toMatchObject({
    objectClusters: { nodes: [{ id: north }], pageInfo: { hasNextPage: true }, totalCount: 2 },
  });
});

test('addresses of a cluster are origins, and are stored in canonical form', async () => {
  const input = {
    name: 'north',
    peerUrls: ['https://NORTH.example:7443/', 'https://[2001:db8::1]:7443'],
    s3Urls: ['http://north.example:80'],
  };
  const { entity } = await graph.mutate('objectClusterCreate', input, '{ peerUrls s3Urls controllerUrls }');
  expect(entity).toEqual({
    peerUrls: ['https://north.example:7443', 'https://[2001:db8::1]:7443'],
    s3Urls: ['http://north.example'],
    controllerUrls: [],
  });
  const refused = async (given: object) => (await graph.mutate('objectClusterCreate', { name: 'x', ...given })).faults;
  for (const url of [
    ...['http://a.example', 'https://a.example/path', 'https://u@a.example', 'https://a.example?', 'ftp://a', 'a'],
    ...['https://a.example#', `https://${'a'.repeat(300)}.example`, ''],
  ])
    expect([url, await refused({ peerUrls: [url] })]).toEqual([url, ['INVALID_INPUT input.peerUrls.0']]);
  expect(await refused({ s3Urls: Array(9).fill('https://a.example') })).toEqual([
    'TOO_LONG input.s3Urls',
    'INVALID_INPUT input.s3Urls',
  ]);
  expect(await refused({ name: 'North', zone: '-', weight: 0, site: '\u0000' })).toEqual([
    ...[
      'INVALID_INPUT input.name',
      'INVALID_INPUT input.zone',
      'INVALID_INPUT input.weight',
      'INVALID_INPUT input.site',
    ],
  ]);
  expect(await refused({ name: 'north' })).toEqual(['ALREADY_EXISTS input.name']);
});

test('an option has a ring of its chosen clusters', async () => {
  const [north, south, east] = [
    await graph.make('objectClusterCreate', { name: 'north' }),
    await graph.make('objectClusterCreate', { name: 'south' }),
    await graph.make('objectClusterCreate', { name: 'east', weight: 50 }),
  ];
  const usual = await graph.make('objectOptionCreate', { name: 'optimize_big' });
  const small = await graph.make('objectOptionCreate', {
    ...{ name: 'small', replicas: 2, clusterIds: [north, east, north], nearestReads: true },
  });
  const text = `{ objectOptions { nodes { name number replicas default nearestReads clusters { name } ring { epoch replicas } } } }`;
  expect(await graph.ask(text)).toEqual({
    objectOptions: {
      nodes: [
        {
          ...{ name: 'optimize_big', number: 1, replicas: 3, default: true, nearestReads: false, clusters: [] },
          ring: { epoch: 1, replicas: 3 },
        },
        {
          ...{ name: 'small', number: 2, replicas: 2, default: false, nearestReads: true },
          ...{ clusters: [{ name: 'north' }, { name: 'east' }], ring: { epoch: 1, replicas: 2 } },
        },
      ],
    },
  });
  expect(numbersIn(await ring(2))).toEqual([0, 2]);
  // A cluster that is added, or whose weight changes, updates the rings that should contain it.
  await graph.make('objectClusterCreate', { name: 'west' });
  expect([(await ring(1)).epoch, (await ring(2)).epoch, numbersIn(await ring(1))]).toEqual([2, 1, [0, 1, 2, 3]]);
  await graph.make('objectClusterUpdate', { id: south, weight: 200 });
  expect([(await ring(0)).epoch, (await ring(1)).epoch, (await ring(2)).epoch]).toEqual([5, 3, 1]);
  await graph.make('objectClusterUpdate', { id: south, name: 'sud' });
  expect((await ring(1)).epoch).toBe(3);
  await graph.make('objectOptionUpdate', { id: small, clusterIds: [south], default: true });
  expect([(await ring(2)).epoch, numbersIn(await ring(2))]).toEqual([2, [1]]);
  expect(await graph.ask(`{ objectOption(id: "${usual}") { default version } }`)).toEqual({
    objectOption: { default: false, version: 2 },
  });
  // A user who is not an administrator sees options, and nothing of clusters.
  const member = identity('MEMBER');
  const seen = await graph.ask(
    ...([
      `{ objectOption(id: "${small}") { name replicas clusters { id } ring { id } } objectCluster(id: "${north}") { id } }`,
      {},
      member,
    ] as const),
  );
  expect(seen).toEqual({
    objectOption: { name: 'small', replicas: 2, clusters: null, ring: null },
    objectCluster: null,
  });
  await expect(graph.ask('{ objectClusters { nodes { id } } }', {}, member)).rejects.toThrow('FORBIDDEN');
  const { faults } = await graph.mutate('objectClusterCreate', { name: 'mine' }, '{ id }', member);
  expect(faults).toEqual(['FORBIDDEN ']);
});

test("a cluster in use can't be deleted, and the refusal gives the reason", async () => {
  expect((await graph.mutate('objectOptionCreate', { name: 'early' })).told).toMatchObject([
    { code: 'WRONG_STATE', message: expect.stringContaining('no active cluster') },
  ]);
  const north = await graph.make('objectClusterCreate', { name: 'north' });
  const last = { told: [{ code: 'WRONG_STATE', message: expect.stringContaining('the last active cluster') }] };
  expect(await graph.mutate('objectClusterDelete', { id: north })).toMatchObject(last);
  expect(await graph.mutate('objectClusterUpdate', { id: north, clusterState: 'DRAINING' })).toMatchObject(last);
  const south = await graph.make('objectClusterCreate', { name: 'south' });
  const usual = await graph.make('objectOptionCreate', { name: 'usual' });
  const chosen = await graph.make('objectOptionCreate', { name: 'chosen', clusterIds: [south] });
  for (const [mutation, input] of [
    ['objectClusterDelete', { id: south }],
    ['objectClusterUpdate', { id: south, clusterState: 'DRAINING' }],
  ] as const)
    expect((await graph.mutate(mutation, input)).told).toMatchObject([
      { code: 'IN_USE', message: expect.stringContaining('the option chosen') },
    ]);
  expect((await graph.mutate('objectOptionUpdate', { id: usual, default: false })).faults).toEqual([
    'WRONG_STATE input.default',
  ]);
  expect((await graph.mutate('objectOptionDelete', { id: usual })).told).toMatchObject([
    { code: 'WRONG_STATE', message: expect.stringContaining('the default') },
  ]);
  const absent = encodeId('ObjectCluster', '01900000-0000-7000-8000-000000000000');
  expect((await graph.mutate('objectOptionUpdate', { id: usual, clusterIds: [absent], replicas: 8 })).faults).toEqual([
    'INVALID_INPUT input.replicas',
  ]);
  expect((await graph.mutate('objectOptionUpdate', { id: usual, clusterIds: [absent] })).faults).toEqual([
    'NOT_FOUND input.clusterIds',
  ]);
  expect((await graph.mutate('objectOptionUpdate', { id: usual, clusterIds: [usual] })).faults).toEqual([
    'NOT_FOUND input.clusterIds.0',
  ]);
  expect((await graph.mutate('objectOptionDelete', { id: chosen, expectedVersion: 7 })).faults).toEqual([
    'STALE_VERSION input.expectedVersion',
  ]);
  // A repeated request gets its first answer, even when the object is gone.
  const removal = { id: chosen, idempotencyKey: 'k1' };
  const first = await graph.mutate('objectOptionDelete', removal);
  expect(first.faults).toEqual([]);
  expect(await graph.mutate('objectOptionDelete', removal)).toEqual(first);
  expect((await graph.mutate('objectOptionDelete', { id: chosen })).faults).toEqual(['NOT_FOUND input.id']);
  expect(await graph.ask(`{ objectOption(id: "${chosen}") { id } }`)).toEqual({ objectOption: null });
  await graph.make('objectClusterUpdate', { id: south, clusterState: 'DRAINING' });
  expect(numbersIn(await ring(1))).toEqual([0]);
  await graph.make('objectClusterDelete', { id: south });
  const events = await graph.db.query<{ text: string }>(
    `SELECT CONCAT_WS(' ', kind, from_status, to_status) AS text FROM status_change WHERE subject_id = ? ORDER BY subject_version`,
    [decodeUuid('ObjectCluster', south) ?? ''],
  );
  expect(events.map(({ text }) => text)).toEqual([
    'objectCluster.state ACTIVE',
    'objectCluster.state ACTIVE DRAINING',
    'objectCluster.state DRAINING DELETED',
  ]);
});

test('while the only option is being deleted, the next one becomes the default', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const usual = await graph.make('objectOptionCreate', { name: 'usual' });
  await graph.db.execute('UPDATE object_federation SET in_use = 1');
  expect(await graph.mutate('objectOptionDelete', { id: usual }, '{ ending default }')).toMatchObject({
    ...{ faults: [], entity: { ending: true, default: true } },
  });
  const next = await graph.mutate('objectOptionCreate', { name: 'next' }, '{ id default }');
  expect(next).toMatchObject({ faults: [], entity: { default: true } });
  const others = await graph.mutate('objectOptionCreate', { name: 'other' }, '{ default }');
  expect(others).toMatchObject({ faults: [], entity: { default: false } });
  const kept = await graph.mutate('objectOptionDeleteCancel', { id: usual }, '{ ending default }');
  expect(kept).toMatchObject({ faults: [], entity: { ending: false, default: false } });
});

test('once clusters may hold data, rings stay unchanged', async () => {
  const [north, south] = [
    await graph.make('objectClusterCreate', { name: 'north' }),
    await graph.make('objectClusterCreate', { name: 'south' }),
  ];
  const usual = await graph.make('objectOptionCreate', { name: 'usual' });
  await graph.db.execute('UPDATE object_federation SET in_use = 1');
  const before = [await ring(0), await ring(1)];
  const east = await graph.make('objectClusterCreate', { name: 'east' });
  await graph.make('objectClusterUpdate', { id: south, weight: 7, clusterState: 'DRAINING' });
  await graph.make('objectOptionUpdate', { id: usual, replicas: 1, clusterIds: [north] });
  expect([await ring(0), await ring(1)]).toEqual(before);
  expect((await graph.mutate('objectClusterDelete', { id: south })).told).toMatchObject([
    { code: 'IN_USE', message: 'the cluster south holds replicas of ring 0: change the ring first' },
  ]);
  // The preview computes the data that would move, only for the two rings.
  const preview = `{ core: objectRingChangePreview(number: 0) { stepCount movedPercent shares { number partitionsNow partitionsThen } }
    option: objectRingChangePreview(number: 1) { stepCount ring { epoch } shares { number partitionsNow partitionsThen } }
    none: objectRingChangePreview(number: 9) { stepCount } }`;
  const share = (number: number, partitionsNow: number, partitionsThen: number) => ({
    ...{ number, partitionsNow, partitionsThen },
  });
  expect(await graph.ask(preview)).toEqual({
    core: { stepCount: 1, movedPercent: 50, shares: [share(0, 4_096, 4_096), share(1, 4_096, 0), share(2, 0, 4_096)] },
    option: { stepCount: 1, ring: { epoch: 1 }, shares: [share(0, 4_096, 4_096), share(1, 4_096, 0)] },
    none: null,
  });
  // A new option has its own ring.
  const fresh = await graph.make('objectOptionCreate', { name: 'fresh', clusterIds: [east] });
  expect(numbersIn(await ring(2))).toEqual([2]);
  // A deletion only begins. Until it ends or is cancelled, neither the option nor its ring changes.
  expect((await graph.mutate('objectOptionDelete', { id: usual })).faults).toEqual(['WRONG_STATE input.id']);
  const deletion = await graph.mutate('objectOptionDelete', { id: fresh }, '{ name ending }');
  expect(deletion).toMatchObject({ faults: [], entity: { name: 'fresh', ending: true } });
  expect((await graph.mutate('objectOptionUpdate', { id: fresh, default: true })).told).toMatchObject([
    { code: 'WRONG_STATE', message: 'fresh is being deleted: cancel that first, with objectOptionDeleteCancel' },
  ]);
  const { started } = await graph.ask<{ started: { userErrors: object[] } }>(
    'mutation { started: objectRingChangeStart(input: { number: 2 }) { userErrors { code message } } }',
  );
  expect(started.userErrors).toEqual([
    { code: 'WRONG_STATE', message: 'the option fresh is being deleted: wait for that, or call it off' },
  ]);
  const kept = await graph.mutate('objectOptionDeleteCancel', { id: fresh }, '{ ending endingReason }');
  expect(kept).toMatchObject({ faults: [], entity: { ending: false, endingReason: null } });
  expect((await graph.mutate('objectOptionDeleteCancel', { id: fresh })).faults).toEqual(['WRONG_STATE input.id']);
});

test('adding a sixth cluster moves a sixth, in steps of one replica per partition', async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e']) await graph.make('objectClusterCreate', { name });
  await graph.db.execute('UPDATE object_federation SET in_use = 1');
  const text = '{ objectRingChangePreview(number: 0) { stepCount movedPercent shares { partitionsThen } } }';
  type Preview = {
    objectRingChangePreview: { stepCount: number; movedPercent: number; shares: { partitionsThen: number }[] };
  };
  const preview = async () => (await graph.ask<Preview>(text)).objectRingChangePreview;
  expect(await preview()).toMatchObject({ stepCount: 0, movedPercent: 0 });
  await graph.make('objectClusterCreate', { name: 'f' });
  const { stepCount, movedPercent, shares } = await preview();
  expect(stepCount).toBeGreaterThan(0);
  expect(movedPercent).toBeGreaterThan(16);
  expect(movedPercent).toBeLessThanOrEqual(17);
  expect(shares.map(({ partitionsThen }) => partitionsThen)).toEqual(Array(6).fill((3 * partitionCount) / 6));
});
