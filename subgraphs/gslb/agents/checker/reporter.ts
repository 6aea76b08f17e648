// The reports of a checker: changed verdicts in numbered batches, one at a time, and all current verdicts in a new incarnation or epoch.
// Pure: times are arguments, from the monotonic clock. It follows the rules of control/stores/batch-ledger.ts: a number always has the same
// content, and each grant is accepted once.
//
// A verdict that was replaced before it was acknowledged is history: it is sent with the current verdicts and never counts as a vote. The
// number of such verdicts is bounded. Beyond it the oldest are dropped and counted.
import {
  type CheckerBatch,
  type Grant,
  longestLatencyMs,
  mostMessageLength,
  mostVerdicts,
  type SpokenVerdict,
} from '../../wire/checker-wire.ts';

interface Seen {
  /** `MEMBER/MONITOR`. */
  readonly target: string;
  readonly verdict: 'UP' | 'DOWN';
  /** End of the check that first showed it. */
  readonly sinceMs: number;
  readonly latencyMs: number | null;
  /** Why it is DOWN. */
  readonly message: string | null;
}

interface Change extends Seen {
  /** Whether it counted, in any incarnation. */
  counted: boolean;
}

interface Latency {
  readonly ms: number;
  /** Number of measurements, at most `smoothedOver`. */
  readonly checks: number;
}

interface Flight {
  readonly history: string;
  readonly incarnation: number;
  readonly number: number;
  readonly verdicts: readonly Change[];
  readonly past: readonly Change[];
}

export type Standing = Pick<
  Grant,
  'history' | 'incarnation' | 'epoch' | 'vantagePoint' | 'stampMs' | 'counted' | 'heartbeatMs' | 'freshMs'
>;
export type ReporterLoad = Omit<CheckerBatch['load'], 'dropped'>;

interface ReporterOptions {
  /** Default 10,000. */
  readonly mostPast?: number;
  /** Limit for one batch, for current and past verdicts together. */
  readonly mostVerdicts?: number;
}

/** A latency is reported again if it differs from the last report by this share and this time. */
const newsShare = 0.25;
const newsMs = 2;
/** Limit for one heartbeat. */
const mostLatencies = 20;
/** Weight of a new measurement: one of this many. The first measurements have equal weights. */
const smoothedOver = 8;
/**
 * A batch grows while acknowledgements arrive within the first share of the time in which a batch is fresh, and shrinks if they take longer
 * than the second share. A busy conductor has many checkers, and a batch recorded too late is no vote. After everything was sent, the size
 * is reset: when a site fails, all checkers report at once, and earlier latencies predict nothing. Even a slow conductor records the first
 * batches of all checkers in time.
 */
const [soonShare, lateShare] = [0.1, 0.3];
const [firstSize, leastSize] = [50, 25];

export class Reporter {
  readonly #mostPast: number;
  readonly #mostVerdicts: number;
  /** Size of the next batch. */
  #size: number;
  readonly #present = new Map<string, Change>();
  /** Current verdicts to report in this incarnation and epoch, in order. */
  readonly #toSay = new Map<string, Change>();
  /** Smoothed latencies since the verdict's last change. A latency that has changed is reported with the next heartbeat. */
  readonly #latencies = new Map<string, Latency>();
  /** Oldest first. */
  #past: Change[] = [];
  #dropped = 0;
  #standing: Standing | undefined;
  #connected = false;
  #number = 0;
  #stampMs = 0;
  #flight: Flight | undefined;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #saidAbstains: boolean | undefined;

  constructor({ mostPast = 10_000, mostVerdicts: most = mostVerdicts }: ReporterOptions = {}) {
    this.#mostPast = mostPast;
    this.#mostVerdicts = most;
    this.#size = Math.min(firstSize, most);
  }

