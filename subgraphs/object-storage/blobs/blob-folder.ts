// The blobs of this cluster in a folder of its disk: `blobs/RING/PARTITION/ID`, written first in `writing/`. What is there by its name is
// whole: a file gets its name when its bytes are on disk. Several processes may use the folder at once. What else is found there is no blob, and
// is not deleted.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '../../../platform/log.ts';
import { isMissing } from '../../../platform/secrets/key-file.ts';
import { Turns } from '../../../platform/turns.ts';
import { BlobBody } from './blob-body.ts';
import { BlobDamagedError, BlobRangeError, NoBlobError } from './blob-errors.ts';
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

/** Each waits for the disk in one of the threads (bin/node24 has 16), which reads need as well. */
const syncsAtOnce = 8;

export class BlobFolder implements BlobStore {
  readonly #blobs: string;
  readonly #log: Logger;
  readonly #room: DiskRoom;
  readonly #writing: WritingFolder;
  readonly #buffers = new BlockBuffers();
  readonly #syncs = new Turns(syncsAtOnce);
  readonly #sync = new FolderSync(this.#syncs);
  /** Folders that are there for good. */
  readonly #made = new Map<string, Promise<void>>();

  private constructor(folder: string, options: BlobFolderOptions, writing: WritingFolder) {
    this.#blobs = join(folder, 'blobs');
    this.#log = options.log;
    this.#room = new DiskRoom(options);
    this.#writing = writing;
  }

  /** Removes what dead processes left half written. */
  static async open(options: BlobFolderOptions): Promise<BlobFolder> {
    await mkdir(join(options.folder, 'blobs'), { recursive: true, mode: 0o750 });
    const folder = await realpath(options.folder);
    return new BlobFolder(folder, options, await WritingFolder.open(join(folder, 'writing')));
  }

  /** After the last write. */
  close(): Promise<void> {
    return this.#writing.close();
  }

  async write(id: string, place: BlobPlace, body: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<BlobOnDisk> {
    requireIdOf(id, place);
    const path = this.#writing.newPath();
    const [room, buffers, syncs] = [this.#room, this.#buffers, this.#syncs];
    const writer = new BlobWriter({ id, place, path, room, buffers, syncs });
    try {
      // Nothing is received for a full disk.
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

  /** That it is there, by what its file says of itself; its bytes are not read. @throws NoBlobError, BlobDamagedError */
  async check(id: string): Promise<void> {
    const file = await BlobFile.open(this.#pathOf(id), id);
    await file.close();
  }

  async delete(id: string): Promise<void> {
    await unlink(this.#pathOf(id)).catch((error: unknown) => {
      // A folder is no blob.
      if (!isMissing(error) && codeOf(error) !== 'EISDIR') throw error;
    });
  }

  /** Partitions of the ring that have or had a blob here. */
  async partitions(ring: number): Promise<readonly number[]> {
    const names = await this.#namesIn(dirname(join(this.#blobs, folderOf({ ring, partition: 0 }))));
    return names.filter((name) => /^[0-9a-f]{3}$/.test(name)).map((name) => Number.parseInt(name, 16));
  }

  /** Of all that is there by the name of a blob, also of what is damaged and therefore not listed; in order. */
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

  /** Undefined: it was deleted meanwhile, or nothing can be told of it. */
  async #listed(path: string, id: string): Promise<ListedBlob | undefined> {
    try {
      const file = await BlobFile.open(path, id);
      await file.close();
      const { sizeBytes, place, writtenAtMs } = file.facts;
      return { id, sizeBytes, place, writtenAt: new Date(writtenAtMs) };
    } catch (error) {
      if (error instanceof NoBlobError) return undefined;
      if (!(error instanceof BlobDamagedError)) throw error;
      this.#log.error({ err: error }, 'a damaged blob is left out of a list');
      return undefined;
    }
  }

  async #namesIn(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(folder);
    } catch (error) {
      if (isMissing(error)) return [];
      if (codeOf(error) !== 'ENOTDIR') throw error;
      this.#log.error({ path: folder }, 'where blobs belong is something else: move it away');
      return [];
    }
  }

  /** Replaces what is there as a whole. A folder can't be replaced: it is kept aside. */
  async #place(path: string, blob: string): Promise<void> {
    try {
      await rename(path, blob);
    } catch (error) {
      if (codeOf(error) !== 'EISDIR') throw error;
      const aside = `${blob}.${randomBytes(4).toString('hex')}`;
      this.#log.warn({ path: aside }, 'where a blob belongs was a folder: it is here now');
      await rename(blob, aside);
      await rename(path, blob);
    }
  }

  #pathOf(id: string): string {
    return join(this.#blobs, folderOf(partitionOfBlob(id)), id);
  }

  /** Of a partition; when it resolves, the folder itself is on disk for good. */
  async #folder(place: BlobPlace): Promise<string> {
    const folder = join(this.#blobs, folderOf(place));
    await this.#once(dirname(folder));
    await this.#once(folder);
    return folder;
  }

  /** Each process brings a folder's entry to the disk itself: who made it may not have done so yet. */
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
