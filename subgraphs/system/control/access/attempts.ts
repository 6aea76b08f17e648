// Limits on attempts at a secret: per network, per name from that network, and per name from all networks. Logins and changes of one's own
// password are counted together, so that neither gets around the limit of the other.
import { createHash } from 'node:crypto';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { clientNetwork } from '../../../../platform/net/address-block.ts';
import type { RateLimit, RateLimiter } from './rate-limiter.ts';

const windowMs = 60_000;
const attemptsPerName = 10;
const attemptsPerAddress = 100;
/**
 * Limit for attempts from networks where the name has not logged in recently. Guesses from many networks must not lock the owner
 * out of the other networks.
 */
const attemptsFromAnywhere = 100;
/** Limit for all clients together whose addresses come from the same proxy, because a proxy may report any number of addresses. */
const attemptsToldByOne = 300;
const knownForMs = 30 * 86_400_000;

/**
 * Takes the counted attempt back after a success, because only failures count, or with `untried` if the secret could not be compared.
 */
export type GiveBack = (why?: 'untried') => Promise<void>;

export class Attempts {
  readonly #rateLimiter: RateLimiter;

  constructor(rateLimiter: RateLimiter) {
    this.#rateLimiter = rateLimiter;
  }

  /** Counts an attempt at the password of that name. Refuses with RATE_LIMITED. */
  async password(context: RequestContext, name: string): Promise<GiveBack> {
    const address = networkOf(context);
    // A name may be as long as a request, and the counter's key is stored.
    const named = createHash('sha256').update(name).digest('base64url');
    const good = `login-good/${address}/${named}`;
    const anywhere = { key: `login-anywhere/${named}`, limit: attemptsFromAnywhere, windowMs };
    // After a name is refused, further attempts do not count against the network's limit. After a network is refused, they do not count
    // against the total limit.
    const ofClient = [
      { key: `login-name/${address}/${named}`, limit: attemptsPerName, windowMs },
      { key: `login-address/${address}`, limit: attemptsPerAddress, windowMs },
    ];
    const isKnown = await this.#rateLimiter.remembers(good);
    const giveBack = await this.#takeTold(context, ofClient, isKnown ? [] : [anywhere]);
    return async (why) => {
      await giveBack();
      if (why !== 'untried') await this.#rateLimiter.remember(good, knownForMs);
    };
  }

  /** Counts an attempt at a refresh token. Refuses with RATE_LIMITED. */
  refreshToken(context: RequestContext): Promise<GiveBack> {
    const address = clientNetwork(context.clientAddress);
    return this.#take([{ key: `refresh/${address}`, limit: attemptsPerAddress, windowMs }]);
  }

  /** Counts an attempt at a one-time code. Refuses with RATE_LIMITED. */
  loginCode(context: RequestContext): Promise<GiveBack> {
    const address = networkOf(context);
    return this.#takeTold(context, [{ key: `login-address/${address}`, limit: attemptsPerAddress, windowMs }]);
  }

  /** Counts an attempt at a join token. Refuses with RATE_LIMITED. */
  joinToken(context: RequestContext): Promise<GiveBack> {
    const address = clientNetwork(context.clientAddress);
    return this.#take([{ key: `join/${address}`, limit: attemptsPerAddress, windowMs }]);
  }

  /** Counts an attempt at an API token that is used for a login. Refuses with RATE_LIMITED. */
  apiToken(context: RequestContext): Promise<GiveBack> {
    const address = networkOf(context);
    return this.#takeTold(context, [{ key: `login-address/${address}`, limit: attemptsPerAddress, windowMs }]);
  }

  /**
   * Counts against the total limit of the party that reported the address first. Beyond that limit, attempts do not count against the
   * addresses and names that the party reports. A client that continues beyond its own limits does not use up that total.
   */
  async #takeTold(
    { addressToldBy }: RequestContext,
    ofClient: readonly RateLimit[],
    ofAll: readonly RateLimit[] = [],
  ): Promise<GiveBack> {
    if (addressToldBy === undefined) return this.#take([...ofClient, ...ofAll]);
    const teller = createHash('sha256').update(addressToldBy).digest('base64url');
    const giveBack = await this.#take([{ key: `login-told-by/${teller}`, limit: attemptsToldByOne, windowMs }]);
    const giveBackOwn = await this.#take(ofClient).catch(async (error: unknown) => {
      await giveBack();
      throw error;
    });
    const giveBackRest = await this.#take(ofAll);
    return async () => {
      await Promise.all([giveBack(), giveBackOwn(), giveBackRest()]);
    };
  }

  /** Takes one limit after the other, so that an attempt refused by one does not count against the later ones. */
  async #take(limits: readonly RateLimit[]): Promise<GiveBack> {
    for (const limit of limits) {
      const retryAfterMs = await this.#rateLimiter.take(limit);
      if (retryAfterMs > 0) refuse('RATE_LIMITED', `too many attempts: wait ${retryAfterMs} ms`, { retryAfterMs });
    }
    return async () => {
      await Promise.all(limits.map((limit) => this.#rateLimiter.giveBack(limit)));
    };
  }
}

/** Compares the secret. If the comparison itself fails, for example without the database, this does not count as an attempt. */
export async function whenTried<Result>(giveBack: GiveBack, compare: () => Promise<Result>): Promise<Result> {
  try {
    return await compare();
  } catch (error) {
    await giveBack('untried');
    throw error;
  }
}

/** Reported addresses are counted separately from addresses that this process has seen. */
function networkOf({ clientAddress, addressToldBy }: RequestContext): string {
  const network = clientNetwork(clientAddress);
  return addressToldBy === undefined ? network : `told/${network}`;
}
