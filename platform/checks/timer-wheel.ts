// A hashed timer wheel: thousands of due times on one timer of the process. It has no clock: its owner advances it, and so do
// tests.

interface Entry {
  readonly id: string;
  dueTick: number;
}

/** Holds at most one due time for each id; adding an id again moves it. */
export class TimerWheel {
  readonly #tickMs: number;
  readonly #slots: Map<string, Entry>[];
  readonly #slotOf = new Map<string, number>();
  #tick: number;

  /** `tickMs` is the resolution; `slots` ticks are one turn, and longer delays wait several turns. */
  constructor(options: { readonly tickMs: number; readonly slots: number; readonly nowMs: number }) {
    this.#tickMs = options.tickMs;
    this.#slots = Array.from({ length: options.slots }, () => new Map());
    this.#tick = Math.floor(options.nowMs / options.tickMs);
  }

  get size(): number {
    return this.#slotOf.size;
  }

  has(id: string): boolean {
    return this.#slotOf.has(id);
  }

  /** A time in the past is due at the next turn. */
  set(id: string, dueMs: number): void {
    this.delete(id);
    const dueTick = Math.max(this.#tick + 1, Math.ceil(dueMs / this.#tickMs));
    const slot = dueTick % this.#slots.length;
    this.#slots[slot]?.set(id, { id, dueTick });
    this.#slotOf.set(id, slot);
  }

  delete(id: string): void {
    const slot = this.#slotOf.get(id);
    if (slot === undefined) return;
    this.#slots[slot]?.delete(id);
    this.#slotOf.delete(id);
  }

  /** Removes and returns the ids that are due by `nowMs`, the oldest tick first. */
  turn(nowMs: number): string[] {
    const target = Math.floor(nowMs / this.#tickMs);
    // After a long pause one full turn visits every slot; further turns would find nothing new.
    const first = Math.max(this.#tick + 1, target - this.#slots.length + 1);
    const due: Entry[] = [];
    for (let tick = first; tick <= target; tick += 1) {
      for (const entry of this.#slots[tick % this.#slots.length]?.values() ?? []) {
        if (entry.dueTick <= target) due.push(entry);
      }
    }
    this.#tick = Math.max(this.#tick, target);
    for (const entry of due) this.delete(entry.id);
    return due.sort((a, b) => a.dueTick - b.dueTick).map((entry) => entry.id);
  }
}
