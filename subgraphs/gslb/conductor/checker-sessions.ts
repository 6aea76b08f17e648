// The conductor's side of the checkers' links: each connected checker is sent its share of the targets as they change, and then the grant
// under whose epoch they are its own; its batches are recorded. What its newest connection says counts.
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
  stampKey,
  targetKey,
  targetOfKey,
} from '../wire/checker-wire.ts';
import { connectChecker, databaseNow, endConnection, type Granted, readChecker } from './checker-store.ts';
import type { JudgingParts } from './judging.ts';
import { recordReport } from './report.ts';
import { checkerOf } from './sharing.ts';
import type { TargetTable } from './target-table.ts';
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

  constructor(options: CheckerSessionsOptions) {
    this.#options = options;
  }

  async open(peer: LinkPeer): Promise<LinkSession> {
    const { db, wake, owner } = this.#options;
    const { machine } = peer;
    const read = checkerFacts.safeParse(peer.facts);
    if (!read.success)
      throw new Error(`the checker ${machine.name} does not say what it is: ${z.prettifyError(read.error)}`);
    const { vantagePoint, own = [] } = read.data;
    for (const { name, parameters } of own) requireSchema(machine.name, name, parameters);
    const granted = await db.transaction((tx) =>
      connectChecker(tx, wake, { machine, vantagePoint, facts: read.data, linkedTo: owner }),
    );
    return new CheckerSession(this.#options, peer, granted);
  }
}

class CheckerSession implements LinkSession {
  readonly epoch: number;
  readonly #options: CheckerSessionsOptions;
  readonly #peer: LinkPeer;
  readonly #granted: Granted;
  readonly #loop: Loop;
  /** Generations of the targets that the checker has, or was sent, by key. */
  readonly #sent: Map<string, number>;
  readonly #unsubscribe: (() => void)[] = [];
  /** What the targets were sent for: with the same there is nothing to send. */
  #sentFor: string | undefined;
  /** Of the grant that it was sent; undefined: none. */
  #toldEpoch: number | undefined;

  constructor(options: CheckerSessionsOptions, peer: LinkPeer, granted: Granted) {
    this.#options = options;
    this.#peer = peer;
    this.#granted = granted;
    this.epoch = granted.incarnation;
    this.#sent = new Map([...peer.held].filter(([key]) => targetOfKey(key) !== undefined));
    this.#loop = new Loop({
      name: `targets of checker ${peer.machine.name}`,
      log: options.log,
      pauseMs: () => lookAgainMs,
      run: async () => {
        await this.#look();
        return false;
      },
    });
  }

  begin(): void {
    const { wake, targets } = this.#options;
    const look = () => this.#loop.trigger();
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
      .then(() => endConnection(db, { id, incarnation: this.epoch }))
      .catch((error: unknown) => log.warn({ err: error, checker: name }, 'the end of a connection was not recorded'));
  }

  async report(key: string, body: JsonValue): Promise<void> {
    if (key !== batchKey) throw new Error(`a report of an unknown kind: ${key.slice(0, 80)}`);
    const { db } = this.#options;
    const { stampMs } = await recordReport(db, this.#options, this.#peer.machine.id, checkerBatch.parse(body));
    this.#peer.send({ type: 'change', key: stampKey, change: { stampMs } });
  }

  async #look(): Promise<void> {
    const { db } = this.#options;
    const { id } = this.#peer.machine;
    const vantagePoint = await readVantagePoint(db, this.#granted.vantagePointId);
    const row = await readChecker(db, id);
    if (vantagePoint === undefined) return this.#peer.close('its vantage point was deleted');
    if (row?.incarnation !== this.epoch) return this.#peer.close('the checker has a newer connection');
    const sharers = await sharersOf(db, vantagePoint);
    // It was silent, or the epoch rose between these reads: the next look tells.
    if (!sharers.includes(id)) return this.#lost(row.epoch, vantagePoint);
    if (!this.#sendTargets(vantagePoint, sharers)) return;
    if (this.#toldEpoch === vantagePoint.epoch) return;
    const document = asJson(await this.#grant(vantagePoint));
    this.#peer.send({ type: 'document', key: grantKey, generation: vantagePoint.epoch, document });
    this.#peer.send({ type: 'whole' });
    this.#toldEpoch = vantagePoint.epoch;
  }

  /** Connecting anew makes it share again. */
  async #lost(epoch: number, { id }: VantageRow): Promise<void> {
    const now = await readVantagePoint(this.#options.db, id);
    if (now === undefined || epoch < now.epoch)
      this.#peer.close('others check its targets: it was silent for too long');
    else this.#loop.trigger();
  }

  /** False: they were not read yet. */
  #sendTargets(vantagePoint: VantageRow, sharers: readonly string[]): boolean {
    const { targets } = this.#options;
    const { epoch, spec } = vantagePoint;
    const sendingFor = JSON.stringify([targets.version, epoch, spec]);
    if (this.#sentFor === sendingFor) return true;
    const all = targets.of(vantagePoint);
    if (all === undefined) return false;
    const own = all.filter((target) => checkerOf(target.id, sharers) === this.#peer.machine.id);
    const wanted = new Map(own.map((target) => [targetKey(target.document), target]));
    for (const key of [...this.#sent.keys()]) {
      if (wanted.has(key)) continue;
      this.#sent.delete(key);
      this.#peer.send({ type: 'gone', key });
    }
    for (const [key, { generation, document }] of wanted) {
      if (this.#sent.get(key) === generation) continue;
      this.#peer.send({ type: 'document', key, generation, document: asJson(document) });
      this.#sent.set(key, generation);
    }
    this.#sentFor = sendingFor;
    return true;
  }

  async #grant({ name, epoch, spec }: VantageRow): Promise<Grant> {
    const { db, egress, freshMs, heartbeatMs } = this.#options;
    const { allow, deny, own } = egress.rules;
    return {
      ...{ incarnation: this.epoch, epoch, vantagePoint: name, stampMs: await databaseNow(db) },
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
