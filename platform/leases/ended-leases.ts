// Frees the leases of ended processes after the database's clock was set back: by that clock they would last until it has caught
// up. A lease that ends later than any renewal could set, and whose beat does not change for longer than a lease's lifetime by
// this process's own clock, has no holder. A wrong guess does no harm: a lease only elects, its token fences.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import type { Logger } from '../log/log.ts';
import { newToken } from '../values/ids.ts';
import { longestTtlMs } from './leases.ts';

interface EndedLeasesOptions {
  readonly db: Database;
  readonly log: Logger;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

interface Suspect {
  readonly name: string;
  readonly token: string;
  readonly beat: string;
}

const everyMs = 2_500;
/** Further ones are checked the next time. */
const mostAtOnce = 1_000;

export class EndedLeases {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #seen = new Map<string, Suspect & { readonly sinceMs: number }>();
  readonly #stop = new AbortController();
  #looking: Promise<void> | undefined;

  constructor(options: EndedLeasesOptions) {
    this.#db = options.db;
    this.#log = options.log;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Names of leases that end too late, and are not known to be held. */
  get suspects(): readonly string[] {
    return [...this.#seen.keys()];
  }

  start(): void {
    this.#looking ??= this.#lookOn();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async look(): Promise<void> {
    const found = await this.#db.query<Suspect>(
      `SELECT name, token, CAST(beat AS CHAR) AS beat FROM lease WHERE expires_at > NOW(3) + INTERVAL ${longestTtlMs * 1000} MICROSECOND ORDER BY name LIMIT ${mostAtOnce}`,
    );
    const nowMs = this.#now();
    const names = new Set(found.map(({ name }) => name));
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
    for (const suspect of found) {
      const before = this.#seen.get(suspect.name);
      const isStill = before?.token === suspect.token && before.beat === suspect.beat;
      if (!isStill) this.#seen.set(suspect.name, { ...suspect, sinceMs: nowMs });
      else if (nowMs - before.sinceMs > longestTtlMs) await this.#free(suspect);
    }
  }

  async #free({ name, token, beat }: Suspect): Promise<void> {
    const { affectedRows } = await this.#db.execute(
      'UPDATE lease SET token = ?, expires_at = NOW(3) - INTERVAL 1 SECOND WHERE name = ? AND token = ? AND beat = ?',
      [newToken(), name, token, beat],
    );
    this.#seen.delete(name);
    if (affectedRows === 1)
      this.#log.warn({ lease: name }, 'a lease without a holder is freed: was the clock of the database set back?');
  }

  async #lookOn(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      await this.look().catch((error: unknown) => this.#log.debug({ err: error }, 'leases could not be looked at'));
    }
  }
}

/** For a process that knows it is the only one. */
export async function endAllLeases(db: Database): Promise<void> {
  await db.execute('UPDATE lease SET token = UUID(), expires_at = NOW(3) - INTERVAL 1 SECOND');
}
