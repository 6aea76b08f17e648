// The conductor's side of the checkers' links. Each connected checker receives a grant, then its targets in the grant's epoch and
// their changes. Its batches are recorded. Only its newest connection counts.
import type { Database } from '../../../../platform/database/database.ts';
import { readHistory } from '../../../../platform/events/database-history.ts';
import { faultsBySchema } from '../../../../platform/input/json-schema.ts';
import { type LinkPeer, LinkRefusal, type LinkSession } from '../../../../platform/link/link-server.ts';
import { MachineSession, readFacts, unknownReport } from '../../../../platform/link/machine-session.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { JsonObject, JsonValue } from '../../../../platform/values/json.ts';
import type { Position } from '../../../../platform/values/positions.ts';
import {
  batchKey,
  checkerBatch,
  checkerFacts,
  type Grant,
  grantKey,
  nameOfKey,
  stampKey,
  targetOfKey,
} from '../../wire/checker-wire.ts';
import { databaseNow, endConnection, type Granted, readChecker } from '../stores/checker-store.ts';
import type { Sharer } from '../stores/sharing.ts';
import { readSharersOf, readVantagePoint, type VantageRow, vantageTopic } from '../stores/vantage-store.ts';
import type { KnownTarget, TargetTable } from '../targets/target-table.ts';
import { documentOf } from '../targets/targets.ts';
import type { EvaluationDependencies } from '../verdicts/evaluate-members.ts';
import { BatchInbox } from './batch-inbox.ts';
import { ConnectInbox } from './connect-inbox.ts';
import { BatchRefusedError } from './record-batch.ts';
import { Shares } from './shares.ts';

interface CheckerSessionsOptions extends EvaluationDependencies {
  readonly db: Database;
  readonly log: Logger;
  readonly targets: TargetTable;
  /** UUID of this process. */
  readonly owner: string;
}

/** Poll interval, in case a wake-up is lost. */
const lookAgainMs = 1_000;

export class CheckerSessions {
  readonly #options: CheckerSessionsOptions;
  readonly #dependencies: Pick<SessionOptions, 'inbox' | 'shares'>;
  readonly #connections: ConnectInbox;

  constructor(options: CheckerSessionsOptions) {
    this.#options = options;
    this.#dependencies = { inbox: new BatchInbox(options), shares: new Shares(options.targets) };
    this.#connections = new ConnectInbox(options);
  }

