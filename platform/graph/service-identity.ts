// The identity with which a subgraph asks the graph: a viewer of one project, valid for seconds. Its token is made with the key
// that only subgraphs have, and a gateway accepts it only at its endpoint for subgraphs (gateway/web/question-server.ts), never at
// the public endpoint.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Identity } from '../caller/identity.ts';
import type { Keyring } from '../secrets/keyring.ts';
import { clockSkewSeconds } from './signed-identity.ts';

const purpose = 'service-identity';
const prefix = 'tgs';
const lifetimeSeconds = 5;

interface ServiceClaims {
  /** The subgraph that asks. */
  readonly subgraph: string;
  /** UUID. */
  readonly projectId: string;
}

const payloadShape = z.object({
  sub: z.string().regex(/^[a-z][a-z-]{0,31}$/),
  project: z.uuid(),
  iat: z.number(),
});

export function serviceIdentity({ subgraph, projectId }: ServiceClaims): Identity {
  return {
    ...{ kind: 'service', id: subgraph, name: subgraph, credentialId: subgraph },
    ...{ admin: false, projects: { [projectId]: 'VIEWER' } },
  };
}

/** A gateway's own, with which it reads what only gateways may read. It belongs to no project, and no token has it. */
export const gatewayIdentity: Identity = {
  ...{ kind: 'service', id: 'gateway', name: 'gateway', credentialId: 'gateway' },
  ...{ admin: false, projects: {} },
};

/** The token must be sent at once. */
export function makeServiceToken(keyring: Keyring, { subgraph, projectId }: ServiceClaims, nowMs = Date.now()): string {
  const { id, keyObject } = keyring.active(purpose);
  const payload = { sub: subgraph, project: projectId, iat: Math.floor(nowMs / 1000) };
  const signed = `${prefix}.${id}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', keyObject).update(signed).digest('base64url')}`;
}

export function isServiceToken(bearer: string): boolean {
  return bearer.startsWith(`${prefix}.`);
}

/** Undefined if it was not made with our key, or is older than a few seconds. */
export function readServiceToken(keyring: Keyring, token: string, nowMs = Date.now()): Identity | undefined {
  const [head = '', id = '', payload = '', code = '', ...more] = token.split('.');
  const key = keyring.byId(purpose, id);
  if (head !== prefix || key === undefined || more.length > 0) return undefined;
  const wanted = createHmac('sha256', key.keyObject).update(`${head}.${id}.${payload}`).digest();
  const given = Buffer.from(code, 'base64url');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
  const {
    sub: subgraph,
    project: projectId,
    iat,
  } = payloadShape.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  const ageSeconds = nowMs / 1000 - iat;
  if (ageSeconds > lifetimeSeconds + clockSkewSeconds || ageSeconds < -clockSkewSeconds) return undefined;
  return serviceIdentity({ subgraph, projectId });
}
