// Emits one event when one of our name servers stops reporting, and one when it reports again. A server whose machine was revoked
// is removed, with the records that name it in the zones. A dead one stays, because only a person knows that it will not return.
// Runs in every process with the role gslb: a second process finds nothing to do.
import type { Database } from '../../../../platform/database/database.ts';
import { CalmMachines } from '../../../../platform/events/presence.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { Peers } from '../../../../platform/machines/peers.ts';
import { Looped } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { gslbEvents } from '../events.ts';
import { serverNameTouched } from '../plans/server-names.ts';
import {
  forgetNameServer,
  nameServersAmong,
  readPresences,
  serversChanged,
  setPresence,
} from '../stores/name-server-store.ts';

interface NameServerWatcherOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** Machines of name servers. Absent if none connects to this process. */
  readonly peers?: Pick<Peers, 'revoked'> | undefined;
}

const lookMs = 500;

export class NameServerWatcher extends Looped {
  readonly #options: NameServerWatcherOptions;
  readonly #calm: CalmMachines;
  /**
   * Time of each server's last report, as of the previous poll. No server could report while the database was unavailable, so a server counts as
   * silent only after one more poll.
   */
  #silent: ReadonlyMap<string, number | undefined> = new Map();

  constructor(options: NameServerWatcherOptions) {
    const { log } = options;
    super({ name: 'name servers', log, pauseMs: () => lookMs, run: () => this.#look(), rest: options });
    this.#options = options;
    this.#calm = new CalmMachines({
      ...{ ...options, kinds: gslbEvents, kind: 'gslbNameServer.state' },
      exists: 'SELECT 1 FROM gslb_name_server WHERE id = ?',
    });
  }

  async #look(): Promise<false | 'rest'> {
    const servers = await this.#tellPresence();
    await this.#forgetRevoked();
    await this.#calm.look();
    return servers === 0 && 'rest';
  }

  /** Returns how many name servers there are. */
  async #tellPresence(): Promise<number> {
    const { db, wake, log } = this.#options;
    const all = await readPresences(db);
    const moved = all.filter(({ hasMoved }) => hasMoved);
    const isNews = ({ id, present, heardAt }: (typeof moved)[number]) =>
      !present || (this.#silent.has(id) && this.#silent.get(id) === heardAt?.getTime());
    const news = moved.filter(isNews);
    this.#silent = new Map(moved.map(({ id, heardAt }) => [id, heardAt?.getTime()]));
    for (const seen of news)
      if (await db.transaction((tx) => setPresence(tx, wake, seen))) {
        const { name: server, present } = seen;
        if (present) log.warn({ server }, 'a name server no longer reports');
        else log.info({ server }, 'a name server reports again');
      }
    return all.length;
  }

  async #forgetRevoked(): Promise<void> {
    const { db, wake, log, peers } = this.#options;
    for (const { id, name } of await nameServersAmong(db, [...(peers?.revoked ?? [])])) {
      const isGone = await db.transaction(async (tx) => {
        if (!(await forgetNameServer(tx, id))) return false;
        await serversChanged(tx, wake);
        await serverNameTouched(tx, wake, name);
        return true;
      });
      if (isGone) log.warn({ server: name }, 'the machine of a name server was revoked: zones name it no more');
    }
  }
}
