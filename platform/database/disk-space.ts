// The free space of a disk on this host, queried at most every few milliseconds.
import { statfsSync } from 'node:fs';

const askEveryMs = 20;

export class DiskSpace {
  readonly path: string;
  #freeBytes = Number.POSITIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** Throws the system's error when the folder can't be queried. */
  constructor(path: string) {
    this.path = path;
    this.freeBytes();
  }

  freeBytes(): number {
    const nowMs = performance.now();
    if (nowMs - this.#askedAtMs < askEveryMs) return this.#freeBytes;
    this.#askedAtMs = nowMs;
    const { bavail, bsize } = statfsSync(this.path);
    this.#freeBytes = bavail * bsize;
    return this.#freeBytes;
  }
}
