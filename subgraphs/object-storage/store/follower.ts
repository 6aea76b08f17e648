// Follows another cluster: takes what that one has changed and this one lacks, partition by partition, in the order of its changes. How far it
// has come is committed with what was taken, so that it goes on from there after a crash. Several processes may follow the same one.
//
// A change is taken by the rules, like a message of the coordinator that wrote it which comes late: nobody counts this replica for it, so that
// no epoch of the writer matters, nor whether this replica votes yet. But a gate does: a container is deleted when replicas that are sealed were
// listed and had nothing, and what came into them afterwards would be lost. What a gate keeps back comes when it is open again.
import type { Database } from '../../../platform/database/database.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import { accept } from '../../../platform/registers/rules.ts';
import { noVersion, type VersionClock } from '../../../platform/registers/version.ts';
import { within } from '../../../platform/within.ts';
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

export interface FollowerOptions {
  readonly db: Database;
  readonly partitions: Partitions;
  /** The process's own. */
  readonly clock: VersionClock;
  readonly log: Logger;
  /** The other cluster's number. */
  readonly cluster: number;
  readonly peer: CatchUpPeer;
  /** Whether that cluster is a member of the partition in this epoch: who has left it does not know what was deleted since. */
  readonly isMember: (cluster: number, place: PartitionHead) => boolean;
  /**
   * Whether the ring changes in this epoch. Nothing is forgotten then, so that what another member has was not: a new member takes it, though it
   * is older than what was forgotten before.
   */
  readonly isChanging: (ring: number, epoch: number) => boolean;
  /**
   * Gives what a name has a later version, at a majority: a promise or a floor here keeps out the one that others have. Rejects when it can't be
   * done now.
   */
  readonly settle: (key: RegisterKey) => Promise<unknown>;
  /** Between two looks at what has moved; default 1000. */
  readonly pauseMs?: number;
  /** Before what was kept back is looked at again, and longer each time; default 2000. */
  readonly againMs?: number;
  /** For each request; default 30000. */
  readonly requestMs?: number;
}

export interface Lag {
  /** Changes of the other cluster that were not looked at, or not taken. */
  readonly changes: number;
  readonly partitions: number;
  /** When it last told what has moved; undefined: not yet. The figures are as of then. */
  readonly heardAt: Date | undefined;
  /** How long it knows of the oldest of them, in milliseconds; undefined: it lacks none. */
  readonly oldestMs: number | undefined;
}

/** What could not be taken: by a promise or a floor, which a later version overcomes, or for now. */
interface Kept {
  readonly key: RegisterKey;
  readonly isToSettle: boolean;
}

interface Whole {
  /** Of `performance.now()` here. */
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
  /** Those of them in which something is lacking, or was kept back: of thousands of partitions usually none. */
  readonly #open = new Set<string>();
  /** What it was told of each first, of what it lacks. */
  readonly #told = new Map<string, { readonly changes: number; readonly atMs: number }>();
  /** Of each partition the first that was told in its present epoch. */
  readonly #firstHeads = new Map<string, PartitionHead>();
  /** When what was kept back in a partition is looked at again. */
  readonly #again = new Map<string, Again>();
  /** As they are in the database, or behind that. */
  #positions: Map<string, Position> | undefined;
  /** By ring: in which epoch the positions were read. */
  #epochs: ReadonlyMap<number, number> = new Map();
  /** What the other's last answer was sure to have in it. */
  #whole: Whole | undefined;
  /** Of each partition whose head has moved since: as of when nothing of it was lacking, and in which epoch. */
  readonly #wholeBefore = new Map<string, { readonly asOfMs: number; readonly epoch: number }>();
  /** Partitions that this cluster does not hold, with the epoch in which that is so. */
  readonly #notHeld = new Map<string, number>();
  /** Where among those that are behind the next request begins. */
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

