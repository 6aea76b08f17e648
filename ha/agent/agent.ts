// The agent of one data host: it observes etcd and its server, decides one step, takes it, and observes again.

import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processMark } from '../../embedded/process-mark.ts';
import type { Announcer } from '../announcer.ts';
import type { EtcdClient } from '../etcd.ts';
import { Actor } from './actor.ts';
import { monotonicMs } from './clock.ts';
import { ClusterState } from './cluster-state.ts';
import type { CopyTls } from './copy.ts';
import { decide, type Step, whyUnfit } from './decide.ts';
import { keepEtcdLeadershipAway } from './etcd-leadership.ts';
import { HaHistory } from './history.ts';
import type { KeyPlaces } from './key-fingerprints.ts';
import { type HaKeys, haKeys } from './keys.ts';
import { LeadHolder } from './lead.ts';
import { type Limits, limitsFor } from './limits.ts';
import type { RenewingAgent } from './renewal-for-agent.ts';
import { HaServer, type ServerOptions } from './server.ts';
import { Admissions } from './state/admissions.ts';
import { Announcing } from './state/announcing.ts';
import { ApplyPace } from './state/apply-pace.ts';
import { Copies, type CopySettings } from './state/copies.ts';
import { Delays } from './state/delays.ts';
import { type HostClients, LeavingClients } from './state/leaving-clients.ts';
import { Pause } from './state/pause.ts';
import { RenewalGuard } from './state/renewal-guard.ts';
import { SeenSince } from './state/seen-since.ts';
import { type Seen, SyncWriter } from './state/sync-writer.ts';
import { StayingOut } from './staying-out.ts';
import type { ApiState } from './view.ts';
import { whyAway } from './why-away.ts';

interface AgentOptions extends Omit<ServerOptions, 'heartbeatMs' | 'onSessionEnd' | 'onCommit' | 'agentFile'> {
  readonly etcd: EtcdClient;
  readonly cluster: string;
  readonly leaseMs: number;
  /** Commits wait for a second copy without limit. The same on all hosts. Default: after a while they continue without it. */
  readonly strict?: boolean;
  /** After this host was lost as the primary, it returns only if a person requests it. */
  readonly rejoinsByHand?: boolean;
  /** Hosts that replicate, but are never promoted automatically. Commits never wait for them. */
  readonly asynchronous?: readonly string[];
  /** Site of each host. A member at another site survives the loss of a site. */
  readonly sites?: Readonly<Record<string, string>>;
  readonly limits?: Partial<Limits>;
  /** If set, a host whose data can't follow the primary gets a copy of the primary's data. If not set, a person has to make the copy. */
  readonly copies?: CopySettings;
  /** Key folders of the API on this host. Their fingerprints are reported to the other hosts. */
  readonly keyPlaces?: KeyPlaces;
  /** Whether the Redis of this host answers. Left out if there is none. */
  readonly redisAnswers?: () => boolean | undefined;
  /** Whether `tidegate serve` of this host answers. Left out if there is none. */
  readonly apiState?: () => ApiState;
  /** When this host's certificates end (ISO 8601). */
  readonly certificatesEndAt?: () => string;
  /** Connections of clients to this host. If absent, clients get no notice of a switchover. */
  readonly clients?: HostClients;
  /** Directs clients to the primary's host. */
  readonly announcer?: Announcer;
}

/** What is opened before the agent. */
interface Parts {
  readonly limits: Limits;
  readonly server: HaServer;
  readonly lead: LeadHolder;
  readonly staying: StayingOut;
  readonly delays: Delays;
}

export class HaAgent {
  readonly #options: AgentOptions;
  readonly #limits: Limits;
  readonly #keys: HaKeys;
  readonly #server: HaServer;
  readonly #lead: LeadHolder;
  readonly #history: HaHistory;
  readonly #delays: Delays;
  readonly #state: ClusterState;
  readonly #staying: StayingOut;
  readonly #stop = new AbortController();
  readonly #pause = new Pause({ nowMs: monotonicMs, signal: this.#stop.signal });
  readonly #since = new SeenSince(monotonicMs);
  readonly #pace = new ApplyPace(monotonicMs);
  readonly #admissions: Admissions;
  readonly #sync: SyncWriter;
  readonly #renewal: RenewalGuard;
  readonly #announcing: Announcing;
  readonly #copies: Copies;
  readonly #clients: LeavingClients;
  readonly #actor: Actor;
  /** Revisions of the wish to replace this host's data. */
  readonly #reinit = { seen: 0, done: 0 };
  #lastStep = '';
  #done: Promise<void> | undefined;

