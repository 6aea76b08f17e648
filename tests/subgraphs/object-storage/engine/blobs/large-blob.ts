// Writes a large blob and reads it back, in a process whose heap is small: collecting all garbage is quick there. Arguments: the folder of
// the blobs, the blob's id, its number of blocks. Prints how many bytes were held at most, and how many were read.
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

/** What waits to be collected is not held. */
function held(): number {
  if (globalThis.gc === undefined) throw new Error('it is started without --expose-gc');
  globalThis.gc();
  return process.memoryUsage().arrayBuffers;
}
