// Linearizable registers over replicas in several clusters: one for each name. A plain write takes one round to a majority. A write
// with a condition takes two: a promise of a majority, then the value. A read that finds a value on less than a majority copies it
// to a majority before it answers. Any cluster may run any of these operations at any time, and may crash at any step.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClosedError,
  ContendedError,
  FateUnknownError,
  NoQuorumError,
  NotSentError,
  OvertakenError,
} from './errors.ts';
import { type Answers, gather } from './gather.ts';
import { clustersOf, isBeyondQuorum, isQuorum, type Placement } from './placement.ts';
import { barOf, has, type Known, type Written } from './rules.ts';
import { later, noVersion, type Version, type VersionClock } from './version.ts';

/** Why a replica did nothing, whatever it has of the name. */
export type Refusal =
  /** Its epoch for this name is newer. */
  | { readonly refused: 'STALE'; readonly epoch: number }
  /** The replica has not yet copied the state that it needs to vote. */
  | { readonly refused: 'UNREADY' }
  /** The name's container is closed. */
  | { readonly refused: 'CLOSED' };

/** `done`: it was taken or promised. */
export type Answer<Value> = (Known<Value> & { readonly refused?: undefined; readonly done: boolean }) | Refusal;

/**
 * The replicas, of which one may be in this process. Rejects if the replica may or may not have done it. With NotSentError, it has
 * not.
 */
interface Replicas<Value> {
  read(cluster: number, name: string, epoch: number): Promise<Answer<Value>>;
  promise(cluster: number, name: string, epoch: number, ballot: Version): Promise<Answer<Value>>;
  accept(cluster: number, name: string, epoch: number, written: Written<Value>): Promise<Answer<Value>>;
}

interface Placements {
  /** Returns a placement of at least this epoch. Rejects when none is known in time. */
  of(name: string, leastEpoch: number): Promise<Placement>;
}

export interface RegistersOptions<Value> {
  readonly clock: Pick<VersionClock, 'next' | 'meet'>;
  readonly placements: Placements;
  readonly replicas: Replicas<Value>;
  /** Pauses before another attempt, for at most about this long. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /**
   * The order in which a read asks clusters. It first asks enough clusters to decide, and the others if these are late or disagree.
   * Default: all at once.
   */
  readonly readOrder?: (clusters: readonly number[]) => readonly number[];
  /** Calls back after this time. Returns a function that ends the wait. */
  readonly after?: (ms: number, act: () => void) => () => void;
}

/** The value that was found. */
interface Found<Value> extends Written<Value> {
  /** Nothing later than this was written and deleted since. */
  readonly forgotten: Version;
}

export type Decision<Value, Result> =
  | { readonly keeps: true; readonly result: Result }
  /** Undefined deletes. */
  | { readonly keeps: false; readonly value: Value | undefined; readonly result: Result };

export interface WriteLimit {
  /** The value gets no later version than this one, because the object that it refers to may be gone by then. */
  readonly latest?: Version | undefined;
  /** The value gets a version after this one. */
  readonly after?: Version | undefined;
}

interface Decided<Value, Result> {
  /** The value after the update. */
  readonly written: Written<Value>;
  readonly result: Result;
}

interface Asked<Value> {
  readonly placement: Placement;
  readonly done: ReadonlyMap<number, Known<Value>>;
  /** Answered, and did not do it. */
  readonly not: ReadonlyMap<number, Known<Value>>;
  /** Did nothing. */
  readonly refused: ReadonlyMap<number, Refusal>;
  /** May have done it. */
  readonly unknown: ReadonlySet<number>;
  /** Was never asked. */
  readonly unsent: ReadonlySet<number>;
  /** Asked the same before, with an older epoch, some replica may have done it. */
  readonly isRepeated: boolean;
}

/** A proposal, based on the value found then. Some replica may have taken it. */
interface Proposed<Result> {
  readonly on: Version;
  readonly ballots: readonly Version[];
  readonly result: Result;
}

const attempts = 12;
/**
 * A step of a ring change reaches clusters one after the other, and a new member first copies the record of forgotten deletions.
 * Both take some seconds.
 */
const unreadyAttempts = 36;
const firstPauseMs = 1;
const longestPauseMs = 200;
/** A cluster that a read asks first counts as late after this time. */
const lateMs = 50;

export class Registers<Value> {
  protected readonly options: RegistersOptions<Value>;

  constructor(options: RegistersOptions<Value>) {
    this.options = options;
  }

