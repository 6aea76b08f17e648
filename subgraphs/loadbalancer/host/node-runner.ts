// Keeps one node as its document says: its place, HAProxy in it, and HAProxy's state. Runs when the document changes, when HAProxy ends,
// and now and then. Reports what is in effect.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newUuid } from '../../../platform/ids.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { WantedNode } from '../wanted/wanted-node.ts';
import { Haproxy } from './haproxy/haproxy.ts';
import { LogListener, type Transition } from './haproxy/log-listener.ts';
import type { HaproxyModel } from './haproxy/model.ts';
import { renderNode } from './haproxy/render.ts';
import type { NodePlaces } from './haproxy/tree.ts';
import type { NodeProvider } from './providers/provider.ts';

/** What is in effect on a node, as its host reports it. */
export interface NodeReport {
  readonly node: string;
  /** Its place exists, with its addresses. */
  readonly made: boolean;
  /** The load balancer's generation in effect; 0: none is. */
  readonly applied: number;
  /** UUID of the present start of HAProxy; null: it does not run. */
  readonly incarnation: string | null;
  /** Why the document is not in effect; null: it is. */
  readonly error: string | null;
  /** HAProxy ended so often within the window that it is not started again at once. */
  readonly givenUp: boolean;
}

export interface MemberReport {
  readonly node: string;
  /** UUID of the member. */
  readonly member: string;
  readonly status: 'UP' | 'DOWN';
  readonly message: string;
}

export interface NodeRunnerOptions {
  /** The host's own folder; each node has one in it. */
  readonly folder: string;
  readonly haproxy: string;
  readonly provider: NodeProvider;
  readonly log: Logger;
  readonly healthPort: number;
  readonly addressesOf: NodePlaces['addressesOf'];
  readonly wanted: () => WantedNode | undefined;
  readonly report: (report: NodeReport) => void;
  readonly memberReport: (report: MemberReport) => void;
  /** One line of the access log: JSON. */
  readonly access: (line: string) => void;
}

const lookAgainMs = 1_000;
/** A HAProxy that ends more often than this within the window is started only every window. */
const mostStarts = 5;
const startWindowMs = 60_000;

export class NodeRunner {
  readonly #options: NodeRunnerOptions;
  readonly #name: string;
  readonly #id: string;
  readonly #folder: string;
  readonly #loop: Loop;
  readonly #listener: LogListener;
  readonly #haproxy: Haproxy;
  #wrapper: readonly string[] = [];
  #incarnation: string | undefined;
  /** Generation of the document in effect. */
  #document = 0;
  #applied = 0;
  #reported = '';
  /** Why the document was last not in effect. */
  #error: string | null = null;
  #starts: number[] = [];
  /** A reload waits. */
  #again: NodeJS.Timeout | undefined;

