// A real HAProxy that our code renders and changes. After each change, its behaviour must match the desired
// configuration and its files.
// needs: haproxy
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { Cell, plainCell } from '../../../../subgraphs/loadbalancer/agents/lbhost/confinement/cell.ts';
import { usualFirstUid } from '../../../../subgraphs/loadbalancer/agents/lbhost/confinement/confinement.ts';
import { makeRoot } from '../../../../subgraphs/loadbalancer/agents/lbhost/confinement/node-root.ts';
import { type Applied, Haproxy } from '../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/haproxy.ts';
import type { HaproxyModel } from '../../../../subgraphs/loadbalancer/rules/haproxy/model.ts';
import { renderNode } from '../../../../subgraphs/loadbalancer/rules/haproxy/render.ts';
import type { NodePlaces } from '../../../../subgraphs/loadbalancer/rules/haproxy/tree.ts';
import type { WantedNode, WantedPart } from '../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { freePort } from '../../../support/machine/free-port.ts';
import { endProcessesOf } from '../../../support/machine/left-processes.ts';
import { part, wantedNode } from './wanted.ts';

const program = '/usr/sbin/haproxy';
const uid = process.getuid?.() === 0 ? usualFirstUid : null;

interface HaproxyNodeOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** A load balancer that already has another node. */
  readonly balancerId?: string;
  readonly places?: Partial<NodePlaces>;
  /** Default: 1000 connections, one thread. */
  readonly size?: WantedNode['size'];
}

export class HaproxyNode {
  readonly balancerId: string;
  readonly folder: string;
  readonly options: HaproxyNodeOptions;
  haproxy: Haproxy;
  parts: WantedPart[] = [];
  certificates: WantedNode['certificates'] = [];
  state: WantedNode['state'] = 'RUN';
  #healthPort = 0;
  readonly #incarnation = newUuid();
  readonly #id = newUuid();

  private constructor(folder: string, options: HaproxyNodeOptions) {
    this.folder = folder;
    this.options = options;
    this.balancerId = options.balancerId ?? newUuid();
    this.haproxy = this.open();
  }

  static async make(options: HaproxyNodeOptions = {}): Promise<HaproxyNode> {
    const node = new HaproxyNode(await mkdtemp(join(tmpdir(), 'lb-node-')), options);
    node.#healthPort = await freePort();
    return node;
  }

  open({ reloadPauseMs = 0 } = {}): Haproxy {
    return new Haproxy({ program, folder: this.folder, cell: () => this.#cell(), reloadPauseMs });
  }

  /** Like on a host, but in the network of this process. */
  #cell(): Cell {
    const { folder } = this;
    if (uid === null) return plainCell(folder);
    return new Cell({ folder, wrapper: [], uid, cgroup: null, prepare: () => makeRoot(folder, uid, [program]) });
  }

  model(): HaproxyModel {
    const { address = '127.0.0.1', places, size } = this.options;
    const usual = wantedNode(this.balancerId, this.parts, this.certificates);
    const wanted: WantedNode = { ...usual, address, size: size ?? usual.size };
    return renderNode(
      { ...wanted, id: this.#id, state: this.state },
      {
        ...{ folder: this.folder, healthPort: this.#healthPort, incarnation: this.#incarnation, now: Date.now() },
        ...{ runtimeSocket: join(this.folder, 'run.sock'), uid, addressesOf: () => [], ...places },
      },
    );
  }

  get healthPort(): number {
    return this.#healthPort;
  }

  async start(): Promise<void> {
    await this.haproxy.start(this.model());
    await this.#settled();
  }

  /** Applies its current parts. They are in effect when it resolves. */
  async apply(): Promise<Applied> {
    const applied = await this.haproxy.apply(this.model());
    await this.#settled();
    return applied;
  }

  async #settled(): Promise<void> {
    await this.haproxy.settled();
    const disagreements = await this.haproxy.disagreements();
    if (disagreements.length > 0) throw new Error(disagreements.join('\n'));
  }

  async stop(): Promise<void> {
    await this.haproxy.leave();
    await endProcessesOf(this.folder);
    await rm(this.folder, { recursive: true, force: true });
  }

  pool(given: JsonObject = {}): WantedPart {
    return this.#add(part('Pool', this.balancerId, { memberProtocol: 'HTTP', drainMs: 1_000, ...given }));
  }

  /** Without a given port it uses a free one. */
  async listener(given: JsonObject): Promise<WantedPart & { readonly port: number }> {
    const port = Number(given.port ?? (await freePort()));
    return { ...this.#add(part('Listener', this.balancerId, { protocol: 'HTTP', ...given, port })), port };
  }

  member(pool: WantedPart, port: number, given: JsonObject = {}): WantedPart {
    return this.#add(part('PoolMember', pool.id, { host: '127.0.0.1', port, ...given }));
  }

  monitor(pool: WantedPart, given: JsonObject = {}): WantedPart {
    // The members are in the test's process, which may be busy for longer than a usual check timeout.
    const usual = { monitorType: 'HTTP', intervalMs: 500, timeoutMs: 500, rise: 1, fall: 2 };
    return this.#add(part('PoolHealthMonitor', pool.id, { ...usual, ...given }));
  }

  /** Adds a policy with its rules. */
  policy(listener: WantedPart, given: JsonObject, ...rules: readonly JsonObject[]): WantedPart {
    const policy = this.#add(part('L7Policy', listener.id, given));
    for (const rule of rules) this.#add(part('L7Rule', policy.id, rule));
    return policy;
  }

  change(one: WantedPart, given: JsonObject): void {
    this.parts = this.parts.map((each) => (each.id === one.id ? { ...each, spec: { ...each.spec, ...given } } : each));
  }

  drain(one: WantedPart, until: Date | null): void {
    const drainUntil = until?.toISOString() ?? null;
    this.parts = this.parts.map((each) => (each.id === one.id ? { ...each, drainUntil } : each));
  }

  remove(...gone: readonly WantedPart[]): void {
    const ids = new Set(gone.map(({ id }) => id));
    this.parts = this.parts.filter(({ id, parentId }) => !ids.has(id) && !ids.has(parentId));
  }

  /** Adds a certificate, and returns its ID. */
  certificate(pem: string): string {
    const id = newUuid();
    this.certificates = [...this.certificates, { id, version: 1, pem }];
    return id;
  }

  #add(made: WantedPart): WantedPart {
    this.parts = [...this.parts, made];
    return made;
  }
}
