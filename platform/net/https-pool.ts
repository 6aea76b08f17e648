// The connections to an endpoint and the calls that wait for one, in order: as many connections as concurrent calls, at most
// `concurrency`.

import type { HttpsConnection } from './https-connection.ts';
import type { Connected } from './https-reach.ts';
import type { ReserveFailure } from './send.ts';
import { WaitQueue } from './wait-queue.ts';

/** Pause after a further connection was refused while others are open. */
const growAgainAfterMs = 30_000;

interface HttpsPoolOptions {
  readonly concurrency: number;
  readonly connect: () => Promise<Connected>;
  /** Whether calls can be sent now; if not, `prepare` is called when one waits. */
  readonly ready: () => boolean;
  /** Resolves with the failure, if any. */
  readonly prepare: () => Promise<ReserveFailure | undefined>;
}

export class HttpsPool {
  readonly #options: HttpsPoolOptions;
  readonly #connections = new Set<HttpsConnection>();
  /** Most recently used first, so that the others can expire. */
  readonly #idle: HttpsConnection[] = [];
  readonly #waiters = new WaitQueue<Connected>();
  #connecting = 0;
  #preparing = false;
  #taken = 0;
  #growAfterMs = 0;
  #closed = false;

  constructor(options: HttpsPoolOptions) {
    this.#options = options;
  }

  state() {
    return { sessions: this.#connections.size, channels: this.#taken };
  }

  /** An idle connection, if a call may be sent now. */
  tryTake(): HttpsConnection | undefined {
    return this.#waiters.length === 0 && this.#options.ready() ? this.#takeIdle() : undefined;
  }

  /** Waits for a connection, which the caller must release. */
  take(signal: AbortSignal | undefined): Promise<Connected> {
    const connected = this.#waiters.join(signal, undefined);
    this.#pump();
    return connected;
  }

  giveBack(connection: HttpsConnection): void {
    this.#taken -= 1;
    this.#rest(connection);
    this.#pump();
  }

  /** Keeps a connection that was opened elsewhere, if there is room. */
  adopt(connection: HttpsConnection): void {
    if (this.#connections.size + this.#connecting >= this.#options.concurrency) connection.destroy();
    else this.#keep(connection);
    this.#pump();
  }

  /** Fails the waiting calls and leaves busy connections open; returns the idle ones. */
  close(): ReadonlySet<HttpsConnection> {
    this.#closed = true;
    this.#waiters.close();
    return new Set(this.#idle);
  }

  /** Serves waiting calls: from idle connections, then new ones. */
  #pump(): void {
    if (this.#closed || this.#waiters.length === 0) return;
    if (!this.#options.ready()) {
      void this.#prepare();
      return;
    }
    for (let connection = this.#takeIdle(); connection; connection = this.#takeIdle()) {
      this.#waiters.shift()?.settle({ ok: true, connection });
      if (this.#waiters.length === 0) return;
    }
    const servable = Math.min(this.#waiters.length, this.#options.concurrency - this.#taken);
    for (let missing = servable - this.#connecting; missing > 0 && this.#mayConnect(); missing -= 1) {
      void this.#connect();
    }
  }

  #takeIdle(): HttpsConnection | undefined {
    if (this.#closed || this.#taken >= this.#options.concurrency) return undefined;
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.lost) continue;
      connection.wake();
      this.#taken += 1;
      return connection;
    }
    return undefined;
  }

  #rest(connection: HttpsConnection): void {
    if (this.#closed) connection.destroy();
    else if (!connection.lost) {
      this.#idle.push(connection);
      connection.rest();
    }
  }

  #keep(connection: HttpsConnection): void {
    this.#connections.add(connection);
    void connection.closed.then(() => {
      this.#connections.delete(connection);
      const index = this.#idle.indexOf(connection);
      if (index >= 0) this.#idle.splice(index, 1);
      this.#pump();
    });
    this.#rest(connection);
  }

  #mayConnect(): boolean {
    if (this.#connections.size + this.#connecting >= this.#options.concurrency) return false;
    return this.#connections.size === 0 || performance.now() >= this.#growAfterMs;
  }

  async #connect(): Promise<void> {
    this.#connecting += 1;
    const connected = await this.#options.connect();
    this.#connecting -= 1;
    if (connected.ok) this.#keep(connected.connection);
    else if (this.#connections.size === 0) this.#waiters.failAll(connected.failure);
    else this.#growAfterMs = performance.now() + growAgainAfterMs;
    this.#pump();
  }

  async #prepare(): Promise<void> {
    if (this.#preparing) return;
    this.#preparing = true;
    const failure = await this.#options.prepare();
    this.#preparing = false;
    if (failure) this.#waiters.failAll(failure);
    this.#pump();
  }
}
