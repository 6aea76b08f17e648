// Deliberate faults between a device and its caller: slowness, refusals, connections that break before or after the device acted,
// effects after the connection is gone. The same knobs for every simulator.

import { setTimeout as sleep } from 'node:timers/promises';

/** The fault of one write. */
export type Fault =
  /** The device answers with an error and does nothing. */
  | 'FAIL'
  /** The connection breaks; nothing was done. */
  | 'DROP_BEFORE_APPLYING'
  /** It was done; the connection breaks instead of an answer. */
  | 'DROP_AFTER_APPLYING'
  /** The connection breaks; it is done `applyLateMs` later. */
  | 'APPLY_LATE'
  /** It was done; no answer comes, and the connection stays open. */
  | 'SILENT_AFTER_APPLYING';

export interface FaultKnobs {
  /** Before every answer. */
  latencyMs: number;
  /** 0 to 1, per write; the sum must not exceed 1. */
  probability: Partial<Record<Fault, number>>;
  /** For APPLY_LATE. */
  applyLateMs: number;
}

/** The execution of one write, for `Faults.around`. */
export interface FaultyWrite<Answer> {
  apply(): Answer;
  fail(): Answer;
  drop(): void;
}

export class Faults {
  /** May be changed at any time. */
  readonly knobs: FaultKnobs;
  readonly #planned: Fault[] = [];
  readonly #late = new Set<NodeJS.Timeout>();
  readonly #random: () => number;

  /** `seed` makes the random choices repeatable. */
  constructor(knobs: Partial<FaultKnobs> = {}, seed = 1) {
    this.knobs = { latencyMs: 0, probability: {}, applyLateMs: 50, ...knobs };
    this.#random = randomNumbers(seed);
  }

  /** The next writes get these faults, one each, before random ones. */
  plan(...faults: readonly Fault[]): void {
    this.#planned.push(...faults);
  }

  /** The delay of reads. */
  async delay(): Promise<void> {
    if (this.knobs.latencyMs > 0) await sleep(this.knobs.latencyMs);
  }

  /** The answer. Undefined if there is none, because the connection is gone or stays silent. */
  async around<Answer>(write: FaultyWrite<Answer>): Promise<Answer | undefined> {
    await this.delay();
    switch (this.#planned.shift() ?? this.#byChance()) {
      case undefined:
        return write.apply();
      case 'FAIL':
        return write.fail();
      case 'DROP_BEFORE_APPLYING':
        write.drop();
        return undefined;
      case 'DROP_AFTER_APPLYING':
        write.apply();
        write.drop();
        return undefined;
      case 'SILENT_AFTER_APPLYING':
        write.apply();
        return undefined;
      case 'APPLY_LATE':
        write.drop();
        this.#later(() => write.apply());
        return undefined;
    }
  }

  /** Drops effects that have not been applied yet. */
  stop(): void {
    for (const timer of this.#late) clearTimeout(timer);
    this.#late.clear();
  }

  #byChance(): Fault | undefined {
    let left = this.#random();
    for (const [fault, probability] of Object.entries(this.knobs.probability)) {
      left -= probability;
      if (left < 0) return fault as Fault;
    }
    return undefined;
  }

  #later(apply: () => void): void {
    const timer = setTimeout(() => {
      this.#late.delete(timer);
      apply();
    }, this.knobs.applyLateMs);
    this.#late.add(timer);
  }
}

/** A linear congruential generator with the constants of Numerical Recipes. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
