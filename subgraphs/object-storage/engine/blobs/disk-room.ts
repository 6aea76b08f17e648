// Tracks the free space of a disk without asking the system at each write.
import { statfs } from 'node:fs/promises';
import { DiskFullError } from './blob-errors.ts';

const trustedMs = 1_000;

export interface DiskRoomOptions {
  readonly folder: string;
  /** Writes are refused when only this much space is left. */
  readonly keepFreeBytes: number;
  readonly freeBytes?: (folder: string) => Promise<number>;
}

export class DiskRoom {
  readonly #options: DiskRoomOptions;
  #freeBytes = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(options: DiskRoomOptions) {
    this.#options = options;
  }

  /** Call it before writing this many bytes. @throws DiskFullError */
  async take(bytes: number): Promise<void> {
    if (!this.#isRoomFor(bytes) || performance.now() - this.#lookedAtMs > trustedMs) {
      await this.#look();
    }
    if (!this.#isRoomFor(bytes)) throw new DiskFullError(this.#options.folder);
    this.#freeBytes -= bytes;
  }

  /** Whether anything can be written. */
  async isLeft(): Promise<boolean> {
    if (performance.now() - this.#lookedAtMs > trustedMs) await this.#look();
    return this.#isRoomFor(1);
  }

  #isRoomFor(bytes: number): boolean {
    return this.#freeBytes - bytes >= this.#options.keepFreeBytes;
  }

  #look(): Promise<void> {
    this.#looking ??= this.#ask().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #ask(): Promise<void> {
    const { folder, freeBytes = freeBytesOf } = this.#options;
    this.#freeBytes = await freeBytes(folder);
    this.#lookedAtMs = performance.now();
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Translates the system's "disk full" error into DiskFullError. */
export function withDiskFull(error: unknown, folder: string): unknown {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' ? new DiskFullError(folder, error) : error;
}
