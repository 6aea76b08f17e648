// All zones of the server. A plan takes the place of an older one of its zone, never of a newer.
import { LRUCache } from 'lru-cache';
import type { ZoneChange, ZonePlan } from '../../policy/plan.ts';
import type { KeptSignature, SignatureCache } from '../dnssec/zone-signer.ts';
import { keyOf, parentOf } from '../query/names.ts';
import { Zone } from './zone.ts';

/** OLD: the same generation or a newer one is there. GAP: the change does not follow what is there, so the whole plan is needed. */
export type Taken = 'TAKEN' | 'OLD' | 'GAP';

/** About 300 bytes each. */
const mostSignatures = 100_000;

export class Zones {
  readonly #zones = new Map<string, Zone>();
  readonly #signatures: SignatureCache = new LRUCache<string, KeptSignature>({ max: mostSignatures });

  /** Throws when one of its keys can't be used: then nothing changed. */
  put(plan: ZonePlan): Taken {
    const known = this.#zones.get(keyOf(plan.zone));
    if (known !== undefined && plan.generation <= known.generation) return 'OLD';
    const zone = new Zone(plan, this.#signatures);
    this.#zones.set(zone.key, zone);
    return 'TAKEN';
  }

  /** Throws as `put` does. */
  change(change: ZoneChange): Taken {
    const zone = this.#zones.get(keyOf(change.zone));
    if (zone === undefined) return 'GAP';
    if (change.to <= zone.generation) return 'OLD';
    return zone.change(change) ? 'TAKEN' : 'GAP';
  }

  remove(zone: string): boolean {
    return this.#zones.delete(keyOf(zone));
  }

  get(zone: string): Zone | undefined {
    return this.#zones.get(keyOf(zone));
  }

  all(): readonly Zone[] {
    return [...this.#zones.values()];
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
