// Records the connections of all checkers of a process, one transaction at a time. Parallel transactions would wait for each
// other at the vantage points' rows and take database connections away from batches. Connections that arrive during a transaction
// are recorded together in the next one. So many concurrent connects start one epoch instead of one each, and all checkers of the
// vantage point report their state only once.
import type { Database } from '../../../../platform/database/database.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type Connection, connectChecker, connectCheckers, type Granted } from '../stores/checker-store.ts';
import { whenPaused } from '../stores/when-paused.ts';

interface ConnectInboxOptions {
  readonly db: Database;
  readonly wake: Wake;
}

interface Waiting {
  readonly connection: Connection;
  readonly resolve: (granted: Granted) => void;
  readonly reject: (error: unknown) => void;
}

const connectionsTogether = 100;

export class ConnectInbox {
  readonly #options: ConnectInboxOptions;
  #waiting: Waiting[] = [];
  #recording = false;

  constructor(options: ConnectInboxOptions) {
    this.#options = options;
  }

  /** Rejects if the vantage point does not exist, or differs from the one in the machine's record. */
  connect(connection: Connection): Promise<Granted> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ connection, resolve, reject });
      if (!this.#recording) void this.#record();
    });
  }

  async #record(): Promise<void> {
    this.#recording = true;
    while (this.#waiting.length > 0) await this.#together(this.#next());
    this.#recording = false;
  }

  /** Takes one connection per machine, because a further one is newer. */
  #next(): readonly Waiting[] {
    const next = new Map<string, Waiting>();
    const left: Waiting[] = [];
    for (const each of this.#waiting) {
      const { id } = each.connection.machine;
      if (next.has(id) || next.size === connectionsTogether) left.push(each);
      else next.set(id, each);
    }
    this.#waiting = left;
    return [...next.values()];
  }

  async #together(all: readonly Waiting[]): Promise<void> {
    const { db, wake } = this.#options;
    const connections = all.map(({ connection }) => connection);
    const outcomes =
      all.length === 1
        ? []
        : await db.transaction((tx) => connectCheckers(tx, wake, connections), whenPaused).catch(() => []);
    for (const [at, each] of all.entries()) {
      const outcome = outcomes[at];
      if (outcome === undefined) await this.#alone(each);
      else if (outcome instanceof Error) each.reject(outcome);
      else each.resolve(outcome);
    }
  }

  /** Records one connection by itself, so that its failure affects no other. */
  async #alone({ connection, resolve, reject }: Waiting): Promise<void> {
    const { db, wake } = this.#options;
    await db.transaction((tx) => connectChecker(tx, wake, connection), whenPaused).then(resolve, reject);
  }
}
