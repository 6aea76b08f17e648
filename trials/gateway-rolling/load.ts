// A client that sends requests at a fixed rate and repeats none: reads over all subgraphs, and changes of backends, whose versions show how
// often each change was made.
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphClient, type MutationAnswer, notRefused } from '../../measure/graph-client.ts';
import type { Random } from '../random.ts';

interface LoadOptions {
  readonly url: string;
  readonly token: string;
  readonly perSecond: number;
  readonly random: Random;
}

const reads = [
  '{ me { name } projects(first: 5) { nodes { name } } }',
  '{ backends(first: 20) { nodes { name version project { name } } } relayDrivers { name } }',
  '{ loadBalancers(first: 5) { nodes { name project { name } } } gslbs(first: 5) { nodes { fqdn } } }',
  '{ gslbMonitorTypes { checkType } objectOptions(first: 5) { nodes { name } } me { name } }',
];
const change = `mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { backend { version } userErrors { code message } } }`;
const changeShare = 0.25;
const backendCount = 20;
const connections = 32;
const mostFaults = 20;

export class RollingLoad {
  requests = 0;
  failed = 0;
  readonly faults: string[] = [];
  readonly #options: LoadOptions;
  readonly #client: GraphClient;
  /** Changes that were answered, by backend. */
  readonly #changed = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #sending: Promise<void> | undefined;
  #isOver = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#client = new GraphClient(options.url, connections);
  }

  async prepare(): Promise<void> {
    const create = `mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { backend { id } userErrors { code message } } }`;
    for (let index = 0; index < backendCount; index += 1) {
      const input = {
        ...{ name: `rolling-${index}`, driver: 'linux-nftables', host: '127.0.0.1', port: index + 1 },
        credentials: { username: 'u', password: 'not-a-real-one' },
      };
      type Created = { backendCreate: MutationAnswer & { backend: { id: string } } };
      const { backend } = notRefused((await this.#ask<Created>(create, { input })).backendCreate);
      // It has no health checks, so that nothing else changes it.
      type Disabled = { backendUpdate: MutationAnswer & { backend: { version: number } } };
      const off = { input: { id: backend.id, enabled: false } };
      const disabled = notRefused((await this.#ask<Disabled>(change, off)).backendUpdate);
      this.#versions.set(backend.id, disabled.backend.version);
      this.#changed.set(backend.id, 0);
    }
  }

  start(): void {
    this.#sending = this.#send();
  }

  /** Waits for all answers. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await this.#sending;
    await Promise.all(this.#running);
  }

  /** Changes that were made more often than they were answered. Call it when nothing has failed or everything has ended. */
  async repeated(): Promise<number> {
    let repeated = 0;
    type Found = { backends: { nodes: readonly { id: string; version: number }[] } };
    const { backends } = await this.#ask<Found>('{ backends(first: 100) { nodes { id version } } }', {});
    for (const { id, version } of backends.nodes) {
      const made = version - (this.#versions.get(id) ?? version);
      repeated += Math.abs(made - (this.#changed.get(id) ?? 0));
    }
    return repeated;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #send(): Promise<void> {
    const beganMs = performance.now();
    while (!this.#isOver) {
      const due = ((performance.now() - beganMs) / 1_000) * this.#options.perSecond;
      while (this.requests < due) {
        this.requests += 1;
        const running = this.#one(this.requests).finally(() => this.#running.delete(running));
        this.#running.add(running);
      }
      await sleep(1_000 / this.#options.perSecond);
    }
  }

  async #one(count: number): Promise<void> {
    const { random } = this.#options;
    try {
      if (random.next() < changeShare) await this.#change(count);
      else await this.#ask(random.pick(reads), {});
    } catch (error) {
      this.failed += 1;
      if (this.faults.length < mostFaults) this.faults.push(`${new Date().toISOString()} ${String(error)}`);
    }
  }

  async #change(count: number): Promise<void> {
    const id = this.#options.random.pick([...this.#changed.keys()]);
    const input = { id, idempotencyKey: `rolling-${count}`, site: `site-${count}` };
    type Changed = { backendUpdate: MutationAnswer };
    notRefused((await this.#ask<Changed>(change, { input })).backendUpdate);
    this.#changed.set(id, (this.#changed.get(id) ?? 0) + 1);
  }

  #ask<Data>(query: string, variables: object): Promise<Data> {
    return this.#client.ask<Data>(query, variables, this.#options.token);
  }
}
