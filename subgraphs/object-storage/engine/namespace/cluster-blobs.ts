// The blobs of objects at the clusters of their partition: written to all of them at once, read from the nearest whole copy.
import { NoQuorumError } from '../../../../platform/registers/errors.ts';
import { clustersOf, isQuorum } from '../../../../platform/registers/placement.ts';
import type { VersionClock } from '../../../../platform/registers/version.ts';
import { partitionOf } from '../../../../platform/rings/ring.ts';
import { before, newBlobId, partitionOfBlob } from '../blobs/blob-id.ts';
import type { BlobPlace, BlobStore } from '../blobs/blob-store.ts';
import type { RepairingReader } from '../blobs/repairing-reader.ts';
import { writeToAll } from '../blobs/write-to-all.ts';
import type { BlobLimit, BlobOwner, Blobs, WrittenBlob } from './blobs.ts';
import type { Range } from './namespace.ts';
import type { Topology } from './topology.ts';
import type { BlobRef } from './values.ts';

interface ClusterBlobsOptions {
  readonly topology: Topology;
  /** Undefined for an unknown cluster. */
  readonly store: (cluster: number) => BlobStore | undefined;
  readonly reader: Pick<RepairingReader, 'read'>;
  readonly clock: VersionClock;
  /** An object must refer to a blob within this time after its upload began; default 12 hours. */
  readonly uploadMs?: number | undefined;
}

const usualUploadMs = 12 * 3_600_000;
/** Most steps of a ring change during one upload. */
const mostSteps = 8;

export class ClusterBlobs implements Blobs {
  readonly #options: ClusterBlobsOptions;

  constructor(options: ClusterBlobsOptions) {
    this.#options = options;
  }

  async write(owner: BlobOwner, body: AsyncIterable<Buffer>, limit: BlobLimit = {}): Promise<WrittenBlob> {
    const { topology, clock, uploadMs = usualUploadMs } = this.#options;
    const { ring: registerRing, blobRing: ring, scope, name } = owner;
    const partition = partitionOf(`${scope}/${name}`);
    const placement = await topology.placement(ring, partition, 0);
    const { groups } = placement;
    const id = newBlobId({ ring, partition });
    const newest = limit.newest ?? clock.lastWithin(uploadMs, limit.after);
    const place = { ring, partition, registerRing, scope, newest, name };
    const { sizeBytes, epoch } = await writeToAll(this.#stores(groups.flat()), groups, id, place, body);
    if (epoch > placement.epoch) await this.#bringTo(epoch, id, place);
    return { id, sizeBytes, newest };
  }

  /**
   * The ring changed during the write: a cluster that gains the partition may have listed the holders' blobs before this one existed. So it
   * is copied to a majority of the new ring.
   */
  async #bringTo(leastEpoch: number, id: string, place: BlobPlace): Promise<void> {
    const { topology } = this.#options;
    let epoch = leastEpoch;
    for (let attempt = 0; attempt < mostSteps; attempt += 1) {
      const placement = await topology.placement(place.ring, place.partition, epoch);
      const stores = this.#stores(clustersOf(placement));
      const holders = new Set<number>();
      await Promise.all(
        [...stores].map(async ([cluster, store]) => {
          const [first] = await store.list(place.ring, place.partition, before(id), 1).catch(() => []);
          if (first?.id === id) holders.add(cluster);
        }),
      );
      const sources = [...stores].flatMap(([cluster, store]) => (holders.has(cluster) ? [{ cluster, store }] : []));
      for (const [cluster, store] of stores) {
        if (holders.has(cluster)) continue;
        try {
          const { body } = await this.#options.reader.read(sources, id);
          const written = await store.write(id, place, body);
          epoch = Math.max(epoch, written.epoch ?? 0);
          holders.add(cluster);
        } catch {
          // Whether the others are enough is decided below.
        }
      }
      if (!isQuorum(placement, holders))
        throw new NoQuorumError(`too few clusters accept the blob ${id} while its ring changes`);
      if (epoch <= placement.epoch) return;
    }
    throw new NoQuorumError(`the ring of the blob ${id} keeps changing`);
  }

  async *read({ id }: BlobRef, range: Range): AsyncGenerator<Buffer, void> {
    const { topology, reader } = this.#options;
    const { ring, partition } = partitionOfBlob(id);
    const stores = this.#stores(clustersOf(await topology.placement(ring, partition, 0)));
    // This cluster's own disk first.
    const sources = [...stores]
      .map(([cluster, store]) => ({ cluster, store }))
      .toSorted((one, other) => Number(other.cluster === topology.self) - Number(one.cluster === topology.self));
    if (sources.length === 0) throw new NoQuorumError(`no known cluster has the blob ${id}`);
    const { body } = await reader.read(sources, id, range);
    yield* body;
  }

  #stores(clusters: readonly number[]): ReadonlyMap<number, BlobStore> {
    const stores = new Map<number, BlobStore>();
    for (const cluster of clusters) {
      const store = this.#options.store(cluster);
      if (store !== undefined) stores.set(cluster, store);
    }
    return stores;
  }
}
