// One GraphQL request over HTTP and its result: an answer, a refusal of the whole request, or nothing
// reliable. Needs only `fetch`.

export interface GraphEndpoint {
  /** For example https://tidegate.example/graphql. */
  readonly url: string;
  /** An API token, or a function that returns the current access token. The function is called again after UNAUTHENTICATED. */
  readonly token: string | (() => string | Promise<string>);
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

export type GraphReply =
  /** The root field's value; never null. */
  | { readonly kind: 'answer'; readonly value: Readonly<Record<string, unknown>> }
  /** Refused before anything was done: the same request would be refused again, RATE_LIMITED only until `retryAfterMs`. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly retryAfterMs: number | null }
  /** It may or may not have been executed: no answer, a lost part, a bug. */
  | {
      readonly kind: 'lost';
      readonly why: string;
      readonly retryAfterMs?: number;
      /** `extensions.outcome` of OUTCOME_NOT_RECORDED. */
      readonly outcome?: unknown;
    };

interface GraphAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string; readonly outcome?: unknown; readonly retryAfterMs?: number };
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
]);

const largestAnswerBytes = 8 * 1024 * 1024;

/** Sends a document whose one root field has the alias `root`. Never rejects. */
export async function ask(
  endpoint: GraphEndpoint,
  query: string,
  variables: object,
  signal: AbortSignal,
): Promise<GraphReply> {
  const first = await post(endpoint, query, variables, signal);
  // The token has expired: the next one may be accepted.
  if (first.kind !== 'refused' || first.code !== 'UNAUTHENTICATED' || typeof endpoint.token === 'string') return first;
  return post(endpoint, query, variables, signal);
}

async function post(
  { url, token, fetch: send = fetch }: GraphEndpoint,
  query: string,
  variables: object,
  signal: AbortSignal,
): Promise<GraphReply> {
  try {
    const bearer = typeof token === 'string' ? token : await token();
    const response = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ query, variables }),
      // A redirected POST may arrive as a GET, or the token at another host.
      redirect: 'error',
      signal,
    });
    return read(response, await boundedText(response));
  } catch (error) {
    return { kind: 'lost', why: signal.aborted ? 'no answer in time' : `no answer: ${reasonOf(error)}` };
  }
}

function read(response: Response, text: string): GraphReply {
  const answer = parse(text);
  if (answer === undefined)
    return { kind: 'lost', why: `HTTP ${response.status} without a GraphQL answer`, ...retryAfter(response) };
  const value = answer.data?.root;
  // If the root field has an answer, the errors are about fields below it.
  if (typeof value === 'object' && value !== null)
    return { kind: 'answer', value: value as Readonly<Record<string, unknown>> };
  const [error] = answer.errors ?? [];
  if (error === undefined) return { kind: 'answer', value: {} };
  const code = error.extensions?.code ?? 'no code';
  const retryAfterMs = error.extensions?.retryAfterMs ?? null;
  if (refusals.has(code)) return { kind: 'refused', code, message: error.message, retryAfterMs };
  const outcome = error.extensions?.outcome;
  const carried = code === 'OUTCOME_NOT_RECORDED' && outcome !== undefined ? { outcome } : {};
  return { kind: 'lost', why: `${code}: ${error.message}`, ...retryAfter(response), ...carried };
}

function parse(text: string): GraphAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    const known = typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer);
    return known ? (answer as GraphAnswer) : undefined;
  } catch {
    return undefined;
  }
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
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message ?? 'unknown';
}
