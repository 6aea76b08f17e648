// What a cluster asks another one whose partitions it takes over, as calls between their servers.
import { z } from 'zod';
import type { PartitionFloor } from '../store/partitions.ts';
import { floorPacking, pack, packedShape } from './packed.ts';
import type { PeerClient } from './peer-client.ts';
import { type PeerCalls, peerCall } from './peer-server.ts';
import { count, partitionShape, ringShape } from './peer-wire.ts';

export interface TakingOverPeer {
  /** Of the partitions in which it votes, in this epoch: the highest version of a deletion that was forgotten there. */
  floors(ring: number, epoch: number): Promise<readonly PartitionFloor[]>;
  /** Those that have or had a blob there. */
  blobPartitions(ring: number): Promise<readonly number[]>;
}

const mostPartitions = 4_096;
const deadlineMs = 10_000;

const floorsRequest = z.object({ ring: ringShape, epoch: count });
const floors = packedShape(floorPacking, mostPartitions);
const ringRequest = z.object({ ring: ringShape });
const partitions = z.array(partitionShape).max(mostPartitions);

/** For the server: what this cluster tells others. */
export function takingOverCalls({ floors: floorsOf, blobPartitions }: TakingOverPeer): PeerCalls {
  return {
    floors: peerCall({
      input: floorsRequest,
      answer: async (_, { ring, epoch }) => pack(floorPacking, await floorsOf(ring, epoch)),
    }),
    blobPartitions: peerCall({ input: ringRequest, answer: (_, { ring }) => blobPartitions(ring) }),
  };
}

/** The other cluster. */
export function takingOverPeer(client: PeerClient): TakingOverPeer {
  return {
    floors: (ring, epoch) => client.call('floors', { ring, epoch }, floors, { deadlineMs }),
    blobPartitions: (ring) => client.call('blobPartitions', { ring }, partitions, { deadlineMs }),
  };
}
