// Vantage points in simulated time. Their processes check one member and report to the conductor over a network that loses, delays,
// duplicates and reorders messages. They may lie, stop, or have jumping clocks. The trial's judge gets a record of what each process really
// saw and reported, and when. The conductor sees only messages.
import type { Batch, TargetVerdict } from '../../subgraphs/gslb/control/stores/batch-ledger.ts';
import type { Verdict } from '../../subgraphs/gslb/rules/quorum.ts';
import type { Random } from '../random.ts';

export type ToConductor =
  | { readonly kind: 'HELLO'; readonly checker: string; readonly nonce: number }
  | { readonly kind: 'BATCH'; readonly checker: string; readonly batch: Batch };

export type ToChecker =
  | { readonly kind: 'GRANT'; readonly nonce: number; readonly incarnation: number; readonly stampMs: number }
  | { readonly kind: 'EPOCH'; readonly epoch: number; readonly owner: string }
  | { readonly kind: 'TAKEN'; readonly incarnation: number; readonly number: number; readonly stampMs: number }
  | { readonly kind: 'REFUSED'; readonly incarnation: number };

/** A process of a vantage point held a verdict, to the best of its knowledge. */
export interface Said {
  readonly vantagePoint: string;
  readonly verdict: Verdict;
  readonly fromMs: number;
  /** Undefined for the end of the round. */
  toMs: number | undefined;
}

const checkEveryMs = 1_000;
const repeatAfterMs = 2_000;
/** After this time without an answer it reconnects. */
const givesUpAfterMs = 6_000;
/** Consecutive checks that change a verdict. */
const series = 2;
const mostPast = 20;
const target = 'member/monitor';

/** One event at a time, in order. */
export class Timeline {
  readonly #due: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;
  nowMs = 0;

  in(delayMs: number, run: () => void): void {
    this.#order += 1;
    const event = { atMs: this.nowMs + delayMs, order: this.#order, run };
    const index = this.#due.findIndex(({ atMs }) => atMs > event.atMs);
    this.#due.splice(index < 0 ? this.#due.length : index, 0, event);
  }

  runUntil(endMs: number): void {
    for (let next = this.#due[0]; next !== undefined && next.atMs <= endMs; next = this.#due[0]) {
      this.#due.shift();
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = endMs;
  }
}

interface CheckerOptions {
  readonly name: string;
  readonly vantagePoint: string;
  readonly timeline: Timeline;
  readonly random: Random;
  /** The result of a check of the member, or a lie. */
  readonly check: () => Verdict;
  readonly send: (message: ToConductor) => void;
  readonly said: Said[];
}

/** A process of a vantage point that behaves as platform/checks and its reporting should. */
export class Checker {
  readonly #options: CheckerOptions;
  /** Offset to real time: its monotonic clock jumps in this trial. */
  clockOffsetMs = 0;
  /** Killed, or stopped while messages to it wait. */
  state: 'RUNS' | 'STOPPED' | 'DEAD' = 'RUNS';
  #waiting: (() => void)[] = [];
  #nonce = 0;
  /** 0 if it is not connected. */
  #incarnation = 0;
  /** A duplicated grant counts once, because numbers would start again otherwise. */
  #newest = 0;
  #stampMs = 0;
  #epoch = 0;
  #owns = false;
  #number = 0;
  #inFlight: { readonly batch: Batch; sentMs: number } | undefined;
  #lastHeardMs = 0;
  #verdict: Verdict | undefined;
  #series = { verdict: 'UP' as Verdict, count: 0 };
  #abstainsFor = 0;
  #told: Verdict | undefined;
  #sinceMs = 0;
  #past: { readonly verdict: Verdict; readonly atMs: number }[] = [];
  #says: Said | undefined;

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.#hello();
    const turn = () => {
      if (this.state === 'RUNS') this.#turn();
      options.timeline.in(checkEveryMs + options.random.integer(-50, 50), turn);
    };
    options.timeline.in(options.random.integer(0, checkEveryMs), turn);
  }

  receive(message: ToChecker): void {
    if (this.state === 'DEAD') return;
    if (this.state === 'STOPPED') this.#waiting.push(() => this.#receive(message));
    else this.#receive(message);
  }

  kill(): void {
    this.state = 'DEAD';
    this.#waiting = [];
    this.#holds(undefined);
  }

  start(): void {
    this.state = 'RUNS';
    this.#verdict = undefined;
    this.#series = { verdict: 'UP', count: 0 };
    this.#past = [];
    this.#hello();
  }

  /** SIGSTOP: for the others its last report is still valid. */
  stop(): void {
    this.state = 'STOPPED';
    this.#holds(undefined);
  }

  /** It was starved while stopped, so it abstains until it has checked again. */
  goOn(): void {
    this.state = 'RUNS';
    this.#abstainsFor = series;
    for (const each of this.#waiting.splice(0)) each();
  }

  #clock(): number {
    return this.#options.timeline.nowMs + this.clockOffsetMs;
  }

  #hello(): void {
    this.#nonce += 1;
    this.#inFlight = undefined;
    this.#incarnation = 0;
    this.#lastHeardMs = this.#options.timeline.nowMs;
    this.#options.send({ kind: 'HELLO', checker: this.#options.name, nonce: this.#nonce });
  }

