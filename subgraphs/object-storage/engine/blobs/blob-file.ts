// The file of a blob: its bytes, then a trailer that identifies the blob and holds a checksum (crc32c) of each block. The file is written
// once. The trailer is the checksums (4 bytes each), the particulars as JSON, and a foot of fixed size from which the other parts are
// found.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32c } from '@node-rs/crc32';
import { z } from 'zod';
import { isMissing } from '../../../../platform/secrets/key-file.ts';
import { BlobDamagedError, NoBlobError } from './blob-errors.ts';
import { type BlobPlace, blockBytes } from './blob-store.ts';
import type { BlockBuffers } from './block-buffers.ts';

const magic = Buffer.from('tgblob1\n', 'latin1');
/** Magic, size of the bytes (6), size of the particulars (4), crc32c of the trailer before this field (4). */
const footBytes = magic.length + 14;
const checksumBytes = 4;
/** Enough for a name in which every character is escaped. */
const mostParticularsBytes = 16 * 1024;
/** Holds the whole trailer of most blobs. */
const tailBytes = 8 * 1024;
/** A file of at most this size is read in one call. */
const smallFileBytes = blockBytes + mostParticularsBytes + footBytes + checksumBytes;

const particulars = z.object({
  id: z.string(),
  ring: z.number(),
  partition: z.number(),
  registerRing: z.number(),
  scope: z.string(),
  name: z.string(),
  newest: z.string(),
  writtenAtMs: z.number(),
});

interface BlobFacts {
  readonly sizeBytes: number;
  /** One checksum per block. */
  readonly checksums: readonly number[];
  readonly place: BlobPlace;
  readonly writtenAtMs: number;
}

export function checksumOf(block: Buffer): number {
  return crc32c(block);
}

export function trailerOf(id: string, { sizeBytes, checksums, place, writtenAtMs }: BlobFacts): Buffer {
  const { ring, partition, registerRing, scope, name, newest } = place;
  const json = Buffer.from(JSON.stringify({ id, ring, partition, registerRing, scope, name, newest, writtenAtMs }));
  const trailer = Buffer.allocUnsafe(checksums.length * checksumBytes + json.length + footBytes);
  let at = 0;
  for (const checksum of checksums) at = trailer.writeUInt32BE(checksum, at);
  at += json.copy(trailer, at);
  at += magic.copy(trailer, at);
  at = trailer.writeUIntBE(sizeBytes, at, 6);
  at = trailer.writeUInt32BE(json.length, at);
  trailer.writeUInt32BE(crc32c(trailer.subarray(0, at)), at);
  return trailer;
}

/**
 * Parses the trailer at the end of these bytes. Returns a number if that many bytes from the end of the file are needed, and undefined if
 * the trailer is damaged.
 */
function factsIn(tail: Buffer, fileBytes: number, id: string): BlobFacts | number | undefined {
  if (tail.length < footBytes) return undefined;
  const foot = tail.subarray(tail.length - footBytes);
  if (!foot.subarray(0, magic.length).equals(magic)) return undefined;
  const sizeBytes = foot.readUIntBE(magic.length, 6);
  const jsonBytes = foot.readUInt32BE(magic.length + 6);
  const blocks = Math.ceil(sizeBytes / blockBytes);
  const trailerBytes = blocks * checksumBytes + jsonBytes + footBytes;
  if (jsonBytes > mostParticularsBytes || sizeBytes + trailerBytes !== fileBytes) return undefined;
  if (trailerBytes > tail.length) return trailerBytes;
  const trailer = tail.subarray(tail.length - trailerBytes);
  const checkedBytes = trailerBytes - checksumBytes;
  if (crc32c(trailer.subarray(0, checkedBytes)) !== trailer.readUInt32BE(checkedBytes)) return undefined;
  const checksums = Array.from({ length: blocks }, (_, block) => trailer.readUInt32BE(block * checksumBytes));
  const json = trailer.subarray(blocks * checksumBytes, trailerBytes - footBytes);
  const read = particularsIn(json);
  if (read?.id !== id) return undefined;
  const { id: _, writtenAtMs, ...place } = read;
  return { sizeBytes, checksums, writtenAtMs, place };
}

