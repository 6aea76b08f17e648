// Where checkers and name servers connect to a process with the role gslb, and the loops beside them.
import type { Database } from '../../../platform/database/database.ts';
import type { MutualTls } from '../../../platform/graph/tls.ts';
import type { LifecyclePart } from '../../../platform/lifecycle.ts';
import { LinkServer } from '../../../platform/link/link-server.ts';
import type { Logger } from '../../../platform/log.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import { checkerRole } from '../wire/checker-wire.ts';
import { nameServerRole } from '../wire/dns-wire.ts';
import { linkSilentMs } from '../wire/link-silence.ts';
import { CheckerKeeper } from './checker-keeper.ts';
import { CheckerSessions } from './checker-sessions.ts';
import type { JudgingParts } from './judging.ts';
import { NameServerKeeper } from './name-server-keeper.ts';
import { NameServerSessions } from './name-server-sessions.ts';
import { TargetTable } from './target-table.ts';
import { ZoneKeyKeeper } from './zone-key-keeper.ts';

export interface LinkPlace {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  readonly tls: MutualTls;
}

export interface ConductorLinksOptions extends JudgingParts {
  readonly db: Database;
  readonly log: Logger;
  readonly sealer: Sealer;
  /** Of this process. */
  readonly owner: string;
  /** Absent: no checker can connect here. */
  readonly checkers?: LinkPlace;
  /** Absent: no name server can. */
  readonly nameServers?: LinkPlace;
  /** Whether zones get keys. */
  readonly signsZones: boolean;
}

export class ConductorLinks implements LifecyclePart {
  readonly #options: ConductorLinksOptions;
  readonly #keeper: CheckerKeeper;
  readonly #nameServerKeeper: NameServerKeeper;
  readonly #targets: TargetTable;
  readonly #keys: ZoneKeyKeeper;
  #checkers: LinkServer | undefined;
  #nameServers: LinkServer | undefined;

  constructor(options: ConductorLinksOptions) {
    this.#options = options;
    this.#keeper = new CheckerKeeper({ ...options, peers: options.checkers?.tls.peers });
    this.#nameServerKeeper = new NameServerKeeper({ ...options, peers: options.nameServers?.tls.peers });
    this.#targets = new TargetTable(options);
    this.#keys = new ZoneKeyKeeper({ ...options, signs: options.signsZones });
  }

  /** Undefined: checkers can't connect here. */
  get checkerPort(): number | undefined {
    return this.#checkers?.port;
  }

  /** Undefined: name servers can't connect here. */
  get nameServerPort(): number | undefined {
    return this.#nameServers?.port;
  }

  async start(): Promise<void> {
    const { checkers, nameServers, log } = this.#options;
    this.#keeper.start();
    this.#nameServerKeeper.start();
    if (checkers !== undefined) {
      this.#targets.start();
      const sessions = new CheckerSessions({ ...this.#options, targets: this.#targets });
      const open = sessions.open.bind(sessions);
      this.#checkers = await LinkServer.listen({ ...checkers, role: checkerRole, silentMs: linkSilentMs, log, open });
      log.info({ host: checkers.host, port: this.checkerPort }, 'GSLB checkers can connect');
    }
    if (nameServers !== undefined) {
      this.#keys.start();
      const sessions = new NameServerSessions(this.#options);
      const open = sessions.open.bind(sessions);
      this.#nameServers = await LinkServer.listen({
        ...nameServers,
        role: nameServerRole,
        silentMs: linkSilentMs,
        log,
        open,
      });
      log.info({ host: nameServers.host, port: this.nameServerPort }, 'name servers of GSLB can connect');
    }
  }

  async drain(): Promise<void> {
    await Promise.all([this.#checkers?.drain(), this.#nameServers?.drain()]);
    await this.#keys.stop();
    await this.#targets.stop();
    await this.#keeper.stop();
    await this.#nameServerKeeper.stop();
  }

  stop(): Promise<void> {
    return this.drain();
  }
}
