// Limit of alerts that the rules of a project may fire: a burst, then one a second. It keeps a person who switches rules on and off from filling the
// disk.
import { TokenBuckets } from '../../../../platform/edge/token-buckets.ts';
import type { AlertAction, StandingSignal } from '../../rules/alerts/evaluate.ts';
import { mostOpenAlertsOfOwner } from '../../spec/alert-conditions.ts';

interface Chosen<Signal extends StandingSignal> {
  readonly some: readonly AlertAction<Signal>[];
  /** Whether more actions could be carried out now. */
  readonly isMore: boolean;
}

export class FireAllowance {
  /** Keyed by project. */
  readonly #buckets: TokenBuckets;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number) {
    this.#buckets = new TokenBuckets({ burst: mostOpenAlertsOfOwner, perSecond: 1, now });
  }

  /** The first actions, at most `most`, that may be carried out now. Actions of the installation's rules are not limited. */
  choose<Signal extends StandingSignal>(actions: readonly AlertAction<Signal>[], most: number): Chosen<Signal> {
    const some: AlertAction<Signal>[] = [];
    for (const action of actions) {
      if (some.length === most) return { some, isMore: true };
      const project = action.kind === 'FIRE' ? action.rule.projectId : null;
      if (project === null || this.#buckets.take(project) !== undefined) some.push(action);
    }
    return { some, isMore: false };
  }
}
