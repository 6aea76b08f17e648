// The port between the gateway, which has a credential, and whoever knows what it is worth (the system subgraph; OIDC or
// Keystone later).
import type { Identity } from './identity.ts';

export interface Authenticator {
  /** The identity behind a bearer credential (access token or API token); undefined when it is not, or no longer, valid. */
  authenticate(bearer: string, signal?: AbortSignal): Promise<Identity | undefined>;
  /**
   * The identity as it is now, for an open socket: undefined once its session ended, its token was revoked or its user
   * disabled. An access token's own end does not matter here. Throws when it can't be told (database away).
   */
  recheck(identity: Identity, signal?: AbortSignal): Promise<Identity | undefined>;
}
