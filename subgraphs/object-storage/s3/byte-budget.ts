// A bound on bytes that several requests hold at once.
import { slowDown } from './errors.ts';

export class ByteBudget {
  #leftBytes: number;

  constructor(mostBytes: number) {
    this.#leftBytes = mostBytes;
  }

  /** Throws S3Error SlowDown when others hold too much. */
  async hold<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    if (bytes > this.#leftBytes) throw slowDown();
    this.#leftBytes -= bytes;
    try {
      return await work();
    } finally {
      this.#leftBytes += bytes;
    }
  }
}
