// The agent of one data host: it reads etcd and its server, decides one step, takes it, and looks again.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Announcer } from '../announcer.ts';
import type { Change, Condition, EtcdClient } from '../etcd.ts';
import { monotonicMs } from './clock.ts';
import { ClusterState } from './cluster-state.ts';
import type { CopyTls } from './copy.ts';
import { CopyServer, type CopyServerOptions } from './copy-server.ts';
import { decide, type Limits, type Step, whyUnfit } from './decide.ts';
import { keepEtcdLeadershipAway } from './etcd-leadership.ts';
import { fetchCopy } from './fetch-copy.ts';
import { HaHistory } from './history.ts';
import type { KeyPlaces } from './key-fingerprints.ts';
import { type HaKeys, haKeys } from './keys.ts';
import { LeadHolder } from './lead.ts';
import { HaServer, type ServerOptions } from './server.ts';
import { StayingOut } from './staying-out.ts';
import type { SyncSet, View } from './view.ts';

export interface AgentOptions extends Omit<ServerOptions, 'heartbeatMs' | 'onSessionEnd'> {
  readonly etcd: EtcdClient;
  readonly cluster: string;
  readonly leaseMs: number;
  /** Commits wait for a second copy as long as it takes; the same at all hosts. Default: they are let go without it. */
  readonly strict?: boolean;
  /** Once it was lost as the primary, it returns only if a person wants it. */
  readonly rejoinsByHand?: boolean;
  /** Hosts that receive, and are never waited for nor promoted by themselves. */
  readonly asynchronous?: readonly string[];
  /** Where hosts are: a member elsewhere outlives the loss of a site. */
  readonly sites?: Readonly<Record<string, string>>;
  readonly limits?: Partial<Limits>;
  /** A host whose data can't follow gets a copy of the primary's. Left out: a person has to make it. */
  readonly copies?: {
    readonly tls: CopyTls;
    readonly ports: Readonly<Record<string, number>>;
    readonly mostBytesPerSecond?: number;
    /** Default: every host with a certificate of the authority gets one. */
    readonly mayAsk?: CopyServerOptions['mayAsk'];
  };
  /** Of the API on this host: other hosts are told which keys it has. */
  readonly keyPlaces?: KeyPlaces;
  /** Whether the Redis of this host answers; left out: there is none. */
  readonly redisAnswers?: () => boolean | undefined;
  /** Those who are connected to this host; left out: they are told nothing of a switchover. */
  readonly clients?: { leave(): Promise<void>; stay(): Promise<void> };
  /** Who leads clients to the primary. */
  readonly announcer?: Announcer;
}

/** Of a look that nothing calls for: changes in etcd, and the end of the server, do. */
const tickMs = 200;
const usualLimits: Limits = {
  ...{
    heartbeatMs: 1_000,
    detachMs: 1_000,
    inviteMs: 30_000,
    askMs: 1_000,
    admitMs: 3_000,
    againMs: 2_000,
    startMs: 60_000,
    memberFirstMs: 5_000,
  },
  ...{ reportMs: 3_000, mostBehind: 1_000, mostClockOffMs: 1_000 },
};
const soonMs = 10;
/** A server whose sessions have ended is still a process for a moment. */
const endsWithinMs = 500;
/** What may not have helped, and is tried again. */
const pausing: ReadonlySet<Step['kind']> = new Set(['wait', 'follow', 'rest', 'clone', 'close', 'hold', 'bar']);
const startPauseMs = 1_000;
const copyPauseMs = 5_000;
/** The address is here for a moment after the lead was handed over. */
const addressStaysMs = 2_000;
const usualBytesPerSecond = 100 * 1024 * 1024;

export class HaAgent {
  readonly #options: AgentOptions;
  readonly #limits: Limits;
  readonly #keys: HaKeys;
  readonly #server: HaServer;
  readonly #lead: LeadHolder;
  readonly #history: HaHistory;
  readonly #state: ClusterState;
  readonly #staying: StayingOut;
  readonly #stop = new AbortController();
  #admission: View['admission'];
  #sealedRevision: number | undefined;
  #leaderlessSinceMs: number | undefined;
  #asking: View['asking'];
  #wished: { readonly to: string; readonly sinceMs: number } | undefined;
  readonly #failedAtMs: Record<string, number> = {};
  /** For whom commits wait, or waited last. */
  #waitedFor: string | undefined;
  #leaderRevision = 0;
  #hasMembers = true;
  #isStarting = false;
  /** Writes were open at the last look. */
  #isOpen = false;
  /** Of the primary. */
  #epoch = 0;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #copiedAtMs = Number.NEGATIVE_INFINITY;
  #copying: Promise<void> | undefined;
  /** Of the copy that is being made: the share that has been received. */
  #copied: number | undefined;
  #copies: CopyServer | undefined;
  /** For a switchover, since it was begun. */
  #leaving: { isDone: boolean } | undefined;
  #handedOverAtMs = Number.NEGATIVE_INFINITY;
  #isWoken = false;
  #sessionEndedAtMs = Number.NEGATIVE_INFINITY;
  #endPause: () => void = () => undefined;
  #lastStep = '';
  #done: Promise<void> | undefined;

