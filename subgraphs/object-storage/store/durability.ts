// What was seen is on disk. InnoDB shows a commit to others before its log is: after a crash of the database it may be gone. What this process
// committed itself is on disk, and with it all that was before it in the partition; for what another process did, the log is flushed first.
import type { Database } from '../../../platform/database/database.ts';
import { type Place, placeId } from './partition-state.ts';

export interface Seen extends Place {
  /** The number of the partition's last change then. */
  readonly changes: number;
}

export class Durability {
  readonly #db: Database;
  readonly #durable = new Map<string, number>();
  readonly #raised = new Map<string, Place>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** This process committed it, or committed after it. */
  note(seen: Iterable<Seen>): void {
    for (const { ring, partition, changes } of seen) {
      const id = placeId(ring, partition);
      if ((this.#durable.get(id) ?? -1) >= changes) continue;
      this.#durable.set(id, changes);
      this.#raised.set(id, { ring, partition });
    }
  }

  /** The partitions in which a later number was noted since the last call. */
  takeRaised(): readonly Place[] {
    const raised = [...this.#raised.values()];
    this.#raised.clear();
    return raised;
  }

  /** Resolves when it is on disk. */
  async ensure(seen: readonly Seen[]): Promise<void> {
    if (seen.some((each) => (this.#durable.get(placeId(each.ring, each.partition)) ?? -1) < each.changes))
      await this.flush(seen);
  }

  /** A commit flushes the whole log before it. */
  async flush(seen: readonly Seen[] = []): Promise<void> {
    await this.#db.execute("UPDATE store_counter SET number = number + 1 WHERE name = 'flushes'");
    this.note(seen);
  }
}
