// The tokens of users: JWT (RFC 7519), signed by the cluster at which a user logged in with its own key pair (ES256, RFC 7518 section 3.4). Every
// cluster verifies them alone, by the public keys in the document `clusters`: which cluster signed is the token's issuer, and its key the only
// one that counts.
import { createHash, createPrivateKey, type KeyObject, randomUUID } from 'node:crypto';
import { decodeJwt, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { highestCluster } from '../documents/documents.ts';

export interface TokenClaims {
  /** UUID of the user, or of the API token that was shown. */
  readonly userId: string;
  readonly name: string;
  /** By account (32 hexadecimal digits): whether it may be written. */
  readonly accounts: Readonly<Record<string, boolean>>;
}

export interface VerifiedToken extends TokenClaims {
  readonly expiresAtMs: number;
}

export const mostAccounts = 100;
/** Whatever a cluster has set: a token that says more is refused everywhere. */
export const longestTokenMinutes = 24 * 60;

const algorithm = 'ES256';
const type = 'tidegate-objects+jwt';
const audience = 'tidegate-object-storage';
/** How far two clusters' clocks may be apart. */
const mostSkewSeconds = 60;

const claimsShape = z.object({
  iss: z.string().regex(/^cluster:\d{1,5}$/),
  sub: z.uuid(),
  name: z.string().max(255),
  iat: z.number(),
  exp: z.number(),
  /** r: read, w: write, too. */
  acc: z
    .record(z.string().regex(/^[0-9a-f]{32}$/), z.enum(['r', 'w']))
    .refine((accounts) => Object.keys(accounts).length <= mostAccounts),
});

export interface TokenSignerOptions {
  /** PEM. */
  readonly privateKey: string;
  readonly lifetimeMinutes: number;
  readonly nowMs?: (() => number) | undefined;
}

export class TokenSigner {
  readonly #key: KeyObject;
  readonly #lifetimeSeconds: number;
  readonly #nowMs: () => number;

  constructor({ privateKey, lifetimeMinutes, nowMs = Date.now }: TokenSignerOptions) {
    this.#key = createPrivateKey(privateKey);
    this.#lifetimeSeconds = Math.min(lifetimeMinutes, longestTokenMinutes) * 60;
    this.#nowMs = nowMs;
  }

  /** `cluster`: the number of the one that signs. */
  async sign(cluster: number, claims: TokenClaims): Promise<{ readonly token: string; readonly expiresAt: Date }> {
    const { userId, name, accounts } = claims;
    const issuedAt = Math.floor(this.#nowMs() / 1000);
    const endsAt = issuedAt + this.#lifetimeSeconds;
    const acc = Object.fromEntries(Object.entries(accounts).map(([id, canWrite]) => [id, canWrite ? 'w' : 'r']));
    const token = await new SignJWT({ name, acc })
      .setProtectedHeader({ alg: algorithm, typ: type })
      .setIssuer(issuerOf(cluster))
      .setAudience(audience)
      .setSubject(userId)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(endsAt)
      .sign(this.#key);
    return { token, expiresAt: new Date(endsAt * 1000) };
  }
}

/**
 * Undefined: it is malformed, not signed by the cluster that it names, of another purpose, expired, from the future, or valid for longer than
 * any may be. `keyOf`: the public key of a cluster that the documents name.
 */
export async function verifyToken(
  token: string,
  keyOf: (cluster: number) => KeyObject | undefined,
  nowMs: number,
): Promise<VerifiedToken | undefined> {
  try {
    const { iss = '' } = decodeJwt(token);
    const cluster = clusterIn(iss);
    const key = cluster === undefined ? undefined : keyOf(cluster);
    if (key === undefined) return undefined;
    const { payload } = await jwtVerify(token, key, {
      ...{ algorithms: [algorithm], typ: type, issuer: iss, audience, currentDate: new Date(nowMs) },
      requiredClaims: ['sub', 'iat', 'exp', 'jti'],
    });
    const { sub, name, iat, exp, acc } = claimsShape.parse(payload);
    if (iat > nowMs / 1000 + mostSkewSeconds || exp - iat > longestTokenMinutes * 60) return undefined;
    const accounts = Object.fromEntries(Object.entries(acc).map(([id, right]) => [id, right === 'w']));
    return { userId: sub, name, accounts, expiresAtMs: exp * 1000 };
  } catch {
    // Any fault means that this is not a valid token; the details would only help a forger.
    return undefined;
  }
}

/** Under which a verified token may be kept in memory. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function issuerOf(cluster: number): string {
  return `cluster:${cluster}`;
}

function clusterIn(issuer: string): number | undefined {
  const [, text] = /^cluster:(0|[1-9]\d{0,4})$/.exec(issuer) ?? [];
  return text === undefined || Number(text) > highestCluster ? undefined : Number(text);
}
