// Verifies a person's identity: the passwords in the database or, with another implementation of this port, OIDC or Keystone.
// Sessions, roles and tokens are the system's own in any case.
import { userNamePattern } from '../stores/user.ts';
import type { UserStore } from '../stores/user-store.ts';
import type { PasswordHasher } from './password-hasher.ts';

export interface VerifiedUser {
  readonly id: string;
  readonly name: string;
  /** The user's version at the verification. A session is created only if it has not changed since. */
  readonly version: number;
}

export interface IdentityProvider {
  /** The user with these credentials. Undefined if they are wrong, without giving a reason. */
  verify(credentials: { readonly name: string; readonly password: string }): Promise<VerifiedUser | undefined>;
}

/** Passwords in the system's own database. An unknown, disabled or password-less user takes the same path as a wrong password. */
export class LocalIdentityProvider implements IdentityProvider {
  readonly #users: UserStore;
  readonly #hasher: PasswordHasher;

  constructor(options: { users: UserStore; hasher: PasswordHasher }) {
    this.#users = options.users;
    this.#hasher = options.hasher;
  }

  async verify(credentials: { name: string; password: string }): Promise<VerifiedUser | undefined> {
    // The database would match 'alice ' with 'alice', and attempts would be counted for each spelling.
    const user = userNamePattern.test(credentials.name) ? await this.#users.login(credentials.name) : undefined;
    const usable = user !== undefined && !user.disabled ? user : undefined;
    const fits = await this.#hasher.verify(usable?.passwordHash ?? null, credentials.password);
    return usable !== undefined && fits ? { id: usable.id, name: usable.name, version: usable.version } : undefined;
  }
}
