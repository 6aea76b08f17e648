// The calls of a cluster that gains partitions to the clusters that have them.
import { z } from 'zod';
import type { PartitionFloor } from '../store/partitions.ts';
import { floorPacking, pack, packedShape } from './packed.ts';
import type { PeerClient } from './peer-client.ts';
import { type PeerCalls, peerCall } from './peer-server.ts';
import { count, partitionShape, ringShape } from './peer-wire.ts';

export interface ResyncPeer {
  /** For partitions in which that cluster votes in this epoch: the highest version of a forgotten deletion. */
  floors(ring: number, epoch: number): Promise<readonly PartitionFloor[]>;
  /** Partitions that have, or once had, a blob there. */
  blobPartitions(ring: number): Promise<readonly number[]>;
}

const mostPartitions = 4_096;
const deadlineMs = 10_000;

const floorsRequest = z.object({ ring: ringShape, epoch: count });
const floors = packedShape(floorPacking, mostPartitions);
const ringRequest = z.object({ ring: ringShape });
const partitions = z.array(partitionShape).max(mostPartitions);

/** Server side: what this cluster returns to others. */
export function resyncCalls({ floors: floorsOf, blobPartitions }: ResyncPeer): PeerCalls {
  return {
    floors: peerCall({
      input: floorsRequest,
      answer: async (_, { ring, epoch }) => pack(floorPacking, await floorsOf(ring, epoch)),
    }),
    blobPartitions: peerCall({ input: ringRequest, answer: (_, { ring }) => blobPartitions(ring) }),
  };
}

/** Client side: another cluster. */
export function resyncPeer(client: PeerClient): ResyncPeer {
  return {
    floors: (ring, epoch) => client.call('floors', { ring, epoch }, floors, { deadlineMs }),
    blobPartitions: (ring) => client.call('blobPartitions', { ring }, partitions, { deadlineMs }),
  };
}
