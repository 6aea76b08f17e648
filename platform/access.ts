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
