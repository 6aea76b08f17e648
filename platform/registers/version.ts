// Versions of a register, and the clock that makes them. A version is 32 hexadecimal digits whose order as text is their order: a logical
// time, which never goes back and is moved on by every version that was met, and what makes it one of a kind. Clocks only make versions
// of different clusters grow together; nothing is right or wrong by them.

/** 12 digits of milliseconds, 4 of a counter, 4 of the cluster's number, 12 of chance. */
export type Version = string;

/** Of what was never written. */
export const noVersion: Version = '0'.repeat(32);

const timeDigits = 16;
const mostCount = 0xffff;
/** A version may be so far ahead of a cluster's clock. It bounds what one wrong clock spoils for the others. */
export const mostAheadMs = 24 * 3_600_000;

export const later = (one: Version, other: Version): Version => (one > other ? one : other);

export function timeOf(version: Version): number {
  return Number.parseInt(version.slice(0, 12), 16);
}

export interface VersionClockOptions {
  /** 0 to 65535; no two clusters have the same. */
  readonly cluster: number;
  /** The wall clock; it may be wrong and may jump. */
  readonly nowMs: () => number;
  /** 12 hexadecimal digits. */
  readonly chance: () => string;
}

export class VersionClock {
  readonly #options: VersionClockOptions;
  #ms = 0;
  #count = 0;

  constructor(options: VersionClockOptions) {
    this.#options = options;
  }

  /** Later than all that this clock made or met. */
  next(): Version {
    const nowMs = this.#options.nowMs();
    if (nowMs > this.#ms) this.#moveTo(nowMs, 0);
    else if (this.#count < mostCount) this.#count += 1;
    else this.#moveTo(this.#ms + 1, 0);
    return `${hex(this.#ms, 12)}${hex(this.#count, 4)}${hex(this.#options.cluster, 4)}${this.#options.chance()}`;
  }

  /** The last version of those that this clock makes within the time from now, unless it meets later ones. */
  lastWithin(ms: number): Version {
    return `${hex(Math.max(this.#options.nowMs(), this.#ms) + ms, 12)}${'f'.repeat(noVersion.length - 12)}`;
  }

  /** Whether the version is so far ahead that a clock must be wrong: it is neither taken nor followed. */
  isFarAhead(version: Version): boolean {
    return timeOf(version) > Math.max(this.#options.nowMs(), this.#ms) + mostAheadMs;
  }

  /** What is made from now on is later than this version. */
  meet(version: Version): void {
    if (version.slice(0, timeDigits) <= `${hex(this.#ms, 12)}${hex(this.#count, 4)}` || this.isFarAhead(version))
      return;
    this.#moveTo(timeOf(version), Number.parseInt(version.slice(12, timeDigits), 16));
  }

  #moveTo(ms: number, count: number): void {
    this.#ms = ms;
    this.#count = count;
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
