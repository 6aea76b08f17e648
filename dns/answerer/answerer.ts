// The authoritative name server. A feed supplies the zones, which are kept on disk and answered over UDP and TCP. All its parts
// are assembled here. It opens no connections itself.

import type { Sealer } from '../../platform/secrets/seal.ts';
import type { Position } from '../../platform/values/positions.ts';
import { type GeoSource, noGeo } from '../policy/client.ts';
import type { ClientBlocks, ZoneChange, ZonePlan } from '../policy/plan.ts';
import { type Clocks, systemClocks } from './clocks.ts';
import { type Heard, PlanFolder } from './disk/plan-folder.ts';
import type { Answering, Listener, Place } from './net/listener.ts';
import { listenTcp, type TcpLimits, tcpLimits } from './net/tcp.ts';
import { listenUdp } from './net/udp.ts';
import type { Peer } from './query/peer.ts';
import { ServerCookies } from './query/server-cookies.ts';
import { type AnswerLimit, RateLimiter, usualLimit } from './reply/rate-limiter.ts';
import { Responder } from './reply/responder.ts';
import type { Counts } from './reply/stats.ts';
import { type Taken, Zones } from './zone/zones.ts';

export interface AnswererOptions {
  /** Places to listen on, over UDP and TCP. Port 0 for any port that is free for both. */
  readonly listen: readonly Place[];
  /** Undefined if plans are only kept in memory. */
  readonly disk?: { readonly path: string; readonly sealer: Sealer };
  /** Server identifier that distinguishes this server from others (RFC 5001). */
  readonly name: string;
  readonly geo?: GeoSource;
  readonly draw?: () => number;
  /** Limit for clients that prove their address neither by TCP nor by a cookie. Omitted fields have their defaults. */
  readonly limit?: Partial<AnswerLimit>;
  readonly tcp?: Partial<TcpLimits>;
  /** 16 bytes, shared by the servers of one address (RFC 9018). Default: a random one, replaced each day. */
  readonly cookieSecret?: Buffer;
  /** Default: the system's clocks. */
  readonly clocks?: Clocks;
  /** Called for errors that are not fatal: a plan that can't be read or written. */
  readonly failed: (what: string, error?: unknown) => void;
}

export interface AnswererStats {
  readonly counts: Readonly<Counts>;
  /** Open TCP connections. */
  readonly connections: number;
  /**
   * Time since the last message of the feed, and so the maximum age of answers. Undefined if there was none, or its recorded time
   * can't be trusted.
   */
  readonly heardAgoMs: number | undefined;
  /** Zones that could not be written to disk. After a restart they would have their earlier answers. */
  readonly unsaved: number;
  readonly zones: readonly AnsweredZone[];
}

interface AnsweredZone {
  readonly zone: string;
  readonly position: Position;
  /** Serial of its SOA record. */
  readonly serial: number;
  readonly signed: boolean;
}

const rotateCookiesMs = 86_400_000;
/** Precision of the age after a restart. */
const keepHeardMs = 5_000;
const tellFaultMs = 60_000;

export class Answerer {
  readonly #options: AnswererOptions;
  readonly #clocks: Clocks;
  readonly #zones = new Zones();
  readonly #responder: Responder;
  readonly #folder: PlanFolder | undefined;
  readonly #listeners: Listener[] = [];
  /** Last contact by the machine's uptime. Negative before the machine booted. */
  #heardUpMs: number | undefined;
  #heardKeptMs = Number.NEGATIVE_INFINITY;
  #faultToldMs = Number.NEGATIVE_INFINITY;
  #rotation: NodeJS.Timeout | undefined;

  private constructor(options: AnswererOptions) {
    const { clocks = systemClocks(), disk, name, geo = noGeo, cookieSecret, failed, draw = Math.random } = options;
    this.#options = options;
    this.#clocks = clocks;
    const cookies = new ServerCookies(cookieSecret);
    if (cookieSecret === undefined) this.#rotation = setInterval(() => cookies.rotate(), rotateCookiesMs).unref();
    const limit = { ...usualLimit, ...options.limit };
    this.#responder = new Responder({
      ...{ zones: this.#zones, policies: { geo, draw }, cookies, limiter: new RateLimiter(limit), clocks },
      ...{ amplification: limit.amplification, nsid: Buffer.from(name), age: () => this.#ageText() },
    });
    this.#folder =
      disk &&
      new PlanFolder({
        ...disk,
        planOf: (zone) => this.plan(zone),
        failed: (error) => failed('a plan could not be written', error),
      });
  }

  /** Answers from the beginning, with the plans on disk. Throws when it can't listen on a place. */
  static async start(options: AnswererOptions): Promise<Answerer> {
    const answerer = new Answerer(options);
    try {
      await answerer.#load();
      for (const place of options.listen) await answerer.#listen(place);
    } catch (error) {
      await answerer.close();
      throw error;
    }
    return answerer;
  }

  /** In the order of `listen`. */
  get ports(): readonly number[] {
    return this.#listeners.filter((_, index) => index % 2 === 0).map(({ port }) => port);
  }

  /** Takes a validated plan. Throws without a change when one of its keys can't be used. */
  put(plan: ZonePlan): Taken {
    const taken = this.#zones.put(plan);
    if (taken === 'TAKEN') this.#folder?.keepPlan(plan.zone);
    return taken;
  }

