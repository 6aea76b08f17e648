// One host's database: a log of writes, the part that its storage engine has committed, and the received writes that it has not applied.

import type { ApiState, Duty, ServerView } from '../../../../ha/agent/view.ts';
import type { Random } from '../../../../trials/random.ts';
import type { HostName, WorldOptions } from './context.ts';
import type { Messages } from './messages.ts';
import type { SimulatedEtcd } from './simulated-etcd.ts';

export interface Agent {
  readonly state: object;
  /** Runs one part of a step. */
  goOn(): void;
  renew(): void;
}

/** Shared by hosts and agents: time, randomness, etcd, its messages, and the observations that are judged. */
export interface Context {
  readonly random: Random;
  readonly options: WorldOptions;
  readonly etcd: SimulatedEtcd;
  readonly messages: Messages;
  readonly faults: string[];
  readonly acknowledged: Set<string>;
  nowMs: number;
  opened: number;
  /** The number of members admitted. */
  admitted: number;
  readonly names: readonly HostName[];
  /** Pairs of hosts without a link, each in the order of their names. */
  readonly cuts: Set<string>;
  /** No more faults happen. */
  isCalm: boolean;
  newId(kind: string): string;
  host(name: HostName): SimulatedHost;
  newAgent(host: SimulatedHost): Agent;
}

/** A connection as the source sees it. It may outlive the receiver's end. */
interface Connection {
  readonly to: Server;
  readonly account: string | undefined;
  isOpen: boolean;
}

interface Server {
  duty: Duty;
  incarnation: string;
  writable: boolean;
  semiSync: boolean;
  hung: boolean;
  aliveAtMs: number;
  /** Waiting commits by position in the log: a client's write, or the commit that proves an admission. */
  readonly waiting: { readonly position: number; readonly id: string; readonly done: () => void }[];
  waitingSinceMs: number | undefined;
  replica: SimulatedReplica | undefined;
  /** Connections of the hosts that receive from this one. */
  readonly connections: Set<Connection>;
}

interface SimulatedReplica {
  readonly source: HostName;
  readonly reign: string;
  readonly admission: string | undefined;
  receiving: boolean;
  diverged: boolean;
  connection: Connection | undefined;
}

export class SimulatedHost {
  readonly name: HostName;
  readonly #context: Context;
  #log: string[] = [];
  #engine = 0;
  #relay: string[] = [];
  /** Accounts in this host's database. */
  #accounts = new Set<string>();
  server: Server | undefined;
  agent: Agent;
  /** State that outlives the agent, because it is in files. */
  reign: { readonly id: string; readonly lease: string; fenceAtMs: number } | undefined;
  /** The fence that the watchdog reads. It stays when the lead is given up. */
  fenceAtMs = 0;
  isAgentPaused = false;
  isPaused = false;
  isCutFromEtcd = false;
  api: ApiState = 'ANSWERS';
  /** A session of a client holds a lock that the applier waits for. */
  blocked = false;
  /** The server ends at each start. */
  endsAtStart = false;

  constructor(name: HostName, context: Context) {
    this.name = name;
    this.#context = context;
    this.agent = context.newAgent(this);
  }

  /** Undefined if no server answers. */
  get answering(): Server | undefined {
    return this.server?.hung === false && !this.isPaused ? this.server : undefined;
  }

  get received(): number {
    return this.#log.length + this.#relay.length;
  }

  restartAgent(): void {
    this.agent = this.#context.newAgent(this);
  }

  mend(): void {
    Object.assign(this, { isAgentPaused: false, isPaused: false, isCutFromEtcd: false, api: 'ANSWERS' });
    Object.assign(this, { blocked: false, endsAtStart: false });
    if (this.server?.hung === true) this.kill();
  }

