// A place for blobs: the bytes of objects, never changed once they are written. This cluster's disk and another cluster are asked alike.
import type { Version } from '../../../platform/registers/version.ts';

/** Each is checked by its own checksum. */
export const blockBytes = 1024 * 1024;
/** Of one blob; larger objects have several. */
export const mostBlobBytes = 5 * 1024 ** 3;
export const mostListed = 1_000;

export interface BlobPlace {
  readonly ring: number;
  readonly partition: number;
  /** In which the object's name is; an object may have an option of its own, and so its bytes another ring. */
  readonly registerRing: number;
  /** Of the object's name: 32 hexadecimal digits. */
  readonly scope: string;
  readonly name: string;
  /** The highest version under which the name may be written so that it refers to the blob. */
  readonly newest: Version;
}

export interface ByteRange {
  readonly firstByte: number;
  /** Inclusive. */
  readonly lastByte: number;
}

export interface BlobRead {
  /** Of the whole blob. */
  readonly sizeBytes: number;
  /** Of the range. Read it to its end, or call `return` of its iterator: until then the blob is held. */
  readonly body: AsyncIterable<Buffer>;
}

export interface ListedBlob {
  readonly id: string;
  readonly sizeBytes: number;
  readonly place: BlobPlace;
  readonly writtenAt: Date;
}

export interface BlobOnDisk {
  readonly sizeBytes: number;
  /** That of the blob's ring at this cluster, once the blob was there; undefined: a store that knows of no rings. */
  readonly epoch?: number | undefined;
}

export interface BlobStore {
  /**
   * Resolves when it is on disk for good. What is there by this id is replaced as a whole: it is the same, or damaged. When it rejects,
   * nothing is left of this write. `id`: made by newBlobId for this place. @throws DiskFullError, BlobTooLargeError
   */
  write(id: string, place: BlobPlace, body: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<BlobOnDisk>;
  /** Checks each block before it gives any of it. @throws NoBlobError, BlobDamagedError, also while the body is read; BlobRangeError */
  read(id: string, range?: ByteRange): Promise<BlobRead>;
  /** Nothing there: no error. Who reads it already reads it to its end. */
  delete(id: string): Promise<void>;
  /** In the order of ids. `after`: an id, or '' for the first; `limit`: 1 to 1000. */
  list(ring: number, partition: number, after: string, limit: number): Promise<readonly ListedBlob[]>;
}
