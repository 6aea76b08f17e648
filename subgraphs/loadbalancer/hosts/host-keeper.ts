// Ends hosts that an administrator has removed, once their last node is gone; and connections of hosts whose process was killed. Runs in every process of the subgraph: whoever comes second
// finds nothing.
import type { Database } from '../../../platform/database/database.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { Wake } from '../../../platform/wake.ts';
import { endEpoch, endHost, onlineHosts, removedHosts } from '../stores/host-store.ts';

export interface HostKeeperOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** Default 1000. */
  readonly lookMs?: number;
}

const usualLookMs = 1_000;
/** A process confirms its connections more often. Looks that failed do not count: nobody could confirm anything then. */
const lostLooks = 40;

interface Silence {
  readonly connection: string;
  readonly looks: number;
}

export class HostKeeper {
  readonly #options: HostKeeperOptions;
  readonly #loop: Loop;
  /** How often each connection was seen without a new confirmation, by host. */
  #silent: ReadonlyMap<string, Silence> = new Map();

  constructor(options: HostKeeperOptions) {
    this.#options = options;
    const { log, lookMs = usualLookMs } = options;
    this.#loop = new Loop({ name: 'hosts', log, pauseMs: () => lookMs, run: () => this.#look() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<boolean> {
    const { db, wake } = this.#options;
    for (const id of await removedHosts(db)) await db.transaction((tx) => endHost(tx, wake, id));
    await this.#endLost();
    return false;
  }

  async #endLost(): Promise<void> {
    const { db, wake, log } = this.#options;
    const silent = new Map<string, Silence>();
    for (const host of await onlineHosts(db)) {
      const connection = `${host.epoch} ${host.seenAt.getTime()}`;
      const before = this.#silent.get(host.id);
      const looks = before?.connection === connection ? before.looks + 1 : 0;
      silent.set(host.id, { connection, looks });
      if (looks < lostLooks) continue;
      log.warn({ host: host.name }, 'nobody holds the connection of a load balancer host any more');
      await db.transaction((tx) => endEpoch(tx, wake, host));
    }
    this.#silent = silent;
  }
}
