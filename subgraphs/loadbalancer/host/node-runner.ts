// Keeps one node as its document says: its place, HAProxy in it and HAProxy's state, and its share of a floating address. Runs when the
// document changes, and every second. Reports what is in effect.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newUuid } from '../../../platform/ids.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { Turns } from '../../../platform/turns.ts';
import type { TrafficReport } from '../wanted/traffic-report.ts';
import type { WantedNode } from '../wanted/wanted-node.ts';
import { AccessLog } from './access-log.ts';
import { Haproxy } from './haproxy/haproxy.ts';
import { LogReader, type Transition } from './haproxy/log-reader.ts';
import type { HaproxyModel } from './haproxy/model.ts';
import { renderNode } from './haproxy/render.ts';
import { RuntimeSocket } from './haproxy/runtime-socket.ts';
import { TrafficMeter } from './haproxy/traffic-meter.ts';
import type { NodePlaces } from './haproxy/tree.ts';
import { Keepalived } from './keepalived.ts';
import { appliedOf, readText, writeApplied, writePrivate } from './node-files.ts';
import { endProcesses } from './own-processes.ts';
import type { NodeProvider } from './providers/provider.ts';

/** What is in effect on a node, as its host reports it. */
export interface NodeReport {
  readonly node: string;
  /** Its place exists, with its addresses. */
  readonly made: boolean;
  /** The load balancer's generation in effect, and that of the node's document; 0: none is. */
  readonly applied: number;
  readonly document: number;
  /** Of clients, while it is drained; null: it is not, or they are not known. */
  readonly sessions: number | null;
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

/** What it takes to remove a node. */
export interface NodeParts {
  /** Each node has a folder in it. */
  readonly folder: string;
  /** Paths of the programs. */
  readonly haproxy: string;
  readonly keepalived: string;
  readonly provider: NodeProvider;
}

export interface NodeRunnerOptions extends NodeParts {
  /** Places are made and HAProxies started in turns: hundreds at once would be late all together. */
  readonly turns: Turns;
  readonly log: Logger;
  readonly healthPort: number;
  readonly addressesOf: NodePlaces['addressesOf'];
  readonly wanted: () => WantedNode | undefined;
  /** Why a later document was refused; undefined: none was. */
  readonly fault: () => string | undefined;
  readonly report: (report: NodeReport) => void;
  readonly memberReport: (report: MemberReport) => void;
  readonly trafficReport: (report: TrafficReport) => void;
}

const lookAgainMs = 1_000;
/** A HAProxy that ends more often than this within the window is started only every window. */
const mostStarts = 5;
const startWindowMs = 300_000;
/** HAProxy logs several transitions of a member at once, as at its start: only where they lead is reported. */
const membersMs = 10;
/** One that runs but does not answer is taken for lost after so many looks. */
const mostSilentLooks = 10;
const mostReasonLength = 1024;

export class NodeRunner {
  readonly #options: NodeRunnerOptions;
  readonly #name: string;
  readonly #id: string;
  readonly #folder: string;
  readonly #loop: Loop;
  readonly #lines: LogReader;
  readonly #accessLog: AccessLog;
  readonly #meter: TrafficMeter;
  readonly #traffic: Loop;
  readonly #keepalived: Keepalived;
  #haproxy: Haproxy;
  #wrapper: readonly string[] = [];
  #incarnation: string | undefined;
  /** Generation of the document in effect. */
  #document = 0;
  #applied = 0;
  #reported = '';
  /** Why HAProxy did not start, or the document is not in effect. */
  #cause = '';
  #starts: number[] = [];
  /** Generation of the document with which it was last started. */
  #startedWith = 0;
  #silentLooks = 0;
  /** What was last reported of members. */
  readonly #members = new Map<string, Pick<MemberReport, 'status' | 'message'>>();
  /** Those of which there is news: it waits for the node's own report, and a moment for what comes with it. */
  readonly #unreported = new Set<string>();
  /** What was reported of each, as text. */
  readonly #reportedMembers = new Map<string, string>();
  #reporting: NodeJS.Timeout | undefined;
  /** A reload waits. */
  #again: NodeJS.Timeout | undefined;

  constructor(node: WantedNode, options: NodeRunnerOptions) {
    this.#options = options;
    this.#id = node.id;
    this.#name = node.name;
    this.#folder = join(options.folder, node.name);
    this.#accessLog = new AccessLog({ path: join(this.#folder, 'access.log') });
    this.#lines = new LogReader({
      path: join(this.#folder, 'run.sock'),
      transition: (transition) => this.#transition(transition),
      access: (line) => this.#accessLog.write(line),
    });
    this.#meter = new TrafficMeter({
      node: node.id,
      runtime: new RuntimeSocket(join(this.#folder, 'run.sock')),
      master: new RuntimeSocket(join(this.#folder, 'master.sock')),
      kept: join(this.#folder, 'count.json'),
      parts: () => options.wanted()?.parts ?? [],
    });
    this.#traffic = new Loop({
      name: `traffic of node ${node.name}`,
      log: options.log,
      pauseMs: () => lookAgainMs,
      run: async () => {
        if ((await this.#haproxy.pid()) !== undefined) this.#measured(await this.#meter.read());
        return false;
      },
    });
    this.#haproxy = this.#newHaproxy();
    this.#keepalived = new Keepalived({
      ...{ program: options.keepalived, folder: this.#folder, healthPort: options.healthPort },
      wrapper: () => this.#wrapper,
    });
    this.#loop = new Loop({
      name: `node ${node.name}`,
      log: options.log,
      pauseMs: () => lookAgainMs,
      run: async (signal) => {
        await this.#run(signal);
        return false;
      },
    });
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#loop.start();
  }

