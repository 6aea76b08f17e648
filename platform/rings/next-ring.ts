// The next step from a ring towards the wanted one. It changes at most one replica of each partition, moves as few as it can, keeps
// zones apart, and brings each cluster's share to its weight. Replicas on clusters that are no longer members move first.
import { clustersOfPartition, countsOf, partitionCount, type Ring, type RingMember } from './ring.ts';
import { sharesOf } from './shares.ts';

export interface RingWish {
  /** At least one. */
  readonly members: readonly RingMember[];
  /** With fewer members there are fewer replicas. */
  readonly replicas: number;
}

const firstRingSteps = 8;

/** Where nothing is stored yet. */
export function firstRing(wish: RingWish): Ring {
  const replicas = Math.min(wish.replicas, wish.members.length);
  const { ideal, mostInZone } = sharesOf(wish.members, replicas);
  const left = new Map(ideal);
  const clusters = new Uint16Array(partitionCount * replicas);
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const chosen: RingMember[] = [];
    for (let replica = 0; replica < replicas; replica += 1) {
      const best = wish.members
        .filter((member) => !chosen.includes(member) && inZone(chosen, member.zone) < mostInZone)
        .reduce((one, other) => ((left.get(other.cluster) ?? 0) > (left.get(one.cluster) ?? 0) ? other : one));
      chosen.push(best);
      left.set(best.cluster, (left.get(best.cluster) ?? 0) - 1);
      clusters[partition * replicas + replica] = best.cluster;
    }
  }
  let ring: Ring = { members: wish.members, replicas, clusters };
  for (let step = 0; step < firstRingSteps; step += 1) ring = new Step(ring, wish.members).ring();
  return ring;
}

/** Undefined if the ring is as wanted, as far as whole replicas and zones allow. */
export function nextRing(ring: Ring, wish: RingWish): Ring | undefined {
  const replicas = Math.min(wish.replicas, wish.members.length);
  if (replicas > ring.replicas) return withMore(ring, wish.members);
  if (replicas < ring.replicas) return withFewer(ring, wish.members);
  const next = new Step(ring, wish.members).ring();
  return isSame(ring.clusters, next.clusters) && isSameMembers(ring.members, next.members) ? undefined : next;
}

function withMore(ring: Ring, members: readonly RingMember[]): Ring {
  const replicas = ring.replicas + 1;
  const { ideal, mostInZone } = sharesOf(members, replicas);
  const counts = new Map(countsOf(ring));
  const zones = zonesOf(members);
  const clusters = new Uint16Array(partitionCount * replicas);
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = clustersOfPartition(ring, partition);
    const lack = ({ cluster }: RingMember) => (ideal.get(cluster) ?? 0) - (counts.get(cluster) ?? 0);
    const free = members.filter(({ cluster }) => !held.includes(cluster));
    const apart = free.filter(({ zone }) => held.filter((each) => zones.get(each) === zone).length < mostInZone);
    const { cluster } = (apart.length > 0 ? apart : free).reduce((one, other) =>
      lack(other) > lack(one) ? other : one,
    );
    counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
    clusters.set([...held, cluster], partition * replicas);
  }
  return { members, replicas, clusters };
}

function withFewer(ring: Ring, members: readonly RingMember[]): Ring {
  const replicas = ring.replicas - 1;
  const { ideal } = sharesOf(members, replicas);
  const counts = new Map(countsOf(ring));
  const zones = zonesOf(members);
  const clusters = new Uint16Array(partitionCount * replicas);
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = clustersOfPartition(ring, partition);
    const isAlone = (cluster: number) => held.filter((each) => zones.get(each) === zones.get(cluster)).length === 1;
    // Order of removal: first clusters that are not members, then clusters that share a zone, then clusters with too many replicas.
    const surplus = (cluster: number) =>
      (zones.has(cluster) ? 0 : 4 * partitionCount) +
      (isAlone(cluster) ? 0 : 2 * partitionCount) +
      (counts.get(cluster) ?? 0) -
      (ideal.get(cluster) ?? 0);
    const leaving = held.reduce((one, other) => (surplus(other) > surplus(one) ? other : one));
    counts.set(leaving, (counts.get(leaving) ?? 0) - 1);
    clusters.set(
      held.filter((cluster) => cluster !== leaving),
      partition * replicas,
    );
  }
  return { members, replicas, clusters };
}

