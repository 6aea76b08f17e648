// Each user's share of this gateway's subscriptions, over all sessions and API tokens: their number, and the fields that one
// event resolves for them. Subscriptions that share a stream resolve them once.

import { authorisationScope, countsFor, type Identity } from '../../platform/caller/identity.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import { Turns } from '../../platform/work/turns.ts';
import type { SocketLimits } from '../access/limits.ts';

export interface Share {
  /** The turns of this user's catch-ups: past events are completed a few at a time, interleaved with other users' events. */
  readonly catchUps: Turns;
  /** Returns the share, once. */
  release(): void;
}

interface SharedCost {
  readonly cost: number;
  subscriptions: number;
}

interface Scope {
  cost: number;
  /** Keyed by the stream that the subscriptions share. */
  readonly streams: Map<string, SharedCost>;
}

interface User {
  subscriptions: number;
  /** Keyed by authorisation scope, because only events visible to a scope resolve anything. */
  readonly scopes: Map<string, Scope>;
  readonly catchUps: Turns;
}

/** The cost of an event besides its fields. */
const costOfEvent = 10;
const catchUpsAtOnce = 4;

export type ShareLimits = Pick<SocketLimits, 'maxSubscriptions' | 'maxSubscriptionsPerUser' | 'maxEventCost'>;

export class UserShares {
  readonly #limits: ShareLimits;
  readonly #users = new Map<string, User>();
  #subscriptions = 0;

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  /** Throws LIMIT_EXCEEDED. `stream`: equal for subscriptions that share one. `fields`: number of fields that one event resolves. */
  take(identity: Identity, stream: string, fields: number): Share {
    const { maxSubscriptions, maxSubscriptionsPerUser } = this.#limits;
    if (this.#subscriptions >= maxSubscriptions)
      throw exceeded('subscriptions', maxSubscriptions, 'this gateway has no room for more; try later');
    const key = countsFor(identity);
    const user = this.#users.get(key) ?? {
      subscriptions: 0,
      scopes: new Map<string, Scope>(),
      catchUps: new Turns(catchUpsAtOnce),
    };
    if (user.subscriptions >= maxSubscriptionsPerUser)
      throw exceeded('subscriptions of one user', maxSubscriptionsPerUser, 'complete some first');
    const scopeKey = authorisationScope(identity);
    const scope = user.scopes.get(scopeKey) ?? { cost: 0, streams: new Map<string, SharedCost>() };
    const shared = this.#charge(scope, stream, fields + costOfEvent);
    user.scopes.set(scopeKey, scope);
    this.#users.set(key, user);
    user.subscriptions += 1;
    this.#subscriptions += 1;
    let released = false;
    return {
      catchUps: user.catchUps,
      release: () => {
        if (released) return;
        released = true;
        this.#subscriptions -= 1;
        user.subscriptions -= 1;
        shared.subscriptions -= 1;
        if (shared.subscriptions === 0) {
          scope.streams.delete(stream);
          scope.cost -= shared.cost;
        }
        if (scope.streams.size === 0) user.scopes.delete(scopeKey);
        if (user.subscriptions === 0) this.#users.delete(key);
      },
    };
  }

  #charge(scope: Scope, stream: string, cost: number): SharedCost {
    const { maxEventCost } = this.#limits;
    const shared = scope.streams.get(stream) ?? { cost, subscriptions: 0 };
    if (shared.subscriptions === 0 && scope.cost + cost > maxEventCost)
      throw exceeded(
        'cost of an event',
        maxEventCost,
        `your different subscriptions would resolve ${scope.cost + cost} fields for one event; select less, or use the same selection with other filters`,
      );
    if (shared.subscriptions === 0) scope.cost += cost;
    shared.subscriptions += 1;
    scope.streams.set(stream, shared);
    return shared;
  }
}

function exceeded(limit: string, most: number, advice: string): CodedError {
  return new CodedError('LIMIT_EXCEEDED', `Limit of ${limit}: at most ${most}; ${advice}.`, { limit, most });
}
