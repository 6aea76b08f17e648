// Attempts at a secret: how often one address may try, and one name from there. A login and the change of one's own password
// are counted together, so that the one is no way around the other.
import { refuse } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { clientNetwork } from '../../../platform/net/address-block.ts';
import type { RateLimit, RateLimiter } from './rate-limiter.ts';

const windowMs = 60_000;
const attemptsPerName = 10;
const attemptsPerAddress = 100;

/** Takes a counted attempt back: only failures count. */
export type GiveBack = () => Promise<void>;

export class Attempts {
  readonly #rateLimiter: RateLimiter;

  constructor(rateLimiter: RateLimiter) {
    this.#rateLimiter = rateLimiter;
  }

  /** Counts an attempt at the password of that name. Refuses with RATE_LIMITED. */
  password(context: RequestContext, name: string): Promise<GiveBack> {
    const address = clientNetwork(context.clientAddress);
    return this.#take([
      { key: `login-address/${address}`, limit: attemptsPerAddress, windowMs },
      { key: `login-name/${address}/${name}`, limit: attemptsPerName, windowMs },
    ]);
  }

  /** Counts an attempt at a refresh token. Refuses with RATE_LIMITED. */
  refreshToken(context: RequestContext): Promise<GiveBack> {
    const address = clientNetwork(context.clientAddress);
    return this.#take([{ key: `refresh/${address}`, limit: attemptsPerAddress, windowMs }]);
  }

  /** Counts an attempt at a join token. Refuses with RATE_LIMITED. */
  joinToken(context: RequestContext): Promise<GiveBack> {
    const address = clientNetwork(context.clientAddress);
    return this.#take([{ key: `join/${address}`, limit: attemptsPerAddress, windowMs }]);
  }

  async #take(limits: readonly RateLimit[]): Promise<GiveBack> {
    const waits = await Promise.all(limits.map((limit) => this.#rateLimiter.take(limit)));
    const retryAfterMs = Math.max(...waits);
    if (retryAfterMs > 0) refuse('RATE_LIMITED', `too many attempts: wait ${retryAfterMs} ms`, { retryAfterMs });
    return async () => {
      await Promise.all(limits.map((limit) => this.#rateLimiter.giveBack(limit)));
    };
  }
}
