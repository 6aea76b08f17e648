// The role lbhost: runs the nodes of this machine according to their documents, with or without a connection to the control plane. Its
// nodes run independently of it: after being killed, upgraded or restarted, it adopts them.

import { mkdir, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { LinkClient } from '../../../../platform/link/link-client.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { Turns } from '../../../../platform/work/turns.ts';
import type { Confinement } from './confinement/confinement.ts';
import { DiskDocuments } from './disk-documents.ts';
import type { AddressesOf } from './member-names.ts';
import { appliedOf } from './node-files.ts';
import { NodeRunner, removeNode } from './node-runner.ts';
import type { NodeProvider } from './providers/provider.ts';

interface HostFacts {
  readonly provider: NodeProvider['name'];
  readonly site: string | null;
  /** Addresses for clients, of which each node gets one. */
  readonly publicRange: string;
  /** Addresses at which the health checkers reach nodes. */
  readonly managementRange: string;
  /** Its end of the tunnels between hosts. Null if it has none. */
  readonly tunnelAddress: string | null;
  readonly maxNodes: number;
  /** TCP port of nodes' health answers. */
  readonly healthPort: number;
}

interface LbHostOptions {
  readonly folder: string;
  /** Path of the program. */
  readonly haproxy: string;
  /** Path of the program; needed for addresses that two nodes share. */
  readonly keepalived: string;
  readonly provider: NodeProvider;
  readonly confinement: Confinement;
  readonly facts: HostFacts;
  /** wss://HOST:PORT/link of the control plane. */
  readonly urls: readonly string[];
  readonly tls: MutualTls;
  readonly log: Logger;
  readonly addressesOf: AddressesOf;
}

const sweepMs = 30_000;
/** Failures are retried after this time, then each time after twice as long, up to the next sweep. */
const againMs = 500;
/** Number of nodes that are created, adopted or removed at once. */
const atOnce = 2 * availableParallelism();

export class LbHost {
  readonly #options: LbHostOptions;
  readonly #nodes: string;
  readonly #documents: DiskDocuments;
  readonly #runners = new Map<string, NodeRunner>();
  readonly #link: LinkClient;
  readonly #sweep: Loop;
  readonly #turns = new Turns(atOnce);
  /** Starts and removals of one node, by UUID, run one after the other. */
  readonly #working = new Map<string, Promise<void>>();
  /** By the node's UUID: number of consecutive failures, and the next retry. */
  readonly #failed = new Map<string, { readonly times: number; readonly again: NodeJS.Timeout }>();
  /** Since this process began, the control plane has named all nodes: anything else here is orphaned. */
  #isWhole = false;
  #isEnding = false;

  private constructor(options: LbHostOptions, documents: DiskDocuments) {
    this.#options = options;
    this.#nodes = join(options.folder, 'nodes');
    this.#documents = documents;
    const { urls, tls, log, facts, confinement } = options;
    this.#link = new LinkClient({
      ...{ urls, tls, log, documents, role: 'loadbalancer' },
      whole: () => {
        this.#isWhole = true;
        this.#sweep.trigger();
      },
      facts: () => {
        // A new connection may go to a process that does not have the last reports.
        for (const runner of this.#runners.values()) runner.reportAgain();
        return { ...facts, confinementFault: confinement.fault };
      },
    });
    this.#sweep = new Loop({
      name: 'left-over nodes',
      log,
      pauseMs: () => sweepMs,
      run: async () => {
        await this.#lookAround();
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

  /** Number of documents in effect that are not on disk. */
  get unsaved(): number {
    return this.#documents.unsaved;
  }

  start(): void {
    this.#documents.onChange((id) => this.#changed(id));
    this.#link.start();
    this.#sweep.start();
  }

  /** Stops this process's part; the nodes keep serving. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    for (const { again } of this.#failed.values()) clearTimeout(again);
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
      .then(() => this.#isBrought(id))
      .catch((error: unknown) => {
        this.#options.log.error({ err: error, node: id }, 'could not bring a node to its wanted state');
        this.#tryAgain(id);
      })
      .finally(() => {
        if (this.#working.get(id) === working) this.#working.delete(id);
      });
    this.#working.set(id, working);
  }

  #isBrought(id: string): void {
    clearTimeout(this.#failed.get(id)?.again);
    this.#failed.delete(id);
  }

  #tryAgain(id: string): void {
    if (this.#isEnding) return;
    const { times = 0, again: before } = this.#failed.get(id) ?? {};
    clearTimeout(before);
    const again = setTimeout(() => this.#changed(id), Math.min(sweepMs, againMs * 2 ** times));
    this.#failed.set(id, { times: Math.min(times + 1, 10), again });
  }

  async #bring(id: string): Promise<void> {
    if (this.#documents.leaving().has(id)) await this.#remove(id);
    const wanted = this.#documents.nodes().get(id);
    const runner = this.#runners.get(id);
    if (runner !== undefined) runner.trigger();
    else if (wanted !== undefined) await this.#run(id);
    else {
      const error = this.#documents.faultOf(id);
      const nothing = { node: id, made: false, applied: 0, document: 0, incarnation: null, givenUp: false };
      if (error !== undefined) this.#link.report(`node/${id}`, { ...nothing, error });
    }
  }

  async #run(id: string): Promise<void> {
    const wanted = this.#documents.nodes().get(id);
    if (wanted === undefined) return;
    const { facts } = this.#options;
    const runner = new NodeRunner(wanted, {
      ...this.#options,
      ...{ folder: this.#nodes, turns: this.#turns, healthPort: facts.healthPort },
      wanted: () => this.#documents.nodes().get(id),
      fault: () => this.#documents.faultOf(id),
      report: (report) => this.#link.report(`node/${id}`, { ...report }),
      memberReport: (report) =>
        this.#link.report(`member/${id}/${report.member}`, { ...report } as Record<string, JsonValue>),
      trafficReport: (report) => this.#link.report(`traffic/${id}`, { ...report }),
      statisticsReport: (report) => this.#link.report(`statistics/${id}`, { ...report }),
    });
    await runner.start();
    this.#runners.set(id, runner);
  }

  /** Forgets its document when all of it is gone; then the control plane is told. */
  async #remove(id: string): Promise<void> {
    const runner = this.#runners.get(id);
    const name = this.#documents.leaving().get(id) ?? (await this.#nameOf(id));
    this.#runners.delete(id);
    await runner?.leave();
    if (name !== undefined) await this.#turns.run(() => removeNode(name, { ...this.#options, folder: this.#nodes }));
    await this.#documents.forget(id);
    this.#link.report(`gone/${id}`, { node: id });
  }

  /** For a node whose document was damaged: its files have the name too. */
  async #nameOf(id: string): Promise<string | undefined> {
    for (const name of await readdir(this.#nodes)) {
      const applied = await appliedOf(join(this.#nodes, name));
      if (applied?.id === id) return name;
    }
    return undefined;
  }

  /** Retries failures, and removes places that no document owns. */
  async #lookAround(): Promise<void> {
    await this.#documents.saveAgain();
    const missing = [...this.#documents.nodes().keys()].filter((id) => !this.#runners.has(id));
    for (const id of new Set([...missing, ...this.#documents.leaving().keys()]))
      if (!this.#working.has(id)) this.#changed(id);
    if (!this.#isWhole) return;
    const names = new Set([...(await this.#options.provider.list()), ...(await readdir(this.#nodes))]);
    for (const name of names) {
      // Checked for each, because a document may have arrived in between. Its runner recreates missing parts.
      if (this.#isOwned(name)) continue;
      this.#options.log.warn({ node: name }, 'removing an orphaned node');
      // One that can't be removed now does not keep the others.
      await removeNode(name, { ...this.#options, folder: this.#nodes }).catch((error: unknown) =>
        this.#options.log.error({ err: error, node: name }, 'could not remove an orphaned node'),
      );
    }
  }

  #isOwned(name: string): boolean {
    const wanted = [...this.#documents.nodes().values()].map((node) => node.name);
    return [...wanted, ...this.#documents.leaving().values()].includes(name);
  }
}
