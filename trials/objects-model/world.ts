// The model's world: replicas in clusters, coordinators with their own clocks, clients, and a network that loses, duplicates and delays
// messages. A seed determines everything; the answers to clients are judged afterwards.
import { ClosedError, ContendedError, FateUnknownError, NoQuorumError } from '../../platform/registers/errors.ts';
import { clustersOf, isQuorum, type Placement } from '../../platform/registers/placement.ts';
import { type Answer, Registers, type RegistersOptions } from '../../platform/registers/registers.ts';
import { later, noVersion, VersionClock } from '../../platform/registers/version.ts';
import type { Random } from '../random.ts';
import { type Step, untold } from './history.ts';
import type { Operation } from './linearizable.ts';
import { ModelReplica, productRules, type Rules, type Value } from './model-replica.ts';
import type { NearestRead } from './nearest.ts';
import { Simulation } from './simulation.ts';

/** Guards that a trap removes. */
export interface Guards {
  readonly rules: Rules;
  readonly registers: new (options: RegistersOptions<Value>) => Registers<Value>;
  /** Whether a deletion is forgotten only after all replicas have confirmed it. */
  readonly forgetsWhenAllConfirm: boolean;
  readonly bringsOver: boolean;
  /** Whether a restored replica returns in a new epoch, which the others enter before they send it their data. */
  readonly restoresUnderNewEpoch: boolean;
  /** Whether another replica's data counts from the time of the request instead of the answer. */
  readonly followsAsOfAsking: boolean;
}

/** Events that are more frequent in a schedule than by chance. Single replicas are queried and clocks are stepped only through these. */
export type Emphasis =
  | 'a ring changes'
  | 'deletions are forgotten'
  | 'a replica is restored'
  | 'single replicas are asked'
  | 'clocks step';

export interface WorldOptions {
  readonly guards: Guards;
  readonly emphasis?: readonly Emphasis[];
}

export const productGuards: Guards = {
  ...{ rules: productRules, registers: Registers, forgetsWhenAllConfirm: true, bringsOver: true },
  ...{ restoresUnderNewEpoch: true, followsAsOfAsking: true },
};

const dayMs = 86_400_000;
const clusters = 4;
const callMs = 60;
const endMs = 20_000;

interface Faults {
  readonly lost: number;
  readonly doubled: number;
  /** The share of messages that arrive very late. */
  readonly late: number;
  readonly crashes: boolean;
  /** How long a process is stopped occasionally. */
  readonly stoppedMs: number;
  readonly skewMs: number;
  readonly changesRing: boolean;
  readonly forgets: boolean;
  readonly restores: boolean;
  readonly asksSingle: boolean;
  readonly stepsClocks: boolean;
}

const usualKinds = ['put', 'read', 'create', 'replace', 'delete', 'read', 'put'] as const;

export class World {
  readonly simulation: Simulation;
  readonly history = new Map<string, Operation<Step>[]>();
  /** Answers of single replicas, by name. */
  readonly nearest = new Map<string, NearestRead[]>();
  readonly #guards: Guards;
  readonly #faults: Faults;
  readonly #replicas: readonly ModelReplica[];
  readonly #placements: Placement[] = [{ epoch: 1, groups: [[0, 1, 2]] }];
  /** Per cluster: until when messages from and to it are lost. */
  readonly #cutUntilMs: number[] = Array.from({ length: clusters }, () => 0);
  #coordinators: Coordinator[] = [];
  #values = 0;

