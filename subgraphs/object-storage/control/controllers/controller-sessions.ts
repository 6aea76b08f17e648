// The control plane's side of the controllers' links. Each controller is sent the documents that it lacks, in order, as they are committed,
// and reports the state of its cluster.
import type { Database } from '../../../../platform/database/database.ts';
import { readHistory } from '../../../../platform/events/database-history.ts';
import type { LinkPeer, LinkSession } from '../../../../platform/link/link-server.ts';
import { MachineSession, readFacts, unknownReport } from '../../../../platform/link/machine-session.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { SigningKeys } from '../../../../platform/secrets/key-pairs.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import {
  type ControllerFacts,
  controllerFacts,
  controllerState,
  stateKey,
  wholeEveryMs,
} from '../../wire/controller-wire.ts';
import { documentName } from '../../wire/documents/documents.ts';
import { isClusterKey } from '../../wire/documents/seal-for.ts';
import { readDocument, signDocument, type UnsignedDocument } from '../../wire/documents/signed-document.ts';
import { controlPlaneQuestion } from '../../wire/login-wire.ts';
import { QuestionCarrier } from '../questions/question-carrier.ts';
import {
  type Connected,
  connectController,
  endConnection,
  isConnected,
  recordState,
} from '../stores/controller-store.ts';
import {
  beginDocumentHistory,
  documentNamed,
  documentsAfter,
  documentsTopic,
  tellAllAfter,
} from '../stores/document-store.ts';
import { lockFederation } from '../stores/federation-store.ts';
import type { ClusterLogins } from './cluster-logins.ts';

interface ControllerSessionsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly signingKeys: SigningKeys;
  /** Id of this process. */
  readonly owner: string;
  /** Without it users can't log in at clusters whose controllers are connected here. */
  readonly logins?: Pick<ClusterLogins, 'answer'> | undefined;
}

/** The table is polled this often in case a wake-up is lost. It is also how often a controller gets the confirmation that it has everything. */
const lookAgainMs = wholeEveryMs / 2;
const documentsAtOnce = 100;
/** Keeps a controller from exhausting the generations. */
const highestLeap = 1_000_000_000;

export class ControllerSessions {
  readonly #options: ControllerSessionsOptions;

  constructor(options: ControllerSessionsOptions) {
    this.#options = options;
  }

  async open(peer: LinkPeer): Promise<LinkSession> {
    const { db, wake, owner, log } = this.#options;
    const { machine } = peer;
    const facts = readFacts(peer, 'controller', controllerFacts);
    if (!isClusterKey(facts.publicKey))
      throw new Error(`the controller ${machine.name} sent no P-256 public key in PEM`);
    const connected = await db.transaction(async (tx) => {
      const federation = await lockFederation(tx);
      const { history, historyStart } = await beginDocumentHistory(tx, wake, federation);
      const { generation } = await lockFederation(tx);
      const has = facts.position;
      if (has.number > generation + highestLeap)
        throw new Error(`the controller ${machine.name} claims generation ${has.number}, which does not exist`);
      // From another history it has at most what existed before this history began, unless this database was restored more than once.
      const mostHeld = has.history === history ? generation : historyStart;
      if (has.number > mostHeld) {
        log.error(
          { controller: machine.name, has, generation },
          'a controller has newer documents than the database: the database was restored',
        );
        await tellAllAfter(tx, wake, Math.max(has.number, generation));
      }
      return { history, ...(await connectController(tx, wake, { machine, facts, linkedTo: owner })) };
    });
    return new ControllerSession(this.#options, peer, facts, connected);
  }
}

class ControllerSession extends MachineSession implements LinkSession {
  readonly #options: ControllerSessionsOptions;
  readonly #questions: QuestionCarrier;
  /** History of the epoch and of all documents sent over this link. */
  readonly #history: string;
  /** UUID. */
  readonly #clusterId: string;
  /** The controller has, or was sent, every document up to this generation. */
  #position: number;
  /** The control plane's keys that the controller knows. */
  #keyIds: ReadonlySet<string>;

