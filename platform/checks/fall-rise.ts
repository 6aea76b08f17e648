// Fall and rise: how many failures or successes in a row it takes to change a target's status, so that one lost packet
// is no outage.
import type { CheckedStatus } from './check-tenant.ts';

export interface FallRiseOptions {
  readonly fall: number;
  readonly rise: number;
}

export class FallRise {
  readonly #options: FallRiseOptions;
  #status: CheckedStatus;
  /** Results in a row that speak against the status. */
  #against = 0;
  /** From UNKNOWN both outcomes speak against the status: a row is of one kind only. */
  #lastAgainst: 'UP' | 'DOWN' | undefined;

  constructor(status: CheckedStatus, options: FallRiseOptions) {
    this.#status = status;
    this.#options = options;
  }

  get status(): CheckedStatus {
    return this.#status;
  }

  /** True while results speak against the status, but not often enough: worth checking again soon. */
  get suspicious(): boolean {
    return this.#against > 0;
  }

  /** Counts one result and returns the status after it. INCONCLUSIVE counts for neither side and breaks no row. */
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
