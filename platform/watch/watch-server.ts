// Serves health and metrics at a separate port of a process that has no public endpoint: a worker, a load balancer host, or the
// subgraphs alone.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpError } from '../graph/http-body.ts';
import type { Logger } from '../log/log.ts';
import { withoutMapping } from '../net/address-block.ts';
import { requireOneHost } from '../net/one-host.ts';
import { isFromThisHost } from '../net/this-host.ts';
import { isWatchPath, type WatchAnswer, type Watched, watchAnswer } from './watch-answer.ts';

export interface WatchServerOptions extends Watched {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  readonly log: Logger;
}

const timeouts = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 5_000 };
const mostConnections = 100;

export class WatchServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen({ host, port, log, ...watched }: WatchServerOptions): Promise<WatchServer> {
    const server = createServer(timeouts, (request, response) => {
      answer(watched, request)
        .catch((error: unknown) => {
          if (error instanceof HttpError) return plain(error.status, error.message);
          log.error({ err: error }, 'a request of a watcher failed');
          return plain(500, 'Internal error.');
        })
        .then((answered) => send(response, answered));
    });
    requireOneHost(server);
    server.maxConnections = mostConnections;
    server.listen(port, host);
    await once(server, 'listening');
    return new WatchServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function answer(watched: Watched, { method, url = '/', socket, headers }: IncomingMessage): Promise<WatchAnswer> {
  const [path = '/'] = url.split('?', 1);
  if (!isWatchPath(path)) throw new HttpError(404, 'Here are /health/live, /health/ready and /metrics.');
  if (method !== 'GET' && method !== 'HEAD') throw new HttpError(405, 'Only GET is allowed here.');
  const { remoteAddress } = socket;
  return watchAnswer(
    path,
    watched,
    isFromThisHost(remoteAddress === undefined ? undefined : withoutMapping(remoteAddress), headers),
  );
}

function plain(status: number, text: string): WatchAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', text: `${text}\n` };
}

function send(response: ServerResponse, { status, contentType, text }: WatchAnswer): void {
  if (response.destroyed) return;
  const headers = { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
