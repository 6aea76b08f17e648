// The identity that a gateway hands to a subgraph over HTTP: a compact JWS (RFC 7515, EdDSA of RFC 8037) that gateways alone can
// sign, bound to one subgraph and one request, good for seconds and for one use. Nothing is signed inside a process.
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Identity, roles } from '../identity.ts';
import type { PublicKeys, SigningKeys } from '../secrets/key-pairs.ts';
import { ReplayMemory } from './replay-memory.ts';

/** HTTP header, connection parameter and subscribe extension that carry it. */
export const identityHeader = 'x-tidegate-identity';

const lifetimeSeconds = 5;
/** How far two hosts' clocks may be apart. */
export const clockSkewSeconds = 10;
/** In the time that one is valid: a subgraph process that answers 4,000 requests a second stays below. */
const mostRemembered = 100_000;

/** What is signed: who asks, and for which request. */
export interface IdentityClaims {
  readonly identity: Identity | null;
  readonly requestId: string;
  readonly callerRequestId?: string;
  readonly clientAddress?: string;
}

/** What a signature is for: `audience` is the subgraph's name, `body` what is sent with it. */
export interface SignedRequest {
  readonly audience: string;
  readonly body: string | Buffer;
}

export type IdentityRefusal = 'forged' | 'expired' | 'other-request' | 'replayed' | 'busy';

export const identityShape = z.object({
  kind: z.enum(['user', 'token', 'machine']),
  id: z.string(),
  name: z.string(),
  admin: z.boolean(),
  projects: z.record(z.string(), z.enum(roles)),
  credentialId: z.string(),
  machineRole: z.string().optional(),
});

const payloadShape = z.object({
  aud: z.string(),
  iat: z.number(),
  exp: z.number(),
  jti: z.string().max(64),
  /** SHA-256 of the body, base64url. */
  bdy: z.string().length(43),
  rid: z.string().max(128),
  crid: z.string().max(64).optional(),
  ip: z.string().max(64).optional(),
  identity: identityShape.nullable(),
});
type Payload = z.output<typeof payloadShape>;

const headerShape = z.object({ alg: z.literal('EdDSA'), kid: z.string().max(32) });

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function digest(body: string | Buffer): string {
  return createHash('sha256').update(body).digest('base64url');
}

/** What a socket's subscription is bound to: the same text on both sides of JSON. */
export function subscriptionBody(payload: {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}): string {
  return JSON.stringify([payload.query, payload.operationName ?? null, payload.variables ?? null]);
}

/** What the beginning of a socket is bound to. */
export const connectionBody = 'connection_init';

/** Signs for one request. To be sent at once. */
export function signIdentity(
  keys: SigningKeys,
  claims: IdentityClaims,
  request: SignedRequest,
  nowMs = Date.now(),
): string {
  const issuedAt = Math.floor(nowMs / 1000);
  const payload: Payload = {
    aud: request.audience,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    jti: randomUUID(),
    bdy: digest(request.body),
    rid: claims.requestId,
    ...(claims.callerRequestId === undefined ? {} : { crid: claims.callerRequestId }),
    ...(claims.clientAddress === undefined ? {} : { ip: claims.clientAddress }),
    identity: claims.identity,
  };
  const signed = `${headerOf(keys.active().id)}.${encode(payload)}`;
  return `${signed}.${keys.sign(signed).signature.toString('base64url')}`;
}

/** The last header made: there is one for each key. */
let lastHeader = { id: '', text: '' };

function headerOf(id: string): string {
  if (lastHeader.id !== id) lastHeader = { id, text: encode({ alg: 'EdDSA', kid: id }) };
  return lastHeader.text;
}

/** A signature that is right and still valid; whether it is for this request is told by `admit`. */
export interface PresentedIdentity {
  /** The claims, once: when the body is the one that was signed for. */
  admit(body: string | Buffer, nowMs?: number): IdentityClaims | IdentityRefusal;
}

/** Checks what gateways send to one subgraph; one for each process that serves it. */
export class IdentityChecker {
  readonly #keys: PublicKeys;
  readonly #audience: string;
  readonly #replays: ReplayMemory;

  constructor(options: { readonly keys: PublicKeys; readonly audience: string; readonly mostRemembered?: number }) {
    this.#keys = options.keys;
    this.#audience = options.audience;
    this.#replays = new ReplayMemory({
      periodMs: (lifetimeSeconds + 2 * clockSkewSeconds + 1) * 1000,
      most: options.mostRemembered ?? mostRemembered,
    });
  }

  /** Before the body is read: whether a gateway signed it at all. */
  present(text: string, nowMs = Date.now()): PresentedIdentity | IdentityRefusal {
    const [header = '', payload = '', signature = '', ...more] = text.split('.');
    if (more.length > 0) return 'forged';
    const head = headerShape.safeParse(decode(header));
    if (!head.success) return 'forged';
    const given = Buffer.from(signature, 'base64url');
    if (!this.#keys.verifies('gateway', head.data.kid, `${header}.${payload}`, given)) return 'forged';
    const parsed = payloadShape.safeParse(decode(payload));
    if (!parsed.success || parsed.data.aud !== this.#audience) return 'forged';
    const { iat, exp } = parsed.data;
    const nowSeconds = nowMs / 1000;
    if (exp + clockSkewSeconds < nowSeconds || iat - clockSkewSeconds > nowSeconds) return 'expired';
    return { admit: (body, atMs = Date.now()) => this.#admit(parsed.data, body, atMs) };
  }

  /** Both at once. */
  check(text: string, body: string | Buffer, nowMs = Date.now()): IdentityClaims | IdentityRefusal {
    const presented = this.present(text, nowMs);
    return typeof presented === 'string' ? presented : presented.admit(body, nowMs);
  }

  #admit(payload: Payload, body: string | Buffer, nowMs: number): IdentityClaims | IdentityRefusal {
    if (payload.bdy !== digest(body)) return 'other-request';
    // A body that came slowly: what is remembered is forgotten by then.
    if (payload.exp + clockSkewSeconds < nowMs / 1000) return 'expired';
    const taken = this.#replays.take(payload.jti, nowMs);
    if (taken !== 'new') return taken === 'full' ? 'busy' : 'replayed';
    const { identity, rid, crid, ip } = payload;
    return {
      ...{ identity, requestId: rid },
      ...(crid === undefined ? {} : { callerRequestId: crid }),
      ...(ip === undefined ? {} : { clientAddress: ip }),
    };
  }
}
