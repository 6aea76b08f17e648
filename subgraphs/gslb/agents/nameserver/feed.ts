// Passes the conductor's messages to the answerer. Faulty data is refused, and the zone is answered as before.
import { setImmediate as turn } from 'node:timers/promises';
import type { Answerer } from '../../../../dns/answerer/answerer.ts';
import { isOwnMapId, mapIdOf } from '../../../../dns/policy/client-blocks.ts';
import { applyZoneChange, type NamePlan, type ZoneChange, type ZonePlan } from '../../../../dns/policy/plan.ts';
import {
  readClientBlocks,
  readZoneChange,
  readZonePlan,
  zoneFault,
  zonePlanFault,
} from '../../../../dns/policy/plan-schema.ts';
import type { LinkDocuments } from '../../../../platform/link/link-client.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import { comparePositions, type Position } from '../../../../platform/values/positions.ts';
import {
  longestZone,
  mapKey,
  mapOfKey,
  mapPosition,
  mapsKey,
  mostMaps,
  mostZones,
  type NameServerState,
  zoneKey,
  zoneOfKey,
} from '../../wire/dns-wire.ts';

interface FeedOptions {
  readonly answerer: Pick<
    Answerer,
    'put' | 'change' | 'remove' | 'plan' | 'stats' | 'maps' | 'putMap' | 'dropUnusedMaps' | 'zonesWithoutMaps'
  >;
  readonly log: Logger;
  /** Requests a document that is missing here. */
  readonly resend: (key: string) => void;
  /** Called after each zone that was changed, removed or refused. */
  readonly changed: () => void;
}

export class Feed implements LinkDocuments {
  readonly #options: FeedOptions;
  /** Refused positions by zone, until a newer one is accepted. */
  readonly #refused = new Map<string, { readonly position: Position; readonly why: string }>();
  /** Zones that are newer here than at the conductor, in the same history. */
  readonly #ahead = new Set<string>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Positions of the zones. A zone without its maps is left out, so that it is sent again with them. */
  held(): ReadonlyMap<string, Position> {
    const { answerer } = this.#options;
    const without = answerer.zonesWithoutMaps();
    const zones = answerer.stats().zones.filter(({ zone }) => !without.has(zone));
    return new Map([
      [mapsKey, mapPosition] as const,
      ...zones.map(({ zone, position }) => [zoneKey(zone), position] as const),
      ...[...answerer.maps.keys()].map((mapId) => [mapKey(mapId), mapPosition] as const),
    ]);
  }

  /**
   * False while the conductor has sent less than the server already has. Its confirmation that everything was sent then does not
   * make the answers current.
   */
  get isCurrent(): boolean {
    return this.#ahead.size === 0;
  }

