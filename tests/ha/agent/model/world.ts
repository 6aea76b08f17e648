// Two or three hosts, their agents and etcd in simulated time. Messages are lost, late, or doubled by a retry. Agents and whole hosts hang,
// servers and agents are killed, and links are cut, in any order. Each schedule has its own faults, because all faults at once would hide
// each other.

import { setUpReign } from '../../../../ha/agent/keys.ts';
import type { SyncSet } from '../../../../ha/agent/view.ts';
import type { Random } from '../../../../trials/random.ts';
import { type FaultKind, faultKinds, type HostName, hostNames, leaseMs, type WorldOptions } from './context.ts';
import { Messages } from './messages.ts';
import { SimulatedAgent } from './simulated-agent.ts';
import { SimulatedEtcd } from './simulated-etcd.ts';
import { type Context, SimulatedHost } from './simulated-host.ts';

/** The most steps until the hosts are whole again. No faults happen in these. */
const mostCalmSteps = 30_000;

const mostQuietSteps = 1_500;

export class World {
  readonly #context: Context;
  readonly #hosts: Readonly<Record<HostName, SimulatedHost>>;
  readonly #faultKinds: readonly FaultKind[];
  readonly #faultRate: number;
  /** Relative to the rate of writes. */
  readonly #receiveRate: number;
  /** No further faults for this many steps. Most failures need a member, and its admission takes some steps. */
  #quietSteps: number;

