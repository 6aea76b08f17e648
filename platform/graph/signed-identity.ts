// The identity that a gateway sends to a subgraph over HTTP: a compact JWS (RFC 7515) with a signature (EdDSA of RFC 8037), which only
// gateways can make, or with the MAC of a session that a signature opened (request-session.ts). It is bound to one subgraph and one
// request, and valid for seconds and for one use. Calls inside a process are not signed.
import { hash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Identity, roles } from '../caller/identity.ts';
import { type MutationManner, sourcePattern } from '../caller/manner.ts';
import type { PublicKeys, SigningKeys } from '../secrets/key-pairs.ts';
import { jsonIn } from '../values/json.ts';
import { AcceptedSessions } from './accepted-sessions.ts';
import { ReplayMemory } from './replay-memory.ts';
import type { RequestSession } from './request-session.ts';

/** HTTP header, connection parameter and subscribe extension that carry it. */
export const identityHeader = 'x-tidegate-identity';
/** The header in place of it for mutations that are only tried: a subgraph that can't try any finds no identity, and refuses. */
export const triedIdentityHeader = 'x-tidegate-tried-identity';

const lifetimeSeconds = 5;
/** How far two hosts' clocks may be apart. */
export const clockSkewSeconds = 10;
/** Most identities accepted while one is valid: enough for 4,000 requests a second to one process. */
const mostRemembered = 100_000;

/** The signed content: the caller, and the request. */
export interface IdentityClaims {
  readonly identity: Identity | null;
  readonly requestId: string;
  readonly callerRequestId?: string;
  readonly clientAddress?: string;
  readonly manner?: MutationManner;
}

/** The subject of a signature: `audience` is the subgraph's name, `body` the request's body. */
interface SignedRequest {
  readonly audience: string;
  readonly body: string | Buffer;
  /** A request that is sent again keeps its id, so that no process takes it twice. Default: a new one. */
  readonly id?: string;
}

export type IdentityRefusal = 'forged' | 'expired' | 'other-request' | 'replayed' | 'busy';
/** The proof is the MAC of a session that this process does not know: a signature is needed. */
type UnknownSession = 'unknown-session';

export const identityShape = z.object({
  kind: z.enum(['user', 'token', 'machine', 'service']),
  id: z.string(),
  name: z.string(),
  admin: z.boolean(),
  projects: z.record(z.string(), z.enum(roles)),
  credentialId: z.string(),
  ownerId: z.string().optional(),
  machineRole: z.string().optional(),
  accessUntilMs: z.number().optional(),
  operations: z.array(z.string()).optional(),
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
  manner: z
    .strictObject({ dryRun: z.literal(true).exactOptional(), source: z.string().regex(sourcePattern).exactOptional() })
    .optional(),
  identity: identityShape.nullable(),
});
type Payload = z.output<typeof payloadShape>;

const headerShape = z.object({ alg: z.enum(['EdDSA', 'HS256']), kid: z.string().max(32) });

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

function decode(part: string): unknown {
  return jsonIn(Buffer.from(part, 'base64url').toString('utf8'));
}

function digest(body: string | Buffer): string {
  return hash('sha256', body, 'base64url');
}

/** Binds a socket's subscription: the same text on both sides of JSON. */
export function subscriptionBody(payload: {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}): string {
  return JSON.stringify([payload.query, payload.operationName ?? null, payload.variables ?? null]);
}

/** Binds the start of a socket. */
export const connectionBody = 'connection_init';

/** Signs for one request, which must be sent at once. */
export function signIdentity(
  keys: SigningKeys,
  claims: IdentityClaims,
  request: SignedRequest,
  nowMs = Date.now(),
): string {
  const signed = `${headerOf(keys.active().id)}.${payloadOf(claims, request, nowMs)}`;
  return `${signed}.${keys.sign(signed).signature.toString('base64url')}`;
}

/** The same by a session: only the process that shares it can verify the proof. */
export function proveIdentity(
  session: RequestSession,
  claims: IdentityClaims,
  request: SignedRequest,
  nowMs = Date.now(),
): string {
  return session.prove(payloadOf(claims, request, nowMs));
}

