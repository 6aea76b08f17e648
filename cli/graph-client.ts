// The command line's client: GraphQL over HTTP. Failures become messages for people and exit codes for scripts.
import type { Pool } from 'undici';
import type { TypedDocumentString } from '../generated/cli/graphql.ts';
import { dryRunHeader, sourceHeader } from '../platform/caller/manner.ts';
import { mostAtOnce } from './at-once.ts';
import { CommandFailure, CommandFaults, exitCodes, Interruption } from './failures.ts';
import { otherAnswer } from './other-answer.ts';

/** A client's credential. */
export interface Credential {
  /** The current token. Throws CommandFailure when there is none. */
  token(): Promise<string>;
  /** A replacement for a token that the server refused. Undefined if there is none. */
  inPlaceOf(refused: string): Promise<string | undefined>;
  close(): Promise<void>;
}

interface GraphClientOptions {
  readonly url: URL;
  /** Undefined for none, during the login. */
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
  /** PEM of the server certificate's authority. Absent if the system trusts it. */
  readonly ca?: string;
  /** Called once if an answer takes long. */
  readonly onSlow?: ((text: string) => void) | undefined;
  readonly slowMs?: number;
  /** Deadline of a request. */
  readonly deadlineMs?: number | undefined;
}

interface GraphAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** A step of a plan. */
export type ExplainedStep =
  | { readonly inOrder: readonly ExplainedStep[] }
  | { readonly atOnce: readonly ExplainedStep[] }
  | { readonly subgraph: string; readonly at?: readonly string[]; readonly request: string };

/** The gateway's plan for an operation. */
export interface Explanation {
  readonly operation: {
    readonly kind: string;
    readonly name: string | null;
    readonly hash: string;
    readonly isPublished: boolean;
  };
  readonly limits: readonly { readonly limit: string; readonly requested: number; readonly most: number }[];
  /** Null if it would be admitted. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
  /** Null if it would be refused. */
  readonly plan: ExplainedStep | null;
}

/** A gateway's report about its change to a new graph. */
export interface Reload {
  /** False if the graph is unchanged. */
  readonly changed: boolean;
  readonly subgraphs: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly moved: readonly string[];
  };
  readonly prepared: number;
  readonly endedStreams: number;
  /** Changed settings that take effect after a restart. */
  readonly needRestart: readonly string[];
}

/** A document with generated types of results and variables. */
export type GraphqlDocument<Data, Variables> = TypedDocumentString<Data, Variables>;

/** A document that is built at run time. The caller declares the result's type. */
export function untyped<Data>(text: string): GraphqlDocument<Data, Readonly<Record<string, unknown>>> {
  return { toString: () => text } as GraphqlDocument<Data, Readonly<Record<string, unknown>>>;
}

/** Mode of a mutation: a dry run, or for a source of files. Default: normal. */
export interface Manner {
  readonly dryRun?: boolean;
  readonly source?: string;
}

/** The result of a mutation's one root field. */
export type PayloadIn<Data> = Data[keyof Data] & { readonly userErrors: readonly UserError[] };

export type InputOf<Variables> = Variables extends { readonly input?: infer Input } ? Input : never;

export interface UserError {
  readonly code: string;
  readonly message: string;
  readonly field: readonly string[];
}

/** Longer than the server waits for any call. */
const usualDeadlineMs = 150_000;
const connectMs = 5_000;
const usualSlowMs = 10_000;
const maxAnswerBytes = 64 * 1024 * 1024;

/** The server answered with an error. */
export class GraphFailure extends CommandFailure {
  readonly code: string | undefined;
  /** The server's message, without the code. */
  readonly text: string;

  constructor(message: string, code: string | undefined) {
    super(code === undefined ? message : `${code}: ${message}`);
    this.code = code;
    this.text = message;
  }
}

/** The server refused a mutation. */
export class RefusedMutation extends CommandFaults {
  readonly userErrors: readonly UserError[];

  constructor(userErrors: readonly UserError[]) {
    super(userErrors.map(refusalText));
    this.userErrors = userErrors;
  }
}

export class GraphClient {
  readonly #options: GraphClientOptions;
  #pool: Promise<Pool> | undefined;
  #saidSlow = false;

  constructor(options: GraphClientOptions) {
    this.#options = options;
  }

  get url(): URL {
    return this.#options.url;
  }

  get credential(): Credential | undefined {
    return this.#options.credential;
  }