  constructor(random: Random, options: WorldOptions) {
    const { rates } = options;
    const drawn = { slow: random.pick([0.05, 0.1, 0.4]), lost: random.pick([0, 0.08, 0.3]) };
    const messages = new Messages(random, rates ?? drawn);
    let ids = 0;
    this.#context = {
      ...{ random, options, messages, etcd: new SimulatedEtcd(), faults: [], acknowledged: new Set() },
      ...{ nowMs: 0, opened: 0, admitted: 0, isCalm: false, cuts: new Set<string>() },
      names: hostNames.slice(0, options.hosts ?? 2),
      newId: (kind) => {
        ids += 1;
        return `${kind}-${ids}`;
      },
      host: (name) => this.#hosts[name],
      newAgent: (host) => new SimulatedAgent(host, this.#context),
    };
    const hostOf = (name: HostName) => new SimulatedHost(name, this.#context);
    this.#hosts = { a: hostOf('a'), b: hostOf('b'), c: hostOf('c') };
    const some = random.shuffle(faultKinds).slice(0, random.integer(1, faultKinds.length));
    // An API that comes and goes moves the primary, as people's wishes do.
    const moves = some.includes('switchover') ? (['api'] as const) : [];
    this.#faultKinds = rates?.faults ?? [...some, ...some.slice(0, 2), ...moves, 'time-passes', 'time-passes'];
    const [faultRate, receiveRate] = [random.pick([0.03, 0.1, 0.25, 0.6]), random.pick([1, 0.2])];
    this.#faultRate = rates?.faultRate ?? faultRate;
    this.#quietSteps = random.integer(0, mostQuietSteps);
    this.#receiveRate = rates?.receiveRate ?? receiveRate;
    const sync: SyncSet = { primary: 'a', epoch: 0, reign: setUpReign, members: [] };
    this.#context.etcd.put('sync', sync);
  }

  get faults(): readonly string[] {
    return this.#context.faults;
  }

  get acknowledged(): number {
    return this.#context.acknowledged.size;
  }

  get admitted(): number {
    return this.#context.admitted;
  }

  get opened(): number {
    return this.#context.opened;
  }

  run(steps: number): void {
    for (let at = 0; at < steps && this.faults.length === 0; at += 1) this.#happens();
  }

  /**
   * Repairs everything. The hosts must then be whole again, with every acknowledged write. `apart`: this host still reaches only etcd, and
   * the others must be whole without it. Returns false if that host is already the primary; nothing is judged then.
   */
  settle(apart?: HostName): boolean {
    this.#context.isCalm = true;
    this.#context.messages.losesSome = false;
    this.#mend();
    if (apart !== undefined) this.#cut(apart, this.#othersOf(apart));
    for (let at = 0; at < mostCalmSteps && this.faults.length === 0 && !this.#isWhole(apart); at += 1) this.#happens();
    if (this.faults.length > 0) return true;
    const { faults, etcd } = this.#context;
    if (apart !== undefined && (etcd.value('sync') as SyncSet).primary === apart) return false;
    if (!this.#isWhole(apart)) faults.push(`not whole again: ${this.#describe()}`);
    else for (const id of this.#primary()?.lacking() ?? []) faults.push(`${id} is lost`);
    return true;
  }

  #happens(): void {
    const { random, messages, isCalm } = this.#context;
    const host = this.#hosts[random.pick(this.#context.names)];
    const kind = random.integer(0, isCalm ? 91 : 99);
    if (kind < 8) this.#pass(random.integer(1, 15));
    else if (kind < 42) {
      if (host.isPaused || host.isAgentPaused) return;
      if (kind < 36) host.agent.goOn();
      else host.agent.renew();
    } else if (kind < 50) host.write();
    else if (kind < 59) {
      if (isCalm || random.next() < this.#receiveRate) host.receive();
    } else if (kind < 65) host.apply();
    else if (kind < 68) host.beat();
    else if (kind < 92) messages.oneArrives();
    else if (this.#quietSteps === 0 && random.next() < this.#faultRate) this.#fault(host);
    this.#quietSteps = Math.max(0, this.#quietSteps - 1);
    this.#watchdogs();
    this.#judge();
  }

  #fault(host: SimulatedHost): void {
    const { random, etcd, options, nowMs } = this.#context;
    // Repairs are frequent, because most failures begin with a pair in sync.
    const kind = random.next() < 0.3 ? 'mend' : random.pick(this.#faultKinds);
    if (kind === 'mend') {
      this.#mend();
      if (random.next() < 0.5) this.#quietSteps = random.integer(0, mostQuietSteps);
    } else if (kind === 'kill') host.kill();
    else if (kind === 'restart-agent') host.restartAgent();
    else if (kind === 'stop-agent') host.isAgentPaused = true;
    else if (kind === 'stop-host') host.isPaused = options.hostsPause;
    else if (kind === 'go-on') Object.assign(host, { isPaused: false, isAgentPaused: false });
    else if (kind === 'cut') this.#cutSome(host.name);
    else if (kind === 'cut-from-etcd') host.isCutFromEtcd = true;
    else if (kind === 'block') host.blocked = true;
    else if (kind === 'ends-at-start') host.endsAtStart = true;
    else if (kind === 'hang' && host.server !== undefined) host.server.hung = true;
    else if (kind === 'api') host.api = random.pick(['ANSWERS', 'SILENT'] as const);
    else if (kind === 'etcd-elects') etcd.elects(nowMs + leaseMs);
    else if (kind === 'switchover') etcd.put('switchover', random.pick(this.#context.names));
    else if (kind === 'pause') etcd.put('paused', random.next() < 0.2);
    else if (kind === 'tag')
      etcd.put(`tags/${host.name}`, { noFailover: random.next() < 0.5, priority: random.integer(0, 2) });
    else if (kind === 'reinit') etcd.put(`reinit/${host.name}`, true);
    else if (kind === 'kill-invited') this.#invited()?.kill();
    else if (kind === 'kill-primary') this.#primary()?.kill();
    else if (kind === 'usurp') this.#usurp();
    else this.#pass(random.next() < 0.5 ? random.integer(500, 4_000) : random.integer(100, 1_500));
  }

  #invited(): SimulatedHost | undefined {
    const { admission } = this.#context.etcd.value('sync') as SyncSet;
    return admission && this.#hosts[admission.host as HostName];
  }

  #usurp(): void {
    const { etcd, names } = this.#context;
    const { primary, members } = etcd.value('sync') as SyncSet;
    const [member] = members;
    const spare = names.find((name) => name !== primary && name !== member?.host);
    if (member === undefined || spare === undefined) return;
    this.#hosts[member.host as HostName].isAgentPaused = true;
    etcd.put('switchover', spare);
  }

  /** Cuts the links to one other host, or to all. */
  #cutSome(name: HostName): void {
    const others = this.#othersOf(name);
    this.#cut(name, this.#context.random.next() < 0.5 ? others : others.slice(0, 1));
  }

  #cut(name: HostName, others: readonly HostName[]): void {
    for (const other of others) this.#context.cuts.add([name, other].sort().join('-'));
  }

  #othersOf(name: HostName): readonly HostName[] {
    return this.#context.names.filter((each) => each !== name);
  }

  #mend(): void {
    this.#context.cuts.clear();
    if (this.#context.etcd.value('paused') === true) this.#context.etcd.put('paused', false);
    for (const name of this.#context.names) this.#hosts[name].mend();
  }

  #pass(ms: number): void {
    const { random, etcd, isCalm } = this.#context;
    this.#context.nowMs += ms;
    etcd.endLeases(this.#context.nowMs, () => isCalm || random.next() < 0.7);
  }

  #watchdogs(): void {
    const { options, random, nowMs } = this.#context;
    if (options.neverFences === true) return;
    for (const name of this.#context.names) {
      const host = this.#hosts[name];
      if (host.isPaused || host.server?.duty !== 'primary' || nowMs < host.fenceAtMs) continue;
      // After a host hung, its server may run before its watchdog does.
      if (options.hostsPause && random.next() < 0.9) continue;
      host.kill();
    }
  }

  #judge(): void {
    if (this.#context.options.hostsPause) return;
    if (this.#context.names.filter((name) => this.#hosts[name].server?.writable === true).length > 1)
      this.#context.faults.push(`two are writable: ${this.#describe()}`);
  }

  #primary(): SimulatedHost | undefined {
    const { primary } = this.#context.etcd.value('sync') as SyncSet;
    const host = this.#hosts[primary as HostName];
    return host.server?.writable === true ? host : undefined;
  }

  /** True if there is one primary, another host in sync with it, and a third one that follows. */
  #isWhole(apart: HostName | undefined): boolean {
    const primary = this.#primary();
    const { members } = this.#context.etcd.value('sync') as SyncSet;
    if (primary === undefined || members.length !== 1 || members[0]?.host === apart) return false;
    return this.#context.names.every((name) => {
      const { server, isConnected } = this.#hosts[name];
      const replica = server?.replica;
      if (name === apart) return true;
      return name === primary.name || (replica?.source === primary.name && !replica.diverged && isConnected);
    });
  }

  #describe(): string {
    const hosts = this.#context.names.map((name) => {
      const { server, reign, received, agent } = this.#hosts[name];
      const { connections: _connections, replica, ...rest } = server ?? {};
      const { connection: _connection, ...follows } = replica ?? {};
      return { name, received, reign, agent: agent.state, server: { ...rest, replica: follows } };
    });
    return JSON.stringify({ nowMs: this.#context.nowMs, hosts, etcd: [...this.#context.etcd.read()] });
  }
}
