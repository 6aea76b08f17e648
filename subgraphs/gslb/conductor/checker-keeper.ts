// Finds checkers that fell silent, so that the others of their vantage point take their targets; those whose machine was revoked go for good.
// Runs in every process with the role gslb: whoever comes second finds nothing.
import type { Database } from '../../../platform/database/database.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { Peers } from '../../../platform/machines/peers.ts';
import type { Wake } from '../../../platform/wake.ts';
import { checkersAmong, endSharing, forgetChecker, silentCheckers } from './checker-store.ts';

export interface CheckerKeeperOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** A checker that was not heard for so long is gone. */
  readonly silenceMs: number;
  /** Machines of checkers; absent: none connects to this process. */
  readonly peers?: Pick<Peers, 'revoked'> | undefined;
  /** Default 250. */
  readonly lookMs?: number;
}

const usualLookMs = 250;
/** A look that is later by so much comes after a pause of the process. */
const stillMs = 250;
/** A silent checker is found by two looks, one after the other. */
const looksToTell = 2;

export class CheckerKeeper {
  readonly #options: CheckerKeeperOptions;
  readonly #loop: Loop;
  /** When each was heard last, at the look before. After a time without a database nobody could be heard: one more look tells them apart. */
  #silent: ReadonlyMap<string, number | undefined> = new Map();
  /** When the last look ended. */
  #lookedMs = performance.now();
  /** So many looks count, however late they are: a process that stands still again and again finds who is silent, too. */
  #mustCount = 0;

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
    await this.#endSilent();
    await this.#forgetRevoked();
    this.#lookedMs = performance.now();
    return false;
  }

  async #forgetRevoked(): Promise<void> {
    const { db, wake, log, peers } = this.#options;
    for (const { id, name } of await checkersAmong(db, [...(peers?.revoked ?? [])]))
      if (await db.transaction((tx) => forgetChecker(tx, wake, id)))
        log.warn({ checker: name }, 'the machine of a GSLB checker was revoked: it is forgotten');
  }

  async #endSilent(): Promise<void> {
    const { db, wake, log, silenceMs, lookMs = usualLookMs } = this.#options;
    if (this.#mustCount > 0) this.#mustCount -= 1;
    else if (performance.now() - this.#lookedMs > lookMs + stillMs) {
      // It heard nobody meanwhile: what it finds first may be its own silence.
      this.#silent = new Map();
      this.#mustCount = looksToTell;
      return;
    }
    const found = await silentCheckers(db, silenceMs);
    const seen = found.filter(({ id, heardAt }) => this.#silent.has(id) && this.#silent.get(id) === heardAt?.getTime());
    this.#silent = new Map(found.map(({ id, heardAt }) => [id, heardAt?.getTime()]));
    if (seen.length === 0) return;
    for (const { name } of await db.transaction((tx) => endSharing(tx, wake, seen)))
      log.warn({ checker: name }, 'a GSLB checker is silent: others check its targets');
  }
}
