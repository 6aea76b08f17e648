// Fall and rise: the number of consecutive failures or successes that changes a target's status, so that one lost packet is not
// an outage.
import type { CheckedStatus } from './check-tenant.ts';

interface FallRiseOptions {
  readonly fall: number;
  readonly rise: number;
}

export class FallRise {
  readonly #options: FallRiseOptions;
  #status: CheckedStatus;
  /** Consecutive results that contradict the status. */
  #against = 0;
  /** Both outcomes contradict the status UNKNOWN, but a series counts only one outcome. */
  #lastAgainst: 'UP' | 'DOWN' | undefined;

  constructor(status: CheckedStatus, options: FallRiseOptions) {
    this.#status = status;
    this.#options = options;
  }

  get status(): CheckedStatus {
    return this.#status;
  }

  /** True while results contradict the status, but are too few to change it: the next check should come soon. */
  get suspicious(): boolean {
    return this.#against > 0;
  }

  /** The outcome of those results. Undefined if the last result agreed with the status. */
  get tendency(): 'UP' | 'DOWN' | undefined {
    return this.suspicious ? this.#lastAgainst : undefined;
  }

  /** Counts one result and returns the status after it. INCONCLUSIVE counts for neither side and does not interrupt a series. */
  count(outcome: 'UP' | 'DOWN' | 'INCONCLUSIVE'): CheckedStatus {
    if (outcome === 'INCONCLUSIVE') return this.#status;
    if (outcome === this.#status) {
      this.#against = 0;
      return this.#status;
    }
    this.#against = this.#lastAgainst === outcome ? this.#against + 1 : 1;
    this.#lastAgainst = outcome;
    if (this.#against >= (outcome === 'DOWN' ? this.#options.fall : this.#options.rise)) {
      this.#status = outcome;
      this.#against = 0;
    }
    return this.#status;
  }
}
