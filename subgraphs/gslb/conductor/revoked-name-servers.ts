// Name servers whose machine was revoked go, and with them the records that name them in the zones. One that is only dead stays: nobody but a
// person knows that it will not come back. Runs in every process with the role gslb: whoever comes second finds nothing.
import type { Database } from '../../../platform/database/database.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { Peers } from '../../../platform/machines/peers.ts';
import type { Wake } from '../../../platform/wake.ts';
import { forgetNameServer, readNameServers } from './name-server-store.ts';
import { changeZones, zoneGenerations } from './zone-store.ts';

export interface RevokedNameServersOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly peers: Pick<Peers, 'revoked'>;
}

const lookMs = 2_000;

export class RevokedNameServers {
  readonly #options: RevokedNameServersOptions;
  readonly #loop: Loop;

  constructor(options: RevokedNameServersOptions) {
    this.#options = options;
    const { log } = options;
    this.#loop = new Loop({
      name: 'revoked name servers',
      log,
      pauseMs: () => lookMs,
      run: async () => {
        await this.#look();
        return false;
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<void> {
    const { db, wake, log, peers } = this.#options;
    if (peers.revoked.size === 0) return;
    for (const { id, name } of await readNameServers(db)) {
      if (!peers.revoked.has(id)) continue;
      const isGone = await db.transaction(async (tx) => {
        if (!(await forgetNameServer(tx, id))) return false;
        const zones = await zoneGenerations(tx);
        await changeZones(
          tx,
          wake,
          zones.map(({ name: zone }) => ({ zone, fqdn: null, gslbId: null })),
        );
        return true;
      });
      if (isGone) log.warn({ server: name }, 'the machine of a name server was revoked: zones name it no more');
    }
  }
}
