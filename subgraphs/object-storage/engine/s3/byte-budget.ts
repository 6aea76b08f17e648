// Limits the bytes that several requests hold in memory together.
import { slowDown } from './errors.ts';

export class ByteBudget {
  #leftBytes: number;

  constructor(mostBytes: number) {
    this.#leftBytes = mostBytes;
  }

  /** Throws S3Error SlowDown if others hold too much. */
  async hold<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    if (bytes > this.#leftBytes) throw slowDown('documents');
    this.#leftBytes -= bytes;
    try {
      return await work();
    } finally {
      this.#leftBytes += bytes;
    }
  }
}
