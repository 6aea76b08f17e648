// Serves a subgraph to gateways on other hosts: HTTP for queries and mutations, graphql-ws for subscriptions, on one port. It
// answers only gateways: each request carries an identity that a gateway signed for this subgraph and request.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Authenticator, CheckLogin } from '../caller/access.ts';
import type { MutualTls } from '../machines/tls.ts';
import type { PublicKeys } from '../secrets/key-pairs.ts';
import { type InternalRoute, internalRoutes } from './authenticator-routes.ts';
import { executeOnSchema } from './execution.ts';
import { GraphqlDocumentCache } from './graphql-document-cache.ts';
import { HttpError, parseJson, readBody } from './http-body.ts';
import { InternalServer, sendJson } from './internal-server.ts';
import { otherKeyCode, sessionKeyHeader, sessionPath, unknownSessionCode } from './request-session.ts';
import {
  clockSkewSeconds,
  IdentityChecker,
  type IdentityRefusal,
  identityHeader,
  type PresentedIdentity,
  triedIdentityHeader,
} from './signed-identity.ts';
import type { Subgraph } from './subgraph.ts';
import { serveSubscriptions } from './subgraph-sockets.ts';

/** Representations of many entities make large bodies. */
const maxBodyBytes = 8 * 1024 * 1024;

export interface ServeSubgraphOptions {
  readonly subgraph: Subgraph;
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Without it only loopback addresses are served. */
  readonly tls?: MutualTls;
  /** Verifies that the client is a gateway. */
  readonly publicKeys: PublicKeys;
  readonly log: Logger;
  /** Set in the process that checks credentials: adds /internal/authenticate and /internal/recheck, and for logins /internal/check-login. */
  readonly authenticator?: Authenticator;
  readonly checkLogin?: CheckLogin;
}

export interface ServedSubgraph {
  readonly url: string;
  readonly port: number;
  /** Accepts no new work, ends subscriptions (gateways resume them elsewhere), waits for running requests. */
  drain(deadlineMs?: number): Promise<void>;
  /** Closes everything at once. */
  stop(): Promise<void>;
}

const graphqlBody = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

function graphqlRoute(subgraph: Subgraph, log: Logger, documents: GraphqlDocumentCache): InternalRoute {
  return async (body, claims) => {
    const request = graphqlBody.safeParse(body);
    if (!request.success) throw new HttpError(400, `Not a GraphQL request: ${z.prettifyError(request.error)}`);
    const document = documents.get(request.data.query);
    if (!('kind' in document)) return { errors: document.map((error) => error.toJSON()) };
    return executeOnSchema(
      subgraph.schema,
      {
        document,
        variables: request.data.variables ?? undefined,
        operationName: request.data.operationName ?? undefined,
        context: { ...claims, loaders: new Map() },
      },
      log,
    );
  };
}

/** Listens; throws when the address is not loopback and no TLS is given, or the port is in use. */
export async function serveSubgraph(options: ServeSubgraphOptions): Promise<ServedSubgraph> {
  const { subgraph, log } = options;
  const documents = new GraphqlDocumentCache(subgraph.schema);
  const checker = new IdentityChecker({ keys: options.publicKeys, audience: subgraph.name });
  const routes = new Map<string, InternalRoute>([
    ['/graphql', graphqlRoute(subgraph, log, documents)],
    ...(options.authenticator === undefined ? [] : internalRoutes(options.authenticator, options.checkLogin)),
  ]);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET' && request.url === '/health/live') return sendJson(response, 200, { live: true });
    const path = request.method === 'POST' ? (request.url ?? '') : '';
    const route = routes.get(path);
    if (route === undefined && path !== sessionPath) throw new HttpError(404, 'No such path.');
    const signed = request.headers[identityHeader] ?? request.headers[triedIdentityHeader];
    const presented = typeof signed === 'string' ? checker.present(signed) : 'forged';
    if (presented === 'unknown-session') throw unknownSession(checker, subgraph.name);
    if (typeof presented === 'string') throw refusal(presented, subgraph.name);
    const body = await readBody(request, maxBodyBytes);
    const claims = presented.admit(body);
    if (typeof claims === 'string') throw refusal(claims, subgraph.name);
    if (route === undefined) return sendJson(response, 200, openSession(checker, subgraph.name, presented, body));
    if (presented.signerId !== undefined) response.setHeader(sessionKeyHeader, checker.sessions.publicKey);
    sendJson(response, 200, await route(parseJson(body), claims));
  };

  const server = new InternalServer({ ...options, name: `subgraph ${subgraph.name}`, roles: ['gateway'], answer });
  const sockets = serveSubscriptions({ server: server.http, subgraph, checker, log, documents });
  const { url, port } = await server.listen();
  return {
    ...{ url, port },
    drain: (deadlineMs) => server.drain(() => sockets.dispose(), deadlineMs),
    async stop() {
      await sockets.dispose();
      await server.stop();
    },
  };
}

/** Opens a session with the gateway that signed the handshake. */
function openSession(
  { sessions }: IdentityChecker,
  audience: string,
  { id, signerId }: PresentedIdentity,
  body: Buffer,
): { readonly session: string } {
  // A session opens no further one: each begins with a signature.
  if (signerId === undefined) throw new HttpError(401, 'A handshake must be signed with the key of a gateway.');
  const opened = sessions.open({ audience, signerId, id, body: body.toString('utf8') });
  if (opened === 'malformed') throw new HttpError(400, 'This is no handshake for a session.');
  if (opened === 'other-key')
    throw new HttpError(409, 'The handshake is for another process, or for an earlier key of this one.', {
      code: otherKeyCode,
      subgraphKey: sessions.publicKey,
    });
  return { session: opened.id };
}

/** The gateway sends the request again with a signature: nothing was done. */
function unknownSession({ sessions }: IdentityChecker, subgraph: string): HttpError {
  return new HttpError(401, `Subgraph ${subgraph} does not know the session; sign the request.`, {
    code: unknownSessionCode,
    executed: false,
    subgraphKey: sessions.publicKey,
  });
}

function refusal(reason: IdentityRefusal, subgraph: string): HttpError {
  if (reason === 'busy')
    return new HttpError(
      503,
      `Subgraph ${subgraph} has too many requests to recognise repeated ones; try again later.`,
      // A gateway may send even a mutation to another process.
      { executed: false },
    );
  const why = {
    forged: '',
    expired: ` The request was signed too long ago: the clocks of the two hosts may differ by at most ${clockSkewSeconds} s.`,
    'other-request': ' The signature belongs to another request.',
    replayed: ' The request was answered before.',
  }[reason];
  return new HttpError(401, `Only a gateway may send requests to subgraph ${subgraph}.${why}`);
}
