// Changes of users. Passwords are hashed before a transaction begins: a hash takes as long as many transactions.
import type { UserCreateInput, UserUpdateInput } from '../../../../generated/graph/system.ts';
import { countsFor, type Identity, type RequestContext } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import type { Effect, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale, refuseTaken, refuseUnknown } from '../../../../platform/input/refusals.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { requireAdminNow } from '../access/admin-now.ts';
import { type Attempts, whenTried } from '../access/attempts.ts';
import type { CredentialStore } from '../access/credential-store.ts';
import type { PasswordHasher } from '../access/password-hasher.ts';
import type { Entities } from '../entities.ts';
import { systemEvents } from '../events.ts';
import type { User } from '../stores/user.ts';
import { userNamePattern } from '../stores/user.ts';
import type { UserStore } from '../stores/user-store.ts';

interface UserServiceOptions {
  readonly users: UserStore;
  readonly entities: Entities;
  readonly credentials: CredentialStore;
  readonly attempts: Attempts;
  readonly hasher: PasswordHasher;
  readonly mutations: Mutations;
  readonly wake: Wake;
}

export class UserService {
  readonly #users: UserStore;
  readonly #entities: Entities;
  readonly #credentials: CredentialStore;
  readonly #attempts: Attempts;
  readonly #hasher: PasswordHasher;
  readonly #mutations: Mutations;
  readonly #wake: Wake;

  constructor(options: UserServiceOptions) {
    this.#users = options.users;
    this.#entities = options.entities;
    this.#credentials = options.credentials;
    this.#attempts = options.attempts;
    this.#hasher = options.hasher;
    this.#mutations = options.mutations;
    this.#wake = options.wake;
  }

