// The port between the gateway, which receives a credential, and the part that can check it (the system subgraph; OIDC or
// Keystone later).
import type { Identity } from './identity.ts';

export interface Authenticator {
  /**
   * The identity behind a bearer credential (access token or API token); undefined when the credential is not valid, or no longer
   * valid.
   */
  authenticate(bearer: string, signal?: AbortSignal): Promise<Identity | undefined>;
  /**
   * The current identity, for an open socket: undefined once its session has ended, its token was revoked or its user was
   * disabled. It does not check the expiry of an access token, which is in `accessUntilMs`. Throws when the
   * database is not available.
   */
  recheck(identity: Identity, signal?: AbortSignal): Promise<Identity | undefined>;
}

/** What somebody shows at a cluster of object storage, which passes it on. */
export type LoginCredentials = { readonly name: string; readonly password: string } | { readonly token: string };

export interface LoginOrigin {
  /** The client's, as the cluster saw it. */
  readonly address: string;
  /**
   * Who told it, and may lie: attempts are counted apart from those whose address was seen, so that nobody is locked out there, and all that are told
   * by one have a bound together. Absent: it was seen.
   */
  readonly toldBy?: string | undefined;
  /** Where the client is, in words: for the audit trail. */
  readonly via: string;
}

export type LoginAnswer =
  | { readonly identity: Identity }
  | {
      readonly refused: {
        readonly code: 'BAD_CREDENTIALS' | 'RATE_LIMITED';
        readonly message: string;
        readonly retryAfterMs?: number | undefined;
      };
    };

/**
 * Checks a login without making a session. Attempts are counted with those of every other login, and recorded as they are. Throws when the
 * database is not available.
 */
export type CheckLogin = (
  credentials: LoginCredentials,
  origin: LoginOrigin,
  signal?: AbortSignal,
) => Promise<LoginAnswer>;
