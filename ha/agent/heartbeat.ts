// Whether a server is alive: it commits, and its disk has room. Missed heartbeats are counted, not timed, so that a suspended agent does not declare
// its server dead. A primary whose commits wait for a backup lock or a read lock is alive for as long as a setting allows.

import { statfs } from 'node:fs/promises';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { monotonicMs } from './clock.ts';

interface HeartbeatOptions {
  /** Makes a commit that does not wait for a standby. */
  readonly commit: () => Promise<unknown>;
  /** Whether there is a server that should commit. */
  readonly isDue: () => boolean;
  readonly dataPath: string;
  /** Whether another connection sees that the commit waits for such a lock. */
  readonly waitsForLock: () => Promise<boolean>;
  /** Resolves once the disk of the data has stored something. */
  readonly reachesDisk: () => Promise<void>;
  /** The longest time that such a lock may stop commits. */
  readonly longestLockMs: number;
  /** Called with the duration of each commit. */
  readonly onCommit?: ((ms: number) => void) | undefined;
  readonly log: Pick<SetupLog, 'warn'>;
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
  /** Missed heartbeats that a lock explains. */
  #locked = 0;
  #isBeating = false;
  #isLooking = false;

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
    this.#locked = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #beat(): Promise<void> {
    const { commit, isDue, dataPath, onCommit } = this.#options;
    if (!isDue()) return;
    this.#missed += 1;
    if (this.#isBeating) return this.#look();
    this.#isBeating = true;
    const sinceMs = monotonicMs();
    try {
      await commit();
      onCommit?.(monotonicMs() - sinceMs);
      const { bavail, bsize } = await statfs(dataPath);
      if (bavail * bsize >= leastFreeBytes) this.beginAnew();
    } catch {
      // An earlier commit may still wait. Otherwise the missed heartbeat is counted.
      void this.#look();
    } finally {
      this.#isBeating = false;
    }
  }

  /** A server that hangs gives no answer, and a disk that hangs stores nothing: both still count as missed. */
  async #look(): Promise<void> {
    const { waitsForLock, reachesDisk } = this.#options;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      if (!(await waitsForLock())) return;
      await reachesDisk();
      this.#excuse();
    } catch {
      // No answer.
    } finally {
      this.#isLooking = false;
    }
  }

  #excuse(): void {
    const { longestLockMs, log } = this.#options;
    // The commit may have ended in the meantime.
    if (this.#missed === 0) return;
    const before = this.#locked * everyMs;
    if (before >= longestLockMs) return;
    this.#locked += this.#missed;
    this.#missed = 0;
    const what = 'a backup lock or read lock';
    const seconds = longestLockMs / 1_000;
    if (before === 0) log.warn(`ha: commits wait for ${what}; this host stays the primary for ${seconds} s of it`);
    if (this.#locked * everyMs >= longestLockMs)
      log.warn(
        `ha: commits have waited for ${what} for ${seconds} s (ha.longestLockSeconds): no further wait is excused`,
      );
  }
}
