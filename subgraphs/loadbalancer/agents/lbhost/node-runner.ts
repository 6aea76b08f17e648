// Brings one node to its document: its place, HAProxy in it and HAProxy's state, and its share of a floating address. Runs when the
// document changes, and every second. Reports what is in effect.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../../../platform/log/log.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { comparePositions, type Position } from '../../../../platform/values/positions.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Turns } from '../../../../platform/work/turns.ts';
import type { HaproxyModel } from '../../rules/haproxy/model.ts';
import { renderNode } from '../../rules/haproxy/render.ts';
import { mostAttempts } from '../../rules/provisioning.ts';
import type { StatisticsReport } from '../../wire/statistics-report.ts';
import type { TrafficReport } from '../../wire/traffic-report.ts';
import { positionOf, type WantedNode } from '../../wire/wanted-node.ts';
import { AccessLog } from './access-log.ts';
import { type Cell, plainCell } from './confinement/cell.ts';
import type { Confinement } from './confinement/confinement.ts';
import { openGood } from './good-part.ts';
import { Haproxy, RefusedError } from './haproxy/haproxy.ts';
import { LogReader, type Transition } from './haproxy/log-reader.ts';
import { inGraphsWords } from './haproxy/refusal.ts';
import { RuntimeError, RuntimeSocket } from './haproxy/runtime-socket.ts';
import { StatisticsTable } from './haproxy/statistics-table.ts';
import { TrafficMeter } from './haproxy/traffic-meter.ts';
import { Keepalived } from './keepalived.ts';
import type { AddressesOf } from './member-names.ts';
import { MemberServers, memberOf } from './member-servers.ts';
import { appliedOf, readText, writeApplied, writePrivate } from './node-files.ts';
import { endProcesses, isApart } from './own-processes.ts';
import type { NodeProvider } from './providers/provider.ts';

/** A host's report about one of its nodes. */
export interface NodeReport {
  readonly node: string;
  /** Its place exists and has its addresses. */
  readonly made: boolean;
  /** History of the two generations. Null if no document is in effect. */
  readonly history: string | null;
  /** The generations in effect of the load balancer and of the node's document. 0 if none is. */
  readonly applied: number;
  readonly document: number;
  /** Number of client sessions while it drains. Null if it is not draining or the number is unknown. */
  readonly sessions: number | null;
  /** UUID of the current start of HAProxy. Null if it is not running. */
  readonly incarnation: string | null;
  /** Why the document is not in effect. Null if it is. */
  readonly error: string | null;
  /** HAProxy ended so often within the window that it is not restarted at once. */
  readonly givenUp: boolean;
}

export interface MemberReport {
  readonly node: string;
  /** UUID of the member. */
  readonly member: string;
  readonly status: 'UP' | 'DOWN';
  readonly message: string;
}

/** What is needed to remove a node. */
interface NodeDependencies {
  /** Contains one folder per node. */
  readonly folder: string;
  /** Paths of the programs. */
  readonly haproxy: string;
  readonly keepalived: string;
  readonly provider: NodeProvider;
  readonly confinement: Confinement;
}

interface NodeRunnerOptions extends NodeDependencies {
  /** Limits how many places are created and HAProxies started at once: hundreds together would all be late. */
  readonly turns: Turns;
  readonly log: Logger;
  readonly healthPort: number;
  readonly addressesOf: AddressesOf;
  readonly wanted: () => WantedNode | undefined;
  /** Why a later document was refused. Undefined if none was. */
  readonly fault: () => string | undefined;
  readonly report: (report: NodeReport) => void;
  readonly memberReport: (report: MemberReport) => void;
  readonly trafficReport: (report: TrafficReport) => void;
  readonly statisticsReport: (report: StatisticsReport) => void;
}

