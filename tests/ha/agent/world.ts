// Two hosts, their agents and etcd in simulated time: messages are lost, late or doubled by a retry, agents and whole hosts stand
// still, servers and agents are killed, links are cut, and everything happens in any order. The servers are logs of writes.
import type { Random } from '../../../bench/trials/random.ts';
import { decide, type Limits, type Step } from '../../../ha/agent/decide.ts';
import type { Duty, Report, ServerView, SyncSet, View } from '../../../ha/agent/view.ts';

export interface WorldOptions {
  /** A host that stood still may be writable for a moment, until its watchdog runs. */
  readonly hostsPause: boolean;
  /** What a guard that is taken out would have changed. */
  readonly view?: (view: View) => View;
  readonly step?: (step: Step, view: View) => Step;
  readonly fencesFromAnswer?: boolean;
  readonly neverFences?: boolean;
  readonly revokesBeforeKill?: boolean;
  readonly provesNothing?: boolean;
  /** What happens more often, where a guard matters in rare cases only. */
  readonly faults?: readonly FaultKind[];
  readonly slow?: number;
}

const faultKinds = [
  ...(['kill', 'restart-agent', 'stop-agent', 'stop-host', 'cut', 'cut-from-etcd', 'hang', 'time-passes'] as const),
  ...(['time-passes', 'etcd-elects', 'switchover', 'pause'] as const),
] as const;
type FaultKind = (typeof faultKinds)[number];

const ttlMs = 3_000;
const limits: Limits = {
  ...{ heartbeatMs: 1_000, detachMs: 500, admitMs: 2_000, againMs: 1_000, startMs: 20_000, memberFirstMs: 4_000 },
  ...{ reportMs: 5_000, mostBehind: 5 },
};
const hostNames = ['a', 'b'] as const;
type HostName = (typeof hostNames)[number];

interface Server {
  readonly role: 'MASTER' | 'SLAVE';
  duty: Duty;
  incarnation: string;
  writable: boolean;
  semiSync: boolean;
  hung: boolean;
  aliveAtMs: number;
  /** By position in the log: a client's write, or the commit that proves an admission. */
  readonly waiting: { readonly position: number; readonly id: string; readonly done?: () => void }[];
  waitingSinceMs: number | undefined;
  replica: { source: HostName; reign: string; receiving: boolean; diverged: boolean } | undefined;
}

interface Agent {
  phase: 'read' | 'decide' | 'execute' | 'asking';
  shared: View['shared'];
  step: Step | undefined;
  admission: View['admission'];
  sealedRevision: number | undefined;
  leaderlessSinceMs: number | undefined;
  letGoAtMs: number | undefined;
  renewing: boolean;
  readonly heard: Map<string, { text: string; atMs: number }>;
}

interface Host {
  readonly name: HostName;
  log: string[];
  /** How many of them the storage engine has committed. */
  engine: number;
  relay: string[];
  server: Server | undefined;
  agent: Agent;
  /** What outlives the agent: in files. */
  reign: { id: string; lease: string; fenceAtMs: number } | undefined;
  /** What the watchdog reads; it stays when the lead is given up. */
  fenceAtMs: number;
  agentPaused: boolean;
  paused: boolean;
  cutFromEtcd: boolean;
}

interface Entry {
  readonly value: unknown;
  readonly revision: number;
  readonly lease?: string;
}

export class World {
  readonly faults: string[] = [];
  readonly acknowledged = new Set<string>();
  opened = 0;
  readonly #random: Random;
  readonly #options: WorldOptions;
  readonly #hosts = new Map<HostName, Host>();
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Map<string, number>();
  readonly #late: (() => void)[] = [];
  /** Some messages are under way for as long as a promotion takes, or longer. */
  readonly #slow: (() => void)[] = [];
  #revision = 1;
  #nowMs = 0;
  #ids = 0;
  #cut = false;
  #isCalm = false;

