// The failures of a trial: a part of the system is killed, or the device misbehaves. The seed determines all of them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceFault } from '../../lab/device-faults.ts';
import type { WholeSystem } from '../../measure/whole-system.ts';
import type { Random } from '../random.ts';

const victims = ['relay-1', 'relay-2', 'worker', 'redis', 'mariadb'] as const;
export type Victim = (typeof victims)[number];

const deviceFaults: readonly DeviceFault[] = [
  { drop: 'before' },
  { drop: 'late', delayBeforeMs: 200 },
  { drop: 'after' },
  { drop: 'mid-reply' },
  { hang: 'before' },
  { hang: 'after' },
  { delayBeforeMs: 1_000 },
  { delayAfterMs: 1_000 },
];

/** The share of restarts during which a second part is killed. */
const secondShare = 0.25;
const longestUntilSecondMs = 4_000;
const faultMs = 600;

export class Failures {
  readonly #system: WholeSystem;
  readonly #random: Random;
  #turn: Victim[] = [];
  readonly kills: Record<Victim, number> = { 'relay-1': 0, 'relay-2': 0, worker: 0, redis: 0, mariadb: 0 };
  faults = 0;

  constructor(system: WholeSystem, random: Random) {
    this.#system = system;
    this.#random = random;
  }

  /** Kills one part, sometimes another during the recovery. Returns a description in words. */
  async kill(): Promise<string> {
    // Each occurs once per turn, so that a short run includes all of them.
    if (this.#turn.length === 0) this.#turn = this.#random.shuffle(victims);
    const first = this.#turn.pop() ?? 'relay-1';
    this.#killNow(first);
    if (this.#random.next() >= secondShare) return `killed ${first}`;
    const [second, pauseMs] = [this.#random.pick(victims), this.#random.integer(0, longestUntilSecondMs)];
    await sleep(pauseMs);
    if (!this.#killNow(second)) return `killed ${first}; ${second} was down ${pauseMs} ms later`;
    return `killed ${first}, then ${second} after ${pauseMs} ms`;
  }

  /** The device misbehaves for a few calls; sometimes a part is killed at the same time. */
  async disturb(): Promise<string> {
    const { faults } = this.#system.lab;
    const fault = { ...this.#random.pick(deviceFaults), times: this.#random.integer(1, 3) };
    await faults.set(fault);
    this.faults += 1;
    await sleep(this.#random.integer(0, faultMs));
    const killed = this.#random.next() < secondShare ? `, ${await this.kill()}` : '';
    await sleep(faultMs);
    await faults.clear();
    return `device ${JSON.stringify(fault)}${killed}`;
  }

  #killNow(victim: Victim): boolean {
    const killed = this.#system.part(victim).kill();
    if (killed) this.kills[victim] += 1;
    return killed;
  }
}
