// The conductor's side of the checkers' links: each connected checker is sent a grant, and then the targets that are its own in the grant's
// epoch, as they change; its batches are recorded. What its newest connection says counts.
import { z } from 'zod';
import type { Database } from '../../../platform/database/database.ts';
import type { JsonObject, JsonValue } from '../../../platform/json.ts';
import { faultsBySchema } from '../../../platform/json-schema.ts';
import type { LinkPeer, LinkSession } from '../../../platform/link/link-server.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import {
  batchKey,
  checkerBatch,
  checkerFacts,
  type Grant,
  grantKey,
  nameOfKey,
  stampKey,
  targetOfKey,
} from '../wire/checker-wire.ts';
import { databaseNow, endConnection, type Granted, readChecker } from './checker-store.ts';
import { ConnectDesk } from './connect-desk.ts';
import type { JudgingParts } from './judging.ts';
import { BatchRefusedError } from './report.ts';
import { ReportDesk } from './report-desk.ts';
import { Shares } from './shares.ts';
import type { KnownTarget, TargetTable } from './target-table.ts';
import { documentOf } from './targets.ts';
import { readVantagePoint, sharersOf, type VantageRow, vantageTopic } from './vantage-store.ts';

export interface CheckerSessionsOptions extends JudgingParts {
  readonly db: Database;
  readonly log: Logger;
  readonly targets: TargetTable;
  /** Of this process. */
  readonly owner: string;
}

/** When a wake-up was lost, the tables are asked after so long. */
const lookAgainMs = 1_000;

export class CheckerSessions {
  readonly #options: CheckerSessionsOptions;
  readonly #parts: Pick<SessionOptions, 'desk' | 'shares'>;
  readonly #connections: ConnectDesk;

  constructor(options: CheckerSessionsOptions) {
    this.#options = options;
    this.#parts = { desk: new ReportDesk(options), shares: new Shares(options.targets) };
    this.#connections = new ConnectDesk(options);
  }