  constructor(
    options: ControllerSessionsOptions,
    peer: LinkPeer,
    facts: ControllerFacts,
    { epoch, clusterId, history }: Connected & { readonly history: string },
  ) {
    super({ ...options, peer, epoch, noun: 'controller', what: 'documents', pauseMs: lookAgainMs });
    this.#history = history;
    this.#clusterId = clusterId;
    this.#options = options;
    this.#position = facts.position.number;
    this.#keyIds = new Set(facts.keyIds);
    this.#questions = new QuestionCarrier({ ...options, peer });
  }

  override begin(): void {
    this.follow([documentsTopic]);
    super.begin();
    this.#questions.start();
  }

  /** Sends everything again: this document has no deltas. */
  resend(): void {
    this.peer.close('a controller asks for missing documents whenever it connects');
  }

  protected async recordEnd(): Promise<void> {
    await this.#questions.stop();
    await endConnection(this.#options.db, { id: this.peer.machine.id, epoch: this.epoch });
  }

  async report(key: string, body: JsonValue): Promise<void> {
    if (key !== stateKey) throw unknownReport(key);
    const { id } = this.peer.machine;
    await recordState(this.#options.db, { id, epoch: this.epoch }, controllerState.parse(body));
  }

  /** Answers the controller's only question: the identity of a user who logs in at its cluster. */
  async answer(body: JsonValue, signal: AbortSignal): Promise<JsonValue> {
    const { logins, db } = this.#options;
    const { id, name } = this.peer.machine;
    if (logins === undefined) throw new Error('this process checks no logins');
    const { login } = controlPlaneQuestion.parse(body);
    if (!(await isConnected(db, { id, epoch: this.epoch }))) throw new Error('the controller has a newer connection');
    return { ...(await logins.answer(login, { name, clusterId: this.#clusterId }, signal)) } as unknown as JsonValue;
  }

  protected async send(signal: AbortSignal): Promise<boolean> {
    const { db } = this.#options;
    if ((await readHistory(db)) !== this.#history) {
      this.peer.close('the history of the database has changed');
      return false;
    }
    if (!(await isConnected(db, { id: this.peer.machine.id, epoch: this.epoch }))) {
      this.peer.close('the controller has a newer connection, or its cluster was deleted');
      return false;
    }
    await this.#sendKeys();
    const documents = await documentsAfter(db, this.#position, documentsAtOnce);
    for (const document of documents) {
      if (signal.aborted) return false;
      this.#sendDocument(document, document.generation);
      this.#position = document.generation;
      if (document.name === documentName('keys')) this.#know(document);
      await this.peer.taken();
    }
    if (documents.length === documentsAtOnce) return true;
    // After news at once.
    if (documents.length > 0) this.notWhole();
    this.sendWhole(wholeEveryMs);
    return false;
  }

  /** Sent first if the controller does not know the active key. */
  async #sendKeys(): Promise<void> {
    const { db, signingKeys } = this.#options;
    if (this.#keyIds.has(signingKeys.active().id)) return;
    const keys = await documentNamed(db, documentName('keys'));
    if (keys === undefined) return;
    this.#sendDocument(keys, 0);
    this.#know(keys);
  }

  #know(document: UnsignedDocument): void {
    const { kind, body } = readDocument(document);
    if (kind === 'keys' && body !== undefined) this.#keyIds = new Set(Object.keys(body.keys));
  }

  /** Signed with a key that the controller knows, if there is one. */
  #sendDocument(document: UnsignedDocument, generation: number): void {
    const { signingKeys } = this.#options;
    const keyId = signingKeys.ids().find((id) => this.#keyIds.has(id));
    this.peer.send({
      ...{ type: 'document', key: document.name, position: { history: this.#history, number: generation } },
      document: { ...signDocument(signingKeys, document, keyId) },
    });
  }
}
