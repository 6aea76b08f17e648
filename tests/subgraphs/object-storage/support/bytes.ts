// Bytes for blobs, and the contents of a blob's body.
import { randomBytes } from 'node:crypto';
import { newBlobId } from '../../../../subgraphs/object-storage/engine/blobs/blob-id.ts';
import type { BlobPlace } from '../../../../subgraphs/object-storage/engine/blobs/blob-store.ts';

export const place: BlobPlace = {
  ring: 3,
  partition: 0xabc,
  registerRing: 2,
  scope: '5'.repeat(32),
  name: 'holidays/2026/Ünïcode "sea".jpg',
  newest: `${'0'.repeat(31)}1`,
};

export function newId(): string {
  return newBlobId(place);
}

export async function* inChunks(bytes: Buffer, chunkBytes = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** Generates the same bytes each time, without storing them. */
export async function* manyBytes(sizeBytes: number, chunkBytes = 256 * 1024): AsyncGenerator<Buffer> {
  const chunk = randomBytes(chunkBytes);
  for (let at = 0; at < sizeBytes; at += chunkBytes) {
    const part = Buffer.from(chunk.subarray(0, Math.min(chunkBytes, sizeBytes - at)));
    part.writeUIntBE(at, 0, 6);
    yield part;
  }
}

export async function allOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
