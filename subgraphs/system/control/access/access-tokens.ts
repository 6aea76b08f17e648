// Short-lived access tokens: JWT (RFC 7519), signed with the system subgraph's key pair (EdDSA, RFC 8037). They name only user
// and session; the user's rights are read again for each request, so that a change takes effect at once.
import { jwtVerify, SignJWT } from 'jose';
import type { PublicKeys, SigningKeys } from '../../../../platform/secrets/key-pairs.ts';

interface AccessTokenClaims {
  readonly userId: string;
  readonly sessionId: string;
}

interface VerifiedClaims extends AccessTokenClaims {
  /** The token's expiry, in milliseconds since 1970. */
  readonly untilMs: number;
}

const issuer = 'tidegate';
const defaultLifetimeSeconds = 15 * 60;

export class AccessTokens {
  readonly #signingKeys: SigningKeys;
  readonly #publicKeys: PublicKeys;
  readonly #lifetimeSeconds: number;

  constructor(options: {
    readonly signingKeys: SigningKeys;
    readonly publicKeys: PublicKeys;
    readonly accessTokenSeconds?: number;
  }) {
    this.#signingKeys = options.signingKeys;
    this.#publicKeys = options.publicKeys;
    this.#lifetimeSeconds = options.accessTokenSeconds ?? defaultLifetimeSeconds;
  }

  async issue(claims: AccessTokenClaims, nowMs = Date.now()): Promise<{ token: string; expiresAt: Date }> {
    const { id, privateKey } = this.#signingKeys.active();
    const issuedAt = Math.floor(nowMs / 1000);
    const endsAt = issuedAt + this.#lifetimeSeconds;
    const token = await new SignJWT({ sid: claims.sessionId })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: id })
      .setIssuer(issuer)
      .setSubject(claims.userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(endsAt)
      .sign(privateKey);
    return { token, expiresAt: new Date(endsAt * 1000) };
  }

  /** The claims. Undefined if the token is forged, malformed or expired. */
  async verify(token: string, nowMs = Date.now()): Promise<VerifiedClaims | undefined> {
    try {
      const { payload, protectedHeader } = await jwtVerify(
        token,
        (header) => {
          const key = this.#publicKeys.byId('system', header.kid ?? '');
          if (key === undefined) throw new Error('unknown key');
          return key;
        },
        { algorithms: ['EdDSA'], issuer, requiredClaims: ['sub', 'exp', 'sid'], currentDate: new Date(nowMs) },
      );
      this.#publicKeys.noteUse('system', protectedHeader.kid ?? '');
      const { sub, sid, exp = 0 } = payload;
      if (typeof sub !== 'string' || typeof sid !== 'string') return undefined;
      return { userId: sub, sessionId: sid, untilMs: exp * 1000 };
    } catch {
      // Any fault means that this is not a valid token; the details would only help a forger.
      return undefined;
    }
  }
}
