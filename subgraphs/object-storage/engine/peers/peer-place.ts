// One address of another cluster: persistent connections to a server there, whose certificate must be that cluster's, and a breaker.

import type { TLSSocket } from 'node:tls';
import { type buildConnector, type Dispatcher, errors, Pool } from 'undici';
import { connectorOf } from '../../../../platform/graph/connector.ts';
import { type MachineName, machineOf } from '../../../../platform/machines/machine.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { NotSentError } from '../../../../platform/registers/errors.ts';
import { TooLateError } from '../../../../platform/work/within.ts';
import { Breaker } from './breaker.ts';
import { mostMessageBytes, serverRole } from './peer-wire.ts';

/** Less than the deadline of a request: a request that is not sent by then is certainly never sent. */
const mostConnectMs = 1_500;
const messageConnections = 16;
/** Limit of requests in flight. Each waits for a connection at most until its deadline. */
const mostMessages = 1_000;
const mostStreams = 256;
/** Size of the answer to a blob that is sent, and of a refusal. */
const mostShortBytes = 64 * 1024;

interface PeerPlaceOptions {
  readonly url: string;
  readonly cluster: number;
  readonly tls: MutualTls;
  readonly clusterOf: (machine: MachineName) => number | undefined;
}

export type Reply = Dispatcher.ResponseData;

export class PeerPlace {
  readonly #options: PeerPlaceOptions;
  readonly #breaker = new Breaker();
  readonly #messages: Pool;
  readonly #streams: Pool;
  #asking = 0;
  #streaming = 0;

  constructor(options: PeerPlaceOptions) {
    this.#options = options;
    const { origin } = new URL(options.url);
    const connect = this.#connector();
    const common = { connect, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };
    this.#messages = new Pool(origin, {
      ...common,
      connections: messageConnections,
      maxResponseSize: mostMessageBytes,
    });
    this.#streams = new Pool(origin, { ...common, connections: mostStreams });
  }

  /** Whether to send requests. A request that is sent although this is false fails at once. */
  get isOpen(): boolean {
    return this.#breaker.isOpen;
  }

  /** Returns the whole answer within the deadline. Rejects with NotSentError if no byte can have arrived. */
  async message(path: string, body: Buffer, deadlineMs: number, signal?: AbortSignal): Promise<Answered> {
    signal?.throwIfAborted();
    if (this.#asking >= mostMessages)
      throw new NotSentError(`${mostMessages} requests to cluster ${this.#options.cluster} are in flight`);
    if (!this.#breaker.take()) throw this.#leftAlone();
    this.#asking += 1;
    const stop = new AbortController();
    const late = setTimeout(
      () => stop.abort(new TooLateError(`cluster ${this.#options.cluster} did not answer`, deadlineMs)),
      deadlineMs,
    );
    const onAbort = () => stop.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const reply = await this.#messages.request({ method: 'POST', path, body, signal: stop.signal });
      const answered = { status: reply.statusCode, body: Buffer.from(await reply.body.bytes()) };
      this.#breaker.succeeded();
      return answered;
    } catch (error) {
      if (signal?.aborted === true) this.#breaker.left();
      else this.#breaker.failed();
      throw error;
    } finally {
      this.#asking -= 1;
      clearTimeout(late);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Transfers a blob. It has no deadline; both ends watch its progress. `ended` is called once, when the transfer is over. */
  async stream(request: Omit<Dispatcher.RequestOptions, 'origin'>): Promise<{ readonly reply: Reply; ended(): void }> {
    if (this.isOpen) throw this.#leftAlone();
    if (this.#streaming >= mostStreams)
      throw new NotSentError(`${mostStreams} blobs are in transfer to or from cluster ${this.#options.cluster}`);
    this.#streaming += 1;
    const ended = () => {
      this.#streaming -= 1;
    };
    try {
      return { reply: await this.#streams.request(request), ended };
    } catch (error) {
      ended();
      if (error instanceof NotSentError || error instanceof errors.HeadersTimeoutError) this.#breaker.failed();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#messages.destroy(), this.#streams.destroy()]);
  }

  #leftAlone(): NotSentError {
    return new NotSentError(`cluster ${this.#options.cluster} did not answer a moment ago, and is left alone for now`);
  }

  /** After a failure here, no request has been sent. */
  #connector(): buildConnector.connector {
    const { cluster, tls, clusterOf, url } = this.#options;
    const connect = connectorOf(tls, serverRole, mostConnectMs);
    return (options, callback) =>
      connect(options, (error, socket) => {
        if (error !== null) {
          callback(
            new NotSentError(`cluster ${cluster} can't be reached at ${url}: ${error.message}`, { cause: error }),
            null,
          );
          return;
        }
        const { subjectaltname } = (socket as TLSSocket).getPeerCertificate();
        const machine = machineOf({ subjectAltName: subjectaltname });
        if (machine !== undefined && clusterOf(machine) === cluster) {
          callback(null, socket);
          return;
        }
        socket.on('error', () => undefined).destroy();
        callback(
          new NotSentError(`${machine?.name}, which is not a machine of cluster ${cluster}, answers at ${url}`),
          null,
        );
      });
  }
}

export interface Answered {
  readonly status: number;
  readonly body: Buffer;
}

/** Reads a short answer as a whole. */
export async function answeredBy({ statusCode, body }: Reply): Promise<Answered> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostShortBytes) throw new Error(`an answer has more than ${mostShortBytes} bytes`);
    chunks.push(chunk);
  }
  return { status: statusCode, body: Buffer.concat(chunks) };
}
