// Login by password or one-time code, refresh and logout. The answers do not reveal whether a name exists; guesses are limited per name and address, and a
// refresh token that is used twice ends its session, since one of the two bearers stole it. An invented one ends nothing.

import { audit } from '../../../../platform/audit/audit.ts';
import type { LoginCredentials } from '../../../../platform/caller/access.ts';
import type { Identity, RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { TokenBuckets } from '../../../../platform/edge/token-buckets.ts';
import { invariant, Refusal, refuse, userError } from '../../../../platform/errors/errors.ts';
import { newToken } from '../../../../platform/values/ids.ts';
import type { AccessTokens } from './access-tokens.ts';
import { type Attempts, type GiveBack, whenTried } from './attempts.ts';
import type { CredentialStore, UserSession } from './credential-store.ts';
import type { IdentityProvider, VerifiedUser } from './identity-provider.ts';
import type { LoginCodes } from './login-codes.ts';
import { apiTokenPrefix, hashSecret, newRefreshToken, readRefreshToken } from './secrets.ts';

export interface TokenPair {
  readonly accessToken: string;
  readonly accessTokenExpiresAt: Date;
  readonly refreshToken: string;
  readonly refreshTokenExpiresAt: Date;
}

interface SessionServiceOptions {
  readonly db: Sql & Pick<Database, 'transaction'>;
  readonly credentials: CredentialStore;
  readonly provider: IdentityProvider;
  readonly accessTokens: AccessTokens;
  readonly attempts: Attempts;
  readonly codes: LoginCodes;
}

export class SessionService {
  readonly #db: Sql & Pick<Database, 'transaction'>;
  readonly #credentials: CredentialStore;
  readonly #provider: IdentityProvider;
  readonly #accessTokens: AccessTokens;
  readonly #attempts: Attempts;
  readonly #codes: LoginCodes;
  /** Attempts are limited per network, but the number of networks is not, so their refusals must not fill the disk. */
  readonly #refusals = new TokenBuckets({ burst: 1_000, perSecond: 1 });

  constructor(options: SessionServiceOptions) {
    this.#db = options.db;
    this.#credentials = options.credentials;
    this.#provider = options.provider;
    this.#accessTokens = options.accessTokens;
    this.#attempts = options.attempts;
    this.#codes = options.codes;
  }

  /** Throws a Refusal with BAD_CREDENTIALS or RATE_LIMITED. */
  async login(context: RequestContext, input: { name: string; password: string }): Promise<TokenPair> {
    const { user, giveBack } = await this.#verify(context, input);
    const pair = await givingBack(giveBack, () => this.#begin(context, user, 'login'));
    if (pair === undefined) return this.#refuseLogin(context, input.name);
    // Only failures count: a CMP may log in as often as necessary.
    await giveBack();
    return pair;
  }

  /** Begins a session with a one-time code. Throws a Refusal with BAD_CREDENTIALS or RATE_LIMITED. */
  async start(context: RequestContext, code: string): Promise<TokenPair> {
    const giveBack = await this.#attempts.loginCode(context);
    const taken = this.#codes.take(code);
    if (taken === undefined) return this.#refuseCode(context);
    // If the database is lost, the code does not count as used.
    const giveBackBoth = async () => {
      taken.putBack();
      await giveBack();
    };
    const pair = await givingBack(giveBackBoth, () => this.#begin(context, taken.user, 'sessionStart'));
    if (pair === undefined) return this.#refuseCode(context);
    await giveBack();
    return pair;
  }

  /** Undefined if the user was changed or disabled since the verification. */
  async #begin(context: RequestContext, user: VerifiedUser, action: string): Promise<TokenPair | undefined> {
    const sessionId = newToken();
    const refresh = newRefreshToken(sessionId);
    const identity: Identity = { kind: 'user', ...user, admin: false, projects: {}, credentialId: sessionId };
    const begun = await this.#db.transaction(async (tx) => {
      const { hash: refreshHash, familyHash } = refresh;
      const session = { id: sessionId, userId: user.id, userVersion: user.version, refreshHash, familyHash };
      const made = await this.#credentials.begin(tx, session);
      if (made === undefined) return undefined;
      const { details, ...entry } = record(context, action, identity);
      const sessionsEnded = made.ended === 0 ? {} : { sessionsEnded: made.ended };
      await audit(tx, { ...entry, details: { ...details, ...sessionsEnded } });
      return made;
    });
    return begun && this.#pair(user.id, sessionId, refresh.secret, begun.expiresAt);
  }

  /** Checks a login `via` another place, without making a session. Throws a Refusal with BAD_CREDENTIALS or RATE_LIMITED. */
  async check(context: RequestContext, credentials: LoginCredentials, via: string): Promise<Identity> {
    if ('token' in credentials) return this.#checkToken(context, credentials.token, via);
    const { user, giveBack } = await this.#verify(context, credentials, via);
    const identity = await givingBack(giveBack, () => this.#credentials.byUser(user));
    if (identity === undefined) return this.#refuseLogin(context, credentials.name, via);
    await givingBack(giveBack, () => audit(this.#db, record(context, 'login', identity, via)));
    await giveBack();
    return identity;
  }

  async #checkToken(context: RequestContext, token: string, via: string): Promise<Identity> {
    const giveBack = await this.#attempts.apiToken(context);
    const identity = token.startsWith(apiTokenPrefix)
      ? await whenTried(giveBack, () => this.#credentials.bySecretHash(hashSecret(token)))
      : undefined;
    if (identity === undefined)
      return this.#refuse(context, 'login', 'the token is wrong, was revoked, or has expired', { via });
    await givingBack(giveBack, () => audit(this.#db, record(context, 'login', identity, via)));
    await giveBack();
    return identity;
  }

  async #verify(
    context: RequestContext,
    input: { readonly name: string; readonly password: string },
    via?: string,
  ): Promise<{ readonly user: VerifiedUser; readonly giveBack: GiveBack }> {
    // A refusal by the limit is not audited: a flood would write a row for each attempt.
    const giveBack = await this.#attempts.password(context, input.name);
    const user = await whenTried(giveBack, () => this.#provider.verify(input));
    return user === undefined ? this.#refuseLogin(context, input.name, via) : { user, giveBack };
  }

  /** Throws a Refusal with BAD_CREDENTIALS or RATE_LIMITED. */
  async refresh(context: RequestContext, refreshToken: string): Promise<TokenPair> {
    const giveBack = await this.#attempts.refreshToken(context);
    const presented = readRefreshToken(refreshToken);
    if (presented === undefined) return this.#refuseRefresh(context, false);
    const { sessionId, familyHash } = presented;
    const next = newRefreshToken(sessionId, presented.family);
    const rotate = async (tx: Transaction) => {
      const session = { id: sessionId, oldHash: presented.hash, newHash: next.hash, familyHash };
      const expiresAt = await this.#credentials.rotate(tx, session);
      if (expiresAt === undefined) {
        return { ended: await this.#credentials.endFamily(tx, session) };
      }
      const identity = await this.#credentials.bySession(sessionId, tx);
      invariant(identity !== undefined, `session ${sessionId} was just refreshed and has no user`);
      await audit(tx, record(context, 'sessionRefresh', identity));
      return { expiresAt, userId: identity.id };
    };
    const rotated = await givingBack(giveBack, () => this.#db.transaction(rotate));
    if ('ended' in rotated) return this.#refuseRefresh(context, rotated.ended);
    await giveBack();
    return this.#pair(rotated.userId, sessionId, next.secret, rotated.expiresAt);
  }

  /** Ends the caller's session, or all others. Returns how many ended; ending one twice is not an error. */
  async logout(context: RequestContext, identity: Identity, others: boolean): Promise<number> {
    if (identity.kind !== 'user') refuse('WRONG_STATE', 'an API token has no session: revoke it with apiTokenRevoke');
    const { id: userId, credentialId: id } = identity;
    return this.#db.transaction(async (tx) => {
      const ended = others
        ? await this.#credentials.endOthers(tx, { id, userId })
        : Number(await this.#credentials.end(tx, id));
      const { details, ...entry } = record(context, 'logout', identity);
      await audit(tx, { ...entry, details: others ? { ...details, otherSessionsEnded: ended } : details });
      return ended;
    });
  }

  /** Sessions that have not ended, the newest first. Empty for an API token. */
  async sessionsOf({
    kind,
    id,
    credentialId,
  }: Identity): Promise<readonly (UserSession & { readonly current: boolean })[]> {
    if (kind !== 'user') return [];
    return (await this.#credentials.sessionsOf(id)).map((each) => ({ ...each, current: each.id === credentialId }));
  }

  async #refuseLogin(context: RequestContext, name: string, via?: string): Promise<never> {
    return this.#refuse(context, 'login', 'the name or the password is wrong', { name: name.slice(0, 64), via });
  }

  async #refuseCode(context: RequestContext): Promise<never> {
    const message = 'the code was used before, has expired, or is not of this start: log in with name and password';
    return this.#refuse(context, 'sessionStart', message, {});
  }

  /** `sessionEnded`: the token had been used before, so its session was ended. */
  async #refuseRefresh(context: RequestContext, sessionEnded: boolean): Promise<never> {
    const message = 'the refresh token was used before or has expired: log in again';
    return this.#refuse(context, 'sessionRefresh', message, { sessionEnded });
  }

  async #refuse(context: RequestContext, action: string, message: string, details: object): Promise<never> {
    const code = 'BAD_CREDENTIALS';
    const notKept = this.#refusals.take('all');
    if (notKept !== undefined)
      await audit(this.#db, {
        ...record(context, action, null),
        outcome: 'REFUSED',
        code,
        details: {
          ...{ ...details, clientAddress: context.clientAddress },
          ...(notKept === 0 ? {} : { refusalsNotKept: notKept }),
        },
      });
    throw new Refusal([userError(code, message)]);
  }

  async #pair(
    userId: string,
    sessionId: string,
    refreshToken: string,
    refreshTokenExpiresAt: Date,
  ): Promise<TokenPair> {
    const access = await this.#accessTokens.issue({ userId, sessionId });
    return {
      accessToken: access.token,
      accessTokenExpiresAt: access.expiresAt,
      refreshToken,
      refreshTokenExpiresAt,
    };
  }
}

/** Work that fails after the secret was found right, for example on a full disk, does not count as a failed attempt. */
async function givingBack<Result>(giveBack: GiveBack, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await giveBack();
    throw error;
  }
}

function record(context: RequestContext, action: string, identity: Identity | null, via?: string) {
  const subjectType = identity?.kind === 'token' ? 'ApiToken' : 'User';
  const subject = identity === null ? {} : { subjectType, subjectId: identity.id };
  const { requestId, callerRequestId, clientAddress } = context;
  return {
    identity,
    action,
    projectId: null,
    ...subject,
    outcome: 'ACCEPTED' as const,
    requestId,
    callerRequestId,
    details: { clientAddress, via },
  };
}
