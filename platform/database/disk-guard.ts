// Refuses writes to a database on this machine while its disk is nearly full. MariaDB holds its locks while it waits for space
// for its binary log (manual, "How MariaDB handles a full disk"): a write is then neither done nor refused.
import { statfsSync } from 'node:fs';
import type { Logger } from '../log.ts';
import { DiskNearlyFullError } from './errors.ts';

export interface DiskGuardOptions {
  /** A folder on the database's disk. */
  readonly path: string;
  /** Writes are refused while less is free than this. */
  readonly reserveBytes: number;
  readonly log: Logger;
}

/** The file system is queried at most this often. */
const askEveryMs = 20;
const mebibyte = 1024 * 1024;

export class DiskGuard {
  readonly #options: DiskGuardOptions;
  #freeBytes = Number.POSITIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** Throws the system's error when the folder can't be queried. */
  constructor(options: DiskGuardOptions) {
    this.#options = options;
    this.#measure();
  }

  /** Throws DiskNearlyFullError, with what to do, while too little space is free. */
  check(): void {
    this.#measure();
    if (!this.#full) return;
    const free = Math.floor(this.#freeBytes / mebibyte);
    const needed = Math.ceil(this.#options.reserveBytes / mebibyte);
    throw new DiskNearlyFullError(
      `the disk of ${this.#options.path} has ${free} MiB left and needs ${needed}: free space, and writes are accepted again`,
    );
  }

  #measure(): void {
    const nowMs = performance.now();
    if (nowMs - this.#askedAtMs < askEveryMs) return;
    this.#askedAtMs = nowMs;
    const wasFull = this.#full;
    const { bavail, bsize } = statfsSync(this.#options.path);
    this.#freeBytes = bavail * bsize;
    if (this.#full === wasFull) return;
    const free = { freeBytes: this.#freeBytes, path: this.#options.path };
    if (this.#full) this.#options.log.error(free, 'the disk is nearly full: writes are refused');
    else this.#options.log.info(free, 'the disk has room again: writes are accepted');
  }

  get #full(): boolean {
    return this.#freeBytes < this.#options.reserveBytes;
  }
}
