// Devices that drop a call's connection before or after executing it, or that execute it when the connection is gone. Each call is UNKNOWN,
// and is settled by a probe, at the right time and never before.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RelaySettings } from '../../subgraphs/relay/control/settings.ts';
import { type Random, seededRandom } from '../random.ts';
import { Arena, type Ended, inputOf, type TrialServers } from './arena.ts';
import type { DeviceCall, Disturbance, TrialDevice } from './devices/device.ts';
import { readEvidence, wasSettledTooSoon } from './evidence.ts';
import { settleAll, settleOne } from './settling.ts';
import { judge, type Verdict } from './verdict.ts';

interface DropsOptions {
  readonly servers: TrialServers;
  readonly device: TrialDevice;
  /** Calls of each kind of drop. */
  readonly calls: number;
  readonly lanes: number;
  readonly random: Random;
  /** No further attempt starts after this time. */
  readonly timeIsUp: () => boolean;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Drops extends Verdict {
  /** Dropped calls that were made. */
  readonly trials: number;
  /** Of these: their connection was dropped, and they were UNKNOWN at once. */
  readonly dropped: number;
  /** Findings of probes right after the drop, while the call may still take effect. */
  readonly earlyLooks: Readonly<Record<string, number>>;
  /** FAILED before the quiet time was over. */
  readonly failedTooSoon: number;
  /** Probes that were refused. */
  readonly refusedLooks: number;
  readonly unexpected: number;
  readonly seconds: number;
}

export const dropKinds = ['drop-before', 'drop-after', 'drop-late'] as const;
type DropKind = (typeof dropKinds)[number];

const settings: Partial<RelaySettings> = { deviceExecutionMs: 600, tickMs: 500, circuitRetryMs: 500 };
const sendWindowMs = 2_000;
const limits = { deadlineMs: 2_000, concurrency: 1 };
const leaseTtlMs = 5_000;
const callsOfBatch = 12;
const [leastLateMs, mostLateMs] = [50, 400];
/** Time after the late moment, for a device on a busy machine. */
const lateMarginMs = 150;
const answerDeadlines = { attemptMs: 10_000, allMs: 20_000 };
const settleDeadlineMs = 15_000;
const arrivalMs = 5_000;
const mostMakes = 8;
const makePauseMs = 500;
const later = { settled: Promise.resolve() };

export async function runDrops(options: DropsOptions): Promise<Drops> {
  const { servers, device, lanes, progress } = options;
  const startedMs = performance.now();
  const arena = await Arena.open({ servers, leaseTtlMs, settings: { ...settings, sendWindowMs } });
  try {
    await Promise.all(laneNumbers(lanes).map((lane) => arena.register(backendOf(lane), device.backend(lane), limits)));
    const run = new DropsRun(arena, options);
    for (const kind of dropKinds) {
      for (
        let left = options.calls;
        left > 0 && !options.signal.aborted && !options.timeIsUp();
        left -= lanes * callsOfBatch
      ) {
        await run.batch(kind, Math.min(left, lanes * callsOfBatch));
        progress(`${device.name}, ${kind}: ${options.calls - Math.max(0, left - lanes * callsOfBatch)} calls`);
      }
    }
    const evidence = await readEvidence(arena.db);
    const lives = arena.members.flatMap((member) => member.lives);
    const records = await device.records(evidence.rows);
    const verdict = judge({ ...evidence, device: records, lives, pauses: [] }, { sendWindowMs, arrivalMs });
    return {
      ...verdict,
      ...run.figures,
      settledWrong: verdict.settledWrong + run.figures.failedTooSoon,
      findings: [...verdict.findings, ...run.findings, ...arena.unexpected.map((each) => `unexpected: ${each}`)],
      unexpected: arena.unexpected.length,
      seconds: Math.round((performance.now() - startedMs) / 1_000),
    };
  } finally {
    await arena.close();
  }
}

class DropsRun {
  readonly #arena: Arena;
  readonly #device: TrialDevice;
  readonly #lanes: number;
  readonly #random: Random;
  readonly #seed: number;
  readonly #progress: (line: string) => void;
  readonly findings: string[] = [];
  readonly #earlyLooks: Record<string, number> = {};
  #number = 0;
  #trials = 0;
  #dropped = 0;
  #failedTooSoon = 0;
  #refusedLooks = 0;

  constructor(arena: Arena, { device, lanes, random, progress }: DropsOptions) {
    this.#progress = progress;
    this.#arena = arena;
    this.#device = device;
    this.#lanes = lanes;
    this.#random = random;
    this.#seed = random.integer(0, 2 ** 30);
  }

  get figures() {
    return {
      trials: this.#trials,
      dropped: this.#dropped,
      earlyLooks: this.#earlyLooks,
      failedTooSoon: this.#failedTooSoon,
      refusedLooks: this.#refusedLooks,
    };
  }

