// Stops relays with SIGSTOP while they hold a backend, for seconds to a minute, in a stream of calls: another takes the backend over, and
// the stopped one sends nothing that is too old when it resumes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { Arena, type Ended, inputOf, type TrialServers } from './arena.ts';
import { competition } from './competition.ts';
import type { DeviceCall, TrialDevice } from './devices/device.ts';
import { readEvidence, untilAllEnded } from './evidence.ts';
import type { Moment } from './moments.ts';
import type { RelayMember } from './relay-member.ts';
import { settleAll } from './settling.ts';
import { judge, type Pause, type Verdict } from './verdict.ts';

export interface Stop {
  readonly durationMs: number;
  /** The moment of a call at which the relay is stopped. Undefined for any time. */
  readonly moment: Moment | undefined;
}

interface StopsLaneOptions {
  readonly servers: TrialServers;
  readonly device: TrialDevice;
  readonly lane: number;
  readonly stops: readonly Stop[];
  readonly random: Random;
  /** No further attempt starts after this time. */
  readonly timeIsUp: () => boolean;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Stops extends Verdict {
  readonly trials: number;
  /** Stopped at an exact moment of a call; the others at any time. */
  readonly atMoments: number;
  readonly longestMs: number;
  /** From each stop to a new call that SUCCEEDED through the other relay. */
  readonly takenOverMs: readonly number[];
  /** Stops longer than twice that usual time without a takeover before the relay resumed. */
  readonly notTakenOver: number;
  /** Relays that ended by themselves; they were restarted. */
  readonly crashes: number;
  readonly unexpected: number;
}

const backend = 'firewall';
const clients = 3;
/** Pauses of a client between two calls; longer during long stops. */
const [leastPauseMs, mostPauseMs, slowPauseMs] = [20, 150, 500];
const [leastBeforeMs, mostBeforeMs] = [200, 1_500];
const afterMs = 1_000;
const planDeadlineMs = 3_000;
const stopPollMs = 5;
const settleDeadlineMs = 20_000;
const endDeadlineMs = 30_000;
const exactMoments: readonly Moment[] = ['sent', 'sent', 'sent', 'pending', 'reply', 'recorded'];
/** A lease expires, and a waiting relay checks it again. */
const usualTakeoverMs = competition.leaseTtlMs + 500;

/** 1 to 60 s; of ten, seven are 1 to 5 s, two 5 to 20 s, one 20 to 60 s. Half are at an exact moment. */
export function planStops(count: number, random: Random): Stop[] {
  return Array.from({ length: count }, (_, index) => {
    const moment = random.next() < 0.5 ? random.pick(exactMoments) : undefined;
    const [least, most] = index % 10 < 7 ? [1_000, 5_000] : index % 10 < 9 ? [5_000, 20_000] : [20_000, 60_000];
    return { durationMs: random.integer(least, most), moment };
  });
}

/** Runs trials one after the other, with their own database and two relays. */
export async function runStopsLane(options: StopsLaneOptions): Promise<Stops> {
  const { servers, device, lane, stops, progress, signal } = options;
  const arena = await Arena.open({ servers, leaseTtlMs: competition.leaseTtlMs, settings: competition.settings });
  try {
    await arena.register(backend, device.backend(lane), competition.limits);
    const run = new StopsRun(arena, options);
    for (const [trial, stop] of stops.entries()) {
      if (signal.aborted || options.timeIsUp()) break;
      progress(`${device.name}, lane ${lane}, stop ${trial + 1}/${stops.length}: ${await run.trial(stop)}`);
    }
    const evidence = await readEvidence(arena.db);
    const lives = arena.members.flatMap((member) => member.lives);
    const records = await device.records(evidence.rows);
    const verdict = judge({ ...evidence, device: records, lives, pauses: run.pauses }, competition.window);
    return {
      ...verdict,
      ...run.figures,
      findings: [...verdict.findings, ...run.findings, ...arena.unexpected.map((each) => `unexpected: ${each}`)],
      unexpected: arena.unexpected.length,
    };
  } finally {
    for (const member of arena.members) member.signal('SIGCONT');
    await arena.close();
  }
}

class StopsRun {
  readonly #arena: Arena;
  readonly #device: TrialDevice;
  readonly #lane: number;
  readonly #random: Random;
  readonly #signal: AbortSignal;
  readonly #refused: (why: string) => void;
  readonly findings: string[] = [];
  readonly pauses: Pause[] = [];
  readonly #takenOverMs: number[] = [];
  #number = 0;
  #trials = 0;
  #atMoments = 0;
  #notTakenOver = 0;
  #crashes = 0;
  #pauseMs = mostPauseMs;

