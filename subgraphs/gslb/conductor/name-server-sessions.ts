// The conductor's side of our name servers' links: each is sent the zones and their changes as they are committed, and says what it
// answers with.
import { z } from 'zod';
import type { Database } from '../../../platform/database/database.ts';
import type { JsonValue } from '../../../platform/json.ts';
import type { LinkPeer, LinkSession } from '../../../platform/link/link-server.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import { owe } from '../../../platform/owed-work.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import { nameServerFacts, nameServerState, stateKey, wholeEveryMs, zoneKey, zoneOfKey } from '../wire/dns-wire.ts';
import { connectNameServer, endNameServer, recordState } from './name-server-store.ts';
import { planKind } from './touched.ts';
import { zoneNews } from './zone-plans.ts';
import { awaitedNames, changeZones, zoneGenerations, zonesTopic } from './zone-store.ts';

export interface NameServerSessionsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly sealer: Sealer;
  /** Of this process. */
  readonly owner: string;
}

/** When a wake-up was lost, the tables are asked after so long: it is also how often a name server is told that it has all. */
const lookAgainMs = wholeEveryMs / 2;

export class NameServerSessions {
  readonly #options: NameServerSessionsOptions;

  constructor(options: NameServerSessionsOptions) {
    this.#options = options;
  }

  async open(peer: LinkPeer): Promise<LinkSession> {
    const { db, wake, owner } = this.#options;
    const { machine } = peer;
    const read = nameServerFacts.safeParse(peer.facts);
    if (!read.success)
      throw new Error(`the name server ${machine.name} does not say what it is: ${z.prettifyError(read.error)}`);
    const epoch = await db.transaction(async (tx) => {
      const connected = await connectNameServer(tx, { machine, facts: read.data, linkedTo: owner });
      // Zones name their servers, with their addresses.
      if (connected.moved)
        await changeZones(
          tx,
          wake,
          (await zoneGenerations(tx)).map(({ name: zone }) => ({ zone, fqdn: null, gslbId: null })),
        );
      return connected.epoch;
    });
    return new NameServerSession(this.#options, peer, epoch);
  }
}

class NameServerSession implements LinkSession {
  readonly epoch: number;
  readonly #options: NameServerSessionsOptions;
  readonly #peer: LinkPeer;
  readonly #loop: Loop;
  /** Generations of the zones that it has, or was sent; names without a final dot. */
  readonly #sent: Map<string, number>;
  /** As it said last. */
  #answers: Readonly<Record<string, number>> = {};
  #wholeAtMs = Number.NEGATIVE_INFINITY;
  #unsubscribe: (() => void) | undefined;

  constructor(options: NameServerSessionsOptions, peer: LinkPeer, epoch: number) {
    this.#options = options;
    this.#peer = peer;
    this.epoch = epoch;
    this.#sent = new Map(
      [...peer.held].flatMap(([key, generation]) => {
        const zone = zoneOfKey(key);
        return zone === undefined ? [] : [[withoutDot(zone), generation] as const];
      }),
    );
    this.#loop = new Loop({
      name: `zones of name server ${peer.machine.name}`,
      log: options.log,
      pauseMs: () => lookAgainMs,
      run: async () => {
        await this.#look();
        return false;
      },
    });
  }

  begin(): void {
    this.#unsubscribe = this.#options.wake.on(zonesTopic, () => this.#loop.trigger());
    this.#loop.start();
  }

  resend(key: string): void {
    const zone = zoneOfKey(key);
    if (zone !== undefined) this.#sent.delete(withoutDot(zone));
    this.#loop.trigger();
  }

  async closed(): Promise<void> {
    this.#unsubscribe?.();
    const { db, log } = this.#options;
    const { id, name } = this.#peer.machine;
    await this.#loop
      .stop()
      .then(() => endNameServer(db, { id, epoch: this.epoch }))
      .catch((error: unknown) => log.warn({ err: error, server: name }, 'the end of a connection was not recorded'));
  }

  async report(key: string, body: JsonValue): Promise<void> {
    if (key !== stateKey) throw new Error(`a report of an unknown kind: ${key.slice(0, 80)}`);
    const state = nameServerState.parse(body);
    const { db } = this.#options;
    await recordState(db, { id: this.#peer.machine.id, epoch: this.epoch }, state);
    for (const [zone, generation] of Object.entries(state.zones))
      if (this.#answers[zone] !== generation) await this.#settle(withoutDot(zone), generation);
    this.#answers = state.zones;
  }

  /** Names that waited for this generation may be done. */
  async #settle(zone: string, reached: number): Promise<void> {
    const { db, wake } = this.#options;
    const waiting = await awaitedNames(db, { zone, reached });
    if (waiting.length === 0) return;
    await db.transaction(async (tx) => {
      for (const id of waiting) await owe(tx, planKind, id, {}, wake);
    });
  }

  async #look(): Promise<void> {
    const { db, sealer } = this.#options;
    const zones = await zoneGenerations(db);
    const names = new Set(zones.map(({ name }) => name));
    for (const zone of [...this.#sent.keys()]) {
      if (names.has(zone)) continue;
      this.#sent.delete(zone);
      this.#peer.send({ type: 'gone', key: zoneKey(absolute(zone)) });
    }
    for (const { name: zone, generation } of zones) {
      const has = this.#sent.get(zone);
      if (has === generation) continue;
      const news = await zoneNews(db, sealer, { zone, has });
      if (news === undefined) continue;
      const key = zoneKey(absolute(zone));
      if (news.kind === 'CHANGE') this.#peer.send({ type: 'change', key, change: asJson(news.change) });
      else this.#peer.send({ type: 'document', key, generation: news.plan.generation, document: asJson(news.plan) });
      this.#sent.set(zone, news.kind === 'CHANGE' ? news.change.to : news.plan.generation);
    }
    if (performance.now() - this.#wholeAtMs < wholeEveryMs) return;
    this.#peer.send({ type: 'whole' });
    this.#wholeAtMs = performance.now();
  }
}

function absolute(zone: string): string {
  return `${zone}.`;
}

function withoutDot(zone: string): string {
  return zone.replace(/\.$/, '');
}

/** Plans are plain data. */
function asJson(value: object): Readonly<Record<string, JsonValue>> {
  return value as Readonly<Record<string, JsonValue>>;
}
