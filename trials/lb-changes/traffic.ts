// The threads of clients and members, and their logs.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  allowed,
  type ClientData,
  type Flow,
  type FromClients,
  type Handshake,
  issued,
  type Logged,
  type MemberData,
  newShared,
  type Shared,
  type ToClients,
} from './shared.ts';

interface TrafficOptions {
  readonly seed: number;
  readonly requests: number;
  readonly members: number;
  readonly certificate: MemberData['certificate'];
  readonly addresses: readonly string[];
  readonly repeatEvery?: number;
}

export class Traffic {
  readonly shared: Shared;
  readonly memberPorts: readonly number[];
  readonly requests: number;
  logged: Logged[] = [];
  handshakes: Handshake[] = [];
  readonly #clients: Worker;
  readonly #members: Worker;
  readonly #closed = new Map<number, () => void>();
  #flows = 0;

  private constructor(options: TrafficOptions, shared: Shared, members: Worker, ports: readonly number[]) {
    const { seed, addresses, repeatEvery, requests } = options;
    this.shared = shared;
    this.requests = requests;
    this.memberPorts = ports;
    this.#members = members;
    const data: ClientData = { seed, shared, addresses, ...(repeatEvery === undefined ? {} : { repeatEvery }) };
    this.#clients = new Worker(new URL('./clients.ts', import.meta.url), { workerData: data });
    this.#clients.on('message', (message: FromClients) => {
      if (message.is === 'closed') return this.#closed.get(message.flow)?.();
      for (const each of message.logged) this.logged.push(each);
      for (const each of message.handshakes) this.handshakes.push(each);
    });
  }

  static async start(options: TrafficOptions): Promise<Traffic> {
    const shared = newShared(options.requests);
    const data: MemberData = { shared, count: options.members, certificate: options.certificate };
    const members = new Worker(new URL('./members.ts', import.meta.url), { workerData: data });
    const [ports] = (await once(members, 'message')) as [readonly number[]];
    return new Traffic(options, shared, members, ports);
  }

  get sent(): number {
    return Atomics.load(this.shared.budget, issued);
  }

  /** The total number of requests that may have been sent by now. */
  allow(requests: number): void {
    Atomics.store(this.shared.budget, allowed, Math.min(this.requests, Math.floor(requests)));
  }

  addresses(addresses: readonly string[]): void {
    this.#tell({ do: 'addresses', addresses });
  }

  open(flow: Omit<Flow, 'id'>): number {
    this.#flows += 1;
    const id = this.#flows;
    this.#tell({ do: 'open', flow: { ...flow, id } });
    return id;
  }

  /** Resolves when its last request has ended. */
  async close(flow: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#closed.set(flow, resolve));
    this.#tell({ do: 'close', flow });
    await closed;
    this.#closed.delete(flow);
  }

  /** Writes that a member received more than once. */
  get doubledWrites(): number {
    return this.shared.writes.reduce((sum, count) => sum + (count > 1 ? 1 : 0), 0);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#clients.terminate(), this.#members.terminate()]);
  }

  #tell(message: ToClients): void {
    this.#clients.postMessage(message);
  }
}
