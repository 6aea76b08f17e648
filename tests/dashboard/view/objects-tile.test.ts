// The bars of object storage on the start page.
import { expect, test } from '@jest/globals';
import { objectsTile } from '../../../dashboard/src/pages/start/tiles.ts';

const hourMs = 3_600_000;
const nowMs = Date.parse('2026-11-28T12:30:00Z');
const ago = (ms: number) => new Date(nowMs - ms).toISOString();

function beatsOf(createdMsAgo: number, connectedMsAgo: number): readonly (number | null)[] {
  const cluster = { id: 'c', name: 'north', presence: 'PRESENT', clusterState: 'ACTIVE', controllers: [] } as const;
  const connected = { subjectId: 'c', changedAt: ago(connectedMsAgo), from: 'ABSENT', to: 'PRESENT' };
  const { beats } = objectsTile(
    {
      objectOptions: { totalCount: 1 },
      objectClusters: { nodes: [{ ...cluster, createdAt: ago(createdMsAgo) }] },
      statusHistory: { nodes: [connected], pageInfo: { hasNextPage: false } },
    },
    nowMs,
  );
  return (beats ?? []).map(({ inTrouble }) => inTrouble);
}

test('a cluster that is new was in no trouble before it was added', () => {
  expect(beatsOf(60_000, 30_000)).toEqual([...Array(23).fill(0), 1]);
});

test('a cluster that was absent is in trouble since it was added', () => {
  expect(beatsOf(3 * hourMs, hourMs)).toEqual([...Array(20).fill(0), 1, 1, 1, 0]);
  expect(beatsOf(48 * hourMs, hourMs)).toEqual([...Array(23).fill(1), 0]);
});
