// Writes and reads blobs on this cluster's disk. A write returns the cluster's epoch as of its end. A cluster that copies these blobs lists
// them only once this cluster is in a later epoch. So either the listing has the blob, or its writer learns of the later epoch. A ring
// whose option is being deleted accepts no blobs. That too is checked at the end, so that a ring found empty after its end stays empty.
import type { BlobFolder } from '../../engine/blobs/blob-folder.ts';
import type {
  BlobOnDisk,
  BlobPlace,
  BlobRead,
  BlobStore,
  ByteRange,
  ListedBlob,
} from '../../engine/blobs/blob-store.ts';
import type { Partitions } from '../../engine/store/partitions.ts';

export class OwnBlobs implements BlobStore {
  readonly #folder: BlobFolder;
  readonly #partitions: Pick<Partitions, 'stateOf'>;

  constructor(folder: BlobFolder, partitions: Pick<Partitions, 'stateOf'>) {
    this.#folder = folder;
    this.#partitions = partitions;
  }

  async write(id: string, place: BlobPlace, body: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<BlobOnDisk> {
    const { sizeBytes } = await this.#folder.write(id, place, body, signal);
    // The blob stays whatever fails from here on, because it may have existed before. The collector checks it.
    const { epoch, isEnding } = await this.#partitions.stateOf(place.ring);
    if (isEnding) throw new Error(`the option of ring ${place.ring} is being deleted`);
    return { sizeBytes, epoch };
  }

  read(id: string, range?: ByteRange): Promise<BlobRead> {
    return this.#folder.read(id, range);
  }

  delete(id: string): Promise<void> {
    return this.#folder.delete(id);
  }

  list(ring: number, partition: number, after: string, limit: number): Promise<readonly ListedBlob[]> {
    return this.#folder.list(ring, partition, after, limit);
  }

  ids(ring: number, partition: number): Promise<readonly string[]> {
    return this.#folder.ids(ring, partition);
  }

  check(id: string): Promise<void> {
    return this.#folder.check(id);
  }

  partitions(ring: number): Promise<readonly number[]> {
    return this.#folder.partitions(ring);
  }
}