interface Move {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** One step with the number of replicas that there is. A partition that has moved stays as it is until the next one. */
class Step {
  readonly #members: readonly RingMember[];
  readonly #zones: ReadonlyMap<number, string>;
  readonly #mostInZone: number;
  readonly #replicas: number;
  readonly #clusters: Uint16Array;
  readonly #counts: Map<number, number>;
  readonly #targets: ReadonlyMap<number, number>;
  readonly #moved = new Uint8Array(partitionCount);
  /** Partitions of each cluster when the step began. */
  readonly #partitions = new Map<number, number[]>();
  /**
   * How many candidates were tried without success, by source and target cluster. A candidate that has moved or may not move never
   * will.
   */
  readonly #looked = new Map<string, number>();

  constructor(ring: Ring, members: readonly RingMember[]) {
    this.#members = members;
    this.#zones = zonesOf(members);
    this.#replicas = ring.replicas;
    this.#clusters = ring.clusters.slice();
    this.#counts = new Map(countsOf(ring));
    const { ideal, mostInZone } = sharesOf(members, ring.replicas);
    this.#mostInZone = mostInZone;
    this.#targets = wholeTargets(ideal, this.#counts);
    for (const [at, cluster] of ring.clusters.entries()) {
      const partitions = this.#partitions.get(cluster) ?? [];
      partitions.push(Math.floor(at / ring.replicas));
      this.#partitions.set(cluster, partitions);
    }
  }

