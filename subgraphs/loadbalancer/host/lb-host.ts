// The role lbhost: keeps the nodes of this machine as their documents say, with or without a connection to the control plane. Its nodes
// run independently of it: killed, upgraded or started again, it adopts them.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MutualTls } from '../../../platform/graph/tls.ts';
import type { JsonValue } from '../../../platform/json.ts';
import { LinkClient } from '../../../platform/link/link-client.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import { DiskDocuments } from './disk-documents.ts';
import { NodeRunner } from './node-runner.ts';
import type { NodeProvider } from './providers/provider.ts';

export interface HostFacts {
  readonly provider: NodeProvider['name'];
  readonly site: string | null;
  /** Addresses for clients, of which each node gets one. */
  readonly publicRange: string;
  /** Addresses at which the health checkers reach nodes. */
  readonly managementRange: string;
  /** Its end of the tunnels between hosts; null: it has none. */
  readonly tunnelAddress: string | null;
  readonly maxNodes: number;
  /** TCP port of nodes' health answers. */
  readonly healthPort: number;
}

export interface LbHostOptions {
  readonly folder: string;
  /** Path of the program. */
  readonly haproxy: string;
  readonly provider: NodeProvider;
  readonly facts: HostFacts;
  /** wss://HOST:PORT/link of the control plane. */
  readonly urls: readonly string[];
  readonly tls: MutualTls;
  readonly log: Logger;
  readonly addressesOf: (hostName: string) => readonly string[];
  /** One line of a node's access log: JSON. */
  readonly access: (line: string) => void;
}

const sweepMs = 30_000;

export class LbHost {
  readonly #options: LbHostOptions;
  readonly #documents: DiskDocuments;
  readonly #runners = new Map<string, NodeRunner>();
  readonly #link: LinkClient;
  readonly #sweep: Loop;
  /** Starts and removals of one node are one after the other. */
  readonly #working = new Map<string, Promise<void>>();

  private constructor(options: LbHostOptions, documents: DiskDocuments) {
    this.#options = options;
    this.#documents = documents;
    const { urls, tls, log, facts } = options;
    this.#link = new LinkClient({
      ...{ urls, tls, log, documents, role: 'loadbalancer' },
      facts: () => {
        // A new connection may be to a process that knows nothing of the last reports.
        for (const runner of this.#runners.values()) runner.reportAgain();
        return { ...facts };
      },
    });
    this.#sweep = new Loop({
      name: 'left-over nodes',
      log,
      pauseMs: () => sweepMs,
      run: async () => {
        await this.#removeUnowned();
        return false;
      },
    });
  }

  static async open(options: LbHostOptions): Promise<LbHost> {
    await mkdir(join(options.folder, 'nodes'), { recursive: true, mode: 0o700 });
    return new LbHost(options, await DiskDocuments.open(join(options.folder, 'documents'), options.log));
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  get nodeCount(): number {
    return this.#runners.size;
  }

  start(): void {
    this.#documents.onChange((id) => this.#changed(id));
    for (const id of this.#documents.nodes().keys()) this.#changed(id);
    this.#link.start();
    this.#sweep.start();
  }

  /** Ends this process's part; the nodes serve on. */
  async stop(): Promise<void> {
    await this.#sweep.stop();
    await this.#link.stop();
    await Promise.allSettled(this.#working.values());
    await Promise.all([...this.#runners.values()].map((runner) => runner.leave()));
    this.#runners.clear();
  }

  #changed(id: string): void {
    const before = this.#working.get(id) ?? Promise.resolve();
    const working = before
      .then(() => this.#bring(id))
      .catch((error: unknown) =>
        this.#options.log.error({ err: error, node: id }, 'a node was not brought to what it must do'),
      )
      .finally(() => {
        if (this.#working.get(id) === working) this.#working.delete(id);
      });
    this.#working.set(id, working);
  }

  async #bring(id: string): Promise<void> {
    const wanted = this.#documents.nodes().get(id);
    const runner = this.#runners.get(id);
    if (wanted === undefined) {
      this.#runners.delete(id);
      await runner?.remove();
      this.#link.report(`gone/${id}`, { node: id });
      return;
    }
    if (runner !== undefined) {
      runner.trigger();
      return;
    }
    const { folder, haproxy, provider, log, facts, addressesOf, access } = this.#options;
    const made = new NodeRunner(wanted, {
      ...{ folder: join(folder, 'nodes'), haproxy, provider, log, addressesOf, access },
      healthPort: facts.healthPort,
      wanted: () => this.#documents.nodes().get(id),
      report: (report) => this.#link.report(`node/${id}`, { ...report }),
      memberReport: (report) =>
        this.#link.report(`member/${id}/${report.member}`, { ...report } as Record<string, JsonValue>),
    });
    this.#runners.set(id, made);
    await made.start();
  }

  /** What no document owns is removed: a node that was deleted while this process was not running. */
  async #removeUnowned(): Promise<void> {
    const owned = new Set([...this.#documents.nodes().values()].map(({ name }) => name));
    for (const name of await this.#options.provider.list()) {
      if (owned.has(name)) continue;
      this.#options.log.warn({ node: name }, 'a node that nobody owns is removed');
      await this.#options.provider.remove(name);
    }
  }
}
