// Finds checkers that fell silent, so that the others of their vantage point take their targets; those whose machine was revoked go for good.
// A checker is silent when its row says nothing new for so long while this process looks: what a row says was recorded a while before, and
// in a time without a database, or in which this process stood still, nobody could be heard. Runs in every process with the role gslb:
// whoever comes second finds nothing.
import type { Database } from '../../../platform/database/database.ts';
import { Silence } from '../../../platform/link/silence.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { Peers } from '../../../platform/machines/peers.ts';
import type { Wake } from '../../../platform/wake.ts';
import { checkersAmong, endSharing, forgetChecker, readSharers } from './checker-store.ts';

export interface CheckerKeeperOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** A checker that was not heard for so long is gone; for half as long if its connection has ended. */
  readonly silenceMs: number;
  /** Machines of checkers; absent: none connects to this process. */
  readonly peers?: Pick<Peers, 'revoked'> | undefined;
  /** Default 250. */
  readonly lookMs?: number;
}

interface Known {
  readonly heardMs: number | undefined;
  readonly silence: Silence;
}

const usualLookMs = 250;
/** A look that is later by more comes after a pause of the process, which is no silence of others. */
const stillMs = 250;

export class CheckerKeeper {
  readonly #options: CheckerKeeperOptions;
  readonly #lookMs: number;
  readonly #loop: Loop;
  /** Those that share targets, as they were at the last look, by id. */
  #known: ReadonlyMap<string, Known> = new Map();

  constructor(options: CheckerKeeperOptions) {
    this.#options = options;
    const { log, lookMs = usualLookMs } = options;
    this.#lookMs = lookMs;
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
    return false;
  }

  async #forgetRevoked(): Promise<void> {
    const { db, wake, log, peers } = this.#options;
    for (const { id, name } of await checkersAmong(db, [...(peers?.revoked ?? [])]))
      if (await db.transaction((tx) => forgetChecker(tx, wake, id)))
        log.warn({ checker: name }, 'the machine of a GSLB checker was revoked: it is forgotten');
  }

  async #endSilent(): Promise<void> {
    const { db, wake, log, silenceMs } = this.#options;
    const sharers = await readSharers(db);
    this.#known = new Map(
      sharers.map(({ id, heardAt }) => {
        const known = this.#known.get(id);
        const heardMs = heardAt?.getTime();
        return [id, known?.heardMs === heardMs && known !== undefined ? known : this.#heard(heardMs)];
      }),
    );
    const silent = sharers.filter(({ id, linked }) => {
      const silentMs = this.#known.get(id)?.silence.look() ?? 0;
      return silentMs >= (linked ? silenceMs : silenceMs / 2);
    });
    if (silent.length === 0) return;
    for (const { name } of await db.transaction((tx) => endSharing(tx, wake, silent)))
      log.warn({ checker: name }, 'a GSLB checker is silent: others check its targets');
  }

  #heard(heardMs: number | undefined): Known {
    return { heardMs, silence: new Silence(this.#lookMs + stillMs) };
  }
}
