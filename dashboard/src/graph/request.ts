// Sends one query or mutation with the session's credential: with a deadline, and with one renewal of the credential when the
// server says that it has ended. What went wrong is thrown as a RequestError with a code.
import { type AnyVariables, type Client, type CombinedError, createClient, fetchExchange } from 'urql';

const queryDeadlineMs = 15_000;
/** A probe or a look waits for the device. */
const mutationDeadlineMs = 60_000;

export class RequestError extends Error {
  /** From the server, or UNREACHABLE when no answer came. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
  }
}

/** What `Requester` needs of a session. */
export interface Credentials {
  /** A bearer token that is still good; undefined without a login. */
  accessToken(): Promise<string | undefined>;
  /** Gets a new token although the old one seems good; undefined when the session has ended. */
  renew(): Promise<string | undefined>;
}

/** One urql client without a cache: the live store is the cache. */
export function createGraphClient(url: string): Client {
  return createClient({
    url,
    exchanges: [fetchExchange],
    preferGetMethod: false,
    requestPolicy: 'network-only',
    fetch: fetchWithin(queryDeadlineMs),
  });
}

function fetchWithin(deadlineMs: number): typeof fetch {
  return (input, init) => {
    const deadline = AbortSignal.timeout(deadlineMs);
    return fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, deadline]) : deadline });
  };
}

/** Sends a document without a credential, or with the one given. */
export async function send<Data>(
  client: Client,
  document: string,
  variables: AnyVariables,
  bearer?: string,
): Promise<Data> {
  const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
  const context = { fetchOptions: { headers, credentials: 'omit' as const } };
  const operation = document.startsWith('mutation')
    ? client.mutation<Data>(document, variables, { ...context, fetch: fetchWithin(mutationDeadlineMs) })
    : client.query<Data>(document, variables, context);
  const result = await operation.toPromise();
  if (result.error !== undefined) throw toRequestError(result.error);
  if (result.data === undefined || result.data === null) throw new RequestError('INTERNAL', 'The server sent no data.');
  return result.data;
}

export class Requester {
  readonly #client: Client;
  readonly #credentials: Credentials;

  constructor(client: Client, credentials: Credentials) {
    this.#client = client;
    this.#credentials = credentials;
  }

  async request<Data>(document: string, variables: AnyVariables = {}): Promise<Data> {
    const bearer = await this.#credentials.accessToken();
    try {
      return await send<Data>(this.#client, document, variables, bearer);
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'UNAUTHENTICATED') throw error;
      const renewed = await this.#credentials.renew();
      if (renewed === undefined) throw error;
      // Refused for want of a login: nothing was done, so a mutation may be sent again as well.
      return await send<Data>(this.#client, document, variables, renewed);
    }
  }
}

function toRequestError(error: CombinedError): RequestError {
  const first = error.graphQLErrors[0];
  if (first !== undefined) {
    const code = first.extensions.code;
    return new RequestError(typeof code === 'string' ? code : 'INTERNAL', first.message);
  }
  const status = (error.response as Response | undefined)?.status;
  if (status === 401) return new RequestError('UNAUTHENTICATED', 'The login has ended.');
  const what = status === undefined ? 'The server does not answer' : `The server answered with HTTP ${status}`;
  return new RequestError('UNREACHABLE', `${what}. It is tried again by itself.`);
}
