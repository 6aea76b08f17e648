// Encodes the clusters of a ring: two bytes for each replica, low byte first, deflated.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { partitionCount, type Ring } from '../../../../platform/rings/ring.ts';
import type { RingDocument } from './documents.ts';

export function packClusters(clusters: Uint16Array): Buffer {
  const bytes = Buffer.alloc(clusters.length * 2);
  for (const [at, cluster] of clusters.entries()) bytes.writeUInt16LE(cluster, at * 2);
  return deflateRawSync(bytes);
}

/** A ring as one group of a document. */
export function groupOf({ replicas, clusters }: Ring): RingDocument['groups'][number] {
  return { replicas, clusters: packClusters(clusters).toString('base64') };
}

/** Throws if the data does not have this number of replicas for each partition. */
export function unpackClusters(packed: Buffer, replicas: number): Uint16Array {
  const length = partitionCount * replicas;
  const bytes = inflateRawSync(packed, { maxOutputLength: length * 2 });
  if (bytes.length !== length * 2)
    throw new Error(`a ring of ${replicas} replicas has ${bytes.length} bytes instead of ${length * 2}`);
  return Uint16Array.from({ length }, (_, at) => bytes.readUInt16LE(at * 2));
}