/** The claims as JSON, of the form that `payloadShape` says. Written by hand: it is on the way of every request. */
function payloadOf(claims: IdentityClaims, request: SignedRequest, nowMs: number): string {
  const { identity, requestId, callerRequestId, clientAddress, manner } = claims;
  const issuedAt = Math.floor(nowMs / 1000);
  const crid = callerRequestId === undefined ? '' : `,"crid":${JSON.stringify(callerRequestId)}`;
  const ip = clientAddress === undefined ? '' : `,"ip":${JSON.stringify(clientAddress)}`;
  const times = `"iat":${issuedAt},"exp":${issuedAt + lifetimeSeconds}`;
  const ids = `"jti":"${request.id ?? randomUUID()}","bdy":"${digest(request.body)}","rid":${JSON.stringify(requestId)}`;
  const how = manner === undefined ? '' : `,"manner":${JSON.stringify(manner)}`;
  const text = `{"aud":${JSON.stringify(request.audience)},${times},${ids}${crid}${ip}${how},"identity":${textOf(identity)}}`;
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** The credential cache gives the same object to requests with the same credential. */
const identityTexts = new WeakMap<Identity, string>();

function textOf(identity: Identity | null): string {
  if (identity === null) return 'null';
  const known = identityTexts.get(identity);
  if (known !== undefined) return known;
  const { operations: _ofGateways, ...told } = identity;
  const text = JSON.stringify(told);
  identityTexts.set(identity, text);
  return text;
}

/** The last header made; it changes only with the key. */
let lastHeader = { id: '', text: '' };

function headerOf(id: string): string {
  if (lastHeader.id !== id) lastHeader = { id, text: encode({ alg: 'EdDSA', kid: id }) };
  return lastHeader.text;
}

/** A valid proof that has not expired; `admit` checks whether it is for this request. */
export interface PresentedIdentity {
  readonly id: string;
  /** The key of the signature; undefined: the proof is by a session. */
  readonly signerId: string | undefined;
  /** Gives the claims once: when the body is the signed one. */
  admit(body: string | Buffer, nowMs?: number): IdentityClaims | IdentityRefusal;
}

/** Verifies the identities sent by gateways to one subgraph; one for each process that serves it. */
export class IdentityChecker {
  readonly sessions: AcceptedSessions;
  readonly #keys: PublicKeys;
  readonly #audience: string;
  readonly #replays: ReplayMemory;

  constructor(options: {
    readonly keys: PublicKeys;
    readonly audience: string;
    readonly mostRemembered?: number;
    readonly sessions?: AcceptedSessions;
  }) {
    this.#keys = options.keys;
    this.#audience = options.audience;
    this.sessions = options.sessions ?? new AcceptedSessions({ keys: options.keys });
    this.#replays = new ReplayMemory({
      periodMs: (lifetimeSeconds + 2 * clockSkewSeconds + 1) * 1000,
      most: options.mostRemembered ?? mostRemembered,
    });
  }

  /** Before the body is read: checks that it comes from a gateway at all. */
  present(text: string, nowMs = Date.now()): PresentedIdentity | IdentityRefusal | UnknownSession {
    const [header = '', payload = '', proof = '', ...more] = text.split('.');
    if (more.length > 0) return 'forged';
    const signerId = this.#signerOf(header, payload, proof);
    if (typeof signerId === 'object') return signerId.refusal;
    const parsed = payloadShape.safeParse(decode(payload));
    if (!parsed.success || parsed.data.aud !== this.#audience) return 'forged';
    const { iat, exp, jti } = parsed.data;
    const nowSeconds = nowMs / 1000;
    if (exp + clockSkewSeconds < nowSeconds || iat - clockSkewSeconds > nowSeconds) return 'expired';
    return { id: jti, signerId, admit: (body, atMs = Date.now()) => this.#admit(parsed.data, body, atMs) };
  }

  /** Both steps together. */
  check(text: string, body: string | Buffer, nowMs = Date.now()): IdentityClaims | IdentityRefusal | UnknownSession {
    const presented = this.present(text, nowMs);
    return typeof presented === 'string' ? presented : presented.admit(body, nowMs);
  }

  /** The key of a valid signature; undefined for a valid MAC. The header alone decides which of the two it has to be. */
  #signerOf(
    header: string,
    payload: string,
    proof: string,
  ): string | undefined | { readonly refusal: IdentityRefusal | UnknownSession } {
    const forged = { refusal: 'forged' } as const;
    const prefix = `${header}.`;
    const session = this.sessions.of(prefix);
    if (session !== undefined) {
      if (!session.verifies(payload, proof)) return forged;
      this.sessions.noteUse(prefix);
      return undefined;
    }
    const head = headerShape.safeParse(decode(header));
    if (!head.success) return forged;
    const { alg, kid } = head.data;
    if (alg === 'HS256') return { refusal: 'unknown-session' };
    const given = Buffer.from(proof, 'base64url');
    return this.#keys.verifies('gateway', kid, `${prefix}${payload}`, given) ? kid : forged;
  }

  #admit(payload: Payload, body: string | Buffer, nowMs: number): IdentityClaims | IdentityRefusal {
    if (payload.bdy !== digest(body)) return 'other-request';
    // A slow body: the replay memory may have forgotten the identity by now.
    if (payload.exp + clockSkewSeconds < nowMs / 1000) return 'expired';
    const taken = this.#replays.take(payload.jti, nowMs);
    if (taken !== 'new') return taken === 'full' ? 'busy' : 'replayed';
    const { identity, rid, crid, ip, manner } = payload;
    return {
      ...{ identity, requestId: rid },
      ...(crid === undefined ? {} : { callerRequestId: crid }),
      ...(ip === undefined ? {} : { clientAddress: ip }),
      ...(manner === undefined ? {} : { manner }),
    };
  }
}
