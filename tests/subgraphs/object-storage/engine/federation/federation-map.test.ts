// A cluster's view of the federation, from documents that arrive in any order.
import { expect, test } from '@jest/globals';
import { NoQuorumError } from '../../../../../platform/registers/errors.ts';
import { firstRing } from '../../../../../platform/rings/next-ring.ts';
import { clustersOfPartition, partitionCount, type Ring } from '../../../../../platform/rings/ring.ts';
import { FederationMap } from '../../../../../subgraphs/object-storage/engine/federation/federation-map.ts';
import { groupOf } from '../../../../../subgraphs/object-storage/wire/documents/ring-clusters.ts';
import type { VerifiedDocument } from '../../../../../subgraphs/object-storage/wire/documents/signed-document.ts';

const ring = firstRing({
  members: [0, 1, 2, 3].map((cluster) => ({ cluster, weight: 1, zone: `zone-${cluster}` })),
  replicas: 3,
});

function ringDocument(epoch: number, rings: readonly Ring[] = [ring], number = 1): VerifiedDocument {
  const groups = rings.map(groupOf);
  const body = {
    ring: number,
    epoch,
    isEmpty: true,
    isPaused: false,
    recovering: [],
    isEnding: false,
    groups,
    members: [...ring.members],
  };
  return { kind: 'ring', name: `ring/${number}`, generation: epoch, body };
}

const mapOf = (waitMs?: number) =>
  new FederationMap({ self: 2, replica: () => undefined, ...(waitMs === undefined ? {} : { waitMs }) });

test('each partition is where its ring puts it', async () => {
  const map = mapOf();
  map.take(ringDocument(1));
  for (const partition of [0, 1, 4_095])
    expect(await map.placement(1, partition, 0)).toEqual({ epoch: 1, groups: [clustersOfPartition(ring, partition)] });
  const holds = Array.from({ length: partitionCount }, (_, partition) => partition).filter((partition) =>
    clustersOfPartition(ring, partition).includes(2),
  );
  expect([...map.held(1)]).toEqual(holds);
  expect(map.rings().get(1)).toMatchObject({ epoch: 1, isEmpty: true });
});

test('during a change both rings count', async () => {
  const map = mapOf();
  const other = firstRing({ members: ring.members.slice(0, 3), replicas: 3 });
  map.take(ringDocument(2, [ring, other]));
  const { groups } = await map.placement(1, 7, 2);
  expect(groups).toEqual([clustersOfPartition(ring, 7), clustersOfPartition(other, 7)]);
  expect(map.held(1).size).toBe(partitionCount);
});

test('an older ring changes nothing, and a newer one is awaited', async () => {
  const map = mapOf();
  map.take(ringDocument(2));
  map.take(ringDocument(1));
  expect(map.rings().get(1)).toMatchObject({ epoch: 2, isEmpty: true });
  const awaited = map.placement(1, 0, 3);
  map.take(ringDocument(3));
  expect((await awaited).epoch).toBe(3);
});

test('a request that waits for a newer ring makes the documents be read again and again', async () => {
  let looks = 0;
  const look = () => {
    looks += 1;
    if (looks === 3) map.take(ringDocument(3));
  };
  const map = new FederationMap({ self: 2, replica: () => undefined, look });
  map.take(ringDocument(2));
  expect((await map.placement(1, 0, 2)).epoch).toBe(2);
  expect(looks).toBe(0);
  const all = await Promise.all([0, 1, 2].map((partition) => map.placement(1, partition, 3)));
  expect(all.map(({ epoch }) => epoch)).toEqual([3, 3, 3]);
  expect(looks).toBe(3);
});

test('an ending, ended or unknown ring accepts nothing new', () => {
  const map = mapOf();
  const told = (epoch: number, isEnding: boolean): VerifiedDocument => {
    const document = ringDocument(epoch);
    return { ...document, body: { ...document.body, isEnding } } as VerifiedDocument;
  };
  const name = ringDocument(1).name;
  expect([map.isEnding(1), map.awaits(1)]).toEqual([true, true]);
  map.take(ringDocument(1));
  expect([map.isEnding(1), map.awaits(1)]).toEqual([false, false]);
  map.take(told(2, true));
  expect(map.isEnding(1)).toBe(true);
  map.take(told(3, false));
  expect([map.isEnding(1), map.ended().size]).toEqual([false, 0]);
  map.take({ kind: 'ring', name, generation: 9, body: undefined });
  expect([map.isEnding(1), map.awaits(1), [...map.ended()]]).toEqual([true, false, [1]]);
});

test('a ring that does not arrive in time is refused', async () => {
  await expect(mapOf(20).placement(1, 0, 0)).rejects.toBeInstanceOf(NoQuorumError);
});

test('options are found by name, by number, and by default', () => {
  const map = mapOf();
  const option = { id: '0190d000-0000-7000-8000-000000000001', replicas: 3, nearestReads: false };
  const options = [
    { ...option, number: 1, name: 'standard', isDefault: true },
    { ...option, number: 2, name: 'near', nearestReads: true, isDefault: false },
  ];
  map.take({ kind: 'options', name: 'options', generation: 1, body: { options } });
  expect(map.defaultOption()?.number).toBe(1);
  expect(map.optionByName('near')?.nearestReads).toBe(true);
  expect(map.optionByNumber(3)).toBeUndefined();
});
