// Follows another cluster: copies its changes that this one lacks, partition by partition, in order. The position is committed together
// with the changes, so it continues from there after a crash. Several processes may follow the same cluster.
//
// A change is applied by the rules like a late message of the coordinator that wrote it. Nobody counts on this replica for it, so the
// writer's epoch does not matter, nor whether this replica votes yet. A gate does matter: a container is deleted after sealed replicas were
// listed and had nothing, so a change that arrived there afterwards would be lost. A change that a gate holds back is applied when the gate
// opens again.
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { accept } from '../../../../platform/registers/rules.ts';
import { noVersion, type VersionClock } from '../../../../platform/registers/version.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { within } from '../../../../platform/work/within.ts';
import {
  type CatchUpPeer,
  mostWantedAtOnce,
  type PartitionChanges,
  type PartitionHead,
  type RegisterChange,
  type WantedChanges,
} from './catch-up.ts';
import { Changing } from './changing.ts';
import { type Place, placeId } from './partition-state.ts';
import type { Partitions } from './partitions.ts';
import { type Position, readPositions, writePositions } from './positions.ts';
import type { RegisterKey } from './register.ts';
import { checkName, checkWritten } from './request-checks.ts';
import { partitionOfScope } from './scope-partition.ts';

interface FollowerOptions {
  readonly db: Database;
  readonly partitions: Partitions;
  /** The clock of the process. */
  readonly clock: VersionClock;
  readonly log: Logger;
  /** Number of the other cluster. */
  readonly cluster: number;
  readonly peer: CatchUpPeer;
  /** Whether that cluster is a member of the partition in this epoch. A cluster that has left does not know of later deletions. */
  readonly isMember: (cluster: number, place: PartitionHead) => boolean;
  /**
   * Whether the ring changes in this epoch. Nothing is forgotten during a change, so whatever another member has still counts: a new member
   * applies it even if it is older than the floor.
   */
  readonly isChanging: (ring: number, epoch: number) => boolean;
  /**
   * Writes the name's present value with a later version, at a majority: needed if a promise or floor here blocks the version of others.
   * Rejects if that is not possible now.
   */
  readonly settle: (key: RegisterKey) => Promise<unknown>;
  /** Time between two polls for movement; default 1000. */
  readonly pauseMs?: number;
  /** Pause before changes that were held back are tried again, growing each time; default 2000. */
  readonly againMs?: number;
  /** Time limit of each request; default 30000. */
  readonly requestMs?: number;
}

export interface Lag {
  /** Number of the other cluster's changes that were not read, or not applied. */
  readonly changes: number;
  readonly partitions: number;
  /** Time of its last heads. Undefined if there are none yet. The figures are as of then. */
  readonly heardAt: Date | undefined;
  /** How long ago the oldest of them was first reported, in milliseconds. Undefined if nothing is missing. */
  readonly oldestMs: number | undefined;
}

/** Changes that could not be applied: blocked by a promise or floor, which a later version overcomes, or blocked for now. */
interface Kept {
  readonly key: RegisterKey;
  readonly isToSettle: boolean;
}

interface Whole {
  /** A value of `performance.now()` in this process. */
  readonly asOfMs: number;
  /** By ring. */
  readonly epochs: ReadonlyMap<number, number>;
}

interface Again {
  readonly atMs: number;
  readonly delayMs: number;
}

const settledAtOnce = 16;
const longestAgainMs = 300_000;

