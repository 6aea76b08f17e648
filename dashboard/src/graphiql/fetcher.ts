// GraphiQL's access to the graph: queries and mutations by POST, subscriptions by graphql-ws, with the Authorization header from
// the headers editor or else the dashboard's login. Each tab of GraphiQL has its own headers: a header typed in one is used for
// all until the page is left.
import type { GraphiQLProps } from 'graphiql';
import { type ExecutionResult, getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws/client';
import type { Session } from '../session/session.ts';

type Fetcher = GraphiQLProps['fetcher'];
type Parameters = globalThis.Parameters<Fetcher>[0];
type TypedHeaders = Readonly<Record<string, string>>;

const deadlineMs = 130_000;

interface FetcherOptions {
  readonly url: string;
  readonly socketUrl: string;
  readonly session: Session;
}

interface GraphAccess {
  readonly fetcher: Fetcher;
  /** Asks what the gateway would do, with the header that was typed last. */
  readonly explain: (question: object) => Promise<Response>;
}

export function graphAccess({ url, socketUrl, session }: FetcherOptions): GraphAccess {
  let typed: string | undefined;
  const bearer = async (headers: TypedHeaders): Promise<string | undefined> => {
    typed = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1] || typed;
    if (typed !== undefined) return typed;
    const token = await session.accessToken();
    return token === undefined ? undefined : `Bearer ${token}`;
  };

  const fetcher: Fetcher = (parameters, options) => {
    const headers: TypedHeaders = options?.headers ?? {};
    const operation = options?.documentAST && getOperationAST(options.documentAST, parameters.operationName);
    return operation?.operation === 'subscription'
      ? stream(socketUrl, parameters, () => bearer(headers))
      : answerOf(post(url, parameters, headers, () => bearer(headers)));
  };
  return { fetcher, explain: (question) => post(`${url}/explain`, question, {}, () => bearer({})) };
}

async function answerOf(response: Promise<Response>): Promise<ExecutionResult> {
  return (await (await response).json()) as ExecutionResult;
}

/** The longest `waitMs` plus a margin. */
async function post(
  url: string,
  body: object,
  headers: TypedHeaders,
  bearer: () => Promise<string | undefined>,
): Promise<Response> {
  const authorization = await bearer();
  // `Headers` ignores the case of Authorization.
  const sent = new Headers({ accept: 'application/graphql-response+json, application/json', ...headers });
  sent.set('content-type', 'application/json');
  if (authorization !== undefined) sent.set('authorization', authorization);
  return fetch(url, {
    method: 'POST',
    credentials: 'omit',
    headers: sent,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(deadlineMs),
  });
}

/** One socket per subscription; it ends with it, and GraphiQL shows why in words. */
async function* stream(
  url: string,
  parameters: Parameters,
  bearer: () => Promise<string | undefined>,
): AsyncGenerator<ExecutionResult> {
  const client = createClient({
    url,
    retryAttempts: 0,
    connectionParams: async () => {
      const authorization = await bearer();
      return authorization === undefined ? {} : { authorization };
    },
  });
  try {
    yield* client.iterate({
      query: parameters.query,
      operationName: parameters.operationName ?? null,
      variables: parameters.variables ?? null,
    }) as AsyncIterable<ExecutionResult>;
  } catch (error) {
    throw new Error(endInWords(error));
  } finally {
    await client.dispose();
  }
}

const ends: Readonly<Record<number, string>> = {
  1001: 'The server is restarting. Run the subscription again; with the last cursor as `after` it misses nothing.',
  1006: 'The connection was lost. Run the subscription again; with the last cursor as `after` it misses nothing.',
  1013: 'The server has as many connections as it takes. Close others, or try again later.',
  4400: 'The server does not understand the subscription.',
  4403: 'The login is missing, has ended, or was revoked: log in on the dashboard, then run the subscription again.',
  4408: 'The server got no login in time. Run the subscription again.',
  4419: 'The access token of this subscription has expired. Run it again; with the last cursor as `after` it misses nothing.',
  4499: 'The connection went silent. Run the subscription again; with the last cursor as `after` it misses nothing.',
};

/** Why a subscription ended: a socket's close has a number, a refusal has messages. */
function endInWords(error: unknown): string {
  if (Array.isArray(error)) return error.map((each: { readonly message?: unknown }) => String(each.message)).join('\n');
  if (typeof error !== 'object' || error === null) return String(error);
  const { code, reason, message } = error as { code?: unknown; reason?: unknown; message?: unknown };
  const said = typeof reason === 'string' && reason !== '' ? ` The server says: ${reason}.` : '';
  if (typeof code === 'number') return `${ends[code] ?? 'The server closed the connection.'}${said} (${code})`;
  return typeof message === 'string' && message !== '' ? message : 'The server can not be reached.';
}
