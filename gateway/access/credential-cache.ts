// Calls the Authenticator once for concurrent requests with the same credential. An answer is cached for one second, and for up
// to four seconds while the Authenticator is unavailable, so that its restart affects no one. So a revoked credential is refused
// within the promised five seconds. Credentials never found valid here are checked a few at a time, so that a flood of them does
// not delay checks of users' credentials while answers are slow.
import { hash as digest } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Authenticator } from '../../platform/caller/access.ts';
import { callerOf, forCaller, nobodyKnown } from '../../platform/caller/caller.ts';
import type { Identity } from '../../platform/caller/identity.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import { heldBytes } from '../../platform/values/held-bytes.ts';
import { Turns } from '../../platform/work/turns.ts';

const maxBytes = 16 * 1024 * 1024;
/** Size until the answer arrives. Afterwards the identity's size is added. */
const askedBytes = 1024;
const keepMs = 1000;
/** Counted from the call, like `keepMs`. */
const keepWhileLostMs = 4000;
const strangersAtOnce = 32;
const mostProven = 20_000;

interface Entry {
  readonly bytes: number;
  readonly answer: Promise<Identity | undefined>;
  readonly askedMs: number;
}

export class CredentialCache {
  readonly #authenticator: Authenticator;
  readonly #deadlineMs: number;
  readonly #nowMs: () => number;
  readonly #entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes,
  });
  /** By hash: the owner of a credential at its last check. */
  readonly #proven = new LRUCache<string, string>({ max: mostProven });
  readonly #strangers = new Turns(strangersAtOnce);

  constructor(authenticator: Authenticator, deadlineMs = 5000, nowMs: () => number = () => performance.now()) {
    this.#authenticator = authenticator;
    this.#deadlineMs = deadlineMs;
    this.#nowMs = nowMs;
  }

  /**
   * The identity behind a client's credential. Undefined when it is not valid here. Throws when it can't be checked. `now`: ignores and drops cached
   * answers.
   */
  identify(bearer: string, { now = false } = {}): Promise<Identity | undefined> {
    // By hash, so that memory holds no table of usable credentials.
    const key = digest('sha256', bearer, 'base64');
    const known = this.#entries.get(key);
    if (!now && known !== undefined && this.#isYoung(known, keepMs)) return known.answer;
    const asked = this.#ask(bearer, key);
    const whileLost = (error: unknown) => {
      if (!now && known !== undefined && this.#isYoung(known, keepWhileLostMs)) return known.answer;
      throw error;
    };
    const entry = { answer: asked.catch(whileLost), askedMs: this.#nowMs(), bytes: askedBytes };
    this.#entries.set(key, entry);
    // Only success is cached. After a refusal or a failure the next request is checked again.
    const become = (next: Entry | undefined) => {
      if (this.#entries.peek(key) !== entry) return;
      if (next === undefined) this.#entries.delete(key);
      else this.#entries.set(key, next);
    };
    asked.then(
      (identity) => become(identity && { ...entry, bytes: askedBytes + heldBytes(identity) }),
      () => become(known),
    );
    return entry.answer;
  }

  #isYoung({ askedMs }: Entry, keptMs: number): boolean {
    return this.#nowMs() < askedMs + keptMs;
  }

  async #ask(bearer: string, key: string): Promise<Identity | undefined> {
    const owner = this.#proven.get(key);
    const signal = AbortSignal.timeout(this.#deadlineMs);
    const ask = (caller: string) => forCaller(caller, () => this.#authenticator.authenticate(bearer, signal));
    const identity = await (owner === undefined ? this.#strange(() => ask(nobodyKnown), signal) : ask(owner));
    if (identity === undefined) this.#proven.delete(key);
    else this.#proven.set(key, callerOf(identity));
    // Subgraphs use another address (gateway/web/question-server.ts), so their credential is not valid for clients.
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
