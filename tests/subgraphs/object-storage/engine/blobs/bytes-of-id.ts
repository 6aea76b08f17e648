// Recreates the bytes of a blob that a process wrote before it was killed, from the blob's ID.
import { createHash } from 'node:crypto';

/** Between zero and about 3 MiB. */
export function bytesOf(id: string): Buffer {
  const seed = createHash('sha256').update(id).digest();
  const scale = seed.readUInt8(0) % 4;
  const sizeBytes = Math.floor((seed.readUInt32BE(1) / 0xffffffff) * ([100, 10_000, 1_500_000, 3_200_000][scale] ?? 0));
  return Buffer.alloc(sizeBytes, seed);
}
