// The room that is left on a disk, without asking the system at each write.
import { statfs } from 'node:fs/promises';
import { DiskFullError } from './blob-errors.ts';

const trustedMs = 1_000;

export interface DiskRoomOptions {
  readonly folder: string;
  /** Nothing is written once only so much is free. */
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

  /** Before so many bytes are written. @throws DiskFullError */
  async take(bytes: number): Promise<void> {
    if (!this.#isRoomFor(bytes) || performance.now() - this.#lookedAtMs > trustedMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    if (!this.#isRoomFor(bytes)) throw new DiskFullError(this.#options.folder);
    this.#freeBytes -= bytes;
  }

  #isRoomFor(bytes: number): boolean {
    return this.#freeBytes - bytes >= this.#options.keepFreeBytes;
  }

  async #look(): Promise<void> {
    const { folder, freeBytes = freeBytesOf } = this.#options;
    this.#freeBytes = await freeBytes(folder);
    this.#lookedAtMs = performance.now();
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The system's own word for it, as the error that callers know. */
export function withDiskFull(error: unknown, folder: string): unknown {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' ? new DiskFullError(folder, error) : error;
}
