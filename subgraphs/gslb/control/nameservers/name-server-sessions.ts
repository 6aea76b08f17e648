// The conductor's side of our name servers' links: sends each server the zones and their changes as they are committed, and
// receives reports of the positions it answers with.
import type { Database } from '../../../../platform/database/database.ts';
import type { LinkPeer, LinkSession } from '../../../../platform/link/link-server.ts';
import { MachineSession, readFacts, unknownReport } from '../../../../platform/link/machine-session.ts';
import { SentDocuments } from '../../../../platform/link/sent-documents.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import { comparePositions, type Position } from '../../../../platform/values/positions.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import {
  mapKey,
  mapOfKey,
  mapPosition,
  mapsKey,
  type NameServerFacts,
  nameServerFacts,
  nameServerState,
  stateKey,
  wholeEveryMs,
  zoneKey,
  zoneOfKey,
} from '../../wire/dns-wire.ts';
import { serverNameTouched } from '../plans/server-names.ts';
import { type ZoneNews, zoneNews } from '../plans/zone-plans.ts';
import { connectNameServer, endNameServer, recordState, serversChanged } from '../stores/name-server-store.ts';
import { planKind } from '../stores/touched.ts';
import {
  awaitedNames,
  beginZoneHistories,
  leapZone,
  raiseSerial,
  type ZonePosition,
  zonePositions,
  zonesTopic,
} from '../stores/zone-store.ts';

interface NameServerSessionsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly sealer: Sealer;
  /** UUID of this process. */
  readonly owner: string;
}

/**
 * Poll interval of the tables, in case a wake-up was lost. It is also how often a name server receives the confirmation that it
 * has everything.
 */
const lookAgainMs = wholeEveryMs / 2;

export class NameServerSessions {
  readonly #options: NameServerSessionsOptions;

  constructor(options: NameServerSessionsOptions) {
    this.#options = options;
  }

  async open(peer: LinkPeer): Promise<LinkSession> {
    const { db, wake, owner } = this.#options;
    const { machine } = peer;
    const facts = readFacts(peer, 'name server', nameServerFacts);
    const connected = await db.transaction(async (tx) => {
      const begun = await connectNameServer(tx, { machine, facts, linkedTo: owner });
      if (begun.moved) await serversChanged(tx, wake);
      await serverNameTouched(tx, wake, machine.name);
      return begun;
    });
    return new NameServerSession(this.#options, peer, connected, facts.zones);
  }
}

class NameServerSession extends MachineSession implements LinkSession {
  readonly #options: NameServerSessionsOptions;
  /** History of the epoch. */
  readonly #history: string;
  /** Keyed by zone, without the final dot. */
  readonly #sent: SentDocuments<{ readonly position: Position }>;
  /** Ids of the client maps that the server has. Undefined for an older server, which gets them in the heads of zones. */
  readonly #maps: Set<string> | undefined;
  /** Serials of zones that it had when it connected, until they are compared. */
  readonly #serials: Map<string, number>;
  /** Positions in its last report. */
  #answers: Readonly<Record<string, Position>> = {};

  constructor(
    options: NameServerSessionsOptions,
    peer: LinkPeer,
    { epoch, history }: { readonly epoch: number; readonly history: string },
    zones: NameServerFacts['zones'],
  ) {
    super({ ...options, peer, epoch, noun: 'name server', what: 'zones', pauseMs: lookAgainMs });
    this.#history = history;
    this.#options = options;
    this.#sent = new SentDocuments(
      [...peer.held].flatMap(([key, position]) => {
        const zone = zoneOfKey(key);
        return zone === undefined ? [] : [[withoutDot(zone), { position }] as const];
      }),
    );
    if (peer.held.has(mapsKey)) this.#maps = new Set([...peer.held.keys()].flatMap((key) => mapOfKey(key) ?? []));
    this.#serials = new Map(Object.entries(zones).map(([zone, { serial }]) => [withoutDot(zone), serial]));
  }

  override begin(): void {
    this.follow([zonesTopic]);
    super.begin();
  }

  resend(key: string): void {
    const zone = zoneOfKey(key);
    if (zone !== undefined) this.#sent.forget(withoutDot(zone));
    const mapId = mapOfKey(key);
    if (mapId !== undefined) this.#maps?.delete(mapId);
    this.sendSoon();
  }

