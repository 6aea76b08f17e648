// Kills relays with SIGKILL at every moment of a call, in a stream of calls by two of them on one backend: the other one takes over, ends
// the dead one's calls, and never repeats one of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost } from '../../platform/work/within.ts';
import type { Random } from '../random.ts';
import { Arena, type Ended, inputOf, type TrialServers } from './arena.ts';
import { competition } from './competition.ts';
import type { DeviceCall, DeviceRecord, TrialDevice } from './devices/device.ts';
import { type JournalRow, readEvidence, untilAllEnded } from './evidence.ts';
import { type Moment, moments } from './moments.ts';
import type { RelayMember } from './relay-member.ts';
import { settleAll } from './settling.ts';
import { judge, type Verdict } from './verdict.ts';

interface KillsLaneOptions {
  readonly servers: TrialServers;
  readonly device: TrialDevice;
  readonly lane: number;
  readonly trials: number;
  readonly random: Random;
  /** No further attempt starts after this time. */
  readonly timeIsUp: () => boolean;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Kills extends Verdict {
  readonly trials: number;
  /** Trials in which the process was killed at the planned moment. */
  readonly kills: Readonly<Record<Moment, number>>;
  /** The call never reached the planned moment, and its relay was killed later. */
  readonly missed: number;
  /** The state of the call during which its relay was killed, before it was settled. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** From each kill to a new call that SUCCEEDED on the same backend. */
  readonly readyAgainMs: readonly number[];
  readonly unexpected: number;
}

const backend = 'firewall';
const planDeadlineMs = 4_000;
const otherCalls = 4;
const mostPauseMs = 200;
/** Delay of the reply to a call whose relay is killed after the first byte. */
const slowMs = 150;
/** Time for which other calls have all slots of the backend. */
const busyMs = 500;
const mostAfterFirstByteMs = 60;
const settleDeadlineMs = 20_000;
const endDeadlineMs = 20_000;

/** Runs trials one after the other, with their own database and two relays. */
export async function runKillsLane(options: KillsLaneOptions): Promise<Kills> {
  const { servers, device, lane, trials, progress, signal } = options;
  const arena = await Arena.open({ servers, leaseTtlMs: competition.leaseTtlMs, settings: competition.settings });
  try {
    await arena.register(backend, device.backend(lane), competition.limits);
    const run = new KillsRun(arena, options);
    for (let trial = 0; trial < trials && !signal.aborted && !options.timeIsUp(); trial += 1) {
      const moment = moments[(trial + lane) % moments.length] ?? 'sent';
      progress(`${device.name}, lane ${lane}, kill ${trial + 1}/${trials}: ${await run.trial(moment)}`);
    }
    const evidence = await readEvidence(arena.db);
    const lives = arena.members.flatMap((member) => member.lives);
    const records = await device.records(evidence.rows);
    const verdict = judge({ ...evidence, device: records, lives, pauses: [] }, competition.window);
    return {
      ...verdict,
      ...run.figures,
      outcomes: run.outcomes(evidence.rows, records),
      findings: [...verdict.findings, ...run.findings, ...arena.unexpected.map((each) => `unexpected: ${each}`)],
      unexpected: arena.unexpected.length,
    };
  } finally {
    await arena.close();
  }
}

interface Planned {
  readonly key: string;
  readonly call: DeviceCall;
}

class KillsRun {
  readonly #arena: Arena;
  readonly #device: TrialDevice;
  readonly #lane: number;
  readonly #random: Random;
  readonly #refused: (why: string) => void;
  readonly findings: string[] = [];
  readonly #kills: Record<Moment, number> = { pending: 0, sent: 0, 'first-byte': 0, reply: 0, recorded: 0 };
  readonly #moments = new Map<string, Moment>();
  readonly #readyAgainMs: number[] = [];
  #number = 0;
  #trials = 0;
  #missed = 0;

  constructor(arena: Arena, { device, lane, random, progress }: KillsLaneOptions) {
    this.#refused = (why) => progress(`lane ${lane}: a probe could not look: ${why}`);
    this.#arena = arena;
    this.#device = device;
    this.#lane = lane;
    this.#random = random;
  }

