// Asks the Authenticator once for requests that come together with the same credential. An answer is kept for a second: a
// revoked credential is refused well within the five seconds that are promised.
import { createHash } from 'node:crypto';
import type { Authenticator } from '../../platform/access.ts';
import { LruCache } from '../../platform/graph/lru-cache.ts';
import type { Identity } from '../../platform/identity.ts';

const maxEntries = 10_000;
const keepMs = 1000;

interface Entry {
  readonly answer: Promise<Identity | undefined>;
  readonly untilMs: number;
}

export class CredentialCache {
  readonly #authenticator: Authenticator;
  readonly #deadlineMs: number;
  readonly #nowMs: () => number;
  readonly #entries = new LruCache<string, Entry>(maxEntries);

  constructor(authenticator: Authenticator, deadlineMs = 5000, nowMs: () => number = Date.now) {
    this.#authenticator = authenticator;
    this.#deadlineMs = deadlineMs;
    this.#nowMs = nowMs;
  }

  /** The identity behind a credential; undefined when it is not valid. Throws when that can't be told. */
  identify(bearer: string): Promise<Identity | undefined> {
    // By hash, so that no table of usable credentials lies in memory.
    const key = createHash('sha256').update(bearer).digest('base64');
    const known = this.#entries.get(key);
    if (known !== undefined && known.untilMs > this.#nowMs()) return known.answer;
    const answer = this.#authenticator.authenticate(bearer, AbortSignal.timeout(this.#deadlineMs));
    this.#entries.set(key, { answer, untilMs: this.#nowMs() + keepMs });
    const forget = () => {
      if (this.#entries.get(key)?.answer === answer) this.#entries.delete(key);
    };
    // Only a yes is kept: a refusal or a failure is asked again at once.
    answer.then((identity) => identity === undefined && forget(), forget);
    return answer;
  }
}
