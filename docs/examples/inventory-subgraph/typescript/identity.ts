// Checks who sent a request: Tidegate's gateway signs the caller's identity for your subgraph and for this one request (a compact JWS
// with Ed25519, RFC 7515 and RFC 8037, in the header x-tidegate-identity). Everything else must be refused: 401.
// It needs only Node. docs/extending.md describes the content; identity-vectors.json has examples to test with.
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type Role = 'OPERATOR' | 'MEMBER' | 'VIEWER';

/** Who asks. Null claims.identity: nobody has logged in. */
export interface Identity {
  readonly kind: 'user' | 'token' | 'machine' | 'service';
  readonly id: string;
  readonly name: string;
  /** May do everything in every project. */
  readonly admin: boolean;
  /** Role by the project's UUID. */
  readonly projects: Readonly<Record<string, Role>>;
}

export interface Claims {
  readonly identity: Identity | null;
  readonly requestId: string;
}

/** The request must not be answered. */
export class IdentityError extends Error {}

const clockSkewSeconds = 10;
const mostRemembered = 100_000;

export class IdentityVerifier {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #audience: string;
  /** Unix seconds until which an id is remembered. */
  readonly #seen = new Map<string, number>();

  /**
   * @param keysFile `public.keys` of the installation
   * @param audience the name of your subgraph in its settings
   */
  constructor(keysFile: string, audience: string) {
    const { gateway } = JSON.parse(readFileSync(keysFile, 'utf8')) as { gateway: Record<string, string> };
    const read = (text: string) => createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
    this.#keys = new Map(Object.entries(gateway).map(([id, text]) => [id, read(text)]));
    this.#audience = audience;
  }

  /** Throws IdentityError. `body`: the bytes of the request's body; each header is accepted once. */
  verify(header: string | undefined, body: Buffer, nowSeconds = Date.now() / 1000): Claims {
    const [head = '', payload = '', signature = '', ...more] = (header ?? '').split('.');
    if (more.length > 0) throw new IdentityError('not a compact JWS');
    const { alg, kid } = partOf(head);
    const key = alg === 'EdDSA' ? this.#keys.get(String(kid)) : undefined;
    if (key === undefined) throw new IdentityError('signed with an unknown key');
    if (!verify(null, Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')))
      throw new IdentityError('the signature is not valid');
    const { aud, iat, exp, jti, bdy, rid, identity } = partOf(payload);
    if (aud !== this.#audience) throw new IdentityError('signed for another subgraph');
    if (Number(exp) + clockSkewSeconds < nowSeconds || Number(iat) - clockSkewSeconds > nowSeconds)
      throw new IdentityError('expired: compare the clocks of both hosts');
    if (bdy !== createHash('sha256').update(body).digest('base64url'))
      throw new IdentityError('signed for another request');
    this.#takeOnce(String(jti), Number(exp) + clockSkewSeconds, nowSeconds);
    return { identity: identity as Identity | null, requestId: String(rid) };
  }

  #takeOnce(id: string, untilSeconds: number, nowSeconds: number): void {
    for (const [old, until] of this.#seen) {
      if (until >= nowSeconds) break;
      this.#seen.delete(old);
    }
    if (this.#seen.has(id)) throw new IdentityError('sent before');
    if (this.#seen.size >= mostRemembered) throw new IdentityError('too many requests to recognise repeated ones');
    this.#seen.set(id, untilSeconds);
  }
}

/** Whether the caller has at least the role in the project, given by its id in the graph. */
export function allows(identity: Identity | null, projectId: string, least: Role): boolean {
  if (identity === null) return false;
  const [, uuid = ''] = /^Project:(.+)$/.exec(Buffer.from(projectId, 'base64url').toString()) ?? [];
  const order: readonly Role[] = ['VIEWER', 'MEMBER', 'OPERATOR'];
  return identity.admin || order.indexOf(identity.projects[uuid] as Role) >= order.indexOf(least);
}

function partOf(text: string): Record<string, unknown> {
  try {
    const part: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (typeof part === 'object' && part !== null) return part as Record<string, unknown>;
  } catch {}
  throw new IdentityError('not a compact JWS');
}
