// Deletes blobs of this cluster that no object refers to any more: those of overwritten or deleted objects and of aborted uploads. Only a
// value up to the blob's `newest` version may refer to it. So if a majority has a later version without a reference, no reference can
// appear again. If the majority's version is older, it is first written again with a later version, because a write with unknown outcome
// could still arrive. The result is remembered, as a deletion may be forgotten before the next round. Each cluster collects on its own
// disk. The register may be in another ring than the blob, at other clusters; the blob names that ring.
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../../platform/log/log.ts';
import { ClosedError } from '../../../../platform/registers/errors.ts';
import { timeOf, type Version } from '../../../../platform/registers/version.ts';
import { partitionOf } from '../../../../platform/rings/ring.ts';
import type { Loop } from '../../../../platform/work/loop.ts';
import type { BlobFolder } from '../blobs/blob-folder.ts';
import type { BlobPlace, BlobStore, ListedBlob } from '../blobs/blob-store.ts';
import { gateOf } from '../store/gate.ts';
import type { RegisterKey, Replica, StoredValue } from '../store/register.ts';
import type { Names } from './names.ts';
import { nameOf } from './register-names.ts';
import { sharedLoop } from './shared-loop.ts';
import type { Topology } from './topology.ts';
import { gateState, readObject, usualPartsMs } from './values.ts';

interface CollectorOptions {
  readonly names: Pick<Names, 'read' | 'update'>;
  readonly topology: Pick<Topology, 'placement'>;
  /** The replica of this cluster. */
  readonly replica: Pick<Replica, 'ask'>;
  readonly blobs: Pick<BlobStore, 'list' | 'delete'> & Pick<BlobFolder, 'partitions'>;
  readonly rings: () => readonly number[];
  readonly log: Logger;
  /** Whether this process should collect now, rather than another server of the cluster. */
  readonly isMine?: () => Promise<boolean>;
  readonly nowMs?: () => number;
  /** A reader of an object that is overwritten can continue for this long; default 6 hours. */
  readonly readingMs?: number | undefined;
  /** Pause between two rounds; default 1 hour. */
  readonly pauseMs?: number | undefined;
}

const usualReadingMs = 6 * 3_600_000;
const usualPauseMs = 3_600_000;
const blobsAtOnce = 100;
/** Requests to another cluster that start together travel in one message. */
const namesAtOnce = 16;
/** Blobs that drop out of the cache are checked again. */
const mostLeft = 100_000;

export class Collector {
  readonly #options: CollectorOptions;
  readonly #loop: Loop;
  /** By id: blobs without any possible reference, with the time since when that is so. */
  readonly #left = new LRUCache<string, number>({ max: mostLeft });
  /** Count since the start. */
  deleted = 0;

  constructor(options: CollectorOptions) {
    this.#options = options;
    const { log, isMine, pauseMs = usualPauseMs } = options;
    this.#loop = sharedLoop({
      ...{ log, name: 'collect blobs', isMine, pauseMs },
      round: async (signal) => {
        const deleted = await this.collect(signal);
        if (deleted > 0) log.info({ deleted }, 'deleted blobs without references');
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One round over all partitions. @returns the number of deleted blobs */
  async collect(signal: AbortSignal): Promise<number> {
    const { rings, blobs, log } = this.#options;
    let deleted = 0;
    for (const ring of rings())
      for (const partition of await blobs.partitions(ring)) {
        if (signal.aborted) return deleted;
        deleted += await this.#collectOf(ring, partition, signal).catch((error: unknown) => {
          log.warn(
            { err: error, ring, partition },
            'could not collect the blobs of a partition: the next round tries again',
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

  /** One after the other: in parallel they would conflict. */
  async #collectOfName(ofName: readonly ListedBlob[], signal: AbortSignal): Promise<number> {
    const { blobs, log } = this.#options;
    let deleted = 0;
    for (const blob of ofName) {
      if (signal.aborted) return deleted;
      // If no majority answers now, the next round tries again.
      const isLeft = await this.#isLeft(blob).catch((error: unknown) => {
        log.debug({ err: error, blob: blob.id }, 'cannot find out whether a blob is still referred to');
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

  /** Nothing refers to it, nothing ever will, and nobody reads it. */
  async #isLeft({ id, place, writtenAt }: ListedBlob): Promise<boolean> {
    const { nowMs = Date.now, readingMs = usualReadingMs } = this.#options;
    const { newest } = place;
    const key = keyOfBlob(place);
    const known = this.#left.get(id);
    if (known !== undefined) return nowMs() > known + readingMs;
    // A version may be years ahead if a clock was. A write takes no longer than a multipart upload does.
    const untilMs = Math.min(timeOf(newest), writtenAt.getTime() + usualPartsMs);
    if (nowMs() < untilMs || (await this.#isReferredHere(key, id))) return false;
    const since = await this.#passed(key, id, newest);
    if (since === 'DELETED' || since === undefined) return since === 'DELETED';
    const sinceMs = Math.min(timeOf(since), nowMs());
    this.#left.set(id, sinceMs);
    return nowMs() > sinceMs + readingMs;
  }

  /** A version at a majority after which nothing can refer to the blob. Undefined if something does or might. */
  async #passed(key: RegisterKey, id: string, newest: Version): Promise<Version | 'DELETED' | undefined> {
    const { names } = this.#options;
    try {
      let { version, value } = await names.read(key);
      if (version <= newest && !refers(value, id)) {
        const { written } = await names.update(
          key,
          ({ value: found }) =>
            refers(found, id) ? { keeps: true, result: undefined } : { keeps: false, value: found, result: undefined },
          { after: newest },
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

  /** Checks this cluster's own row, which is cheap and decides for most blobs. */
  async #isReferredHere(key: RegisterKey, id: string): Promise<boolean> {
    const { replica, topology } = this.#options;
    const { epoch } = await topology.placement(key.ring, partitionOf(key.scope), 0);
    const answer = await replica.ask({ op: 'read', key, epoch });
    return answer.refused === undefined && refers(answer.row?.value, id);
  }
}

/** The name that may refer to it. */
export function keyOfBlob({ registerRing: ring, scope, name }: BlobPlace): RegisterKey {
  return { ring, scope, name };
}

export function refers(value: StoredValue | undefined, id: string): boolean {
  if (value === undefined) return false;
  const { content } = readObject(value);
  return 'blobs' in content && content.blobs.some((blob) => blob.id === id);
}