  /** Its document may have changed. */
  trigger(): void {
    this.#loop.trigger();
  }

  /** Lets go of the node: it serves on. */
  async leave(): Promise<void> {
    await this.#loop.stop();
    await this.#traffic.stop();
    clearTimeout(this.#again);
    clearTimeout(this.#reporting);
    await this.#haproxy.leave();
    await this.#lines.stop();
    await this.#accessLog.written();
  }

  /** What was last reported is reported again, as after a new connection. */
  reportAgain(): void {
    this.#reported = '';
    this.#members.clear();
    this.#reportedMembers.clear();
    this.trigger();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const wanted = this.#options.wanted();
    if (wanted === undefined) return;
    let made = false;
    try {
      const pid = await this.#haproxy.pid();
      const make = () => this.#options.provider.make(wanted, pid);
      const isNew = this.#incarnation === undefined;
      this.#wrapper = (await (isNew ? this.#options.turns.run(make, signal) : make())).wrapper;
      made = true;
      if (await this.#bring(wanted, pid, signal)) {
        await this.#keepalived.bring(wanted);
        this.#cause = '';
        const sessions = await this.#sessions(wanted);
        this.#tell({ made, error: this.#options.fault() ?? null, givenUp: false, sessions });
      } else
        this.#tell({
          made,
          error: `HAProxy ended ${mostStarts} times within five minutes. ${this.#cause}`,
          givenUp: true,
        });
    } catch (error) {
      this.#cause = error instanceof Error ? error.message : String(error);
      this.#tell({ made, error: this.#cause, givenUp: false });
      throw error;
    }
  }

  /** Counted only when it accepts no new ones. */
  async #sessions({ state, generation }: WantedNode): Promise<number | null> {
    if (state !== 'DRAIN' || this.#document !== generation) return null;
    return this.#meter.sessions().catch(() => null);
  }

  /** False: HAProxy ends again and again, and is not started now. */
  async #bring(wanted: WantedNode, pid: number | undefined, signal: AbortSignal): Promise<boolean> {
    if (pid === undefined) return this.#start(wanted, signal);
    if (this.#incarnation === undefined && !(await this.#adopt(wanted))) return this.#start(wanted, signal);
    const { reloaded, reasons, waitMs } = await this.#haproxy.apply(this.#model(wanted));
    if (reloaded) this.#options.log.info({ node: this.#name, reasons }, 'HAProxy was reloaded');
    if (waitMs > 0) this.#again = setTimeout(() => this.#loop.trigger(), waitMs);
    else await this.#keepApplied(wanted);
    return true;
  }

