// A subgraph on another host, or on several that serve the same: a pool of HTTP connections for queries and mutations, one socket for
// all subscriptions. Every request carries the identity, signed for that subgraph and request when it is sent.
import type { FormattedExecutionResult } from 'graphql';
import { getOperationAST, OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import { errors, Pool } from 'undici';
import { connectorOf } from '../../platform/graph/connector.ts';
import { isAway, isUnconnected, Origins } from '../../platform/graph/origins.ts';
import { Pulse, SilentError } from '../../platform/graph/pulse.ts';
import { identityHeader, signIdentity } from '../../platform/graph/signed-identity.ts';
import type { MutualTls } from '../../platform/graph/tls.ts';
import type { SigningKeys } from '../../platform/secrets/key-pairs.ts';
import { Turns } from '../../platform/work/turns.ts';
import { HttpStreams } from './http-streams.ts';
import { lostSubgraph } from './lost-subgraph.ts';
import type { LinkRequest, ResultStream, SubgraphLink } from './subgraph-link.ts';

interface HttpLinkOptions {
  readonly name: string;
  /** Origins, for example https://relay.internal:4102: one is used until it fails, then the next. */
  readonly urls: readonly [string, ...string[]];
  readonly tls?: MutualTls;
  /** Without `tls`: PEM text of the authority of its certificate. */
  readonly ca?: string;
  readonly signingKeys: SigningKeys;
  readonly log: Logger;
  readonly queryDeadlineMs: number;
  readonly mutationDeadlineMs: number;
}

const connections = 64;
const connectTimeoutMs = 3000;
const maxResponseBytes = 64 * 1024 * 1024;
const readinessDeadlineMs = 2000;

export class HttpLink implements SubgraphLink {
  readonly name: string;
  readonly #options: HttpLinkOptions;
  readonly #places: Origins<Place>;
  readonly #all: readonly Place[];
  /** The others wait here, not in the pool: a request is signed only when it can be sent. */
  readonly #slots = new Turns(connections);
  readonly #streams: HttpStreams;

  constructor(options: HttpLinkOptions) {
    this.name = options.name;
    this.#options = options;
    const connect = connectorOf(options.tls, options.name, connectTimeoutMs, options.ca);
    const placeAt = (url: string) => ({
      url,
      pulse: new Pulse(url, connect),
      pool: new Pool(url, {
        connections,
        maxResponseSize: maxResponseBytes,
        // The request's own deadline covers these.
        headersTimeout: 0,
        bodyTimeout: 0,
        // Shorter than a subgraph keeps an idle connection.
        keepAliveTimeout: 30_000,
        keepAliveMaxTimeout: 50_000,
        connect,
      }),
    });
    const [first, ...others] = options.urls;
    const places = [placeAt(first), ...others.map(placeAt)] as const;
    this.#places = new Origins([...places]);
    this.#all = places;
    this.#streams = new HttpStreams({ ...options, places: this.#places });
  }

  async execute(request: LinkRequest): Promise<FormattedExecutionResult> {
    const mutation = getOperationAST(request.document)?.operation === OperationTypeNode.MUTATION;
    const { mutationDeadlineMs, queryDeadlineMs } = this.#options;
    const { signal: caller } = request.context;
    const deadline = AbortSignal.timeout(mutation ? mutationDeadlineMs : queryDeadlineMs);
    const signal = mutation || caller === undefined ? deadline : AbortSignal.any([caller, deadline]);
    for (let tried = 1; ; tried += 1) {
      const place = this.#places.current;
      try {
        return await this.#postAt(place, request, { mutation, signal });
      } catch (error) {
        if (caller?.aborted !== true) this.#places.leave(place);
        if (!this.#mayRepeat(error, { mutation, tried })) return this.#lost(request, mutation, error);
      }
    }
  }

  /** One that answers nothing is given up before the deadline, if there is another; a mutation, which is not repeated, later. */
  #postAt(
    place: Place,
    request: LinkRequest,
    { mutation, signal }: { readonly mutation: boolean; readonly signal: AbortSignal },
  ): Promise<FormattedExecutionResult> {
    const post = (within: AbortSignal) => this.#post(place.pool, request, within);
    if (this.#places.count === 1) return post(signal);
    return place.pulse.during({ misses: mutation ? 4 : 1, signal }, post);
  }

  /**
   * At another place what was not sent, or not taken; a query once more, too, if its connection was lost (an idle one may close just
   * then), or if the place can't answer now.
   */
  #mayRepeat(error: unknown, { mutation, tried }: { readonly mutation: boolean; readonly tried: number }): boolean {
    const others = tried < this.#places.count;
    if (isUnconnected(error)) return others;
    // A subgraph answers it before it does anything.
    if (error instanceof StatusError && error.status === 503) return others;
    if (error instanceof SilentError || (error instanceof StatusError && isAway(error.status)))
      return others && !mutation;
    return !mutation && isBroken(error) && tried < Math.max(2, this.#places.count);
  }

  subscribe(request: LinkRequest): Promise<ResultStream | FormattedExecutionResult> {
    return this.#streams.subscribe(request);
  }

  async ready(): Promise<boolean> {
    for (let tried = 0; tried < this.#places.count; tried += 1) {
      const place = this.#places.current;
      if (await isLive(place.pool)) return true;
      this.#places.leave(place);
    }
    return false;
  }

  async close(): Promise<void> {
    await this.#streams.close();
    await Promise.all(this.#all.flatMap(({ pool, pulse }) => [pool.destroy(), pulse.close()]));
  }

  async #post(pool: Pool, request: LinkRequest, signal: AbortSignal): Promise<FormattedExecutionResult> {
    const body = JSON.stringify({
      query: request.text,
      variables: request.variables,
      operationName: request.operationName,
    });
    // A signature is valid for seconds: it is made when a connection is available.
    if (!this.#slots.take()) await this.#slots.wait(signal);
    try {
      return await this.#send(pool, request, body, signal);
    } finally {
      this.#slots.give();
    }
  }

  async #send(pool: Pool, request: LinkRequest, body: string, signal: AbortSignal): Promise<FormattedExecutionResult> {
    const { context } = request;
    const response = await pool.request({
      path: '/graphql',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-request-id': context.requestId,
        ...context.trace,
        [identityHeader]: signIdentity(this.#options.signingKeys, context, { audience: this.name, body }),
      },
      body,
      signal,
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new StatusError(response.statusCode, text);
    return resultIn(text);
  }

  #lost(request: LinkRequest, mutation: boolean, error: unknown): FormattedExecutionResult {
    if (request.context.signal?.aborted !== true)
      this.#options.log.warn(
        { requestId: request.context.requestId, subgraph: this.name, err: error },
        'subgraph lost',
      );
    return lostSubgraph(this.name, request, mutation);
  }
}

interface Place {
  readonly url: string;
  readonly pool: Pool;
  readonly pulse: Pulse;
}

/** Throws if it is no result: the subgraph of another team may answer anything. */
function resultIn(text: string): FormattedExecutionResult {
  const value: unknown = JSON.parse(text);
  const isObject = (each: unknown) => typeof each === 'object' && each !== null && !Array.isArray(each);
  const { data = null, errors = [] } = (
    isObject(value) ? value : { data: undefined, errors: value }
  ) as FormattedExecutionResult;
  const hasErrors = Array.isArray(errors) && errors.every((each) => isObject(each) && typeof each.message === 'string');
  if ((data === null || isObject(data)) && hasErrors && (data !== null || errors.length > 0))
    return value as FormattedExecutionResult;
  throw new Error(`the answer is not a GraphQL result: ${text.slice(0, 200)}`);
}

class StatusError extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(`HTTP ${status}: ${text.slice(0, 200)}`);
    this.status = status;
  }
}

/** The connection was lost with the request. */
function isBroken(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return error instanceof errors.SocketError || code === 'ECONNRESET' || code === 'EPIPE';
}

async function isLive(pool: Pool): Promise<boolean> {
  try {
    const response = await pool.request({
      path: '/health/live',
      method: 'GET',
      signal: AbortSignal.timeout(readinessDeadlineMs),
    });
    await response.body.dump();
    return response.statusCode === 200;
  } catch {
    return false;
  }
}