  /** Number of past changes that were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#toSay.size + this.#past.length;
  }

  verdictOf(target: string): Seen | undefined {
    return this.#present.get(target);
  }

  /** Records the result of a check. */
  note(seen: Seen): void {
    const before = this.#present.get(seen.target);
    if (before?.verdict === seen.verdict) {
      this.#noteLatency(before, seen.latencyMs);
      return;
    }
    if (before !== undefined && !before.counted && !this.#isInFlight(before)) this.#bury([before]);
    const change = { ...seen, counted: false };
    this.#present.set(seen.target, change);
    this.#latencies.delete(seen.target);
    if (seen.latencyMs !== null) this.#latencies.set(seen.target, { ms: seen.latencyMs, checks: 1 });
    // At the end, in the order of the changes.
    this.#toSay.delete(seen.target);
    this.#toSay.set(seen.target, change);
  }

  /** The target is no longer assigned to this checker. Unreported verdicts are dropped, because the target's next checker reports the current one. */
  forget(target: string): void {
    this.#present.delete(target);
    this.#toSay.delete(target);
    this.#latencies.delete(target);
  }

  /** The connection was lost, or a new one begins. Nothing is sent until a grant arrives. */
  disconnected(): void {
    this.#connected = false;
  }

  /** False if the grant was accepted before, or is older than an accepted one of the same history. */
  grant(standing: Standing): boolean {
    const last = this.#standing;
    const isNewer =
      last === undefined ||
      standing.history !== last.history ||
      standing.incarnation > last.incarnation ||
      (standing.incarnation === last.incarnation && standing.epoch > last.epoch);
    if (!isNewer) return false;
    if (standing.history !== last?.history || standing.incarnation !== last.incarnation) {
      this.#settle(standing);
      this.#number = 0;
      this.#stampMs = 0;
    }
    this.#standing = standing;
    this.#stampMs = Math.max(this.#stampMs, standing.stampMs);
    this.#connected = true;
    this.#sentAtMs = Number.NEGATIVE_INFINITY;
    const said = new Set(this.#toSay.keys());
    for (const [target, change] of this.#present) if (!said.has(target)) this.#toSay.set(target, change);
    return true;
  }

  stamp(stampMs: number): void {
    this.#stampMs = Math.max(this.#stampMs, stampMs);
  }

  /** Called when the batch in flight was acknowledged. */
  acknowledged(nowMs: number): void {
    const flight = this.#flight;
    if (flight === undefined) return;
    this.#flight = undefined;
    this.#resize(flight, nowMs - this.#sentAtMs);
    for (const change of [...flight.verdicts, ...flight.past]) change.counted = true;
  }

  /** When to call `next` again if no event comes first. Undefined if only an event matters. */
  dueAtMs(): number | undefined {
    if (this.#standing === undefined || !this.#connected || this.#flight !== undefined) return undefined;
    return this.#sentAtMs + this.#standing.heartbeatMs;
  }

  /** The batch to send now, which is in flight from then on. Undefined if there is none. */
  next(nowMs: number, load: ReporterLoad): CheckerBatch | undefined {
    const standing = this.#standing;
    if (standing === undefined || !this.#connected || this.#flight !== undefined) return undefined;
    const abstains = load.abstains !== null;
    const isDue = nowMs >= this.#sentAtMs + standing.heartbeatMs;
    const hasNews = this.#toSay.size > 0 || this.#past.length > 0 || abstains !== this.#saidAbstains;
    if (!isDue && !hasNews) return undefined;
    if (isDue) this.#sayLatencies();
    const verdicts = firstOf(this.#toSay.values(), this.#size);
    const past = this.#past.splice(0, this.#size - verdicts.length);
    for (const { target } of verdicts) this.#toSay.delete(target);
    this.#number += 1;
    this.#flight = {
      history: standing.history,
      incarnation: standing.incarnation,
      number: this.#number,
      verdicts,
      past,
    };
    this.#sentAtMs = nowMs;
    this.#saidAbstains = abstains;
    const { vantagePoint, history, incarnation, epoch } = standing;
    return {
      ...{ vantagePoint, history, incarnation, epoch, number: this.#number, stampMs: this.#stampMs, abstains },
      verdicts: verdicts.map((each) => spoken(each, nowMs)),
      past: past.map((each) => spoken(each, nowMs)),
      load: { ...load, dropped: this.#dropped },
    };
  }

  #resize({ verdicts, past }: Flight, tookMs: number): void {
    const freshMs = this.#standing?.freshMs ?? 0;
    if (verdicts.length + past.length < this.#size) this.#size = firstSize;
    else if (tookMs > lateShare * freshMs) this.#size = Math.max(Math.floor(this.#size / 2), leastSize);
    else if (tookMs <= soonShare * freshMs) this.#size = this.#size * 2;
    this.#size = Math.min(this.#size, this.#mostVerdicts);
  }

  #isInFlight(change: Change): boolean {
    return this.#flight?.verdicts.includes(change) === true;
  }

  /** Determines the outcome of the batch in flight when its connection was lost. */
  #settle({ history, incarnation, counted }: Standing): void {
    const flight = this.#flight;
    this.#flight = undefined;
    if (flight === undefined) return;
    const changes = [...flight.past, ...flight.verdicts];
    const isNext = flight.history === history && flight.incarnation === incarnation - 1;
    if (counted !== undefined && isNext && counted >= flight.number) {
      for (const change of changes) change.counted = true;
      return;
    }
    const isPast = (change: Change) => !change.counted && this.#present.get(change.target) !== change;
    this.#bury([...flight.past, ...flight.verdicts.filter(isPast)]);
  }

  #bury(changes: readonly Change[]): void {
    const merged = [...this.#past, ...changes];
    // A verdict that was in flight is older than the later ones.
    if (changes.length > 1 || (merged.at(-2)?.sinceMs ?? 0) > (merged.at(-1)?.sinceMs ?? 0))
      merged.sort((one, other) => one.sinceMs - other.sinceMs);
    const surplus = Math.max(0, merged.length - this.#mostPast);
    this.#dropped += surplus;
    this.#past = merged.slice(surplus);
  }

  #noteLatency({ target, verdict }: Change, latencyMs: number | null): void {
    if (latencyMs === null || verdict !== 'UP') return;
    // Smoothed, because one slow check is no news.
    const { ms, checks } = this.#latencies.get(target) ?? { ms: 0, checks: 0 };
    const counted = Math.min(checks + 1, smoothedOver);
    this.#latencies.set(target, { ms: ms + (latencyMs - ms) / counted, checks: counted });
  }

  #sayLatencies(): void {
    let left = mostLatencies;
    for (const [target, latency] of this.#latencies) {
      if (left === 0) break;
      const change = this.#present.get(target);
      if (change === undefined || this.#toSay.has(target)) continue;
      const moved = Math.abs(latency.ms - (change.latencyMs ?? 0));
      if (moved < newsMs || moved < newsShare * (change.latencyMs ?? 0)) continue;
      const renewed = { ...change, latencyMs: latency.ms };
      this.#present.set(target, renewed);
      this.#toSay.set(target, renewed);
      // At the end, so that the others have their turn first.
      this.#latencies.delete(target);
      this.#latencies.set(target, latency);
      left -= 1;
    }
  }
}

function firstOf<Each>(all: Iterable<Each>, most: number): readonly Each[] {
  const first: Each[] = [];
  for (const each of all) {
    if (first.length === most) break;
    first.push(each);
  }
  return first;
}

function spoken({ target, verdict, sinceMs, latencyMs, message }: Change, nowMs: number): SpokenVerdict {
  return {
    ...{ target, verdict, agoMs: Math.max(0, Math.round(nowMs - sinceMs)) },
    latencyMs: boundedLatency(latencyMs),
    message: message === null ? null : message.slice(0, mostMessageLength),
  };
}

/** A deployer's plugin may measure any value, and one value out of range would cause a refusal of the whole batch. */
function boundedLatency(latencyMs: number | null): number | null {
  if (latencyMs === null || Number.isNaN(latencyMs)) return null;
  return Math.min(Math.max(Math.round(latencyMs), 0), longestLatencyMs);
}