  get figures() {
    return { trials: this.#trials, kills: this.#kills, missed: this.#missed, readyAgainMs: this.#readyAgainMs };
  }

  async trial(moment: Moment): Promise<string> {
    const { members, db } = this.#arena;
    this.#trials += 1;
    const planned = await this.#plan();
    if (planned === undefined) return 'it could not be prepared';
    const others = Array.from({ length: otherCalls }, () => this.#fresh());
    const first = await this.#whoIsAsked(moment);
    const busy = moment === 'pending' && first === (await this.#arena.holderOf(backend));
    if (busy)
      await this.#device.disturb(
        this.#lane,
        others.map(({ call }) => call),
        { kind: 'slow', delayMs: busyMs },
      );
    if (moment === 'first-byte')
      await this.#device.disturb(this.#lane, [planned.call], { kind: 'slow', delayMs: slowMs });
    const { wireMark, argumentMark } = planned.call;
    const afterMs = this.#random.integer(0, mostAfterFirstByteMs);
    const plan = { signal: 'SIGKILL', moment, wireMark, argumentMark, afterMs } as const;
    await Promise.all(members.map((member) => member.plan(plan)));

    const died = Promise.race(members.map((member) => member.exited.then(() => member)));
    const calls = others.map(async (other) => {
      if (!busy) await sleep(this.#random.integer(0, mostPauseMs));
      return this.#untilEnded(other, busy ? first : this.#random.pick(members));
    });
    await sleep(busy ? mostPauseMs : this.#random.integer(0, mostPauseMs));
    calls.push(this.#untilEnded(planned, first));
    const victim = await atMost(planDeadlineMs, died);
    if (victim !== undefined) {
      this.#kills[moment] += 1;
      this.#moments.set(planned.key, moment);
    } else this.#missed += 1;
    await Promise.all(members.map((member) => member.plan(undefined)));
    const dead = victim ?? (await this.#killHolder());
    const survivor = members[dead === members[0] ? 1 : 0];
    // The same call reached the same moment there, before its plan was withdrawn.
    await survivor.restart();
    await this.#device.calm(this.#lane);
    const startedMs = performance.now();
    if ((await this.#untilEnded(this.#fresh(), survivor))?.state === 'SUCCEEDED')
      this.#readyAgainMs.push(Math.round(performance.now() - startedMs));
    const ended = await Promise.all(calls);
    if (!(await untilAllEnded(db, endDeadlineMs))) this.findings.push(`${planned.key}: calls did not come to an end`);
    await Promise.all([
      settleAll({ arena: this.#arena, next: () => survivor, deadlineMs: settleDeadlineMs, refused: this.#refused }),
      dead.restart(),
    ]);
    await this.#device.clean(this.#lane);
    const outcome = ended.at(-1)?.state ?? 'no answer';
    return `${victim === undefined ? 'missed ' : ''}${moment}${busy ? ' behind others' : ''}; its client was told ${outcome}`;
  }

  /** The states of the calls when their relays were killed, by moment. */
  outcomes(rows: readonly JournalRow[], records: ReadonlyMap<string, DeviceRecord>): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [key, moment] of this.#moments) {
      const row = rows.find((each) => each.key === key && !isPreparation(each, rows));
      if (row === undefined) continue;
      const seen = (records.get(row.id)?.receivedAtMs.length ?? 0) > 0 ? 'seen' : 'never seen';
      const what = `${moment}: ${row.wasUnknown ? 'UNKNOWN' : row.state}, ${seen} by the device`;
      counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  }

  async #plan(): Promise<Planned | undefined> {
    const { key, number } = this.#next();
    const draw = this.#random.next();
    if (draw < 0.4) return { key, call: this.#device.create(this.#lane, number) };
    if (draw < 0.7) {
      const { call, needs } = this.#device.add(this.#lane, number);
      return needs === undefined || (await this.#make(key, needs)) !== undefined ? { key, call } : undefined;
    }
    const { needs, call } = this.#device.remove(this.#lane, number);
    const made = await this.#make(key, needs);
    return made && { key, call: call(made.result) };
  }

  #fresh(): Planned {
    const { key, number } = this.#next();
    return { key, call: this.#device.create(this.#lane, number) };
  }

  #next(): { readonly key: string; readonly number: number } {
    this.#number += 1;
    return { key: `kill-${this.#lane}-${this.#number}`, number: this.#number };
  }

  async #make(key: string, call: DeviceCall): Promise<Ended | undefined> {
    const made = await this.#untilEnded({ key, call }, this.#random.pick(this.#arena.members), 'make-');
    if (made?.state === 'SUCCEEDED') return made;
    this.findings.push(`${key}: what it needs was not made: ${made?.state ?? 'no answer'}`);
    return undefined;
  }

  /** A call becomes PENDING at a relay that does not hold the backend, or whose holder is busy. */
  async #whoIsAsked(moment: Moment): Promise<RelayMember> {
    const { members } = this.#arena;
    const holder = await this.#arena.holderOf(backend);
    if (moment !== 'pending' || holder === undefined || this.#random.next() < 0.5) return holder ?? members[0];
    return members[holder === members[0] ? 1 : 0];
  }

  /** Asks that relay first, and then each in turn. */
  #untilEnded({ key, call }: Planned, first: RelayMember, keyPrefix = ''): Promise<Ended | undefined> {
    const { members } = this.#arena;
    let turn = members.indexOf(first);
    const next = (): RelayMember => {
      const member = members[turn % 2] ?? first;
      turn += 1;
      return member;
    };
    const input = { ...inputOf(backend, key, call), idempotencyKey: `${keyPrefix}${key}` };
    return this.#arena.untilEnded(next, input, competition.answerDeadlines);
  }

  async #killHolder(): Promise<RelayMember> {
    const victim = (await this.#arena.holderOf(backend)) ?? this.#arena.members[0];
    victim.signal('SIGKILL');
    await victim.exited;
    return victim;
  }
}

/** The call that creates the planned call's object. */
function isPreparation(row: JournalRow, rows: readonly JournalRow[]): boolean {
  return row.mapping === 'creates' && rows.some((each) => each.key === row.key && each.name !== row.name);
}
