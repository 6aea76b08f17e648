// One device's lanes in the trial of objects that are called again: each has a backend, and runs one trial after the other.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '../random.ts';
import type { ObjectNotes } from './again-verdict.ts';
import type { Arena, TrialServers } from './arena.ts';
import type { Disturbance } from './devices/device.ts';
import {
  type AgainKind,
  againKinds,
  type ObjectCall,
  type ObjectDevice,
  type TrialObject,
  type Values,
} from './devices/objects.ts';
import { MappingChanges } from './mapping-changes.ts';
import type { RelayMember } from './relay-member.ts';
import { settleOne } from './settling.ts';

export interface AgainOptions {
  readonly servers: TrialServers;
  readonly devices: readonly ObjectDevice[];
  /** Dropped calls of each kind, on all devices together. */
  readonly calls: number;
  /** Concurrent lanes per device. */
  readonly lanes: number;
  readonly random: Random;
  /** No further attempt starts after this time. */
  readonly timeIsUp: () => boolean;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

const besides = ['nothing', 'adopt', 'share', 'verify', 'disable', 'move'] as const;
type Beside = (typeof besides)[number];

const limits = { deadlineMs: 1_500, concurrency: 1 };
/** Less than the quiet time of a call, which is the sum of window, deadline and execution. */
const [leastLateMs, mostLateMs] = [100, 2_500];
/** The time after the late moment, for a device on a busy machine. */
const lateMarginMs = 300;
const trialsOfBatch = 8;
/** Trials whose call was not dropped are repeated. */
const mostAttempts = 3;
const answerMs = 15_000;
const endMs = 60_000;
const [leastPauseMs, mostPauseMs] = [20, 1_000];
const besideTimes = 3;
/** About as long as a call takes, so that the two meet. */
const besideSoonMs = 10;
const besidePauseMs = 150;
/** Longer than the quiet time of a call. */
const awayMs = 5_000;
const slowMs = 60;
const visitors = 3;
/** The object belongs to another CMP object. */
const fairRefusals = new Set(['ALREADY_MAPPED']);

/** A call on an object, and the values that it leaves. Null if it removes the object. */
interface Planned {
  readonly call: ObjectCall;
  readonly values: Values | null;
}

interface Trial {
  readonly kind: AgainKind;
  readonly beside: Beside;
  readonly lane: number;
  readonly object: TrialObject;
  readonly key: string;
  readonly draws: Random;
}

export class AgainLanes {
  readonly #arena: Arena;
  readonly #device: ObjectDevice;
  readonly #options: AgainOptions;
  readonly #seed: number;
  readonly #left: Record<AgainKind, number>;
  #attemptsLeft: number;
  #number = 0;
  readonly changes: MappingChanges;
  readonly kinds: Record<AgainKind, number> = { same: 0, other: 0, removed: 0, reordered: 0 };
  readonly besides: Record<Beside, number> = { nothing: 0, adopt: 0, share: 0, verify: 0, disable: 0, move: 0 };
  readonly earlyLooks: Record<string, number> = {};
  readonly againCalls: Record<string, number> = {};
  readonly objects = new Map<string, ObjectNotes>();
  readonly findings: string[] = [];

  constructor(arena: Arena, device: ObjectDevice, options: AgainOptions, calls: Readonly<Record<AgainKind, number>>) {
    this.#arena = arena;
    this.#device = device;
    this.#options = options;
    this.#seed = options.random.integer(0, 2 ** 30);
    this.changes = new MappingChanges(arena, device);
    this.#left = { ...calls };
    this.#attemptsLeft = mostAttempts * Object.values(calls).reduce((sum, each) => sum + each, 0);
  }

  get driver(): string {
    return this.#device.driver;
  }

  get trials(): number {
    return Object.values(this.kinds).reduce((sum, each) => sum + each, 0);
  }

  register(lane: number): Promise<void> {
    const { driver } = this;
    return this.#arena.register(this.#backend(lane), { driver, ...this.#device.backend(lane, 'home') }, limits);
  }

  #backend(lane: number): string {
    return `${this.driver}-${lane}`;
  }

