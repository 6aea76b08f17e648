// Writes of a simulated device whose connection breaks at once, and that take effect later: when they are released, or after a time.
import type { FaultyWrite } from '../../../simulators/support/faults.ts';

export class LateWrites {
  /** Undefined if writes are not held. */
  lateMs: number | undefined;
  readonly #held = new Map<NodeJS.Timeout, () => void>();

  /** False if the write should be made as usual. */
  take(write: FaultyWrite<unknown>): boolean {
    if (this.lateMs === undefined) return false;
    write.drop();
    const timer = setTimeout(() => {
      this.#held.delete(timer);
      write.apply();
    }, this.lateMs);
    this.#held.set(timer, () => write.apply());
    return true;
  }

  release(): void {
    for (const [timer, apply] of this.#held) {
      clearTimeout(timer);
      apply();
    }
    this.#held.clear();
  }
}
