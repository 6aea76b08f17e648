// This project's gateway for a separate process, with all its limits, with subgraphs in the same process or over HTTP.
import { jwtVerify } from 'jose';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createGateway } from '../../gateway/gateway.ts';
import type { Authenticator } from '../../platform/caller/access.ts';
import type { Identity } from '../../platform/caller/identity.ts';
import { type SigningFile, SigningKeys } from '../../platform/secrets/key-pairs.ts';
import { createSubgraphs, type GraphName } from './graphs.ts';

export interface GatewayOrder {
  readonly graph: GraphName;
  readonly supergraphSdl: string;
  readonly keys: SigningFile;
  /** In base64, and the same for all compared gateways. */
  readonly jwtKey: string;
  /** Absent if the subgraphs are in this process. */
  readonly places?: readonly {
    readonly name: string;
    readonly urls: readonly [string];
    readonly queryDeadlineMs?: number;
  }[];
}

/** Trusts the token's claims without reading the database. */
function tokenAuthenticator(jwtKey: Buffer): Authenticator {
  return {
    async authenticate(bearer): Promise<Identity | undefined> {
      const verified = await jwtVerify(bearer, jwtKey, { issuer: 'tidegate' }).catch(() => undefined);
      if (verified === undefined) return undefined;
      const [userId, sessionId] = [String(verified.payload.sub), String(verified.payload.sid)];
      const projects = { [userId]: 'OPERATOR' } as const;
      return { kind: 'user', id: userId, name: 'bench', admin: false, projects, credentialId: sessionId };
    },
    recheck: async (identity) => identity,
  };
}

/** The URL of its endpoint. It ends with the process. */
export async function startGateway({ graph, supergraphSdl, keys, jwtKey, places }: GatewayOrder): Promise<string> {
  const gateway = await createGateway({
    supergraphSdl,
    subgraphs: places ?? createSubgraphs(graph).map((subgraph) => ({ subgraph })),
    authenticator: tokenAuthenticator(Buffer.from(jwtKey, 'base64')),
    signingKeys: new SigningKeys(keys),
    log: pino({ level: 'warn' }, process.stderr),
    registry: new Registry(),
    program: { version: '0.0.0', commit: undefined },
    staticFolder: '/nonexistent',
    host: '127.0.0.1',
    port: 0,
  });
  return `${gateway.url}/graphql`;
}
