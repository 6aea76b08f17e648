// Tells when one of our name servers is no longer heard, and when it is again: one event for each change. One whose machine was revoked goes,
// and with it the records that name it in the zones; one that is only dead stays, for nobody but a person knows that it will not come back.
// Runs in every process with the role gslb: whoever comes second finds nothing.
import type { Database } from '../../../platform/database/database.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { Peers } from '../../../platform/machines/peers.ts';
import type { Wake } from '../../../platform/wake.ts';
import { forgetNameServer, movedPresence, nameServersAmong, setPresence } from './name-server-store.ts';
import { changeZones, zoneGenerations } from './zone-store.ts';

export interface NameServerKeeperOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** Machines of name servers; absent: none connects to this process. */
  readonly peers?: Pick<Peers, 'revoked'> | undefined;
}

const lookMs = 500;

export class NameServerKeeper {
  readonly #options: NameServerKeeperOptions;
  readonly #loop: Loop;
  /** When each was heard last, at the look before. After a time without a database nobody could be heard: one more look tells them apart. */
  #silent: ReadonlyMap<string, number | undefined> = new Map();

  constructor(options: NameServerKeeperOptions) {
    this.#options = options;
    const { log } = options;
    this.#loop = new Loop({ name: 'name servers', log, pauseMs: () => lookMs, run: () => this.#look() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<boolean> {
    await this.#tellPresence();
    await this.#forgetRevoked();
    return false;
  }

  async #tellPresence(): Promise<void> {
    const { db, wake, log } = this.#options;
    const moved = await movedPresence(db);
    const isNews = ({ id, present, heardAt }: (typeof moved)[number]) =>
      !present || (this.#silent.has(id) && this.#silent.get(id) === heardAt?.getTime());
    const news = moved.filter(isNews);
    this.#silent = new Map(moved.map(({ id, heardAt }) => [id, heardAt?.getTime()]));
    for (const seen of news)
      if (await db.transaction((tx) => setPresence(tx, wake, seen)))
        log.warn({ server: seen.name }, seen.present ? 'a name server is no longer heard' : 'a name server is heard');
  }

  async #forgetRevoked(): Promise<void> {
    const { db, wake, log, peers } = this.#options;
    for (const { id, name } of await nameServersAmong(db, [...(peers?.revoked ?? [])])) {
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
