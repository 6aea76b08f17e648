// A replica of the model: the rows of one partition, which survive restarts, with the rules of the product. Each rule that a trap removes
// is a separate method.
import { asOfAll } from '../../platform/registers/as-of.ts';
import { clustersOf, type Placement } from '../../platform/registers/placement.ts';
import type { Answer } from '../../platform/registers/registers.ts';
import * as rules from '../../platform/registers/rules.ts';
import { later, noVersion, type Version } from '../../platform/registers/version.ts';

export type Value = string;

/** The state of a replica that a backup preserves. */
interface Kept {
  readonly rows: ReadonlyMap<string, rules.Row<Value>>;
  readonly floor: Version;
  readonly epoch: number;
  readonly isReady: boolean;
}

/** The data for replicas that follow it. */
interface ToldRows {
  readonly epoch: number;
  readonly votes: boolean;
  readonly rows: ReadonlyMap<string, rules.Row<Value>>;
}

/** One replica's value of a name, with its time; see nearest.ts. */
interface OwnAnswer {
  readonly value: Value | undefined;
  readonly asOf: number | undefined;
}

/** The state up to which a replica has followed another one. */
interface Followed {
  readonly epoch: number;
  readonly asOf: number;
}

export interface Rules {
  accept: typeof rules.accept;
  promise: typeof rules.promise;
  isForgettable: typeof rules.isForgettable;
  /** Whether a replica accepts requests with this epoch. */
  takesEpoch(own: number, asked: number): boolean;
  /** The floor after a deletion with this version was forgotten. */
  floorAfter(floor: Version, forgotten: Version): Version;
  /** Whether a replica restored from a backup votes at once. */
  votesWhenRestored: boolean;
  asOfAll: typeof asOfAll;
  /** Whether everything from another replica is here, even if this many of its names were held back. */
  isWhole(keptBack: number): boolean;
  /** Whether data that was followed in one epoch counts in another one. */
  countsFollowed(followed: number, present: number): boolean;
  /** Whether a replica accepts data from another one, depending on whether that one votes. */
  takesFrom(votes: boolean): boolean;
}

export const productRules: Rules = {
  accept: rules.accept,
  promise: rules.promise,
  isForgettable: rules.isForgettable,
  takesEpoch: (own, asked) => asked >= own,
  floorAfter: later,
  votesWhenRestored: false,
  asOfAll,
  isWhole: (keptBack) => keptBack === 0,
  countsFollowed: (followed, present) => followed === present,
  takesFrom: (votes) => votes,
};

export class ModelReplica {
  readonly cluster: number;
  readonly #rules: Rules;
  #rows = new Map<string, rules.Row<Value>>();
  #floor: Version = noVersion;
  #epoch: number;
  #isReady: boolean;
  #backup: Kept | undefined;
  readonly #followed = new Map<number, Followed>();

  constructor(cluster: number, rulesOf: Rules, epoch: number, isReady: boolean) {
    this.cluster = cluster;
    this.#rules = rulesOf;
    this.#epoch = epoch;
    this.#isReady = isReady;
  }

  get floor(): Version {
    return this.#floor;
  }

  get names(): readonly string[] {
    return [...this.#rows.keys()];
  }

  row(name: string): rules.Row<Value> | undefined {
    return this.#rows.get(name);
  }

  #known(name: string): rules.Known<Value> {
    return { row: this.#rows.get(name), floor: this.#floor };
  }

  #do(epoch: number, act: () => Answer<Value>): Answer<Value> {
    if (!this.#rules.takesEpoch(this.#epoch, epoch)) return { refused: 'STALE', epoch: this.#epoch };
    this.#epoch = Math.max(this.#epoch, epoch);
    return this.#isReady ? act() : { refused: 'UNREADY' };
  }

  read(name: string, epoch: number): Answer<Value> {
    return this.#do(epoch, () => ({ ...this.#known(name), done: true }));
  }

  promise(name: string, epoch: number, ballot: Version): Answer<Value> {
    return this.#store(name, epoch, (known) => this.#rules.promise(known, ballot));
  }

  accept(name: string, epoch: number, written: rules.Written<Value>): Answer<Value> {
    return this.#store(name, epoch, (known) => this.#rules.accept(known, written));
  }

  #store(name: string, epoch: number, next: (known: rules.Known<Value>) => rules.Next<Value>): Answer<Value> {
    return this.#do(epoch, () => {
      const row = next(this.#known(name));
      if (row !== undefined) this.#rows.set(name, row);
      return { ...this.#known(name), done: row !== undefined };
    });
  }

