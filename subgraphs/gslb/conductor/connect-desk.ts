// Where the connections of all checkers of a process are recorded, one transaction after the other: they wait for each other at the vantage
// points' rows, and would keep database connections from reports meanwhile. What comes while others are recorded is recorded together, so
// that many who connect at once begin one epoch, and not one each, in which all of the vantage point say anew what they see.
import type { Database } from '../../../platform/database/database.ts';
import type { Wake } from '../../../platform/wake.ts';
import { type Connection, connectChecker, connectCheckers, type Granted } from './checker-store.ts';
import { whenPaused } from './when-paused.ts';

export interface ConnectDeskOptions {
  readonly db: Database;
  readonly wake: Wake;
}

interface Waiting {
  readonly connection: Connection;
  readonly resolve: (granted: Granted) => void;
  readonly reject: (error: unknown) => void;
}

const connectionsTogether = 100;

export class ConnectDesk {
  readonly #options: ConnectDeskOptions;
  #waiting: Waiting[] = [];
  #recording = false;

  constructor(options: ConnectDeskOptions) {
    this.#options = options;
  }

  /** Rejects when the vantage point does not exist. */
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

  /** Of each machine one: another connection of the same one is newer. */
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

  /** One that can't be recorded fails alone. */
  async #alone({ connection, resolve, reject }: Waiting): Promise<void> {
    const { db, wake } = this.#options;
    await db.transaction((tx) => connectChecker(tx, wake, connection), whenPaused).then(resolve, reject);
  }
}
