// The centre's side of the controllers' links: each is sent the documents that it lacks, in order and as they are committed, and says what it
// sees of its cluster.
import { z } from 'zod';
import type { Database } from '../../../platform/database/database.ts';
import type { JsonValue } from '../../../platform/json.ts';
import type { LinkPeer, LinkSession } from '../../../platform/link/link-server.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { SigningKeys } from '../../../platform/secrets/key-pairs.ts';
import type { Wake } from '../../../platform/wake.ts';
import { documentName } from '../documents/documents.ts';
import { isClusterKey } from '../documents/seal-for.ts';
import { readDocument, signDocument, type UnsignedDocument } from '../documents/signed-document.ts';
import {
  type ControllerFacts,
  controllerFacts,
  controllerState,
  stateKey,
  wholeEveryMs,
} from '../wire/controller-wire.ts';
import { centreQuestion } from '../wire/login-wire.ts';
import type { ClusterLogins } from './cluster-logins.ts';
import { type Connected, connectController, endConnection, isConnected, recordState } from './controller-store.ts';
import { documentNamed, documentsAfter, documentsTopic, tellAllAfter } from './document-store.ts';
import { lockFederation } from './federation-store.ts';
import { QuestionCarrier } from './question-carrier.ts';

export interface ControllerSessionsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly signingKeys: SigningKeys;
  /** Of this process. */
  readonly owner: string;
  /** Absent: users can't log in at clusters whose controllers are connected here. */
  readonly logins?: Pick<ClusterLogins, 'answer'> | undefined;
}

/** When a wake-up was lost, the table is asked after so long: it is also how often a controller is told that it has all. */
const lookAgainMs = wholeEveryMs / 2;
const documentsAtOnce = 100;
/** A controller can't make the generations run out. */
const highestLeap = 1_000_000_000;

export class ControllerSessions {
  readonly #options: ControllerSessionsOptions;

  constructor(options: ControllerSessionsOptions) {
    this.#options = options;
  }

  async open(peer: LinkPeer): Promise<LinkSession> {
    const { db, wake, owner } = this.#options;
    const { machine } = peer;
    const read = controllerFacts.safeParse(peer.facts);
    if (!read.success)
      throw new Error(`the controller ${machine.name} does not say what it is: ${z.prettifyError(read.error)}`);
    const facts = read.data;
    if (!isClusterKey(facts.publicKey))
      throw new Error(`the controller ${machine.name} has no public key of P-256 in PEM`);
    const connected = await db.transaction(async (tx) => {
      const { generation } = await lockFederation(tx);
      if (facts.position > generation + highestLeap)
        throw new Error(`the controller ${machine.name} says that it has generation ${facts.position}: there is none`);
      if (facts.position > generation) await tellAllAfter(tx, wake, facts.position);
      return connectController(tx, wake, { machine, facts, linkedTo: owner });
    });
    return new ControllerSession(this.#options, peer, facts, connected);
  }
}

class ControllerSession implements LinkSession {
  readonly epoch: number;
  readonly #options: ControllerSessionsOptions;
  readonly #peer: LinkPeer;
  readonly #loop: Loop;
  readonly #questions: QuestionCarrier;
  /** UUID. */
  readonly #clusterId: string;
  /** It has every document up to here, or was sent it. */
  #position: number;
  /** Of the centre's keys, those that it knows. */
  #keyIds: ReadonlySet<string>;
  #wholeAtMs = Number.NEGATIVE_INFINITY;
  #unsubscribe: (() => void) | undefined;

  constructor(
    options: ControllerSessionsOptions,
    peer: LinkPeer,
    facts: ControllerFacts,
    { epoch, clusterId }: Connected,
  ) {
    this.#clusterId = clusterId;
    this.#options = options;
    this.#peer = peer;
    this.epoch = epoch;
    this.#position = facts.position;
    this.#keyIds = new Set(facts.keyIds);
    this.#questions = new QuestionCarrier({ ...options, peer });
    this.#loop = new Loop({
      name: `documents of controller ${peer.machine.name}`,
      log: options.log,
      pauseMs: () => lookAgainMs,
      run: (signal) => this.#look(signal),
    });
  }

  begin(): void {
    this.#unsubscribe = this.#options.wake.on(documentsTopic, () => this.#loop.trigger());
    this.#loop.start();
    this.#questions.start();
  }

  /** The whole document again is all that there is to do: it has no changes. */
  resend(): void {
    this.#peer.close('a controller asks for what it lacks when it connects');
  }

  async closed(): Promise<void> {
    this.#unsubscribe?.();
    const { db, log } = this.#options;
    const { id, name } = this.#peer.machine;
    await Promise.all([this.#loop.stop(), this.#questions.stop()])
      .then(() => endConnection(db, { id, epoch: this.epoch }))
      .catch((error: unknown) =>
        log.warn({ err: error, controller: name }, 'the end of a connection was not recorded'),
      );
  }

  async report(key: string, body: JsonValue): Promise<void> {
    if (key !== stateKey) throw new Error(`a report of an unknown kind: ${key.slice(0, 80)}`);
    const { id } = this.#peer.machine;
    await recordState(this.#options.db, { id, epoch: this.epoch }, controllerState.parse(body));
  }

  /** What a controller asks: who somebody is that logs in at its cluster. */
  async answer(body: JsonValue, signal: AbortSignal): Promise<JsonValue> {
    const { logins, db } = this.#options;
    const { id, name } = this.#peer.machine;
    if (logins === undefined) throw new Error('no logins are checked here');
    const { login } = centreQuestion.parse(body);
    if (!(await isConnected(db, { id, epoch: this.epoch }))) throw new Error('the controller has a newer connection');
    return { ...(await logins.answer(login, { name, clusterId: this.#clusterId }, signal)) } as unknown as JsonValue;
  }

  /** True: there may be more at once. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { db } = this.#options;
    if (!(await isConnected(db, { id: this.#peer.machine.id, epoch: this.epoch }))) {
      this.#peer.close('the controller has a newer connection, or its cluster was deleted');
      return false;
    }
    await this.#sendKeys();
    const documents = await documentsAfter(db, this.#position, documentsAtOnce);
    for (const document of documents) {
      if (signal.aborted) return false;
      this.#send(document, document.generation);
      this.#position = document.generation;
      if (document.name === documentName('keys')) this.#know(document);
      await this.#peer.taken();
    }
    if (documents.length === documentsAtOnce) return true;
    if (documents.length === 0 && performance.now() - this.#wholeAtMs < wholeEveryMs) return false;
    this.#peer.send({ type: 'whole' });
    this.#wholeAtMs = performance.now();
    return false;
  }

  /** First, where it does not know the active one. */
  async #sendKeys(): Promise<void> {
    const { db, signingKeys } = this.#options;
    if (this.#keyIds.has(signingKeys.active().id)) return;
    const keys = await documentNamed(db, documentName('keys'));
    if (keys === undefined) return;
    this.#send(keys, 0);
    this.#know(keys);
  }

  #know(document: UnsignedDocument): void {
    const { kind, body } = readDocument(document);
    if (kind === 'keys' && body !== undefined) this.#keyIds = new Set(Object.keys(body.keys));
  }

  /** Signed with a key that it knows, if there is one. */
  #send(document: UnsignedDocument, generation: number): void {
    const { signingKeys } = this.#options;
    const keyId = signingKeys.ids().find((id) => this.#keyIds.has(id));
    this.#peer.send({
      ...{ type: 'document', key: document.name, generation },
      document: { ...signDocument(signingKeys, document, keyId) },
    });
  }
}