  private constructor(options: AgentOptions, { limits, server, lead, staying, delays }: Parts) {
    const { etcd, log, me, hosts, clients, keyPlaces = {} } = options;
    const { redisAnswers = () => undefined, apiState = () => undefined, certificatesEndAt } = options;
    const names = Object.keys(hosts);
    const keys = haKeys(options.cluster);
    const history = new HaHistory({ etcd, keys, log, me, hosts, server, delays });
    const shared = { nowMs: monotonicMs, log, server, history, me, keys, etcd, leaseMs: options.leaseMs };
    this.#options = options;
    this.#limits = limits;
    this.#keys = keys;
    this.#server = server;
    this.#lead = lead;
    this.#history = history;
    this.#delays = delays;
    this.#staying = staying;
    this.#state = new ClusterState({
      etcd,
      keys,
      me,
      hosts: names,
      keyPlaces,
      redisAnswers,
      apiState,
      certificatesEndAt,
      delays,
    });
    this.#admissions = new Admissions(names, monotonicMs);
    this.#sync = new SyncWriter(etcd, keys);
    this.#renewal = new RenewalGuard({ server, heartbeatMs: limits.heartbeatMs, nowMs: monotonicMs });
    this.#announcing = new Announcing(options.announcer);
    const onReplaced = () => {
      this.#reinit.done = this.#reinit.seen;
    };
    this.#copies = new Copies({ ...shared, settings: options.copies, hosts, signal: this.#stop.signal, onReplaced });
    this.#clients = new LeavingClients({ clients, log, nowMs: monotonicMs, onLeft: () => this.#pause.wake() });
    this.#actor = new Actor({
      ...{ ...shared, lead, staying, admissions: this.#admissions, sync: this.#sync },
      ...{ announcing: this.#announcing, copies: this.#copies, clients: this.#clients },
      onProved: () => this.#pause.wake(),
    });
  }

  /** Adopts a server that is already running. */
  static async start(options: AgentOptions): Promise<HaAgent> {
    const limits = { ...limitsFor(options.leaseMs), ...options.limits };
    let agent: HaAgent | undefined;
    const onSessionEnd = () => {
      if (agent !== undefined) agent.#pause.sessionEnded();
    };
    const home = await options.folder.subfolder('ha');
    const [agentFile, leadFile] = [join(home, 'agent.json'), join(home, 'lead.json')];
    const mine: RenewingAgent = { agent: processMark(process.pid), leadFile, ...options.etcd.place };
    await writeFile(`${agentFile}.new`, JSON.stringify(mine), { mode: 0o600 });
    await rename(`${agentFile}.new`, agentFile);
    const delays = new Delays(monotonicMs);
    const onCommit = (ms: number) => delays.took('commit', ms);
    const { heartbeatMs } = limits;
    const server = await HaServer.open({ ...options, heartbeatMs, onSessionEnd, onCommit, agentFile });
    await server.removeRoutes();
    const staying = await StayingOut.open(join(home, 'led'), options.rejoinsByHand === true);
    const lead = await LeadHolder.open({
      ...{ etcd: options.etcd, log: options.log, leaseMs: options.leaseMs },
      file: leadFile,
      timed: (call) => delays.timed('etcd', call),
      mayRenew: () => (agent === undefined ? false : agent.#renewal.mayRenew),
      async onFence(fenceAtMs, endsAtMs) {
        await server.fence(fenceAtMs, endsAtMs);
        if (agent !== undefined) agent.#announcing.renewed(fenceAtMs);
      },
    });
    agent = new HaAgent(options, { limits, server, lead, staying, delays });
    lead.renewIfDue();
    agent.#clients.letIn();
    await agent.#copies.give();
    await agent.#state.fingerprints.read();
    agent.#done = agent.#run();
    return agent;
  }

  /** The server continues until the lease ends. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#pause.wake();
    await this.#done;
    await this.#copies.stop();
    this.#lead.close();
    this.#delays.close();
    this.#server.close();
  }

  /** Refuses hosts that have left the cluster: they can't replicate from this host any more. */
  refuseReplicas(serverIds: readonly number[]): void {
    this.#server.refuseReplicas(serverIds);
  }

  /** The host has new certificates. The server's files have been replaced. Connections that are open continue. */
  async useCertificates(tls: CopyTls): Promise<void> {
    this.#copies.use(tls);
    await this.#server.reloadCertificates();
  }

  /** Called after `stop`, on a host that has left. */
  killServer(): void {
    this.#server.kill();
  }

  get serverPid(): number | undefined {
    return this.#server.pid;
  }

  async #run(): Promise<void> {
    this.#watch().catch((error: unknown) => this.#options.log.error(`etcd is not watched any more: ${String(error)}`));
    void keepEtcdLeadershipAway({
      ...this.#options,
      isPrimary: () => this.#lead.current !== undefined,
      signal: this.#stop.signal,
    });
    while (!this.#stop.signal.aborted) {
      const step = await this.#turn().catch((error: unknown) => {
        this.#options.log.warn(`a step failed, and is tried again: ${String(error)}`);
        return undefined;
      });
      await this.#pause.after(step);
    }
  }

  async #turn(): Promise<Step> {
    const seen = await this.#observe();
    this.#announcing.saw(seen);
    const step = decide(seen, this.#limits);
    this.#logOnce(step);
    this.#clients.decided(step, seen.nowMs);
    this.#since.decided(step, seen);
    this.#report(step, seen);
    await this.#actor.act(step, seen);
    return step;
  }

  async #observe(): Promise<Seen> {
    const { me, strict = false, asynchronous, sites } = this.#options;
    const [read, server] = await Promise.all([this.#state.read(), this.#server.view()]);
    const shared = read?.shared;
    this.#renewal.saw(server, shared);
    this.#pace.saw(server);
    this.#since.sawServer(server, this.#lead.current);
    if (shared !== undefined) {
      this.#since.saw(shared);
      this.#history.saw(shared.leader?.host);
    }
    if (read?.isToRejoin === true) await this.#letReturn();
    if (read !== undefined) await this.#sawReinit(read.reinitRevision, read.shared);
    const { leaderlessSinceMs, wishedSinceMs, asking, failedStartAtMs } = this.#since;
    const { drainsInMs, stalledMs } = this.#pace;
    return {
      ...{ me, strict, asynchronous, sites, nowMs: monotonicMs(), shared, server, reign: this.#lead.current },
      ...{ leaderRevision: read?.leaderRevision ?? 0, sealing: this.#state.fingerprints.sealing },
      ...{ staysOut: this.#staying.staysOut, leaderlessSinceMs, wishedSinceMs, asking },
      ...{ drainsInMs, stalledMs, failedStartAtMs },
      ...{ admission: this.#admissions.current, failedAtMs: this.#admissions.failedAtMs },
      ...{ sealedRevision: this.#sync.sealedRevision, api: this.#options.apiState?.() },
    };
  }

  async #letReturn(): Promise<void> {
    const { etcd, me } = this.#options;
    await this.#staying.mayReturn();
    await etcd.transact([], [{ delete: this.#keys.rejoin(me) }]);
  }

  /** Removes the wish once the data is replaced, and at the primary, whose data is the one to copy. */
  async #sawReinit(revision: number, { leader, sync }: NonNullable<Seen['shared']>): Promise<void> {
    const { etcd, me } = this.#options;
    this.#reinit.seen = revision;
    const leads = leader?.host === me && sync?.primary === me;
    if (revision === 0 || (revision !== this.#reinit.done && !leads)) return;
    const key = this.#keys.reinit(me);
    await etcd.transact([{ key, revision }], [{ delete: key }]);
  }

  /** Publishes this host's report in etcd. */
  #report(step: Step, seen: Seen): void {
    const { shared, server, me, sealing, drainsInMs = 0 } = seen;
    const isBack = step.kind === 'wait' && step.isBack === true;
    if (shared !== undefined) this.#state.tellAway(whyAway(step, seen, this.#copies), isBack);
    this.#state.report(server, {
      ...{ unfit: whyUnfit(seen, me, sealing, this.#limits), asks: this.#since.asking?.reign },
      ...{ leaderless: this.#since.leaderless, drainsInMs },
      isAwaited: shared?.sync?.admission?.host === me && shared.sync.members.length === 0,
    });
  }

  /** Ends the pause whenever a change in etcd may change the next step. */
  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    const { prefix, leader, sync, switchover, lossy, members } = this.#keys;
    const { me, hosts } = this.#options;
    const reinits = Object.keys(hosts).map((host) => this.#keys.reinit(host));
    const waking = new Set([leader, sync, switchover, lossy, members, this.#keys.rejoin(me), ...reinits]);
    for await (const { keys, lost } of this.#options.etcd.watch({ prefix, fromRevision: 0, signal }))
      if (lost || keys.some((key) => waking.has(key))) this.#pause.wake();
  }

  #logOnce(step: Step): void {
    const text = JSON.stringify(step);
    if (text !== this.#lastStep) this.#options.log.info(`ha: ${text}`);
    this.#lastStep = text;
  }
}
