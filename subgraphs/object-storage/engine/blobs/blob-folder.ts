// The blobs of this cluster in a folder on its disk: `blobs/RING/PARTITION/ID`. A blob is written in `writing/` first and renamed when its
// bytes are on disk, so a file with a blob's name is always whole. Several processes may use the folder at once. Other files in it are not
// blobs and are never deleted.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readOnlyFault } from '../../../../platform/database/writable-folder.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { isMissing } from '../../../../platform/secrets/key-file.ts';
import { Turns } from '../../../../platform/work/turns.ts';
import { BlobBody } from './blob-body.ts';
import { BlobDamagedError, BlobRangeError, DiskFullError, NoBlobError } from './blob-errors.ts';
import { BlobFile } from './blob-file.ts';
import { folderOf, isBlobId, partitionOfBlob, requireIdOf } from './blob-id.ts';
import {
  type BlobOnDisk,
  type BlobPlace,
  type BlobRead,
  type BlobStore,
  type ByteRange,
  type ListedBlob,
  mostListed,
} from './blob-store.ts';
import { BlobWriter } from './blob-writer.ts';
import { BlockBuffers } from './block-buffers.ts';
import { DiskRoom, type DiskRoomOptions, withDiskFull } from './disk-room.ts';
import { FolderSync } from './folder-sync.ts';
import { untilAborted } from './until-aborted.ts';
import { WritingFolder } from './writing-folder.ts';

export interface BlobFolderOptions extends DiskRoomOptions {
  readonly log: Logger;
}

/** Each sync occupies one of the 16 threads (bin/node24) that reads also need. */
const syncsAtOnce = 8;

export class BlobFolder implements BlobStore {
  readonly #blobs: string;
  readonly #log: Logger;
  readonly #room: DiskRoom;
  readonly #writing: WritingFolder;
  readonly #buffers = new BlockBuffers();
  readonly #syncs = new Turns(syncsAtOnce);
  readonly #sync = new FolderSync(this.#syncs);
  /** Folders whose entries are already on disk. */
  readonly #made = new Map<string, Promise<void>>();

  private constructor(folder: string, options: BlobFolderOptions, writing: WritingFolder) {
    this.#blobs = join(folder, 'blobs');
    this.#log = options.log;
    this.#room = new DiskRoom(options);
    this.#writing = writing;
  }

  /** Removes unfinished files of dead processes. */
  static async open(options: BlobFolderOptions): Promise<BlobFolder> {
    await mkdir(join(options.folder, 'blobs'), { recursive: true, mode: 0o750 });
    const folder = await realpath(options.folder);
    return new BlobFolder(folder, options, await WritingFolder.open(join(folder, 'writing')));
  }

  /** Call it after the last write. */
  close(): Promise<void> {
    return this.#writing.close();
  }

