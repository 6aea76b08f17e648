// One TLS connection that carries HTTP/1.1 calls (RFC 9112), one at a time. undici writes and parses; it gets exactly this socket
// and never another, so nothing is sent twice. It writes a request in the same turn in which it reports its start, which makes
// that the moment right before the first byte.

import type { TLSSocket } from 'node:tls';
import { type buildConnector, Client, type Dispatcher, errors } from 'undici';
import type { HttpReply } from './http.ts';
import { ReplyInProgress } from './http-reply.ts';
import type { HttpRequest } from './http-request.ts';
import { failed, obstacle, type SendFailure, type SendOptions, type SendResult } from './send.ts';

const defaultMaxReplyBytes = 1024 * 1024;
interface HttpsConnectionOptions {
  /** For example `https://192.0.2.1:443`: the Host header. */
  readonly origin: string;
  /** From connectTlsEndpoint: its `destroy` resets the connection. */
  readonly socket: TLSSocket;
  /** How long it is kept idle; less when the server names a shorter time (`Keep-Alive: timeout=…`). */
  readonly idleMs: number;
}

export class HttpsConnection {
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #client: Client;
  readonly #idleMs: number;
  #handedOver = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor({ origin, socket, idleMs }: HttpsConnectionOptions) {
    this.#idleMs = idleMs;
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        clearTimeout(this.#idleTimer);
        void this.#client.destroy();
        resolve();
      });
    });
    // Before the first request a server sends nothing: received bytes or a close mean that the connection is unusable.
    socket.on('readable', this.#onEarlyBytes);
    this.#client = new Client(origin, {
      connect: (_options, connected) => this.#handOver(connected),
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: idleMs,
      keepAliveTimeoutThreshold: 1_000,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** The connection is closed, or can't carry further calls. */
  get lost(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded || !this.#socket.writable;
  }

  /** The connection is idle now, and closes by itself after a while. */
  rest(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.destroy(), this.#idleMs);
  }

  /** It is about to be used. */
  wake(): void {
    clearTimeout(this.#idleTimer);
  }

  /** Resets the TCP connection: data that the kernel has not sent is discarded. */
  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Never rejects. `stale`: the connection was lost before anything was sent. After ABORTED and WINDOW_PASSED it is still usable.
   */
  run(request: HttpRequest, options: SendOptions): Promise<SendResult<HttpReply> | 'stale'> {
    this.wake();
    if (this.lost) return Promise.resolve('stale');
    return new Promise((resolve) => {
      const reply = new ReplyInProgress(options.maxReplyBytes ?? defaultMaxReplyBytes);
      let startedMs: number | undefined;
      let timer: NodeJS.Timeout | undefined;
      let refusal: SendResult<HttpReply> | 'stale' | undefined;
      let timedOut = false;
      const finish = (result: SendResult<HttpReply> | 'stale') => {
        clearTimeout(timer);
        resolve(result);
      };
      const answer = () =>
        finish({ ok: true, reply: reply.toReply(), elapsedMs: performance.now() - (startedMs ?? 0) });
      const onDeadline = async () => {
        timedOut = true;
        this.destroy();
        await this.closed;
        const message = `No complete reply within ${options.deadlineMs} ms.`;
        finish({ ok: false, failure: { kind: 'NO_VERDICT', code: 'NO_REPLY', message } });
      };
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: () => {
          if (startedMs !== undefined) throw new Error('the connection was lost');
          refusal = obstacle(options, this.lost);
          if (refusal !== undefined) throw new Error('nothing is to be sent');
          startedMs = performance.now();
          timer = setTimeout(onDeadline, options.deadlineMs);
        },
        onResponseStart: (_controller, status, headers) => reply.start(status, headers),
        onResponseData: (_controller, chunk) => {
          if (timedOut || reply.add(chunk)) return;
          answer();
          this.destroy();
        },
        onResponseEnd: answer,
        onResponseError: (_controller, error) => {
          if (timedOut) return;
          if (startedMs !== undefined) finish({ ok: false, failure: lostOnTheWay(error) });
          else if (error instanceof errors.InvalidArgumentError)
            finish(failed('PROTOCOL_FAILED', `The request can't be written: ${error.message}.`));
          else finish(refusal ?? 'stale');
        },
      };
      this.#client.dispatch({ ...request, idempotent: false }, handler);
    });
  }

  readonly #onEarlyBytes = (): void => {
    this.destroy();
  };

  /** After a turn of the event loop, as undici does before it reuses a socket: a close that has arrived is noticed. */
  #handOver(connected: buildConnector.Callback): void {
    setImmediate(() => {
      if (this.#handedOver || this.lost) return connected(new Error('the connection has gone'), null);
      this.#handedOver = true;
      this.#socket.off('readable', this.#onEarlyBytes);
      connected(null, this.#socket);
    });
  }
}

function lostOnTheWay(error: Error): SendFailure {
  const message = `The connection was lost before the reply was complete: ${error.message}.`;
  return { kind: 'NO_VERDICT', code: 'CONNECTION_LOST', message };
}
