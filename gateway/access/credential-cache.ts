// Calls the Authenticator once for concurrent requests with the same credential. An answer is kept for a second: a revoked
// credential is refused well within the promised five seconds.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Authenticator } from '../../platform/access.ts';
import { heldBytes } from '../../platform/held-bytes.ts';
import type { Identity } from '../../platform/identity.ts';

const maxBytes = 16 * 1024 * 1024;
/** Until the answer arrives; afterwards the identity's size is added. */
const askedBytes = 1024;
const keepMs = 1000;

interface Entry {
  readonly bytes: number;
  readonly answer: Promise<Identity | undefined>;
  readonly untilMs: number;
}

export class CredentialCache {
  readonly #authenticator: Authenticator;
  readonly #deadlineMs: number;
  readonly #nowMs: () => number;
  readonly #entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes,
  });

  constructor(authenticator: Authenticator, deadlineMs = 5000, nowMs: () => number = Date.now) {
    this.#authenticator = authenticator;
    this.#deadlineMs = deadlineMs;
    this.#nowMs = nowMs;
  }

  /** The identity behind a client's credential; undefined when it is not valid here. Throws when it can't be checked. */
  identify(bearer: string): Promise<Identity | undefined> {
    // By hash, so that memory holds no table of usable credentials.
    const key = createHash('sha256').update(bearer).digest('base64');
    const known = this.#entries.get(key);
    if (known !== undefined && known.untilMs > this.#nowMs()) return known.answer;
    const answer = this.#ask(bearer);
    const untilMs = this.#nowMs() + keepMs;
    this.#entries.set(key, { answer, untilMs, bytes: askedBytes });
    const isOurs = () => this.#entries.peek(key)?.answer === answer;
    const forget = () => isOurs() && this.#entries.delete(key);
    // Only a success is kept: after a refusal or a failure the next request is checked again.
    answer.then((identity) => {
      if (identity === undefined) forget();
      else if (isOurs()) this.#entries.set(key, { answer, untilMs, bytes: askedBytes + heldBytes(identity) });
    }, forget);
    return answer;
  }

  async #ask(bearer: string): Promise<Identity | undefined> {
    const identity = await this.#authenticator.authenticate(bearer, AbortSignal.timeout(this.#deadlineMs));
    // Subgraphs ask elsewhere (gateway/web/question-server.ts): theirs is no credential for clients.
    return identity?.kind === 'service' ? undefined : identity;
  }
}
