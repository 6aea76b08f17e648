// Where the controllers of clusters connect to a process with the role object-storage, and the loop beside them: it tells which clusters are
// heard, and what the centre's public keys are.
import type { CheckLogin } from '../../../platform/access.ts';
import type { Database, Sql } from '../../../platform/database/database.ts';
import type { MutualTls } from '../../../platform/graph/tls.ts';
import type { LifecyclePart } from '../../../platform/lifecycle.ts';
import { LinkServer } from '../../../platform/link/link-server.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { SigningKeys } from '../../../platform/secrets/key-pairs.ts';
import type { Wake } from '../../../platform/wake.ts';
import { documentName, type KeysDocument } from '../documents/documents.ts';
import { controllerRole, linkSilentMs } from '../wire/controller-wire.ts';
import { ClusterLogins } from './cluster-logins.ts';
import { ControllerSessions } from './controller-sessions.ts';
import { forgetSilent, movedPresence, tellPresence } from './controller-store.ts';
import { documentNamed, putDocument } from './document-store.ts';
import { lockFederation } from './federation-store.ts';
import { OptionEnds } from './option-ends.ts';
import { forgetQuestions } from './question-store.ts';
import { tellReplicas } from './replica-events.ts';
import { RingChanges } from './ring-changes.ts';
import { tellServices } from './service-events.ts';

export interface ClusterLinksOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** Of this process. */
  readonly owner: string;
  /** Absent: nobody can log in at the clusters whose controllers are connected here. */
  readonly checkLogin?: CheckLogin;
  /** Absent: no controller can connect here. */
  readonly place?: {
    readonly host: string;
    /** 0 for any. */
    readonly port: number;
    readonly tls: MutualTls;
    readonly signingKeys: SigningKeys;
  };
}

const lookMs = 500;
const tellServicesMs = 5_000;
const keptMs = 3_600_000;

export class ClusterLinks implements LifecyclePart {
  readonly #options: ClusterLinksOptions;
  readonly #loop: Loop;
  readonly #ringChanges: RingChanges;
  readonly #optionEnds: OptionEnds;
  #server: LinkServer | undefined;
  /** As it was at the look before: after a time without a database nobody could be heard, and one more look tells. */
  #moved: ReadonlySet<string> = new Set();
  #forgotAtMs = Number.NEGATIVE_INFINITY;
  #toldServicesAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ClusterLinksOptions) {
    this.#options = options;
    this.#ringChanges = new RingChanges(options);
    this.#optionEnds = new OptionEnds(options);
    const { log } = options;
    this.#loop = new Loop({ name: 'clusters of object storage', log, pauseMs: () => lookMs, run: () => this.#look() });
  }

  /** Undefined: controllers can't connect here. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  async start(): Promise<void> {
    const { place, log } = this.#options;
    this.#loop.start();
    if (place === undefined) return;
    const { signingKeys, ...at } = place;
    await this.#tellKeys(signingKeys);
    const { db, wake, checkLogin } = this.#options;
    const logins = checkLogin === undefined ? undefined : new ClusterLogins({ db, wake, checkLogin });
    const sessions = new ControllerSessions({ ...this.#options, signingKeys, logins });
    const open = sessions.open.bind(sessions);
    this.#server = await LinkServer.listen({ ...at, role: controllerRole, silentMs: linkSilentMs, log, open });
    log.info({ host: place.host, port: this.port }, 'controllers of object storage can connect');
  }

  async drain(): Promise<void> {
    await this.#server?.drain();
    await this.#loop.stop();
  }

  stop(): Promise<void> {
    return this.drain();
  }

  async #look(): Promise<boolean> {
    const { db, wake, log, place } = this.#options;
    await this.#ringChanges.advance();
    await this.#optionEnds.advance();
    if (place !== undefined) await this.#tellKeys(place.signingKeys);
    const moved = await movedPresence(db);
    for (const id of moved.filter((each) => this.#moved.has(each))) {
      const to = await db.transaction((tx) => tellPresence(tx, wake, id));
      if (to !== undefined) log.warn({ cluster: id, to }, 'a cluster of object storage is heard, or no longer');
    }
    this.#moved = new Set(moved);
    if (performance.now() - this.#toldServicesAtMs >= tellServicesMs) {
      this.#toldServicesAtMs = performance.now();
      await tellServices(db, wake);
      await tellReplicas(db, wake);
    }
    if (performance.now() - this.#forgotAtMs < keptMs) return false;
    await forgetSilent(db);
    await forgetQuestions(db);
    this.#forgotAtMs = performance.now();
    return false;
  }

  /** Who has a newer key file tells its keys before it signs with them; one with an older file takes none of them back. */
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