  async #start(wanted: WantedNode, signal: AbortSignal): Promise<boolean> {
    const now = performance.now();
    // Another document may start where this one did not.
    if (this.#startedWith !== wanted.generation) this.#starts = [];
    this.#starts = this.#starts.filter((at) => now - at < startWindowMs);
    const isFirst = this.#startedWith === 0;
    [this.#startedWith, this.#document, this.#applied, this.#incarnation] = [wanted.generation, 0, 0, undefined];
    if (this.#starts.length >= mostStarts) return false;
    this.#starts.push(now);
    const isKnown = (await readText(this.#incarnationFile)) !== undefined;
    // One that an earlier process of this host was about to start when it was killed.
    if (isFirst && isKnown) await endProcesses(join(this.#folder, 'haproxy.cfg'));
    const incarnation = newUuid();
    await writePrivate(this.#incarnationFile, incarnation);
    const model = this.#model(wanted, incarnation);
    // Clients may know its address: as long as it has no member for them, it refuses them, and they try another node.
    const closed = isKnown ? this.#model({ ...wanted, state: 'DRAIN' }, incarnation) : model;
    const start = () => {
      // While there is no HAProxy yet: then none of its first lines is skipped.
      this.#lines.start();
      return this.#haproxy.start(closed);
    };
    await this.#options.turns.run(start, signal);
    this.#incarnation = incarnation;
    this.#traffic.start();
    if (isKnown) {
      await this.#haproxy.firstMembers();
      await this.#haproxy.apply(model);
    } else await this.#haproxy.firstChecks();
    await this.#keepApplied(wanted);
    return true;
  }

  /** One that was started by an earlier process of this host. False: it did not answer, and was ended. */
  async #adopt(wanted: WantedNode): Promise<boolean> {
    const kept = (await readText(this.#incarnationFile))?.trim();
    const incarnation = kept === undefined || kept === '' ? newUuid() : kept;
    const before = await appliedOf(this.#folder);
    this.#lines.start();
    if (await this.#haproxy.adopt(this.#model(before ?? wanted, incarnation))) {
      if (incarnation !== kept) await writePrivate(this.#incarnationFile, incarnation);
      this.#incarnation = incarnation;
      this.#traffic.start();
      this.#applied = before?.loadBalancer.generation ?? 0;
      this.#silentLooks = 0;
      return true;
    }
    this.#silentLooks += 1;
    if (this.#silentLooks < mostSilentLooks) throw new Error('HAProxy runs, but does not answer');
    this.#options.log.warn({ node: this.#name }, 'a HAProxy that does not answer is started anew');
    await this.#haproxy.stop();
    this.#haproxy = this.#newHaproxy();
    return false;
  }

  async #keepApplied(wanted: WantedNode): Promise<void> {
    if (this.#document === wanted.generation) return;
    await writeApplied(this.#folder, wanted);
    this.#document = wanted.generation;
    this.#applied = wanted.loadBalancer.generation;
  }

  #newHaproxy(): Haproxy {
    const { haproxy: program } = this.#options;
    return new Haproxy({ program, folder: this.#folder, wrapper: () => this.#wrapper });
  }

  get #incarnationFile(): string {
    return join(this.#folder, 'incarnation');
  }

  #model(wanted: WantedNode, incarnation = this.#incarnation ?? ''): HaproxyModel {
    const { addressesOf, healthPort } = this.#options;
    return renderNode(wanted, {
      ...{ folder: this.#folder, addressesOf, healthPort, incarnation, now: Date.now() },
      runtimeSocket: join(this.#folder, 'run.sock'),
    });
  }

  #tell(now: Pick<NodeReport, 'made' | 'error' | 'givenUp'> & Partial<Pick<NodeReport, 'sessions'>>): void {
    const { made, error, givenUp, sessions = null } = now;
    const report = {
      ...{ node: this.#id, made, applied: this.#applied, document: this.#document, sessions },
      ...{ incarnation: this.#incarnation ?? null, givenUp },
      error: error?.slice(0, mostReasonLength) ?? null,
    };
    const text = JSON.stringify(report);
    if (text !== this.#reported) this.#options.report(report);
    this.#reported = text;
    if (this.#document !== 0) this.#reportMembers();
  }

  #transition({ backend, server, status, reason, timedOut }: Transition): void {
    // Its sessions wait for a member that does not answer; those of one that answers wrongly may end well.
    if (status === 'DOWN' && timedOut) void this.#haproxy.endSessions(backend, server).catch(() => undefined);
    const [, member] = /^m_([0-9a-f-]{36})/.exec(server) ?? [];
    if (member === undefined) return;
    const told = this.#members.get(member);
    // After a reload the first check of each healthy member is logged: that is no news.
    const isKnown = status === 'UP' || reason === undefined || reason === told?.message;
    if (told?.status !== status || !isKnown) this.#memberIs(member, status, reason);
  }

  /** A transition whose line was not read is made good by the figures. */
  #measured(report: TrafficReport): void {
    for (const { id, status } of report.members)
      if ((status === 'UP' || status === 'DOWN') && this.#members.get(id)?.status !== status)
        this.#memberIs(id, status);
    this.#options.trafficReport(report);
  }

  #memberIs(
    member: string,
    status: 'UP' | 'DOWN',
    message = status === 'UP' ? 'it is healthy' : 'its checks fail',
  ): void {
    this.#members.set(member, { status, message });
    this.#unreported.add(member);
    if (this.#document !== 0) this.#reporting ??= setTimeout(() => this.#reportMembers(), membersMs);
  }

  #reportMembers(): void {
    clearTimeout(this.#reporting);
    this.#reporting = undefined;
    for (const member of this.#unreported) {
      const known = this.#members.get(member);
      const text = JSON.stringify(known);
      if (known === undefined || this.#reportedMembers.get(member) === text) continue;
      this.#reportedMembers.set(member, text);
      this.#options.memberReport({ node: this.#id, member, ...known });
    }
    this.#unreported.clear();
  }
}

/** Ends everything that a node has, whatever that is, and whether or not it was ever run here. */
export async function removeNode(name: string, { folder, haproxy, keepalived, provider }: NodeParts): Promise<void> {
  const own = { folder: join(folder, name), wrapper: () => [] };
  await new Keepalived({ ...own, program: keepalived, healthPort: 0 }).stop();
  await new Haproxy({ ...own, program: haproxy }).stop();
  await endProcesses(`${own.folder}/`);
  await provider.remove(name);
  await rm(own.folder, { recursive: true, force: true });
}