function particularsIn(json: Buffer): z.infer<typeof particulars> | undefined {
  try {
    return particulars.safeParse(JSON.parse(json.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** An open blob. It stays readable after the blob is deleted. */
export class BlobFile {
  readonly id: string;
  readonly facts: BlobFacts;
  readonly #from: FileHandle | Buffer;
  readonly #buffers: BlockBuffers | undefined;

  /** `from`: a buffer with all bytes of a small file. */
  private constructor(id: string, facts: BlobFacts, from: FileHandle | Buffer, buffers: BlockBuffers | undefined) {
    this.id = id;
    this.facts = facts;
    this.#from = from;
    this.#buffers = buffers;
  }

  /** `buffers`: give it to read blocks; a small file is then read at once. @throws NoBlobError, BlobDamagedError */
  static async open(path: string, id: string, buffers?: BlockBuffers): Promise<BlobFile> {
    // The path may be anything, such as a pipe: don't wait for a writer.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      if (isMissing(error)) throw new NoBlobError(id);
      throw isOfDisk(error) || isNoFile(error) ? new BlobDamagedError(id, undefined, error) : error;
    });
    try {
      const about = await handle.stat();
      if (!about.isFile()) throw new BlobDamagedError(id, undefined);
      const { size: fileBytes } = about;
      const isWhole = buffers !== undefined && fileBytes <= smallFileBytes;
      let tail = await (isWhole
        ? readAt(handle, 0, fileBytes, buffers.takeFor(fileBytes))
        : readAt(handle, Math.max(0, fileBytes - tailBytes), fileBytes));
      const bytes = isWhole ? tail : undefined;
      let facts = factsIn(tail, fileBytes, id);
      if (typeof facts === 'number') {
        tail = await readAt(handle, fileBytes - facts, fileBytes);
        facts = factsIn(tail, fileBytes, id);
      }
      if (facts === undefined || typeof facts === 'number') throw new BlobDamagedError(id, undefined);
      if (bytes === undefined) return new BlobFile(id, facts, handle, buffers);
      await handle.close();
      return new BlobFile(id, facts, bytes, buffers);
    } catch (error) {
      await handle.close();
      if (isOfDisk(error)) throw new BlobDamagedError(id, undefined, error);
      throw error;
    }
  }

  /** The caller may return the memory with `giveBack`. @throws BlobDamagedError */
  async block(index: number): Promise<Buffer> {
    const { sizeBytes, checksums } = this.facts;
    const [first, end] = [index * blockBytes, Math.min(sizeBytes, (index + 1) * blockBytes)];
    let block: Buffer;
    try {
      block = Buffer.isBuffer(this.#from)
        ? this.#from.subarray(first, end)
        : await readAt(this.#from, first, end, this.#buffers?.takeFor(end - first));
    } catch (error) {
      throw isOfDisk(error) ? new BlobDamagedError(this.id, index, error) : error;
    }
    if (checksumOf(block) !== checksums[index]) throw new BlobDamagedError(this.id, index);
    // A buffer that holds the whole file may have another block behind this one.
    if (!Buffer.isBuffer(this.#from) || sizeBytes <= blockBytes) this.#buffers?.lend(block);
    return block;
  }

  async close(): Promise<void> {
    if (!Buffer.isBuffer(this.#from)) await this.#from.close();
  }
}

/** Returns fewer bytes at the end of the file. `into` must have room for the range. */
async function readAt(handle: FileHandle, first: number, end: number, into?: Buffer): Promise<Buffer> {
  const bytes = into ?? Buffer.allocUnsafe(end - first);
  const wanted = end - first;
  let length = 0;
  while (length < wanted) {
    const { bytesRead } = await handle.read(bytes, length, wanted - length, first + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/** A socket, a symbolic link to itself, or a path below something that is not a folder. */
function isNoFile(error: unknown): boolean {
  return ['ENXIO', 'ELOOP', 'ENOTDIR'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** The disk failed to read these bytes. */
function isOfDisk(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'EIO';
}