  async write(id: string, place: BlobPlace, body: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<BlobOnDisk> {
    requireIdOf(id, place);
    const path = this.#writing.newPath();
    const [room, buffers, syncs] = [this.#room, this.#buffers, this.#syncs];
    const writer = new BlobWriter({ id, place, path, room, buffers, syncs });
    try {
      // Refuse before receiving bytes for a full disk.
      await room.take(0);
      for await (const chunk of signal === undefined ? body : untilAborted(body, signal)) await writer.add(chunk);
      const written = await writer.end();
      const folder = await this.#folder(place);
      signal?.throwIfAborted();
      await this.#place(path, join(folder, id));
      await this.#sync.sync(folder);
      return written;
    } catch (error) {
      await rm(path, { force: true });
      throw withDiskFull(error, this.#blobs);
    } finally {
      await writer.close();
    }
  }

  /** Why the folder takes no blobs (full or read-only). Undefined if it does. */
  async fault(): Promise<string | undefined> {
    const fault = readOnlyFault(this.#blobs);
    if (fault !== undefined || (await this.#room.isLeft())) return fault;
    return new DiskFullError(this.#blobs).message;
  }

  async read(id: string, range?: ByteRange): Promise<BlobRead> {
    const file = await BlobFile.open(this.#pathOf(id), id, this.#buffers);
    const { sizeBytes } = file.facts;
    const { firstByte, lastByte } = range ?? { firstByte: 0, lastByte: sizeBytes - 1 };
    if (range !== undefined && !(firstByte >= 0 && firstByte <= lastByte && lastByte < sizeBytes)) {
      await file.close();
      throw new BlobRangeError(id, sizeBytes);
    }
    return { sizeBytes, body: new BlobBody(file, { firstByte, lastByte }) };
  }

  /** Checks the trailer of the file, without reading its bytes. @throws NoBlobError, BlobDamagedError */
  async check(id: string): Promise<void> {
    const file = await BlobFile.open(this.#pathOf(id), id);
    await file.close();
  }

  async delete(id: string): Promise<void> {
    await unlink(this.#pathOf(id)).catch((error: unknown) => {
      // A folder is not a blob.
      if (!isMissing(error) && codeOf(error) !== 'EISDIR') throw error;
    });
  }

  /** Partitions of the ring that have, or once had, a blob here. */
  async partitions(ring: number): Promise<readonly number[]> {
    const names = await this.#namesIn(dirname(join(this.#blobs, folderOf({ ring, partition: 0 }))));
    return names.filter((name) => /^[0-9a-f]{3}$/.test(name)).map((name) => Number.parseInt(name, 16));
  }

  /** All ids found here, in order. Includes damaged blobs, which `list` leaves out. */
  async ids(ring: number, partition: number): Promise<readonly string[]> {
    return (await this.#namesIn(join(this.#blobs, folderOf({ ring, partition })))).filter(isBlobId).sort();
  }

  async list(ring: number, partition: number, after: string, limit: number): Promise<readonly ListedBlob[]> {
    const folder = join(this.#blobs, folderOf({ ring, partition }));
    const ids = (await this.ids(ring, partition)).filter((id) => id > after);
    const listed: ListedBlob[] = [];
    for (const id of ids) {
      if (listed.length === Math.min(limit, mostListed)) break;
      const blob = await this.#listed(join(folder, id), id);
      if (blob !== undefined) listed.push(blob);
    }
    return listed;
  }

  /** Undefined if the blob was deleted in between or can't be read. */
  async #listed(path: string, id: string): Promise<ListedBlob | undefined> {
    try {
      const file = await BlobFile.open(path, id);
      await file.close();
      const { sizeBytes, place, writtenAtMs } = file.facts;
      return { id, sizeBytes, place, writtenAt: new Date(writtenAtMs) };
    } catch (error) {
      if (error instanceof NoBlobError) return undefined;
      if (!(error instanceof BlobDamagedError)) throw error;
      this.#log.error({ err: error }, 'a damaged blob is left out of a listing');
      return undefined;
    }
  }

  async #namesIn(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(folder);
    } catch (error) {
      if (isMissing(error)) return [];
      if (codeOf(error) !== 'ENOTDIR') throw error;
      this.#log.error({ path: folder }, 'something else is in the place of blobs: move it away');
      return [];
    }
  }

  /** Replaces whatever is at the path. A folder can't be replaced: it is moved aside. */
  async #place(path: string, blob: string): Promise<void> {
    try {
      await rename(path, blob);
    } catch (error) {
      if (codeOf(error) !== 'EISDIR') throw error;
      const aside = `${blob}.${randomBytes(4).toString('hex')}`;
      this.#log.warn({ path: aside }, 'a folder was in the place of a blob: it was moved here');
      await rename(blob, aside);
      await rename(path, blob);
    }
  }

  #pathOf(id: string): string {
    return join(this.#blobs, folderOf(partitionOfBlob(id)), id);
  }

  /** The folder of a partition. When the promise resolves, the folder's own entry is on disk. */
  async #folder(place: BlobPlace): Promise<string> {
    const folder = join(this.#blobs, folderOf(place));
    await this.#once(dirname(folder));
    await this.#once(folder);
    return folder;
  }

  /** Each process syncs the folder's entry itself: the process that created the folder may not have done so yet. */
  async #once(folder: string): Promise<void> {
    const made = this.#made.get(folder) ?? this.#make(folder);
    this.#made.set(folder, made);
    try {
      await made;
    } catch (error) {
      this.#made.delete(folder);
      throw error;
    }
  }

  async #make(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    await this.#sync.sync(dirname(folder));
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