  /** True if it has this deletion and no other operation on the name is open. */
  confirms(name: string, epoch: number, version: Version): boolean {
    if (epoch !== this.#epoch || !this.#isReady) return false;
    const { row } = this.#known(name);
    return row === undefined ? this.#floor >= version : this.#rules.isForgettable(this.#known(name), version);
  }

  forget(name: string, epoch: number, version: Version): void {
    if (epoch !== this.#epoch || !this.#isReady) return;
    if (!this.#rules.isForgettable(this.#known(name), version)) return;
    this.#rows.delete(name);
    this.#floor = this.#rules.floorAfter(this.#floor, version);
  }

  tellRows(): ToldRows {
    return { epoch: this.#epoch, votes: this.#isReady, rows: new Map(this.#rows) };
  }

  /** Applies another replica's state from some moment, like late messages of its writers. */
  follow(cluster: number, told: ToldRows, asOf: number, isChanging: boolean): void {
    if (told.epoch !== this.#epoch || !this.#rules.takesFrom(told.votes)) return;
    let keptBack = 0;
    for (const [name, { version, value }] of told.rows) {
      const { row, floor } = this.#known(name);
      const own = row?.version ?? noVersion;
      if (own >= version) continue;
      // Nothing is forgotten during a ring change, so this value was not forgotten either.
      const next = this.#rules.accept({ row, floor: isChanging ? noVersion : floor }, { version, value });
      if (next !== undefined) this.#rows.set(name, next);
      else if (value !== undefined || own !== noVersion || version > floor) keptBack += 1;
    }
    if (told.votes && this.#rules.isWhole(keptBack)) this.#followed.set(cluster, { epoch: told.epoch, asOf });
  }

  /** Undefined if it has no vote on the name. */
  answerAlone(name: string, placement: Placement, now: number): OwnAnswer | undefined {
    const isMember = placement.epoch === this.#epoch && clustersOf(placement).includes(this.cluster);
    if (!this.#isReady || !isMember) return undefined;
    const asOf = this.#rules.asOfAll(placement, (cluster) => {
      if (cluster === this.cluster) return now;
      const followed = this.#followed.get(cluster);
      const counts = followed !== undefined && this.#rules.countsFollowed(followed.epoch, placement.epoch);
      return counts ? followed.asOf : undefined;
    });
    return { value: this.#rows.get(name)?.value, asOf };
  }

  /** Enters a newer epoch. A replica that does not know the floors yet does not vote. */
  enter(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** It has the floor of its predecessors, so it votes. */
  makeReady(floor: Version): void {
    this.#floor = later(this.#floor, floor);
    this.#isReady = true;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  backUp(): void {
    this.#backup = { rows: new Map(this.#rows), floor: this.#floor, epoch: this.#epoch, isReady: this.#isReady };
  }

  /** Loses everything that came after the backup. False if there is no backup. */
  restore(): boolean {
    const backup = this.#backup;
    if (backup === undefined) return false;
    this.#rows = new Map(backup.rows);
    this.#floor = backup.floor;
    this.#epoch = backup.epoch;
    this.#isReady = backup.isReady && this.#rules.votesWhenRestored;
    return true;
  }

  /** Copies data and promises from enough other replicas and discards its own. Then it votes again. */
  takeOver(others: readonly ModelReplica[]): void {
    this.#rows = new Map();
    for (const other of others) {
      this.#epoch = Math.max(this.#epoch, other.epoch);
      this.#floor = later(this.#floor, other.floor);
      for (const [name, row] of other.#rows) {
        const own = this.#rows.get(name);
        const newest = own !== undefined && own.version >= row.version ? own : row;
        this.#rows.set(name, { ...newest, promised: later(own?.promised ?? noVersion, row.promised) });
      }
    }
    this.#isReady = true;
  }
}
