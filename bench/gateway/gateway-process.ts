// Our gateway in a process of its own, with all its limits, over subgraphs in this process or over HTTP.
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createGateway } from '../../gateway/gateway.ts';
import type { Authenticator } from '../../platform/access.ts';
import type { Identity } from '../../platform/identity.ts';
import { Keyring } from '../../platform/secrets/keyring.ts';
import { AccessTokens } from '../../subgraphs/system/access/access-tokens.ts';
import { answerParent } from '../support/child.ts';
import { createSubgraphs } from './graph.ts';

export interface GatewayOrder {
  readonly supergraphSdl: string;
  readonly keys: ConstructorParameters<typeof Keyring>[0];
  /** Left out: the subgraphs are in this process. */
  readonly places?: readonly { readonly name: string; readonly url: string }[];
}

/** As the system subgraph's, but what the token says is believed without a look into the database. */
function tokenAuthenticator(keyring: Keyring): Authenticator {
  const tokens = new AccessTokens(keyring);
  return {
    async authenticate(bearer): Promise<Identity | undefined> {
      const claims = await tokens.verify(bearer);
      if (claims === undefined) return undefined;
      const { userId, sessionId } = claims;
      const projects = { [userId]: 'OPERATOR' } as const;
      return { kind: 'user', id: userId, name: 'bench', admin: false, projects, credentialId: sessionId };
    },
    recheck: async (identity) => identity,
  };
}

answerParent(async ({ supergraphSdl, keys, places }: GatewayOrder): Promise<string> => {
  const keyring = new Keyring(keys);
  const gateway = await createGateway({
    supergraphSdl,
    subgraphs: places ?? createSubgraphs().map((subgraph) => ({ subgraph })),
    authenticator: tokenAuthenticator(keyring),
    keyring,
    log: pino({ level: 'warn' }, process.stderr),
    registry: new Registry(),
    staticFolder: '/nonexistent',
    host: '127.0.0.1',
    port: 0,
  });
  return `${gateway.url}/graphql`;
});