  protected recordEnd(): Promise<unknown> {
    return endNameServer(this.#options.db, { id: this.peer.machine.id, epoch: this.epoch });
  }

  async report(key: string, body: JsonValue): Promise<void> {
    if (key !== stateKey) throw unknownReport(key);
    const state = nameServerState.parse(body);
    const { db } = this.#options;
    const connection = { id: this.peer.machine.id, epoch: this.epoch, history: this.#history };
    if (!(await recordState(db, connection, state))) this.refuseReport();
    for (const [zone, position] of Object.entries(state.zones)) {
      const before = this.#answers[zone];
      if (before === undefined || comparePositions(before, position) !== 'SAME')
        await this.#settle(withoutDot(zone), position);
    }
    this.#answers = state.zones;
  }

  /** Settles names that waited for this position. */
  async #settle(zone: string, reached: Position): Promise<void> {
    const { db, wake } = this.#options;
    const waiting = await awaitedNames(db, { zone, reached });
    if (waiting.length === 0) return;
    await db.transaction(async (tx) => {
      for (const id of waiting) await owe(tx, planKind, id, {}, wake);
    });
  }

  /**
   * All zones, each in the current history and with a serial that the server can follow. Undefined if some had to be changed first. The zones must
   * then be read again.
   */
  async #currentZones(): Promise<readonly ZonePosition[] | undefined> {
    const { db, wake, log } = this.#options;
    const zones = await zonePositions(db);
    const earlier = zones.filter(({ isCurrent }) => !isCurrent).map(({ name }) => name);
    if (earlier.length > 0) {
      await db.transaction((tx) => beginZoneHistories(tx, wake, earlier));
      return undefined;
    }
    const { name: server } = this.peer.machine;
    const ahead = this.#sent.ahead(zones.map(({ name, position }) => ({ key: name, position })));
    if (ahead !== undefined) {
      const { key: zone, has, position } = ahead;
      log.error(
        { server, zone, has, position },
        'a name server has a newer zone than the database, which was set back',
      );
      await db.transaction((tx) => leapZone(tx, wake, zone, has));
      return undefined;
    }
    for (const { name: zone, position } of zones) {
      const has = this.#sent.get(zone)?.position;
      const serial = this.#serials.get(zone);
      this.#serials.delete(zone);
      if (has === undefined || serial === undefined || comparePositions(has, position) !== 'OTHER_HISTORY') continue;
      log.warn({ server, zone, has, position }, 'a name server has a zone of another history');
      await db.transaction((tx) => raiseSerial(tx, wake, { zone, position: has, serial }));
      return undefined;
    }
    return zones;
  }

  protected async send(): Promise<boolean> {
    const { db, sealer } = this.#options;
    const zones = await this.#currentZones();
    if (zones === undefined) return true;
    const wanted = zones.map(({ name, position }) => ({ key: name, position }));
    for (const zone of this.#sent.takeGone(wanted)) this.peer.send({ type: 'gone', key: zoneKey(absolute(zone)) });
    for (const { key: zone } of this.#sent.lacking(wanted)) {
      const has = this.#sent.get(zone)?.position;
      const news = await zoneNews(db, sealer, { zone, has, ownMaps: this.#maps !== undefined });
      if (news === undefined) continue;
      // Sends the referenced maps first.
      for (const [mapId, blocks] of news.maps) {
        if (this.#maps?.has(mapId)) continue;
        this.peer.send({ type: 'document', key: mapKey(mapId), position: mapPosition, document: asJson(blocks) });
        this.#maps?.add(mapId);
      }
      const key = zoneKey(absolute(zone));
      const position = reachedBy(news);
      if (news.kind === 'CHANGE') this.peer.send({ type: 'change', key, change: asJson(news.change) });
      else this.peer.send({ type: 'document', key, position, document: asJson(news.plan) });
      this.#sent.set(zone, { position });
    }
    this.sendWhole(wholeEveryMs);
    return false;
  }
}

function reachedBy(news: ZoneNews): Position {
  const { history } = news.kind === 'CHANGE' ? news.change : news.plan;
  return { history, number: news.kind === 'CHANGE' ? news.change.to : news.plan.generation };
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
