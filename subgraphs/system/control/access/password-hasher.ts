// Password hashes: argon2id with the parameters OWASP recommends (19 MiB, 2 passes, 1 lane). Each hash costs 19 MiB and tens
// of milliseconds of a core, so only a few run at once and the queue for them is bounded.
import { hash, verify } from '@node-rs/argon2';
import { refuse } from '../../../../platform/errors/errors.ts';

export interface PasswordHasher {
  /** The hash to store (PHC text). Refuses with RATE_LIMITED when too many wait. */
  hash(password: string): Promise<string>;
  /** Whether the password is right. Without a hash (no such user) it takes the same time and returns false. */
  verify(storedHash: string | null, password: string): Promise<boolean>;
}

interface Argon2Options {
  /** Concurrent hashes. Default: 2. */
  readonly concurrency?: number;
  /** Hashes that may wait for their turn. Default: 32. */
  readonly queueLimit?: number;
}

// argon2id is the library's default algorithm; a test checks that.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash with the same parameters and no known password: it was random and not kept. */
const hashOfNobody =
  '$argon2id$v=19$m=19456,t=2,p=1$L/k02IPidWZraPtWVuSdQg$IT9gh/9a9vbxzSHXiOc4oCDAzLojvRMg9H7jRqQbO98';

export class Argon2Hasher implements PasswordHasher {
  readonly #concurrency: number;
  readonly #queueLimit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: Argon2Options = {}) {
    this.#concurrency = options.concurrency ?? 2;
    this.#queueLimit = options.queueLimit ?? 32;
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password, parameters));
  }

  verify(storedHash: string | null, password: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const fits = await verify(storedHash ?? hashOfNobody, password);
      return storedHash !== null && fits;
    });
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length >= this.#queueLimit)
        refuse('RATE_LIMITED', 'too many concurrent logins: try again later', { retryAfterMs: 1_000 });
      // A finished job passes its slot on, so `#running` does not change.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