  /** Same results as `put`. */
  change(change: ZoneChange): Taken {
    const taken = this.#zones.change(change);
    if (taken === 'TAKEN') this.#folder?.keepChange(change);
    return taken;
  }

  remove(zone: string): void {
    if (this.#zones.remove(zone)) this.#folder?.keepGone(zone);
  }

  /** Separate client maps by id (policy/client-blocks.ts). */
  get maps(): ReadonlyMap<string, unknown> {
    return this.#zones.maps;
  }

  /** Takes validated blocks. Call it before the first name that refers to them. */
  putMap(mapId: string, blocks: ClientBlocks): void {
    if (this.#zones.maps.has(mapId)) return;
    this.#zones.putMap(mapId, blocks);
    this.#folder?.keepMap(mapId, blocks);
  }

  /** Drops the maps that no name refers to, and returns their IDs. */
  dropUnusedMaps(): readonly string[] {
    const unused = this.#zones.takeUnusedMaps();
    for (const mapId of unused) this.#folder?.keepMapGone(mapId);
    return unused;
  }

  /** Zones with names that can't be answered, because the disk has lost their maps. */
  zonesWithoutMaps(): ReadonlySet<string> {
    return new Set(this.#zones.all().flatMap((zone) => (zone.lacksMaps() ? zone.name : [])));
  }

  /** The feed has confirmed that all its data has arrived: answers are current. */
  heard(): void {
    const { upMs, wallMs, bootId } = this.#clocks;
    const atMs = upMs();
    this.#heardUpMs = atMs;
    if (atMs - this.#heardKeptMs < keepHeardMs) return;
    this.#heardKeptMs = atMs;
    this.#folder?.keepHeard({ wallMs: wallMs(), upMs: atMs, bootId });
  }

  /** The plan in use. */
  plan(zone: string): ZonePlan | undefined {
    const found = this.#zones.get(zone);
    if (found === undefined) return undefined;
    const { history, number: generation } = found.position;
    return { ...found.head, history, generation, names: found.names() };
  }

  stats(): AnswererStats {
    const zones = this.#zones.all().map(({ name, position, serial, signer }) => {
      return { zone: name, position, serial, signed: signer !== undefined };
    });
    const connections = this.#listeners.reduce((sum, each) => sum + each.connections(), 0);
    const unsaved = this.#folder?.unsaved ?? 0;
    return { counts: { ...this.#responder.counts }, connections, heardAgoMs: this.#heardAgoMs(), unsaved, zones };
  }

  /** Closes connections after their answers, then writes the pending changes. */
  async close(): Promise<void> {
    clearInterval(this.#rotation);
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#folder?.close();
  }

  async #load(): Promise<void> {
    if (this.#folder === undefined) return;
    const { plans, maps, unreadable, heard } = await this.#folder.load();
    this.#heardUpMs = heard && this.#upMsOf(heard);
    for (const what of unreadable) this.#options.failed(`a plan could not be read: ${what}`);
    for (const [mapId, blocks] of maps) this.#zones.putMap(mapId, blocks);
    for (const plan of plans) {
      try {
        this.#zones.put(plan);
      } catch (error) {
        this.#options.failed(`the plan of ${plan.zone} can't be answered`, error);
      }
    }
  }

  async #listen(place: Place): Promise<void> {
    const answer: Answering = (packet, peer) => this.#answer(packet, peer);
    const limits = { ...tcpLimits, ...this.#options.tcp };
    for (let attempt = 0; ; attempt += 1) {
      const tcp = await listenTcp(place, answer, limits);
      try {
        this.#listeners.push(await listenUdp({ ...place, port: tcp.port }, answer), tcp);
        return;
      } catch (error) {
        await tcp.close();
        // A port that is free for TCP may be taken for UDP.
        if (place.port !== 0 || attempt === 10) throw error;
      }
    }
  }

  /** An unexpected error, or a fault of the geo data, costs one answer and not the server. Logs the first of each minute. */
  #answer(packet: Buffer, peer: Peer): Buffer | undefined {
    try {
      return this.#responder.answer(packet, peer);
    } catch (error) {
      this.#responder.counts.failed += 1;
      const atMs = this.#clocks.steadyMs();
      if (atMs - this.#faultToldMs >= tellFaultMs) {
        this.#faultToldMs = atMs;
        this.#options.failed('a question could not be answered', error);
      }
      return undefined;
    }
  }

  /** Undefined if the recorded time is from before this boot, but in the future by the time of day: one of the two clocks was wrong. */
  #upMsOf({ wallMs, upMs, bootId }: Heard): number | undefined {
    if (bootId !== undefined && bootId === this.#clocks.bootId) return upMs;
    const agoMs = this.#clocks.wallMs() - wallMs;
    return agoMs < 0 ? undefined : this.#clocks.upMs() - agoMs;
  }

  #heardAgoMs(): number | undefined {
    return this.#heardUpMs === undefined ? undefined : Math.max(0, Math.round(this.#clocks.upMs() - this.#heardUpMs));
  }

  #ageText(): string {
    const agoMs = this.#heardAgoMs();
    const age = agoMs === undefined ? 'unknown' : `${Math.round(agoMs / 1_000)} s`;
    return `age ${age}, zones ${this.#zones.all().length}`;
  }
}
