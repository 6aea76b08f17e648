// All zones of the server, and the maps of clients that their names refer to. A plan replaces an older one of its zone, or one of another
// history; never a newer one of its own history.
import { LRUCache } from 'lru-cache';
import { comparePositions } from '../../../platform/values/positions.ts';
import { type PreparedBlocks, prepareBlocks } from '../../policy/client.ts';
import type { ClientBlocks, ZoneChange, ZonePlan } from '../../policy/plan.ts';
import type { KeptSignature, SignatureCache } from '../dnssec/zone-signer.ts';
import { keyOf, parentOf } from '../query/names.ts';
import { Zone } from './zone.ts';

/**
 * KNOWN: the same generation exists here. OLD: a newer one of the same history exists. GAP: the change does not follow the present plan, so the whole
 * one is needed.
 */
export type Taken = 'TAKEN' | 'KNOWN' | 'OLD' | 'GAP';

/** About 300 bytes each. */
const mostSignatures = 100_000;

export class Zones {
  readonly #zones = new Map<string, Zone>();
  readonly #signatures: SignatureCache = new LRUCache<string, KeptSignature>({ max: mostSignatures });
  readonly #maps = new Map<string, PreparedBlocks>();
  #mayHaveUnusedMaps = false;

  get maps(): ReadonlyMap<string, unknown> {
    return this.#maps;
  }

  /** Call it before the first name that refers to the map. Throws when a block can't be read. */
  putMap(mapId: string, blocks: ClientBlocks): void {
    this.#maps.set(mapId, prepareBlocks(blocks));
    this.#mayHaveUnusedMaps = true;
  }

  /** Drops the maps that no name refers to, and returns their IDs. */
  takeUnusedMaps(): readonly string[] {
    if (!this.#mayHaveUnusedMaps || this.#maps.size === 0) return [];
    this.#mayHaveUnusedMaps = false;
    const used = new Set(this.all().flatMap((zone) => zone.ownMapIds()));
    const unused = [...this.#maps.keys()].filter((mapId) => !used.has(mapId));
    for (const mapId of unused) this.#maps.delete(mapId);
    return unused;
  }

  /** Throws without a change when one of its keys can't be used. Any plan replaces a zone that lacks maps. */
  put(plan: ZonePlan): Taken {
    const known = this.#zones.get(keyOf(plan.zone));
    const isWhole = known !== undefined && !known.lacksMaps();
    const compared = isWhole
      ? comparePositions(known.position, { history: plan.history, number: plan.generation })
      : undefined;
    if (compared === 'AHEAD') return 'OLD';
    if (compared === 'SAME') return 'KNOWN';
    const zone = new Zone(plan, this.#signatures, this.#maps);
    this.#zones.set(zone.key, zone);
    this.#mayHaveUnusedMaps = true;
    return 'TAKEN';
  }

  /** Throws as `put` does. */
  change(change: ZoneChange): Taken {
    const zone = this.#zones.get(keyOf(change.zone));
    if (zone === undefined) return 'GAP';
    const compared = comparePositions(zone.position, { history: change.history, number: change.to });
    if (compared === 'AHEAD') return 'OLD';
    if (compared === 'SAME') return 'KNOWN';
    this.#mayHaveUnusedMaps = true;
    return zone.change(change) ? 'TAKEN' : 'GAP';
  }

  remove(zone: string): boolean {
    this.#mayHaveUnusedMaps = true;
    return this.#zones.delete(keyOf(zone));
  }

  get(zone: string): Zone | undefined {
    return this.#zones.get(keyOf(zone));
  }

  all(): readonly Zone[] {
    return [...this.#zones.values()];
  }

  /** The closest parent zone, if it is here. */
  above(zone: Zone): Zone | undefined {
    const parent = parentOf(zone.key);
    return parent === undefined ? undefined : this.of(parent);
  }

  /** The one with the longest name that the name is in. */
  of(key: string): Zone | undefined {
    for (let name: string | undefined = key; name !== undefined; name = parentOf(name)) {
      const zone = this.#zones.get(name);
      if (zone !== undefined) return zone;
    }
    return undefined;
  }
}
