// The bytes of objects that are too large for their register's row.
import type { Version } from '../../../platform/registers/version.ts';
import type { Range } from './namespace.ts';
import type { BlobRef } from './values.ts';

/** Of the object: it says at which clusters its blobs are. */
export interface BlobOwner {
  /** Of its name. */
  readonly ring: number;
  /** Of its blobs. */
  readonly blobRing: number;
  readonly scope: string;
  readonly name: string;
}

export interface WrittenBlob extends BlobRef {
  /**
   * Only a register's value up to this version may refer to the blob. What is later than that, and has no reference to it, lets the blob be
   * deleted.
   */
  readonly newest: Version;
}

export interface Blobs {
  /**
   * Resolves when it is on disk at a majority. `newest`: of an upload in parts; default: some hours from now. @throws NoQuorumError,
   * DiskFullError, and what the body throws
   */
  write(owner: BlobOwner, body: AsyncIterable<Buffer>, newest?: Version): Promise<WrittenBlob>;
  /** Checked, from whoever has it: its id says where it is. */
  read(blob: BlobRef, range: Range): AsyncIterable<Buffer>;
}
