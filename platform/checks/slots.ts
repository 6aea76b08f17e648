// Who may check now. Targets that answer and those that do not have slots of their own: a check that stays unanswered for a
// while moves over, and a target that was silent last time begins there. However many are silent, the others have their turn.
import type { CheckRun, Entry } from './check-run.ts';

export interface SlotsOptions {
  readonly slots: number;
  readonly silentSlots: number;
  /** A check that is unanswered for so long moves to the slots of the silent. */
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

  /** Begins what waits, as far as slots are free. */
  fill(): void {
    const { slots, silentSlots } = this.#options;
    for (const entry of this.#ready) {
      if (this.#used >= slots) break;
      this.#ready.delete(entry);
      this.#begin(entry);
    }
    // Those known to be silent leave half for those that fall silent now.
    for (const entry of this.#readySilent) {
      if (this.#usedSilent >= Math.ceil(silentSlots / 2)) break;
      this.#readySilent.delete(entry);
      this.#begin(entry);
    }
  }

  /** Frees the slot; false: it was freed before. */
  end(run: CheckRun): boolean {
    if (!this.#running.delete(run)) return false;
    if (run.inSilentSlot) this.#usedSilent -= 1;
    else this.#used -= 1;
    return true;
  }

  /** Moves over what stays unanswered; returns what is past its deadline. */
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

  /** Takes out all that run. */
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
