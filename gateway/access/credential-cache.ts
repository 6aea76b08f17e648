// Calls the Authenticator once for concurrent requests with the same credential. An answer is kept for a second: a revoked
// credential is refused well within the promised five seconds. Credentials that were never found valid here are checked a few at a
// time: while an answer takes long, a flood of them keeps no user's credential from being checked.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Authenticator } from '../../platform/access.ts';
import { callerOf, forCaller, nobodyKnown } from '../../platform/caller.ts';
import { CodedError } from '../../platform/errors.ts';
import { heldBytes } from '../../platform/held-bytes.ts';
import type { Identity } from '../../platform/identity.ts';
import { Turns } from '../../platform/turns.ts';

const maxBytes = 16 * 1024 * 1024;
/** Until the answer arrives; afterwards the identity's size is added. */
const askedBytes = 1024;
const keepMs = 1000;
const strangersAtOnce = 32;
const mostProven = 20_000;

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
  /** By hash: whose a credential was when it was last checked. */
  readonly #proven = new LRUCache<string, string>({ max: mostProven });
  readonly #strangers = new Turns(strangersAtOnce);

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
    const answer = this.#ask(bearer, key);
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

  async #ask(bearer: string, key: string): Promise<Identity | undefined> {
    const owner = this.#proven.get(key);
    const signal = AbortSignal.timeout(this.#deadlineMs);
    const ask = (caller: string) => forCaller(caller, () => this.#authenticator.authenticate(bearer, signal));
    const identity = await (owner === undefined ? this.#strange(() => ask(nobodyKnown), signal) : ask(owner));
    if (identity === undefined) this.#proven.delete(key);
    else this.#proven.set(key, callerOf(identity));
    // Subgraphs ask elsewhere (gateway/web/question-server.ts): theirs is no credential for clients.
    return identity?.kind === 'service' ? undefined : identity;
  }

  async #strange<Result>(ask: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    if (!this.#strangers.take())
      await this.#strangers.wait(signal).catch((error: unknown) => {
        throw new CodedError(
          'BUSY',
          'Too many credentials wait to be checked; try again.',
          { retryAfterMs: 1_000 },
          error,
        );
      });
    try {
      return await ask();
    } finally {
      this.#strangers.give();
    }
  }
}
