// Sends one query or mutation with the session's credential: with a deadline, and with one renewal of the credential when the
// server rejects it. A failure is thrown as a RequestError with a code.
import type { TypedDocumentString } from '../../../generated/dashboard/graphql.ts';

const queryDeadlineMs = 15_000;
/** A probe or a verification waits for the device. */
const mutationDeadlineMs = 60_000;

/** A document with the types of its result and its variables, generated from a .graphql file. */
export type GraphqlDocument<Result, Variables> = TypedDocumentString<Result, Variables>;

export class RequestError extends Error {
  /** From the server, or UNREACHABLE without an answer. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
  }
}

/** `Requester`'s view of a session. */
export interface Credentials {
  /** Names the present login. Null without one. */
  readonly loginId: string | null;
  /** A valid bearer token; undefined without a login. */
  accessToken(): Promise<string | undefined>;
  /** Gets a new token although the old one seems valid; undefined when the session has ended. */
  renew(): Promise<string | undefined>;
}

interface Answer<Result> {
  readonly data?: Result | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> }[];
}

/**
 * Sends JSON to another path of the server, whose answer has GraphQL's shape. The browser's cookies go with it, and the request outlives the page, so
 * that a cookie in its answer is kept.
 */
export async function sendJson<Result>(url: string, body: object): Promise<Dated<Result>> {
  const { status, answer, serverMs } = await post<Result>(url, JSON.stringify(body), {
    bearer: undefined,
    deadlineMs: queryDeadlineMs,
    withCookies: true,
  });
  return { data: dataOf(status, answer), serverMs };
}

interface Dated<Result> {
  readonly data: Result;
  /** The server's clock, to the second. */
  readonly serverMs: number;
}

/** Sends a document to `url` without a credential, or with the given one. Nothing is cached: the live store is the cache. */
async function send<Result, Variables>(
  url: string,
  document: GraphqlDocument<Result, Variables>,
  variables: Variables,
  bearer?: string,
): Promise<Result> {
  const query = document.toString();
  const { status, answer } = await post<Result>(url, JSON.stringify({ query, variables }), {
    bearer,
    deadlineMs: /^\s*mutation\b/.test(query) ? mutationDeadlineMs : queryDeadlineMs,
  });
  return dataOf(status, answer);
}

function dataOf<Result>(status: number, answer: Answer<Result> | undefined): Result {
  const error = answer?.errors?.[0];
  if (error !== undefined) {
    const code = error.extensions?.code;
    throw new RequestError(typeof code === 'string' ? code : 'INTERNAL', error.message);
  }
  if (status === 401) throw new RequestError('UNAUTHENTICATED', 'The session has ended.');
  // Only a proxy answers so without errors. Sent again, the request is as large.
  if (answer === undefined && status === 413)
    throw new RequestError('LIMIT_EXCEEDED', 'A proxy in front of Tidegate allows no request of this size (HTTP 413).');
  if (answer === undefined) throw unreachable(otherAnswer(status));
  if (!answer.data) throw new RequestError('INTERNAL', 'The server sent no data.');
  return answer.data;
}

/** `status` is that of a proxy's page, or of another server. */
function otherAnswer(status: number): string {
  return [502, 503, 504].includes(status)
    ? `A proxy in front of Tidegate got no answer from it (HTTP ${status})`
    : `The server answered with HTTP ${status}`;
}

interface PostOptions {
  readonly bearer: string | undefined;
  readonly deadlineMs: number;
  readonly withCookies?: boolean;
}

interface Posted<Result> {
  readonly status: number;
  readonly answer: Answer<Result> | undefined;
  readonly serverMs: number;
}

/** `answer` is undefined when the body is not a GraphQL answer, for example a proxy's error page. */
async function post<Result>(
  url: string,
  body: string,
  { bearer, deadlineMs, withCookies = false }: PostOptions,
): Promise<Posted<Result>> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      credentials: withCookies ? 'same-origin' : 'omit',
      keepalive: withCookies,
      headers: {
        accept: 'application/graphql-response+json, application/json',
        'content-type': 'application/json',
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      body,
      signal: AbortSignal.timeout(deadlineMs),
    });
    text = await response.text();
  } catch {
    throw unreachable('The server does not answer');
  }
  const serverMs = Date.parse(response.headers.get('date') ?? '') || Date.now();
  return { status: response.status, answer: parseAnswer(text), serverMs };
}

/** Resolves with any answer to a GET; throws RequestError without one. */
export async function reach(url: string): Promise<void> {
  const answer = fetch(url, { credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(queryDeadlineMs) });
  await answer.catch(() => {
    throw unreachable('The server does not answer');
  });
}

/** The document determines the type of `data`; type generation checks it against the schema. */
function parseAnswer<Result>(text: string): Answer<Result> | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    const isAnswer = typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer);
    return isAnswer ? (answer as Answer<Result>) : undefined;
  } catch {
    return undefined;
  }
}

function unreachable(what: string): RequestError {
  return new RequestError('UNREACHABLE', `${what}.`);
}

export class Requester {
  readonly #url: string;
  readonly #credentials: Credentials;

  constructor(url: string, credentials: Credentials) {
    this.#url = url;
    this.#credentials = credentials;
  }

  async request<Result, Variables>(
    document: GraphqlDocument<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const { loginId } = this.#credentials;
    const bearer = await this.#credentials.accessToken();
    this.#checkLogin(loginId);
    try {
      return await send(this.#url, document, variables, bearer);
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'UNAUTHENTICATED') throw error;
      const renewed = await this.#credentials.renew();
      if (renewed === undefined) throw error;
      this.#checkLogin(loginId);
      // Refused for lack of a login: nothing was done, so a mutation may be repeated as well.
      return await send(this.#url, document, variables, renewed);
    }
  }

  /** Refuses to send one user's request with another user's login. */
  #checkLogin(loginId: string | null): void {
    if (this.#credentials.loginId !== loginId) throw new RequestError('UNAUTHENTICATED', 'The login has changed.');
  }
}
