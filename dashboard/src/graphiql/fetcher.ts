// How GraphiQL reaches the graph: queries and mutations by POST, subscriptions by graphql-ws, with the Authorization header of
// the headers editor or else the dashboard's login in this tab.
import type { GraphiQLProps } from 'graphiql';
import { type ExecutionResult, getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws/client';
import type { Session } from '../session/session.ts';

type Fetcher = GraphiQLProps['fetcher'];
type Parameters = globalThis.Parameters<Fetcher>[0];
type Headers = Readonly<Record<string, string>>;

const deadlineMs = 130_000;

export interface FetcherOptions {
  readonly url: string;
  readonly socketUrl: string;
  readonly session: Session;
}

export function createFetcher({ url, socketUrl, session }: FetcherOptions): Fetcher {
  const bearer = async (headers: Headers): Promise<string | undefined> => {
    const typed = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
    if (typed !== undefined && typed !== '') return typed;
    const token = await session.accessToken();
    return token === undefined ? undefined : `Bearer ${token}`;
  };

  return (parameters, options) => {
    const headers: Headers = options?.headers ?? {};
    const operation = options?.documentAST && getOperationAST(options.documentAST, parameters.operationName);
    return operation?.operation === 'subscription'
      ? stream(socketUrl, parameters, () => bearer(headers))
      : post(url, parameters, headers, () => bearer(headers));
  };
}

/** As long as the longest `waitMs`, and a little more. */
async function post(
  url: string,
  parameters: Parameters,
  headers: Headers,
  bearer: () => Promise<string | undefined>,
): Promise<ExecutionResult> {
  const authorization = await bearer();
  const response = await fetch(url, {
    method: 'POST',
    credentials: 'omit',
    headers: {
      accept: 'application/graphql-response+json, application/json',
      ...headers,
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify(parameters),
    signal: AbortSignal.timeout(deadlineMs),
  });
  return (await response.json()) as ExecutionResult;
}

/** One socket for one subscription; it ends with it, and GraphiQL shows why. */
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
  } finally {
    await client.dispose();
  }
}