  /** The newest value; `noVersion` when there never was one. @throws NoQuorumError, ClosedError, ContendedError */
  async read(name: string): Promise<Written<Value>> {
    const { replicas } = this.options;
    const ask = (cluster: number, epoch: number) => replicas.read(cluster, name, epoch);
    const asked = await this.#ask(name, isLost, ask, this.options.readOrder);
    const { placement, done } = asked;
    if (!isQuorum(placement, done)) throw failureOf(name, asked);
    const newest = newestOf(done);
    const holders = holdersOf(done, newest);
    if (isQuorum(placement, holders) || (await this.bring(name, placement, newest, holders))) return newest;
    // A promise or a floor is in the way of this version: its value gets a later one.
    return (await this.#decide(name, () => ({ keeps: true, result: undefined }))).written;
  }

  /**
   * Writes whatever is there. Undefined deletes.
   * @throws NoQuorumError, ContendedError, ClosedError, FateUnknownError; OvertakenError where the name is beyond the limit
   */
  async write(
    name: string,
    value: Value | undefined,
    { latest, after = noVersion }: WriteLimit = {},
  ): Promise<Version> {
    const { clock, replicas } = this.options;
    let last = after;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      if (attempt > 0) await this.#pause(attempt);
      const written = { version: clock.next(last), value };
      mustNotBeLate(name, written.version, last, latest);
      const asked = await this.#ask(name, isInDoubt, (cluster, epoch) =>
        replicas.accept(cluster, name, epoch, written),
      );
      if (isQuorum(asked.placement, asked.done)) return written.version;
      if (mayBeTaken(asked)) return this.finish(name, written, { latest });
      if (!isOutrun(asked)) throw failureOf(name, asked);
      last = later(written.version, barOfMajority(asked));
    }
    throw new ContendedError(`others write ${name} all the time`);
  }

  /**
   * Reads the value, decides, and writes. No other write can come in between. When it returns, the value that it based its decision
   * on is at a majority, even if it wrote nothing. `decide` may run several times.
   * @throws NoQuorumError, ContendedError, ClosedError, FateUnknownError
   */
  async update<Result>(
    name: string,
    decide: (found: Written<Value>) => Decision<Value, Result>,
    limit: WriteLimit = {},
  ): Promise<Decided<Value, Result>> {
    return this.#decide(name, decide, limit);
  }

  /** Copies a value that was read to a majority. Returns false if replicas did not take it. */
  protected async bring(
    name: string,
    placement: Placement,
    newest: Written<Value>,
    holders: ReadonlySet<number>,
  ): Promise<boolean> {
    const { replicas } = this.options;
    const having = new Set(holders);
    await gather(
      clustersOf(placement).filter((cluster) => !holders.has(cluster)),
      async (cluster) => {
        const answer = await replicas.accept(cluster, name, placement.epoch, newest);
        if (answer.refused === undefined && answer.done) having.add(cluster);
      },
      () => isQuorum(placement, having),
    );
    return isQuorum(placement, having);
  }

  /** Whether every later read finds the value that refused a condition. */
  protected isHeld(placement: Placement, holders: ReadonlySet<number>): boolean {
    return isQuorum(placement, holders);
  }

  /**
   * Determines the fate of a write that some replicas may have taken. If a majority promised and has only older values, nobody saw the
   * write or ever will, so it is written again. If a replica has it, it is copied to a majority. If there is a later value, its
   * fate stays open.
   */
  protected async finish(name: string, mine: Written<Value>, limit: WriteLimit = {}): Promise<Version> {
    try {
      const { written } = await this.#decide<undefined>(
        name,
        (found) => {
          const last = later(found.version, found.forgotten);
          if (last > mine.version) throw unknownFate(name);
          const keeps = last === mine.version;
          return keeps ? { keeps, result: undefined } : { keeps, value: mine.value, result: undefined };
        },
        // Any value that a replica may have taken is older than the value that is written now.
        { ...limit, after: mine.version },
      );
      return written.version;
    } catch (error) {
      throw error instanceof FateUnknownError ? error : unknownFate(name, error);
    }
  }

  async #decide<Result>(
    name: string,
    decide: (found: Found<Value>) => Decision<Value, Result>,
    { latest, after = noVersion }: WriteLimit = {},
  ): Promise<Decided<Value, Result>> {
    const { clock, replicas } = this.options;
    let last = after;
    let proposed: Proposed<Result> | undefined;
    try {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        if (attempt > 0) await this.#pause(attempt);
        const before = last;
        const ballot = clock.next(before);
        last = ballot;
        const promised = await this.#ask(name, isLost, (cluster, epoch) =>
          replicas.promise(cluster, name, epoch, ballot),
        );
        const { placement, done } = promised;
        if (!isQuorum(placement, done)) {
          if (!isOutrun(promised)) throw failureOf(name, promised);
          last = later(last, barOfMajority(promised));
          continue;
        }
        const found = { ...newestOf(done), forgotten: forgottenBy(done) };
        const decision = this.#again(name, proposed, found) ?? decide(found);
        if (decision.keeps && this.isHeld(placement, holdersOf(done, found)))
          return { written: found, result: decision.result };
        if (!decision.keeps) mustNotBeLate(name, ballot, before, latest);
        const written = { version: ballot, value: decision.keeps ? found.value : decision.value };
        const accepted = await this.#askOnce(placement, isInDoubt, (cluster, epoch) =>
          replicas.accept(cluster, name, epoch, written),
        );
        if (isQuorum(placement, accepted.done)) return { written, result: decision.result };
        if (!mayBeTaken(accepted)) continue;
        if (proposed !== undefined) proposed = { ...proposed, ballots: [...proposed.ballots, ballot] };
        else if (!decision.keeps) proposed = { on: found.version, ballots: [ballot], result: decision.result };
      }
      throw new ContendedError(`others write ${name} all the time`);
    } catch (error) {
      throw proposed === undefined || error instanceof FateUnknownError ? error : unknownFate(name, error);
    }
  }

  /**
   * The decision that follows from an earlier proposal. Undefined if nobody saw the proposal or can see it any more, so that a new
   * decision is needed.
   */
  #again<Result>(
    name: string,
    proposed: Proposed<Result> | undefined,
    found: Found<Value>,
  ): Decision<Value, Result> | undefined {
    if (proposed === undefined) return undefined;
    if (proposed.ballots.includes(found.version)) return { keeps: true, result: proposed.result };
    const [first = noVersion] = proposed.ballots;
    if (found.version === proposed.on && found.forgotten < first) return undefined;
    throw unknownFate(name);
  }

  /** Asks all replicas, or in the given `order`. Repeats the same question if the epoch was too old or replicas are not ready. */
  async #ask(
    name: string,
    ends: Ends,
    ask: (cluster: number, epoch: number) => Promise<Answer<Value>>,
    order?: RegistersOptions<Value>['readOrder'],
  ): Promise<Asked<Value>> {
    let leastEpoch = 0;
    let isRepeated = false;
    for (let attempt = 1; ; attempt += 1) {
      const placement = await this.options.placements.of(name, leastEpoch);
      const asked = { ...(await this.#askOnce(placement, ends, ask, order)), isRepeated };
      if (isQuorum(placement, asked.done) || attempt === unreadyAttempts) return asked;
      const refused = [...asked.refused.values()];
      const isUnready = refused.some(({ refused: why }) => why === 'UNREADY');
      const epochs = refused.flatMap((each) => (each.refused === 'STALE' ? [each.epoch] : []));
      if (epochs.length === 0 && !isUnready) return asked;
      leastEpoch = Math.max(placement.epoch, ...epochs);
      isRepeated = mayBeTaken(asked);
      if (isUnready) await this.#pause(attempt);
    }
  }

  async #askOnce(
    placement: Placement,
    ends: Ends,
    ask: (cluster: number, epoch: number) => Promise<Answer<Value>>,
    order?: RegistersOptions<Value>['readOrder'],
  ): Promise<Asked<Value>> {
    const { after = afterMs } = this.options;
    const clusters = order?.(clustersOf(placement)) ?? clustersOf(placement);
    const enough = order === undefined ? clusters.length : quorumIn(placement, clusters);
    const answers = await gather(
      clusters.slice(0, enough),
      (cluster) => ask(cluster, placement.epoch),
      (soFar) => {
        const asked = sorted(placement, soFar);
        return isQuorum(placement, asked.done) || ends(asked);
      },
      { clusters: clusters.slice(enough), whenLate: (askThem) => after(lateMs, askThem) },
    );
    const asked = sorted(placement, answers);
    for (const known of [...asked.done.values(), ...asked.not.values()]) this.options.clock.meet(barOf(known));
    return asked;
  }

  #pause(attempt: number): Promise<unknown> {
    const { pause = (ms: number) => sleep(ms) } = this.options;
    return pause(Math.min(longestPauseMs, firstPauseMs * 2 ** attempt));
  }
}

