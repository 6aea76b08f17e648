// `/health/primary`: 200 on the one host whose database takes writes, unless its API is silent, for balancers. The agent serves it, because only the agent knows the
// lease, and an agent that stands still does not answer.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { requireOneHost } from '../platform/net/one-host.ts';
import { monotonicMs } from './agent/clock.ts';
import type { ApiState } from './agent/view.ts';
import type { Announcer } from './announcer.ts';

interface PrimaryHealthOptions {
  readonly address: string;
  readonly port: number;
  /** Whether `tidegate serve` of this host answers. */
  readonly apiState?: () => ApiState;
}

const mostConnections = 100;
const requestTimeoutMs = 2_000;

export class PrimaryHealth implements Announcer {
  readonly #server: Server;
  #fenceAtMs = Number.NEGATIVE_INFINITY;
  #isLeaving = false;
  readonly #apiState: () => ApiState;

  private constructor({ apiState = () => undefined }: PrimaryHealthOptions) {
    this.#apiState = apiState;
    this.#server = createServer(
      { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
      (asked, answer) => {
        const path = asked.url?.split('?')[0];
        const status = path !== '/health/primary' ? 404 : this.#isPrimary ? 200 : 503;
        const text = { 200: 'primary', 404: 'there is only /health/primary', 503: 'not the primary' }[status];
        // A new connection for each request: a kept connection to a paused host would hide its state.
        answer.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
      },
    );
    requireOneHost(this.#server);
    this.#server.maxConnections = mostConnections;
  }

  static async open(options: PrimaryHealthOptions): Promise<PrimaryHealth> {
    const { address, port } = options;
    const made = new PrimaryHealth(options);
    made.#server.listen(port, address);
    await once(made.#server, 'listening');
    return made;
  }

  held(fenceAtMs: number): void {
    this.#fenceAtMs = fenceAtMs;
  }

  lost(): void {
    this.#fenceAtMs = Number.NEGATIVE_INFINITY;
  }

  /** 503 although this host is the primary, because another host is about to become it. */
  leave(): void {
    this.#isLeaving = true;
  }

  stay(): void {
    this.#isLeaving = false;
  }

  get #isPrimary(): boolean {
    return !this.#isLeaving && monotonicMs() < this.#fenceAtMs && this.#apiState() !== 'SILENT';
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
