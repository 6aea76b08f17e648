// Ring changes at the control plane, through the graph on a real database. The test writes the controllers' reports as
// they would arrive.
import { beforeEach, expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { RingChanges } from '../../../../../subgraphs/object-storage/control/rings/ring-changes.ts';
import type { ControllerState } from '../../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { forTest } from '../../../../support/jest/shared.ts';
import { ControlGraph, identity, projectA } from '../../support/control-graph.ts';

const graph = forTest(() => ControlGraph.open());
let changes: RingChanges;
const controllers = new Map<string, string>();

beforeEach(async () => {
  changes = new RingChanges(graph);
  controllers.clear();
});

/** Creates a cluster with a connected controller. */
async function cluster(name: string): Promise<string> {
  const { entity } = await graph.mutate('objectClusterCreate', { name }, '{ id number }');
  const [row] = await graph.db.query<{ id: string }>('SELECT id FROM object_cluster WHERE name = ?', [name]);
  const id = newUuid();
  controllers.set(name, id);
  await graph.db.execute(
    `INSERT INTO object_controller (id, cluster_id, name, epoch, facts, heard_at) VALUES (?, ?, ?, 1, '{}', NOW(3))`,
    [id, row?.id ?? '', name],
  );
  await graph.db.execute('UPDATE object_cluster SET present = 1 WHERE id = ?', [row?.id ?? '']);
  return String(entity?.id);
}

async function says(name: string, takeOvers: ControllerState['takeOvers']): Promise<void> {
  const nothing = { rings: {}, links: [], services: [], ringEnds: [] };
  const state: ControllerState = {
    position: { history: '', number: 0 },
    clockMs: 0,
    ...nothing,
    disk: null,
    takeOvers,
  };
  await graph.db.execute('UPDATE object_controller SET state = ? WHERE id = ?', [
    JSON.stringify(state),
    controllers.get(name) ?? '',
  ]);
}

interface Told {
  readonly epoch: number;
  readonly groups: readonly unknown[];
  readonly isPaused: boolean;
  readonly isEmpty: boolean;
  readonly recovering: readonly number[];
}

async function told(number: number): Promise<Told> {
  const [row] = await graph.db.query<{ body: string }>('SELECT body FROM object_document WHERE name = ?', [
    `ring/${number}`,
  ]);
  return JSON.parse(row?.body ?? 'null') as Told;
}

interface Shown {
  readonly id: string;
  readonly version: number;
  readonly state: string;
  readonly reason: string | null;
  readonly stepsDone: number;
  readonly progressPercent: number;
  readonly gaining: readonly {
    readonly number: number;
    readonly left: number | null;
    readonly message: string | null;
  }[];
}

async function change(mutation: string, input: object, who = graph.admin) {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const { payload } = await graph.ask<{
    payload: { objectRingChange: Shown | null; userErrors: { code: string; message: string }[] };
  }>(
    `mutation ($input: ${type}!) { payload: ${mutation}(input: $input) {
      objectRingChange { id version state stepCount stepsDone movedPercent gaining { number left message } } userErrors { code message } } }`,
    { input },
    who,
  );
  return { made: payload.objectRingChange, faults: payload.userErrors.map(({ code }) => code) };
}

const shown = async (id: string) =>
  (
    await graph.ask<{ objectRingChange: Shown }>(
      'query ($id: ID!) { objectRingChange(id: $id) { id version state reason stepsDone progressPercent startedAt finishedAt gaining { number left message } } }',
      { id },
    )
  ).objectRingChange;

async function inUse(): Promise<void> {
  await graph.mutate(
    'objectAccessKeyCreate',
    { projectId: undefined, name: 'k' },
    '{ id }',
    identity('OPERATOR', projectA),
  );
}

async function threeAndOne(): Promise<string> {
  for (const name of ['north', 'south', 'east']) await cluster(name);
  await inUse();
  const west = await cluster('west');
  expect((await told(0)).epoch).toBe(3);
  return west;
}

const everything = (ring: number, epoch: number, left: number) => [
  { ring, epoch, partitions: 3_072, left, movedBytes: 7, message: left === 0 ? null : 'cluster 1: it is away' },
];

test('a ring changes in a step, which ends when the clusters that gain partitions have everything', async () => {
  await threeAndOne();
  const { made } = await change('objectRingChangeStart', { number: 0 });
  expect(made).toMatchObject({ state: 'RUNNING', stepCount: 1, stepsDone: 0, movedPercent: 25, gaining: [] });
  expect((await change('objectRingChangeStart', { number: 0 })).faults).toEqual(['WRONG_STATE']);
  await changes.advance();
  expect(await told(0)).toMatchObject({ epoch: 4, isEmpty: false, isPaused: false, groups: [{}, {}] });
  const id = made?.id ?? '';
  expect((await shown(id)).gaining).toEqual([{ number: 3, left: null, message: null }]);
  await changes.advance();
  await says('west', everything(0, 4, 12));
  await changes.advance();
  expect(await shown(id)).toMatchObject({
    ...{ reason: 'cluster 3: cluster 1: it is away', progressPercent: 100 * (1 - 12 / 3_072), finishedAt: null },
    gaining: [{ number: 3, left: 12, message: 'cluster 1: it is away' }],
  });
  // Reports of an older epoch or another ring do not count.
  await says('west', [...everything(0, 3, 0), ...everything(1, 4, 0)]);
  await changes.advance();
  expect((await told(0)).epoch).toBe(4);
  // Another process may do the same at the same time.
  await says('west', everything(0, 4, 0));
  await Promise.all([changes.advance(), new RingChanges(graph).advance(), changes.advance()]);
  expect(await told(0)).toMatchObject({ epoch: 5, groups: [{}] });
  await changes.advance();
  expect(await shown(id)).toMatchObject({
    ...{ state: 'SUCCEEDED', reason: null, stepsDone: 1, progressPercent: 100, gaining: [] },
    ...{ startedAt: expect.any(String), finishedAt: expect.any(String) },
  });
  const rings = await graph.ask<object>('{ objectRings { nodes { number epoch clusters { number } } } }');
  expect(rings).toMatchObject({
    objectRings: { nodes: [{ number: 0, epoch: 5, clusters: [{}, {}, {}, { number: 3 }] }] },
  });
  expect((await change('objectRingChangeStart', { number: 0 })).faults).toEqual(['WRONG_STATE']);
  const list = await graph.ask<object>('{ objectRingChanges(first: 5) { nodes { state } } }');
  expect(list).toEqual({ objectRingChanges: { nodes: [{ state: 'SUCCEEDED' }] } });
});

test('a change is paused, resumed and cancelled, and the ring is then as before', async () => {
  const west = await threeAndOne();
  const { made } = await change('objectRingChangeStart', { number: 0 });
  const id = made?.id ?? '';
  expect((await change('objectRingChangePause', { id })).made).toMatchObject({ state: 'PAUSED' });
  await changes.advance();
  expect((await told(0)).epoch).toBe(3);
  expect((await change('objectRingChangeResume', { id })).made).toMatchObject({ state: 'RUNNING' });
  await changes.advance();
  expect((await change('objectRingChangePause', { id, expectedVersion: 1 })).faults).toEqual(['STALE_VERSION']);
  await change('objectRingChangePause', { id });
  expect(await told(0)).toMatchObject({ epoch: 4, isPaused: true, groups: [{}, {}] });
  await change('objectRingChangeResume', { id });
  expect(await told(0)).toMatchObject({ epoch: 4, isPaused: false, groups: [{}, {}] });
  expect((await graph.mutate('objectClusterDelete', { id: west })).faults).toEqual(['IN_USE input.id']);
  expect((await change('objectRingChangeCancel', { id })).made).toMatchObject({ state: 'CANCELLED' });
  expect(await told(0)).toMatchObject({ epoch: 5, isPaused: false, groups: [{}] });
  await changes.advance();
  expect((await told(0)).epoch).toBe(5);
  for (const mutation of ['objectRingChangeCancel', 'objectRingChangePause', 'objectRingChangeResume'])
    expect((await change(mutation, { id })).faults).toEqual(['WRONG_STATE']);
  expect((await graph.mutate('objectClusterDelete', { id: west })).faults).toEqual([]);
});

test('a disconnected cluster gains nothing, and one that lost its data recovers it under a separate epoch', async () => {
  for (const name of ['north', 'south']) await cluster(name);
  await inUse();
  await graph.mutate('objectClusterCreate', { name: 'east' }, '{ id }');
  expect((await change('objectRingChangeStart', { number: 0 })).faults).toEqual(['WRONG_STATE']);
  expect((await change('objectRingChangeStart', { number: 9 })).faults).toEqual(['NOT_FOUND']);
  const { objectClusters } = await graph.ask<{ objectClusters: { nodes: { id: string; name: string }[] } }>(
    '{ objectClusters { nodes { id name } } }',
  );
  const idOf = (name: string) => objectClusters.nodes.find((each) => each.name === name)?.id;
  expect((await change('objectRingChangeStart', { number: 0, recoveredClusterId: idOf('east') })).faults).toEqual([
    'WRONG_STATE',
  ]);
  const { made } = await change('objectRingChangeStart', { number: 0, recoveredClusterId: idOf('north') });
  await changes.advance();
  expect(await told(0)).toMatchObject({ epoch: 3, recovering: [0], groups: [{}] });
  expect((await change('objectRingChangeCancel', { id: made?.id })).faults).toEqual(['WRONG_STATE']);
  await says('north', everything(0, 3, 0));
  await changes.advance();
  expect(await told(0)).toMatchObject({ epoch: 3, recovering: [], groups: [{}] });
  expect(await shown(made?.id ?? '')).toMatchObject({ state: 'SUCCEEDED', stepsDone: 1 });
});

test('with fewer replicas a step ends when the remaining clusters have everything', async () => {
  for (const name of ['north', 'south', 'east']) await cluster(name);
  await inUse();
  const { objectClusters } = await graph.ask<{ objectClusters: { nodes: { id: string; name: string }[] } }>(
    '{ objectClusters { nodes { id name } } }',
  );
  const east = objectClusters.nodes.find(({ name }) => name === 'east')?.id;
  expect((await graph.mutate('objectClusterUpdate', { id: east, clusterState: 'DRAINING' })).faults).toEqual([]);
  await graph.db.execute("UPDATE object_cluster SET present = 0 WHERE name = 'south'");
  expect((await change('objectRingChangeStart', { number: 0 })).faults).toEqual(['WRONG_STATE']);
  await graph.db.execute("UPDATE object_cluster SET present = 1 WHERE name = 'south'");
  const id = (await change('objectRingChangeStart', { number: 0 })).made?.id ?? '';
  const { epoch } = await told(0);
  const joint = epoch + 1;
  await changes.advance();
  expect((await told(0)).groups).toHaveLength(2);
  expect((await shown(id)).gaining.map(({ number }) => number)).toEqual([0, 1]);
  await says('north', everything(0, joint, 0));
  await changes.advance();
  expect((await told(0)).epoch).toBe(joint);
  await says('south', everything(0, joint, 3));
  await changes.advance();
  expect((await told(0)).epoch).toBe(joint);
  await says('south', everything(0, joint, 0));
  await changes.advance();
  expect(await told(0)).toMatchObject({ epoch: joint + 1, groups: [{ replicas: 2 }] });
});

test('only administrators change rings and see the changes', async () => {
  await threeAndOne();
  const operator = identity('OPERATOR', projectA);
  const { made } = await change('objectRingChangeStart', { number: 0 });
  expect((await change('objectRingChangePause', { id: made?.id }, operator)).faults).toEqual(['FORBIDDEN']);
  const seen = await graph.ask<object>(
    'query ($id: ID!) { objectRingChange(id: $id) { id } }',
    { id: made?.id },
    operator,
  );
  expect(seen).toEqual({ objectRingChange: null });
});
