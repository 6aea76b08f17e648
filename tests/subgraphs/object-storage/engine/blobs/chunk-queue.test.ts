// The queue of one store. Its size is bounded, even for a client that sends its body in tiny chunks.
import { expect, test } from '@jest/globals';
import { ChunkQueue } from '../../../../../subgraphs/object-storage/engine/blobs/chunk-queue.ts';

const mebibyte = 1024 * 1024;

function fill(queue: ChunkQueue, chunkBytes: number): number {
  const chunk = Buffer.alloc(chunkBytes);
  let chunks = 0;
  for (; !queue.isFull; chunks += 1) queue.put(chunk);
  return chunks;
}

test('large chunks fill it by their bytes', () => {
  expect(fill(new ChunkQueue(mebibyte, () => undefined), 64 * 1024)).toBe(16);
});

// A million one-byte buffers take a hundred times the memory of their bytes.
test('tiny chunks fill it by the memory that they use', async () => {
  let taken = 0;
  const queue = new ChunkQueue(mebibyte, () => {
    taken += 1;
  });
  const chunks = fill(queue, 1);
  expect(chunks).toBeLessThan(10_000);
  for (let chunk = 0; chunk < chunks; chunk += 1) expect((await queue.next()).value).toHaveLength(1);
  expect(taken).toBe(chunks);
  expect(fill(queue, 1)).toBe(chunks);
});