  constructor(arena: Arena, { device, lane, random, progress, signal }: StopsLaneOptions) {
    this.#refused = (why) => progress(`lane ${lane}: a probe could not look: ${why}`);
    this.#arena = arena;
    this.#device = device;
    this.#lane = lane;
    this.#random = random;
    this.#signal = signal;
  }

  get figures() {
    return {
      trials: this.#trials,
      atMoments: this.#atMoments,
      longestMs: Math.max(0, ...this.pauses.map(({ fromMs, untilMs }) => untilMs - fromMs)),
      takenOverMs: this.#takenOverMs,
      notTakenOver: this.#notTakenOver,
      crashes: this.#crashes,
    };
  }

  async trial({ durationMs, moment }: Stop): Promise<string> {
    const { members, db } = this.#arena;
    this.#trials += 1;
    this.#pauseMs = mostPauseMs;
    const ended = new AbortController();
    const streams = Array.from({ length: clients }, () => this.#stream(ended.signal));
    await sleep(this.#random.integer(leastBeforeMs, mostBeforeMs));
    const stopped = (moment && (await this.#stopAt(moment))) ?? (await this.#stopHolder());
    const { fromMs } = stopped;
    const { owner } = stopped.member;
    const other = members[stopped.member === members[0] ? 1 : 0];
    const takenOver = this.#fresh(other).then((call) => {
      if (call?.state === 'SUCCEEDED') return Date.now() - fromMs;
      return undefined;
    });
    // A minute of calls at full speed would make a long ruleset without improving the trial.
    if (durationMs > 10_000) this.#pauseMs = slowPauseMs;
    await sleep(durationMs, undefined, { signal: this.#signal }).catch(() => undefined);
    const untilMs = Date.now();
    stopped.member.signal('SIGCONT');
    this.pauses.push({ owner, fromMs, untilMs });
    await sleep(afterMs);
    ended.abort();
    await Promise.all([...streams, stopped.last]);
    const tookMs = await takenOver;
    if (tookMs !== undefined && fromMs + tookMs <= untilMs) this.#takenOverMs.push(tookMs);
    else if (untilMs - fromMs > 2 * usualTakeoverMs) this.#notTakenOver += 1;
    if (!(await untilAllEnded(db, endDeadlineMs)))
      this.findings.push(`stop ${this.#trials}: calls did not come to an end`);
    const next = () => this.#random.pick(members);
    await settleAll({ arena: this.#arena, next, deadlineMs: settleDeadlineMs, refused: this.#refused });
    await this.#device.clean(this.#lane);
    for (const member of members.filter(({ up }) => !up)) {
      this.#crashes += 1;
      await member.restart();
    }
    return `${untilMs - fromMs} ms at ${stopped.at}, taken over after ${tookMs} ms`;
  }

  async #stopHolder() {
    let holder: RelayMember | undefined;
    while (holder === undefined) {
      this.#signal.throwIfAborted();
      holder = await this.#arena.holderOf(backend);
    }
    const fromMs = Date.now();
    holder.signal('SIGSTOP');
    return { member: holder, at: 'any time', last: undefined, fromMs };
  }

  /** Stops whichever relay reaches the moment of a call made for it. Undefined if none did. */
  async #stopAt(moment: Moment) {
    const { members } = this.#arena;
    const { key, call } = this.#next();
    const { wireMark, argumentMark } = call;
    const plan = { signal: 'SIGSTOP', moment, wireMark, argumentMark, afterMs: 0 } as const;
    await Promise.all(members.map((member) => member.plan(plan)));
    const holder = await this.#arena.holderOf(backend);
    const first = moment === 'pending' ? members.find((member) => member !== holder) : holder;
    const last = this.#untilEnded(key, call, first);
    const untilMs = performance.now() + planDeadlineMs;
    // It stopped itself, after the last check: a busy machine notices late.
    let fromMs = Date.now();
    let member: RelayMember | undefined;
    while (performance.now() < untilMs) {
      const lookedMs = Date.now();
      member = await stoppedOf(members);
      if (member !== undefined) break;
      fromMs = lookedMs;
      await sleep(stopPollMs);
    }
    member ??= await disarmed(members);
    if (member === undefined) {
      await last;
      return undefined;
    }
    this.#atMoments += 1;
    const others = members.filter((each) => each !== member);
    // The other relay may get the same call, and stop too.
    for (let also = await disarmed(others); also !== undefined; also = await disarmed(others)) {
      also.signal('SIGCONT');
      this.pauses.push({ owner: also.owner, fromMs, untilMs: Date.now() });
    }
    return { member, at: moment, last, fromMs };
  }

  /** Creates objects, and removes some, one after the other. */
  async #stream(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const { key, number } = this.#next();
      const draw = this.#random.next();
      if (draw < 0.3) {
        const { needs, call } = this.#device.remove(this.#lane, number);
        const made = await this.#untilEnded(key, needs, undefined, 'make-');
        if (made?.state === 'SUCCEEDED') await this.#untilEnded(key, call(made.result));
      } else if (draw < 0.6) {
        const { needs, call } = this.#device.add(this.#lane, number);
        const made = needs && (await this.#untilEnded(key, needs, undefined, 'make-'));
        if (needs === undefined || made?.state === 'SUCCEEDED') await this.#untilEnded(key, call);
      } else await this.#untilEnded(key, this.#device.create(this.#lane, number));
      await sleep(this.#random.integer(leastPauseMs, this.#pauseMs));
    }
  }

  #fresh(member: RelayMember): Promise<Ended | undefined> {
    const { key, call } = this.#next();
    const { answerDeadlines } = competition;
    return this.#arena.untilEnded(() => member, inputOf(backend, key, call), answerDeadlines);
  }

  #next(): { readonly key: string; readonly number: number; readonly call: DeviceCall } {
    this.#number += 1;
    const number = this.#number;
    return { key: `stop-${this.#lane}-${number}`, number, call: this.#device.create(this.#lane, number) };
  }

  /** Asks `first`, then any relay. */
  #untilEnded(key: string, call: DeviceCall, first?: RelayMember, keyPrefix = ''): Promise<Ended | undefined> {
    let asked: RelayMember | undefined;
    const next = (): RelayMember => {
      asked = asked === undefined && first !== undefined ? first : this.#random.pick(this.#arena.members);
      return asked;
    };
    const input = { ...inputOf(backend, key, call), idempotencyKey: `${keyPrefix}${key}` };
    return this.#arena.untilEnded(next, input, competition.answerDeadlines);
  }
}

async function stoppedOf(members: readonly RelayMember[]): Promise<RelayMember | undefined> {
  for (const member of members) if (await member.isStopped()) return member;
  return undefined;
}

/** Withdraws the plan of a failure. Returns a relay that stopped in the meantime and so can't answer. */
async function disarmed(members: readonly RelayMember[]): Promise<RelayMember | undefined> {
  let areDisarmed = false;
  const answers = Promise.all(members.map((member) => member.plan(undefined))).then(() => {
    areDisarmed = true;
  });
  answers.catch(() => undefined);
  while (!areDisarmed) {
    const stopped = await stoppedOf(members);
    if (stopped !== undefined) return stopped;
    await Promise.race([answers, sleep(stopPollMs)]);
  }
  return undefined;
}
