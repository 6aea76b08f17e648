// Simulated time. A wait for a message or a pause resolves at its own moment, in an order that only the seed determines.
import type { Random } from '../random.ts';

interface Moment {
  readonly atMs: number;
  readonly number: number;
  /** Returns whether something may have waited for it. */
  readonly act: () => boolean;
}

export class Simulation {
  readonly random: Random;
  #nowMs = 0;
  #number = 0;
  /** A heap, the earliest first. */
  readonly #moments: Moment[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, act: () => void): void {
    this.afterWhich(ms, () => {
      act();
      return true;
    });
  }

  /** `act` returns whether anything may have waited for it. */
  afterWhich(ms: number, act: () => boolean): void {
    this.#number += 1;
    push(this.#moments, { atMs: this.#nowMs + ms, number: this.#number, act });
  }

  /** It rises with each call, so that earlier calls come first within a moment. */
  stamp(): number {
    this.#number += 1;
    return this.#number;
  }

  pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.after(ms, resolve);
    return promise;
  }

  /** Runs until no event is left, or the time is up. */
  async run(untilMs: number): Promise<void> {
    await settled();
    for (;;) {
      const moment = pop(this.#moments);
      if (moment === undefined || moment.atMs > untilMs) return;
      this.#nowMs = moment.atMs;
      if (moment.act()) await settled();
    }
  }
}

/** Waits for everything that follows at the same moment. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isSooner(one: Moment, other: Moment): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.number < other.number);
}

function push(heap: Moment[], moment: Moment): void {
  let at = heap.length;
  heap.push(moment);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Moment;
    if (!isSooner(moment, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = moment;
}

function pop(heap: Moment[]): Moment | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && isSooner(heap[below + 1] as Moment, heap[below] as Moment)) below += 1;
    const child = heap[below] as Moment;
    if (!isSooner(child, last)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
  return first;
}