  async open(peer: LinkPeer): Promise<LinkSession> {
    const { owner } = this.#options;
    const { machine } = peer;
    const read = checkerFacts.safeParse(peer.facts);
    if (!read.success)
      throw new Error(`the checker ${machine.name} does not say what it is: ${z.prettifyError(read.error)}`);
    const { vantagePoint, own = [] } = read.data;
    for (const { name, parameters } of own) requireSchema(machine.name, name, parameters);
    const facts = read.data;
    const connected = () => {
      const heard = this.#parts.desk.hear(machine.id);
      return this.#connections.connect({ machine, vantagePoint, facts, linkedTo: owner }).finally(heard);
    };
    return new CheckerSession({ ...this.#options, ...this.#parts, connect: connected }, peer, await connected());
  }
}

interface SessionOptions extends CheckerSessionsOptions {
  readonly desk: ReportDesk;
  readonly shares: Shares;
  /** Grants the checker another incarnation. */
  readonly connect: () => Promise<Granted>;
}

/** So many messages follow each other without a look at whether the checker takes them. */
const messagesAtOnce = 500;

class CheckerSession implements LinkSession {
  readonly epoch: number;
  readonly #options: SessionOptions;
  readonly #peer: LinkPeer;
  #granted: Granted;
  /** Who waits for another incarnation. */
  #anew: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  readonly #loop: Loop;
  /** The targets that the checker has, or was sent, by key. */
  readonly #sent: Map<string, Pick<KnownTarget, 'generation'>>;
  readonly #unsubscribe: (() => void)[] = [];
  /** What the targets were sent for: with the same there is nothing to send. */
  #sentFor: string | undefined;
  #messages = 0;
  /** Since the grant it has heard that these are all its targets. */
  #isWhole = false;
  /** Rises when there may be news. */
  #news = 0;
  /** Of the grant that it was sent; undefined: none. */
  #toldEpoch: number | undefined;

  constructor(options: SessionOptions, peer: LinkPeer, granted: Granted) {
    this.#options = options;
    this.#peer = peer;
    this.#granted = granted;
    this.epoch = granted.incarnation;
    this.#sent = new Map(
      [...peer.held].flatMap(([key, generation]) => (targetOfKey(key) === undefined ? [] : [[key, { generation }]])),
    );
    this.#loop = new Loop({
      name: `targets of checker ${peer.machine.name}`,
      log: options.log,
      pauseMs: () => lookAgainMs,
      run: async () => {
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
      },
    });
  }

  begin(): void {
    const { wake, targets } = this.#options;
    const look = () => {
      this.#news += 1;
      this.#loop.trigger();
    };
    this.#unsubscribe.push(wake.on(vantageTopic(this.#granted.vantagePointId), look), targets.on(look));
    this.#loop.start();
  }

  resend(key: string): void {
    this.#sent.delete(key);
    this.#sentFor = undefined;
    if (key === grantKey) this.#toldEpoch = undefined;
    this.#loop.trigger();
  }

  async closed(): Promise<void> {
    for (const end of this.#unsubscribe) end();
    const { db, log } = this.#options;
    const { id, name } = this.#peer.machine;
    // It still shares its vantage point's targets until it was silent for too long: most come back at once.
    await this.#loop
      .stop()
      .then(() => endConnection(db, { id, incarnation: this.#granted.incarnation }))
      .catch((error: unknown) => log.warn({ err: error, checker: name }, 'the end of a connection was not recorded'));
  }

  async report(key: string, body: JsonValue): Promise<void> {
    if (key !== batchKey) throw new Error(`a report of an unknown kind: ${key.slice(0, 80)}`);
    try {
      const { stampMs } = await this.#options.desk.record(this.#peer.machine.id, checkerBatch.parse(body));
      this.#peer.send({ type: 'change', key: stampKey, change: { stampMs } });
    } catch (error) {
      if (!(error instanceof BatchRefusedError) || error.refusal !== 'OLD_EPOCH') throw error;
      // It was on its way when the targets were shared anew. Nothing of it counts, and another incarnation says all, as after a connect.
      const heard = this.#options.desk.hear(this.#peer.machine.id);
      await new Promise<void>((resolve, reject) => {
        this.#anew = { resolve, reject };
        this.#loop.trigger();
      }).finally(heard);
    }
  }

  /** `anew`: it is to have another incarnation. `granted` is called once it was sent the grant, before its targets. */
  async #look(anew: boolean, granted: () => void): Promise<void> {
    const { db, connect } = this.#options;
    const { id } = this.#peer.machine;
    let row = await readChecker(db, id);
    if (row?.incarnation !== this.#granted.incarnation) return this.#peer.close('the checker has a newer connection');
    if (anew) {
      this.#granted = await connect();
      this.#toldEpoch = undefined;
      row = (await readChecker(db, id)) ?? row;
    }
    const vantagePoint = await readVantagePoint(db, this.#granted.vantagePointId);
    if (vantagePoint === undefined) return this.#peer.close('its vantage point was deleted');
    const sharers = await sharersOf(db, vantagePoint);
    // It was silent, or the epoch rose between these reads: the next look tells.
    if (!sharers.includes(id)) return this.#lost(row.epoch, vantagePoint);
    if (this.#toldEpoch !== vantagePoint.epoch) {
      const document = asJson(await this.#grant(vantagePoint));
      // First: it is heard while many targets are on their way.
      this.#peer.send({ type: 'document', key: grantKey, generation: vantagePoint.epoch, document });
      this.#toldEpoch = vantagePoint.epoch;
      this.#isWhole = false;
    }
    granted();
    if (!(await this.#sendTargets(vantagePoint, sharers)) || this.#isWhole) return;
    this.#peer.send({ type: 'whole' });
    this.#isWhole = true;
  }

  /** Connecting anew makes it share again. */
  async #lost(epoch: number, { id }: VantageRow): Promise<void> {
    const now = await readVantagePoint(this.#options.db, id);
    if (now === undefined || epoch < now.epoch)
      this.#peer.close('others check its targets: it was silent for too long');
    else this.#loop.trigger();
  }

  /** False: they were not read yet, or others may be its own before all were sent. */
  async #sendTargets(vantagePoint: VantageRow, sharers: readonly string[]): Promise<boolean> {
    const { shares } = this.#options;
    const sendingFor = shares.keyOf(vantagePoint, sharers);
    if (this.#sentFor === sendingFor) return true;
    const own = (await shares.of(vantagePoint, sharers))?.get(this.#peer.machine.id);
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
      await this.#send({ type: 'document', key, generation, document });
      if (this.#news !== news) return false;
    }
    this.#sentFor = sendingFor;
    return true;
  }

  async #send(message: Parameters<LinkPeer['send']>[0]): Promise<void> {
    this.#peer.send(message);
    this.#messages += 1;
    if (this.#messages % messagesAtOnce === 0) await this.#peer.taken();
  }

  async #grant({ name, epoch, spec }: VantageRow): Promise<Grant> {
    const { db, egress, freshMs, heartbeatMs } = this.#options;
    const { allow, deny, own } = egress.rules;
    return {
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