  /** Looks soon. */
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
      // What was told first is taken: the rest was told since.
      if (told !== undefined && told.changes > head.changes - lacks) since = Math.min(since ?? told.atMs, told.atMs);
    }
    const oldestMs = partitions === 0 ? undefined : performance.now() - (since ?? performance.now());
    return { changes, partitions, heardAt: this.#heardAt, oldestMs };
  }

  /** Whether all is here that the other cluster had when it was in this epoch. */
  hasAll({ ring, partition }: Place, epoch: number): boolean {
    const id = placeId(ring, partition);
    const first = this.#firstHeads.get(id);
    if (first?.epoch !== epoch) return false;
    const { position, keptBack = Number.POSITIVE_INFINITY } = this.#positionOf(id, first);
    return position >= first.changes && keptBack > first.changes;
  }

  /**
   * All that the other cluster had of the partition at this moment of `performance.now()` is here, and both are in this epoch, in which the other
   * voted then. Undefined: no such moment is known.
   */
  asOf({ ring, partition }: Place, epoch: number): number | undefined {
    const id = placeId(ring, partition);
    const before = this.#wholeBefore.get(id);
    return this.#asOfNow(id, ring, epoch) ?? (before?.epoch === epoch ? before.asOfMs : undefined);
  }

  /** By its last answer. */
  #asOfNow(id: string, ring: number, epoch: number): number | undefined {
    const head = this.#heads.get(id);
    const isOfEpoch = [head?.epoch, this.#epochs.get(ring), this.#whole?.epochs.get(ring)].every(
      (one) => one === epoch,
    );
    if (head === undefined || !isOfEpoch) return undefined;
    const { position, keptBack } = this.#positionOf(id, head);
    return position >= head.changes && keptBack === undefined ? this.#whole?.asOfMs : undefined;
  }

  /** Takes some of what is lacking. True: there is more. */
  async follow(signal: AbortSignal): Promise<boolean> {
    const { peer } = this.#options;
    await this.#readPositions();
    // The other answers later than it is asked: how much later nobody knows.
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

  /** What it lacks of a partition is as old as the first time that it was told of it. */
  #meet(id: string, head: PartitionHead): void {
    const asOfMs = this.#asOfNow(id, head.ring, head.epoch);
    if (asOfMs !== undefined) this.#wholeBefore.set(id, { asOfMs, epoch: head.epoch });
    this.#heads.set(id, head);
    if (reachedBy(this.#positionOf(id, head)) >= (this.#told.get(id)?.changes ?? 0))
      this.#told.set(id, { changes: head.changes, atMs: performance.now() });
    const first = this.#firstHeads.get(id);
    if (first?.epoch !== head.epoch || first.log !== head.log) this.#firstHeads.set(id, head);
    this.#judge(id, head);
  }

  /** Whether there is anything to do in the partition: after each change of its head, its position, or whether it is held. */
  #judge(id: string, head: PartitionHead): void {
    const own = this.#positionOf(id, head);
    const isOpen = (reachedBy(own) < head.changes || own.keptBack !== undefined) && !this.#isNotHeld(id, head);
    if (isOpen) this.#open.add(id);
    else this.#open.delete(id);
  }

  /** A register of before the page's end may have changed again, and is here only with what comes after it. */
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
    this.#judge(id, head);
  }

  #ask<Result>(request: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const { requestMs = 30_000, cluster } = this.#options;
    return within(requestMs, `cluster ${cluster} did not answer`, request, signal);
  }

  /** Without one in the other's present numbering all of it is looked at. */
  #positionOf(id: string, { ring, partition, log }: PartitionHead): Position {
    const position = this.#positions?.get(id);
    return position?.log === log ? position : { ring, partition, log, position: 0, keptBack: undefined };
  }

  /** Once the rest of a partition was looked at, it goes back to what was kept. */
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
        this.#judge(id, head);
      }
    }
  }

  /** A partition that was left and came back has lost its rows, and its position: all are read again in a new epoch. */
  async #readPositions(): Promise<void> {
    const { db, cluster, partitions } = this.#options;
    const epochs = await partitions.epochs();
    const isSame = [...epochs].every(([ring, epoch]) => this.#epochs.get(ring) === epoch);
    if (this.#positions !== undefined && isSame) return;
    this.#positions = await readPositions(db, cluster);
    this.#epochs = epochs;
    for (const [id, head] of this.#heads) this.#judge(id, head);
  }

  #isNotHeld(id: string, { ring }: PartitionHead): boolean {
    const epoch = this.#notHeld.get(id);
    return epoch !== undefined && epoch === this.#epochs.get(ring);
  }

  /** Some partitions in which the other has more, and in which both are in the same epoch. */
  async #lacking(): Promise<readonly WantedChanges[]> {
    const { cluster, isMember, partitions } = this.#options;
    const behind = this.#openHeads().filter(
      ([id, head]) => this.#positionOf(id, head).position < head.changes && isMember(cluster, head),
    );
    // Each time others come first, so that a large partition does not keep them waiting.
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
        this.#judge(id, head);
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
    // Otherwise the other is in another epoch by now, or this one is.
    return positions.length > 0;
  }

  /** One transaction: the changes, and how far it has come. */
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

  /** Undefined: it is here, or something later is, or it will never be needed. */
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
    if (gate === 'SEALED' || clock.isFarAhead(version)) return { key, isToSettle: false };
    const next = accept(isChanging ? { ...known, floor: noVersion } : known, { version, value });
    if (next !== undefined) {
      clock.meet(version);
      changing.put(key, next);
      return undefined;
    }
    // A deletion up to the floor is one that this replica knows without a row.
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
      // They are kept back, and looked at again.
      if (failed > 0) log.debug({ cluster, failed }, 'names could not be given a later version');
    }
  }
}

/** Up to here nothing is lacking. */
function reachedBy({ position, keptBack = Number.POSITIVE_INFINITY }: Position): number {
  return Math.min(position, keptBack - 1);
}

function keyIn({ ring }: PartitionChanges, { scope, name }: RegisterChange): RegisterKey {
  return { ring, scope, name };
}

/** What another cluster tells is not taken on trust. */
function checkPage({ partition, changes }: PartitionChanges): void {
  for (const change of changes) {
    checkWritten(change);
    checkName('a name', change.name);
    if (partitionOfScope(change.scope) !== partition)
      throw new Error(`a cluster told a change of ${change.scope} in partition ${partition}, where it is not`);
  }
}
