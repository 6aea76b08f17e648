// What the conductor tells a name server, brought to the answerer. What has a fault is refused, and the zone is answered as before.
import type { Answerer } from '../../../dns/answerer/answerer.ts';
import { applyZoneChange, type ZoneChange, type ZonePlan } from '../../../dns/policy/plan.ts';
import { cnamesOf, readZoneChange, readZonePlan, zoneFault, zonePlanFault } from '../../../dns/policy/plan-schema.ts';
import type { JsonValue } from '../../../platform/json.ts';
import type { LinkDocuments } from '../../../platform/link/link-client.ts';
import type { Logger } from '../../../platform/log.ts';
import { longestZone, mostZones, type NameServerState, zoneKey, zoneOfKey } from '../wire/dns-wire.ts';

export interface FeedOptions {
  readonly answerer: Pick<Answerer, 'put' | 'change' | 'remove' | 'plan' | 'stats'>;
  readonly log: Logger;
  /** Called after each zone that was changed, removed or refused. */
  readonly changed: () => void;
}

export class Feed implements LinkDocuments {
  readonly #options: FeedOptions;
  /** By zone; until something newer is taken. */
  readonly #refused = new Map<string, { readonly generation: number; readonly why: string }>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  held(): ReadonlyMap<string, number> {
    return new Map(
      this.#options.answerer.stats().zones.map(({ zone, generation }) => [zoneKey(zone), generation] as const),
    );
  }

  refused(): NameServerState['refused'] {
    return Object.fromEntries(this.#refused);
  }

  async put(key: string, generation: number, document: JsonValue): Promise<void> {
    const zone = zoneOfKey(key);
    if (zone === undefined) return this.#options.log.warn({ key }, 'a document that is no zone is left out');
    const plan = readZonePlan(document);
    if (plan === undefined) this.#refuse(zone, generation, zonePlanFault(document) ?? 'it is not a plan');
    else if (plan.zone !== zone || plan.generation !== generation)
      this.#refuse(zone, generation, 'it is for another zone or generation');
    else this.#put(plan);
  }

  /** False: the whole zone is needed. */
  async change(key: string, value: Readonly<Record<string, JsonValue>>): Promise<boolean> {
    const { answerer } = this.#options;
    const zone = zoneOfKey(key);
    const change = readZoneChange(value);
    if (zone === undefined || change?.zone !== zone) return false;
    const plan = answerer.plan(zone);
    if (plan === undefined) return false;
    // Told twice.
    if (change.to <= plan.generation) return true;
    if (change.from !== plan.generation) return false;
    const fault = changeFault(plan, change);
    if (fault !== undefined) {
      this.#refuse(zone, change.to, fault);
      return false;
    }
    return this.#take(zone, change.to, () => answerer.change(change));
  }

  async remove(key: string): Promise<void> {
    const zone = zoneOfKey(key);
    if (zone === undefined) return;
    this.#options.answerer.remove(zone);
    this.#refused.delete(zone);
    this.#options.log.info({ zone }, 'a zone is answered no more');
    this.#options.changed();
  }

  #put(plan: ZonePlan): void {
    const { zone, generation } = plan;
    const { answerer } = this.#options;
    const held = answerer.stats().zones;
    const isNew = !held.some((each) => each.zone === zone);
    if (isNew && held.length >= mostZones) this.#refuse(zone, generation, `there are ${mostZones} zones already`);
    else if (zone.length > longestZone) this.#refuse(zone, generation, `its name is longer than ${longestZone}`);
    else this.#take(zone, generation, () => answerer.put(plan));
  }

  /** `take` throws when a key can't be used. */
  #take(zone: string, generation: number, take: () => ReturnType<Answerer['put']>): boolean {
    const { log, changed } = this.#options;
    try {
      const taken = take();
      if (taken === 'GAP') return false;
      // From a process that has been overtaken, or a database that was set back: the newer answers stay.
      if (taken === 'OLD') log.warn({ zone, generation }, 'an older zone is left out');
      else this.#refused.delete(zone);
      changed();
      return true;
    } catch (error) {
      this.#refuse(zone, generation, error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #refuse(zone: string, generation: number, why: string): void {
    this.#options.log.error({ zone, generation, why }, 'a plan is refused: its zone is answered as before');
    if (this.#refused.size < mostZones || this.#refused.has(zone))
      this.#refused.set(zone, { generation, why: why.slice(0, 255) });
    this.#options.changed();
  }
}

/** What would be wrong with the zone after the change; undefined: nothing. */
function changeFault(plan: ZonePlan, change: ZoneChange): string | undefined {
  const { head, names } = change;
  if (head !== undefined && head.zone !== plan.zone) return `its head is that of ${head.zone}`;
  // Only a new head touches what other names rest on, and only CNAMEs can lead in a circle: else the zone's other names are as good as
  // before, and there may be many.
  const isAlone = head === undefined && names.every((name) => cnamesOf(name).length === 0);
  const after = isAlone ? { ...plan, names } : applyZoneChange(plan, change);
  return after && zoneFault(after);
}
