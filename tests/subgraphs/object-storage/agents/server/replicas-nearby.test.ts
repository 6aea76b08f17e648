// The replica that answers a NEAREST read: the cluster's own if it is a member and votes, otherwise that of another
// member.
import { expect, test } from '@jest/globals';
import { NoQuorumError } from '../../../../../platform/registers/errors.ts';
import { noVersion } from '../../../../../platform/registers/version.ts';
import {
  type NearestOther,
  ReplicasNearby,
} from '../../../../../subgraphs/object-storage/agents/server/replicas-nearby.ts';
import type { NearestAnswer } from '../../../../../subgraphs/object-storage/engine/namespace/nearest.ts';
import type { ReplicaAnswer, ReplicaRequest } from '../../../../../subgraphs/object-storage/engine/store/register.ts';

const key = { ring: 1, scope: 'c'.repeat(32), name: 'cat' };
const version = 'a'.repeat(32);
const found: ReplicaAnswer = {
  done: true,
  row: { version, promised: version, value: { head: '{}' } },
  floor: noVersion,
};

interface Given {
  readonly members: readonly number[];
  readonly own?: ReplicaAnswer;
  /** For each other cluster, the time up to which this cluster has all of its changes. */
  readonly followed?: Readonly<Record<number, number>>;
  readonly others?: Readonly<Record<number, NearestAnswer | 'DOES NOT VOTE' | 'AWAY'>>;
}

function cluster({ members, own = found, followed = {}, others = {} }: Given) {
  const asked: (number | ReplicaRequest)[] = [];
  const other = (number: number): NearestOther => ({
    isReachable: others[number] !== 'AWAY',
    follower: { asOf: ({ ring }, epoch) => (ring === 1 && epoch === 7 ? followed[number] : undefined) },
    nearest: {
      read: async () => {
        asked.push(number);
        const answer = others[number] ?? 'AWAY';
        if (answer === 'AWAY') throw new Error('away');
        return answer === 'DOES NOT VOTE' ? undefined : answer;
      },
    },
  });
  const nearby = new ReplicasNearby({
    map: { self: 0, known: () => ({ epoch: 7, groups: [members] }) },
    replica: {
      ask: async (request) => {
        asked.push(request);
        return own;
      },
    },
    others: () => new Map([1, 2, 3].map((number) => [number, other(number)])),
  });
  return { nearby, asked };
}

test('a member that votes answers itself, in its epoch, as of the time up to which it has followed', async () => {
  const { nearby, asked } = cluster({ members: [0, 1, 2], followed: { 1: 40, 2: 70, 3: 90 } });
  expect(await nearby.read(key)).toEqual({ isClosed: false, version, value: { head: '{}' }, asOfMs: 70 });
  expect(asked).toEqual([{ op: 'read', key, epoch: 7 }]);
  const unheard = cluster({ members: [0, 1, 2] });
  expect(await unheard.nearby.read(key)).toMatchObject({ version, asOfMs: undefined });
  const closed = cluster({ members: [0, 1, 2], own: { refused: 'CLOSED' }, followed: { 1: 40 } });
  expect(await closed.nearby.read(key)).toMatchObject({ isClosed: true, value: undefined, asOfMs: 40 });
});

test('a cluster that is not a member, or does not vote, queries only members, silent ones last', async () => {
  const told: NearestAnswer = { isClosed: false, version, value: undefined, asOfMs: 12 };
  const others = { 1: 'AWAY', 2: 'DOES NOT VOTE', 3: told } as const;
  const stranger = cluster({ members: [1, 2, 3], others, followed: { 1: 40, 2: 50 } });
  expect(await stranger.nearby.read(key)).toBe(told);
  expect(stranger.asked).toEqual([2, 3]);
  expect(await stranger.nearby.own(key)).toBeUndefined();
  for (const own of [{ refused: 'UNREADY' }, { refused: 'STALE', epoch: 8 }] as const) {
    const lost = cluster({ members: [0, 1, 2], own, others, followed: { 1: 40, 2: 50 } });
    await expect(lost.nearby.read(key)).rejects.toBeInstanceOf(NoQuorumError);
    expect(lost.asked).toEqual([expect.objectContaining({ op: 'read' }), 2, 1]);
  }
});
