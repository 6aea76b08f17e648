// What this cluster still has of rings whose options are being deleted: blobs on its disk, and containers. Checked only once this cluster
// accepts nothing more for the ring, so that a cluster with nothing left stays that way. A blob with a reference holds the option. Other
// blobs are those of unfinished uploads and deleted objects that the collector has yet to check.
import type { Logger } from '../../../../platform/log/log.ts';
import { ClosedError } from '../../../../platform/registers/errors.ts';
import { Looped } from '../../../../platform/work/loop.ts';
import type { ListedBlob } from '../../engine/blobs/blob-store.ts';
import type { FederationMap } from '../../engine/federation/federation-map.ts';
import { keyOfBlob, refers } from '../../engine/namespace/collector.ts';
import type { Containers } from '../../engine/namespace/containers.ts';
import type { Names } from '../../engine/namespace/names.ts';
import { type GateValue, readJson } from '../../engine/namespace/values.ts';
import type { Durability } from '../../engine/store/durability.ts';
import { gateOf } from '../../engine/store/gate.ts';
import type { Partitions } from '../../engine/store/partitions.ts';
import type { OpenGate } from '../../engine/store/sealed-gates.ts';
import { isOver, type RingEnd } from '../../wire/controller-wire.ts';
import type { OwnBlobs } from './own-blobs.ts';

interface RingEndingsOptions {
  readonly map: Pick<FederationMap, 'rings'>;
  readonly partitions: Pick<Partitions, 'stateOf' | 'lost'>;
  readonly durability: Pick<Durability, 'flush'>;
  readonly blobs: Pick<OwnBlobs, 'partitions' | 'ids' | 'list'>;
  /** Open gates of a ring at this cluster's replica; a few are enough. */
  readonly gates: (ring: number) => Promise<readonly OpenGate[]>;
  readonly names: Pick<Names, 'read'>;
  readonly containers: Pick<Containers, 'endUnnamed'>;
  readonly log: Logger;
  /** Whether this process should do it now, rather than another server of the cluster. */
  readonly isMine: () => Promise<boolean>;
}

type Held = NonNullable<RingEnd['held']>;

const leastPauseMs = 2_000;
/** The pause is this many times as long as the check took, to leave the machine to users. */
const pauseShare = 10;
const blobsAtOnce = 100;
const namesAtOnce = 16;
const longestName = 200;

export class RingEndings extends Looped {
  readonly #options: RingEndingsOptions;
  readonly #ends = new Map<number, RingEnd>();
  #lookedMs = 0;

  constructor(options: RingEndingsOptions) {
    super({
      ...{ log: options.log, name: 'ends of rings' },
      pauseMs: () => Math.max(leastPauseMs, this.#lookedMs * pauseShare),
      run: async (signal) => {
        const beganMs = performance.now();
        await this.#lookAtAll(signal);
        this.#lookedMs = performance.now() - beganMs;
        return false;
      },
    });
    this.#options = options;
  }

  /** Result of the last check for each ending ring. */
  progress(): readonly RingEnd[] {
    return [...this.#ends.values()];
  }

  async #lookAtAll(signal: AbortSignal): Promise<void> {
    const ending = [...this.#options.map.rings()].filter(([, { isEnding }]) => isEnding);
    for (const [ring, { epoch }] of this.#ends)
      if (!ending.some(([number, known]) => number === ring && known.epoch === epoch)) this.#ends.delete(ring);
    const due = ending.filter(([ring]) => {
      const end = this.#ends.get(ring);
      return end === undefined || !isOver(end);
    });
    if (due.length === 0 || !(await this.#options.isMine())) return;
    for (const [ring, { epoch }] of due) {
      if (signal.aborted) return;
      const end = await this.#look(ring, epoch, signal);
      if (end !== undefined) this.#ends.set(ring, end);
    }
  }

  /** Undefined while this cluster still accepts blobs for the ring. */
  async #look(ring: number, epoch: number, signal: AbortSignal): Promise<RingEnd | undefined> {
    const { partitions, durability } = this.#options;
    const known = await partitions.stateOf(ring);
    if (!known.isEnding || (known.epoch !== 0 && known.epoch !== epoch)) return undefined;
    const end = { ring, epoch, blobs: 0, held: null, message: null };
    if ((await partitions.lost()).has(ring))
      return { ...end, message: 'it lost its data: call the deletion off, and recover the cluster' };
    const container = await this.#containerIn(ring);
    if (container !== undefined) return { ...end, ...container };
    const left = await this.#blobsIn(ring, signal);
    if (left.held === null && left.blobs === 0) await durability.flush();
    return { ...end, ...left };
  }

  async #containerIn(ring: number): Promise<Pick<RingEnd, 'held' | 'message'> | undefined> {
    const { gates, containers, log } = this.#options;
    for (const { scope, head } of await gates(ring)) {
      const { account, container } = readJson<GateValue>({ head });
      try {
        if (await containers.endUnnamed({ ring, id: scope, account, name: container })) continue;
        return { held: { account, container, object: null }, message: null };
      } catch (error) {
        log.debug({ err: error, ring, scope }, 'cannot find out whether there is a container');
        return { held: null, message: `cannot find out whether the container ${container} exists` };
      }
    }
    return undefined;
  }

  async #blobsIn(ring: number, signal: AbortSignal): Promise<Pick<RingEnd, 'blobs' | 'held'>> {
    const { blobs: disk } = this.#options;
    let blobs = 0;
    for (const partition of await disk.partitions(ring)) {
      // Includes damaged blobs, which are not listed.
      blobs += (await disk.ids(ring, partition)).length;
      for (let after = ''; !signal.aborted; ) {
        const page = await disk.list(ring, partition, after, blobsAtOnce);
        for (let from = 0; from < page.length; from += namesAtOnce) {
          const found = await Promise.all(page.slice(from, from + namesAtOnce).map((blob) => this.#holderOf(blob)));
          const held = found.find((each) => each !== undefined);
          if (held !== undefined) return { blobs, held };
        }
        const last = page.at(-1);
        if (last === undefined || page.length < blobsAtOnce) break;
        after = last.id;
      }
    }
    // An interrupted check is not reported.
    signal.throwIfAborted();
    return { blobs, held: null };
  }

  /** The object that refers to it. Undefined if there is none, or if that can't be determined now. */
  async #holderOf({ id, place }: ListedBlob): Promise<Held | undefined> {
    const { names, log } = this.#options;
    const key = keyOfBlob(place);
    try {
      if (!refers((await names.read(key)).value, id)) return undefined;
      const { value: gate } = await names.read(gateOf(key));
      if (gate === undefined) return undefined;
      const { state, account, container } = readJson<GateValue>(gate);
      return state === 'DELETED' ? undefined : { account, container, object: key.name.slice(0, longestName) };
    } catch (error) {
      if (!(error instanceof ClosedError))
        log.debug({ err: error, blob: id }, 'cannot find out whether a blob is referred to');
      return undefined;
    }
  }
}
