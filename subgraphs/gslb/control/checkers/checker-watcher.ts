// Detects checkers that stopped reporting, so that the others of their vantage point take their targets. Checkers whose machine was revoked are
// removed permanently. A checker counts as silent if its row does not change for a while under observation by this process, because the row's time
// was recorded earlier, and no checker could report while the database was unavailable or this process was suspended. Runs in every process with the
// role gslb. Only the first one finds work.
import type { Database } from '../../../../platform/database/database.ts';
import { CalmMachines } from '../../../../platform/events/presence.ts';
import { SilentMachines } from '../../../../platform/link/silent-machines.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { Peers } from '../../../../platform/machines/peers.ts';
import { Looped } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { gslbEvents } from '../events.ts';
import { checkersAmong, endSharing, forgetChecker, readSharers } from '../stores/checker-store.ts';

interface CheckerWatcherOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** A checker that has not reported for this long is gone. Half as long if its connection has ended. */
  readonly silenceMs: number;
  /** Machines of checkers. Absent if none connects to this process. */
  readonly peers?: Pick<Peers, 'revoked'> | undefined;
  /** Default 250. */
  readonly lookMs?: number;
}

const usualLookMs = 250;

export class CheckerWatcher extends Looped {
  readonly #options: CheckerWatcherOptions;
  /** Silence of the checkers that share targets. */
  readonly #silent: SilentMachines;
  readonly #calm: CalmMachines;

  constructor(options: CheckerWatcherOptions) {
    const { log, lookMs = usualLookMs } = options;
    super({ name: 'GSLB checkers', log, pauseMs: () => lookMs, run: () => this.#look(), rest: options });
    this.#options = options;
    this.#silent = new SilentMachines(lookMs);
    this.#calm = new CalmMachines({
      ...{ ...options, kinds: gslbEvents, kind: 'gslbChecker.state' },
      exists: 'SELECT 1 FROM gslb_vantage_point WHERE id = ? AND deleted_at IS NULL',
    });
  }

  async #look(): Promise<false | 'rest'> {
    const sharers = await this.#endSilent();
    await this.#forgetRevoked();
    await this.#calm.look();
    return sharers === 0 && 'rest';
  }

  async #forgetRevoked(): Promise<void> {
    const { db, wake, log, peers } = this.#options;
    for (const { id, name } of await checkersAmong(db, [...(peers?.revoked ?? [])]))
      if (await db.transaction((tx) => forgetChecker(tx, wake, id)))
        log.warn({ checker: name }, 'the machine of a GSLB checker was revoked: it is forgotten');
  }

  /** Returns how many checkers share targets. */
  async #endSilent(): Promise<number> {
    const { db, wake, log, silenceMs } = this.#options;
    const sharers = await readSharers(db);
    const silences = this.#silent.look(sharers.map(({ id, heardAt }) => ({ id, sign: heardAt?.getTime() })));
    const silent = sharers.filter(({ id, linked }) => (silences.get(id) ?? 0) >= (linked ? silenceMs : silenceMs / 2));
    if (silent.length === 0) return sharers.length;
    for (const { name } of await db.transaction((tx) => endSharing(tx, wake, silent)))
      log.warn({ checker: name }, 'a GSLB checker is silent: others check its targets');
    return sharers.length;
  }
}
