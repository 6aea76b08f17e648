// Removes hosts that an administrator has deleted, once their last node is gone. Also ends connections of hosts whose process was killed.
// Runs in every process of the subgraph; only the first one finds work.
import type { Database } from '../../../../platform/database/database.ts';
import { CalmMachines } from '../../../../platform/events/presence.ts';
import { SilentMachines } from '../../../../platform/link/silent-machines.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { Looped } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import { endEpoch, endHost, onlineHosts, removedHosts } from '../stores/host-store.ts';

interface HostWatcherOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** Default 1000. */
  readonly lookMs?: number;
}

const usualLookMs = 1_000;
/** Polls without a new confirmation: a process confirms its connections more often. */
const lostLooks = 40;

export class HostWatcher extends Looped {
  readonly #options: HostWatcherOptions;
  readonly #lostMs: number;
  /** Among those with a connection. */
  readonly #silent: SilentMachines;
  readonly #calm: CalmMachines;

  constructor(options: HostWatcherOptions) {
    const { log, lookMs = usualLookMs } = options;
    super({ name: 'hosts', log, pauseMs: () => lookMs, run: () => this.#look(), rest: options });
    this.#options = options;
    this.#lostMs = lostLooks * lookMs;
    this.#silent = new SilentMachines(lookMs);
    this.#calm = new CalmMachines({
      ...options,
      ...{ kinds: loadBalancerEvents, kind: 'loadBalancerHost.presence', exists: 'SELECT 1 FROM lb_host WHERE id = ?' },
    });
  }

  async #look(): Promise<false | 'rest'> {
    const { db, wake } = this.#options;
    for (const id of await removedHosts(db)) await db.transaction((tx) => endHost(tx, wake, id));
    const online = await this.#endLost();
    await this.#calm.look();
    return online === 0 && 'rest';
  }

  /** Returns how many hosts have a connection. */
  async #endLost(): Promise<number> {
    const { db, wake, log } = this.#options;
    const online = await onlineHosts(db);
    const silences = this.#silent.look(
      online.map(({ id, epoch, heardAt }) => ({ id, sign: `${epoch} ${heardAt.getTime()}` })),
    );
    for (const host of online) {
      if ((silences.get(host.id) ?? 0) < this.#lostMs) continue;
      log.warn({ host: host.name }, 'no process confirms the connection of a load balancer host any more');
      await db.transaction((tx) => endEpoch(tx, wake, host));
    }
    return online.length;
  }
}
