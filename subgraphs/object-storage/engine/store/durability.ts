// Makes sure that reads return only data that is already on disk. InnoDB shows a commit to other transactions before its log is flushed,
// and a crash of the database may then lose it. A commit of this process is on disk, with everything before it in the partition. For
// changes of another process, the log is flushed first.
import type { Database } from '../../../../platform/database/database.ts';
import { type Place, placeId } from './partition-state.ts';

interface Seen extends Place {
  /** Number of the partition's last change at that time. */
  readonly changes: number;
}

export class Durability {
  readonly #db: Database;
  readonly #durable = new Map<string, number>();
  readonly #raised = new Map<string, Place>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Records a change that this process committed, or committed something after. */
  note(seen: Iterable<Seen>): void {
    for (const { ring, partition, changes } of seen) {
      const id = placeId(ring, partition);
      if ((this.#durable.get(id) ?? -1) >= changes) continue;
      this.#durable.set(id, changes);
      this.#raised.set(id, { ring, partition });
    }
  }

  /** Partitions with a higher noted number since the last call. */
  takeRaised(): readonly Place[] {
    const raised = [...this.#raised.values()];
    this.#raised.clear();
    return raised;
  }

  /** Resolves when these changes are on disk. */
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
