// Reasons for missing values: the errors of subgraphs at the objects and names they belong to. An object stands at every place of the answer that
// shares it, so that shaping (shape.ts) finds the error at each of them, with the client's names.
import type { TopLevelCode } from '../../platform/errors/errors.ts';
import { type Data, isData, type RequestedNames, valueAt } from './merging.ts';

export type Path = readonly (string | number)[];

export class Fault {
  readonly message: string;
  readonly extensions: Readonly<Record<string, unknown>>;
  /** Whether the answer at hand has an error for it. */
  told = false;
  /** Whether an answer before it had one. */
  toldBefore = false;
  /** The subgraph reported that there is no such object. */
  readonly isUnknown: boolean;

  constructor(message: string, extensions: Readonly<Record<string, unknown>>, isUnknown = false) {
    this.message = message;
    this.extensions = extensions;
    this.isUnknown = isUnknown;
  }
}

export function gatewayFault(code: TopLevelCode, message: string, subgraph?: string): Fault {
  return new Fault(message, { code, ...(subgraph === undefined ? {} : { subgraph }) });
}

/** A fault at a value. `below`: the rest of its path, if the subgraph made a parent null. */
interface FaultAt {
  readonly fault: Fault;
  readonly below: Path;
}

interface Faulty {
  readonly at: Map<string | number, FaultAt[]>;
  readonly absent: { readonly names: { has(name: string): boolean }; readonly fault: Fault }[];
}

export class FaultTree {
  readonly #byObject = new Map<object, Faulty>();
  readonly #all = new Set<Fault>();

  /** Adds an error of a subgraph at its position in the answer, or without a path. */
  add(fault: Fault): void {
    this.#all.add(fault);
  }

  /** `names` of the object are missing from the answer because of the fault. */
  addAbsent(object: Data, names: { has(name: string): boolean }, fault: Fault): void {
    this.#faulty(object).absent.push({ names, fault });
  }

  /** Follows the path as far as it contains values that the subgraph was asked for. */
  addAt(object: Data, given: Path, names: RequestedNames, fault: Fault): void {
    const path = requestedPart(given, names);
    let place: unknown = object;
    for (const [index, key] of path.entries()) {
      const next: unknown = Array.isArray(place)
        ? place[key as number]
        : isData(place) && Object.hasOwn(place, key)
          ? valueAt(place, String(key))
          : undefined;
      if (typeof next !== 'object' || next === null || index === path.length - 1) {
        const { at } = this.#faulty(place as object);
        const fresh = { fault, below: path.slice(index + 1) };
        const known = at.get(key);
        if (known === undefined) at.set(key, [fresh]);
        else known.push(fresh);
        return;
      }
      place = next;
    }
    this.addAbsent(object, names, fault);
  }

  at(object: object, key: string | number): readonly FaultAt[] {
    return this.#byObject.get(object)?.at.get(key) ?? [];
  }

  /** The reason why the object has no such name. */
  absence(object: object, name: string): Fault | undefined {
    return this.#byObject.get(object)?.absent.find(({ names }) => names.has(name))?.fault;
  }

  /** Several answers, such as events, may share faults. Each has separate errors for them. */
  beginAnswer(): void {
    for (const fault of this.#all) {
      fault.toldBefore ||= fault.told;
      fault.told = false;
    }
  }

  /** Faults that are not in any answer. */
  untold(): readonly Fault[] {
    return [...this.#all].filter(({ told, toldBefore }) => !told && !toldBefore);
  }

  #faulty(object: object): Faulty {
    let faulty = this.#byObject.get(object);
    if (faulty === undefined) {
      faulty = { at: new Map(), absent: [] };
      this.#byObject.set(object, faulty);
    }
    return faulty;
  }
}

/** Ends the path at the first field that was not requested: a subgraph can't report failures of another subgraph's fields. */
function requestedPart(path: Path, names: RequestedNames): Path {
  let at: RequestedNames | null | undefined = names;
  for (const [index, key] of path.entries()) {
    if (typeof key === 'number') continue;
    at = at?.get(key);
    if (at === undefined) return path.slice(0, index);
  }
  return path;
}
