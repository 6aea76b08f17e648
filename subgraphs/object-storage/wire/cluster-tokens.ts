// Users' tokens: JWT (RFC 7519), signed with the key pair of the cluster at which the user logged in (ES256, RFC 7518 section 3.4). Every
// cluster verifies them without asking another, with the public keys in the document `clusters`. The token's issuer names the cluster that
// signed, and only that cluster's key counts.
import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto';
import { decodeJwt, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { highestCluster } from './documents/documents.ts';

interface TokenClaims {
  /** UUID of the user, or of the API token with which they logged in. */
  readonly userId: string;
  readonly name: string;
  /** By account (32 hexadecimal digits): whether the token may write. */
  readonly accounts: Readonly<Record<string, boolean>>;
}

export interface VerifiedToken extends TokenClaims {
  readonly expiresAtMs: number;
}

export const mostAccounts = 100;
/** The limit of all clusters: every cluster refuses a token with a longer lifetime. */
const longestTokenMinutes = 24 * 60;

const algorithm = 'ES256';
const type = 'tidegate-objects+jwt';
const audience = 'tidegate-object-storage';
/** Largest difference between the clocks of two clusters. */
const mostSkewSeconds = 60;

const claimsShape = z.object({
  iss: z.string().regex(/^cluster:\d{1,5}$/),
  sub: z.uuid(),
  name: z.string().max(255),
  iat: z.number(),
  exp: z.number(),
  /** r: read; w: read and write. */
  acc: z
    .record(z.string().regex(/^[0-9a-f]{32}$/), z.enum(['r', 'w']))
    .refine((accounts) => Object.keys(accounts).length <= mostAccounts),
});

interface TokenSignerOptions {
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

  /** `cluster`: number of the signing cluster. */
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
 * Undefined if the token is malformed, not signed by the cluster that it names, for another purpose, expired, from the future, or valid for
 * too long. `keyOf`: the public key of a cluster that the documents name.
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
    // Any fault means that the token is not valid; details would only help a forger.
    return undefined;
  }
}

function issuerOf(cluster: number): string {
  return `cluster:${cluster}`;
}

function clusterIn(issuer: string): number | undefined {
  const [, text] = /^cluster:(0|[1-9]\d{0,4})$/.exec(issuer) ?? [];
  return text === undefined || Number(text) > highestCluster ? undefined : Number(text);
}
