// Reports about clusters' services, options and ring changes, as events and in the subscription, with the state at that
// time.
import { expect, test } from '@jest/globals';
import { parse, subscribe } from 'graphql';
import { newUuid } from '../../../../platform/values/ids.ts';
import { tellLags } from '../../../../subgraphs/object-storage/control/controllers/lag-events.ts';
import { tellReplicas } from '../../../../subgraphs/object-storage/control/controllers/replica-events.ts';
import { tellServices } from '../../../../subgraphs/object-storage/control/controllers/service-events.ts';
import { RingChanges } from '../../../../subgraphs/object-storage/control/rings/ring-changes.ts';
import type { ControllerState } from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { patience } from '../../../support/machine/patience.ts';
import { ControlGraph, identity, projectA } from '../support/control-graph.ts';

const graph = forTest(() => ControlGraph.open());

/** Creates a cluster with a connected controller, and returns the controller's ID. */
async function cluster(name: string): Promise<string> {
  await graph.make('objectClusterCreate', { name });
  const controller = newUuid();
  await graph.db.execute(
    `INSERT INTO object_controller (id, cluster_id, name, epoch, facts, heard_at)
      SELECT ?, id, name, 1, '{}', NOW(3) FROM object_cluster WHERE name = ?`,
    [controller, name],
  );
  await graph.db.execute('UPDATE object_cluster SET present = 1 WHERE name = ?', [name]);
  return controller;
}

async function says(controller: string, more: Partial<ControllerState>): Promise<void> {
  const state = { position: 0, clockMs: 0, rings: {}, links: [], services: [], disk: null, takeOvers: [], ...more };
  const text = 'UPDATE object_controller SET state = ?, heard_at = NOW(3) WHERE id = ?';
  await graph.db.execute(text, [JSON.stringify(state), controller]);
}

const service = (name: string, more: object = {}) => ({
  ...({ role: 'objectserver', name, isReady: true, version: 'test', message: null, ...more } as const),
});

const told = (kind: string) =>
  graph.db.query<{ from: string | null; to: string; reason: string | null }>(
    'SELECT from_status AS `from`, to_status AS `to`, reason FROM status_change WHERE kind = ? ORDER BY id',
    [kind],
  );

interface Item {
  readonly cursor: string;
  readonly kind: string;
  readonly subjectId: string | null;
  readonly objectCluster: { readonly name: string } | null;
  readonly objectOption: { readonly name: string } | null;
  readonly objectRingChange: { readonly state: string; readonly gaining: readonly { readonly left: number }[] } | null;
}

async function follow(who = graph.admin) {
  const document = parse(`subscription { objectStatusChanges {
    cursor kind subjectId objectCluster { name } objectOption { name } objectRingChange { state gaining { left } } } }`);
  const contextValue = { identity: who, requestId: 'req-follow', loaders: new Map() };
  const stream = await subscribe({ schema: graph.schema, document, contextValue });
  if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream.errors));
  const items = stream[Symbol.asyncIterator]();
  return {
    /** Waits for the next item that fits. */
    async until(fits: (item: Item) => boolean): Promise<Item> {
      for (;;) {
        const { value } = await items.next();
        const item = (value?.data as { objectStatusChanges: Item } | undefined)?.objectStatusChanges;
        if (item === undefined) throw new Error(JSON.stringify(value));
        if (fits(item)) return item;
      }
    },
    end: () => items.return?.(),
  };
}

test(
  'serving, failing, drained and removed services are reported, in limited batches and only once',
  async () => {
    const north = await cluster('north');
    const changes = await follow();
    await says(north, { services: [service('s1'), service('s2', { isReady: false, message: 'no database' })] });
    await Promise.all([tellServices(graph.db, graph.wake), tellServices(graph.db, graph.wake)]);
    await tellServices(graph.db, graph.wake);
    expect(await told('objectCluster.service')).toEqual([
      { from: null, to: 'READY', reason: 'objectserver s1' },
      { from: null, to: 'NOT_READY', reason: 'objectserver s2: no database' },
    ]);
    expect(await changes.until(({ objectCluster }) => objectCluster !== null)).toMatchObject({
      ...{ kind: 'CREATED', objectCluster: { name: 'north' }, objectOption: null, objectRingChange: null },
    });
    await says(north, { services: [service('s1', { isReady: false, isDrained: true })] });
    await tellServices(graph.db, graph.wake);
    expect((await told('objectCluster.service')).slice(2)).toEqual([
      { from: 'NOT_READY', to: 'GONE', reason: 'objectserver s2' },
      { from: 'READY', to: 'DRAINED', reason: 'objectserver s1' },
    ]);
    await says(north, { services: Array.from({ length: 50 }, (_, at) => service(`x${at}`)) });
    await tellServices(graph.db, graph.wake);
    expect(await told('objectCluster.service')).toHaveLength(24);
    await tellServices(graph.db, graph.wake);
    await tellServices(graph.db, graph.wake);
    await tellServices(graph.db, graph.wake);
    expect(await told('objectCluster.service')).toHaveLength(4 + 51);
    // The state of a silent cluster is unknown.
    await graph.db.execute('UPDATE object_controller SET heard_at = NOW(3) - INTERVAL 1 MINUTE');
    await says('none', {});
    await tellServices(graph.db, graph.wake);
    expect(await told('objectCluster.service')).toHaveLength(4 + 51);
    await changes.end();
    await expect(follow(identity('OPERATOR', projectA))).rejects.toThrow('FORBIDDEN');
  },
  60_000 * patience,
);