  #receive(message: ToChecker): void {
    if (message.kind === 'GRANT' && message.nonce === this.#nonce && message.incarnation > this.#newest) {
      this.#incarnation = message.incarnation;
      this.#newest = message.incarnation;
      this.#stampMs = message.stampMs;
      [this.#number, this.#inFlight, this.#told] = [0, undefined, undefined];
    } else if (message.kind === 'EPOCH' && message.epoch > this.#epoch) {
      this.#epoch = message.epoch;
      this.#owns = message.owner === this.#options.name;
      [this.#told, this.#verdict] = [undefined, undefined];
      this.#series = { verdict: 'UP', count: 0 };
      this.#holds(undefined);
      if (this.#inFlight !== undefined) this.#hello();
    } else if (message.kind === 'TAKEN' && message.incarnation === this.#incarnation) {
      this.#stampMs = Math.max(this.#stampMs, message.stampMs);
      if (message.number === this.#inFlight?.batch.number) {
        this.#number = message.number;
        this.#inFlight = undefined;
      }
    } else if (message.kind === 'REFUSED' && message.incarnation === this.#incarnation) this.#hello();
    else return;
    this.#lastHeardMs = this.#options.timeline.nowMs;
  }

  #turn(): void {
    const { nowMs } = this.#options.timeline;
    if (this.#owns) this.#check();
    if (nowMs - this.#lastHeardMs > givesUpAfterMs) this.#hello();
    else if (this.#incarnation > 0) this.#report(nowMs);
  }

  #check(): void {
    const seen = this.#options.check();
    this.#abstainsFor = Math.max(this.#abstainsFor - 1, 0);
    this.#series = { verdict: seen, count: this.#series.verdict === seen ? this.#series.count + 1 : 1 };
    if (seen !== this.#verdict && this.#series.count >= series) {
      if (this.#verdict !== undefined)
        this.#past = [...this.#past, { verdict: this.#verdict, atMs: this.#sinceMs }].slice(-mostPast);
      this.#verdict = seen;
      this.#sinceMs = this.#clock();
    }
    this.#holds(this.#abstainsFor > 0 ? undefined : this.#verdict);
  }

  #holds(verdict: Verdict | undefined): void {
    const { said, vantagePoint, timeline } = this.#options;
    if (this.#says?.verdict === verdict) return;
    if (this.#says !== undefined) this.#says.toMs = timeline.nowMs;
    this.#says = verdict === undefined ? undefined : { vantagePoint, verdict, fromMs: timeline.nowMs, toMs: undefined };
    if (this.#says !== undefined) said.push(this.#says);
  }

  #report(nowMs: number): void {
    if (this.#inFlight !== undefined) {
      if (nowMs - this.#inFlight.sentMs < repeatAfterMs) return;
      this.#inFlight.sentMs = nowMs;
      this.#options.send({ kind: 'BATCH', checker: this.#options.name, batch: this.#inFlight.batch });
      return;
    }
    const changed = this.#verdict !== undefined && this.#owns && this.#verdict !== this.#told;
    const ago = (atMs: number) => Math.max(this.#clock() - atMs, 0);
    const verdicts: TargetVerdict[] = changed
      ? [{ target, verdict: this.#verdict as Verdict, agoMs: ago(this.#sinceMs) }]
      : [];
    const batch: Batch = {
      ...{ vantagePoint: this.#options.vantagePoint, incarnation: this.#incarnation, epoch: this.#epoch },
      ...{ number: this.#number + 1, stampMs: this.#stampMs, abstains: this.#abstainsFor > 0, verdicts },
      past:
        this.#told === undefined ? this.#past.map(({ verdict, atMs }) => ({ target, verdict, agoMs: ago(atMs) })) : [],
    };
    this.#past = [];
    if (changed) this.#told = this.#verdict;
    this.#inFlight = { batch, sentMs: nowMs };
    this.#options.send({ kind: 'BATCH', checker: this.#options.name, batch });
  }
}
