// The links of checkers and name servers to a process with the role gslb, and the loops that belong to them.
import type { Database } from '../../../../platform/database/database.ts';
import { databaseClaims } from '../../../../platform/link/link-claims.ts';
import { LinkServer } from '../../../../platform/link/link-server.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import { databaseMarks } from '../../../../platform/restore/marks.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { checkerRole } from '../../wire/checker-wire.ts';
import { nameServerRole } from '../../wire/dns-wire.ts';
import { linkSilentMs } from '../../wire/link-silence.ts';
import { CheckerSessions } from '../checkers/checker-sessions.ts';
import { CheckerWatcher } from '../checkers/checker-watcher.ts';
import { ZoneKeyRollover } from '../entities/zone-key-rollover.ts';
import { NameServerSessions } from '../nameservers/name-server-sessions.ts';
import { NameServerWatcher } from '../nameservers/name-server-watcher.ts';
import { TargetTable } from '../targets/target-table.ts';
import type { EvaluationDependencies } from '../verdicts/evaluate-members.ts';

export interface LinkPlace {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls: MutualTls;
}

export interface ConductorLinksOptions extends EvaluationDependencies {
  readonly db: Database;
  readonly log: Logger;
  readonly sealer: Sealer;
  /** UUID of this process. */
  readonly owner: string;
  /** If absent, no checker can connect here. */
  readonly checkers?: LinkPlace;
  /** If absent, no name server can connect here. */
  readonly nameServers?: LinkPlace;
  /** Whether zones get keys. */
  readonly signsZones: boolean;
}

export class ConductorLinks implements LifecycleComponent {
  readonly #options: ConductorLinksOptions;
  readonly #watcher: CheckerWatcher;
  readonly #nameServerWatcher: NameServerWatcher;
  readonly #targets: TargetTable;
  readonly #keys: ZoneKeyRollover;
  #checkers: LinkServer | undefined;
  #nameServers: LinkServer | undefined;

  constructor(options: ConductorLinksOptions) {
    this.#options = options;
    this.#watcher = new CheckerWatcher({ ...options, peers: options.checkers?.tls.peers });
    this.#nameServerWatcher = new NameServerWatcher({ ...options, peers: options.nameServers?.tls.peers });
    this.#targets = new TargetTable(options);
    this.#keys = new ZoneKeyRollover({ ...options, signs: options.signsZones });
  }

  /** Undefined if checkers can't connect here. */
  get checkerPort(): number | undefined {
    return this.#checkers?.port;
  }

  /** Undefined if name servers can't connect here. */
  get nameServerPort(): number | undefined {
    return this.#nameServers?.port;
  }

  async start(): Promise<void> {
    const { checkers, nameServers, log } = this.#options;
    const marks = databaseMarks(this.#options);
    const link = { silentMs: linkSilentMs, log, marks, claims: databaseClaims(this.#options) };
    this.#watcher.start();
    this.#nameServerWatcher.start();
    if (checkers !== undefined) {
      this.#targets.start();
      const sessions = new CheckerSessions({ ...this.#options, targets: this.#targets });
      const open = sessions.open.bind(sessions);
      this.#checkers = await LinkServer.listen({ ...checkers, ...link, role: checkerRole, open });
      log.info({ host: checkers.host, port: this.checkerPort }, 'GSLB checkers can connect');
    }
    if (nameServers !== undefined) {
      this.#keys.start();
      const sessions = new NameServerSessions(this.#options);
      const open = sessions.open.bind(sessions);
      this.#nameServers = await LinkServer.listen({ ...nameServers, ...link, role: nameServerRole, open });
      log.info({ host: nameServers.host, port: this.nameServerPort }, 'name servers of GSLB can connect');
    }
  }

  async drain(): Promise<void> {
    await Promise.all([this.#checkers?.drain(), this.#nameServers?.drain()]);
    await this.#keys.stop();
    await this.#targets.stop();
    await this.#watcher.stop();
    await this.#nameServerWatcher.stop();
  }

  stop(): Promise<void> {
    return this.drain();
  }
}
