// Changes of users. Passwords are hashed before a transaction begins: a hash takes as long as many of them.
import { createHmac } from 'node:crypto';
import type { UserCreateInput, UserUpdateInput } from '../../../generated/graph/system.ts';
import { caller, requireAdmin } from '../../../platform/authorise.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { Identity, RequestContext } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import { refuseStale, refuseTaken, refuseUnknown } from '../../../platform/refusals.ts';
import type { Keyring } from '../../../platform/secrets/keyring.ts';
import type { Wake } from '../../../platform/wake.ts';
import type { CredentialStore } from '../access/credential-store.ts';
import type { PasswordHasher } from '../access/password-hasher.ts';
import type { Entities } from '../entities.ts';
import { systemEvents } from '../events.ts';
import type { User } from './user.ts';
import { userNamePattern } from './user.ts';
import type { UserStore } from './user-store.ts';

export interface UserServiceOptions {
  readonly users: UserStore;
  readonly entities: Entities;
  readonly credentials: CredentialStore;
  readonly hasher: PasswordHasher;
  readonly mutations: Mutations;
  readonly keyring: Keyring;
  readonly wake: Wake;
}

export class UserService {
  readonly #users: UserStore;
  readonly #entities: Entities;
  readonly #credentials: CredentialStore;
  readonly #hasher: PasswordHasher;
  readonly #mutations: Mutations;
  readonly #keyring: Keyring;
  readonly #wake: Wake;

  constructor(options: UserServiceOptions) {
    this.#users = options.users;
    this.#entities = options.entities;
    this.#credentials = options.credentials;
    this.#hasher = options.hasher;
    this.#mutations = options.mutations;
    this.#keyring = options.keyring;
    this.#wake = options.wake;
  }

  create(context: RequestContext, input: UserCreateInput): Promise<MutationOutcome<User>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'userCreate',
      context,
      input: this.#withoutPassword(input),
      subject: 'User',
      prepare: async ({ check }) => {
        requireAdmin(identity);
        const wants = 'letters, digits, and inside also dot, hyphen, underscore and at';
        check.text('name', input.name, { required: true, min: 1, max: 63, pattern: userNamePattern, wants });
        checkPassword(check, input.password);
        // Nobody makes us hash who is refused.
        check.throwIfAny();
        const passwordHash = await this.#hasher.hash(input.password);
        return (tx) => this.insert(tx, { name: input.name, passwordHash, admin: input.admin ?? false });
      },
      read: (id) => this.#entities.user(context, id),
    });
  }

  /** Makes a user in the caller's transaction; returns its UUID. */
  async insert(tx: Transaction, user: { name: string; passwordHash: string; admin: boolean }): Promise<string> {
    const id = newUuid();
    await refuseTaken('user', user.name, this.#users.insert(tx, { id, ...user }));
    await appendStatus(tx, systemEvents, [{ ...event(id, 1, 'user.created'), from: null, to: 'ACTIVE' }], this.#wake);
    return id;
  }

  update(context: RequestContext, input: UserUpdateInput): Promise<MutationOutcome<User>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'userUpdate',
      context,
      input: this.#withoutPassword(input),
      subject: 'User',
      prepare: async ({ check }) => {
        const id = check.id('id', input.id, 'User') ?? '';
        checkPassword(check, input.password);
        check.throwIfAny();
        if ((await this.#entities.user(context, id)) === undefined) refuseUnknown('User', 'id', input.id);
        requireRightToChange(identity, id, input);
        const passwordHash = input.password == null ? undefined : await this.#hasher.hash(input.password);
        return async (tx) => {
          const user = (await this.#users.lock(tx, id)) ?? refuseUnknown('User', 'id', input.id);
          refuseStale(input.expectedVersion, user.version);
          await this.#change(tx, user, input, passwordHash);
          return id;
        };
      },
      read: (id) => this.#entities.user(context, id),
    });
  }

  async #change(tx: Transaction, user: User, input: UserUpdateInput, passwordHash: string | undefined): Promise<void> {
    const disabled = input.disabled ?? user.disabled;
    const admin = input.admin ?? user.admin;
    const changes = [
      ...(passwordHash === undefined ? [] : ['password']),
      ...(disabled === user.disabled ? [] : ['disabled']),
      ...(admin === user.admin ? [] : ['admin']),
    ];
    if (changes.length === 0) return;
    const wasAdmin = user.admin && !user.disabled;
    if (wasAdmin && (disabled || !admin) && (await this.#users.lockAdmins(tx)) <= 1)
      refuse('WRONG_STATE', `${user.name} is the last administrator who can log in: make another one first`, {
        field: ['input', disabled ? 'disabled' : 'admin'],
      });
    await this.#users.update(tx, user.id, { passwordHash, disabled, admin });
    if (passwordHash !== undefined || (disabled && !user.disabled)) await this.#credentials.endAll(tx, user.id);
    const what = { from: status(user.disabled), to: status(disabled), reason: changes.join(', ') };
    await appendStatus(
      tx,
      systemEvents,
      [{ ...event(user.id, user.version + 1, 'user.changed'), ...what }],
      this.#wake,
    );
  }

  /** The input as it is compared and audited: a plain hash of a password, kept with its key, could be guessed. */
  #withoutPassword<Input extends { readonly password?: string | null }>(input: Input): Input {
    if (input.password == null) return input;
    const { key } = this.#keyring.active('request-hash');
    return { ...input, password: createHmac('sha256', key).update(input.password, 'utf8').digest('hex') };
  }
}

function checkPassword(check: InputCheck, password: string | null | undefined): void {
  check.text('password', password, { min: 12, max: 256 });
}

function requireRightToChange(identity: Identity, id: string, input: UserUpdateInput): void {
  if (identity.admin) return;
  if (identity.id !== id) refuse('FORBIDDEN', 'only an administrator may change another user');
  for (const field of ['admin', 'disabled'] as const)
    if (input[field] != null)
      refuse('FORBIDDEN', `only an administrator may change ${field}`, { field: ['input', field] });
}

function status(disabled: boolean) {
  return disabled ? ('DISABLED' as const) : ('ACTIVE' as const);
}

function event<Kind extends string>(id: string, version: number, kind: Kind) {
  return { projectId: null, kind, subjectId: id, subjectVersion: version };
}
