// Slots for running checks. Targets that answer and targets that do not have separate slots: a check without an answer moves to
// the silent slots after a while, and a target that was silent last time starts there. Silent targets, however many, do not delay
// the others.
import type { CheckRun, Entry } from './check-run.ts';

export interface SlotsOptions {
  readonly slots: number;
  readonly silentSlots: number;
  /** A check without an answer for this long moves to the silent slots. */
  readonly silentAfterMs: number;
  readonly begin: (entry: Entry) => CheckRun;
}

export class Slots {
  readonly #options: SlotsOptions;
  /** Due and waiting; each target at most once, the oldest first. */
  readonly #ready = new Set<Entry>();
  readonly #readySilent = new Set<Entry>();
  readonly #running = new Set<CheckRun>();
  #used = 0;
  #usedSilent = 0;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  queue(entry: Entry): void {
    (entry.silent ? this.#readySilent : this.#ready).add(entry);
  }

  forget(entry: Entry): void {
    this.#ready.delete(entry);
    this.#readySilent.delete(entry);
  }

  /** Starts waiting checks while slots are free. */
  fill(): void {
    const { slots, silentSlots } = this.#options;
    for (const entry of this.#ready) {
      if (this.#used >= slots) break;
      this.#ready.delete(entry);
      this.#begin(entry);
    }
    // Targets known to be silent leave half of the slots for those that fall silent now.
    for (const entry of this.#readySilent) {
      if (this.#usedSilent >= Math.ceil(silentSlots / 2)) break;
      this.#readySilent.delete(entry);
      this.#begin(entry);
    }
  }

  /** Frees the slot; false: it was free already. */
  end(run: CheckRun): boolean {
    if (!this.#running.delete(run)) return false;
    if (run.inSilentSlot) this.#usedSilent -= 1;
    else this.#used -= 1;
    return true;
  }

  /** Moves checks without an answer; returns those past their deadline. */
  review(nowMs: number): CheckRun[] {
    const { silentSlots, silentAfterMs } = this.#options;
    const late: CheckRun[] = [];
    for (const run of this.#running) {
      if (nowMs >= run.deadlineMs) late.push(run);
      else if (!run.inSilentSlot && nowMs - run.startedMs >= silentAfterMs && this.#usedSilent < silentSlots) {
        run.inSilentSlot = true;
        this.#used -= 1;
        this.#usedSilent += 1;
      }
    }
    return late;
  }

  /** Removes all running checks. */
  clear(): CheckRun[] {
    const running = [...this.#running];
    for (const run of running) this.end(run);
    this.#ready.clear();
    this.#readySilent.clear();
    return running;
  }

  #begin(entry: Entry): void {
    const run = this.#options.begin(entry);
    if (run.inSilentSlot) this.#usedSilent += 1;
    else this.#used += 1;
    this.#running.add(run);
  }
}
