// Asks the other clusters how far they have followed this one, once for each process and ring. Whatever they know was on disk here before
// it was sent. So a replica that is behind their positions, or numbers its changes differently, has lost data: it stops voting until it is
// recovered. A replica that has nothing yet, in a ring that was empty, votes only after enough other clusters have reported that they never
// followed it: every majority in which it could have voted must include one of them.
import type { Logger } from '../../../../platform/log/log.ts';
import { noVersion } from '../../../../platform/registers/version.ts';
import { clustersOfPartition } from '../../../../platform/rings/ring.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { FederationMap, KnownRing } from '../../engine/federation/federation-map.ts';
import type { ContinuityPeer } from '../../engine/peers/continuity-calls.ts';
import type { PartitionState } from '../../engine/store/partition-state.ts';
import type { Partitions } from '../../engine/store/partitions.ts';
import type { SeenPartition } from '../../engine/store/positions.ts';
import { takenOver } from './resync.ts';

interface ContinuityCheckOptions {
  readonly map: Pick<FederationMap, 'self' | 'rings' | 'held' | 'cluster'>;
  readonly partitions: Pick<Partitions, 'of' | 'epochOf' | 'makeReady' | 'lose' | 'lost' | 'isNew'>;
  /** The other clusters. */
  readonly others: () => ReadonlyMap<number, ContinuityPeer>;
  readonly log: Logger;
  /** Pause before clusters that did not answer are asked again; default 500. */
  readonly pauseMs?: number;
}

const usualPauseMs = 500;
const idlePauseMs = 5_000;

interface Waiting {
  readonly epoch: number;
  readonly heard: number;
  readonly clusters: ReadonlySet<number>;
  /** It has partitions that do not vote and are not being copied. */
  readonly isStuck: boolean;
}

export class ContinuityCheck {
  readonly #options: ContinuityCheckOptions;
  readonly #loop: Loop;
  /** By ring: the clusters that have reported their positions. */
  readonly #heard = new Map<number, Set<number>>();
  /** By ring: the epoch in which nothing is waiting any more. */
  readonly #settled = new Map<number, number>();
  /** By ring: the clusters for whose report it waits before it votes. Valid for an epoch and a number of reports. */
  readonly #waiting = new Map<number, Waiting>();
  #lost: ReadonlySet<number> = new Set();
  #isIdle = false;

