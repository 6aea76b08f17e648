// Stands before every write: while the database's disk is full, a write is refused before anything is sent. Without it, writes take
// all connections: MariaDB waits for space for its binary log, with its locks held (manual, "How MariaDB handles a full disk"), and
// InnoDB ends the whole server when a rollback finds no space.
//
// If the disk is on this host, its free space is known. Otherwise a full disk shows in an error of a write or in the state of a
// waiting thread. Then a write of one row is tried every few seconds until one succeeds.

import { DiskFullError, isDiskFull } from '../errors/database-errors.ts';
import type { Logger } from '../log/log.ts';
import type { DiskSpace } from './disk-space.ts';
import { mustBeWritable } from './writable-folder.ts';

interface WriteGuardOptions {
  /** The disk of the database, if it is on this host. */
  readonly disk: () => DiskSpace | undefined;
  readonly log?: Logger;
  /** The states of this account's threads in the server. */
  readonly threadStates: () => Promise<readonly string[]>;
  /** Changes a row that nobody reads. */
  readonly tryWrite: () => Promise<unknown>;
  /** Default 5000. */
  readonly tryEveryMs?: number;
}

const mebibyte = 1024 * 1024;
/** Space to finish running work, and for MariaDB's own files. */
const reserveBytes = 96 * mebibyte;
/** Below this nothing is written at all. */
const leastBytes = 16 * mebibyte;
/** stage_waiting_for_disk_space of MariaDB (sql/mysqld.cc). */
const waitsForSpace = 'Waiting for someone to free space';
/** How long a write may last before the threads' states are read. */
const suspectMs = 2_000;
const lookEveryMs = 1_000;
/** A disk at the edge of being full is reported at most this often. */
const reportEveryMs = 600_000;

export class WriteGuard {
  readonly #options: WriteGuardOptions;
  readonly #pending = new Set<{ readonly sinceMs: number }>();
  #isToldFull = false;
  #looking: NodeJS.Timeout | undefined;
  #asking = false;
  #trying: NodeJS.Timeout | undefined;
  #isReported = false;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: WriteGuardOptions) {
    this.#options = options;
  }

  /** The server has reported that its disk is full, and no write has succeeded since. */
  get isToldFull(): boolean {
    return this.#isToldFull;
  }

  /** Throws DiskFullError. `endsWork`: for records of finished work, leases and similar writes, which may use the reserved space. */
  check({ endsWork = false }: { readonly endsWork?: boolean } = {}): void {
    const disk = this.#options.disk();
    const freeBytes = disk?.freeBytes() ?? Number.POSITIVE_INFINITY;
    const isShort = freeBytes < reserveBytes;
    this.#report(isShort || this.#isToldFull);
    if (this.#isToldFull)
      throw new DiskFullError("the database's disk is full: free space, and writes are accepted again");
    if (!isShort || (endsWork && freeBytes >= leastBytes)) return;
    const [free, needed] = [Math.floor(freeBytes / mebibyte), reserveBytes / mebibyte];
    throw new DiskFullError(
      `the disk of ${disk?.path} has ${free} MiB left and needs ${needed}: free space, and writes are accepted again`,
    );
  }

  /** Throws when the file system of the database is on this host, and read-only. */
  mustBeWritable(): void {
    const disk = this.#options.disk();
    if (disk !== undefined) mustBeWritable(disk.path);
  }

  /** Runs a write that was checked, and notices if the disk is full. */
  async watch<Result>(write: () => Promise<Result>): Promise<Result> {
    const pending = { sinceMs: performance.now() };
    this.#pending.add(pending);
    this.#looking ??= setInterval(() => this.#look(), lookEveryMs).unref();
    try {
      return await write();
    } catch (error) {
      if (isDiskFull(error)) this.#fill();
      throw error;
    } finally {
      this.#pending.delete(pending);
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#looking);
    clearTimeout(this.#trying);
  }

  #look(): void {
    const [oldest] = this.#pending;
    if (oldest === undefined) {
      clearInterval(this.#looking);
      this.#looking = undefined;
      return;
    }
    if (this.#asking || this.#isToldFull || performance.now() - oldest.sinceMs < suspectMs) return;
    this.#asking = true;
    this.#options
      .threadStates()
      .then((states) => {
        if (states.includes(waitsForSpace)) this.#fill();
      })
      // A database that does not answer is not known to be full.
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false;
      });
  }

  #fill(): void {
    if (this.#isToldFull || this.#closed) return;
    this.#isToldFull = true;
    this.#report(true);
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#closed) return;
    const attempt = () =>
      this.#options.tryWrite().then(
        () => {
          this.#isToldFull = false;
        },
        () => this.#tryLater(),
      );
    this.#trying = setTimeout(attempt, this.#options.tryEveryMs ?? 5_000).unref();
  }

  #report(isFull: boolean): void {
    if (isFull === this.#isReported) return;
    const { log } = this.#options;
    const disk = this.#options.disk();
    const details = disk === undefined ? {} : { path: disk.path, freeBytes: disk.freeBytes() };
    if (isFull) {
      if (performance.now() - this.#reportedAtMs < reportEveryMs && disk === undefined) return;
      this.#reportedAtMs = performance.now();
      log?.error(details, "the database's disk is full: writes are refused until there is space");
    } else log?.info(details, "the database's disk has space again: writes are accepted");
    this.#isReported = isFull;
  }
}
