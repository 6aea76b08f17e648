// Writes one blob's file. A blob of up to one block is one buffer and one write. For larger blobs, one block is written while the next is
// received and its checksum computed, so two blocks are in memory.
import { type FileHandle, open } from 'node:fs/promises';
import type { Turns } from '../../../../platform/work/turns.ts';
import { BlobTooLargeError } from './blob-errors.ts';
import { checksumOf, trailerOf } from './blob-file.ts';
import { type BlobPlace, blockBytes, mostBlobBytes } from './blob-store.ts';
import type { BlockBuffers } from './block-buffers.ts';
import type { DiskRoom } from './disk-room.ts';

/** A large blob is synced each time this many bytes are written: otherwise all of it would wait in memory for the end. */
const bytesPerSync = 64 * blockBytes;

interface BlobWriterOptions {
  readonly id: string;
  readonly place: BlobPlace;
  /** Path of the file. */
  readonly path: string;
  readonly buffers: BlockBuffers;
  readonly room: DiskRoom;
  /** Limits how many syncs run at once. */
  readonly syncs: Turns;
}

export class BlobWriter {
  readonly #options: BlobWriterOptions;
  readonly #checksums: number[] = [];
  #handle: FileHandle | undefined;
  #filling: Buffer;
  #filledBytes = 0;
  /** The second buffer, and the write that uses it. */
  #spare: Buffer | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #sizeBytes = 0;
  #writtenBytes = 0;

  constructor(options: BlobWriterOptions) {
    this.#options = options;
    this.#filling = options.buffers.take();
  }

  async add(chunk: Buffer): Promise<void> {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > mostBlobBytes) throw new BlobTooLargeError(mostBlobBytes);
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#filledBytes === blockBytes) await this.#passOn();
      const bytes = rest.copy(this.#filling, this.#filledBytes, 0, blockBytes - this.#filledBytes);
      this.#filledBytes += bytes;
      rest = rest.subarray(bytes);
    }
  }

  /** Resolves when the bytes are on disk. The file's name may not be yet. */
  async end(): Promise<{ readonly sizeBytes: number }> {
    const { id, place, room } = this.#options;
    if (this.#filledBytes > 0) this.#checksums.push(checksumOf(this.#filling.subarray(0, this.#filledBytes)));
    const [sizeBytes, checksums] = [this.#sizeBytes, this.#checksums];
    const trailer = trailerOf(id, { sizeBytes, checksums, place, writtenAtMs: Date.now() });
    const lastBytes = this.#filledBytes + trailer.length;
    await room.take(lastBytes);
    const handle = await this.#open();
    await this.#writing;
    if (lastBytes <= this.#filling.length) {
      trailer.copy(this.#filling, this.#filledBytes);
      await writeAll(handle, this.#filling.subarray(0, lastBytes), this.#writtenBytes);
    } else {
      await writeAll(handle, this.#filling.subarray(0, this.#filledBytes), this.#writtenBytes);
      await writeAll(handle, trailer, this.#writtenBytes + this.#filledBytes);
    }
    await this.#sync(handle);
    return { sizeBytes };
  }

  /** Waits until no write is running, and returns the buffers. */
  async close(): Promise<void> {
    const { buffers } = this.#options;
    await this.#writing.catch(() => undefined);
    await this.#handle?.close();
    buffers.give(this.#filling);
    if (this.#spare !== undefined) buffers.give(this.#spare);
  }

  /** Starts writing the full block, and takes another buffer to fill. */
  async #passOn(): Promise<void> {
    const full = this.#filling.subarray(0, blockBytes);
    this.#checksums.push(checksumOf(full));
    await this.#options.room.take(blockBytes);
    const handle = await this.#open();
    await this.#writing;
    const at = this.#writtenBytes;
    this.#writtenBytes += blockBytes;
    this.#writing = writeAll(handle, full, at).then(() =>
      (at + blockBytes) % bytesPerSync === 0 ? this.#sync(handle) : undefined,
    );
    // Awaited with the next block.
    this.#writing.catch(() => undefined);
    [this.#filling, this.#spare] = [this.#spare ?? this.#options.buffers.take(), this.#filling];
    this.#filledBytes = 0;
  }

  #sync(handle: FileHandle): Promise<void> {
    return this.#options.syncs.run(() => handle.datasync());
  }

  async #open(): Promise<FileHandle> {
    this.#handle ??= await open(this.#options.path, 'wx', 0o640);
    return this.#handle;
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
