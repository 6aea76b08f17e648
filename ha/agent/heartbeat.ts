// Whether a server is alive: it commits, and its disk has room. Missed heartbeats are counted, not timed, so that a suspended agent does not declare
// its server dead.

import { statfs } from 'node:fs/promises';
import { monotonicMs } from './clock.ts';

interface HeartbeatOptions {
  /** Makes a commit that does not wait for a standby. */
  readonly commit: () => Promise<unknown>;
  /** Whether there is a server that should commit. */
  readonly isDue: () => boolean;
  readonly dataPath: string;
}

const everyMs = 200;
/**
 * With less free space than this, the binary log would silently wait for space. The heartbeat is not in the binary log, so it would still succeed.
 */
const leastFreeBytes = 16 * 1024 * 1024;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout;
  #missed = 0;
  #isBeating = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#beat(), everyMs);
  }

  /** Time of the last successful heartbeat, counting only the time in which this agent ran. */
  get lastMs(): number {
    return monotonicMs() - this.#missed * everyMs;
  }

  /** The count starts again for another server, or for a server that has just become ready. */
  beginAnew(): void {
    this.#missed = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #beat(): Promise<void> {
    const { commit, isDue, dataPath } = this.#options;
    if (!isDue()) return;
    this.#missed += 1;
    if (this.#isBeating) return;
    this.#isBeating = true;
    try {
      await commit();
      const { bavail, bsize } = await statfs(dataPath);
      if (bavail * bsize >= leastFreeBytes) this.#missed = 0;
    } catch {
      // The missed heartbeat is counted.
    } finally {
      this.#isBeating = false;
    }
  }
}
