// A client that reads repeatedly: its answers are judged like those to a change.
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayClient, Reply } from '../calls/gateway-client.ts';

export interface Read {
  /** Undefined if it was answered. */
  readonly reply: Reply | undefined;
  /** By this machine's clock. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

const query = '{ backends { nodes { name operatingStatus } } relayOperations(first: 5) { nodes { id state } } }';
const pauseMs = 250;

export class Reads {
  readonly all: Read[] = [];
  readonly #client: GatewayClient;
  readonly #stop = new AbortController();
  #reading: Promise<void> = Promise.resolve();

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  start(): void {
    this.#reading = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      const startedAtMs = Date.now();
      const reply = await this.#client.query(query, signal);
      if (signal.aborted) return;
      this.all.push({ reply, startedAtMs, endedAtMs: Date.now() });
      await sleep(pauseMs);
    }
  }
}
