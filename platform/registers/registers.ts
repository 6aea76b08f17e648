// Linearizable registers over replicas in several clusters: one for each name. A plain write takes one round to a majority. A write with a
// condition takes two: a promise of a majority, then the value. A read that met a value on less than a majority brings it to one before it
// answers. Any cluster may do any of it at any time, and may die at any step.
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, ContendedError, FateUnknownError, NoQuorumError, NotSentError } from './errors.ts';
import { type Answers, gather } from './gather.ts';
import { clustersOf, isBeyondQuorum, isQuorum, type Placement } from './placement.ts';
import { barOf, has, type Known, type Written } from './rules.ts';
import { later, noVersion, type Version, type VersionClock } from './version.ts';

/** Why a replica did nothing, whatever it has of the name. */
export type Refusal =
  /** Its epoch for this name is newer. */
  | { readonly refused: 'STALE'; readonly epoch: number }
  /** It has not brought over yet what it must know before it votes. */
  | { readonly refused: 'UNREADY' }
  /** The name's container is closed. */
  | { readonly refused: 'CLOSED' }
  /** The version is so far ahead of its clock that one of the two is wrong. */
  | { readonly refused: 'AHEAD' };

/** `done`: it was taken or promised. */
export type Answer<Value> = (Known<Value> & { readonly refused?: undefined; readonly done: boolean }) | Refusal;

/** The replicas, of which one may be in this process. Rejects when the replica may or may not have done it; NotSentError: it has not. */
export interface Replicas<Value> {
  read(cluster: number, name: string, epoch: number): Promise<Answer<Value>>;
  promise(cluster: number, name: string, epoch: number, ballot: Version): Promise<Answer<Value>>;
  accept(cluster: number, name: string, epoch: number, written: Written<Value>): Promise<Answer<Value>>;
}

export interface Placements {
  /** At least of this epoch. Rejects when none is known in time. */
  of(name: string, leastEpoch: number): Promise<Placement>;
}

export interface RegistersOptions<Value> {
  readonly clock: VersionClock;
  readonly placements: Placements;
  readonly replicas: Replicas<Value>;
  /** Before another attempt; at most about so long. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** In which order a read asks: the first that can decide it, and the others when these are late or disagree. Default: all at once. */
  readonly readOrder?: (clusters: readonly number[]) => readonly number[];
  /** Calls back after so long. Returns a function that ends the wait. */
  readonly after?: (ms: number, act: () => void) => () => void;
}

/** What is there. */
export interface Found<Value> extends Written<Value> {
  /** Nothing later than this was written and deleted since. */
  readonly forgotten: Version;
}

export type Decision<Value, Result> =
  | { readonly keeps: true; readonly result: Result }
  /** Undefined deletes. */
  | { readonly keeps: false; readonly value: Value | undefined; readonly result: Result };

export interface WriteLimit {
  /** The value gets no version after this one: what it refers to may be gone by then. */
  readonly latest?: Version | undefined;
}

interface Decided<Value, Result> {
  /** What is there now. */
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

/** Proposed by what was found then; some replica may have taken it. */
interface Proposed<Result> {
  readonly on: Version;
  readonly ballots: readonly Version[];
  readonly result: Result;
}

const attempts = 12;
/** A step of a change of rings comes to clusters one after the other, and a new member learns first what was forgotten: some seconds. */
const unreadyAttempts = 36;
const firstPauseMs = 1;
const longestPauseMs = 200;
/** Those that a read asked first are late after so long. */
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