  create(context: RequestContext, input: UserCreateInput): Promise<MutationOutcome<User>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'userCreate',
      context,
      input,
      subject: 'User',
      prepare: async ({ check }) => {
        requireAdmin(identity);
        checkUserName(check, input.name);
        checkPassword(check, input.password);
        // No hash is computed for a refused caller.
        check.throwIfAny();
        const passwordHash = await this.#hasher.hash(input.password);
        return async (tx) => {
          await requireAdminNow(tx, this.#credentials, identity);
          return this.insert(tx, { name: input.name, passwordHash, admin: input.admin ?? false });
        };
      },
      read: (id) => this.#entities.user(context, id),
    });
  }

  /** Creates a user in the caller's transaction; returns its UUID. */
  async insert(tx: Transaction, user: { name: string; passwordHash: string; admin: boolean }): Promise<string> {
    const id = newUuid();
    await refuseTaken('user', user.name, this.#users.insert(tx, { id, ...user }));
    await appendStatus(tx, systemEvents, [{ ...event(id, 1, 'user.created'), from: null, to: 'ACTIVE' }], this.#wake);
    return id;
  }

  /** Gives a locked user a new password, enables the user and ends all sessions, above the rules for callers. */
  async recover(
    tx: Transaction,
    user: User,
    { passwordHash, admin }: { readonly passwordHash: string; readonly admin: boolean },
  ): Promise<void> {
    await this.#users.update(tx, user.id, { passwordHash, disabled: false, admin });
    await this.#credentials.endAll(tx, user.id);
    const what = { from: status(user.disabled), to: status(false), reason: 'password, by the command line' };
    const changed = { ...event(user.id, user.version + 1, 'user.changed'), ...what };
    await appendStatus(tx, systemEvents, [changed], this.#wake);
  }

  update(context: RequestContext, input: UserUpdateInput): Promise<MutationOutcome<User>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'userUpdate',
      context,
      input,
      subject: 'User',
      prepare: async ({ check }) => {
        const id = check.id('id', input.id, 'User') ?? '';
        checkPassword(check, input.password);
        check.text('currentPassword', input.currentPassword, { max: 256 });
        check.throwIfAny();
        if ((await this.#entities.user(context, id)) === undefined) refuseUnknown('User', 'id', input.id);
        requireRightToChange(identity, id, input);
        refuseEndOfOwnRun(context, identity, id, input);
        const { password } = input;
        // Without a password there is nothing to compute before the transaction.
        if (password == null) return this.#effect(identity, id, input, {});
        const own = identity.kind === 'user' && identity.id === id;
        if (own && input.currentPassword == null)
          refuse('INVALID_INPUT', 'currentPassword is missing: your own password changes only with the old one', {
            field: ['input', 'currentPassword'],
          });
        // This is skipped for a repetition, because the old password is no longer right.
        const look = async (): Promise<Effect> => {
          const oldHash = own ? await this.#verifyOwn(context, identity, input.currentPassword ?? '') : undefined;
          return this.#effect(identity, id, input, { oldHash, passwordHash: await this.#hasher.hash(password) });
        };
        return { look };
      },
      read: (id) => this.#entities.user(context, id),
    });
  }

  /** `oldHash`: hash of the caller's own password, as it was verified. */
  #effect(
    identity: Identity,
    id: string,
    input: UserUpdateInput,
    { oldHash, passwordHash }: { readonly oldHash?: string | undefined; readonly passwordHash?: string },
  ): Effect {
    return async (tx) => {
      const user = (await this.#users.lock(tx, id)) ?? refuseUnknown('User', 'id', input.id);
      if (oldHash !== undefined && (await this.#users.passwordHash(id, tx)) !== oldHash) refuseCurrentPassword();
      refuseStale(input.expectedVersion, user);
      await this.#change(tx, identity, user, { input, passwordHash });
      return id;
    };
  }

  /** Compares the caller's own password; counts as a login attempt. Returns the matching hash. */
  async #verifyOwn(context: RequestContext, identity: Identity, currentPassword: string): Promise<string> {
    const giveBack = await this.#attempts.password(context, identity.name);
    const hash = await whenTried(giveBack, async () => {
      const stored = await this.#users.passwordHash(identity.id);
      return (await this.#hasher.verify(stored ?? null, currentPassword)) ? stored : undefined;
    });
    if (hash === undefined) refuseCurrentPassword();
    await giveBack();
    return hash;
  }

  async #change(
    tx: Transaction,
    identity: Identity,
    user: User,
    { input, passwordHash }: { readonly input: UserUpdateInput; readonly passwordHash: string | undefined },
  ): Promise<void> {
    const disabled = input.enabled == null ? user.disabled : !input.enabled;
    const admin = input.admin ?? user.admin;
    const changes = [
      ...(passwordHash === undefined ? [] : ['password']),
      ...(disabled === user.disabled ? [] : [disabled ? 'disabled' : 'enabled']),
      ...(admin === user.admin ? [] : ['admin']),
    ];
    if (changes.length === 0) return;
    const isOwn = identity.kind === 'user' && identity.id === user.id;
    const wasAdmin = user.admin && !user.disabled;
    if (wasAdmin && (disabled || !admin) && (await this.#users.lockAdmins(tx)).every((id) => id === user.id))
      refuse('WRONG_STATE', `${user.name} is the last administrator who can log in: create another one first`, {
        field: ['input', disabled ? 'enabled' : 'admin'],
      });
    if (!isOwn || input.admin != null || input.enabled != null) await requireAdminNow(tx, this.#credentials, identity);
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
}

function refuseCurrentPassword(): never {
  refuse('BAD_CREDENTIALS', 'the current password is not right', { field: ['input', 'currentPassword'] });
}

export function checkUserName(check: InputCheck, name: string): void {
  const wants = 'letters and digits, and dots, hyphens, underscores and at signs inside';
  check.text('name', name, { required: true, min: 1, max: 63, pattern: userNamePattern, wants });
}

export function checkPassword(check: InputCheck, password: string | null | undefined): void {
  check.text('password', password, { min: 12, max: 256 });
}

function requireRightToChange(identity: Identity, id: string, input: UserUpdateInput): void {
  if (identity.admin) return;
  if (identity.id !== id) refuse('FORBIDDEN', 'only an administrator may change another user');
  for (const field of ['admin', 'enabled'] as const)
    if (input[field] != null)
      refuse('FORBIDDEN', `only an administrator may change ${field}`, { field: ['input', field] });
}

/** Refuses a file that disables the user who applies it: the run would end there, and nobody could correct it. */
function refuseEndOfOwnRun(context: RequestContext, identity: Identity, id: string, input: UserUpdateInput): void {
  if (context.manner?.source === undefined || input.enabled !== false || countsFor(identity) !== id) return;
  refuse('WRONG_STATE', 'it is the user of this run, which would end with it: disable it without a source', {
    field: ['input', 'enabled'],
  });
}

function status(disabled: boolean) {
  return disabled ? ('DISABLED' as const) : ('ACTIVE' as const);
}

function event<Kind extends string>(id: string, version: number, kind: Kind) {
  return { projectId: null, kind, subjectId: id, subjectVersion: version };
}
