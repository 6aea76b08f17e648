// The documents for clusters follow the desired state, in one order.
import { expect, test } from '@jest/globals';
import { documentsAfter } from '../../../../subgraphs/object-storage/control/stores/document-store.ts';
import { presentRings } from '../../../../subgraphs/object-storage/control/stores/ring-store.ts';
import { unpackClusters } from '../../../../subgraphs/object-storage/wire/documents/ring-clusters.ts';
import { readDocument } from '../../../../subgraphs/object-storage/wire/documents/signed-document.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { ControlGraph } from '../support/control-graph.ts';

const graph = forTest(() => ControlGraph.open());

const after = async (generation: number) => (await documentsAfter(graph.db, generation, 1_000)).map(readDocument);
const named = (documents: Awaited<ReturnType<typeof after>>) =>
  documents.map(({ name, generation }) => `${name} ${generation}`);

test('each change is sent in commit order, and unchanged documents are not sent again', async () => {
  const north = await graph.make('objectClusterCreate', { name: 'north', peerUrls: ['https://north.example'] });
  expect(named(await after(0))).toEqual(['clusters 1', 'ring/0 2', 'options 3']);
  const usual = await graph.make('objectOptionCreate', { name: 'usual', replicas: 2 });
  expect(named(await after(3))).toEqual(['ring/1 4', 'options 5']);
  await graph.make('objectClusterCreate', { name: 'south', weight: 50 });
  const documents = await after(5);
  expect(named(documents)).toEqual(['clusters 6', 'ring/0 7', 'ring/1 8']);
  const [clusters, , ring] = documents;
  expect(clusters?.body).toMatchObject({
    clusters: [
      { number: 0, name: 'north', weight: 100, state: 'ACTIVE', peerUrls: ['https://north.example'] },
      { number: 1, name: 'south', zone: 'south', weight: 50 },
    ],
  });
  if (ring?.kind !== 'ring' || ring.body === undefined) throw new Error('no ring');
  const { epoch, groups, members } = ring.body;
  const [group] = groups;
  const made = (await presentRings(graph.db, [1])).get(1);
  expect([epoch, groups.length, members]).toEqual([2, 1, made?.members]);
  expect(unpackClusters(Buffer.from(group?.clusters ?? '', 'base64'), group?.replicas ?? 0)).toEqual(made?.clusters);
  // The site is only for people, so no document changes.
  await graph.make('objectClusterUpdate', { id: north, site: 'attic' });
  expect(await after(8)).toEqual([]);
  const { faults } = await graph.mutate('objectClusterCreate', { name: 'south' });
  expect([faults, await after(8)]).toEqual([['ALREADY_EXISTS input.name'], []]);
  await graph.make('objectOptionDelete', { id: usual });
  const last = await after(8);
  expect(last.map(({ name, body }) => [name, body])).toEqual([
    ['options', { options: [] }],
    ['ring/1', undefined],
  ]);
});

test('concurrent changes are sent one after the other', async () => {
  await graph.make('objectClusterCreate', { name: 'c' });
  await Promise.all(Array.from({ length: 8 }, (_, at) => graph.make('objectClusterCreate', { name: `c${at}` })));
  const documents = await after(0);
  const clusters = documents.find(({ kind }) => kind === 'clusters');
  if (clusters?.kind !== 'clusters') throw new Error('no document of clusters');
  expect(clusters.body?.clusters.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  // First clusters, ring/0 and options, then clusters and ring/0 each time.
  expect(Math.max(...documents.map(({ generation }) => generation))).toBe(3 + 8 * 2);
});