type Ends = (asked: Asked<unknown>) => boolean;

function afterMs(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/** How many of these, from the first one on, are a majority of each group. */
function quorumIn(placement: Placement, clusters: readonly number[]): number {
  const counted = clusters.findIndex((_, at) => isQuorum(placement, new Set(clusters.slice(0, at + 1))));
  return counted === -1 ? clusters.length : counted + 1;
}

function sorted<Value>(placement: Placement, { answered, failed }: Answers<Answer<Value>>): Asked<Value> {
  const asked = {
    ...{ placement, done: new Map<number, Known<Value>>(), not: new Map<number, Known<Value>>() },
    ...{ refused: new Map<number, Refusal>(), unknown: new Set<number>(), unsent: new Set<number>() },
    isRepeated: false,
  };
  for (const [cluster, answer] of answered) {
    if (answer.refused !== undefined) asked.refused.set(cluster, answer);
    else (answer.done ? asked.done : asked.not).set(cluster, answer);
  }
  for (const [cluster, error] of failed) (error instanceof NotSentError ? asked.unsent : asked.unknown).add(cluster);
  return asked;
}

/** A majority can't be had any more. */
function isLost({ placement, not, refused, unknown, unsent }: Asked<unknown>): boolean {
  const without = new Set([...not.keys(), ...refused.keys(), ...unknown, ...unsent]);
  return isBeyondQuorum(placement, without);
}

function mayBeTaken({ done, unknown, isRepeated }: Asked<unknown>): boolean {
  return done.size > 0 || unknown.size > 0 || isRepeated;
}

/**
 * A majority is out of reach, and some replica may have taken the value, so the outcome is open. While no replica may have taken
 * it, waiting goes on: the last answers may still prove that none has.
 */
function isInDoubt(asked: Asked<unknown>): boolean {
  return isLost(asked) && mayBeTaken(asked);
}

/** Replicas are enough, but they have something later. */
function isOutrun({ placement, done, not }: Asked<unknown>): boolean {
  return not.size > 0 && isQuorum(placement, { has: (cluster) => done.has(cluster) || not.has(cluster) });
}

/**
 * A majority of each group takes any version later than this. A version far ahead counts only if every majority includes it, so a
 * single replica can't raise the bar.
 */
function barOfMajority({ placement, done, not }: Asked<unknown>): Version {
  const bars = [...done, ...not].map(([cluster, known]) => ({ cluster, bar: barOf(known) }));
  const passed = new Set<number>();
  for (const { cluster, bar } of bars.toSorted((one, other) => (one.bar < other.bar ? -1 : 1))) {
    passed.add(cluster);
    if (isQuorum(placement, passed)) return bar;
  }
  return noVersion;
}

function newestOf<Value>(known: ReadonlyMap<number, Known<Value>>): Written<Value> {
  let newest: Written<Value> = { version: noVersion, value: undefined };
  for (const { row } of known.values()) if (row !== undefined && row.version > newest.version) newest = row;
  return { version: newest.version, value: newest.value };
}

/** The latest deletion that one of these replicas may have forgotten. */
function forgottenBy(known: ReadonlyMap<number, Known<unknown>>): Version {
  let latest = noVersion;
  for (const { row, floor } of known.values())
    if (row === undefined || row.version === noVersion) latest = later(latest, floor);
  return latest;
}

function holdersOf<Value>(known: ReadonlyMap<number, Known<Value>>, written: Written<Value>): ReadonlySet<number> {
  return new Set([...known].filter(([, each]) => has(each, written)).map(([cluster]) => cluster));
}

/** The error of an operation that had no effect. */
function failureOf(name: string, { refused }: Asked<unknown>): Error {
  const reasons = new Set([...refused.values()].map((each) => each.refused));
  if (reasons.has('CLOSED')) return new ClosedError(`the container of ${name} takes no changes`);
  return new NoQuorumError(`too few clusters answered for ${name}`);
}

/** `after`: the version had to be later than this one. */
function mustNotBeLate(name: string, version: Version, after: Version, latest: Version | undefined): void {
  if (latest === undefined || version <= latest) return;
  if (after >= latest)
    throw new OvertakenError(`${name} has a version of a clock that was ahead: send it again`, after);
  throw new ContendedError(`the write of ${name} took too long: send it again`);
}

function unknownFate(name: string, cause?: unknown): FateUnknownError {
  return new FateUnknownError(`it is unknown whether a write of ${name} takes effect`, { cause });
}
