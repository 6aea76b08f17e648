// The clusters of a ring as bytes: two a replica, the low one first, deflated.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { partitionCount, type Ring } from '../../../platform/rings/ring.ts';
import type { RingDocument } from './documents.ts';

export function packClusters(clusters: Uint16Array): Buffer {
  const bytes = Buffer.alloc(clusters.length * 2);
  for (const [at, cluster] of clusters.entries()) bytes.writeUInt16LE(cluster, at * 2);
  return deflateRawSync(bytes);
}

/** A ring as one of a document's groups. */
export function groupOf({ replicas, clusters }: Ring): RingDocument['groups'][number] {
  return { replicas, clusters: packClusters(clusters).toString('base64') };
}

/** Throws when there are not that many replicas of each partition. */
export function unpackClusters(packed: Buffer, replicas: number): Uint16Array {
  const length = partitionCount * replicas;
  const bytes = inflateRawSync(packed, { maxOutputLength: length * 2 });
  if (bytes.length !== length * 2)
    throw new Error(`a ring of ${replicas} replicas has ${bytes.length} bytes in place of ${length * 2}`);
  return Uint16Array.from({ length }, (_, at) => bytes.readUInt16LE(at * 2));
}
