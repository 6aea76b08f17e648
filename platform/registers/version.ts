// Versions of a register, and the clock that makes them. A version is 32 hexadecimal digits, ordered as text. It consists of a
// logical time, which received versions advance, and a unique part. Wall clocks only keep the versions of different clusters close
// together. Correctness does not depend on them. A clock may be years ahead and then be corrected, so a name's version may be later
// than any version that a clock makes. The next version of that name is then made from it. Versions of other names and the clocks
// of clusters do not follow it.
import { ContendedError } from './errors.ts';

/** 12 digits of milliseconds, 4 of a counter, 4 of the cluster's number, 12 of chance. */
export type Version = string;

/** The version of a name that was never written. */
export const noVersion: Version = '0'.repeat(32);

const timeDigits = 16;
const mostCount = 0xffff;
/** A wall clock counts up to the year 9000 and versions go up to the year 9999: after the most wrong clock there are versions left. */
const latestWallMs = Date.UTC(9000, 0);
const endMs = Date.UTC(10_000, 0) - 1;
/** How far received versions may move a clock ahead of the wall clock. */
export const mostAheadMs = 24 * 3_600_000;
/** Room for versions that are made while a write waits, for a name whose version is ahead. */
const roomMs = 1_000;

/** Whether a clock can have made this version. No clock makes later ones. */
export const isVersion = (version: Version): boolean => timeOf(version) <= endMs;

export const later = (one: Version, other: Version): Version => (one > other ? one : other);

export function timeOf(version: Version): number {
  return Number.parseInt(version.slice(0, 12), 16);
}

interface VersionClockOptions {
  /** 0 to 65535; no two clusters have the same. */
  readonly cluster: number;
  /** The wall clock; it may be wrong and may jump. */
  readonly nowMs: () => number;
  /** 12 hexadecimal digits. */
  readonly chance: () => string;
}

export class VersionClock {
  readonly #options: VersionClockOptions;
  #time: Time = { ms: 0, count: 0 };

  constructor(options: VersionClockOptions) {
    this.#options = options;
  }

  /**
   * Makes a version that is later than `after`, however far ahead that is. It is also later than all versions that this clock has
   * made or met, unless the wall clock was set back by more than `mostAheadMs` since. @throws ContendedError when no version is
   * left
   */
  next(after: Version = noVersion): Version {
    const nowMs = this.#follow();
    this.#time = nowMs > this.#time.ms ? { ms: nowMs, count: 0 } : following(this.#time);
    const least = following(timeIn(after));
    const { ms, count } = digitsOf(this.#time) >= digitsOf(least) ? this.#time : least;
    if (ms > endMs) throw new ContendedError(`no version is left after ${after}: use another name`);
    return `${digitsOf({ ms, count })}${hex(this.#options.cluster, 4)}${this.#options.chance()}`;
  }

  /**
   * The last version that this clock makes within this time from now, unless it meets later ones. For a name with version `after`,
   * it is late enough for thousands of writes.
   */
  lastWithin(ms: number, after: Version = noVersion): Version {
    const lastMs = Math.max(Math.max(this.#follow(), this.#time.ms) + ms, timeOf(after) + roomMs);
    return `${hex(Math.min(lastMs, endMs), 12)}${'f'.repeat(noVersion.length - 12)}`;
  }

  /** All versions that are made from now on are later than this one, unless it is far ahead of the wall clock. */
  meet(version: Version): void {
    const time = timeIn(version);
    if (time.ms <= this.#follow() + mostAheadMs && digitsOf(time) > digitsOf(this.#time)) this.#time = time;
  }

  /**
   * Returns the wall clock. If the wall clock was set back too far, so that this clock's time would be more than the allowed
   * distance ahead, this clock falls back to it.
   */
  #follow(): number {
    const nowMs = Math.min(Math.max(0, this.#options.nowMs()), latestWallMs);
    if (this.#time.ms > nowMs + mostAheadMs) this.#time = { ms: nowMs, count: 0 };
    return nowMs;
  }
}

/** The digits of a version that are its time. */
interface Time {
  readonly ms: number;
  readonly count: number;
}

function timeIn(version: Version): Time {
  return { ms: timeOf(version), count: Number.parseInt(version.slice(12, timeDigits), 16) };
}

function digitsOf({ ms, count }: Time): string {
  return hex(ms, 12) + hex(count, 4);
}

function following({ ms, count }: Time): Time {
  return count < mostCount ? { ms, count: count + 1 } : { ms: ms + 1, count: 0 };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
