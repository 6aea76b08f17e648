// Access: administrators with sessions, API users with tokens, and the lockout after wrong passwords. Sources: Fortinet community
// 195425 (session or token), 362817 (admin-lockout-threshold 3, admin-lockout-duration 60 s, a locked source is refused
// unprocessed), FortiOS REST reference (401, 403 and 429).

import { randomBytes } from 'node:crypto';
import { type DeviceMemory, note } from '../support/device-memory.ts';

export interface ApiUser {
  readonly token: string;
  /** Default: all. */
  readonly vdoms?: readonly string[];
  readonly readOnly?: boolean;
}

interface AccountOptions {
  readonly username: string;
  readonly password: string;
  readonly apiUsers: readonly ApiUser[];
  /** Administrators logged in at once, REST and CLI together. */
  readonly maxSessions: number;
  readonly memory?: DeviceMemory | undefined;
  readonly sessionIdleMs: number;
  readonly lockoutThreshold: number;
  readonly lockoutMs: number;
}

type AttemptResult = 'ACCEPTED' | 'WRONG' | 'LOCKED' | 'NO_SESSION_FREE';

interface LoginAttempt {
  readonly at: Date;
  readonly via: 'REST' | 'CLI' | 'TOKEN';
  readonly username: string;
  readonly result: AttemptResult;
}

export interface AdminSession {
  readonly id: string;
  readonly csrf: string;
  readonly username: string;
}

export class Accounts {
  /** All attempts, in order. A token is recorded only when it is wrong. */
  readonly attempts: LoginAttempt[] = [];
  /** May be changed at any time. */
  maxSessions: number;
  readonly #options: AccountOptions;
  readonly #sessions = new Map<string, AdminSession & { lastUsedMs: number }>();
  readonly #failures = new Map<string, { count: number; lockedUntilMs: number }>();

  constructor(options: AccountOptions) {
    this.#options = options;
    this.maxSessions = options.maxSessions;
  }

  get openSessions(): number {
    this.#forgetIdle();
    return this.#sessions.size;
  }

  /** Opens a session, which must be closed. */
  login(
    via: 'REST' | 'CLI',
    given: { readonly username: string; readonly password: string; readonly source: string },
  ): { readonly result: 'ACCEPTED'; readonly session: AdminSession } | { readonly result: AttemptResult } {
    const { username } = given;
    const noted = (result: AttemptResult) => {
      note(this.attempts, { at: new Date(), via, username, result }, this.#options.memory);
      return { result };
    };
    if (this.isLocked(given.source)) return noted('LOCKED');
    if (username !== this.#options.username || given.password !== this.#options.password) {
      this.#fail(given.source);
      return noted('WRONG');
    }
    this.#failures.delete(given.source);
    if (this.openSessions >= this.maxSessions) return noted('NO_SESSION_FREE');
    noted('ACCEPTED');
    const secret = () => randomBytes(20).toString('hex');
    const session = { id: secret(), csrf: secret().toUpperCase(), username };
    this.#sessions.set(session.id, { ...session, lastUsedMs: performance.now() });
    return { result: 'ACCEPTED', session };
  }

  session(id: string): AdminSession | undefined {
    this.#forgetIdle();
    const session = this.#sessions.get(id);
    if (session) session.lastUsedMs = performance.now();
    return session;
  }

  close(id: string): void {
    this.#sessions.delete(id);
  }

  /** Like a restart, or `execute disconnect-admin-session`. */
  closeAll(): void {
    this.#sessions.clear();
  }

  apiUser(token: string, source: string): ApiUser | undefined {
    const user = this.#options.apiUsers.find((each) => each.token === token);
    if (user) this.#failures.delete(source);
    else {
      this.#fail(source);
      note(this.attempts, { at: new Date(), via: 'TOKEN', username: '', result: 'WRONG' }, this.#options.memory);
    }
    return user;
  }

  isLocked(source: string): boolean {
    return (this.#failures.get(source)?.lockedUntilMs ?? 0) > performance.now();
  }

  unlockAll(): void {
    this.#failures.clear();
  }

  #fail(source: string): void {
    const count = (this.#failures.get(source)?.count ?? 0) + 1;
    const isOver = count >= this.#options.lockoutThreshold;
    const lockedUntilMs = isOver ? performance.now() + this.#options.lockoutMs : 0;
    this.#failures.set(source, { count: isOver ? 0 : count, lockedUntilMs });
  }

  #forgetIdle(): void {
    const oldestMs = performance.now() - this.#options.sessionIdleMs;
    for (const [id, session] of this.#sessions) if (session.lastUsedMs < oldestMs) this.#sessions.delete(id);
  }
}
