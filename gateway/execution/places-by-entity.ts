// The representations of a request without duplicates, with the places of each.
import type { Data } from './merging.ts';

/** Keyed by the value of the key. */
type Known = Map<unknown, Data[]>;

export class PlacesByEntity {
  readonly representations: Data[] = [];
  /** Places of each representation. */
  readonly places: Data[][] = [];
  /** By type, then by the key's name. Most representations have one key, which needs no text for comparison. */
  readonly #byKey = new Map<string, Map<string, Known>>();
  /** Other representations, by their JSON. */
  readonly #byText: Known = new Map();

  add(representation: Data, place: Data): void {
    const { __typename: type } = representation;
    const key = typeof type === 'string' ? onlyKey(representation) : undefined;
    if (key === undefined) this.#add(this.#byText, JSON.stringify(representation), representation, place);
    else this.#add(this.#of(type as string, key), representation[key], representation, place);
  }

  #add(known: Known, value: unknown, representation: Data, place: Data): void {
    const same = known.get(value);
    if (same !== undefined) {
      same.push(place);
      return;
    }
    const first = [place];
    known.set(value, first);
    this.representations.push(representation);
    this.places.push(first);
  }

  #of(type: string, key: string): Known {
    let ofType = this.#byKey.get(type);
    if (ofType === undefined) {
      ofType = new Map();
      this.#byKey.set(type, ofType);
    }
    let known = ofType.get(key);
    if (known === undefined) {
      known = new Map();
      ofType.set(key, known);
    }
    return known;
  }
}

/** Undefined unless there is one name besides `__typename`, and its value is a string or a number. */
function onlyKey(representation: Data): string | undefined {
  let key: string | undefined;
  for (const name in representation) {
    if (name === '__typename') continue;
    if (key !== undefined) return undefined;
    key = name;
  }
  if (key === undefined) return undefined;
  const value = representation[key];
  return typeof value === 'string' || typeof value === 'number' ? key : undefined;
}