  private constructor(options: AgentOptions, limits: Limits, server: HaServer, lead: LeadHolder, staying: StayingOut) {
    this.#staying = staying;
    this.#options = options;
    this.#limits = limits;
    this.#keys = haKeys(options.cluster);
    this.#server = server;
    this.#lead = lead;
    this.#history = new HaHistory({ ...options, keys: this.#keys, server });
    const { etcd, me, hosts, keyPlaces = {}, redisAnswers = () => undefined } = options;
    const names = Object.keys(hosts);
    this.#state = new ClusterState({ etcd, keys: this.#keys, me, hosts: names, keyPlaces, redisAnswers });
  }

  /** It takes over a server that runs. */
  static async start(options: AgentOptions): Promise<HaAgent> {
    const limits = { ...usualLimits, ...options.limits };
    let agent: HaAgent | undefined;
    const onSessionEnd = () => agent?.sessionEnded();
    const server = await HaServer.open({ ...options, heartbeatMs: limits.heartbeatMs, onSessionEnd });
    await server.removeRoutes();
    const home = await options.folder.subfolder('ha');
    const staying = await StayingOut.open(join(home, 'led'), options.rejoinsByHand === true);
    const lead = await LeadHolder.open({
      ...{ etcd: options.etcd, log: options.log, leaseMs: options.leaseMs },
      file: join(home, 'lead.json'),
      mayRenew: () => agent?.mayRenew ?? false,
      async onFence(fenceAtMs, endsAtMs) {
        await server.fence(fenceAtMs, endsAtMs);
        agent?.renewed(fenceAtMs);
      },
    });
    agent = new HaAgent(options, limits, server, lead, staying);
    // One that was killed amid a switchover may have shut them out.
    agent.#letClientsIn();
    await agent.#giveCopies();
    await agent.#state.fingerprints.read();
    agent.#done = agent.#run();
    return agent;
  }

  /** The server goes on, as long as the lease lasts. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#done;
    await this.#copying;
    await this.#copies?.stop();
    this.#lead.close();
    this.#server.close();
  }

  /** Of hosts that have left: none follows this one any more. */
  refuseReplicas(serverIds: readonly number[]): void {
    this.#server.refuseReplicas(serverIds);
  }

  /** After `stop`: of a host that has left. */
  killServer(): void {
    this.#server.kill();
  }

  get serverPid(): number | undefined {
    return this.#server.pid;
  }

