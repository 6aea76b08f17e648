// Finds the attack that blocked an event loop: requests in flight at that time are repeated alone, after all others have ended.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller, Exchange } from './caller.ts';
import type { Attack } from './http-attacks.ts';
import { readSlowTurns, type SlowTurn, slowTurnMs } from './slow-turns.ts';
import type { Judge } from './verdict.ts';

interface Tried {
  readonly attack: Attack;
  readonly caller: Caller;
  readonly fromMs: number;
  untilMs: number;
}

const mostOfAKind = 3;
const confirmations = 3;
/** Attempts that are checked together. They keep the texts that they sent. */
const batch = 500;
/** The watch checks every few milliseconds. */
const settleMs = 20;

export class Suspects {
  readonly #folder: string;
  readonly #watched: readonly string[];
  readonly #judge: Judge;
  #tried: Tried[] = [];
  readonly #suspects = new Map<string, Tried[]>();

  constructor(folder: string, watched: readonly string[], judge: Judge) {
    this.#folder = folder;
    this.#watched = watched;
    this.#judge = judge;
  }

  async during(caller: Caller, attack: Attack): Promise<Exchange> {
    const tried: Tried = { attack, caller, fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY };
    this.#tried.push(tried);
    try {
      return await attack.run();
    } finally {
      tried.untilMs = Date.now();
      if (this.#tried.length >= batch) await this.#sift();
    }
  }

  /** After the attack. Finds the refused requests that block a loop each time. */
  async confirm(): Promise<void> {
    await this.#sift();
    for (const [kind, tried] of this.#suspects)
      for (const { attack, caller } of tried)
        if (await this.#isSlowRefusal(attack)) {
          this.#judge.found('slowRefusal', `${caller.name}, ${kind} holds a loop for more than ${slowTurnMs} ms`);
          break;
        }
  }

  async #sift(): Promise<void> {
    const tried = this.#tried;
    this.#tried = [];
    const turns = await readSlowTurns(this.#folder, this.#watched);
    for (const each of tried) {
      const ofAKind = this.#suspects.get(each.attack.kind) ?? [];
      if (ofAKind.length >= mostOfAKind || !turns.some((turn) => overlaps(turn, each))) continue;
      this.#suspects.set(each.attack.kind, [...ofAKind, each]);
    }
  }

  async #isSlowRefusal(attack: Attack): Promise<boolean> {
    for (let attempt = 0; attempt < confirmations; attempt += 1) {
      const fromMs = Date.now();
      const exchange = await attack.run().catch(() => undefined);
      await sleep(settleMs);
      const during = { fromMs, untilMs: Date.now() };
      if (exchange?.answers.some(({ data }) => data != null) === true) return false;
      const turns = await readSlowTurns(this.#folder, this.#watched);
      if (!turns.some((turn) => overlaps(turn, during))) return false;
    }
    return true;
  }
}

function overlaps(turn: SlowTurn, { fromMs, untilMs }: Pick<Tried, 'fromMs' | 'untilMs'>): boolean {
  return turn.untilMs >= fromMs && turn.fromMs <= untilMs;
}
