// One-time codes that stand for a login: the process that starts Tidegate on one machine prints one in its link. They exist only in the
// memory of that process, and end with it (decision 0295).
import type { VerifiedUser } from './identity-provider.ts';
import { hashSecret, isLoginCode, newLoginCode } from './secrets.ts';

/** How long a code works, by the monotonic clock. */
export const loginCodeMinutes = 10;
const lifeMs = loginCodeMinutes * 60_000;
const mostCodes = 8;

interface IssuedCode {
  readonly user: VerifiedUser;
  readonly endsAtMs: number;
}

/** The code works only while the user is unchanged. Put it back if the login fails for another reason than the code. */
interface TakenCode {
  readonly user: VerifiedUser;
  putBack(): void;
}

export class LoginCodes {
  /** Keyed by the code's hash. */
  readonly #codes = new Map<string, IssuedCode>();
  readonly #nowMs: () => number;

  constructor(options: { readonly nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Returns the code, which is stored nowhere else. Beyond eight, the oldest one ends. */
  issue(user: VerifiedUser): string {
    const code = newLoginCode();
    this.#codes.set(hashSecret(code), { user, endsAtMs: this.#nowMs() + lifeMs });
    const oldest = this.#codes.size > mostCodes ? this.#codes.keys().next().value : undefined;
    if (oldest !== undefined) this.#codes.delete(oldest);
    return code;
  }

  /** Undefined if the code was taken, has expired, or was never issued here. */
  take(code: string): TakenCode | undefined {
    if (!isLoginCode(code)) return undefined;
    const hash = hashSecret(code);
    const issued = this.#codes.get(hash);
    this.#codes.delete(hash);
    if (issued === undefined || issued.endsAtMs <= this.#nowMs()) return undefined;
    return { user: issued.user, putBack: () => void this.#codes.set(hash, issued) };
  }
}
