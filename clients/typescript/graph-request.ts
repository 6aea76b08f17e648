// One GraphQL request over HTTP and its result: an answer, a refusal of the whole request, or nothing
// reliable. Needs only `fetch`.

export interface GraphEndpoint {
  /** For example https://tidegate.example/graphql. */
  readonly url: string;
  /**
   * An API token, or a function that returns the current access token. The function is called again after UNAUTHENTICATED, with the
   * token that was refused. `keepLogin` (session.ts) makes one from a name and a password.
   */
  readonly token: string | ((refused?: string) => string | Promise<string>);
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** Thrown by a `token` function: no token can be had, and trying again does not help. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';
}

export type GraphReply =
  /** The root field's value, or all of them; never null. */
  { readonly kind: 'answer'; readonly value: Readonly<Record<string, unknown>> } | GraphRefusal | GraphLoss;

/** Refused before anything was done: the same request would be refused again, RATE_LIMITED only until `retryAfterMs`. */
export interface GraphRefusal {
  readonly kind: 'refused';
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | null;
}

/** It may or may not have been executed: no answer, a lost part, a bug. */
export interface GraphLoss {
  readonly kind: 'lost';
  readonly why: string;
  /** Of an error in the answer. */
  readonly code?: string;
  readonly retryAfterMs?: number;
  /** `extensions.outcome` of OUTCOME_NOT_RECORDED. */
  readonly outcome?: unknown;
}

export interface GraphAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: {
      readonly code?: string;
      readonly outcome?: unknown;
      readonly retryAfterMs?: number;
      readonly cursor?: string;
    };
  }[];
}

/** The request itself was wrong, and no resolver ran. */
const refusals: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'INVALID_INPUT',
  'LIMIT_EXCEEDED',
  'RATE_LIMITED',
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'NOT_PUBLISHED',
  'NOT_PLANNED',
]);

const largestAnswerBytes = 8 * 1024 * 1024;

/** Sends a document whose one root field has the alias `root`. Never rejects. */
export async function ask(
  endpoint: GraphEndpoint,
  query: string,
  variables: object,
  signal: AbortSignal,
): Promise<GraphReply> {
  // If the root field has an answer, the errors are about fields below it.
  return withToken(endpoint, (bearer) =>
    post(endpoint, bearer, { query, variables }, signal, ({ data, errors }) =>
      isObject(data?.root) ? data.root : errors?.[0] === undefined ? {} : undefined,
    ),
  );
}

/** Sends a query and gets all its root fields. If one is missing because of an error, nothing reliable came. Never rejects. */
export async function askAll(
  endpoint: GraphEndpoint,
  query: string,
  variables: object,
  signal: AbortSignal,
): Promise<GraphReply> {
  return withToken(endpoint, (bearer) =>
    post(endpoint, bearer, { query, variables }, signal, ({ data, errors }) =>
      errors?.[0] === undefined ? (data ?? {}) : undefined,
    ),
  );
}

/** Once more after UNAUTHENTICATED: the next token may be accepted. */
async function withToken({ token }: GraphEndpoint, send: (bearer: string) => Promise<GraphReply>): Promise<GraphReply> {
  const first = await bearerOf(token, undefined);
  if (typeof first !== 'string') return first;
  const reply = await send(first);
  if (reply.kind !== 'refused' || reply.code !== 'UNAUTHENTICATED' || typeof token === 'string') return reply;
  const second = await bearerOf(token, first);
  return typeof second === 'string' ? send(second) : second;
}

/** Never rejects. */
export async function bearerOf(
  token: GraphEndpoint['token'],
  refused: string | undefined,
): Promise<string | GraphRefusal | GraphLoss> {
  if (typeof token === 'string') return token;
  try {
    return await token(refused);
  } catch (error) {
    if (!(error instanceof LoginRefused)) return { kind: 'lost', why: `no token: ${reasonOf(error)}` };
    return { kind: 'refused', code: 'UNAUTHENTICATED', message: error.message, retryAfterMs: null };
  }
}

async function post(
  endpoint: GraphEndpoint,
  bearer: string,
  body: object,
  signal: AbortSignal,
  pick: (answer: GraphAnswer) => Readonly<Record<string, unknown>> | undefined,
): Promise<GraphReply> {
  try {
    const response = await open(endpoint, bearer, body, 'application/json', signal);
    return read(response, await boundedText(response), pick);
  } catch (error) {
    return { kind: 'lost', why: signal.aborted ? 'no answer in time' : `no answer: ${reasonOf(error)}` };
  }
}

/** Rejects without an answer. `accept`: the type of the answer. */
export function open(
  { url, fetch: send = fetch }: GraphEndpoint,
  bearer: string,
  body: object,
  accept: string,
  signal: AbortSignal,
): Promise<Response> {
  const authorization = bearer === '' ? {} : { authorization: `Bearer ${bearer}` };
  return send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...authorization },
    body: JSON.stringify(body),
    // A redirected POST may arrive as a GET, or the token at another host.
    redirect: 'error',
    signal,
  });
}

/** What an answer says that is not the stream that was asked for. Rejects without an answer. */
export async function readRefusal(response: Response): Promise<GraphRefusal | GraphLoss> {
  const reply = read(response, await boundedText(response), () => undefined);
  return reply.kind === 'answer' ? { kind: 'lost', why: `HTTP ${response.status} without a stream` } : reply;
}

function read(
  response: Response,
  text: string,
  pick: (answer: GraphAnswer) => Readonly<Record<string, unknown>> | undefined,
): GraphReply {
  const answer = parse(text);
  if (answer === undefined)
    return { kind: 'lost', why: `HTTP ${response.status} without a GraphQL answer`, ...retryAfter(response) };
  const value = pick(answer);
  return value === undefined ? faultOf(answer, retryAfter(response)) : { kind: 'answer', value };
}

/** What the first error of an answer means. */
export function faultOf({ errors }: GraphAnswer, waits: { retryAfterMs?: number } = {}): GraphRefusal | GraphLoss {
  const { message = 'no answer', extensions = {} } = errors?.[0] ?? {};
  const { code = 'no code', outcome, retryAfterMs } = extensions;
  if (refusals.has(code)) return { kind: 'refused', code, message, retryAfterMs: retryAfterMs ?? null };
  const carried = code === 'OUTCOME_NOT_RECORDED' && outcome !== undefined ? { outcome } : {};
  const told = retryAfterMs === undefined ? waits : { retryAfterMs };
  return { kind: 'lost', why: `${code}: ${message}`, code, ...told, ...carried };
}

function parse(text: string): GraphAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return isObject(answer) && ('data' in answer || 'errors' in answer) ? (answer as GraphAnswer) : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** RFC 9110 section 10.2.3, in seconds, sent by load balancers with 429 and 503. */
function retryAfter(response: Response): { retryAfterMs?: number } {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {};
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > largestAnswerBytes) throw new Error(`the answer is larger than ${largestAnswerBytes} bytes`);
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

/** fetch puts the reason into `cause`. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message ?? 'unknown';
}
