// This cluster's disk. What is written says afterwards in which epoch the cluster is: who takes over the cluster's blobs looks at them only once
// it is in a later epoch, so that each blob is either seen by it or its writer learns of that epoch. Into a ring whose option is being deleted
// nothing is written: that is looked at afterwards, too, so that who finds the ring empty once it ends knows that it stays so.
import type { BlobFolder } from '../blobs/blob-folder.ts';
import type { BlobOnDisk, BlobPlace, BlobRead, BlobStore, ByteRange, ListedBlob } from '../blobs/blob-store.ts';
import type { Partitions } from '../store/partitions.ts';

export class OwnBlobs implements BlobStore {
  readonly #folder: BlobFolder;
  readonly #partitions: Pick<Partitions, 'stateOf'>;

  constructor(folder: BlobFolder, partitions: Pick<Partitions, 'stateOf'>) {
    this.#folder = folder;
    this.#partitions = partitions;
  }

  async write(id: string, place: BlobPlace, body: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<BlobOnDisk> {
    const { sizeBytes } = await this.#folder.write(id, place, body, signal);
    // Whatever is wrong from here on, it stays, for it may have been here before; the collector looks at it.
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