  ring(): Ring {
    this.#leaveFormerMembers();
    this.#spread();
    this.#balance();
    return { members: this.#members, replicas: this.#replicas, clusters: this.#clusters };
  }

  #leaveFormerMembers(): void {
    for (const [cluster, partitions] of this.#partitions)
      if (!this.#zones.has(cluster)) for (const partition of partitions) this.#moveAnywhere(partition, cluster);
  }

  /** Where a zone has more replicas of a partition than it need have. */
  #spread(): void {
    for (let partition = 0; partition < partitionCount; partition += 1) {
      if (this.#moved[partition] === 1) continue;
      const held = this.#held(partition);
      const crowded = held.filter((cluster) => this.#inZone(held, this.#zones.get(cluster)) > this.#mostInZone);
      if (crowded.length === 0) continue;
      const fullest = crowded.reduce((one, other) => (this.#surplus(other) > this.#surplus(one) ? other : one));
      this.#moveAnywhere(partition, fullest);
    }
  }

  /** Moves to the member that lacks most. */
  #moveAnywhere(partition: number, from: number): void {
    if (this.#moved[partition] === 1) return;
    const allowed = this.#members.filter(({ cluster }) => this.#mayMove({ partition, from, to: cluster }));
    if (allowed.length === 0) return;
    const to = allowed.reduce((one, other) =>
      this.#surplus(other.cluster) < this.#surplus(one.cluster) ? other : one,
    );
    this.#move({ partition, from, to: to.cluster });
  }

  /** Moves partitions from members with too many to members with too few, through other members if nothing may move directly. */
  #balance(): void {
    for (;;) {
      const moves = this.#path();
      if (moves === undefined) return;
      for (const move of moves) this.#move(move);
    }
  }

  /** The shortest one, breadth first. */
  #path(): readonly Move[] | undefined {
    const cameBy = new Map<number, Move | undefined>();
    let edge = this.#members.map(({ cluster }) => cluster).filter((cluster) => this.#surplus(cluster) > 0);
    for (const cluster of edge) cameBy.set(cluster, undefined);
    while (edge.length > 0) {
      const next: number[] = [];
      for (const from of edge)
        for (const { cluster: to } of this.#members) {
          if (cameBy.has(to)) continue;
          const partition = this.#movable(from, to);
          if (partition === undefined) continue;
          cameBy.set(to, { partition, from, to });
          if (this.#surplus(to) < 0) return this.#pathTo(to, cameBy);
          next.push(to);
        }
      edge = next;
    }
    return undefined;
  }

  #pathTo(end: number, cameBy: ReadonlyMap<number, Move | undefined>): readonly Move[] {
    const moves: Move[] = [];
    for (let move = cameBy.get(end); move !== undefined; move = cameBy.get(move.from)) {
      const { partition } = move;
      // The same partition on two edges: the rest of the path is another one's.
      if (moves.some((each) => each.partition === partition)) break;
      moves.push(move);
    }
    return moves;
  }

  /** A partition that may move from one cluster to the other. */
  #movable(from: number, to: number): number | undefined {
    const partitions = this.#partitions.get(from) ?? [];
    const key = `${from}/${to}`;
    for (let at = this.#looked.get(key) ?? 0; at < partitions.length; at += 1) {
      const partition = partitions[at] as number;
      this.#looked.set(key, at);
      if (this.#moved[partition] !== 1 && this.#mayMove({ partition, from, to })) return partition;
    }
    this.#looked.set(key, partitions.length);
    return undefined;
  }

  #mayMove({ partition, from, to }: Move): boolean {
    const rest = this.#held(partition).filter((cluster) => cluster !== from);
    return !rest.includes(to) && to !== from && this.#inZone(rest, this.#zones.get(to)) < this.#mostInZone;
  }

  #move({ partition, from, to }: Move): void {
    const first = partition * this.#replicas;
    const at = this.#clusters.subarray(first, first + this.#replicas).indexOf(from);
    this.#clusters[first + at] = to;
    this.#moved[partition] = 1;
    this.#counts.set(from, (this.#counts.get(from) ?? 0) - 1);
    this.#counts.set(to, (this.#counts.get(to) ?? 0) + 1);
  }

  #held(partition: number): readonly number[] {
    const first = partition * this.#replicas;
    return [...this.#clusters.subarray(first, first + this.#replicas)];
  }

  #inZone(clusters: readonly number[], zone: string | undefined): number {
    return clusters.filter((cluster) => this.#zones.get(cluster) === zone).length;
  }

  #surplus(cluster: number): number {
    return (this.#counts.get(cluster) ?? 0) - (this.#targets.get(cluster) ?? 0);
  }
}

/**
 * Rounds the targets to whole numbers. A cluster that has more than the whole part of its share keeps one of the rest, so less data
 * moves.
 */
function wholeTargets(
  ideal: ReadonlyMap<number, number>,
  counts: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  const targets = new Map([...ideal].map(([cluster, share]) => [cluster, Math.floor(share + 1e-9)]));
  const sum = [...ideal.values()].reduce((one, other) => one + other, 0);
  let rest = Math.round(sum) - [...targets.values()].reduce((one, other) => one + other, 0);
  const gain = ([cluster, share]: [number, number]) =>
    ((counts.get(cluster) ?? 0) > Math.floor(share) ? 1 : 0) + share - Math.floor(share);
  for (const [cluster, share] of [...ideal].sort((one, other) => gain(other) - gain(one))) {
    if (rest === 0) break;
    if (share - Math.floor(share) < 1e-9) continue;
    targets.set(cluster, (targets.get(cluster) ?? 0) + 1);
    rest -= 1;
  }
  return targets;
}

function zonesOf(members: readonly RingMember[]): ReadonlyMap<number, string> {
  return new Map(members.map(({ cluster, zone }) => [cluster, zone]));
}

function inZone(members: readonly RingMember[], zone: string): number {
  return members.filter((member) => member.zone === zone).length;
}

function isSame(one: Uint16Array, other: Uint16Array): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}

function isSameMembers(one: readonly RingMember[], other: readonly RingMember[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