export class Follower {
  readonly #options: FollowerOptions;
  readonly #loop: Loop;
  readonly #heads = new Map<string, PartitionHead>();
  /** Partitions with something missing or held back: of thousands usually none. */
  readonly #open = new Set<string>();
  /** The first missing position that was reported for each partition. */
  readonly #told = new Map<string, { readonly changes: number; readonly atMs: number }>();
  /** For each partition, the first head reported in its current epoch. */
  readonly #firstHeads = new Map<string, PartitionHead>();
  /** When to try changes again that were held back in a partition. */
  readonly #again = new Map<string, Again>();
  /** As in the database, or older. */
  #positions: Map<string, Position> | undefined;
  /** By ring: the epoch in which the positions were read. */
  #epochs: ReadonlyMap<number, number> = new Map();
  /** What the other cluster's last answer certainly included. */
  #whole: Whole | undefined;
  /** For each partition whose head has moved since: when nothing of it was missing, and in which epoch. */
  readonly #wholeBefore = new Map<string, { readonly asOfMs: number; readonly epoch: number }>();
  /** Partitions that this cluster does not hold, with the epoch for which that is known. */
  readonly #notHeld = new Map<string, number>();
  /** Where the next request starts among the partitions that are behind. */
  #turn = 0;
  #mark = '';
  #heardAt: Date | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { log, cluster, pauseMs = 1_000 } = options;
    this.#loop = new Loop({
      name: `follow cluster ${cluster}`,
      log,
      pauseMs: () => pauseMs,
      run: (signal) => this.follow(signal),
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Makes the next poll come soon. */
  trigger(): void {
    this.#loop.trigger();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  get lag(): Lag {
    let changes = 0;
    let partitions = 0;
    let since: number | undefined;
    for (const [id, head] of this.#openHeads()) {
      const lacks = head.changes - reachedBy(this.#positionOf(id, head));
      if (lacks <= 0) continue;
      changes += lacks;
      partitions += 1;
      const told = this.#told.get(id);
      // Changes reported first are applied: the rest was reported since.
      if (told !== undefined && told.changes > head.changes - lacks) since = Math.min(since ?? told.atMs, told.atMs);
    }
    const oldestMs = partitions === 0 ? undefined : performance.now() - (since ?? performance.now());
    return { changes, partitions, heardAt: this.#heardAt, oldestMs };
  }

  /** Whether everything is here that the other cluster had when it was in this epoch. */
  hasAll({ ring, partition }: Place, epoch: number): boolean {
    const id = placeId(ring, partition);
    const first = this.#firstHeads.get(id);
    if (first?.epoch !== epoch) return false;
    const { position, keptBack = Number.POSITIVE_INFINITY } = this.#positionOf(id, first);
    return position >= first.changes && keptBack > first.changes;
  }

  /**
   * A value of `performance.now()`: everything that the other cluster had of the partition then is here, both are in this epoch, and the
   * other voted in it at that time. Undefined if no such time is known.
   */
  asOf({ ring, partition }: Place, epoch: number): number | undefined {
    const id = placeId(ring, partition);
    const before = this.#wholeBefore.get(id);
    return this.#asOfNow(id, ring, epoch) ?? (before?.epoch === epoch ? before.asOfMs : undefined);
  }

  /** From its last answer. */
  #asOfNow(id: string, ring: number, epoch: number): number | undefined {
    const head = this.#heads.get(id);
    const isOfEpoch = [head?.epoch, this.#epochs.get(ring), this.#whole?.epochs.get(ring)].every(
      (one) => one === epoch,
    );
    if (head === undefined || !isOfEpoch) return undefined;
    const { position, keptBack } = this.#positionOf(id, head);
    return position >= head.changes && keptBack === undefined ? this.#whole?.asOfMs : undefined;
  }

  /** Applies some missing changes. Returns true if there are more. */
  async follow(signal: AbortSignal): Promise<boolean> {
    const { peer } = this.#options;
    await this.#readPositions();
    // The answer is made some unknown time after this, so counting from here is safe.
    const askedMs = performance.now();
    const { mark, heads, whole } = await this.#ask(() => peer.heads(this.#mark), signal);
    for (const head of heads) this.#meet(placeId(head.ring, head.partition), head);
    this.#whole = whole && {
      asOfMs: askedMs - whole.agoMs,
      epochs: new Map(whole.rings.map(({ ring, epoch }) => [ring, epoch])),
    };
    [this.#mark, this.#heardAt] = [mark, new Date()];
    this.#lookAgain();
    const wanted = await this.#lacking();
    if (wanted.length === 0) return false;
    const pages = await this.#ask(() => peer.changes(wanted), signal);
    signal.throwIfAborted();
    return this.#take(wanted, pages, signal);
  }

  /** Missing changes are as old as the first head that reported them. */
  #meet(id: string, head: PartitionHead): void {
    const asOfMs = this.#asOfNow(id, head.ring, head.epoch);
    if (asOfMs !== undefined) this.#wholeBefore.set(id, { asOfMs, epoch: head.epoch });
    this.#heads.set(id, head);
    if (reachedBy(this.#positionOf(id, head)) >= (this.#told.get(id)?.changes ?? 0))
      this.#told.set(id, { changes: head.changes, atMs: performance.now() });
    const first = this.#firstHeads.get(id);
    if (first?.epoch !== head.epoch || first.log !== head.log) this.#firstHeads.set(id, head);
    this.#decide(id, head);
  }

  /** Decides whether the partition needs work. Called after each change of its head, its position, or whether it is held. */
  #decide(id: string, head: PartitionHead): void {
    const own = this.#positionOf(id, head);
    const isOpen = (reachedBy(own) < head.changes || own.keptBack !== undefined) && !this.#isNotHeld(id, head);
    if (isOpen) this.#open.add(id);
    else this.#open.delete(id);
  }

  /** A register before the end of the page may have changed again, and arrives only with the changes after it. */
  #lacksMore({ ring, partition, log, upTo }: PartitionChanges): void {
    const id = placeId(ring, partition);
    for (const heads of [this.#heads, this.#firstHeads]) {
      const head = heads.get(id);
      if (head?.log === log) heads.set(id, { ...head, changes: Math.max(head.changes, upTo + 1) });
    }
  }

  #openHeads(): readonly (readonly [string, PartitionHead])[] {
    return [...this.#open].flatMap((id) => {
      const head = this.#heads.get(id);
      return head === undefined ? [] : [[id, head] as const];
    });
  }

  #setPosition(id: string, position: Position): void {
    this.#positions?.set(id, position);
    const head = this.#heads.get(id);
    if (head === undefined) return;
    if (position.keptBack === undefined) this.#again.delete(id);
    this.#decide(id, head);
  }

  #ask<Result>(request: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const { requestMs = 30_000, cluster } = this.#options;
    return within(requestMs, `cluster ${cluster} did not answer`, request, signal);
  }

  /** Without a position in the other's current numbering, all of it is read. */
  #positionOf(id: string, { ring, partition, log }: PartitionHead): Position {
    const position = this.#positions?.get(id);
    return position?.log === log ? position : { ring, partition, log, position: 0, keptBack: undefined };
  }

  /** Once the rest of a partition has been read, goes back to the changes that were held back. */
  #lookAgain(): void {
    const { againMs = 2_000 } = this.#options;
    for (const [id, head] of this.#openHeads()) {
      const own = this.#positionOf(id, head);
      if (own.keptBack === undefined) this.#again.delete(id);
      else if (own.position >= head.changes) {
        const { atMs, delayMs } = this.#again.get(id) ?? { atMs: 0, delayMs: againMs };
        if (performance.now() < atMs) continue;
        this.#again.set(id, { atMs: performance.now() + delayMs, delayMs: Math.min(longestAgainMs, delayMs * 2) });
        this.#positions?.set(id, { ...own, position: own.keptBack - 1, keptBack: undefined });
        this.#decide(id, head);
      }
    }
  }

  /** A partition that was left and returned has lost its rows and its position: all positions are read again in a new epoch. */
  async #readPositions(): Promise<void> {
    const { db, cluster, partitions } = this.#options;
    const epochs = await partitions.epochs();
    const isSame = [...epochs].every(([ring, epoch]) => this.#epochs.get(ring) === epoch);
    if (this.#positions !== undefined && isSame) return;
    this.#positions = await readPositions(db, cluster);
    this.#epochs = epochs;
    for (const [id, head] of this.#heads) this.#decide(id, head);
  }

  #isNotHeld(id: string, { ring }: PartitionHead): boolean {
    const epoch = this.#notHeld.get(id);
    return epoch !== undefined && epoch === this.#epochs.get(ring);
  }

  /** Some partitions in which the other cluster has more, with both clusters in the same epoch. */
  async #lacking(): Promise<readonly WantedChanges[]> {
    const { cluster, isMember, partitions } = this.#options;
    const behind = this.#openHeads().filter(
      ([id, head]) => this.#positionOf(id, head).position < head.changes && isMember(cluster, head),
    );
    // Starts with others each time, so that a large partition does not delay them.
    const turn = behind.length === 0 ? 0 : this.#turn % behind.length;
    const some = [...behind.slice(turn), ...behind.slice(0, turn)].slice(0, mostWantedAtOnce);
    this.#turn = turn + some.length;
    const states = await partitions.at(some.map(([, head]) => head));
    const lacking: WantedChanges[] = [];
    for (const [id, head] of some) {
      const { ring, partition, epoch, log } = head;
      const own = states.get(id);
      const ownEpoch = this.#epochs.get(ring);
      if (own?.isHeld !== true) {
        if (ownEpoch === undefined) continue;
        this.#notHeld.set(id, ownEpoch);
        this.#decide(id, head);
      } else if (own.epoch === epoch && own.epoch === ownEpoch)
        lacking.push({ ring, partition, epoch, log, after: this.#positionOf(id, head).position });
    }
    return lacking;
  }

  async #take(
    wanted: readonly WantedChanges[],
    pages: readonly PartitionChanges[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const asked = new Map(wanted.map((each) => [placeId(each.ring, each.partition), each]));
    const told = pages.filter((page) => asked.get(placeId(page.ring, page.partition))?.log === page.log);
    const { kept, positions } = await this.#apply(asked, told);
    for (const page of told) if (!page.isWhole) this.#lacksMore(page);
    for (const each of positions) this.#setPosition(placeId(each.ring, each.partition), each);
    await this.#settle(
      kept.filter(({ isToSettle }) => isToSettle).map(({ key }) => key),
      signal,
    );
    // Otherwise either cluster is in another epoch by now.
    return positions.length > 0;
  }

  /** Commits the changes and the new position in one transaction. */
  async #apply(
    asked: ReadonlyMap<string, WantedChanges>,
    pages: readonly PartitionChanges[],
  ): Promise<{ readonly kept: readonly Kept[]; readonly positions: readonly Position[] }> {
    const { db, cluster } = this.#options;
    if (pages.length === 0) return { kept: [], positions: [] };
    for (const page of pages) checkPage(page);
    return db.transaction(async (tx) => {
      const keys = pages.flatMap((page) => page.changes.map((change) => ({ key: keyIn(page, change), isRead: false })));
      const changing = await Changing.open(tx, keys, pages);
      const kept: Kept[] = [];
      const positions: Position[] = [];
      for (const page of pages) {
        const { ring, partition, log, upTo: position } = page;
        const id = placeId(ring, partition);
        const state = changing.states().get(id);
        if (state?.epoch !== asked.get(id)?.epoch || state?.isHeld !== true) continue;
        const before = this.#positions?.get(id);
        let keptBack = before?.log === log ? before.keptBack : undefined;
        const isChanging = this.#options.isChanging(ring, state.epoch);
        for (const change of page.changes) {
          const reason = this.#takeOne(changing, keyIn(page, change), change, isChanging);
          if (reason === undefined) continue;
          kept.push(reason);
          keptBack = Math.min(keptBack ?? change.number, change.number);
        }
        positions.push({ ring, partition, log, position, keptBack });
      }
      await changing.store();
      await writePositions(tx, cluster, positions);
      return { kept, positions };
    });
  }

  /** Undefined if the change is already here, a later one is, or it will never be needed. */
  #takeOne(
    changing: Changing,
    key: RegisterKey,
    { version, value }: RegisterChange,
    isChanging: boolean,
  ): Kept | undefined {
    const { clock } = this.#options;
    const gate = changing.gate(key);
    if (gate === 'DELETED') return undefined;
    const known = changing.known(key);
    if ((known.row?.version ?? noVersion) >= version) return undefined;
    if (gate === 'SEALED') return { key, isToSettle: false };
    const next = accept(isChanging ? { ...known, floor: noVersion } : known, { version, value });
    if (next !== undefined) {
      clock.meet(version);
      changing.put(key, next);
      return undefined;
    }
    // This replica knows of a deletion up to the floor without having a row.
    const isForgotten =
      value === undefined && (known.row?.version ?? noVersion) === noVersion && version <= known.floor;
    if (isForgotten) return undefined;
    clock.meet(known.row?.promised ?? noVersion);
    clock.meet(known.floor);
    return { key, isToSettle: true };
  }

  async #settle(keys: readonly RegisterKey[], signal: AbortSignal): Promise<void> {
    const { settle, log, cluster } = this.#options;
    for (let from = 0; from < keys.length; from += settledAtOnce) {
      signal.throwIfAborted();
      const some = keys.slice(from, from + settledAtOnce);
      const ends = await Promise.allSettled(some.map((key) => this.#ask(() => settle(key), signal)));
      const failed = ends.filter(({ status }) => status === 'rejected').length;
      // They stay held back and are tried again.
      if (failed > 0) log.debug({ cluster, failed }, 'names could not get a later version');
    }
  }
}

/** Nothing up to this position is missing. */
function reachedBy({ position, keptBack = Number.POSITIVE_INFINITY }: Position): number {
  return Math.min(position, keptBack - 1);
}

function keyIn({ ring }: PartitionChanges, { scope, name }: RegisterChange): RegisterKey {
  return { ring, scope, name };
}

/** Data from another cluster is not trusted. */
function checkPage({ partition, changes }: PartitionChanges): void {
  for (const change of changes) {
    checkWritten(change);
    checkName('a name', change.name);
    if (partitionOfScope(change.scope) !== partition)
      throw new Error(
        `a cluster sent a change of ${change.scope} in partition ${partition}, to which it does not belong`,
      );
  }
}
