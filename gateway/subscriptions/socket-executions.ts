// Queries and mutations that run on sockets. The protocol server forgets one as soon as its client completes it, but it continues. It counts until it
// ends, because otherwise one client could run any number of them. Queries end with their socket.
import type { WebSocket } from 'ws';

export class SocketExecutions {
  readonly #ofSocket = new WeakMap<WebSocket, Map<string, AbortController>>();

  /** Number of running executions that their client has completed. `open`: the uncompleted operations, by id. */
  completed(socket: WebSocket, open: Readonly<Record<string, unknown>>): number {
    return [...(this.#ofSocket.get(socket)?.keys() ?? [])].filter((id) => !(id in open)).length;
  }

  /** `signal` aborts when the socket closes. */
  async run<Result>(socket: WebSocket, id: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const own = this.#ofSocket.get(socket) ?? this.#follow(socket);
    const ending = new AbortController();
    own.set(id, ending);
    try {
      return await work(ending.signal);
    } finally {
      own.delete(id);
    }
  }

  #follow(socket: WebSocket): Map<string, AbortController> {
    const own = new Map<string, AbortController>();
    this.#ofSocket.set(socket, own);
    socket.once('close', () => {
      for (const ending of own.values()) ending.abort();
    });
    return own;
  }
}
