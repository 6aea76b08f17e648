// A subgraph on another host, or on several that serve the same: a pool of HTTP connections to each for queries and mutations, one socket for all
// subscriptions. Every request carries the identity, with a proof that is made for that subgraph and request when it is sent.
import { type DocumentNode, type FormattedExecutionResult, getOperationAST, OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import { errors, Pool } from 'undici';
import { callerOf } from '../../platform/caller/caller.ts';
import { connectorOf } from '../../platform/graph/connector.ts';
import { Pulse } from '../../platform/graph/pulse.ts';
import { sessionKeyHeader, sessionPath } from '../../platform/graph/request-session.ts';
import { identityHeader, triedIdentityHeader } from '../../platform/graph/signed-identity.ts';
import { CountedLine, reasonOf } from '../../platform/log/counted-line.ts';
import type { MutualTls } from '../../platform/machines/tls.ts';
import type { SigningKeys } from '../../platform/secrets/key-pairs.ts';
import { TooLateError, within } from '../../platform/work/within.ts';
import { HttpStreams } from './http-streams.ts';
import { lostSubgraph } from './lost-subgraph.ts';
import { type HandshakeAnswer, PlaceProofs, type ProofCounts, unknownSessionIn } from './place-proofs.ts';
import { Places } from './places.ts';
import { postText } from './post-text.ts';
import { SharedQueries } from './shared-queries.ts';
import { isNotTaken, isOfProcess, isOfRequest, StatusError, SubgraphAnswer } from './subgraph-answer.ts';
import type { GatewayContext, LinkRequest, ResultStream, SubgraphLink } from './subgraph-link.ts';
import { visibleOf } from './visible-caller.ts';

interface HttpLinkOptions {
  readonly name: string;
  /** Origins, for example https://relay.internal:4102, of processes that serve the same. */
  readonly urls: readonly [string, ...string[]];
  /** One of the processes is used until it fails. Default: each request goes to the one with the fewest requests under way. */
  readonly oneAtATime?: boolean;
  readonly tls?: MutualTls;
  /** Without `tls`: PEM text of the authority of its certificate. */
  readonly ca?: string;
  /** Whether another team runs it. Default: no. */
  readonly isOutside?: boolean;
  readonly signingKeys: SigningKeys;
  readonly log: Logger;
  readonly proofCounts?: ProofCounts;
  /** Duration of sessions with its processes. */
  readonly sessionSeconds?: number;
  readonly queryDeadlineMs: number;
  readonly mutationDeadlineMs: number;
}

/** One query, for one caller or several, or a mutation. */
interface Question {
  readonly context: GatewayContext;
  readonly body: string;
  readonly mutation: boolean;
  readonly signal: AbortSignal;
  /** Called immediately before it is sent. */
  readonly sent: () => void;
}

/** Limits of one place. */
const [queriesAtOnce, mutationsAtOnce] = [64, 32];
/** One more for a handshake. */
const connections = queriesAtOnce + mutationsAtOnce + 1;
const connectTimeoutMs = 3000;
const maxResponseBytes = 64 * 1024 * 1024;
const readinessDeadlineMs = 2000;
const handshakeDeadlineMs = 3000;

export class HttpLink implements SubgraphLink {
  readonly name: string;
  readonly isOutside: boolean;
  readonly #options: HttpLinkOptions;
  /** Requests wait here instead of in a pool, because a request is signed only when it can be sent. */
  readonly #places: Places<Place>;
  readonly #queries = new SharedQueries<SubgraphAnswer>();
  readonly #streams: HttpStreams;
  readonly #lostLine: CountedLine;
  readonly #lostWords: string;
  #polled: Promise<boolean> | undefined;

  constructor(options: HttpLinkOptions) {
    this.name = options.name;
    this.isOutside = options.isOutside === true;
    this.#lostWords = `subgraph ${this.name} did not answer`;
    this.#options = options;
    this.#lostLine = new CountedLine(options.log, 'requests to a subgraph failed');
    const connect = connectorOf(options.tls, options.name, connectTimeoutMs, options.ca);
    const placeAt = (url: string): Place => {
      const pool = new Pool(url, {
        connections,
        maxResponseSize: maxResponseBytes,
        // The request's own deadline covers these.
        headersTimeout: 0,
        bodyTimeout: 0,
        // Shorter than a subgraph keeps an idle connection.
        keepAliveTimeout: 30_000,
        keepAliveMaxTimeout: 50_000,
        connect,
      });
      const proofs = new PlaceProofs({
        ...{ audience: options.name, keys: options.signingKeys, counts: options.proofCounts },
        seconds: options.sessionSeconds,
        handshake: (body, signed) => handshakeAt(pool, body, signed),
      });
      return { url, pool, proofs, pulse: new Pulse(url, connect) };
    };
    const [first, ...others] = options.urls;
    this.#places = new Places<Place>({
      places: [placeAt(first), ...others.map(placeAt)],
      ...{ queriesAtOnce, mutationsAtOnce },
      oneAtATime: options.oneAtATime === true,
      probe: ({ pulse }) => pulse.answers(),
    });
    this.#streams = new HttpStreams({ ...options, places: this.#places });
  }

  async execute(request: LinkRequest): Promise<FormattedExecutionResult> {
    const { mutationDeadlineMs, queryDeadlineMs } = this.#options;
    const { context } = request;
    const { mutation, head, tail } = knownOf(request);
    const body = `${head}${JSON.stringify(request.variables)}${tail}`;
    const what = this.#lostWords;
    try {
      const answer = mutation
        ? await within(mutationDeadlineMs, what, (signal) =>
            this.#ask({ context, body, mutation, signal, sent: () => undefined }),
          )
        : await this.#queries.ask(
            `${visibleOf(context)}${body}`,
            { deadlineMs: queryDeadlineMs, what, signal: context.signal },
            (signal, sent) => this.#ask({ context, body, mutation, signal, sent }),
          );
      return answer.take();
    } catch (error) {
      return this.#lost(request, mutation, error);
    }
  }

  async #ask(question: Question): Promise<SubgraphAnswer> {
    const { mutation, signal, sent } = question;
    const kind = { mutation, user: callerOf(question.context.identity) };
    const tried = new Set<Place>();
    for (let taken = 0; ; ) {
      const place = await this.#places.take(tried.size === 0 ? kind : { ...kind, tried }, signal);
      sent();
      try {
        const answer = await this.#postAt(place, question);
        if (answer.saysUnavailable) this.#places.ailing(place);
        else this.#places.answered(place);
        return answer;
      } catch (error) {
        this.#judge(place, error, signal);
        if (!isNotTaken(error)) taken += 1;
        if (this.#places.all.length > 1) tried.add(place);
        const others = this.#places.all.length > 1 && tried.size < this.#places.all.length;
        if (!this.#mayRepeat(error, { mutation, taken, others })) throw error;
      } finally {
        this.#places.give(place, kind);
      }
    }
  }

  #judge(place: Place, error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) {
      if (!isOfRequest(error)) this.#places.failed(place);
    } else if (signal.reason instanceof TooLateError) this.#places.doubt(place);
  }

  /**
   * A refused request may be sent to another place. So may a query if its connection was lost (an idle one may close just then), or if the place
   * can't answer now. A mutation that may have been accepted is never repeated.
   */
  #mayRepeat(
    error: unknown,
    { mutation, taken, others }: { readonly mutation: boolean; readonly taken: number; readonly others: boolean },
  ): boolean {
    if (isNotTaken(error)) return others;
    if (mutation || taken > 1) return false;
    if (isOfProcess(error)) return others;
    return isBroken(error) && (others || this.#places.all.length === 1);
  }

  /** A silent place is given up before the deadline, if there is another. A mutation, which is not repeated, waits longer. */
  #postAt(place: Place, question: Question): Promise<SubgraphAnswer> {
    const post = (signal: AbortSignal) => this.#post(place, question, signal);
    const { mutation, signal } = question;
    if (this.#places.all.length === 1) return post(signal);
    return place.pulse.during({ misses: mutation ? 4 : 1, signal }, post);
  }

  subscribe(request: LinkRequest): Promise<ResultStream | FormattedExecutionResult> {
    return this.#streams.subscribe(request);
  }

  /** Concurrent callers share one poll, because anybody may query the health of a gateway. */
  ready(): Promise<boolean> {
    // The first answer counts, because another place may be silent.
    this.#polled ??= Promise.any(this.#places.all.map(({ pool }) => mustLive(pool)))
      .catch(() => false)
      .finally(() => {
        this.#polled = undefined;
      });
    return this.#polled;
  }

  async close(): Promise<void> {
    this.#lostLine.flush();
    await this.#streams.close();
    await Promise.all(this.#places.all.flatMap(({ pool, pulse }) => [pool.destroy(), pulse.close()]));
  }

  async #post({ pool, proofs }: Place, question: Question, signal: AbortSignal): Promise<SubgraphAnswer> {
    const { context } = question;
    const body = Buffer.from(question.body, 'utf8');
    const send = (proof: string) =>
      postText(pool, { path: '/graphql', headers: headersOf(context, proof), body, signal });
    const proof = proofs.prove(context, body);
    let answer = await send(proof.text);
    const unknown = proof.session === undefined ? undefined : unknownSessionIn(answer.statusCode, answer.text);
    if (unknown !== undefined) {
      proofs.unknown(proof, unknown);
      answer = await send(proofs.sign(context, body, proof.id));
    }
    proofs.stated(answer.headers[sessionKeyHeader]);
    if (answer.statusCode !== 200) throw new StatusError(answer.statusCode, answer.text);
    return new SubgraphAnswer(answer.text);
  }

  #lost(request: LinkRequest, mutation: boolean, error: unknown): FormattedExecutionResult {
    const { requestId, signal } = request.context;
    if (signal?.aborted !== true) this.#lostLine.add({ requestId, subgraph: this.name, reason: reasonOf(error) });
    return lostSubgraph(this.name, request, mutation);
  }
}

