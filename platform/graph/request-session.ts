// The secret that a gateway shares with one process of a subgraph for some minutes. A MAC under it proves that a request comes from that
// gateway, at a tenth of the cost of a signature. Both sides agree on it by X25519; the gateway signs its half (decision 0313).
import {
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { z } from 'zod';
import { HmacSha256 } from './hmac-sha256.ts';

/** Of the subgraph's process where a gateway opens a session. */
export const sessionPath = '/internal/session';
/** Header of an answer to a signed request: the process's public key, base64url. A subgraph without it gets signatures only. */
export const sessionKeyHeader = 'x-tidegate-session-key';
/** `code` of a refusal with status 401: the process does not know the session, and has done nothing. */
export const unknownSessionCode = 'UNKNOWN_SESSION';
/** `code` of a refusal with status 409: the handshake is for another process, or for a key that was replaced. */
export const otherKeyCode = 'OTHER_SESSION_KEY';

const longestSessionSeconds = 900;

/** 32 bytes (RFC 7748), base64url. */
export const agreementKeyShape = z.string().regex(/^[\w-]{43}$/);

/**
 * The body of a handshake, whose identity header has a signature. Strict: no other body that a gateway signs has this form, so none
 * of them is a handshake.
 */
export const handshakeShape = z.strictObject({
  purpose: z.literal('session'),
  subgraphKey: agreementKeyShape,
  gatewayKey: agreementKeyShape,
  seconds: z.number().int().min(1).max(longestSessionSeconds),
});
export type Handshake = z.output<typeof handshakeShape>;

export interface AgreementKey {
  readonly privateKey: KeyObject;
  readonly publicText: string;
}

/** An X25519 key pair. */
export function newAgreementKey(): AgreementKey {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { privateKey, publicText: publicKey.export({ format: 'jwk' }).x ?? '' };
}

/** What the secret is bound to, beside both keys. */
export interface SignedHandshake {
  /** Name of the subgraph. */
  readonly audience: string;
  /** Key of the signature. */
  readonly signerId: string;
  /** `jti` of the signature. */
  readonly id: string;
  /** As it was sent. */
  readonly body: string;
}

export class RequestSession {
  /** Public: it names the session. Equal at both ends only if the secret is. */
  readonly id: string;
  /** First part of each proof, with the dot. */
  readonly prefix: string;
  readonly #mac: HmacSha256;

  /** Throws if the peer's key is no point from which a secret follows. */
  constructor(own: KeyObject, peerText: string, { audience, signerId, id, body }: SignedHandshake) {
    const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'X25519', x: peerText } });
    const secret = diffieHellman({ privateKey: own, publicKey });
    const transcript = hash('sha256', JSON.stringify([audience, signerId, id, body]));
    const derived = Buffer.from(hkdfSync('sha256', secret, '', `tidegate request session 1 ${transcript}`, 48));
    this.#mac = new HmacSha256(derived.subarray(0, 32));
    this.id = derived.subarray(32).toString('base64url');
    const header = JSON.stringify({ alg: 'HS256', kid: this.id });
    this.prefix = `${Buffer.from(header, 'utf8').toString('base64url')}.`;
  }

  /** A compact JWS (RFC 7515) with HMAC-SHA-256 (RFC 7518, section 3.2). `payload`: base64url. */
  prove(payload: string): string {
    const signed = this.prefix + payload;
    return `${signed}.${this.#mac.textOf(signed, 'base64url')}`;
  }

  verifies(payload: string, mac: string): boolean {
    const given = Buffer.from(mac, 'base64url');
    return given.length === 32 && timingSafeEqual(given, this.#mac.of(this.prefix + payload));
  }
}
