// A subgraph on another host: a pool of HTTP connections for queries and mutations, one socket for all subscriptions. Every
// request carries the identity, signed for that subgraph and request when it is sent.
import type { FormattedExecutionResult } from 'graphql';
import { getOperationAST, OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import { errors, Pool } from 'undici';
import { identityHeader, signIdentity } from '../../platform/graph/signed-identity.ts';
import { connectorOf, type MutualTls } from '../../platform/graph/tls.ts';
import type { SigningKeys } from '../../platform/secrets/key-pairs.ts';
import { Turns } from '../../platform/turns.ts';
import { HttpStreams } from './http-streams.ts';
import { lostSubgraph } from './lost-subgraph.ts';
import type { LinkRequest, ResultStream, SubgraphLink } from './subgraph-link.ts';

export interface HttpLinkOptions {
  readonly name: string;
  /** Origin, for example https://relay.internal:4102. */
  readonly url: string;
  readonly tls?: MutualTls;
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
  readonly #pool: Pool;
  /** The others wait here, not in the pool: a request is signed only when it can be sent. */
  readonly #slots = new Turns(connections);
  readonly #streams: HttpStreams;

  constructor(options: HttpLinkOptions) {
    this.name = options.name;
    this.#options = options;
    this.#pool = new Pool(options.url, {
      connections,
      maxResponseSize: maxResponseBytes,
      // The request's own deadline covers these.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Shorter than a subgraph keeps an idle connection.
      keepAliveTimeout: 30_000,
      keepAliveMaxTimeout: 50_000,
      connect: connectorOf(options.tls, options.name, connectTimeoutMs),
    });
    this.#streams = new HttpStreams(options);
  }

  async execute(request: LinkRequest): Promise<FormattedExecutionResult> {
    const mutation = getOperationAST(request.document)?.operation === OperationTypeNode.MUTATION;
    try {
      return await this.#post(request, mutation);
    } catch (error) {
      if (mutation || !(error instanceof errors.SocketError)) return this.#lost(request, mutation, error);
    }
    // A query whose connection was lost is repeated once: an idle connection may close just then.
    try {
      return await this.#post(request, mutation);
    } catch (error) {
      return this.#lost(request, mutation, error);
    }
  }

  subscribe(request: LinkRequest): Promise<ResultStream | FormattedExecutionResult> {
    return this.#streams.subscribe(request);
  }

  async ready(): Promise<boolean> {
    try {
      const response = await this.#pool.request({
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

  async close(): Promise<void> {
    await this.#streams.close();
    await this.#pool.destroy();
  }

  async #post(request: LinkRequest, mutation: boolean): Promise<FormattedExecutionResult> {
    const { mutationDeadlineMs, queryDeadlineMs } = this.#options;
    const { context } = request;
    const deadline = AbortSignal.timeout(mutation ? mutationDeadlineMs : queryDeadlineMs);
    const signal = mutation || context.signal === undefined ? deadline : AbortSignal.any([context.signal, deadline]);
    const body = JSON.stringify({
      query: request.text,
      variables: request.variables,
      operationName: request.operationName,
    });
    // A signature is valid for seconds: it is made when a connection is available.
    if (!this.#slots.take()) await this.#slots.wait(signal);
    try {
      return await this.#send(request, body, signal);
    } finally {
      this.#slots.give();
    }
  }

  async #send(request: LinkRequest, body: string, signal: AbortSignal): Promise<FormattedExecutionResult> {
    const { context } = request;
    const response = await this.#pool.request({
      path: '/graphql',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-request-id': context.requestId,
        [identityHeader]: signIdentity(this.#options.signingKeys, context, { audience: this.name, body }),
      },
      body,
      signal,
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`);
    return JSON.parse(text) as FormattedExecutionResult;
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
