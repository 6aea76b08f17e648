// A place for blobs: the bytes of objects, which never change once written. This cluster's disk and other clusters implement it.
import type { Version } from '../../../../platform/registers/version.ts';

/** Each block has its own checksum. */
export const blockBytes = 1024 * 1024;
/** The largest blob. Larger objects have several blobs. */
export const mostBlobBytes = 5 * 1024 ** 3;
export const mostListed = 1_000;

export interface BlobPlace {
  readonly ring: number;
  readonly partition: number;
  /** The ring of the object's name. The bytes may be in another ring, because an object may have its own option. */
  readonly registerRing: number;
  /** Scope of the object's name: 32 hexadecimal digits. */
  readonly scope: string;
  readonly name: string;
  /** The highest version with which the name may be written to refer to the blob. */
  readonly newest: Version;
}

export interface ByteRange {
  readonly firstByte: number;
  /** Inclusive. */
  readonly lastByte: number;
}

export interface BlobRead {
  /** Size of the whole blob. */
  readonly sizeBytes: number;
  /** The bytes of the range. Read it to its end, or call `return` on its iterator: until then the blob is held open. */
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
  /** Epoch of the blob's ring at this cluster after the blob was found. Undefined for a store without rings. */
  readonly epoch?: number | undefined;
}

export interface BlobStore {
  /**
   * Resolves when the blob is on disk. Replaces a blob with the same id, which is the same or damaged. If it rejects, nothing of this write
   * remains. `id`: made by newBlobId for this place. @throws DiskFullError, BlobTooLargeError
   */
  write(id: string, place: BlobPlace, body: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<BlobOnDisk>;
  /** Checks each block before returning any of its bytes. @throws NoBlobError, BlobDamagedError (also while the body is read), BlobRangeError */
  read(id: string, range?: ByteRange): Promise<BlobRead>;
  /** Not an error if the blob is missing. Readers that have it open can finish. */
  delete(id: string): Promise<void>;
  /** In order of ids. `after`: an id, or '' for the first page. `limit`: 1 to 1000. */
  list(ring: number, partition: number, after: string, limit: number): Promise<readonly ListedBlob[]>;
}