  async open(peer: LinkPeer): Promise<LinkSession> {
    const { owner } = this.#options;
    const { machine } = peer;
    const facts = readFacts(peer, 'checker', checkerFacts);
    const { vantagePoint, own = [] } = facts;
    for (const { name, parameters } of own) requireSchema(machine.name, name, parameters);
    const connected = () => {
      const heard = this.#dependencies.inbox.hear(machine.id);
      return this.#connections.connect({ machine, vantagePoint, facts, linkedTo: owner }).finally(heard);
    };
    const granted = await connected().catch((error: unknown) => {
      const seen = { checker: machine.name, reported: vantagePoint };
      if (error instanceof LinkRefusal) this.#options.log.warn({ err: error, ...seen }, 'a checker is refused');
      throw error;
    });
    return new CheckerSession({ ...this.#options, ...this.#dependencies, connect: connected }, peer, granted);
  }
}

interface SessionOptions extends CheckerSessionsOptions {
  readonly inbox: BatchInbox;
  readonly shares: Shares;
  /** Grants the checker another incarnation. */
  readonly connect: () => Promise<Granted>;
}

/** Stands for a generation that no target has. */
const ofOtherHistory = -1;
/** Messages sent in a row before waiting for the checker to accept them. */
const messagesAtOnce = 500;

class CheckerSession extends MachineSession implements LinkSession {
  readonly #options: SessionOptions;
  #granted: Granted;
  /** A caller that waits for another incarnation. */
  #anew: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  /** Targets that the checker has or was sent, by key. */
  readonly #sent: Map<string, Pick<KnownTarget, 'generation'>>;
  /** Ends listening to the table of targets. */
  #unsubscribe: (() => void) | undefined;
  /** Key of the targets that were sent. An equal key means that there is nothing to send. */
  #sentFor: string | undefined;
  #messages = 0;
  /** Rises when there may be news. */
  #news = 0;
  /** Epoch and egress rules of the last grant sent. Undefined if none was sent. */
  #toldFor: string | undefined;

  constructor(options: SessionOptions, peer: LinkPeer, granted: Granted) {
    const { incarnation: epoch } = granted;
    super({ ...options, peer, epoch, noun: 'checker', what: 'targets', pauseMs: lookAgainMs });
    this.#options = options;
    this.#granted = granted;
    this.#sent = new Map(
      [...peer.held].flatMap(([key, { history, number }]) =>
        targetOfKey(key) === undefined
          ? []
          : [[key, { generation: history === granted.history ? number : ofOtherHistory }]],
      ),
    );
  }

  override begin(): void {
    this.#unsubscribe = this.#options.targets.on(() => this.sendSoon());
    this.follow([vantageTopic(this.#granted.vantagePointId)]);
    super.begin();
  }

  protected override sendSoon(): void {
    this.#news += 1;
    super.sendSoon();
  }

  resend(key: string): void {
    this.#sent.delete(key);
    this.#sentFor = undefined;
    if (key === grantKey) this.#toldFor = undefined;
    super.sendSoon();
  }

  override async closed(): Promise<void> {
    this.#unsubscribe?.();
    await super.closed();
    this.#anew?.reject(new Error('the connection ended'));
  }

  /** It keeps its share of the vantage point's targets until it has been silent for too long, because most checkers reconnect at once. */
  protected recordEnd(): Promise<unknown> {
    return endConnection(this.#options.db, { id: this.peer.machine.id, incarnation: this.#granted.incarnation });
  }

  protected async send(): Promise<boolean> {
    const anew = this.#anew;
    try {
      await this.#look(anew !== undefined, () => anew?.resolve());
      anew?.resolve();
    } catch (error) {
      anew?.reject(error);
      throw error;
    } finally {
      if (this.#anew === anew) this.#anew = undefined;
    }
    return false;
  }

  async report(key: string, body: JsonValue): Promise<void> {
    if (key !== batchKey) throw unknownReport(key);
    try {
      const batch = checkerBatch.parse(body);
      if (batch.history !== this.#granted.history) throw new Error('a batch is of another history than its grant');
      const { stampMs } = await this.#options.inbox.record(this.peer.machine.id, batch);
      this.peer.send({ type: 'change', key: stampKey, change: { stampMs } });
    } catch (error) {
      if (!(error instanceof BatchRefusedError) || error.refusal !== 'OLD_EPOCH') throw error;
      // The batch was on its way when the targets were reassigned. It does not count, and a new incarnation reports everything,
      // as after a connect.
      const heard = this.#options.inbox.hear(this.peer.machine.id);
      await new Promise<void>((resolve, reject) => {
        this.#anew = { resolve, reject };
        super.sendSoon();
      }).finally(heard);
    }
  }

  /** `anew`: whether the checker needs another incarnation. `granted` is called after the grant was sent, before its targets. */
  async #look(anew: boolean, granted: () => void): Promise<void> {
    const { db, connect, egress } = this.#options;
    const { id } = this.peer.machine;
    let row = await readChecker(db, id);
    if ((await readHistory(db)) !== this.#granted.history)
      return this.peer.close('the history of the database has changed');
    if (row?.incarnation !== this.#granted.incarnation) return this.peer.close('the checker has a newer connection');
    if (anew) {
      this.#granted = await connect();
      this.#toldFor = undefined;
      row = (await readChecker(db, id)) ?? row;
    }
    const vantagePoint = await readVantagePoint(db, this.#granted.vantagePointId);
    if (vantagePoint === undefined) return this.peer.close('its vantage point was deleted');
    const sharers = await readSharersOf(db, vantagePoint);
    // The checker was silent, or the epoch increased between these reads: the next poll shows which.
    if (!sharers.some((each) => each.id === id)) return this.#lost(row.epoch, vantagePoint);
    // The installation's own listeners and its lab's devices change.
    const toldFor = `${vantagePoint.epoch} ${JSON.stringify(egress.rules)}`;
    if (this.#toldFor !== toldFor) {
      const document = asJson(await this.#grant(vantagePoint));
      // The grant goes first, so that the checker's reports count while many targets are on their way.
      this.peer.send({ type: 'document', key: grantKey, position: this.#at(vantagePoint.epoch), document });
      this.#toldFor = toldFor;
      this.notWhole();
    }
    granted();
    if (await this.#sendTargets(vantagePoint, sharers)) this.sendWhole();
  }

  /** A checker that reconnects gets its share of targets again. */
  async #lost(epoch: number, { id }: VantageRow): Promise<void> {
    const now = await readVantagePoint(this.#options.db, id);
    if (now === undefined || epoch < now.epoch) this.peer.close('others check its targets: it was silent for too long');
    else super.sendSoon();
  }

  /** False if the targets were not read yet, or may be assigned differently before all were sent. */
  async #sendTargets(vantagePoint: VantageRow, sharers: readonly Sharer[]): Promise<boolean> {
    const { shares } = this.#options;
    const sendingFor = shares.keyOf(vantagePoint, sharers);
    if (this.#sentFor === sendingFor) return true;
    const own = (await shares.of(vantagePoint, sharers))?.get(this.peer.machine.id);
    if (own === undefined) return false;
    const news = this.#news;
    const wanted = new Set(own.map(({ key }) => key));
    for (const key of [...this.#sent.keys()]) {
      if (wanted.has(key)) continue;
      this.#sent.delete(key);
      await this.#send({ type: 'gone', key });
      if (this.#news !== news) return false;
    }
    for (const target of own) {
      const { key, generation, check } = target;
      const has = this.#sent.get(key);
      this.#sent.set(key, target);
      if (has?.generation === generation) continue;
      const document = asJson(documentOf(nameOfKey(key), target, check));
      await this.#send({ type: 'document', key, position: this.#at(generation), document });
      if (this.#news !== news) return false;
    }
    this.#sentFor = sendingFor;
    return true;
  }

  #at(number: number): Position {
    return { history: this.#granted.history, number };
  }

  async #send(message: Parameters<LinkPeer['send']>[0]): Promise<void> {
    this.peer.send(message);
    this.#messages += 1;
    if (this.#messages % messagesAtOnce === 0) await this.peer.taken();
  }

  async #grant({ name, epoch, spec }: VantageRow): Promise<Grant> {
    const { db, egress, freshMs, heartbeatMs } = this.#options;
    const { allow, deny, own } = egress.rules;
    return {
      history: this.#granted.history,
      ...{ incarnation: this.#granted.incarnation, epoch, vantagePoint: name, stampMs: await databaseNow(db) },
      counted: this.#granted.counted,
      ...{ allowedBlocks: [...spec.allowedBlocks], deniedBlocks: [...spec.deniedBlocks] },
      egress: { allow: [...allow], deny: [...deny], own: [...own] },
      ...{ beacons: [...spec.beacons], freshMs, heartbeatMs },
    };
  }
}

/** The graph checks parameters by it. */
function requireSchema(checker: string, plugin: string, schema: JsonObject): void {
  try {
    faultsBySchema(JSON.stringify(schema), {});
  } catch (error) {
    throw new Error(`the plugin ${plugin} of the checker ${checker} has parameters that are no JSON Schema`, {
      cause: error,
    });
  }
}

/** Documents are plain data. */
function asJson(value: object): JsonObject {
  return value as JsonObject;
}