  /** The conductor has sent everything. */
  whole(): void {
    for (const mapId of this.#options.answerer.dropUnusedMaps()) this.#options.resend(mapKey(mapId));
  }

  refused(): NameServerState['refused'] {
    return Object.fromEntries(this.#refused);
  }

  async put(key: string, position: Position, document: JsonValue): Promise<void> {
    const mapId = mapOfKey(key);
    if (mapId !== undefined) return this.#putMap(mapId, document);
    const zone = zoneOfKey(key);
    if (zone === undefined) return this.#options.log.warn({ key }, 'a document that is no zone is left out');
    const plan = readZonePlan(document);
    if (plan === undefined) this.#refuse(zone, position, zonePlanFault(document) ?? 'it is not a plan');
    else if (plan.zone !== zone || comparePositions(positionOf(plan), position) !== 'SAME')
      this.#refuse(zone, position, 'it is for another zone or position');
    else this.#put(plan);
  }

  /** False if the whole zone is needed. */
  async change(key: string, value: Readonly<Record<string, JsonValue>>): Promise<boolean> {
    const { answerer } = this.#options;
    const zone = zoneOfKey(key);
    const change = readZoneChange(value);
    if (zone === undefined || change?.zone !== zone) return false;
    const plan = answerer.plan(zone);
    if (plan === undefined || change.history !== plan.history) return false;
    const position = { history: change.history, number: change.to };
    // A duplicate.
    if (change.to <= plan.generation) return true;
    if (change.from !== plan.generation) return false;
    const lacked = this.#lackedBy(change.names);
    if (lacked.length > 0) {
      this.#refuseLacking(zone, position, lacked);
      return false;
    }
    const fault = changeFault(plan, change);
    if (fault !== undefined) {
      this.#refuse(zone, position, fault);
      return false;
    }
    return this.#take(zone, position, () => answerer.change(change));
  }

  async remove(key: string): Promise<void> {
    const zone = zoneOfKey(key);
    if (zone === undefined) return;
    this.#options.answerer.remove(zone);
    this.#refused.delete(zone);
    this.#ahead.delete(zone);
    this.#options.log.info({ zone }, 'a zone is answered no more');
    this.#options.changed();
  }

  #put(plan: ZonePlan): void {
    const { zone } = plan;
    const position = positionOf(plan);
    const { answerer, resend } = this.#options;
    const lacked = this.#lackedBy(plan.names);
    if (lacked.length > 0) {
      const before = this.#refused.get(zone)?.position;
      this.#refuseLacking(zone, position, lacked);
      // Only once, because a map that is refused itself would be sent forever.
      if (before === undefined || comparePositions(before, position) !== 'SAME') resend(zoneKey(zone));
      return;
    }
    const held = answerer.stats().zones;
    const isNew = !held.some((each) => each.zone === zone);
    if (isNew && held.length >= mostZones) this.#refuse(zone, position, `there are ${mostZones} zones already`);
    else if (zone.length > longestZone) this.#refuse(zone, position, `its name is longer than ${longestZone}`);
    else this.#take(zone, position, () => answerer.put(plan));
  }

  async #putMap(mapId: string, document: JsonValue): Promise<void> {
    const { answerer, log } = this.#options;
    // There may be hundreds, and queries are answered in between.
    await turn();
    const blocks = readClientBlocks(document);
    if (blocks === undefined || mapIdOf(blocks) !== mapId)
      log.error({ mapId }, 'refused a map of clients: its content does not match its ID');
    else if (answerer.maps.size >= mostMaps) log.error({ mapId }, `a map of clients is refused: there are ${mostMaps}`);
    else answerer.putMap(mapId, blocks);
  }

  /** Maps that these names refer to and that are missing here. */
  #lackedBy(names: readonly NamePlan[]): readonly string[] {
    const { maps } = this.#options.answerer;
    return names.flatMap(({ clientMapId: id }) => (id !== null && isOwnMapId(id) && !maps.has(id) ? id : []));
  }

  #refuseLacking(zone: string, position: Position, lacked: readonly string[]): void {
    this.#refuse(zone, position, `the map of clients ${lacked[0]} is not here`);
    for (const mapId of lacked) this.#options.resend(mapKey(mapId));
  }

  /** `take` throws when a key can't be used. */
  #take(zone: string, position: Position, take: () => ReturnType<Answerer['put']>): boolean {
    const { answerer, log, changed } = this.#options;
    const before = answerer.stats().zones.find((each) => each.zone === zone)?.position;
    try {
      const taken = take();
      if (taken === 'GAP') return false;
      if (taken === 'OLD') {
        // From an overtaken process, or one whose database was set back. The newer answers stay until a new history begins.
        this.#ahead.add(zone);
        this.#refuse(zone, position, 'a newer position of the same history is here');
        return true;
      }
      this.#ahead.delete(zone);
      if (taken === 'TAKEN') {
        if (before !== undefined && before.history !== position.history)
          log.warn({ zone, before, position }, 'a zone of another history was taken as a whole');
        this.#refused.delete(zone);
      }
      changed();
      return true;
    } catch (error) {
      this.#refuse(zone, position, error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #refuse(zone: string, position: Position, why: string): void {
    this.#options.log.error({ zone, position, why }, 'a plan is refused: its zone is answered as before');
    if (this.#refused.size < mostZones || this.#refused.has(zone))
      this.#refused.set(zone, { position, why: why.slice(0, 255) });
    this.#options.changed();
  }
}

function positionOf({ history, generation }: ZonePlan): Position {
  return { history, number: generation };
}

/** Faults of the zone after the change. Undefined if there are none. */
function changeFault(plan: ZonePlan, change: ZoneChange): string | undefined {
  const { head, names } = change;
  if (head !== undefined && head.zone !== plan.zone) return `its head belongs to ${head.zone}`;
  // Only a new head affects the zone's other names, of which there may be many.
  const after = head === undefined ? { ...plan, names } : applyZoneChange(plan, change);
  return after && zoneFault(after);
}