  /** A server that is dead gives the lead away, if there is somebody to take it. */
  get mayRenew(): boolean {
    if (this.#isStarting || !this.#hasMembers || this.#server.duty !== 'primary') return true;
    return monotonicMs() - this.#server.aliveAtMs < this.#limits.heartbeatMs;
  }

  async #run(): Promise<void> {
    this.#watch().catch((error: unknown) => this.#options.log.error(`etcd is not watched any more: ${String(error)}`));
    void keepEtcdLeadershipAway({
      ...this.#options,
      isPrimary: () => this.#lead.current !== undefined,
      signal: this.#stop.signal,
    });
    while (!this.#stop.signal.aborted) {
      const step = await this.#tick().catch((error: unknown) => {
        this.#options.log.warn(`a step failed, and is looked at again: ${String(error)}`);
        return undefined;
      });
      const isSoon =
        monotonicMs() - this.#sessionEndedAtMs < endsWithinMs || (step?.kind === 'wait' && step.soon === true);
      if (step === undefined || pausing.has(step.kind)) await this.#pause(isSoon ? soonMs : tickMs);
    }
  }

  async #tick(): Promise<Step> {
    const [read, server] = await Promise.all([this.#state.read(), this.#server.view()]);
    const shared = read?.shared;
    this.#leaderRevision = read?.leaderRevision ?? 0;
    this.#isStarting = server.state === 'starting';
    if (shared !== undefined) {
      this.#hasMembers = (shared.sync?.members.length ?? 0) > 0;
      this.#leaderlessSinceMs = shared.leader === undefined ? (this.#leaderlessSinceMs ?? monotonicMs()) : undefined;
      this.#history.saw(shared.leader?.host);
      const to = shared.wishes.switchoverTo;
      if (to !== this.#wished?.to) this.#wished = to === undefined ? undefined : { to, sinceMs: monotonicMs() };
    }
    if (read?.isToRejoin === true) await this.#letReturn();
    const { fingerprints } = this.#state;
    const view: View = {
      ...{
        sealing: fingerprints.sealing,
        me: this.#options.me,
        nowMs: monotonicMs(),
        shared,
        server,
        reign: this.#lead.current,
      },
      ...{ strict: this.#options.strict ?? false, staysOut: this.#staying.staysOut },
      ...{
        admission: this.#admission,
        sealedRevision: this.#sealedRevision,
        leaderlessSinceMs: this.#leaderlessSinceMs,
        asking: this.#asking,
        wishedSinceMs: this.#wished?.sinceMs,
        failedAtMs: this.#failedAtMs,
      },
      ...{ asynchronous: this.#options.asynchronous, sites: this.#options.sites },
    };
    this.#announce(view);
    const step = decide(view, this.#limits);
    this.#tell(step);
    this.#endLeaving(step, view);
    if (shared !== undefined) this.#state.tellAway(this.#whyAway(step, view));
    this.#noteAsking(step, view);
    this.#state.report(server, {
      ...{ unfit: whyUnfit(view, view.me, view.sealing, this.#limits), asks: this.#asking?.reign },
      isAwaited: shared?.sync?.admission?.host === view.me && shared.sync.members.length === 0,
    });
    await this.#execute(step, view);
    return step;
  }

  #noteAsking(step: Step, { shared, nowMs }: View): void {
    const reign = step.kind === 'wait' && step.asks === true ? shared?.leader?.reign : undefined;
    if (reign === this.#asking?.reign) return;
    this.#asking = reign === undefined ? undefined : { reign, sinceMs: nowMs };
  }

  async #letReturn(): Promise<void> {
    const { etcd, me } = this.#options;
    await this.#staying.mayReturn();
    await etcd.transact([], [{ delete: this.#keys.rejoin(me) }]);
  }

  /** Why this host is no copy now; undefined: it is one, or the primary. */
  #whyAway(step: Step, { server, reign, staysOut }: View): string | undefined {
    if (reign !== undefined) return undefined;
    if (server.state === 'copying')
      return this.#copied === 1 ? 'a copy is prepared' : `a copy: ${Math.floor((this.#copied ?? 0) * 100)} %`;
    const receives = server.state === 'up' && server.replica?.receiving === true;
    if (receives && staysOut !== true) return undefined;
    return step.kind === 'wait' ? step.why : `next step: ${step.kind}`;
  }

  /** The server may have ended. */
  sessionEnded(): void {
    this.#sessionEndedAtMs = monotonicMs();
    this.#wake();
  }

  /** The lease lasts until then. */
  renewed(fenceAtMs: number): void {
    if (this.#isOpen) this.#options.announcer?.held(fenceAtMs, this.#epoch);
  }

  #announce({ server, reign, shared }: View): void {
    this.#isOpen = reign !== undefined && server.state === 'up' && server.duty === 'primary' && server.writable;
    // While etcd does not answer it is as it was.
    this.#epoch = shared?.sync?.epoch ?? this.#epoch;
    if (this.#isOpen && reign !== undefined) this.#options.announcer?.held(reign.fenceAtMs, this.#epoch);
    // One that was taken over is "starting" until it has answered: what was told holds as long as the lease.
    else if (server.state !== 'starting') this.#options.announcer?.lost();
  }

  /** Before the lead is given up: nobody is led here once another host may have it. */
  #tellLost(): void {
    this.#isOpen = false;
    this.#options.announcer?.lost();
  }

  async #execute(step: Step, view: View): Promise<void> {
    const { me } = this.#options;
    switch (step.kind) {
      case 'wait':
        return;
      case 'fence':
        this.#tellLost();
        this.#server.kill();
        return this.#giveUp(step.why);
      case 'resign':
        this.#tellLost();
        return this.#giveUp(step.why);
      case 'close':
        return this.#haveClientsLeft() ? this.#server.closeWrites() : undefined;
      case 'hand-over':
        this.#handedOverAtMs = monotonicMs();
        this.#tellLost();
        // Best effort: what is left of the mark keeps it out.
        void this.#staying.mayReturn().catch(() => undefined);
        this.#server.kill();
        return this.#giveUp(`a switchover to ${step.host} was asked for`);
      case 'start':
        // One that ends at once, on a full disk for example, is not started without a pause.
        if (view.nowMs - this.#startedAtMs < startPauseMs) return sleep(startPauseMs);
        this.#startedAtMs = monotonicMs();
        // A start as a standby rolls back what nobody has acknowledged.
        if (step.role === 'SLAVE') await this.#history.save();
        return this.#server.start(step.role);
      case 'follow':
        await this.#staying.mayReturn();
        return this.#server.follow(step.host, step.reign, step.admission);
      case 'rest':
        return this.#server.rest();
      case 'clone':
        return this.#copy(step.host);
      case 'take-lead': {
        const { id, lease } = await this.#lead.prepare();
        const value = JSON.stringify({ host: me, reign: id });
        await this.#options.etcd.transact(
          [
            { key: this.#keys.leader, revision: 0 },
            { key: this.#keys.sync, revision: step.syncRevision },
          ],
          [{ put: this.#keys.leader, value, lease }],
        );
        return;
      }
      case 'stop-receiving':
        return this.#server.stopReceiving();
      case 'apply-received':
        return this.#server.applyReceived(step.from, step.reign);
      case 'take-sync': {
        // The database may have been another cluster's, or a lone server's.
        const epoch = Math.max(step.epoch, (await this.#server.newestEpoch()) + 1);
        return this.#change(
          view,
          step.syncRevision,
          (_sync, reign) => ({ primary: me, epoch, reign, lossy: step.lossy, members: [] }),
          // A wish that was granted, or that this promotion has overtaken.
          [
            { delete: this.#keys.switchover },
            { delete: this.#keys.lossy },
            ...(await this.#history.change(view, epoch, step.lossy)),
          ],
        );
      }
      case 'seal':
        return this.#change(view, step.syncRevision, (sync) => sync);
      case 'detach':
        this.#waitedFor = step.host;
        return this.#change(view, step.syncRevision, (sync) => ({ ...sync, members: [], admission: undefined }));
      case 'withdraw':
        return this.#change(view, step.syncRevision, (sync) => ({ ...sync, admission: undefined }));
      case 'bar':
        return this.#server.bar();
      case 'invite': {
        const admission = { host: step.host, id: randomBytes(8).toString('hex') };
        await this.#server.allow(admission.id, admission.host);
        this.#admission = { ...admission, sinceMs: monotonicMs(), stage: 'invited', early: step.early };
        return this.#change(view, step.syncRevision, (sync) => ({ ...sync, admission }));
      }
      case 'admit': {
        this.#sealedRevision = undefined;
        this.#admission = undefined;
        const member = { host: step.host, incarnation: step.incarnation };
        await this.#change(view, step.syncRevision, (sync) => ({ ...sync, members: [member] }));
        this.#sealedRevision = undefined;
        return;
      }
      case 'open': {
        const lead = this.#lead.current;
        if (lead === undefined) return;
        const mayOpen = () => monotonicMs() < (this.#lead.current?.id === lead.id ? this.#lead.current.fenceAtMs : 0);
        const fenced = await this.#history.fencedBy(step.epoch);
        const { epoch, lossy, waits } = step;
        await this.#server.open({ epoch, lossy, fenced, waits, mayOpen });
        await this.#history.opened();
        return this.#staying.led();
      }
      case 'release':
        this.#admission = undefined;
        await this.#server.waitForAcknowledgements(false);
        if (view.server.state === 'up' && view.server.writable) this.#hasFailed(this.#waitedFor);
        return;
      case 'hold':
        return this.#server.waitForAcknowledgements(true);
      case 'refuse':
        if (!step.yields) this.#hasFailed(this.#admission?.host);
        this.#admission = undefined;
        return;
      case 'arm':
        if (this.#admission === undefined) return;
        this.#waitedFor = step.host;
        await this.#server.waitForAcknowledgements(true);
        this.#admission = {
          ...{ host: step.host, id: this.#admission.id, incarnation: step.incarnation },
          ...{ sinceMs: monotonicMs(), stage: 'armed' },
        };
        return;
      case 'prove':
        return this.#prove();
    }
  }

  /** Undefined: an agent before this one knew who. */
  #hasFailed(host: string | undefined): void {
    for (const each of host === undefined ? Object.keys(this.#options.hosts) : [host])
      this.#failedAtMs[each] = monotonicMs();
  }

  /** Not waited for: the member may be lost meanwhile. */
  #haveClientsLeft(): boolean {
    const { clients, log } = this.#options;
    if (clients === undefined) return true;
    if (this.#leaving === undefined) {
      const leaving = { isDone: false };
      this.#leaving = leaving;
      clients
        .leave()
        .catch((error: unknown) => log.warn(`ha: clients are connected while the address moves: ${String(error)}`))
        .finally(() => {
          leaving.isDone = true;
          this.#wake();
        });
    }
    return this.#leaving.isDone;
  }

  /** The switchover is done, or was given up. */
  #endLeaving({ kind }: Step, { nowMs }: View): void {
    if (this.#leaving === undefined || kind === 'close' || kind === 'hand-over') return;
    if (nowMs - this.#handedOverAtMs < addressStaysMs) return;
    this.#leaving = undefined;
    this.#letClientsIn();
  }

  #letClientsIn(): void {
    const { clients, log } = this.#options;
    clients?.stay().catch((error: unknown) => log.warn(`ha: clients are not let in: ${String(error)}`));
  }

  async #giveUp(why: string): Promise<void> {
    this.#admission = undefined;
    const lead = this.#lead.current;
    if (lead === undefined) return;
    await this.#history.ended(lead.id, why);
    await this.#lead.giveUp();
  }

  async #giveCopies(): Promise<void> {
    const { copies, hosts, me, log } = this.#options;
    const [address, port] = [hosts[me]?.address, copies?.ports[me]];
    if (copies === undefined || address === undefined || port === undefined) return;
    this.#copies = await CopyServer.start({
      ...{ address, port, log, tls: copies.tls },
      mostBytesPerSecond: copies.mostBytesPerSecond ?? usualBytesPerSecond,
      source: () => this.#server.copySource(),
      mayAsk: copies.mayAsk,
    });
  }

  /** Goes on beside the steps. */
  #copy(from: string): void {
    const { copies, hosts, log } = this.#options;
    const [address, port] = [hosts[from]?.address, copies?.ports[from]];
    if (copies === undefined || address === undefined || port === undefined || this.#copying !== undefined) return;
    if (monotonicMs() - this.#copiedAtMs < copyPauseMs) return;
    const { signal } = this.#stop;
    const work = async () => {
      await this.#history.save();
      const onProgress = (share: number): void => {
        this.#copied = share;
      };
      await this.#server.replaceData((place) =>
        fetchCopy({ ...place, address, port, log, tls: copies.tls, signal, onProgress }),
      );
      log.info(`ha: the data is a copy of ${from}'s`);
    };
    this.#copying = work()
      .catch((error: unknown) => log.warn(`ha: no copy was made, and one is tried again: ${String(error)}`))
      .finally(() => {
        this.#copying = undefined;
        this.#copied = undefined;
        this.#copiedAtMs = monotonicMs();
      });
  }

  #prove(): void {
    if (this.#admission === undefined) return;
    const proving = { ...this.#admission, stage: 'proving' as const };
    this.#admission = proving;
    this.#server.prove().then(
      () => {
        // Released meanwhile: then it ended without an acknowledgement, and this admission is over.
        if (this.#admission === proving) this.#admission = { ...proving, stage: 'proved' };
        this.#wake();
      },
      () => undefined,
    );
  }

  /** Only while the lead is held and `sync` is as it was read. */
  async #change(
    view: View,
    revision: number,
    to: (sync: SyncSet, reign: string) => SyncSet,
    others: readonly Change[] = [],
  ): Promise<void> {
    const { sync, leader } = view.shared ?? {};
    if (sync === undefined || leader === undefined || view.reign === undefined) return;
    const conditions: Condition[] = [
      { key: this.#keys.leader, revision: this.#leaderRevision },
      { key: this.#keys.sync, revision },
    ];
    const { revision: _read, ...plain } = sync;
    const changes: Change[] = [{ put: this.#keys.sync, value: JSON.stringify(to(plain, view.reign.id)) }, ...others];
    const result = await this.#options.etcd.transact(conditions, changes);
    if (result.done) this.#sealedRevision = result.revision;
  }

  /** Each change in etcd that may change the next step ends the pause. */
  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    const { prefix, leader, sync, switchover, lossy, members } = this.#keys;
    const waking = new Set([leader, sync, switchover, lossy, members, this.#keys.rejoin(this.#options.me)]);
    for await (const { keys, lost } of this.#options.etcd.watch({ prefix, fromRevision: 0, signal }))
      if (lost || keys.some((key) => waking.has(key))) this.#wake();
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endPause = resolve;
    const { signal } = this.#stop;
    if (!this.#isWoken) await Promise.race([promise, sleep(ms, undefined, { signal }).catch(() => undefined)]);
    this.#isWoken = false;
  }

  #wake(): void {
    this.#isWoken = true;
    this.#endPause();
  }

  #tell(step: Step): void {
    const text = JSON.stringify(step);
    if (text !== this.#lastStep) this.#options.log.info(`ha: ${text}`);
    this.#lastStep = text;
  }
}
