// The bytes of objects that are too large for their register's row.
import type { Version } from '../../../../platform/registers/version.ts';
import type { Range } from './namespace.ts';
import type { BlobRef } from './values.ts';

/** Identifies the object: determines the clusters of its blobs. */
export interface BlobOwner {
  /** The ring of its name. */
  readonly ring: number;
  /** The ring of its blobs. */
  readonly blobRing: number;
  readonly scope: string;
  readonly name: string;
}

export interface WrittenBlob extends BlobRef {
  /**
   * Only register values up to this version may refer to the blob. A later value without a reference to it allows the blob to be deleted.
   */
  readonly newest: Version;
}

export interface BlobLimit {
  /** As in WrittenBlob, for a multipart upload. Default: some hours from now. */
  readonly newest?: Version | undefined;
  /** The name's version, if a clock was ahead: `newest` is made later than it. */
  readonly after?: Version | undefined;
}

export interface Blobs {
  /** Resolves when the blob is on disk at a majority. @throws NoQuorumError, DiskFullError, and errors of the body */
  write(owner: BlobOwner, body: AsyncIterable<Buffer>, limit?: BlobLimit): Promise<WrittenBlob>;
  /** Reads checked bytes from any cluster that has them. The blob's id determines the clusters. */
  read(blob: BlobRef, range: Range): AsyncIterable<Buffer>;
}
