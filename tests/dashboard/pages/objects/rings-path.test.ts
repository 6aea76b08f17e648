// Partitions by cluster.
import { expect, test } from '@jest/globals';
import type { Cluster } from '../../../../dashboard/src/pages/objects/kinds/cluster.ts';
import { type Options, ringsPath } from '../../../../dashboard/src/pages/objects/picture/rings-path.ts';
import { cluster } from '../../support/fake-values.ts';

const option = (id: string, shares: readonly (readonly [number, number])[]) => ({
  ...{ id, name: id, replicas: 2, default: id === 'gold', ending: false, endingReason: null, clusters: [] },
  ring: { epoch: 4, replicas: 2, clusters: shares.map(([number, partitions]) => ({ number, partitions })) },
});
const options = [
  option('gold', [
    [1, 128],
    [2, 128],
    [3, 0],
  ]),
  option('silver', [[1, 64]]),
] as unknown as Options;
const clusters = [
  cluster(1, 'north'),
  cluster(2, 'south', { presence: 'ABSENT' }),
  cluster(3, 'west'),
] as unknown as Cluster[];

test('options lead to the clusters that have parts of them', () => {
  const path = ringsPath(options, clusters, [{ name: 'silver', percent: 41.7, isPaused: false }], Date.now());
  expect(path.ways.map(({ from, to }) => `${from} ${to}`)).toEqual([
    'gold cluster 1',
    'gold cluster 2',
    'silver cluster 1',
  ]);
  const [shownOptions, shownClusters] = path.steps.map(({ stops }) => stops);
  expect(shownOptions).toMatchObject([
    { title: 'gold', detail: '2 replicas, default', figures: 'ring of epoch 4' },
    { title: 'silver', detail: '2 replicas', figures: 'partitions are moving, 41 % done' },
  ]);
  expect(shownClusters).toMatchObject([
    { title: 'north', figures: 'partitions: gold 128, silver 64', isDown: false, isOld: false },
    { title: 'south', detail: 'just now', figures: 'partitions: gold 128', isDown: true, isOld: true },
    { title: 'west', figures: 'no partitions' },
  ]);
});

test('a paused change is marked', () => {
  const path = ringsPath(options, clusters, [{ name: 'gold', percent: null, isPaused: true }], Date.now());
  expect(path.steps[0]?.stops[0]?.figures).toBe('a change is paused');
});
