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

/** Credentials that somebody shows at an object storage cluster. The cluster passes them on. */
export type LoginCredentials = { readonly name: string; readonly password: string } | { readonly token: string };

interface LoginOrigin {
  /** The client's address, as seen by the cluster. */
  readonly address: string;
  /**
   * The source of an address that the cluster did not see itself. The source may lie. So attempts with such addresses are counted
   * apart from attempts with seen addresses, and nobody is locked out there. All addresses of one source also share a bound. Absent
   * if the cluster saw the address.
   */
  readonly toldBy?: string | undefined;
  /** Where the client is, in words: for the audit trail. */
  readonly via: string;
}

type LoginAnswer =
  | { readonly identity: Identity }
  | {
      readonly refused: {
        readonly code: 'BAD_CREDENTIALS' | 'RATE_LIMITED';
        readonly message: string;
        readonly retryAfterMs?: number | undefined;
      };
    };

/**
 * Checks a login without making a session. Attempts are counted and recorded together with all other logins. Throws when the
 * database is not available.
 */
export type CheckLogin = (
  credentials: LoginCredentials,
  origin: LoginOrigin,
  signal?: AbortSignal,
) => Promise<LoginAnswer>;
