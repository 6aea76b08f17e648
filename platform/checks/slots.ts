// Slots for running checks. Targets that are up come first, and half of the slots are theirs alone: targets that are down, however
// many, delay each other only. A check without an answer moves to the silent slots after a while, and a target that is not up and
// was silent last time starts there.
import { Allowance } from './allowance.ts';
import type { CheckedTargets } from './check-metrics.ts';
import type { CheckRun, Entry } from './check-run.ts';

interface SlotsOptions {
  readonly slots: number;
  readonly silentSlots: number;
  /** A check without an answer for this long moves to the silent slots. */
  readonly silentAfterMs: number;
  readonly begin: (entry: Entry) => CheckRun;
  /** A check moves to the silent slots. */
  readonly fellSilent?: (run: CheckRun) => void;
}

/** Waiting checks are ranked by the state of their target. Earlier ranks begin first. */
const ranks = ['UP', 'UNKNOWN', 'DOWN', 'SILENT'] as const;
type Rank = (typeof ranks)[number];

export class Slots {
  readonly #options: SlotsOptions;
  /** Due and waiting; each target at most once, the oldest first. */
  readonly #ready = new Map<Rank, Set<Entry>>(ranks.map((rank) => [rank, new Set()]));
  readonly #running = new Set<CheckRun>();
  /** How many checks of targets that are not up may begin in one turn. */
  readonly #allowed: Readonly<Record<'others' | 'silent', Allowance>>;
  readonly #used = { up: 0, others: 0, silent: 0 };

  constructor(options: SlotsOptions) {
    this.#options = options;
    this.#allowed = { others: new Allowance(options.slots), silent: new Allowance(options.slots) };
  }

  queue(entry: Entry): void {
    this.#ready.get(rankOf(entry))?.add(entry);
  }

  forget(entry: Entry): void {
    for (const waiting of this.#ready.values()) waiting.delete(entry);
  }

  /** Nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#running.size === 0 && [...this.#ready.values()].every(({ size }) => size === 0);
  }

  /** Begins a turn, which came this late: an overloaded process begins fewer checks of targets that are not up. */
  turn(lateMs: number): void {
    this.#allowed.others.turn(lateMs);
    this.#allowed.silent.turn(lateMs);
  }

  /** Starts waiting checks while slots are free. */
  fill(): void {
    const { slots, silentSlots } = this.#options;
    const used = this.#used;
    this.#beginWhile('UP', () => used.up + Math.max(used.others, Math.floor(slots / 8)) < slots);
    for (const rank of ['UNKNOWN', 'DOWN'] as const)
      this.#beginWhile(
        rank,
        () => used.others < Math.ceil(slots / 2) && used.up + used.others < slots && this.#allowed.others.take(),
      );
    // Targets known to be silent leave half of these slots to targets that have just fallen silent.
    this.#beginWhile('SILENT', () => used.silent < Math.ceil(silentSlots / 2) && this.#allowed.silent.take());
  }

  /** When the check that has waited longest was due; undefined when none waits. */
  oldestDueMs(of: CheckedTargets): number | undefined {
    let oldest: number | undefined;
    for (const rank of of === 'up' ? (['UP'] as const) : ranks.slice(1)) {
      const [first] = this.#ready.get(rank) ?? [];
      if (first !== undefined) oldest = Math.min(first.dueMs, oldest ?? first.dueMs);
    }
    return oldest;
  }

  /** Frees the slot. Returns false if it was already free. */
  end(run: CheckRun): boolean {
    if (!this.#running.delete(run)) return false;
    this.#used[run.slot] -= 1;
    return true;
  }

  /** Moves checks without an answer; returns those past their deadline. */
  review(nowMs: number): CheckRun[] {
    const { silentSlots, silentAfterMs } = this.#options;
    const late: CheckRun[] = [];
    for (const run of this.#running) {
      if (nowMs >= run.deadlineMs) late.push(run);
      else if (run.slot !== 'silent' && nowMs - run.startedMs >= silentAfterMs && this.#used.silent < silentSlots) {
        this.#used[run.slot] -= 1;
        run.slot = 'silent';
        this.#used.silent += 1;
        this.#options.fellSilent?.(run);
      }
    }
    return late;
  }

  /** Removes all running checks. */
  clear(): CheckRun[] {
    const running = [...this.#running];
    for (const run of running) this.end(run);
    for (const waiting of this.#ready.values()) waiting.clear();
    return running;
  }

  #beginWhile(rank: Rank, isFree: () => boolean): void {
    const waiting = this.#ready.get(rank) ?? new Set();
    for (const entry of waiting) {
      if (!isFree()) break;
      waiting.delete(entry);
      const run = this.#options.begin(entry);
      run.slot = rank === 'UP' ? 'up' : rank === 'SILENT' ? 'silent' : 'others';
      this.#used[run.slot] += 1;
      this.#running.add(run);
    }
  }
}

function rankOf({ fallRise, silent }: Entry): Rank {
  if (fallRise.status === 'UP') return 'UP';
  if (silent) return 'SILENT';
  return fallRise.suspicious ? 'UNKNOWN' : fallRise.status;
}
