// Writes a large blob and reads it back in a process with a small heap, where a full garbage collection is quick.
// Arguments: the folder of the blobs, the blob's ID, its number of blocks. Prints the peak of bytes held, and the
// number of bytes read.
import { pino } from 'pino';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { blockBytes } from '../../../../../subgraphs/object-storage/engine/blobs/blob-store.ts';
import { manyBytes, place } from '../../support/bytes.ts';

const [path = '', id = '', blocks = ''] = process.argv.slice(2);
const folder = await BlobFolder.open({ folder: path, keepFreeBytes: 0, log: pino({ level: 'silent' }) });
const before = held();
let most = 0;
let readBytes = 0;
await folder.write(id, place, watched(manyBytes(Number(blocks) * blockBytes)));
for await (const chunk of watched((await folder.read(id)).body)) readBytes += chunk.length;
await folder.close();
process.stdout.write(JSON.stringify({ most, readBytes }));

async function* watched(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const chunk of body) {
    count += 1;
    if (count % 16 === 0) most = Math.max(most, held() - before);
    yield chunk;
  }
}

/** Bytes in use, after a garbage collection. */
function held(): number {
  if (globalThis.gc === undefined) throw new Error('it is started without --expose-gc');
  globalThis.gc();
  return process.memoryUsage().arrayBuffers;
}