  async close(): Promise<void> {
    const pool = await this.#pool;
    await Promise.all([pool?.close(), this.#options.credential?.close()]);
  }

  /** Throws CommandFailure when the server can't be reached, or answers with an error. */
  async query<Data, Variables>(document: GraphqlDocument<Data, Variables>, variables: Variables): Promise<Data> {
    return (await this.#data('', { query: document.toString(), variables })) as Data;
  }

  /** The server's whole answer, including errors. Throws CommandFailure when it can't be reached. */
  execute(query: string, variables: object, operationName: string | undefined): Promise<GraphAnswer> {
    return this.#post('', { query, variables, ...(operationName === undefined ? {} : { operationName }) });
  }

  /** Throws like `query`. */
  async explain(query: string, variables: Readonly<Record<string, unknown>>): Promise<Explanation> {
    return (await this.#data('/explain', { query, variables })) as unknown as Explanation;
  }

  /** Throws like `query`. */
  async reload(): Promise<Reload> {
    return (await this.#data('/reload', undefined)) as unknown as Reload;
  }

  /** The payload of a document with one mutation that takes `$input`. Throws CommandFailure if it was refused. */
  async mutate<Data, Variables>(
    document: GraphqlDocument<Data, Variables>,
    input: InputOf<Variables>,
  ): Promise<PayloadIn<Data>> {
    const payload = await this.tryMutate(document, input);
    const { userErrors } = payload;
    if (userErrors.length > 0) throw new RefusedMutation(userErrors);
    return payload;
  }

  /** The same, but returns refusals. */
  async tryMutate<Data, Variables>(
    document: GraphqlDocument<Data, Variables>,
    input: InputOf<Variables>,
    manner: Manner = {},
  ): Promise<PayloadIn<Data>> {
    const data = await this.#data('', { query: document.toString(), variables: { input } }, headersOf(manner));
    const [payload] = Object.values(data as Record<string, PayloadIn<Data>>);
    if (payload == null) throw new GraphFailure('the server gave no answer to the mutation', undefined);
    return payload;
  }

  async #data(below: string, body: object | undefined, headers: Headers = {}): Promise<Record<string, unknown>> {
    const { data, errors } = await this.#post(below, body, headers);
    const [first] = errors ?? [];
    if (first === undefined && data !== undefined && data !== null) return data;
    throw new GraphFailure(first?.message ?? 'the server gave no answer', first?.extensions?.code);
  }

  async #post(below: string, body: object | undefined, headers: Headers = {}): Promise<GraphAnswer> {
    const { credential } = this.#options;
    const token = await credential?.token();
    const answer = await this.#postAs(token, below, body, headers);
    if (token === undefined || answer.errors?.[0]?.extensions?.code !== 'UNAUTHENTICATED') return answer;
    // Refused before anything was done.
    const other = await credential?.inPlaceOf(token);
    return other === undefined ? answer : this.#postAs(other, below, body, headers);
  }

  /** `below`: path relative to the endpoint. */
  async #postAs(
    token: string | undefined,
    below: string,
    body: object | undefined,
    headers: Headers,
  ): Promise<GraphAnswer> {
    const { url, signal, deadlineMs = usualDeadlineMs } = this.#options;
    const slow = this.#slowTimer();
    try {
      this.#pool ??= poolFor(this.#options);
      const response = await (await this.#pool).request({
        path: `${url.pathname}${below}${url.search}`,
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
      });
      const text = await boundedText(response.body);
      return parseAnswer(text, response.statusCode);
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      if (signal.aborted) throw new Interruption();
      const { code, message } = error as NodeJS.ErrnoException;
      throw new CommandFailure(`${url.origin} can't be reached: ${code ?? message}`, exitCodes.unreachable);
    } finally {
      clearTimeout(slow);
    }
  }

  #slowTimer(): NodeJS.Timeout | undefined {
    const { onSlow, slowMs = usualSlowMs, url } = this.#options;
    if (onSlow === undefined || this.#saidSlow) return undefined;
    return setTimeout(() => {
      if (!this.#saidSlow) onSlow(`still waiting for ${url.origin}`);
      this.#saidSlow = true;
    }, slowMs);
  }
}

type Headers = Readonly<Record<string, string>>;

function headersOf({ dryRun, source }: Manner): Headers {
  return {
    ...(dryRun === true ? { [dryRunHeader]: 'true' } : {}),
    ...(source === undefined ? {} : { [sourceHeader]: source }),
  };
}

/** Loads the library at the first request, because many commands send none. */
async function poolFor({ url, ca }: GraphClientOptions): Promise<Pool> {
  const { Pool } = await import('undici');
  const connect = { timeout: connectMs, ...(ca === undefined ? {} : { ca }) };
  return new Pool(url.origin, { connections: mostAtOnce, connect });
}

export function refusalText({ code, message, field }: UserError): string {
  return field.length === 0 ? `${code}: ${message}` : `${code}: ${message} (${field.join('.')})`;
}

function parseAnswer(text: string, status: number): GraphAnswer {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer))
      return answer as GraphAnswer;
  } catch {
    // Not JSON: a proxy's page, or another server.
  }
  throw otherAnswer(status, 'GraphQL');
}

async function boundedText(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > maxAnswerBytes) throw new CommandFailure(`the answer is larger than ${maxAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
