// How far another cluster has followed this one, as a call between their servers: what it was told was on disk here.
import { z } from 'zod';
import type { SeenPartition } from '../store/positions.ts';
import { pack, packedShape, seenPacking } from './packed.ts';
import type { PeerClient } from './peer-client.ts';
import { type PeerCalls, peerCall } from './peer-server.ts';
import { count, ringShape } from './peer-wire.ts';

export interface SeenRing {
  /** Of the ring, where it was asked; 0: it is not in it. */
  readonly epoch: number;
  readonly partitions: readonly SeenPartition[];
}

export interface ContinuityPeer {
  /** How far it has followed the cluster that asks. */
  seen(ring: number): Promise<SeenRing>;
}

const mostPartitions = 4_096;
const deadlineMs = 10_000;
const request = z.object({ ring: ringShape });
const answer = z.object({ epoch: count, partitions: packedShape(seenPacking, mostPartitions) });

/** For the server: what this cluster has seen of another. */
export function continuityCalls(seenOf: (cluster: number, ring: number) => Promise<SeenRing>): PeerCalls {
  return {
    seen: peerCall({
      input: request,
      answer: async (cluster, { ring }) => {
        const { epoch, partitions } = await seenOf(cluster, ring);
        return { epoch, partitions: pack(seenPacking, partitions) };
      },
    }),
  };
}

/** The other cluster. */
export function continuityPeer(client: PeerClient): ContinuityPeer {
  return { seen: (ring) => client.call('seen', { ring }, answer, { deadlineMs }) };
}
