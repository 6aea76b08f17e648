// The current identity behind a bearer credential. Nothing is cached here: the gateway keeps an answer for a second.
import type { Authenticator } from '../../../platform/access.ts';
import { isUnavailable } from '../../../platform/database/errors.ts';
import { CodedError } from '../../../platform/errors.ts';
import type { Identity } from '../../../platform/identity.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { CredentialStore } from './credential-store.ts';
import { apiTokenPrefix, hashSecret, machineTokenPrefix } from './secrets.ts';

const maxBearerLength = 4_096;

export class SystemAuthenticator implements Authenticator {
  readonly #credentials: CredentialStore;
  readonly #accessTokens: AccessTokens;

  constructor(options: { credentials: CredentialStore; accessTokens: AccessTokens }) {
    this.#credentials = options.credentials;
    this.#accessTokens = options.accessTokens;
  }

  async authenticate(bearer: string): Promise<Identity | undefined> {
    if (bearer.length > maxBearerLength) return undefined;
    if (bearer.startsWith(apiTokenPrefix)) return tell(this.#credentials.bySecretHash(hashSecret(bearer)));
    if (bearer.startsWith(machineTokenPrefix)) return tell(this.#credentials.byMachineToken(hashSecret(bearer)));
    const claims = await this.#accessTokens.verify(bearer);
    if (claims === undefined) return undefined;
    const identity = await tell(this.#credentials.bySession(claims.sessionId));
    return identity?.id === claims.userId ? { ...identity, accessUntilMs: claims.untilMs } : undefined;
  }

  async recheck(identity: Identity): Promise<Identity | undefined> {
    return tell(this.#credentials.recheck(identity));
  }
}

/** An unavailable database is no verdict on the credential. */
async function tell(answer: Promise<Identity | undefined>): Promise<Identity | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new CodedError(
      'UNAVAILABLE',
      "The database is not available, so the credential can't be checked at the moment.",
      {},
      error,
    );
  }
}
