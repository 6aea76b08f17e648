// Checks whether the answers about a name are consistent with one register. This also works for names with many concurrent writers:
// thousands of operations, hundreds of them with unknown outcome. Goes through calls and answers in order of time with all states that are
// possible by then (just-in-time linearization, Lowe 2017). Three rules keep them few:
// - An operation that changes nothing takes effect as soon as it fits.
// - A write happens only when it is answered, or when a waiting operation needs its value. Whether it happened earlier and unseen, right before another one overwrote it, is decided when it is answered. For that, one that leaves the value as it is may overwrite too.
// - Unknown writes of values that nobody saw are interchangeable: only their number counts. A path that has used fewer writes is better.
import { applyStep, writes } from '../objects-model/history.ts';
import { isUnknown } from '../objects-model/linearizable.ts';
import type { Entry, Step } from './history.ts';

type Verdict = 'FITS' | 'NOT' | 'TOO_MANY';

/** A value that was written but never seen. */
const unmet = '?';
const mostConfigurations = 100_000;

/** Interchangeable unknown writes: each may happen at any time from now on, or never. */
interface Loose {
  readonly step: Step;
  available: number;
}

interface Configuration {
  readonly state: string;
  /** Operations that have happened but have no answer yet. */
  readonly done: ReadonlySet<Entry>;
  /** The numbers by class of unknown writes. */
  readonly used: readonly number[];
  /** The event of the last overwrite. */
  readonly overwrote: number;
}

export function fitsRegister(history: readonly Entry[], initial = ''): Verdict {
  return new Check(history).run(initial);
}

class Check {
  readonly #events: readonly { readonly atMs: number; readonly entry: Entry; readonly isAnswer: boolean }[];
  readonly #numbers = new Map<Entry, number>();
  /** Operations without an answer yet, with the event of the call. */
  readonly #pending = new Map<Entry, number>();
  readonly #loose: Loose[] = [];
  readonly #classes = new Map<string, number>();
  readonly #met: ReadonlySet<string>;