  view(): ServerView {
    if (this.server === undefined) return { state: 'down' };
    const { duty, incarnation, writable, semiSync, aliveAtMs, waitingSinceMs, replica } = this.server;
    const isDrained = this.#relay.length === 0;
    return {
      ...{ state: 'up', duty, incarnation, writable, semiSync, aliveAtMs, waitingSinceMs },
      ...{ position: this.#log.length, received: this.received, admissions: this.#admissions },
      replica: replica && {
        ...{ source: replica.source, reign: replica.reign, admission: replica.admission },
        ...{ receiving: replica.receiving, diverged: replica.diverged },
        ...{ connected: this.isConnected, drained: isDrained, failure: undefined },
      },
    };
  }

  get isConnected(): boolean {
    const { source, connection } = this.server?.replica ?? {};
    return connection?.isOpen === true && source !== undefined && !this.#isCutFrom(source);
  }

  get #admissions(): readonly string[] {
    const connected = [...(this.server?.connections ?? [])].flatMap(({ isOpen, account }) =>
      isOpen && account !== undefined ? [account] : [],
    );
    return [...new Set([...this.#accounts, ...connected])];
  }

  #isCutFrom(other: HostName): boolean {
    return this.#context.cuts.has([this.name, other].sort().join('-'));
  }

  /** From now on no acknowledgement counts. */
  bar(): void {
    const { barLeaves } = this.#context.options;
    if (barLeaves !== 'accounts') this.#accounts.clear();
    if (barLeaves === 'connections') return;
    for (const each of this.server?.connections ?? []) if (each.account !== undefined) each.isOpen = false;
  }

  addAccount(id: string): void {
    if (this.answering !== undefined) this.#accounts.add(id);
  }

  kill(): void {
    // The engine's last commit may not be in its own log yet, but the binary log has it.
    if (this.server !== undefined) this.#engine = Math.max(0, this.#engine - this.#context.random.integer(0, 2));
    this.server = undefined;
    this.blocked = false;
    this.#relay = [];
  }

  start(role: 'MASTER' | 'SLAVE'): void {
    if (this.server !== undefined) return;
    if (role === 'SLAVE') this.#log.length = this.#engine;
    this.#engine = this.#log.length;
    this.#relay = [];
    if (this.endsAtStart) return;
    this.server = {
      ...{ duty: role === 'MASTER' ? 'primary' : 'standby', incarnation: this.#context.newId('incarnation') },
      ...{ writable: false, semiSync: role === 'MASTER', hung: false, aliveAtMs: this.#context.nowMs },
      ...{ waiting: [], waitingSinceMs: undefined, replica: undefined, connections: new Set<Connection>() },
    };
  }

  beat(): void {
    if (this.answering !== undefined && !this.isAgentPaused) this.answering.aliveAtMs = this.#context.nowMs;
  }

  write(): void {
    // A standby catches up only if it receives faster than the primary writes.
    if (this.#context.isCalm && this.#context.random.next() < 0.7) return;
    if (this.answering?.writable === true) this.commit(this.#context.newId('write'));
  }

  commit(id: string, done: () => void = () => undefined): void {
    const { server } = this;
    if (server === undefined) return;
    this.#log.push(id);
    if (server.semiSync) {
      server.waiting.push({ position: this.#log.length, id, done });
      server.waitingSinceMs ??= this.#context.nowMs;
      return;
    }
    this.#engine = this.#log.length;
    this.#acknowledgeAlone(id);
  }

  /** Commits no longer wait for any host. */
  release(): void {
    if (this.server === undefined) return;
    this.server.semiSync = false;
    this.#engine = this.#log.length;
    for (const { id } of this.server.waiting.splice(0)) this.#acknowledgeAlone(id);
    this.server.waitingSinceMs = undefined;
  }

  /** Receives one transaction from the source. The acknowledgement arrives now or later. */
  receive(): void {
    const replica = this.answering?.replica;
    if (replica === undefined || !replica.receiving || replica.diverged || this.#isCutFrom(replica.source)) return;
    const source = this.#context.host(replica.source);
    const from = source.answering;
    if (from === undefined) return;
    if (replica.connection?.isOpen !== true || replica.connection.to !== from)
      replica.connection = source.#connect(from, replica.admission);
    const { connection } = replica;
    if (connection === undefined) return;
    const { received } = this;
    const isPrefix = this.#log.every((id, at) => source.#log[at] === id);
    if (!isPrefix || !this.#relay.every((id, at) => source.#log[this.#log.length + at] === id)) {
      replica.diverged = true;
      return;
    }
    const id = source.#log[received];
    if (id === undefined) return;
    this.#relay.push(id);
    const { random, messages } = this.#context;
    const tell = () => source.#isReceived(connection, received + 1);
    if (random.next() < 0.6) tell();
    else if (random.next() < 0.8) messages.later(tell);
  }

  apply(): void {
    if (this.answering?.replica === undefined || this.blocked) return;
    const id = this.#relay.shift();
    if (id === undefined) return;
    this.#log.push(id);
    this.#engine = this.#log.length;
  }

  /** The server reconnects by itself, again and again. */
  #connect(server: Server, account: string | undefined): Connection | undefined {
    if (account !== undefined && !this.#accounts.has(account)) return undefined;
    const connection = { to: server, account, isOpen: true };
    server.connections.add(connection);
    return connection;
  }

  follow(source: HostName, reign: string, admission: string | undefined): void {
    const server = this.answering;
    if (server === undefined) return;
    server.incarnation = this.#context.newId('incarnation');
    this.#relay = [];
    server.replica = { source, reign, admission, receiving: true, diverged: false, connection: undefined };
  }

  /** False if the other host can't be reached. */
  copyFrom(name: HostName): boolean {
    const source = this.#context.host(name);
    if (this.#isCutFrom(name) || source.answering === undefined) return false;
    this.kill();
    this.#accounts = new Set(source.#accounts);
    this.#log = source.#log.slice(0, source.#engine);
    this.#engine = this.#log.length;
    return true;
  }

  open(epoch: number, waits: boolean): void {
    const server = this.answering;
    if (server === undefined) return;
    server.replica = undefined;
    this.#relay = [];
    server.duty = 'primary';
    for (const id of this.lacking()) this.#context.faults.push(`${this.name} is opened without ${id}`);
    this.commit(`epoch-${epoch}`);
    server.semiSync = waits;
    server.writable = true;
    this.#context.opened += 1;
  }

  /** The acknowledged writes that this host lacks. */
  lacking(): readonly string[] {
    const log = new Set(this.#log);
    return [...this.#context.acknowledged].filter((id) => !log.has(id));
  }

  #isReceived({ to: server, account, isOpen }: Connection, position: number): void {
    if (this.server !== server || this.isPaused || !isOpen) return;
    if (account === undefined && this.#context.options.sparesAcknowledge !== true) return;
    this.#engine = Math.max(this.#engine, position);
    while (server.waiting[0] !== undefined && server.waiting[0].position <= position) {
      const first = server.waiting.shift();
      if (first === undefined) break;
      this.#acknowledge(first.id);
      first.done();
    }
    server.waitingSinceMs = server.waiting.length > 0 ? this.#context.nowMs : undefined;
  }

  #acknowledgeAlone(id: string): void {
    const { options, faults } = this.#context;
    if (options.strict === true && this.server?.writable === true)
      faults.push(`${this.name} acknowledges ${id} with one copy`);
    this.#acknowledge(id);
  }

  #acknowledge(id: string): void {
    this.#context.acknowledged.add(id);
    for (const name of this.#context.names) {
      const other = this.#context.host(name);
      if (other.server?.writable === true && other.#epochs() > this.#epochs() && !other.#log.includes(id))
        this.#context.faults.push(`${this.name} acknowledges ${id}, which the newer primary ${other.name} lacks`);
    }
  }

  #epochs(): number {
    return this.#log.filter((id) => id.startsWith('epoch')).length;
  }
}
