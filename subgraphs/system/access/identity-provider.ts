// What proves a person's identity: our own passwords, or (by another implementation of this port) OIDC or Keystone. Sessions,
// roles and tokens stay ours either way.
import { userNamePattern } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import type { PasswordHasher } from './password-hasher.ts';

export interface VerifiedUser {
  readonly id: string;
  readonly name: string;
  /** The user's version when it was verified: a session is only made while it still is the same. */
  readonly version: number;
}

export interface IdentityProvider {
  /** The user behind the credentials; undefined when they do not fit, and nothing tells why. */
  verify(credentials: { readonly name: string; readonly password: string }): Promise<VerifiedUser | undefined>;
}

/** Passwords in our own database. An unknown, disabled or password-less user takes the same path as a wrong password. */
export class LocalIdentityProvider implements IdentityProvider {
  readonly #users: UserStore;
  readonly #hasher: PasswordHasher;

  constructor(options: { users: UserStore; hasher: PasswordHasher }) {
    this.#users = options.users;
    this.#hasher = options.hasher;
  }

  async verify(credentials: { name: string; password: string }): Promise<VerifiedUser | undefined> {
    // The database would take 'alice ' for 'alice', and each spelling would have attempts of its own.
    const user = userNamePattern.test(credentials.name) ? await this.#users.login(credentials.name) : undefined;
    const usable = user !== undefined && !user.disabled ? user : undefined;
    const fits = await this.#hasher.verify(usable?.passwordHash ?? null, credentials.password);
    return usable !== undefined && fits ? { id: usable.id, name: usable.name, version: usable.version } : undefined;
  }
}