const lookAgainMs = 1_000;
/** People look at the statistics, nothing else. */
const statisticsEveryMs = 5_000;
/** A HAProxy that ends more often than this within the window is started only once per window. */
const mostStarts = 5;
const startWindowMs = 300_000;
/** HAProxy logs several transitions of a member at once, for example when it starts: only the last one is reported. */
const membersMs = 10;
/** A HAProxy that runs but does not answer this many polls counts as lost. */
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
  readonly #statistics: StatisticsTable;
  #statisticsAtMs = 0;
  readonly #traffic: Loop;
  readonly #keepalived: Keepalived;
  #haproxy: Haproxy;
  #cell: Cell;
  #incarnation: string | undefined;
  /** Position of the document in effect. */
  #document: Position | undefined;
  /** The load balancer's generation in effect. Unknown for an adopted HAProxy. */
  #applied: Position | undefined;
  #reported = '';
  /** Why HAProxy did not start, or why the document is not in effect. */
  #cause = '';
  /** Attempts in a row that failed. */
  #failures = 0;
  /** Told as the reason: a refusal, or what has failed several times. */
  #error: string | null = null;
  #starts: number[] = [];
  /** Position of the document with which it was last started. */
  #startedWith: Position | undefined;
  #silentLooks = 0;
  readonly #servers = new MemberServers();
  /** Last reported states of members. */
  readonly #members = new Map<string, Pick<MemberReport, 'status' | 'message'>>();
  /** Members with news, which waits for the node's own report, and briefly for related news. */
  readonly #unreported = new Set<string>();
  /** The last report of each, as text. */
  readonly #reportedMembers = new Map<string, string>();
  #reporting: NodeJS.Timeout | undefined;
  /** Timer of a pending reload. */
  #again: NodeJS.Timeout | undefined;

  constructor(node: WantedNode, options: NodeRunnerOptions) {
    this.#options = options;
    this.#id = node.id;
    this.#name = node.name;
    this.#folder = join(options.folder, node.name);
    this.#cell = plainCell(this.#folder);
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
      start: () => this.#incarnation ?? '',
      parts: () => options.wanted()?.parts ?? [],
    });
    this.#statistics = new StatisticsTable(node.id);
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
      cell: () => this.#cell,
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

  /** Releases the node; it keeps serving. */
  async leave(): Promise<void> {
    await this.#loop.stop();
    await this.#traffic.stop();
    clearTimeout(this.#again);
    clearTimeout(this.#reporting);
    await this.#haproxy.leave();
    await this.#lines.stop();
    await this.#accessLog.written();
  }

  /** Sends the last reports again, as after a new connection. */
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
      const { wrapper } = await (isNew ? this.#options.turns.run(make, signal) : make());
      this.#cell = await this.#options.confinement.cell(wanted, wrapper);
      made = true;
      if (await this.#bring(wanted, pid, signal)) {
        await this.#keepalived.bring(wanted);
        [this.#cause, this.#failures, this.#error] = ['', 0, this.#options.fault() ?? null];
        const sessions = await this.#sessions(wanted);
        this.#tell({ made, error: this.#error, givenUp: false, sessions });
      } else
        this.#tell({
          made,
          error: `HAProxy ended ${mostStarts} times within five minutes. ${this.#cause}`,
          givenUp: true,
        });
    } catch (error) {
      // The shared address does not wait for the document. Its error is reported once the document is accepted.
      if (error instanceof RefusedError && this.#incarnation !== undefined)
        await this.#keepalived.bring(wanted).catch(() => undefined);
      this.#cause = error instanceof Error ? error.message : String(error);
      this.#failures += 1;
      // On a busy machine an attempt may fail for want of time, and the next one succeed.
      if (error instanceof RefusedError || this.#failures >= mostAttempts) this.#error = this.#cause;
      this.#tell({ made, error: this.#error, givenUp: false });
      throw error;
    }
  }

  /** Counted only while it accepts no new ones. */
  async #sessions(wanted: WantedNode): Promise<number | null> {
    if (wanted.state !== 'DRAIN' || !isAt(this.#document, wanted)) return null;
    return this.#meter.sessions().catch(() => null);
  }

  /** False if HAProxy ends again and again, and is not started now. */
  async #bring(wanted: WantedNode, pid: number | undefined, signal: AbortSignal): Promise<boolean> {
    if (pid === undefined) return this.#start(wanted, signal);
    if (this.#incarnation === undefined && !(await this.#adopt(wanted))) return this.#start(wanted, signal);
    const model = this.#model(wanted);
    for (const member of this.#servers.nameless(wanted.parts, model))
      if (this.#members.get(member)?.status !== 'DOWN')
        this.#memberIs(member, 'DOWN', 'its host name, or that of monitorHost, has no address that may be dialled');
    const { reloaded, reasons, waitMs } = await this.#haproxy.apply(model);
    if (reloaded) this.#options.log.info({ node: this.#name, reasons }, 'HAProxy was reloaded');
    if (waitMs > 0) this.#again = setTimeout(() => this.#loop.trigger(), waitMs);
    else await this.#keepApplied(wanted);
    return true;
  }

  async #start(wanted: WantedNode, signal: AbortSignal): Promise<boolean> {
    const now = performance.now();
    // Another document may start where this one did not.
    if (!isAt(this.#startedWith, wanted)) this.#starts = [];
    this.#starts = this.#starts.filter((at) => now - at < startWindowMs);
    const isFirst = this.#startedWith === undefined;
    this.#startedWith = positionOf(wanted);
    [this.#document, this.#applied, this.#incarnation] = [undefined, undefined, undefined];
    if (this.#starts.length >= mostStarts) return false;
    this.#starts.push(now);
    const isKnown = (await readText(this.#incarnationFile)) !== undefined;
    // Left by an earlier process of this host that was killed while starting it.
    if (isFirst && isKnown) await endProcesses(join(this.#folder, 'haproxy.cfg'));
    const incarnation = newUuid();
    await writePrivate(this.#incarnationFile, incarnation);
    let runs = false;
    const open = async (node: WantedNode) => {
      const model = this.#model(node, incarnation);
      if (!runs) {
        // Clients may know its address: until it has a member for them, it refuses their connections and they try another node.
        const closed = isKnown ? this.#model({ ...node, state: 'DRAIN' }, incarnation) : model;
        const start = () => {
          // Before HAProxy starts, so that none of its first lines is skipped.
          this.#lines.start();
          return this.#haproxy.start(closed);
        };
        const late = await this.#options.turns.run(start, signal).then(
          () => undefined,
          (error: unknown) => {
            if (error instanceof RuntimeError) return error;
            throw error;
          },
        );
        runs = true;
        this.#incarnation = incarnation;
        this.#traffic.start();
        await (isKnown ? this.#haproxy.firstMembers() : this.#haproxy.firstChecks());
        // For a known node this is reported when its listeners are opened.
        if (late !== undefined && !isKnown) throw late;
      }
      if (isKnown) await this.#haproxy.apply(model);
    };
    const { node, refusal } = await openGood(wanted, isKnown ? await appliedOf(this.#folder) : undefined, open);
    await this.#keepApplied(node);
    if (refusal !== undefined) throw refusal;
    return true;
  }

  /** Adopts a HAProxy that an earlier process of this host started. False if it did not answer and was ended. */
  async #adopt(wanted: WantedNode): Promise<boolean> {
    const kept = (await readText(this.#incarnationFile))?.trim();
    const incarnation = kept === undefined || kept === '' ? newUuid() : kept;
    const before = await appliedOf(this.#folder);
    await this.#cell.prepare();
    this.#lines.start();
    if (await this.#haproxy.adopt(this.#model(before ?? wanted, incarnation))) {
      if (incarnation !== kept) await writePrivate(this.#incarnationFile, incarnation);
      this.#incarnation = incarnation;
      this.#traffic.start();
      this.#applied = before && appliedBy(before);
      this.#silentLooks = 0;
      if (this.#cell.uid !== null && !(await isApart(await this.#haproxy.pid())))
        this.#options.log.warn(
          { node: this.#name },
          'HAProxy was started before nodes were confined, and has more rights than it needs: replace the node',
        );
      return true;
    }
    this.#silentLooks += 1;
    if (this.#silentLooks < mostSilentLooks) throw new Error('HAProxy runs, but does not answer');
    this.#options.log.warn({ node: this.#name }, 'restarting a HAProxy that does not answer');
    await this.#haproxy.stop();
    this.#haproxy = this.#newHaproxy();
    return false;
  }

  async #keepApplied(wanted: WantedNode): Promise<void> {
    if (isAt(this.#document, wanted)) return;
    await writeApplied(this.#folder, wanted);
    this.#document = positionOf(wanted);
    this.#applied = appliedBy(wanted);
  }

  #newHaproxy(): Haproxy {
    const { haproxy: program } = this.#options;
    return new Haproxy({ program, folder: this.#folder, cell: () => this.#cell });
  }

  get #incarnationFile(): string {
    return join(this.#folder, 'incarnation');
  }

  #model(wanted: WantedNode, incarnation = this.#incarnation ?? ''): HaproxyModel {
    const { addressesOf, healthPort } = this.#options;
    return renderNode(wanted, {
      ...{ folder: this.#folder, healthPort, incarnation, now: Date.now() },
      addressesOf: (name, port) => addressesOf(name, port, wanted.projectId ?? wanted.loadBalancer.id),
      ...{ runtimeSocket: join(this.#folder, 'run.sock'), uid: this.#cell.uid },
    });
  }

  #tell(now: Pick<NodeReport, 'made' | 'error' | 'givenUp'> & Partial<Pick<NodeReport, 'sessions'>>): void {
    const { made, error, givenUp, sessions = null } = now;
    const report = {
      ...{ node: this.#id, made, sessions, history: this.#applied?.history ?? null },
      ...{ applied: this.#applied?.number ?? 0, document: this.#document?.number ?? 0 },
      ...{ incarnation: this.#incarnation ?? null, givenUp },
      error:
        error === null
          ? null
          : inGraphsWords(error, this.#folder, this.#options.wanted()?.parts ?? []).slice(0, mostReasonLength),
    };
    const text = JSON.stringify(report);
    if (text !== this.#reported) this.#options.report(report);
    this.#reported = text;
    if (this.#document !== undefined) this.#reportMembers();
  }

  #transition({ backend, server, status, reason, timedOut }: Transition): void {
    // Its sessions wait for a member that does not answer. Sessions of a member that answers wrongly may end normally.
    if (status === 'DOWN' && timedOut) void this.#haproxy.endSessions(backend, server).catch(() => undefined);
    const member = memberOf(server);
    // Another of its addresses still serves.
    if (member === undefined || this.#servers.after(server, status) !== status) return;
    const told = this.#members.get(member);
    // After a reload the first check of each healthy member is logged: that is not news.
    const isKnown = status === 'UP' || reason === undefined || reason === told?.message;
    if (told?.status !== status || !isKnown) this.#memberIs(member, status, reason);
  }

  /** If the log line of a transition was lost, the figures still show it. */
  #measured(report: TrafficReport): void {
    this.#servers.take(this.#meter.source?.rows ?? []);
    for (const { id, status } of report.members)
      if ((status === 'UP' || status === 'DOWN') && this.#members.get(id)?.status !== status)
        this.#memberIs(id, status);
    this.#options.trafficReport(report);
    const { source } = this.#meter;
    if (source === undefined || Math.abs(report.at - this.#statisticsAtMs) < statisticsEveryMs) return;
    this.#statisticsAtMs = report.at;
    this.#options.statisticsReport(this.#statistics.read(source));
  }

  #memberIs(
    member: string,
    status: 'UP' | 'DOWN',
    message = status === 'UP' ? 'it is healthy' : 'its checks fail',
  ): void {
    this.#members.set(member, { status, message });
    this.#unreported.add(member);
    if (this.#document !== undefined) this.#reporting ??= setTimeout(() => this.#reportMembers(), membersMs);
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

function isAt(position: Position | undefined, wanted: WantedNode): boolean {
  return position !== undefined && comparePositions(position, positionOf(wanted)) === 'SAME';
}

/** Position of the load balancer. */
function appliedBy({ history, loadBalancer: { generation } }: WantedNode): Position {
  return { history, number: generation };
}

/** Ends everything of a node, whatever exists of it, even if it never ran here. */
export async function removeNode(name: string, dependencies: NodeDependencies): Promise<void> {
  const { folder: nodes, haproxy, keepalived, provider, confinement } = dependencies;
  const folder = join(nodes, name);
  const own = { folder, cell: () => plainCell(folder) };
  await new Keepalived({ ...own, program: keepalived, healthPort: 0 }).stop();
  await new Haproxy({ ...own, program: haproxy }).stop();
  await endProcesses(`${folder}/`);
  await provider.remove(name);
  await confinement.unlimit(name);
  await rm(folder, { recursive: true, force: true });
  confinement.forget(name);
}