  constructor(random: Random, { guards, emphasis = [] }: WorldOptions) {
    this.simulation = new Simulation(random);
    this.#guards = guards;
    const happens = (what: Emphasis, chance: number) => emphasis.includes(what) || random.next() < chance;
    this.#faults = {
      ...{ lost: random.pick([0, 0.05, 0.2]), doubled: random.pick([0, 0.1]), late: random.pick([0, 0.05, 0.15]) },
      ...{ crashes: random.next() < 0.3, skewMs: random.pick([0, 5, 200, 3_600_000]) },
      stoppedMs: random.pick([0, 0, 100, 1_000]),
      changesRing: happens('a ring changes', 0.5),
      forgets: happens('deletions are forgotten', 0.5),
      restores: happens('a replica is restored', 0.2),
      asksSingle: emphasis.includes('single replicas are asked'),
      stepsClocks: emphasis.includes('clocks step'),
    };
    this.#replicas = Array.from({ length: clusters }, (_, cluster) => {
      const isOld = cluster < 3;
      return new ModelReplica(cluster, guards.rules, isOld ? 1 : 0, isOld);
    });
    for (let cluster = 0; cluster < clusters; cluster += 1) this.#coordinators.push(this.#coordinator(cluster));
  }

  async run(): Promise<void> {
    const { random } = this.simulation;
    const names = random.pick([['a'], ['a', 'b']]);
    const spanMs = random.pick([100, 300, 1_000]);
    const clients = random.integer(2, 4);
    for (let client = 0; client < clients; client += 1) this.#client(names, spanMs);
    if (this.#faults.changesRing) this.#changeRing(random.integer(0, spanMs), random.next() < 0.25);
    if (this.#faults.forgets)
      for (let times = random.integer(1, 8); times > 0; times -= 1)
        this.simulation.after(random.integer(0, spanMs * 2), () => void this.#forget(random.pick(names)));
    if (this.#faults.restores) this.#restore(random.integer(0, 2), spanMs);
    if (this.#faults.asksSingle) this.#followAll(names, spanMs);
    if (this.#faults.stepsClocks)
      this.simulation.after(random.integer(0, spanMs), () => this.#stepClock(this.#coordinators));
    if (random.next() < 0.3) {
      const cluster = random.integer(0, clusters - 1);
      this.simulation.after(random.integer(0, spanMs), () => {
        this.#cutUntilMs[cluster] = this.simulation.nowMs + random.integer(20, spanMs);
      });
    }
    await this.simulation.run(endMs);
  }

  // Clients.

  #client(names: readonly string[], spanMs: number): void {
    const { random } = this.simulation;
    const work = async () => {
      for (let times = random.integer(1, 4); times > 0; times -= 1) {
        await this.simulation.pause(random.integer(0, spanMs / 3));
        await this.#operate(random.pick(names));
      }
      // A last reader at the end of the schedule.
      await this.simulation.pause(spanMs * 2);
      for (const name of names) await this.#operate(name, 'read');
    };
    void work();
  }

  async #operate(name: string, wanted?: Step['kind']): Promise<void> {
    const { random } = this.simulation;
    const kind = wanted ?? random.pick(this.#faults.forgets ? [...usualKinds, 'delete', 'delete'] : usualKinds);
    const coordinator = random.pick(this.#coordinators);
    this.#values += 1;
    const value = String(this.#values);
    const called = this.simulation.stamp();
    const tell = (step: Step, answered = this.simulation.stamp()) => {
      const operation = { called, answered, step };
      this.history.set(name, [...(this.history.get(name) ?? []), operation]);
    };
    if (this.#faults.crashes && random.next() < 0.15)
      this.simulation.after(random.integer(1, 60), () => this.#crash(coordinator));
    const { stoppedMs } = this.#faults;
    if (stoppedMs > 0 && random.next() < 0.3)
      this.simulation.after(random.integer(1, 30), () => coordinator.stop(this.simulation.nowMs + stoppedMs));
    if (this.#faults.stepsClocks && random.next() < 0.5)
      this.simulation.after(random.integer(1, 30), () => this.#stepClock([coordinator]));
    try {
      const step = await coordinator.run(kind, name, value);
      tell(step);
    } catch (error) {
      if (kind === 'read') return;
      if (error instanceof NoQuorumError || error instanceof ContendedError || error instanceof ClosedError) return;
      if (!(error instanceof FateUnknownError) && !(error instanceof CrashedError)) throw error;
      tell(untold(kind, value), Number.POSITIVE_INFINITY);
    }
  }

  // Coordinators.

  #coordinator(cluster: number): Coordinator {
    const { random } = this.simulation;
    const skewMs = random.integer(-this.#faults.skewMs, this.#faults.skewMs);
    return new Coordinator(this, cluster, skewMs, this.#guards.registers, () => random.integer(0, 0xffff_ffff));
  }

  /** The clock steps ahead or back, or is correct again. */
  #stepClock(coordinators: readonly Coordinator[]): void {
    const { random } = this.simulation;
    const byMs = random.pick([0, 0, 1_000, 3_600_000, 3 * dayMs, 400 * dayMs]) * random.pick([1, 1, -1]);
    for (const each of coordinators) each.skewMs = byMs;
  }

  #crash(coordinator: Coordinator): void {
    if (coordinator.isDead) return;
    coordinator.crash();
    this.#coordinators = this.#coordinators.map((each) =>
      each === coordinator ? this.#coordinator(each.cluster) : each,
    );
  }

  placement(epoch: number): Placement {
    const placement = this.#placements[epoch - 1];
    if (placement === undefined) throw new Error(`there is no epoch ${epoch}`);
    return placement;
  }

  // The network.

  /** One call, whose request and answer may be late, duplicated or lost. Rejects after `callMs`. */
  call<Result>(from: number, to: number, act: (replica: ModelReplica) => Result): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const replica = this.#replicas[to] as ModelReplica;
    let isAnswered = false;
    const once = (end: () => void) => () => {
      if (isAnswered) return false;
      isAnswered = true;
      end();
    };
    this.simulation.after(
      callMs,
      once(() => reject(new Error('no answer in time'))),
    );
    let isDelivered = false;
    const deliver = () => {
      if (this.#isCut(from, to)) return false;
      const result = act(replica);
      // A duplicated request is answered once, on its connection.
      if (isDelivered) return false;
      isDelivered = true;
      if (!this.#isLost(from, to))
        this.simulation.after(
          this.#delayMs(from, to),
          once(() => resolve(result)),
        );
      return false;
    };
    const times = this.simulation.random.next() < this.#faults.doubled ? 2 : 1;
    for (let time = 0; time < times; time += 1)
      if (!this.#isLost(from, to)) this.simulation.afterWhich(this.#delayMs(from, to), deliver);
    return promise;
  }

  #isCut(from: number, to: number): boolean {
    if (from === to) return false;
    const until = Math.max(this.#cutUntilMs[from] ?? 0, this.#cutUntilMs[to] ?? 0);
    return this.simulation.nowMs < until;
  }

  #isLost(from: number, to: number): boolean {
    return from !== to && (this.#isCut(from, to) || this.simulation.random.next() < this.#faults.lost);
  }

  #delayMs(from: number, to: number): number {
    const { random } = this.simulation;
    if (from === to) return random.integer(0, 1);
    if (random.next() < this.#faults.late) return random.integer(20, 1_500);
    return random.integer(1, 20);
  }

  // A ring change: from clusters 0, 1, 2 to 1, 2, 3, or cancelled halfway.

  #changeRing(atMs: number, isTakenBack: boolean): void {
    const [old, next] = [
      [0, 1, 2],
      [1, 2, 3],
    ];
    const work = async () => {
      await this.simulation.pause(atMs);
      const both = this.#step([old, next]);
      const entered = new Set<number>();
      const isEnough = () => isQuorum({ epoch: 0, groups: [old] }, this.#ready(entered));
      await this.#enter(old, both.epoch, entered, isEnough);
      await this.#until(async () => isEnough());
      const floor = [...this.#ready(entered)]
        .map((cluster) => this.#replicas[cluster]?.floor ?? noVersion)
        .reduce(later, noVersion);
      await this.#until(() =>
        this.call(1, 3, (replica) => {
          replica.enter(both.epoch);
          if (!replica.isReady) replica.makeReady(floor);
          return true;
        }),
      );
      if (!isTakenBack && this.#guards.bringsOver) {
        const mover = new Coordinator(this, 1, 0, this.#guards.registers, () =>
          this.simulation.random.integer(0, 0xffff_ffff),
        );
        mover.learn(both.epoch);
        // One of them may have been restored in the meantime and lack data, so only voting replicas are queried.
        await this.#until(async () => isEnough());
        const holders = [...this.#ready(entered)];
        const names = new Set(holders.flatMap((cluster) => this.#replicas[cluster]?.names ?? []));
        for (const name of names) await this.#until(async () => (await mover.run('read', name, '')) !== undefined);
      }
      const left = this.#step([isTakenBack ? old : next]);
      await this.#enter(clustersOf(both), left.epoch, entered, () => false);
    };
    void work().catch(stays);
  }

  /** A placement in a new epoch. */
  #step(groups: Placement['groups']): Placement {
    const placement = { epoch: this.#placements.length + 1, groups };
    this.#placements.push(placement);
    return placement;
  }

  /** The replicas among them that vote. */
  #ready(clustersThen: ReadonlySet<number>): ReadonlySet<number> {
    return new Set([...clustersThen].filter((cluster) => this.#replicas[cluster]?.isReady));
  }

  /** Sends the epoch to clusters until enough have entered it. */
  async #enter(members: readonly number[], epoch: number, entered: Set<number>, enough: () => boolean): Promise<void> {
    for (let attempt = 0; attempt < 100 && !enough(); attempt += 1) {
      const told = members.map((cluster) =>
        this.call(1, cluster, (replica) => this.#hear(replica, epoch)).then(
          () => entered.add(cluster),
          () => undefined,
        ),
      );
      await Promise.all(told);
      if (members.every((cluster) => entered.has(cluster)) && attempt > 3) return;
      await this.simulation.pause(10);
    }
  }

  /** Some processes of a cluster learn of it at once, others when a replica refuses them. */
  #hear(replica: ModelReplica, epoch: number): void {
    replica.enter(epoch);
    for (const coordinator of this.#coordinators)
      if (coordinator.cluster === replica.cluster && this.simulation.random.next() < 0.5) coordinator.learn(epoch);
  }

  async #until(act: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await act().catch(() => false)) return;
      await this.simulation.pause(10);
    }
    throw new NeverDoneError();
  }

  // Deletions are forgotten.

  async #forget(name: string): Promise<void> {
    const { random } = this.simulation;
    const epoch = random.integer(1, this.#placements.length);
    const { groups } = this.placement(epoch);
    const [group = []] = groups;
    if (groups.length > 1) return;
    const from = random.pick(group);
    const row = this.#replicas[from]?.row(name);
    if (row === undefined || row.value !== undefined || row.version === noVersion) return;
    const confirmed = new Set<number>();
    await Promise.all(
      group.map((cluster) =>
        this.call(from, cluster, (replica) => replica.confirms(name, epoch, row.version)).then(
          (does) => does && confirmed.add(cluster),
          () => undefined,
        ),
      ),
    );
    const enough = this.#guards.forgetsWhenAllConfirm
      ? confirmed.size === group.length
      : isQuorum({ epoch, groups }, confirmed);
    if (!enough) return;
    for (const cluster of group)
      void this.call(from, cluster, (replica) => replica.forget(name, epoch, row.version)).catch(() => undefined);
  }

  // Replicas follow each other, and answer on their own.

  #followAll(names: readonly string[], spanMs: number): void {
    const { random } = this.simulation;
    const pauses = async (times: number, act: () => Promise<void>) => {
      for (; times > 0; times -= 1) {
        await this.simulation.pause(random.integer(1, Math.ceil(spanMs / 4)));
        await act();
      }
    };
    for (const replica of this.#replicas)
      for (const other of this.#replicas)
        if (other !== replica) void pauses(8, () => this.#follow(replica, other.cluster));
    for (let reader = 0; reader < 2; reader += 1) void pauses(6, () => this.#askSingle(random.pick(names)));
  }

  async #follow(replica: ModelReplica, other: number): Promise<void> {
    const asked = this.simulation.stamp();
    const told = await this.call(replica.cluster, other, (each) => each.tellRows()).catch(() => undefined);
    if (told === undefined || told.epoch === 0) return;
    const asOf = this.#guards.followsAsOfAsking ? asked : this.simulation.stamp();
    replica.follow(other, told, asOf, this.placement(told.epoch).groups.length > 1);
  }

  /** The cluster's own replica, otherwise another one. */
  async #askSingle(name: string): Promise<void> {
    const { random } = this.simulation;
    const from = random.integer(0, clusters - 1);
    const alone = (replica: ModelReplica) => {
      if (replica.epoch === 0) return undefined;
      return replica.answerAlone(name, this.placement(replica.epoch), this.simulation.stamp());
    };
    const own = alone(this.#replicas[from] as ModelReplica);
    const other = random.integer(0, clusters - 1);
    const answer = own ?? (await this.call(from, other, alone).catch(() => undefined));
    if (answer === undefined) return;
    const { value = '', asOf } = answer;
    const read = { value, asOf, answered: this.simulation.stamp() };
    this.nearest.set(name, [...(this.nearest.get(name) ?? []), read]);
  }

  // A replica returns to an earlier state.

  #restore(cluster: number, spanMs: number): void {
    const { random } = this.simulation;
    const replica = this.#replicas[cluster] as ModelReplica;
    const [first, second] = [random.integer(0, spanMs), random.integer(1, spanMs)];
    this.simulation.after(first, () => replica.backUp());
    this.simulation.after(first + second, () => {
      if (!replica.restore() || replica.isReady) return;
      // Long enough for others to follow it in the meantime.
      const mostMs = this.#faults.asksSingle ? spanMs * 2 : 200;
      this.simulation.after(random.integer(20, mostMs), () => void this.#recover(replica).catch(stays));
    });
  }

  async #recover(replica: ModelReplica): Promise<void> {
    // All others of the current ring: every majority has one of them even without this replica. A cluster that has left the ring does not
    // know of later deletions.
    const othersNow = () => {
      const members = clustersOf(this.#placements.at(-1) as Placement);
      return this.#replicas.filter((each) => each !== replica && members.includes(each.cluster));
    };
    if (this.#guards.restoresUnderNewEpoch) {
      // Votes of this replica before its loss must not count where a majority needs them. No other replica accepts the same in that epoch.
      const { epoch } = this.#step((this.#placements.at(-1) as Placement).groups);
      await this.#until(async () => {
        const others = othersNow();
        const entered = new Set<number>();
        const isAll = () => others.every(({ cluster }) => entered.has(cluster));
        await this.#enter(
          others.map(({ cluster }) => cluster),
          epoch,
          entered,
          isAll,
        );
        return isAll() && othersNow().every((each) => each.epoch >= epoch);
      });
    }
    replica.takeOver(othersNow());
  }
}

/** Replicas stay in their epoch. */
function stays(error: unknown): void {
  if (!(error instanceof NeverDoneError)) throw error;
}

class NeverDoneError extends Error {
  override readonly name = 'NeverDoneError';
}

class CrashedError extends Error {
  override readonly name = 'CrashedError';
}

/** A process that serves clients. Once it is dead, no message reaches it, and its clients get no answer. */
class Coordinator {
  readonly cluster: number;
  /** The error of its clock. */
  skewMs: number;
  readonly #registers: Registers<Value>;
  readonly #crashed = Promise.withResolvers<never>();
  #epoch = 1;
  #stoppedUntilMs = 0;
  isDead = false;

  constructor(world: World, cluster: number, skewMs: number, registers: Guards['registers'], chance: () => number) {
    this.cluster = cluster;
    this.skewMs = skewMs;
    this.#crashed.promise.catch(() => undefined);
    const { simulation } = world;
    const alive = async (answer: Promise<Answer<Value>>): Promise<Answer<Value>> => {
      const settled = await answer.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      while (this.#stoppedUntilMs > simulation.nowMs) await simulation.pause(this.#stoppedUntilMs - simulation.nowMs);
      if (this.isDead) return new Promise<never>(() => undefined);
      if ('error' in settled) throw settled.error;
      return settled.value;
    };
    const call = (to: number, act: (replica: ModelReplica) => Answer<Value>) => alive(world.call(cluster, to, act));
    // Far from zero, so that a slow clock has a positive time too.
    const startMs = 1_700_000_000_000;
    this.#registers = new registers({
      clock: new VersionClock({
        cluster,
        nowMs: () => Math.round(startMs + simulation.nowMs + this.skewMs),
        chance: () => chance().toString(16).padStart(12, '0'),
      }),
      placements: {
        of: async (_name, leastEpoch) => {
          this.learn(leastEpoch);
          return world.placement(this.#epoch);
        },
      },
      replicas: {
        read: (to, name, epoch) => call(to, (replica) => replica.read(name, epoch)),
        promise: (to, name, epoch, ballot) => call(to, (replica) => replica.promise(name, epoch, ballot)),
        accept: (to, name, epoch, written) => call(to, (replica) => replica.accept(name, epoch, written)),
      },
      pause: (ms) => simulation.pause(simulation.random.integer(1, Math.max(1, ms))),
      readOrder: (clusters) => simulation.random.shuffle(clusters),
      after: (ms, act) => {
        let isEnded = false;
        simulation.afterWhich(ms, () => {
          if (!isEnded) act();
          return !isEnded;
        });
        return () => {
          isEnded = true;
        };
      },
    });
  }

  learn(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  /** Answers wait until it continues. */
  stop(untilMs: number): void {
    this.#stoppedUntilMs = untilMs;
  }

  crash(): void {
    this.isDead = true;
    this.#crashed.reject(new CrashedError());
  }

  run(kind: Step['kind'], name: string, value: Value): Promise<Step> {
    return Promise.race([this.#do(kind, name, value), this.#crashed.promise]);
  }

  async #do(kind: Step['kind'], name: string, value: Value): Promise<Step> {
    if (kind === 'read') return { kind, got: (await this.#registers.read(name)).value };
    if (kind === 'put') {
      await this.#registers.write(name, value);
      return { kind, value };
    }
    if (kind === 'delete') {
      await this.#registers.write(name, undefined);
      return { kind };
    }
    const { result } = await this.#registers.update<boolean>(name, (found) =>
      (kind === 'create') === (found.value === undefined)
        ? { keeps: false, value, result: true }
        : { keeps: true, result: false },
    );
    return { kind, value, did: result };
  }
}
