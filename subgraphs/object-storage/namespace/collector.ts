// Deletes blobs of this cluster to which no object refers any more: of objects that were overwritten or deleted, and of uploads that were broken
// off. Only a value up to the blob's `newest` version may refer to it. So where a majority has a later version that does not refer to it,
// nothing ever will; where what it has is older, that is first written again under a later version, or a write of unknown fate could still
// come. That is remembered: a deletion may be forgotten before the next round. Each cluster does this for its own disk. The register may be in
// another ring than the blob, at other clusters: the blob says in which.
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../platform/log.ts';
import type { Loop } from '../../../platform/loop.ts';
import { ClosedError } from '../../../platform/registers/errors.ts';
import { timeOf, type Version } from '../../../platform/registers/version.ts';
import { partitionOf } from '../../../platform/rings/ring.ts';
import type { BlobFolder } from '../blobs/blob-folder.ts';
import type { BlobPlace, BlobStore, ListedBlob } from '../blobs/blob-store.ts';
import { gateOf } from '../store/gate.ts';
import type { RegisterKey, Replica, StoredValue } from '../store/register.ts';
import type { Names } from './names.ts';
import { nameOf } from './register-names.ts';
import { sharedLoop } from './shared-loop.ts';
import type { Topology } from './topology.ts';
import { gateState, readObject } from './values.ts';

export interface CollectorOptions {
  readonly names: Pick<Names, 'read' | 'update'>;
  readonly topology: Pick<Topology, 'placement'>;
  /** Of this cluster. */
  readonly replica: Pick<Replica, 'ask'>;
  readonly blobs: Pick<BlobStore, 'list' | 'delete'> & Pick<BlobFolder, 'partitions'>;
  readonly rings: () => readonly number[];
  readonly log: Logger;
  /** Whether this process is to do it now; another server of the cluster may. */
  readonly isMine?: () => Promise<boolean>;
  readonly nowMs?: () => number;
  /** Who reads an object while it is overwritten reads on for so long; default 6 hours. */
  readonly readingMs?: number | undefined;
  /** Between two rounds; default an hour. */
  readonly pauseMs?: number | undefined;
}

const usualReadingMs = 6 * 3_600_000;
const usualPauseMs = 3_600_000;
const blobsAtOnce = 100;
/** What is asked of another cluster at once goes there in one message. */
const namesAtOnce = 16;
/** Who is forgotten is looked at again. */
const mostLeft = 100_000;

export class Collector {
  readonly #options: CollectorOptions;
  readonly #loop: Loop;
  /** By id: blobs to which nothing refers nor ever will, with the version since which that is so. */
  readonly #left = new LRUCache<string, Version>({ max: mostLeft });
  /** Since the start. */
  deleted = 0;

  constructor(options: CollectorOptions) {
    this.#options = options;
    const { log, isMine, pauseMs = usualPauseMs } = options;
    this.#loop = sharedLoop({
      ...{ log, name: 'collect blobs', isMine, pauseMs },
      round: async (signal) => {
        const deleted = await this.collect(signal);
        if (deleted > 0) log.info({ deleted }, 'blobs were deleted to which nothing refers');
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One round over all partitions. @returns how many blobs it deleted */
  async collect(signal: AbortSignal): Promise<number> {
    const { rings, blobs, log } = this.#options;
    let deleted = 0;
    for (const ring of rings())
      for (const partition of await blobs.partitions(ring)) {
        if (signal.aborted) return deleted;
        deleted += await this.#collectOf(ring, partition, signal).catch((error: unknown) => {
          log.warn(
            { err: error, ring, partition },
            'blobs of a partition were not collected: the next round looks again',
          );
          return 0;
        });
      }
    return deleted;
  }

  async #collectOf(ring: number, partition: number, signal: AbortSignal): Promise<number> {
    let deleted = 0;
    for (let after = ''; ; ) {
      const page = await this.#options.blobs.list(ring, partition, after, blobsAtOnce);
      const byName = [...Map.groupBy(page, ({ place }) => nameOf(keyOfBlob(place))).values()];
      for (let from = 0; from < byName.length; from += namesAtOnce) {
        const some = byName.slice(from, from + namesAtOnce);
        for (const each of await Promise.all(some.map((blobs) => this.#collectOfName(blobs, signal)))) deleted += each;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < blobsAtOnce) return deleted;
      after = last.id;
    }
  }

  /** One after the other: they would be in each other's way. */
  async #collectOfName(ofName: readonly ListedBlob[], signal: AbortSignal): Promise<number> {
    const { blobs, log } = this.#options;
    let deleted = 0;
    for (const blob of ofName) {
      if (signal.aborted) return deleted;
      // Where no majority answers now, the next round looks again.
      const isLeft = await this.#isLeft(blob).catch((error: unknown) => {
        log.debug({ err: error, blob: blob.id }, 'it is not known whether a blob is referred to');
        return false;
      });
      if (!isLeft) continue;
      await blobs.delete(blob.id);
      this.#left.delete(blob.id);
      deleted += 1;
      this.deleted += 1;
    }
    return deleted;
  }

  /** Nothing refers to it, nor ever will, and nobody reads it. */
  async #isLeft({ id, place }: ListedBlob): Promise<boolean> {
    const { nowMs = Date.now, readingMs = usualReadingMs } = this.#options;
    const { newest } = place;
    const key = keyOfBlob(place);
    const known = this.#left.get(id);
    if (known !== undefined) return nowMs() > timeOf(known) + readingMs;
    if (nowMs() < timeOf(newest) || (await this.#isReferredHere(key, id))) return false;
    const since = await this.#passed(key, id, newest);
    if (since === 'DELETED' || since === undefined) return since === 'DELETED';
    this.#left.set(id, since);
    return nowMs() > timeOf(since) + readingMs;
  }

  /** A version at a majority from which on nothing can refer to the blob any more; undefined: something does, or may. */
  async #passed(key: RegisterKey, id: string, newest: Version): Promise<Version | 'DELETED' | undefined> {
    const { names } = this.#options;
    try {
      let { version, value } = await names.read(key);
      if (version <= newest && !refers(value, id)) {
        const { written } = await names.update(key, ({ value: found }) =>
          refers(found, id) ? { keeps: true, result: undefined } : { keeps: false, value: found, result: undefined },
        );
        ({ version, value } = written);
      }
      return version > newest && !refers(value, id) ? version : undefined;
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
      const gate = await names.read(gateOf(key));
      return gate.value !== undefined && gateState(gate.value) === 'DELETED' ? 'DELETED' : undefined;
    }
  }

  /** By this cluster's own row, which costs little: what most blobs are. */
  async #isReferredHere(key: RegisterKey, id: string): Promise<boolean> {
    const { replica, topology } = this.#options;
    const { epoch } = await topology.placement(key.ring, partitionOf(key.scope), 0);
    const answer = await replica.ask({ op: 'read', key, epoch });
    return answer.refused === undefined && refers(answer.row?.value, id);
  }
}

/** Of the name that may refer to it. */
export function keyOfBlob({ registerRing: ring, scope, name }: BlobPlace): RegisterKey {
  return { ring, scope, name };
}

export function refers(value: StoredValue | undefined, id: string): boolean {
  if (value === undefined) return false;
  const { content } = readObject(value);
  return 'blobs' in content && content.blobs.some((blob) => blob.id === id);
}
