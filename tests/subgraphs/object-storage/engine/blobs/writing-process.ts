// A process that writes blobs, eight at once, and prints those on disk. A blob's bytes are derived from its ID.
// Arguments: the folder, and the number of blobs that each of the eight writes. Then it waits to be killed.
import { pino } from 'pino';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { inChunks, newId, place } from '../../support/bytes.ts';
import { bytesOf } from './bytes-of-id.ts';

const folder = await BlobFolder.open({
  folder: process.argv[2] ?? '',
  keepFreeBytes: 0,
  log: pino({ level: 'silent' }),
});
const count = Number(process.argv[3]);
process.stdout.write('ready\n');
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (let written = 0; written < count; written += 1) {
      const id = newId();
      await folder.write(id, place, inChunks(bytesOf(id)));
      process.stdout.write(`${id}\n`);
    }
  }),
);
setInterval(() => undefined, 60_000);