  /** This many calls, on all lanes at once; each lane has one running call. Everything is settled at the end. */
  async batch(kind: DropKind, calls: number): Promise<void> {
    const settling: Promise<void>[] = [];
    let left = calls;
    const lane = async (number: number): Promise<void> => {
      while (left > 0) {
        left -= 1;
        settling.push((await this.#dropOne(number, kind)).settled);
      }
    };
    await Promise.all(laneNumbers(Math.min(this.#lanes, calls)).map(lane));
    await Promise.all(settling);
    await settleAll({ ...this.#settling, deadlineMs: settleDeadlineMs });
    await Promise.all(laneNumbers(this.#lanes).map((number) => this.#device.clean(number)));
  }

  /**
   * Makes one call whose connection is dropped. `settled`, for a call to be settled before the end of the batch, continues in the
   * background.
   */
  async #dropOne(lane: number, kind: DropKind): Promise<{ readonly settled: Promise<void> }> {
    this.#number += 1;
    const number = this.#number;
    // A call's random choices depend only on its number, not on lane or time.
    const draws = seededRandom(this.#seed + number);
    const lateMs = draws.integer(leastLateMs, mostLateMs);
    const call = await this.#prepare(lane, number, draws.next());
    if (call === undefined) return later;
    this.#trials += 1;
    const disturbance: Disturbance = kind === 'drop-late' ? { kind, lateMs } : { kind };
    await this.#device.disturb(lane, [call], disturbance);
    const droppedMs = performance.now();
    const key = `drop-${lane}-${number}`;
    const ended = await this.#call(inputOf(backendOf(lane), key, call));
    await this.#device.calm(lane);
    if (ended?.state !== 'UNKNOWN') {
      this.findings.push(`${kind} ${key}: the call was not dropped, but ended as ${ended?.state ?? 'nothing'}`);
      return later;
    }
    this.#dropped += 1;
    if (kind === 'drop-after') return { settled: this.#settle(ended.operationId) };
    if (await this.#lookEarly(ended.operationId, `${kind} ${key}`)) return later;
    // Calls that were never executed are settled with all others of the batch, when their quiet time is over.
    if (kind === 'drop-before') return later;
    const dueMs = Math.max(0, droppedMs + lateMs + lateMarginMs - performance.now());
    return { settled: sleep(dueMs).then(() => this.#settle(ended.operationId)) };
  }

  /** Makes the call's prerequisite. */
  async #prepare(lane: number, number: number, draw: number): Promise<DeviceCall | undefined> {
    if (draw < 0.4) return this.#device.create(lane, number);
    if (draw < 0.7) {
      const { call, needs } = this.#device.add(lane, number);
      return needs === undefined || (await this.#make(lane, number, needs)) !== undefined ? call : undefined;
    }
    const { needs, call } = this.#device.remove(lane, number);
    const made = await this.#make(lane, number, needs);
    return made && call(made.result);
  }

  /** A busy device refuses it while a cut session has not ended there: it is then repeated. */
  async #make(lane: number, number: number, call: DeviceCall) {
    let made: Ended | undefined;
    for (let attempt = 1; attempt <= mostMakes; attempt += 1) {
      made = await this.#call(inputOf(backendOf(lane), `drop-${lane}-${number}`, call), `make-${attempt}-`);
      if (made?.state === 'SUCCEEDED') return made;
      if (made?.state !== 'FAILED') break;
      await sleep(makePauseMs);
    }
    this.findings.push(`drop-${lane}-${number}: what it needs was not made: ${made?.state ?? 'no answer'}`);
    return undefined;
  }

  /** Through the first relay, which holds all backends; the second one probes. */
  #call(input: ReturnType<typeof inputOf>, keyPrefix = '') {
    const idempotencyKey = `${keyPrefix}${String(input.idempotencyKey)}`;
    return this.#arena.untilEnded(() => this.#arena.members[0], { ...input, idempotencyKey }, answerDeadlines);
  }

  /** True if that settled it: a late effect may already have happened. */
  async #lookEarly(operationId: string, about: string): Promise<boolean> {
    const { state, finding, refusal } = await this.#arena.settle(this.#arena.members[1], operationId);
    const what = refusal === undefined ? (finding ?? state) : 'REFUSED';
    this.#earlyLooks[what] = (this.#earlyLooks[what] ?? 0) + 1;
    if (refusal !== undefined) this.#refused(refusal);
    if (state !== 'FAILED') return state !== 'UNKNOWN';
    // On a busy machine the probe may be late.
    if (await wasSettledTooSoon(this.#arena.db, operationId)) {
      this.#failedTooSoon += 1;
      this.findings.push(`${about}: FAILED before its quiet time was over`);
    }
    return true;
  }

  async #settle(operationId: string): Promise<void> {
    await settleOne({ ...this.#settling, deadlineMs: settleDeadlineMs }, operationId);
  }

  get #settling() {
    const next = () => this.#random.pick(this.#arena.members);
    return { arena: this.#arena, next, refused: (why: string) => this.#refused(why) };
  }

  #refused(why: string): void {
    this.#refusedLooks += 1;
    this.#progress(`a probe could not look: ${why}`);
  }
}

function laneNumbers(lanes: number): number[] {
  return Array.from({ length: lanes }, (_, lane) => lane);
}

const backendOf = (lane: number): string => `lane-${lane}`;
