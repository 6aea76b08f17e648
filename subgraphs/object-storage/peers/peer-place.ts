// One address of another cluster: kept connections to a server there, whose certificate must be that cluster's, and whether it is worth a
// request now.

import type { TLSSocket } from 'node:tls';
import { type buildConnector, type Dispatcher, errors, Pool } from 'undici';
import { connectorOf, type MutualTls } from '../../../platform/graph/tls.ts';
import { type MachineName, machineOf } from '../../../platform/machines/machine.ts';
import { NotSentError } from '../../../platform/registers/errors.ts';
import { TooLateError } from '../../../platform/within.ts';
import { Breaker } from './breaker.ts';
import { mostMessageBytes, serverRole } from './peer-wire.ts';

/** Less than the deadline of a request: what is not sent by then certainly never is. */
const mostConnectMs = 1_500;
const messageConnections = 16;
/** At once; each waits for a connection at most until its deadline. */
const mostMessages = 1_000;
const mostStreams = 256;
/** Of the answer to a blob that is sent, and of a refusal. */
const mostShortBytes = 64 * 1024;

export interface PeerPlaceOptions {
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

  /** Whether a request is worth it; one that is sent nevertheless fails at once. */
  get isOpen(): boolean {
    return this.#breaker.isOpen;
  }

  /** The whole answer, in time. Rejects with NotSentError when no byte can have arrived. */
  async message(path: string, body: Buffer, deadlineMs: number, signal?: AbortSignal): Promise<Answered> {
    signal?.throwIfAborted();
    if (this.#asking >= mostMessages)
      throw new NotSentError(`${mostMessages} requests to cluster ${this.#options.cluster} are under way`);
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

  /** A blob on its way: it has no deadline, its ends watch that it goes on. `ended` is called once, when nothing of it is left. */
  async stream(request: Omit<Dispatcher.RequestOptions, 'origin'>): Promise<{ readonly reply: Reply; ended(): void }> {
    if (this.isOpen) throw this.#leftAlone();
    if (this.#streaming >= mostStreams)
      throw new NotSentError(`${mostStreams} blobs are on their way to or from cluster ${this.#options.cluster}`);
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

  /** What fails here has sent nothing of any request. */
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
        callback(new NotSentError(`${machine?.name} answers at ${url}, which is not cluster ${cluster}`), null);
      });
  }
}

export interface Answered {
  readonly status: number;
  readonly body: Buffer;
}

/** A short answer, whole. */
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
