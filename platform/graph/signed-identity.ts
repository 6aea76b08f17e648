// The identity that a gateway hands to a subgraph over HTTP: a compact JWS (RFC 7515, HS256) under a key that only this
// system's processes have, bound to one subgraph and short-lived.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { type Identity, roles } from '../identity.ts';
import type { Keyring, PurposeKey } from '../secrets/keyring.ts';

/** HTTP header, connection parameter and subscribe extension that carry it. */
export const identityHeader = 'x-tidegate-identity';

const lifetimeSeconds = 60;
/** How far two hosts' clocks may be apart. */
const skewSeconds = 30;

/** What is signed: who asks, and for which request. */
export interface IdentityClaims {
  readonly identity: Identity | null;
  readonly requestId: string;
  readonly clientAddress?: string;
}

export const identityShape = z.object({
  kind: z.enum(['user', 'token']),
  id: z.string(),
  name: z.string(),
  admin: z.boolean(),
  projects: z.record(z.string(), z.enum(roles)),
  credentialId: z.string(),
});

const payloadShape = z.object({
  aud: z.string(),
  iat: z.number(),
  exp: z.number(),
  rid: z.string().max(128),
  ip: z.string().max(64).optional(),
  identity: identityShape.nullable(),
});

const headerShape = z.object({ alg: z.literal('HS256'), kid: z.string().max(32) });

function macOf({ keyObject }: PurposeKey, signed: string): Buffer {
  return createHmac('sha256', keyObject).update(signed).digest();
}

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

/** Signs for one subgraph (`audience`: its name). */
export function signIdentity(keyring: Keyring, claims: IdentityClaims, audience: string, nowMs = Date.now()): string {
  const key = keyring.active('identity');
  const issuedAt = Math.floor(nowMs / 1000);
  const payload = {
    aud: audience,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    rid: claims.requestId,
    ...(claims.clientAddress === undefined ? {} : { ip: claims.clientAddress }),
    identity: claims.identity,
  };
  const signed = `${encode({ alg: 'HS256', kid: key.id })}.${encode(payload)}`;
  return `${signed}.${macOf(key, signed).toString('base64url')}`;
}

/** The claims, when the text was signed by a gateway for this audience within the last minute; else undefined. */
export function verifyIdentity(
  keyring: Keyring,
  text: string,
  audience: string,
  nowMs = Date.now(),
): IdentityClaims | undefined {
  const [header = '', payload = '', mac = '', ...more] = text.split('.');
  if (more.length > 0) return undefined;
  const head = headerShape.safeParse(decode(header));
  const key = head.success ? keyring.byId('identity', head.data.kid) : undefined;
  if (key === undefined) return undefined;
  const expected = macOf(key, `${header}.${payload}`);
  const given = Buffer.from(mac, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const body = payloadShape.safeParse(decode(payload));
  if (!body.success || body.data.aud !== audience) return undefined;
  const nowSeconds = nowMs / 1000;
  if (body.data.exp + skewSeconds < nowSeconds || body.data.iat - skewSeconds > nowSeconds) return undefined;
  const { identity, rid, ip } = body.data;
  return { identity, requestId: rid, ...(ip === undefined ? {} : { clientAddress: ip }) };
}