test(
  'a replica that lost its data is reported, and its recovery too, each once',
  async () => {
    const north = await cluster('north');
    const changes = await follow();
    const look = () => Promise.all([tellReplicas(graph.db, graph.wake), tellReplicas(graph.db, graph.wake)]);
    // A controller of an older release does not report it.
    await says(north, {});
    await look();
    await says(north, { lostRings: [] });
    await look();
    expect(await told('objectCluster.replica')).toEqual([]);
    await says(north, { lostRings: [1, 0] });
    await look();
    await look();
    const lost = {
      ...{ from: null, to: 'LOST' },
      reason: 'rings 0, 1: stop its servers, run "tidegate rings change --recover north", start them',
    };
    expect(await told('objectCluster.replica')).toEqual([lost]);
    expect(await changes.until(({ objectCluster }) => objectCluster !== null)).toMatchObject({
      objectCluster: { name: 'north' },
    });
    await graph.db.execute('UPDATE object_controller SET heard_at = NOW(3) - INTERVAL 1 MINUTE');
    await look();
    expect(await told('objectCluster.replica')).toEqual([lost]);
    await says(north, { lostRings: [] });
    await look();
    expect(await told('objectCluster.replica')).toEqual([lost, { from: 'LOST', to: 'RECOVERING', reason: null }]);
    await changes.end();
  },
  60_000 * patience,
);

test(
  'options are reported when they are created, changed and deleted, and the former default with the new one',
  async () => {
    await cluster('north');
    const changes = await follow();
    const usual = await graph.make('objectOptionCreate', { name: 'usual' });
    expect(await changes.until(({ subjectId }) => subjectId === usual)).toMatchObject({
      ...{ kind: 'CREATED', objectOption: { name: 'usual' }, objectCluster: null },
    });
    await graph.make('objectOptionCreate', { name: 'small', replicas: 1, default: true });
    await graph.make('objectOptionUpdate', { id: usual, replicas: 2 });
    expect((await graph.mutate('objectOptionDelete', { id: usual })).faults).toEqual([]);
    expect((await told('objectOption.state')).map(({ to, reason }) => `${reason} ${to}`).sort()).toEqual([
      ...['small CREATED', 'usual CHANGED', 'usual CHANGED', 'usual CREATED', 'usual DELETED'],
    ]);
    expect(await changes.until(({ subjectId, kind }) => subjectId === usual && kind === 'DELETED')).toMatchObject({
      objectOption: null,
    });
    await changes.end();
  },
  60_000 * patience,
);

test(
  'the progress of a ring change is reported, but not at every poll, and so is the end of a step',
  async () => {
    const rings = new RingChanges(graph);
    for (const name of ['north', 'south', 'east']) await cluster(name);
    await graph.mutate('objectAccessKeyCreate', { name: 'k' }, '{ id }', identity('OPERATOR', projectA));
    const west = await cluster('west');
    const changes = await follow();
    await graph.ask('mutation { objectRingChangeStart(input: { number: 0 }) { userErrors { code } } }');
    await rings.advance();
    const lacks = (left: number) =>
      says(west, { takeOvers: [{ ring: 0, epoch: 4, partitions: 3_072, left, movedBytes: 0, message: null }] });
    await lacks(12);
    await rings.advance();
    await lacks(11);
    await rings.advance();
    expect((await told('objectRingChange.progress')).map(({ reason }) => reason)).toEqual([
      'step 1: cluster 3 lacks 12 of 3072 partitions',
    ]);
    const item = await changes.until(({ objectRingChange }) => (objectRingChange?.gaining.length ?? 0) > 0);
    expect(item).toMatchObject({ objectCluster: null, objectRingChange: { state: 'RUNNING' } });
    await graph.db.execute('UPDATE object_ring_change SET progress_at = NOW(3) - INTERVAL 1 MINUTE');
    await rings.advance();
    await rings.advance();
    await lacks(0);
    await rings.advance();
    await rings.advance();
    expect((await told('objectRingChange.progress')).map(({ to, reason }) => `${to} ${reason}`)).toEqual([
      ...[
        'MOVING step 1: cluster 3 lacks 12 of 3072 partitions',
        'MOVING step 1: cluster 3 lacks 11 of 3072 partitions',
      ],
      'STEP_DONE step 1 is done',
    ]);
    await changes.until(({ objectRingChange }) => objectRingChange?.state === 'SUCCEEDED');
    await changes.end();
  },
  60_000 * patience,
);

test(
  'a cluster is behind after a minute, and in step again below half of one; each is reported once, and can be followed in the graph',
  async () => {
    const controller = await cluster('north');
    const stream = await follow();
    const lags = async (lagMs: number | null, behindPartitions: number | null = 3) => {
      await says(controller, { links: [{ cluster: 1, connected: true, behindPartitions, lagMs }] });
      await Promise.all([tellLags(graph.db, graph.wake), tellLags(graph.db, graph.wake)]);
    };
    for (const lagMs of [null, 59_000, 60_000, 90_000, 31_000]) await lags(lagMs);
    const behind = { from: 'IN_STEP', to: 'BEHIND', reason: 'north: it lacks changes that are 60 s old' };
    expect(await told('objectCluster.lag')).toEqual([behind]);
    // An unknown lag reports nothing.
    await lags(null, null);
    expect(await told('objectCluster.lag')).toHaveLength(1);
    await lags(29_000);
    await lags(0, 0);
    expect(await told('objectCluster.lag')).toEqual([behind, { from: 'BEHIND', to: 'IN_STEP', reason: 'north' }]);
    expect(await stream.until(({ kind, objectCluster }) => kind === 'UPDATED' && objectCluster !== null)).toMatchObject(
      {
        objectCluster: { name: 'north' },
      },
    );
    await stream.end();
  },
  60_000 * patience,
);