  /** Writes whatever is there. Undefined deletes. @throws NoQuorumError, ContendedError, ClosedError, FateUnknownError */
  async write(name: string, value: Value | undefined, { latest }: WriteLimit = {}): Promise<Version> {
    const { clock, replicas } = this.options;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      if (attempt > 0) await this.#pause(attempt);
      const written = { version: clock.next(), value };
      if (isTooLate(written.version, latest)) throw tooLate(name);
      const asked = await this.#ask(name, isInDoubt, (cluster, epoch) =>
        replicas.accept(cluster, name, epoch, written),
      );
      if (isQuorum(asked.placement, asked.done)) return written.version;
      if (mayBeTaken(asked)) return this.finish(name, written, { latest });
      if (!isOutrun(asked)) throw failureOf(name, asked);
    }
    throw new ContendedError(`others write ${name} all the time`);
  }

  /**
   * Decides by what is there, and writes; nobody else's write comes in between. When it returns, what it decided by is at a majority, also
   * if it keeps it. `decide` may run several times.
   * @throws NoQuorumError, ContendedError, ClosedError, FateUnknownError
   */
  async update<Result>(
    name: string,
    decide: (found: Written<Value>) => Decision<Value, Result>,
    limit: WriteLimit = {},
  ): Promise<Decided<Value, Result>> {
    return this.#decide(name, decide, limit);
  }

  /** Brings what was read to a majority. False: replicas did not take it. */
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

  /** Whether what a condition was refused by is where every later read meets it. */
  protected isHeld(placement: Placement, holders: ReadonlySet<number>): boolean {
    return isQuorum(placement, holders);
  }

  /**
   * The fate of a write that some replicas may have taken. Where all of a majority that promised are older, nobody saw the write nor ever
   * will: it is written anew. Where one has it, it is brought to a majority. What is later leaves its fate open.
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
        limit,
      );
      return written.version;
    } catch (error) {
      throw error instanceof FateUnknownError ? error : unknownFate(name, error);
    }
  }

  async #decide<Result>(
    name: string,
    decide: (found: Found<Value>) => Decision<Value, Result>,
    { latest }: WriteLimit = {},
  ): Promise<Decided<Value, Result>> {
    const { clock, replicas } = this.options;
    let proposed: Proposed<Result> | undefined;
    try {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        if (attempt > 0) await this.#pause(attempt);
        const ballot = clock.next();
        const promised = await this.#ask(name, isLost, (cluster, epoch) =>
          replicas.promise(cluster, name, epoch, ballot),
        );
        const { placement, done } = promised;
        if (!isQuorum(placement, done)) {
          if (isOutrun(promised)) continue;
          throw failureOf(name, promised);
        }
        const found = { ...newestOf(done), forgotten: forgottenBy(done) };
        const decision = this.#again(name, proposed, found) ?? decide(found);
        if (decision.keeps && this.isHeld(placement, holdersOf(done, found)))
          return { written: found, result: decision.result };
        if (!decision.keeps && isTooLate(ballot, latest)) throw tooLate(name);
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

  /** What follows from an earlier proposal; undefined: it was seen by nobody and can't be any more, so that all is decided anew. */
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

  /** Asks replicas, all unless there is an `order`; again, and the same, where the epoch was too old or replicas are not ready. */
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

/** As long as nobody is known to have taken it, the last answer may still say that nobody has. */
function isInDoubt(asked: Asked<unknown>): boolean {
  return isLost(asked) && mayBeTaken(asked);
}

/** Replicas are enough, but they have something later. */
function isOutrun({ placement, done, not }: Asked<unknown>): boolean {
  return not.size > 0 && isQuorum(placement, { has: (cluster) => done.has(cluster) || not.has(cluster) });
}

function newestOf<Value>(known: ReadonlyMap<number, Known<Value>>): Written<Value> {
  let newest: Written<Value> = { version: noVersion, value: undefined };
  for (const { row } of known.values()) if (row !== undefined && row.version > newest.version) newest = row;
  return { version: newest.version, value: newest.value };
}

/** The latest deletion that one of them may have forgotten. */
function forgottenBy(known: ReadonlyMap<number, Known<unknown>>): Version {
  let latest = noVersion;
  for (const { row, floor } of known.values())
    if (row === undefined || row.version === noVersion) latest = later(latest, floor);
  return latest;
}

function holdersOf<Value>(known: ReadonlyMap<number, Known<Value>>, written: Written<Value>): ReadonlySet<number> {
  return new Set([...known].filter(([, each]) => has(each, written)).map(([cluster]) => cluster));
}

/** Of what did not happen. */
function failureOf(name: string, { refused }: Asked<unknown>): Error {
  const reasons = new Set([...refused.values()].map((each) => each.refused));
  if (reasons.has('CLOSED')) return new ClosedError(`the container of ${name} takes no changes`);
  if (reasons.has('AHEAD'))
    return new NoQuorumError(`the clock of this cluster is far ahead of others: set it, and ask again (${name})`);
  return new NoQuorumError(`too few clusters answered for ${name}`);
}

function isTooLate(version: Version, latest: Version | undefined): boolean {
  return latest !== undefined && version > latest;
}

function tooLate(name: string): ContendedError {
  return new ContendedError(`the write of ${name} took too long: send it again`);
}

function unknownFate(name: string, cause?: unknown): FateUnknownError {
  return new FateUnknownError(`it is unknown whether a write of ${name} takes effect`, { cause });
}
