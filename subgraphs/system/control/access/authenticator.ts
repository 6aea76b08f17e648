// The current identity behind a bearer credential. Nothing is cached here: the gateway keeps an answer for a second.

import type { Authenticator } from '../../../../platform/caller/access.ts';
import { inLane } from '../../../../platform/caller/caller.ts';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { isBusy, isUnavailable } from '../../../../platform/errors/database-errors.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { isServiceToken, readServiceToken } from '../../../../platform/graph/service-identity.ts';
import type { Keyring } from '../../../../platform/secrets/keyring.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { CredentialStore } from './credential-store.ts';
import { apiTokenPrefix, hashSecret, machineTokenPrefix } from './secrets.ts';

const maxBearerLength = 4_096;
const busy = 'The database is changing its primary, or has too much to do; try again.';

export class SystemAuthenticator implements Authenticator {
  readonly #credentials: CredentialStore;
  readonly #accessTokens: AccessTokens;
  /** Subgraphs use it to make their tokens for queries to the graph. */
  readonly #keyring: Keyring;

  constructor(options: { credentials: CredentialStore; accessTokens: AccessTokens; keyring: Keyring }) {
    this.#credentials = options.credentials;
    this.#accessTokens = options.accessTokens;
    this.#keyring = options.keyring;
  }

  async authenticate(bearer: string): Promise<Identity | undefined> {
    if (bearer.length > maxBearerLength) return undefined;
    if (isServiceToken(bearer)) return readServiceToken(this.#keyring, bearer);
    if (bearer.startsWith(apiTokenPrefix)) return tell(() => this.#credentials.bySecretHash(hashSecret(bearer)));
    if (bearer.startsWith(machineTokenPrefix)) return tell(() => this.#credentials.byMachineToken(hashSecret(bearer)));
    const claims = await this.#accessTokens.verify(bearer);
    if (claims === undefined) return undefined;
    const identity = await tell(() => this.#credentials.bySession(claims.sessionId));
    return identity?.id === claims.userId ? { ...identity, accessUntilMs: claims.untilMs } : undefined;
  }

  async recheck(identity: Identity): Promise<Identity | undefined> {
    // The request has no socket.
    if (identity.kind === 'service') return undefined;
    return tell(() => this.#credentials.recheck(identity));
  }
}

/** Reads over the connections for credentials. An unavailable database says nothing about the credential. */
async function tell(ask: () => Promise<Identity | undefined>): Promise<Identity | undefined> {
  try {
    return await inLane('credentials', ask);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    if (isBusy(error)) throw new CodedError('BUSY', busy, { retryAfterMs: 1_000 }, error);
    throw new CodedError(
      'UNAVAILABLE',
      "The database is not available, so the credential can't be checked at the moment.",
      {},
      error,
    );
  }
}