  constructor(options: ContinuityCheckOptions) {
    this.#options = options;
    const { log, pauseMs = usualPauseMs } = options;
    this.#loop = new Loop({
      ...{ log, name: 'what others have seen of this cluster', pauseMs: () => (this.#isIdle ? idlePauseMs : pauseMs) },
      run: async () => {
        await this.hear();
        return false;
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  trigger(): void {
    this.#loop.trigger();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Why this cluster does not vote, and what to do. Undefined if it votes or has nothing to vote on. */
  get lost(): string | undefined {
    if (this.#lost.size === 0 && ![...this.#waiting.values()].some(({ isStuck }) => isStuck)) return undefined;
    const { map } = this.#options;
    const name = map.cluster(map.self)?.name ?? String(map.self);
    return `it lost its data (a database restored from a backup, or a new one) and does not vote: stop its servers, run "tidegate rings change --recover ${name}", start them`;
  }

  /** The clusters whose report it needs before it votes. Undefined if there are none. */
  get waitsFor(): string | undefined {
    const { map } = this.#options;
    const clusters = new Set([...this.#waiting.values()].flatMap((waiting) => [...waiting.clusters]));
    const names = [...clusters].map((cluster) => map.cluster(cluster)?.name ?? String(cluster));
    return names.length === 0
      ? undefined
      : `it is new, and votes when other clusters have reported that it was not here before: ${names.join(', ')} did not answer`;
  }

  async hear(): Promise<void> {
    const { map, partitions } = this.#options;
    this.#lost = new Set([...(await partitions.lost())].filter((ring) => map.held(ring).size > 0));
    for (const ring of this.#waiting.keys()) if (!map.rings().has(ring)) this.#waiting.delete(ring);
    let isIdle = true;
    for (const [ring, known] of map.rings()) {
      if (this.#settled.get(ring) === known.epoch || map.held(ring).size === 0) continue;
      const isSettled = (await partitions.epochOf(ring)) === known.epoch && (await this.#hearOf(ring, known));
      if (isSettled) this.#settled.set(ring, known.epoch);
      else isIdle = false;
    }
    this.#isIdle = isIdle;
  }

  /** False if the clusters must be asked again. */
  async #hearOf(ring: number, known: KnownRing): Promise<boolean> {
    const { map, partitions, others } = this.#options;
    const members = new Set(known.groups.flatMap(({ clusters }) => [...clusters]));
    members.delete(map.self);
    const heard = this.#heard.get(ring) ?? new Set<number>();
    this.#heard.set(ring, heard);
    const peers = others();
    await Promise.all(
      [...members].map(async (cluster) => {
        if (heard.has(cluster)) return;
        const seen = await peers
          .get(cluster)
          ?.seen(ring)
          .catch(() => undefined);
        // Positions from before this cluster's recovery are dropped with the old epoch.
        if (seen?.epoch !== known.epoch) return;
        // Read afterwards, because positions only grow.
        await this.#compare(ring, cluster, seen.partitions, await partitions.of(ring));
        heard.add(cluster);
      }),
    );
    const { epoch } = known;
    const before = this.#waiting.get(ring);
    // Checks thousands of partitions only if something has changed.
    if (before?.epoch !== epoch || before.heard !== heard.size)
      this.#waiting.set(ring, { epoch, heard: heard.size, ...(await this.#begin(ring, known, heard)) });
    return [...members].every((cluster) => heard.has(cluster));
  }

  async #compare(
    ring: number,
    cluster: number,
    seen: readonly SeenPartition[],
    states: readonly PartitionState[],
  ): Promise<void> {
    const { partitions, log } = this.#options;
    const own = new Map(states.map((state) => [state.partition, state]));
    const behind = seen.find(({ partition, log: numbering, position }) => {
      const state = own.get(partition);
      return state?.isHeld === true && position > 0 && (state.log !== numbering || state.changes < position);
    });
    if (behind === undefined || this.#lost.has(ring)) return;
    await partitions.lose();
    this.#lost = await partitions.lost();
    const { partition, position } = behind;
    log.error(
      { ring, partition, position, changes: own.get(partition)?.changes, cluster },
      'another cluster has seen more of this one than it has: it stops voting; recover it with tidegate rings change --recover',
    );
  }

  /** Partitions held since a ring was empty vote after the others have reported that they never followed this cluster. */
  async #begin(
    ring: number,
    known: KnownRing,
    heard: ReadonlySet<number>,
  ): Promise<Pick<Waiting, 'clusters' | 'isStuck'>> {
    const { map, partitions } = this.#options;
    const { epoch, groups } = known;
    const clusters = new Set<number>();
    const [group] = groups;
    if (group === undefined || this.#lost.has(ring)) return { clusters, isStuck: false };
    const brought = takenOver(known, map.self);
    const waiting = (await partitions.of(ring)).filter(
      ({ isHeld, isReady, partition }) => isHeld && !isReady && !brought.has(partition),
    );
    if (waiting.length === 0) return { clusters, isStuck: false };
    if (!(await partitions.isNew(ring))) return { clusters, isStuck: true };
    const ready = waiting.filter(({ partition }) => {
      const members = clustersOfPartition(group, partition);
      const others = members.filter((cluster) => cluster !== map.self);
      const majority = Math.floor(members.length / 2) + 1;
      const least = Math.min(others.length, members.length + 1 - majority);
      const isEnough = others.filter((cluster) => heard.has(cluster)).length >= least;
      if (!isEnough) for (const cluster of others) if (!heard.has(cluster)) clusters.add(cluster);
      return isEnough;
    });
    await partitions.makeReady(ready.map(({ partition }) => ({ ring, partition, epoch, floor: noVersion })));
    return { clusters, isStuck: false };
  }
}