  /** Runs trials one after the other, until there are enough of each kind. */
  async lane(lane: number): Promise<void> {
    const { progress } = this.#options;
    for (;;) {
      const first = this.#number;
      const keys: string[] = [];
      for (let trial = 0; trial < trialsOfBatch; trial += 1) {
        const kind = this.#nextKind();
        if (kind !== undefined) keys.push(...(await this.#trial(lane, kind)));
      }
      if (keys.length === 0) return;
      const states = await this.#device.states(lane);
      for (const key of keys) this.#notes(lane, key).atEnd = states.get(key) ?? null;
      await this.#device.clear(lane);
      if (Math.floor(first / 200) < Math.floor(this.#number / 200))
        progress(`${this.#device.name}: ${JSON.stringify(this.kinds)}`);
    }
  }

  /** No further trial starts. */
  end(): void {
    this.#attemptsLeft = 0;
  }

  #nextKind(): AgainKind | undefined {
    const { signal, timeIsUp } = this.#options;
    if (this.#attemptsLeft === 0 || signal.aborted || timeIsUp()) return undefined;
    const kind = againKinds.find((each) => this.#left[each] > 0);
    if (kind === undefined) return undefined;
    this.#left[kind] -= 1;
    this.#attemptsLeft -= 1;
    return kind;
  }

  /** Returns the keys of its objects. */
  async #trial(lane: number, kind: AgainKind): Promise<string[]> {
    const device = this.#device;
    this.#number += 1;
    const number = this.#number;
    // A trial's random choices depend only on its number.
    const draws = seededRandom(this.#seed + number);
    const object = device.object(lane, number);
    const beside = draws.pick(besides.filter((each) => each !== 'move' || device.moves));
    const trial: Trial = { kind, beside, lane, object, key: `${this.driver}-${lane}-${number}`, draws };
    const first = this.#first(trial);
    if (!(await this.#make(trial))) {
      this.#left[kind] += 1;
      return [object.key];
    }
    const disturbance = disturbanceBy(draws);
    await device.disturb(lane, disturbance);
    const atOnce = this.#besideCall(trial);
    // This is awaited below, unless the call itself fails.
    atOnce.catch(() => undefined);
    const reply = await this.#arena.ask(this.#someone(trial), this.#input(trial, first.call, 'first'), answerMs);
    await device.calm(lane);
    const late = sleep(lateMarginMs + (disturbance.kind === 'drop-late' ? disturbance.lateMs : 0));
    const keys = [object.key];
    if (reply.kind === 'ended' && reply.state === 'UNKNOWN') {
      this.kinds[kind] += 1;
      this.besides[beside] += 1;
      // Somebody makes the same change by hand.
      if (draws.next() < 0.3) await this.#byHand(trial, first.values);
      const changed = this.#changeBackend(trial);
      await this.#again(trial, this.#second(trial, first), reply, changed);
      // The worst moment, unless it has already passed: the object became free for another call.
      device.release(lane);
      await Promise.all([atOnce, changed]);
      await this.#settle(trial, reply.operationId);
      keys.push(...(await this.#waitBehind(trial)));
    } else {
      // A concurrent request came first, or the machine was too slow.
      this.#left[kind] += 1;
      await atOnce;
      await this.#untilEnded(trial, first.call, 'first');
    }
    await late;
    return keys;
  }

  /** Creates the object, by a call or by hand. */
  async #make(trial: Trial): Promise<boolean> {
    if (trial.draws.next() < 0.3) {
      await this.#byHand(trial, 'first');
      return true;
    }
    return (await this.#untilEnded(trial, trial.object.create('first'), 'make')) === 'SUCCEEDED';
  }

  #first({ object, draws }: Trial): Planned {
    const device = this.#device;
    const draw = draws.next();
    if (draw < 0.3 && device.shares.removed > 0) return { call: object.remove(), values: null };
    const values = draw < 0.65 ? 'first' : draws.pick(device.values);
    return { call: object.set(values), values };
  }

  #second({ kind, object }: Trial, first: Planned): Planned {
    if (kind === 'same') return first;
    if (kind === 'removed' && first.values !== null) return { call: object.remove(), values: null };
    const values = kind === 'removed' ? 'first' : kind;
    return { call: first.values === null ? object.create(values) : object.set(values), values };
  }

  async #byHand({ lane, object }: Trial, values: Values | null): Promise<void> {
    const device = this.#device;
    await device.byHand(lane, object, values);
    const state = device.stateOf(values);
    this.#notes(lane, object.key).byHand.push({ atMs: Date.now(), state });
  }

  /** Called after every poll, until the call is accepted or finally refused. Not on another device, because it would be another object there. */
  async #again(
    trial: Trial,
    { call }: Planned,
    first: { readonly operationId: string },
    changed: Promise<void>,
  ): Promise<void> {
    const untilMs = performance.now() + endMs;
    const input = this.#input(trial, call, 'again');
    let isAway = trial.beside === 'move';
    const back = changed.finally(() => (isAway = false));
    back.catch(() => undefined);
    for (let pauseMs = leastPauseMs; performance.now() < untilMs; pauseMs = Math.min(2 * pauseMs, mostPauseMs)) {
      const { state, finding, refusal } = await this.#arena.settle(this.#someone(trial), first.operationId);
      count(this.earlyLooks, refusal === undefined ? (finding ?? state) : 'REFUSED');
      if (isAway) {
        await Promise.race([sleep(pauseMs), back]);
        continue;
      }
      const [reply] = await Promise.all([
        this.#arena.ask(this.#someone(trial), input, answerMs),
        this.#besideOnce(trial, besideSoonMs),
      ]);
      if (reply.kind === 'ended') {
        count(this.againCalls, reply.state);
        if (reply.state === 'UNKNOWN') await this.#settle(trial, reply.operationId);
        return;
      }
      if (reply.kind === 'unexpected') {
        const code = this.#refusedFairly(trial, reply.what);
        return count(this.againCalls, code);
      }
      await sleep(pauseMs);
    }
    this.findings.push(`${trial.key}: its object could not be called again`);
  }

  /** It is called a few times during the call. */
  async #besideCall(trial: Trial): Promise<void> {
    await this.#besideOnce(trial, besideSoonMs);
    for (let times = 1; times < besideTimes; times += 1) await this.#besideOnce(trial, besidePauseMs);
  }

  async #besideOnce(trial: Trial, mostPauseMs: number): Promise<void> {
    const { beside, object, lane, draws } = trial;
    if (beside !== 'adopt' && beside !== 'share' && beside !== 'verify') return;
    await sleep(draws.integer(0, mostPauseMs));
    this.#number += 1;
    const key = `${trial.key}-${beside}-${this.#number}`;
    if (beside === 'adopt') await this.changes.adopt(this.#someone(trial), this.#backend(lane), object, key);
    else await this.changes.change(this.#someone(trial), beside, this.#backend(lane), object, key);
  }

  /** Changes its address, or whether it is enabled, and then reverts that. */
  async #changeBackend(trial: Trial): Promise<void> {
    const { beside, lane, draws } = trial;
    if (beside !== 'disable' && beside !== 'move') return;
    await sleep(draws.integer(0, besidePauseMs));
    const stayMs = draws.integer(0, 1) === 0 ? draws.integer(0, besidePauseMs) : awayMs;
    await this.changes.during(this.#someone(trial), { lane, backend: this.#backend(lane) }, beside, () =>
      sleep(stayMs),
    );
  }

  /** Calls that wait for a slot while the backend is changed. Returns the keys of their objects. */
  async #waitBehind(trial: Trial): Promise<string[]> {
    const { beside, lane, draws, key } = trial;
    if (beside !== 'disable' && beside !== 'move') return [];
    const device = this.#device;
    await device.disturb(lane, { kind: 'slow', delayMs: slowMs });
    const others = Array.from({ length: visitors }, (_, index) => {
      this.#number += 1;
      return { ...trial, object: device.object(lane, this.#number), key: `${key}-${index}` };
    });
    const calls = others.map((each) => this.#untilEnded(each, each.object.create('first'), 'make'));
    await sleep(draws.integer(0, slowMs * visitors));
    const stay = () => sleep(draws.integer(0, besidePauseMs));
    await this.changes.during(this.#someone(trial), { lane, backend: this.#backend(lane) }, beside, stay);
    await Promise.all(calls);
    await device.calm(lane);
    return others.map(({ object }) => object.key);
  }

  /** Follows the retry contract. Returns the final state or the refusal. */
  async #untilEnded(trial: Trial, call: ObjectCall, name: string): Promise<string> {
    const input = this.#input(trial, call, name);
    const untilMs = performance.now() + endMs;
    while (performance.now() < untilMs) {
      const reply = await this.#arena.ask(this.#someone(trial), input, answerMs);
      if (reply.kind === 'unexpected') return this.#refusedFairly(trial, reply.what);
      if (reply.kind === 'ended') {
        if (reply.state === 'UNKNOWN') await this.#settle(trial, reply.operationId);
        return reply.state;
      }
      await sleep(Math.min(reply.afterMs, mostPauseMs));
    }
    return 'no end';
  }

  #refusedFairly({ key }: Trial, what: string): string {
    const code = what.split(':')[0] ?? '';
    if (!fairRefusals.has(code)) this.#arena.unexpected.push(`${key}: ${what}`);
    return code;
  }

  async #settle(trial: Trial, operationId: string): Promise<void> {
    const next = () => this.#someone(trial);
    if (!(await settleOne({ arena: this.#arena, next, deadlineMs: endMs }, operationId)))
      this.findings.push(`${trial.key}: operation ${operationId} was not settled`);
  }

  #input({ lane, key, beside }: Trial, call: ObjectCall, name: string) {
    const cmpObject = { namespace: 'trials', type: 'again', externalId: key };
    return {
      ...{ idempotencyKey: `${key}-${name}`, backend: { name: this.#backend(lane) }, cmpObject, waitMs: answerMs },
      ...{ operation: call.operation, arguments: call.arguments, shared: beside === 'share' },
    };
  }

  #someone({ draws }: Trial): RelayMember {
    return draws.pick(this.#arena.members);
  }

  #notes(lane: number, key: string): ObjectNotes {
    const name = `${this.#backend(lane)} ${key}`;
    const notes = this.objects.get(name) ?? { byHand: [], atEnd: null };
    this.objects.set(name, notes);
    return notes;
  }
}

function disturbanceBy(draws: Random): Disturbance {
  const draw = draws.next();
  if (draw < 0.2) return { kind: 'drop-before' };
  if (draw < 0.4) return { kind: 'drop-after' };
  return { kind: 'drop-late', lateMs: draws.integer(leastLateMs, mostLateMs) };
}

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}
