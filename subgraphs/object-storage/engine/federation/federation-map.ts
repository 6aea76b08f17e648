// This cluster's view of the federation, from the control plane's documents: clusters, options, and the replicas of each partition. It
// changes as documents arrive, and answers from memory.
import { NoQuorumError } from '../../../../platform/registers/errors.ts';
import type { Placement } from '../../../../platform/registers/placement.ts';
import { clustersOfPartition, partitionCount } from '../../../../platform/rings/ring.ts';
import { atMost } from '../../../../platform/work/within.ts';
import type { ClustersDocument, RingDocument } from '../../wire/documents/documents.ts';
import { unpackClusters } from '../../wire/documents/ring-clusters.ts';
import type { VerifiedDocument } from '../../wire/documents/signed-document.ts';
import type { StorageOption, Topology } from '../namespace/topology.ts';
import type { Replica } from '../store/register.ts';

export type KnownCluster = ClustersDocument['clusters'][number];

interface FederationMapOptions {
  /** This cluster's number. */
  readonly self: number;
  readonly replica: (cluster: number) => Replica | undefined;
  /** How long to wait for a placement that is newer than the known one; default 10 seconds. */
  readonly waitMs?: number;
  /** Triggers a search for new documents; called repeatedly while a placement is awaited. */
  readonly look?: () => void;
}

export interface KnownRing extends Pick<RingDocument, 'epoch' | 'isEmpty' | 'isPaused' | 'recovering' | 'isEnding'> {
  readonly groups: readonly { readonly replicas: number; readonly clusters: Uint16Array }[];
}

const usualWaitMs = 10_000;
/** All waiting requests share a poll. */
const lookMs = 25;

export class FederationMap implements Topology {
  readonly self: number;
  readonly #options: FederationMapOptions;
  readonly #rings = new Map<number, KnownRing>();
  readonly #ended = new Set<number>();
  #clusters: ReadonlyMap<number, KnownCluster> = new Map();
  #optionsByNumber: ReadonlyMap<number, StorageOption> = new Map();
  #changed = Promise.withResolvers<void>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: FederationMapOptions) {
    this.self = options.self;
    this.#options = options;
  }

  /** Ignores documents of other kinds. */
  take(document: VerifiedDocument): void {
    switch (document.kind) {
      case 'clusters':
        this.#clusters = new Map((document.body?.clusters ?? []).map((each) => [each.number, each]));
        break;
      case 'options':
        this.#optionsByNumber = new Map((document.body?.options ?? []).map((each) => [each.number, each]));
        break;
      case 'ring':
        this.#takeRing(Number(document.name.split('/')[1]), document.body);
        break;
      default:
        return;
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #takeRing(number: number, body: RingDocument | undefined): void {
    if (body === undefined) {
      this.#rings.delete(number);
      this.#ended.add(number);
      return;
    }
    this.#ended.delete(number);
    const groups = body.groups.map(({ replicas, clusters }) => ({
      replicas,
      clusters: unpackClusters(Buffer.from(clusters, 'base64'), replicas),
    }));
    const known = this.#rings.get(number);
    // The same epoch arrives again when a change is paused.
    if (known === undefined || known.epoch <= body.epoch) {
      const { epoch, isEmpty, isPaused, recovering, isEnding } = body;
      this.#rings.set(number, { epoch, isEmpty, isPaused, recovering, isEnding, groups });
    }
  }

  cluster(number: number): KnownCluster | undefined {
    return this.#clusters.get(number);
  }

  clusters(): readonly KnownCluster[] {
    return [...this.#clusters.values()];
  }

  /** By number. `isEmpty`: nothing was stored when the ring was made. */
  rings(): ReadonlyMap<number, KnownRing> {
    return this.#rings;
  }

  /** Rings that no longer exist. */
  ended(): ReadonlySet<number> {
    return this.#ended;
  }

  isEnding(ring: number): boolean {
    return this.#rings.get(ring)?.isEnding ?? true;
  }

  awaits(ring: number): boolean {
    return !this.#rings.has(ring) && !this.#ended.has(ring);
  }

  /** Whether partitions of the ring are being copied in this epoch, or the current epoch is another one. */
  isChanging(ring: number, epoch: number): boolean {
    const known = this.#rings.get(ring);
    return known?.epoch !== epoch || known.groups.length > 1 || known.recovering.length > 0;
  }

  /** Partitions of a ring of which the cluster holds a replica; during a change, in either ring. */
  held(ring: number, cluster = this.self): ReadonlySet<number> {
    const { groups = [] } = this.#rings.get(ring) ?? {};
    const held = new Set<number>();
    for (const { replicas, clusters } of groups)
      for (const [at, each] of clusters.entries()) if (each === cluster) held.add(Math.floor(at / replicas));
    return held;
  }

  /** The placement as it is known now. */
  known(ring: number, partition: number): Placement | undefined {
    const known = this.#rings.get(ring);
    if (known === undefined || partition < 0 || partition >= partitionCount) return undefined;
    const { epoch, groups } = known;
    return {
      epoch,
      groups: groups.map((group) => clustersOfPartition(group, partition)),
    };
  }

  async placement(ring: number, partition: number, leastEpoch: number): Promise<Placement> {
    const untilMs = performance.now() + (this.#options.waitMs ?? usualWaitMs);
    for (;;) {
      const placement = this.known(ring, partition);
      if (placement !== undefined && placement.epoch >= leastEpoch) return placement;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0)
        throw new NoQuorumError(
          `this cluster does not know epoch ${leastEpoch} of ring ${ring} yet: its controller has not delivered it`,
        );
      this.#look();
      await atMost(Math.min(leftMs, lookMs), this.#changed.promise);
    }
  }

  /** Others already know the epoch: don't wait for the next regular poll. */
  #look(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < lookMs) return;
    this.#lookedAtMs = nowMs;
    this.#options.look?.();
  }

  optionByName(name: string): StorageOption | undefined {
    return [...this.#optionsByNumber.values()].find((each) => each.name === name);
  }

  optionByNumber(number: number): StorageOption | undefined {
    return this.#optionsByNumber.get(number);
  }

  defaultOption(): StorageOption | undefined {
    return [...this.#optionsByNumber.values()].find(({ isDefault }) => isDefault);
  }

  replica(cluster: number): Replica | undefined {
    return this.#options.replica(cluster);
  }
}