interface Place {
  readonly url: string;
  readonly pool: Pool;
  readonly pulse: Pulse;
  readonly proofs: PlaceProofs;
}

function headersOf({ requestId, trace, manner }: GatewayContext, proof: string): string[] {
  const headers = ['content-type', 'application/json', 'x-request-id', requestId];
  if (trace !== undefined) for (const [name, value] of Object.entries(trace)) headers.push(name, value);
  headers.push(manner?.dryRun === true ? triedIdentityHeader : identityHeader, proof);
  return headers;
}

/** The constant part of all requests with a document of a plan. */
interface KnownRequest {
  readonly mutation: boolean;
  /** The body before and after its variables. */
  readonly head: string;
  readonly tail: string;
}

const knownRequests = new WeakMap<DocumentNode, KnownRequest>();

function knownOf({ document, text, operationName }: LinkRequest): KnownRequest {
  let known = knownRequests.get(document);
  if (known === undefined) {
    known = {
      mutation: getOperationAST(document)?.operation === OperationTypeNode.MUTATION,
      head: `{"query":${JSON.stringify(text)},"variables":`,
      tail: operationName === undefined ? '}' : `,"operationName":${JSON.stringify(operationName)}}`,
    };
    knownRequests.set(document, known);
  }
  return known;
}

async function handshakeAt(pool: Pool, body: string, signed: string): Promise<HandshakeAnswer> {
  const response = await pool.request({
    path: sessionPath,
    method: 'POST',
    headers: { 'content-type': 'application/json', [identityHeader]: signed },
    body,
    signal: AbortSignal.timeout(handshakeDeadlineMs),
  });
  return { status: response.statusCode, text: await response.body.text() };
}

/** The connection was lost with the request. */
function isBroken(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return error instanceof errors.SocketError || code === 'ECONNRESET' || code === 'EPIPE';
}

/** Rejects if the process does not answer, or not with 200. */
async function mustLive(pool: Pool): Promise<true> {
  const signal = AbortSignal.timeout(readinessDeadlineMs);
  const { statusCode, body } = await pool.request({ path: '/health/live', method: 'GET', signal });
  await body.dump();
  if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`);
  return true;
}
