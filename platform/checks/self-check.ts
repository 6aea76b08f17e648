// The checker checks itself: one byte over TCP from its own listener on loopback. When that fails, the process or its machine is
// at fault (no descriptors, no ports, no CPU).
import { createServer, connect as netConnect, type Server } from 'node:net';
import { resetSocket } from '../net/reset-socket.ts';

export class SelfCheck {
  readonly #timeoutMs: number;
  #server: Server | undefined;
  #running: Promise<boolean> | undefined;

  constructor(options: { readonly timeoutMs: number }) {
    this.#timeoutMs = options.timeoutMs;
  }

  async start(): Promise<void> {
    // The caller resets the connection: a reset from this side could overtake its connect.
    const server = createServer((socket) => socket.on('error', () => undefined).end('+'));
    // Accepting may fail for lack of descriptors, which is what this check detects.
    server.on('error', () => undefined);
    const listen = (host: string) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port: 0, backlog: 64 }, () => resolve());
      });
    await listen('127.0.0.1').catch((error: NodeJS.ErrnoException) => {
      // This machine has no IPv4.
      if (error.code !== 'EADDRNOTAVAIL') throw error;
      return listen('::1');
    });
    this.#server = server;
  }

  /** Concurrent callers share one check. */
  passes(): Promise<boolean> {
    this.#running ??= this.#once().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #once(): Promise<boolean> {
    const address = this.#server?.address();
    if (address === undefined || address === null || typeof address === 'string') return Promise.resolve(false);
    return new Promise((resolve) => {
      const socket = netConnect({ host: address.address, port: address.port });
      const end = (passed: boolean) => {
        clearTimeout(timer);
        resetSocket(socket);
        resolve(passed);
      };
      const timer = setTimeout(() => end(false), this.#timeoutMs);
      socket.once('data', () => end(true));
      socket.on('error', () => end(false));
    });
  }
}
