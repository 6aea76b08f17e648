// The listener for the controllers of clusters in a process with the role object-storage, and the loop beside it, which tracks the presence
// of clusters and publishes the control plane's public keys.

import type { CheckLogin } from '../../../../platform/caller/access.ts';
import type { Database, Sql } from '../../../../platform/database/database.ts';
import { CalmMachines } from '../../../../platform/events/presence.ts';
import { LinkServer } from '../../../../platform/link/link-server.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import { databaseMarks } from '../../../../platform/restore/marks.ts';
import type { SigningKeys } from '../../../../platform/secrets/key-pairs.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { controllerRole, linkSilentMs } from '../../wire/controller-wire.ts';
import { documentName, type KeysDocument } from '../../wire/documents/documents.ts';
import { objectEvents } from '../events.ts';
import { OptionEnds } from '../options/option-ends.ts';
import { forgetQuestions } from '../questions/question-store.ts';
import { RingChanges } from '../rings/ring-changes.ts';
import { forgetSilent, readPresences, tellPresence } from '../stores/controller-store.ts';
import { documentNamed, putDocument } from '../stores/document-store.ts';
import { lockFederation } from '../stores/federation-store.ts';
import { ClusterLogins } from './cluster-logins.ts';
import { ControllerSessions } from './controller-sessions.ts';
import { tellLags } from './lag-events.ts';
import { tellReplicas } from './replica-events.ts';
import { tellServices } from './service-events.ts';

export interface ClusterLinksOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** Id of this process. */
  readonly owner: string;
  /** Without it nobody can log in at clusters whose controllers are connected here. */
  readonly checkLogin?: CheckLogin;
  /** Without it no controller can connect here. */
  readonly place?: {
    readonly host: string;
    /** 0 for any free port. */
    readonly port: number;
    readonly tls: MutualTls;
    readonly signingKeys: SigningKeys;
    /** Signs marks. Without it controllers get none. */
    readonly sealer?: Sealer;
  };
}

const lookMs = 500;
const tellServicesMs = 5_000;
const keptMs = 3_600_000;

export class ClusterLinks implements LifecycleComponent {
  readonly #options: ClusterLinksOptions;
  readonly #loop: Loop;
  readonly #calm: CalmMachines;
  readonly #ringChanges: RingChanges;
  readonly #optionEnds: OptionEnds;
  #server: LinkServer | undefined;
  /**
   * The result of the previous poll. After an outage of the database no cluster has reported yet, so a change counts only when a second
   * poll confirms it.
   */
  #moved: ReadonlySet<string> = new Set();
  #forgotAtMs = Number.NEGATIVE_INFINITY;
  #toldServicesAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ClusterLinksOptions) {
    this.#options = options;
    this.#ringChanges = new RingChanges(options);
    this.#optionEnds = new OptionEnds(options);
    const { log, wake } = options;
    this.#calm = new CalmMachines({
      ...{ ...options, kinds: objectEvents, kind: 'objectCluster.presence' },
      exists: 'SELECT 1 FROM object_cluster WHERE id = ? AND live_name IS NOT NULL',
    });
    this.#loop = new Loop({
      ...{ name: 'clusters of object storage', log, pauseMs: () => lookMs, rest: { wake } },
      run: () => this.#look(),
    });
  }

  /** Undefined if controllers can't connect here. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  async start(): Promise<void> {
    const { place, log } = this.#options;
    this.#loop.start();
    if (place === undefined) return;
    const { signingKeys, sealer, ...at } = place;
    await this.#tellKeys(signingKeys);
    const { db, wake, checkLogin } = this.#options;
    const marks = sealer && databaseMarks({ db, log, sealer });
    const logins = checkLogin === undefined ? undefined : new ClusterLogins({ db, wake, checkLogin });
    const sessions = new ControllerSessions({ ...this.#options, signingKeys, logins });
    const open = sessions.open.bind(sessions);
    this.#server = await LinkServer.listen({
      ...at,
      role: controllerRole,
      silentMs: linkSilentMs,
      log,
      ...(marks && { marks }),
      open,
    });
    log.info({ host: place.host, port: this.port }, 'controllers of object storage can connect');
  }

  async drain(): Promise<void> {
    await this.#server?.drain();
    await this.#loop.stop();
  }

  stop(): Promise<void> {
    return this.drain();
  }

  async #look(): Promise<false | 'rest'> {
    const { db, wake, log, place } = this.#options;
    const changes = await this.#ringChanges.advance();
    const ends = await this.#optionEnds.advance();
    if (place !== undefined) await this.#tellKeys(place.signingKeys);
    const clusters = await readPresences(db);
    const moved = clusters.filter(({ hasMoved }) => hasMoved).map(({ id }) => id);
    for (const id of moved.filter((each) => this.#moved.has(each))) {
      const told = await db.transaction((tx) => tellPresence(tx, wake, id));
      if (told?.to === 'ABSENT') log.warn({ cluster: told.name }, 'a cluster of object storage is silent');
      if (told?.to === 'PRESENT') log.info({ cluster: told.name }, 'a cluster of object storage reports');
    }
    this.#moved = new Set(moved);
    await this.#calm.look();
    if (clusters.length > 0 && performance.now() - this.#toldServicesAtMs >= tellServicesMs) {
      this.#toldServicesAtMs = performance.now();
      await tellServices(db, wake);
      await tellLags(db, wake);
      await tellReplicas(db, wake);
    }
    if (performance.now() - this.#forgotAtMs >= keptMs) {
      await forgetSilent(db);
      await forgetQuestions(db);
      this.#forgotAtMs = performance.now();
    }
    return clusters.length + changes + ends === 0 && 'rest';
  }

  /** A process with a newer key file publishes its keys before it signs with them. A process with an older file removes none of them. */
  async #tellKeys(signingKeys: SigningKeys): Promise<void> {
    const { db, wake } = this.#options;
    const own = signingKeys.ids().map((id) => [id, signingKeys.publicText(id)] as const);
    const lacks = ({ keys }: KeysDocument) => own.some(([id, text]) => keys[id] !== text);
    if (!lacks(await toldKeys(db))) return;
    await db.transaction(async (tx) => {
      await lockFederation(tx);
      const { keys } = await toldKeys(tx);
      await putDocument(tx, wake, ['keys'], { keys: { ...keys, ...Object.fromEntries(own) } });
    });
  }
}

async function toldKeys(sql: Sql): Promise<KeysDocument> {
  const told = await documentNamed(sql, documentName('keys'));
  return told === undefined ? { keys: {} } : (JSON.parse(told.body) as KeysDocument);
}
