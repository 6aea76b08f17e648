// Finds checkers that fell silent, so that the others of their vantage point take their targets. Runs in every process with the role gslb:
// whoever comes second finds nothing.
import type { Database } from '../../../platform/database/database.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { Wake } from '../../../platform/wake.ts';
import { endSharing, silentCheckers } from './checker-store.ts';

export interface CheckerKeeperOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** A checker that was not heard for so long is gone. */
  readonly silenceMs: number;
  /** Default 250. */
  readonly lookMs?: number;
}

const usualLookMs = 250;

export class CheckerKeeper {
  readonly #options: CheckerKeeperOptions;
  readonly #loop: Loop;
  /** When each was heard last, at the look before. After a time without a database nobody could be heard: one more look tells them apart. */
  #silent: ReadonlyMap<string, number | undefined> = new Map();

  constructor(options: CheckerKeeperOptions) {
    this.#options = options;
    const { log, lookMs = usualLookMs } = options;
    this.#loop = new Loop({ name: 'GSLB checkers', log, pauseMs: () => lookMs, run: () => this.#look() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<boolean> {
    const { db, wake, log, silenceMs } = this.#options;
    const found = await silentCheckers(db, silenceMs);
    const seen = found.filter(({ id, heardAt }) => this.#silent.has(id) && this.#silent.get(id) === heardAt?.getTime());
    this.#silent = new Map(found.map(({ id, heardAt }) => [id, heardAt?.getTime()]));
    for (const checker of seen)
      if (await db.transaction((tx) => endSharing(tx, wake, checker)))
        log.warn({ checker: checker.name }, 'a GSLB checker is silent: others check its targets');
    return false;
  }
}