  constructor(node: WantedNode, options: NodeRunnerOptions) {
    this.#options = options;
    this.#id = node.id;
    this.#name = node.name;
    this.#folder = join(options.folder, node.name);
    this.#listener = new LogListener({
      path: join(this.#folder, 'log.sock'),
      transition: (transition) => this.#transition(transition),
      access: options.access,
    });
    this.#haproxy = new Haproxy({
      program: options.haproxy,
      folder: this.#folder,
      wrapper: () => this.#wrapper,
    });
    this.#loop = new Loop({
      name: `node ${node.name}`,
      log: options.log,
      pauseMs: () => lookAgainMs,
      run: async () => {
        await this.#run();
        return false;
      },
    });
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#listener.start();
    this.#loop.start();
  }

  /** Its document may have changed. */
  trigger(): void {
    this.#loop.trigger();
  }

  /** Lets go of the node: it serves on. */
  async leave(): Promise<void> {
    await this.#endLoop();
    await this.#haproxy.leave();
    await this.#listener.stop();
  }

  /** Ends the node with everything that it has. */
  async remove(): Promise<void> {
    await this.#endLoop();
    await this.#haproxy.stop();
    await this.#listener.stop();
    await this.#options.provider.remove(this.#name);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #endLoop(): Promise<void> {
    await this.#loop.stop();
    clearTimeout(this.#again);
  }

  /** What was last reported is reported again, as after a new connection. */
  reportAgain(): void {
    this.#reported = '';
    this.trigger();
  }

  async #run(): Promise<void> {
    const wanted = this.#options.wanted();
    if (wanted === undefined) return;
    let made = false;
    try {
      this.#wrapper = (await this.#options.provider.make(wanted)).wrapper;
      made = true;
      const givenUp = await this.#bring(wanted);
      this.#error = givenUp
        ? `HAProxy ended ${mostStarts} times within a minute. ${this.#error ?? ''}`.slice(0, 1024)
        : null;
      this.#tell({ made, error: this.#error, givenUp });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#error = message.slice(0, 1024);
      this.#tell({ made, error: this.#error, givenUp: false });
      throw error;
    }
  }

  /** True: HAProxy ends again and again, and is not started now. */
  async #bring(wanted: WantedNode): Promise<boolean> {
    if ((await this.#haproxy.pid()) === undefined) return this.#start(wanted);
    if (this.#incarnation === undefined) await this.#adopt(wanted);
    const model = this.#model(wanted);
    const { waitMs } = await this.#haproxy.apply(model);
    if (waitMs > 0) this.#again = setTimeout(() => this.#loop.trigger(), waitMs);
    else await this.#keepApplied(wanted);
    return false;
  }

  async #start(wanted: WantedNode): Promise<boolean> {
    const now = performance.now();
    this.#starts = this.#starts.filter((at) => now - at < startWindowMs);
    if (this.#starts.length >= mostStarts) return true;
    this.#starts.push(now);
    this.#document = 0;
    this.#incarnation = newUuid();
    await writeFile(join(this.#folder, 'incarnation'), this.#incarnation, { mode: 0o600 });
    await this.#haproxy.start(this.#model(wanted));
    await this.#keepApplied(wanted);
    return false;
  }

  /** One that was started by an earlier process of this host: its last document says what it has. */
  async #adopt(wanted: WantedNode): Promise<void> {
    const incarnation = (await readFile(join(this.#folder, 'incarnation'), 'utf8').catch(() => '')).trim();
    this.#incarnation = incarnation === '' ? newUuid() : incarnation;
    const last = await readFile(join(this.#folder, 'applied.json'), 'utf8').catch(() => undefined);
    const before = last === undefined ? undefined : (JSON.parse(last) as WantedNode);
    if (before === undefined || !(await this.#haproxy.adopt(this.#model(before)))) {
      this.#options.log.warn({ node: this.#name }, 'a HAProxy of unknown state is started anew');
      await this.#haproxy.stop();
      await this.#start(wanted);
    }
  }

  async #keepApplied(wanted: WantedNode): Promise<void> {
    if (this.#document === wanted.generation) return;
    await writeFile(join(this.#folder, 'applied.json'), JSON.stringify(wanted), { mode: 0o600 });
    this.#document = wanted.generation;
    this.#applied = wanted.loadBalancer.generation;
  }

  #model(wanted: WantedNode): HaproxyModel {
    const { addressesOf, healthPort } = this.#options;
    return renderNode(wanted, {
      ...{ folder: this.#folder, addressesOf, healthPort, incarnation: this.#incarnation ?? '', now: Date.now() },
      runtimeSocket: join(this.#folder, 'run.sock'),
      logSocket: join(this.#folder, 'log.sock'),
    });
  }

  #tell(state: Pick<NodeReport, 'made' | 'error' | 'givenUp'>): void {
    const report = { node: this.#id, applied: this.#applied, incarnation: this.#incarnation ?? null, ...state };
    const text = JSON.stringify(report);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#options.report(report);
  }

  #transition({ backend, server, status, message }: Transition): void {
    // Its sessions wait for a member that does not answer; those of one that answers wrongly may end well.
    if (status === 'DOWN' && /timeout/i.test(message))
      void this.#haproxy.endSessions(backend, server).catch(() => undefined);
    const [, member] = /^m_([0-9a-f-]{36})/.exec(server) ?? [];
    if (member !== undefined) this.#options.memberReport({ node: this.#id, member, status, message });
  }
}