  constructor(random: Random, options: WorldOptions) {
    this.#random = random;
    this.#options = options;
    for (const name of hostNames)
      this.#hosts.set(name, {
        ...{ name, log: [], engine: 0, relay: [], server: undefined, agent: newAgent(), reign: undefined },
        ...{ fenceAtMs: 0, agentPaused: false, paused: false, cutFromEtcd: false },
      });
    this.#put('sync', { primary: 'a', epoch: 0, reign: 'set-up', members: [] } satisfies SyncSet);
  }

  run(steps: number): void {
    for (let at = 0; at < steps && this.faults.length === 0; at += 1) this.#happens();
    this.#heal();
    for (let at = 0; at < 15_000 && this.faults.length === 0 && !this.#isWhole(); at += 1) this.#happens();
    if (this.faults.length === 0 && !this.#isWhole()) this.faults.push(`not whole again: ${this.#describe()}`);
  }

  #happens(): void {
    const { integer, pick, next } = this.#random;
    const host = this.#host(pick(hostNames));
    const kind = integer(0, this.#isCalm ? 91 : 99);
    if (kind < 8) this.#passes(integer(1, 40));
    else if (kind < 36) this.#agentGoesOn(host);
    else if (kind < 42) this.#renew(host);
    else if (kind < 50) this.#write(host);
    else if (kind < 59) this.#replicate(host);
    else if (kind < 65) this.#apply(host);
    else if (kind < 68) this.#beat(host);
    else if (kind < 92) this.#arrives();
    else if (next() < 0.25) this.#fault(host);
    this.#watchdogs();
    this.#judge();
  }

  #fault(host: Host): void {
    const { integer, next, pick } = this.#random;
    // What is broken is mended often: most of what can go wrong begins with a pair in sync.
    if (next() < 0.3) return this.#mend();
    switch (pick(this.#options.faults ?? faultKinds)) {
      case 'kill':
        return this.#kill(host);
      case 'restart-agent':
        host.agent = newAgent();
        return;
      case 'stop-agent':
        host.agentPaused = true;
        return;
      case 'stop-host':
        host.paused = this.#options.hostsPause;
        return;
      case 'cut':
        this.#cut = true;
        return;
      case 'cut-from-etcd':
        host.cutFromEtcd = true;
        return;
      case 'hang':
        if (host.server !== undefined) host.server.hung = true;
        return;
      case 'time-passes':
        return this.#passes(next() < 0.5 ? integer(500, 4_000) : integer(100, 1_500));
      case 'etcd-elects':
        // It renews every lease to its full length.
        for (const lease of this.#leases.keys()) this.#leases.set(lease, this.#nowMs + ttlMs);
        return;
      case 'switchover':
        return this.#put('switchover', pick(hostNames));
      case 'pause':
        this.#put('paused', next() < 0.2);
    }
  }

  #heal(): void {
    this.#isCalm = true;
    this.#mend();
  }

  #mend(): void {
    this.#cut = false;
    if (this.#entries.get('paused')?.value === true) this.#put('paused', false);
    for (const host of this.#hosts.values()) {
      Object.assign(host, { agentPaused: false, paused: false, cutFromEtcd: false });
      if (host.server?.hung === true) this.#kill(host);
    }
  }

  /** One primary with every acknowledged write, and the other host in sync with it. */
  #isWhole(): boolean {
    const sync = this.#entries.get('sync')?.value as SyncSet;
    const primary = this.#hosts.get(sync.primary as HostName);
    return primary?.server?.writable === true && sync.members.length === 1;
  }

  #passes(ms: number): void {
    this.#nowMs += ms;
    for (const [lease, endsAtMs] of this.#leases)
      if (this.#nowMs >= endsAtMs && (this.#isCalm || this.#random.next() < 0.7)) this.#revoke(lease);
  }

  #watchdogs(): void {
    if (this.#options.neverFences === true) return;
    for (const host of this.#hosts.values()) {
      if (host.paused || host.server?.duty !== 'primary') continue;
      if (this.#nowMs < host.fenceAtMs) continue;
      // After a host stood still, its server may run before its watchdog does.
      if (this.#options.hostsPause && this.#random.next() < 0.9) continue;
      this.#kill(host);
    }
  }

  #judge(): void {
    if (this.#options.hostsPause) return;
    const writable = [...this.#hosts.values()].filter(({ server }) => server?.writable === true);
    if (writable.length > 1) this.faults.push(`two are writable: ${this.#describe()}`);
  }

  // --- servers

  #kill(host: Host): void {
    // What the engine committed last may not be in its log yet: the binary log has it.
    if (host.server !== undefined) host.engine = Math.max(0, host.engine - this.#random.integer(0, 2));
    host.server = undefined;
    host.relay = [];
  }

  #start(host: Host, role: 'MASTER' | 'SLAVE'): void {
    if (host.server !== undefined) return;
    if (role === 'SLAVE') host.log = host.log.slice(0, host.engine);
    host.engine = host.log.length;
    host.relay = [];
    host.server = {
      ...{ role, duty: role === 'MASTER' ? 'primary' : 'standby', incarnation: this.#id('incarnation') },
      ...{ writable: false, semiSync: role === 'MASTER', hung: false, aliveAtMs: this.#nowMs, waiting: [] },
      ...{ waitingSinceMs: undefined, replica: undefined },
    };
  }

  #write(host: Host): void {
    const { server } = host;
    if (server === undefined || !server.writable || server.hung || host.paused) return;
    // A standby catches up only if it receives faster than the primary writes.
    if (this.#isCalm && this.#random.next() < 0.7) return;
    this.#commit(host, server, this.#id('write'));
  }

  #commit(host: Host, server: Server, id: string, done?: () => void): void {
    host.log.push(id);
    if (server.semiSync) {
      server.waiting.push({ position: host.log.length, id, ...(done === undefined ? {} : { done }) });
      server.waitingSinceMs ??= this.#nowMs;
      return;
    }
    host.engine = host.log.length;
    this.#acknowledge(host, id);
  }

  #acknowledge(host: Host, id: string): void {
    this.acknowledged.add(id);
    for (const other of this.#hosts.values())
      if (other !== host && other.server?.writable === true && !other.log.includes(id) && this.#isNewer(other, host))
        this.faults.push(`${host.name} acknowledges ${id}, which the newer primary ${other.name} lacks`);
  }

  #isNewer(one: Host, other: Host): boolean {
    const epoch = ({ log }: Host) => log.filter((id) => id.startsWith('epoch')).length;
    return epoch(one) > epoch(other);
  }

  #release(host: Host, server: Server): void {
    server.semiSync = false;
    host.engine = host.log.length;
    for (const { id } of server.waiting.splice(0)) this.#acknowledge(host, id);
    server.waitingSinceMs = undefined;
  }

  #replicate(host: Host): void {
    const { server } = host;
    const replica = server?.replica;
    if (server === undefined || server.hung || host.paused || this.#cut) return;
    if (replica === undefined || !replica.receiving || replica.diverged) return;
    const source = this.#host(replica.source);
    const from = source.server;
    if (from === undefined || from.hung || source.paused) return;
    const received = [...host.log, ...host.relay];
    if (!received.every((id, at) => source.log[at] === id)) {
      replica.diverged = true;
      return;
    }
    const id = source.log[received.length];
    if (id === undefined) return;
    host.relay.push(id);
    const position = received.length + 1;
    const acknowledge = () => {
      if (source.server !== from || source.paused) return;
      source.engine = Math.max(source.engine, position);
      while ((from.waiting[0]?.position ?? Number.POSITIVE_INFINITY) <= position) {
        const first = from.waiting.shift();
        if (first === undefined) break;
        this.#acknowledge(source, first.id);
        first.done?.();
      }
      from.waitingSinceMs = from.waiting.length > 0 ? this.#nowMs : undefined;
    };
    if (this.#random.next() < 0.6) acknowledge();
    else if (this.#random.next() < 0.8) this.#later(acknowledge);
  }

  #apply(host: Host): void {
    if (host.server === undefined || host.server.hung || host.paused || host.server.replica === undefined) return;
    const id = host.relay.shift();
    if (id === undefined) return;
    host.log.push(id);
    host.engine = host.log.length;
  }

  #beat(host: Host): void {
    if (host.server !== undefined && !host.server.hung && !host.paused && !host.agentPaused)
      host.server.aliveAtMs = this.#nowMs;
  }

  // --- etcd

  #put(key: string, value: unknown, lease?: string): void {
    this.#revision += 1;
    this.#entries.set(key, { value, revision: this.#revision, ...(lease === undefined ? {} : { lease }) });
  }

  #revoke(lease: string): void {
    this.#leases.delete(lease);
    for (const [key, entry] of this.#entries) if (entry.lease === lease) this.#entries.delete(key);
  }

  /** `work` happens at once, later or never; `done` gets its result, or undefined when the answer is lost. */
  #ask<Result>(host: Host, work: () => Result, done: (result: Result | undefined) => void): void {
    const { next } = this.#random;
    if (host.cutFromEtcd || (!this.#isCalm && next() < 0.08)) {
      if (!host.cutFromEtcd && next() < 0.5) this.#later(() => void work());
      this.#later(() => done(undefined));
      return;
    }
    const finish = () => {
      const result = work();
      const isLost = !this.#isCalm && next() < 0.08;
      const answer = () => done(isLost ? undefined : result);
      if (next() < 0.5) answer();
      else this.#later(answer);
    };
    if (next() < 0.5) finish();
    else this.#later(finish);
  }

  #later(work: () => void): void {
    (this.#random.next() < (this.#options.slow ?? 0.1) ? this.#slow : this.#late).push(work);
  }

  #arrives(): void {
    const { integer, next } = this.#random;
    const from = this.#late.length === 0 || next() < 0.04 ? this.#slow : this.#late;
    if (from.length === 0 || (from === this.#slow && next() < 0.8)) return;
    const [work] = from.splice(integer(0, Math.min(3, from.length - 1)), 1);
    work?.();
  }

  #transact(conditions: readonly (readonly [string, number])[], changes: () => void): { revision: number } | false {
    if (conditions.some(([key, revision]) => (this.#entries.get(key)?.revision ?? 0) !== revision)) return false;
    changes();
    return { revision: this.#revision };
  }

  // --- agents

  #renew(host: Host): void {
    const { agent, reign, server } = host;
    if (host.paused || host.agentPaused || reign === undefined || agent.renewing) return;
    const isDead = server !== undefined && this.#nowMs - server.aliveAtMs >= limits.heartbeatMs;
    if (isDead && agent.shared?.sync?.members.length !== 0) return;
    if (this.#nowMs >= reign.fenceAtMs) return;
    const sentAtMs = this.#nowMs;
    agent.renewing = true;
    this.#ask(
      host,
      () => {
        if (!this.#leases.has(reign.lease)) return false;
        this.#leases.set(reign.lease, this.#nowMs + ttlMs);
        return true;
      },
      (isRenewed) => {
        if (host.agent !== agent) return;
        agent.renewing = false;
        const fromMs = this.#options.fencesFromAnswer === true ? this.#nowMs : sentAtMs;
        if (isRenewed !== true || host.reign !== reign || this.#nowMs >= reign.fenceAtMs) return;
        reign.fenceAtMs = fromMs + (ttlMs * 2) / 3;
        host.fenceAtMs = reign.fenceAtMs;
      },
    );
  }

  #agentGoesOn(host: Host): void {
    const { agent } = host;
    if (host.paused || host.agentPaused) return;
    if (agent.phase === 'read') {
      agent.phase = 'asking';
      this.#report(host);
      this.#ask(
        host,
        () => new Map(this.#entries),
        (entries) => {
          if (host.agent !== agent) return;
          agent.shared = entries === undefined ? undefined : this.#sharedOf(entries, agent);
          agent.phase = 'decide';
        },
      );
    } else if (agent.phase === 'decide') {
      const leader = agent.shared?.leader;
      if (agent.shared !== undefined)
        agent.leaderlessSinceMs = leader === undefined ? (agent.leaderlessSinceMs ?? this.#nowMs) : undefined;
      const seen = this.#viewOf(host);
      const view = this.#options.view?.(seen) ?? seen;
      const step = decide(view, limits);
      agent.step = this.#options.step?.(step, view) ?? step;
      agent.phase = 'execute';
    } else if (agent.phase === 'execute' && agent.step !== undefined) {
      agent.phase = 'read';
      this.#execute(host, agent, agent.step);
    }
  }

  #report(host: Host): void {
    const { server } = host;
    if (server === undefined || server.hung) return;
    const report = {
      ...{ incarnation: server.incarnation, reign: server.replica?.reign },
      receiving: server.replica?.receiving === true && !server.replica.diverged && !this.#cut,
      received: host.log.length + host.relay.length,
    };
    const text = JSON.stringify({ ...report, at: this.#nowMs });
    this.#ask(
      host,
      () => this.#put(`hosts/${host.name}`, text),
      () => undefined,
    );
  }

  #sharedOf(entries: Map<string, Entry>, agent: Agent): View['shared'] {
    const sync = entries.get('sync');
    const reports: Record<string, Report> = {};
    for (const name of hostNames) {
      const text = entries.get(`hosts/${name}`)?.value as string | undefined;
      if (text === undefined) continue;
      if (agent.heard.get(name)?.text !== text) agent.heard.set(name, { text, atMs: this.#nowMs });
      reports[name] = { ...(JSON.parse(text) as Report), heardAtMs: agent.heard.get(name)?.atMs ?? 0 };
    }
    return {
      leader: entries.get('leader')?.value as { host: string; reign: string } | undefined,
      sync: sync === undefined ? undefined : { ...(sync.value as SyncSet), revision: sync.revision },
      reports,
      wishes: {
        paused: entries.get('paused')?.value === true,
        switchoverTo: entries.get('switchover')?.value as string | undefined,
      },
    };
  }

  #viewOf(host: Host): View {
    const { agent, reign } = host;
    const { admission, sealedRevision, leaderlessSinceMs, letGoAtMs, shared } = agent;
    return {
      ...{ me: host.name, nowMs: this.#nowMs, shared, server: this.#serverView(host) },
      ...{ reign, admission, sealedRevision, leaderlessSinceMs, letGoAtMs },
    };
  }

  #serverView(host: Host): ServerView {
    const { server } = host;
    if (server === undefined) return { state: 'down' };
    const { duty, incarnation, writable, semiSync, aliveAtMs, waitingSinceMs, replica } = server;
    return {
      ...{ state: 'up', duty, incarnation, writable, semiSync, aliveAtMs, waitingSinceMs, position: host.log.length },
      received: host.log.length + host.relay.length,
      replica:
        replica === undefined
          ? undefined
          : { ...replica, connected: !this.#cut, drained: host.relay.length === 0, failure: undefined },
    };
  }

  #execute(host: Host, agent: Agent, step: Step): void {
    const { server, reign } = host;
    const usable = server !== undefined && !server.hung ? server : undefined;
    switch (step.kind) {
      case 'wait':
        return;
      case 'fence':
      case 'hand-over':
      case 'resign': {
        const kill = () => {
          if (step.kind !== 'resign') this.#kill(host);
        };
        if (this.#options.revokesBeforeKill !== true) kill();
        host.reign = undefined;
        agent.admission = undefined;
        if (reign === undefined) return kill();
        agent.phase = 'asking';
        this.#ask(
          host,
          () => this.#revoke(reign.lease),
          () => {
            if (this.#options.revokesBeforeKill === true) kill();
            if (host.agent === agent) agent.phase = 'read';
          },
        );
        return;
      }
      case 'close':
        // It ends only when no commit is under way.
        if (usable !== undefined && usable.waiting.length === 0) usable.writable = false;
        return;
      case 'start':
        return this.#start(host, step.role);
      case 'follow':
        if (usable === undefined) return;
        usable.incarnation = this.#id('incarnation');
        host.relay = [];
        usable.replica = { source: step.host as HostName, reign: step.reign, receiving: true, diverged: false };
        return;
      case 'clone': {
        const source = this.#host(step.host as HostName);
        if (this.#cut || source.server === undefined || source.server.hung || source.paused) return;
        this.#kill(host);
        host.log = source.log.slice(0, source.engine);
        host.engine = host.log.length;
        return;
      }
      case 'take-lead': {
        const lease = this.#id('lease');
        const taken = { id: this.#id('reign'), lease, fenceAtMs: this.#nowMs + (ttlMs * 2) / 3 };
        host.reign = taken;
        host.fenceAtMs = taken.fenceAtMs;
        agent.phase = 'asking';
        this.#ask(
          host,
          () => {
            this.#leases.set(lease, this.#nowMs + ttlMs);
            const conditions = [
              ['leader', 0],
              ['sync', step.syncRevision],
            ] as const;
            // Between the two calls the lease may end.
            if (!this.#leases.has(lease)) return false;
            return this.#transact(conditions, () => this.#put('leader', { host: host.name, reign: taken.id }, lease));
          },
          () => {
            if (host.agent === agent) agent.phase = 'read';
          },
        );
        return;
      }
      case 'stop-receiving':
        if (usable?.replica !== undefined) usable.replica.receiving = false;
        return;
      case 'take-sync':
        return this.#change(host, agent, step.syncRevision, () => {
          this.#entries.delete('switchover');
          return { primary: host.name, epoch: step.epoch, reign: reign?.id ?? '', members: [] };
        });
      case 'seal':
        return this.#change(host, agent, step.syncRevision, (sync) => sync);
      case 'detach':
        return this.#change(host, agent, step.syncRevision, (sync) => ({ ...sync, members: [] }));
      case 'admit': {
        agent.sealedRevision = undefined;
        agent.admission = undefined;
        const member = { host: step.host, incarnation: step.incarnation };
        return this.#change(host, agent, step.syncRevision, (sync) => ({ ...sync, members: [member] }), false);
      }
      case 'open':
        if (usable === undefined) return;
        usable.replica = undefined;
        host.relay = [];
        usable.duty = 'primary';
        for (const id of this.acknowledged)
          if (!host.log.includes(id)) this.faults.push(`${host.name} is opened without ${id}`);
        this.#commit(host, usable, `epoch-${step.epoch}`);
        usable.writable = true;
        this.opened += 1;
        return;
      case 'release':
        agent.admission = undefined;
        if (usable === undefined) return;
        if (usable.writable) agent.letGoAtMs = this.#nowMs;
        this.#release(host, usable);
        return;
      case 'arm':
        if (usable === undefined) return;
        usable.semiSync = true;
        agent.admission = { host: step.host, incarnation: step.incarnation, sinceMs: this.#nowMs, stage: 'armed' };
        return;
      case 'prove': {
        const { admission } = agent;
        if (usable === undefined || admission === undefined) return;
        const proving = { ...admission, stage: 'proving' as const };
        agent.admission = proving;
        const done = () => {
          if (host.agent === agent && agent.admission === proving) agent.admission = { ...proving, stage: 'proved' };
        };
        if (this.#options.provesNothing === true) done();
        else this.#commit(host, usable, this.#id('proof'), done);
      }
    }
  }

  #change(host: Host, agent: Agent, syncRevision: number, to: (sync: SyncSet) => SyncSet, seals = true): void {
    const { reign } = host;
    const leader = this.#entries.get('leader');
    // The agent knows the revision of its lead from its own reading.
    const isMine = (leader?.value as { reign: string } | undefined)?.reign === reign?.id;
    const leaderRevision = isMine ? (leader?.revision ?? -1) : -1;
    agent.phase = 'asking';
    this.#ask(
      host,
      () =>
        this.#transact(
          [
            ['leader', leaderRevision],
            ['sync', syncRevision],
          ],
          () => this.#put('sync', to(this.#entries.get('sync')?.value as SyncSet)),
        ),
      (result) => {
        if (host.agent !== agent) return;
        agent.phase = 'read';
        if (seals && result !== undefined && result !== false) agent.sealedRevision = result.revision;
      },
    );
  }

  #host(name: HostName): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  #id(kind: string): string {
    this.#ids += 1;
    return `${kind}-${this.#ids}`;
  }

  #describe(): string {
    const hosts = [...this.#hosts.values()].map(({ name, server, log, relay, engine, reign, agent }) => ({
      ...{ name, log: log.length, engine, relay: relay.length, reign: reign?.id, step: agent.step, phase: agent.phase },
      server,
    }));
    return JSON.stringify({ nowMs: this.#nowMs, hosts, etcd: [...this.#entries] });
  }
}

function newAgent(): Agent {
  return {
    ...{ phase: 'read', shared: undefined, step: undefined, admission: undefined },
    ...{
      sealedRevision: undefined,
      leaderlessSinceMs: undefined,
      letGoAtMs: undefined,
      renewing: false,
      heard: new Map(),
    },
  };
}
