// How far another cluster has followed this one, as a call between their servers. Positions that were sent had been on disk here.
import { z } from 'zod';
import type { SeenPartition } from '../store/positions.ts';
import { pack, packedShape, seenPacking } from './packed.ts';
import type { PeerClient } from './peer-client.ts';
import { type PeerCalls, peerCall } from './peer-server.ts';
import { count, ringShape } from './peer-wire.ts';

export interface SeenRing {
  /** Epoch of the ring at the cluster that answers. 0 if it is not in the ring. */
  readonly epoch: number;
  readonly partitions: readonly SeenPartition[];
}

export interface ContinuityPeer {
  /** How far that cluster has followed the caller. */
  seen(ring: number): Promise<SeenRing>;
}

const mostPartitions = 4_096;
const deadlineMs = 10_000;
const request = z.object({ ring: ringShape });
const answer = z.object({ epoch: count, partitions: packedShape(seenPacking, mostPartitions) });

/** Server side: what this cluster has seen of another. */
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

/** Client side: another cluster. */
export function continuityPeer(client: PeerClient): ContinuityPeer {
  return { seen: (ring) => client.call('seen', { ring }, answer, { deadlineMs }) };
}
