// Keeps writes away from a database on this machine whose disk is about to be full. MariaDB waits, holding locks, for room to
// write its binary log (its manual, "How MariaDB handles a full disk"): a write is then neither done nor refused.
import { statfsSync } from 'node:fs';
import type { Logger } from '../log.ts';
import { DiskNearlyFullError } from './errors.ts';

export interface DiskGuardOptions {
  /** A folder on the database's disk. */
  readonly path: string;
  /** Writes are refused while less is free. */
  readonly reserveBytes: number;
  readonly log: Logger;
}

/** Asking the kernel costs microseconds, but not nothing. */
const askEveryMs = 20;
const mebibyte = 1024 * 1024;

export class DiskGuard {
  readonly #options: DiskGuardOptions;
  #freeBytes = Number.POSITIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** Throws the system's error when the folder can't be asked. */
  constructor(options: DiskGuardOptions) {
    this.#options = options;
    this.#measure();
  }

  /** Throws DiskNearlyFullError, with what to do, while there is too little room. */
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
    else this.#options.log.info(free, 'the disk has room again: writes are taken');
  }

  get #full(): boolean {
    return this.#freeBytes < this.#options.reserveBytes;
  }
}
