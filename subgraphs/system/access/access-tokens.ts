// Short-lived access tokens: JWT (RFC 7519), HS256 under the keyring's purpose 'access-token'. They only name user and
// session; what the user may do is read anew, so that a change counts at once.
import { jwtVerify, SignJWT } from 'jose';
import type { Keyring } from '../../../platform/secrets/keyring.ts';

export interface AccessTokenClaims {
  readonly userId: string;
  readonly sessionId: string;
}

const issuer = 'tidegate';
const purpose = 'access-token';
const lifetimeSeconds = 15 * 60;

export class AccessTokens {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  async issue(claims: AccessTokenClaims, nowMs = Date.now()): Promise<{ token: string; expiresAt: Date }> {
    const { id, key } = this.#keyring.active(purpose);
    const issuedAt = Math.floor(nowMs / 1000);
    const token = await new SignJWT({ sid: claims.sessionId })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: id })
      .setIssuer(issuer)
      .setSubject(claims.userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(key);
    return { token, expiresAt: new Date((issuedAt + lifetimeSeconds) * 1000) };
  }

  /** The claims; undefined when the token is forged, malformed or too old. */
  async verify(token: string, nowMs = Date.now()): Promise<AccessTokenClaims | undefined> {
    try {
      const { payload } = await jwtVerify(
        token,
        (header) => {
          const key = this.#keyring.byId(purpose, header.kid ?? '');
          if (key === undefined) throw new Error('unknown key');
          return key.key;
        },
        { algorithms: ['HS256'], issuer, requiredClaims: ['sub', 'exp', 'sid'], currentDate: new Date(nowMs) },
      );
      const { sub, sid } = payload;
      return typeof sub === 'string' && typeof sid === 'string' ? { userId: sub, sessionId: sid } : undefined;
    } catch {
      // Whatever is wrong with it, it is not a token of ours; saying what would only help a forger.
      return undefined;
    }
  }
}