  constructor(history: readonly Entry[]) {
    this.#met = new Set(
      history.flatMap(({ step }) => {
        if (step.kind === 'read') return step.got ?? [];
        return step.kind === 'replace' ? step.of : [];
      }),
    );
    for (const [at, entry] of history.entries()) this.#numbers.set(entry, at);
    this.#events = history
      .flatMap((entry) => [
        { atMs: entry.called, entry, isAnswer: false },
        ...(isUnknown(entry) ? [] : [{ atMs: entry.answered, entry, isAnswer: true }]),
      ])
      // At the same moment, calls come first, so they count as concurrent.
      .sort((one, other) => one.atMs - other.atMs || Number(one.isAnswer) - Number(other.isAnswer));
  }

  run(initial: string): Verdict {
    let now: readonly Configuration[] = [{ state: initial, done: new Set(), used: [], overwrote: -1 }];
    for (const [at, { entry, isAnswer }] of this.#events.entries()) {
      if (isAnswer) {
        const after = this.#answered(now, entry, at);
        if (after === 'TOO_MANY') return after;
        this.#pending.delete(entry);
        if (after.length === 0) return 'NOT';
        now = after;
      } else if (isUnknown(entry)) this.#loosen(entry.step);
      else {
        this.#pending.set(entry, at);
        now = now.map((each) => this.#settled(each));
      }
    }
    return 'FITS';
  }

  #loosen(step: Step): void {
    const value = writes(step);
    if (value === undefined) return;
    const isMet = value !== '' && this.#met.has(value);
    const like: Step = isMet || !('value' in step) ? step : { ...step, value: unmet };
    const id = JSON.stringify(like);
    const at = this.#classes.get(id) ?? this.#loose.length;
    this.#classes.set(id, at);
    const known = this.#loose[at];
    if (known === undefined) this.#loose.push({ step: like, available: 1 });
    else known.available += 1;
  }

  /** All possible configurations after this operation has happened too. */
  #answered(now: readonly Configuration[], answer: Entry, event: number): readonly Configuration[] | 'TOO_MANY' {
    const found = new Fewest(this.#numbers);
    const seen = new Fewest(this.#numbers);
    const queue = [...now];
    const called = this.#pending.get(answer) ?? 0;
    for (let at = 0; at < queue.length; at += 1) {
      if (queue.length > mostConfigurations) return 'TOO_MANY';
      const each = queue[at] as Configuration;
      if (each.done.has(answer)) {
        found.add(without(each, answer));
        continue;
      }
      if (isPlain(answer.step) && each.overwrote >= called) found.add(each);
      for (const next of this.#nexts(each, answer, event)) if (seen.add(next)) queue.push(next);
    }
    return found.all();
  }

  *#nexts(from: Configuration, answer: Entry, event: number): Generator<Configuration> {
    const { state, done, used } = from;
    const isNeeded = this.#needed(from);
    const after = (step: Step, then: string, change: Partial<Configuration>) =>
      this.#settled({ ...from, state: then, ...(isPlain(step) ? { overwrote: event } : {}), ...change });
    for (const entry of this.#pending.keys()) {
      if (done.has(entry)) continue;
      const then = applyStep(state, entry.step);
      if (then === undefined) continue;
      if (isPlain(entry.step) && entry !== answer && !isNeeded(then) && !this.#hides(from, entry.step, then)) continue;
      yield after(entry.step, then, { done: new Set(done).add(entry) });
    }
    for (const [at, { step, available }] of this.#loose.entries()) {
      const before = used[at] ?? 0;
      if (before === available) continue;
      const then = applyStep(state, step);
      if (then === undefined || !(then === state ? this.#hides(from, step, then) : isNeeded(then))) continue;
      const more = Array.from({ length: Math.max(used.length, at + 1) }, (_, index) => used[index] ?? 0);
      more[at] = before + 1;
      yield after(step, then, { used: more });
    }
  }

  /** Whether it may overwrite a waiting write although the value stays the same. An example is a deletion of nothing after a write. */
  #hides({ state, done }: Configuration, step: Step, then: string): boolean {
    if (then !== state || !isPlain(step)) return false;
    return [...this.#pending.keys()].some((entry) => entry.step !== step && !done.has(entry) && isPlain(entry.step));
  }

  /** Whether a waiting operation could continue with another state, but not with the current one. */
  #needed({ state, done, used }: Configuration): (state: string) => boolean {
    const exact = new Set<string>();
    let another = false;
    for (const { step } of [...this.#pending.keys()].filter((entry) => !done.has(entry))) {
      if (step.kind === 'read') exact.add(step.got ?? '');
      else if ('did' in step && step.did === true) exact.add(step.kind === 'create' ? '' : step.of);
      else if ('did' in step && state === (step.kind === 'create' ? '' : step.of)) another = true;
    }
    // States that lead there in two steps or more.
    for (let size = -1; size !== exact.size; ) {
      size = exact.size;
      for (const [at, { step, available }] of this.#loose.entries())
        if ('did' in step && (used[at] ?? 0) < available && (another || exact.has(step.value)))
          exact.add(step.kind === 'create' ? '' : step.of);
    }
    return (then) => (another && then !== state) || exact.has(then);
  }

  #settled(configuration: Configuration): Configuration {
    const { state, done } = configuration;
    const fitting = [...this.#pending.keys()].filter(
      (entry) => !done.has(entry) && writes(entry.step) === undefined && applyStep(state, entry.step) === state,
    );
    return fitting.length === 0 ? configuration : { ...configuration, done: new Set([...done, ...fitting]) };
  }
}

/** It overwrites any value. */
function isPlain({ kind }: Step): boolean {
  return kind === 'put' || kind === 'delete';
}

function without(configuration: Configuration, entry: Entry): Configuration {
  const done = new Set(configuration.done);
  done.delete(entry);
  return { ...configuration, done };
}

/** Configurations without the dominated ones. One dominates if it has used no more writes and overwrote no earlier. */
class Fewest {
  readonly #numbers: ReadonlyMap<Entry, number>;
  readonly #byId = new Map<string, Configuration[]>();

  constructor(numbers: ReadonlyMap<Entry, number>) {
    this.#numbers = numbers;
  }

  /** False if an equally good one exists. */
  add(configuration: Configuration): boolean {
    const { state, done } = configuration;
    const of = [...done].map((entry) => this.#numbers.get(entry) ?? -1).sort((one, other) => one - other);
    const id = `${state} ${of.join()}`;
    const known = this.#byId.get(id) ?? [];
    if (known.some((each) => isAsGood(each, configuration))) return false;
    this.#byId.set(id, [...known.filter((each) => !isAsGood(configuration, each)), configuration]);
    return true;
  }

  all(): readonly Configuration[] {
    return [...this.#byId.values()].flat();
  }
}

function isAsGood(one: Configuration, other: Configuration): boolean {
  return one.overwrote >= other.overwrote && one.used.every((count, at) => count <= (other.used[at] ?? 0));
}
